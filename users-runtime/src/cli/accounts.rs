//! Commands on one user, and on roles.

use serde::de::DeserializeOwned;
use serde_json::json;

use super::{
    args::{self, Assignment, CreateRole, CreateUser, Invite, Membership, ResetPassword, User as Named},
    console::{Console, printable},
    failure::Failure,
    output::Shown,
};
use crate::{
    app::Application,
    error::Error,
    model::{RoleModel, UserModel},
    principal::Principal,
    service::{InvitationLink, NewAccount, NewInvitation, Scope},
    text::Texts,
};

type User<A> = <A as Application>::User;

/// The user whom an operator means: by identifier, and otherwise by key.
pub(super) async fn find<A: Application>(
    users: &Scope<A>,
    named: &str,
) -> Result<Principal<User<A>>, Failure> {
    if let Some(user) = users.find_user(named).await? {
        return Ok(user);
    }
    if let Ok(id) = named.parse()
        && let Some(user) = users.user(id).await?
    {
        return Ok(user);
    }
    Err(Failure::not_found(format!("there is no user `{}`", printable(named))))
}

/// A struct out of the values of `--set`, behind one that has an argument of its own.
fn read<T: DeserializeOwned>(own: (&str, &str), fields: &[Assignment]) -> Result<T, Failure> {
    Ok(T::deserialize(Texts::set(std::iter::once(own).chain(args::pairs(fields))))?)
}

pub(super) async fn create<A: Application>(
    users: &Scope<A>,
    arguments: &CreateUser,
    console: &mut Console,
) -> Result<(), Failure> {
    let secret = arguments.fields.iter().find(|field| field.name.starts_with("password"));
    if let Some(Assignment { name, .. }) = secret {
        // Arguments are seen by everybody on the machine, and kept in the shell's history.
        return Err(Failure::usage(format!(
            "`{name}` is a secret and no argument; the password is asked for, or read with `--password-stdin`"
        )));
    }
    let identifier = (User::<A>::IDENTIFIER.field, arguments.identifier.as_str());
    let mut account =
        NewAccount::new(read(identifier, &arguments.fields)?).with_roles(arguments.roles.clone());
    if let Some(id) = &arguments.id {
        account = account.with_id(id.parse().map_err(|_| Failure::usage(format!("`{id}` is not a key")))?);
    }
    if let Some(active) = arguments.is_active {
        account = account.with_active(active);
    }
    if let Some(verified) = arguments.is_verified {
        account = account.with_verified(verified);
    }
    let password = console.new_password(arguments.password.password_stdin)?;
    let user = users.create_account(account.with_password(password)).await?;
    let user = users.user(user.id()).await?.ok_or(Error::NotFound)?;
    let identifier = printable(user.identifier());
    console.answer(format_args!("created {identifier} with the key {}", user.id()), &Shown::of(&user))?;
    if !user.is_verified() && !console.json {
        console.note("the mailbox is not proven; with `--is-verified` it would count as such")?;
    }
    Ok(())
}

pub(super) async fn invite<A: Application>(
    users: &Scope<A>,
    arguments: &Invite,
    console: &mut Console,
) -> Result<(), Failure> {
    if !arguments.roles.is_empty() {
        needs_roles::<A>()?;
    }
    let mut new = NewInvitation::new(&*arguments.identifier).with_roles(&arguments.roles);
    if let Some(lifetime) = arguments.expires {
        new = new.with_lifetime(lifetime);
    }
    let identifier = printable(&arguments.identifier);
    if arguments.send {
        users.send_invitation(new).await?;
        let sentence = format!("the mail to {identifier} leaves as soon as the application's server runs");
        return Ok(console.answer(sentence, &json!({ "identifier": arguments.identifier, "sent": true }))?);
    }
    let InvitationLink { invitation, token, link } = users.create_invitation(new).await?;
    let until = crate::clock::rfc3339(invitation.expires_at).map_err(Error::internal)?;
    let sentence = format!("{}\nfor {identifier} alone, once, until {until}", link.expose());
    let document = json!({
        "identifier": invitation.identifier,
        "roles": invitation.roles,
        "expires_at": until,
        "token": token.expose(),
        "link": link.expose(),
    });
    Ok(console.answer(sentence, &document)?)
}

pub(super) async fn create_role<A: Application>(
    users: &Scope<A>,
    arguments: &CreateRole,
    console: &mut Console,
) -> Result<(), Failure> {
    needs_roles::<A>()?;
    let role = users.create_role(read(("name", &arguments.name), &arguments.fields)?).await?;
    let sentence = format!("created the role {} with the key {}", role.name(), role.id());
    Ok(console.answer(sentence, &role.to_read())?)
}

pub(super) async fn assign_role<A: Application>(
    users: &Scope<A>,
    arguments: &Membership,
    console: &mut Console,
) -> Result<(), Failure> {
    let (user, role) = membership(users, arguments).await?;
    let user = users.assign_role(user.id(), role.id()).await?;
    let sentence = format!("{} has the role {} now", printable(user.identifier()), role.name());
    Ok(console.answer(sentence, &Shown::of(&user))?)
}

pub(super) async fn revoke_role<A: Application>(
    users: &Scope<A>,
    arguments: &Membership,
    console: &mut Console,
) -> Result<(), Failure> {
    let (user, role) = membership(users, arguments).await?;
    let user = users.revoke_role(user.id(), role.id()).await?;
    let sentence = format!("{} has the role {} no more", printable(user.identifier()), role.name());
    Ok(console.answer(sentence, &Shown::of(&user))?)
}

fn needs_roles<A: Application>() -> Result<(), Failure> {
    if Role::<A>::PRESENT { Ok(()) } else { Err(Failure::usage("this application has no roles")) }
}

type Role<A> = <User<A> as UserModel>::Role;

/// The user and the role that an operator means.
async fn membership<A: Application>(
    users: &Scope<A>,
    arguments: &Membership,
) -> Result<(Principal<User<A>>, Role<A>), Failure> {
    needs_roles::<A>()?;
    let user = find(users, &arguments.user).await?;
    let name = crate::validate::canonical_role_name(&arguments.role).unwrap_or_default();
    let role = users.roles().await?.into_iter().find(|role| role.name() == name).ok_or_else(|| {
        Failure::not_found(format!(
            "there is no role `{}`; make it with `create-role`",
            printable(&arguments.role)
        ))
    })?;
    Ok((user, role))
}

pub(super) async fn set_active<A: Application>(
    users: &Scope<A>,
    arguments: &Named,
    active: bool,
    console: &mut Console,
) -> Result<(), Failure> {
    let user = find(users, &arguments.user).await?;
    users.set_active(user.id(), active).await.map_err(|error| match error {
        // The user is there, so it is the field that is not.
        Error::NotFound => {
            Failure::usage("accounts cannot be deactivated here: the struct has no field `active`")
        }
        other => other.into(),
    })?;
    let user = users.user(user.id()).await?.ok_or(Error::NotFound)?;
    let sentence = if active { "may log in now" } else { "is deactivated, and the sessions are ended" };
    Ok(console.answer(format_args!("{} {sentence}", printable(user.identifier())), &Shown::of(&user))?)
}

pub(super) async fn unlock<A: Application>(
    users: &Scope<A>,
    arguments: &Named,
    console: &mut Console,
) -> Result<(), Failure> {
    let user = find(users, &arguments.user).await?;
    users.lift_account_lock(user.id()).await?;
    let sentence = format!("{} may try passwords again", printable(user.identifier()));
    Ok(console.answer(sentence, &json!({ "id": user.id(), "locked_until": null }))?)
}

pub(super) async fn reset_password<A: Application>(
    users: &Scope<A>,
    arguments: &ResetPassword,
    console: &mut Console,
) -> Result<(), Failure> {
    let user = find(users, &arguments.user).await?;
    let identifier = printable(user.identifier());
    if arguments.prompt || arguments.password.password_stdin {
        let password = console.new_password(arguments.password.password_stdin)?;
        users.set_password(user.id(), &password).await?;
        let sentence = format!("{identifier} has a new password, and every session is ended");
        return Ok(console.answer(sentence, &json!({ "id": user.id(), "password": "set" }))?);
    }
    if A::ROUTES.password_reset.is_none() {
        return Err(Failure::usage(
            "this application has no route by which users choose a new password; set one with `--prompt`",
        ));
    }
    if user.mailbox().is_none() || !user.is_active() {
        return Err(Failure::Said(
            super::failure::Exit::Failed,
            "no_mail",
            format!("{identifier} gets no mail: the account is deactivated or has no address"),
        ));
    }
    users.send_password_reset(user.identifier()).await?;
    let sentence = format!("the mail to {identifier} leaves as soon as the application's server runs");
    Ok(console.answer(sentence, &json!({ "id": user.id(), "password": "mail" }))?)
}
