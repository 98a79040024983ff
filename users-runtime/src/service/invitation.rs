//! Invitations: who may be asked to register, and the token that says so.
//!
//! A token is its own record: the identifier, the tenant, the roles and the end stand in it, under a key of this purpose
//! alone. The database holds only those that were redeemed, until they would have expired, so that each is good once:
//! also when the account that it made is deleted or has another identifier since.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Scope, mailer::page_url, new_identifier};
use crate::{
    app::Application,
    clock,
    config::Config,
    db::{Transaction, outbox::Message},
    directory::Directory,
    error::Error,
    model::{RoleModel, UserModel},
    registration::Registration,
    secret::Password,
    token::Keys,
    validate::{CanonicalIdentifier, FieldErrors, Violation, canonical_role_name},
};

type User<A> = <A as Application>::User;
type Role<A> = <User<A> as UserModel>::Role;

/// The most roles of one invitation.
const MAX_ROLES: usize = 16;

/// Whom to invite.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewInvitation {
    /// What the account will be called, as typed.
    pub identifier: String,
    /// The roles that it will have.
    pub roles: Vec<String>,
    /// How long the invitation is good; as [`Config::with_invitation_lifetime`] says by default.
    pub lifetime: Option<Duration>,
}

impl NewInvitation {
    /// Invites somebody to register with this identifier.
    pub fn new(identifier: impl Into<String>) -> Self {
        Self { identifier: identifier.into(), roles: Vec::new(), lifetime: None }
    }

    /// With roles.
    #[must_use]
    pub fn with_roles<R: Into<String>>(self, roles: impl IntoIterator<Item = R>) -> Self {
        Self { roles: roles.into_iter().map(Into::into).collect(), ..self }
    }

    /// For so long.
    #[must_use]
    pub fn with_lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime: Some(lifetime), ..self }
    }
}

/// An invitation that this application made. A request that brings a good one has it among its extensions, where hooks
/// find it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Invitation {
    /// The one identifier that may be registered with it, in its canonical form.
    pub identifier: String,
    /// The roles that the account gets, as far as they still exist.
    pub roles: Vec<String>,
    /// When it ends, in milliseconds since 1970.
    pub expires_at: i64,
    pub(super) id: Uuid,
    /// The tenant, as text.
    tenant: String,
}

/// An invitation and the secret that is to reach whom it invites, and nobody else.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct InvitationLink {
    /// The invitation.
    pub invitation: Invitation,
    /// What `POST /register` takes under the key `invitation`.
    pub token: Password,
    /// The page to register at, with the token in its fragment.
    pub link: Password,
}

/// What a token says.
#[derive(Serialize, Deserialize)]
struct Said<T> {
    id: Uuid,
    tenant: T,
    identifier: String,
    roles: Vec<String>,
    expires_at: i64,
}

/// The token of an invitation.
pub(super) fn token_of<T: Serialize>(
    keys: &Keys,
    tenant: &T,
    id: Uuid,
    identifier: &CanonicalIdentifier,
    roles: &[String],
    expires_at: i64,
) -> Result<Zeroizing<String>, Error> {
    let said =
        Said { id, tenant, identifier: identifier.canonical.clone(), roles: roles.to_vec(), expires_at };
    Ok(keys.invitation(&serde_json::to_vec(&said).map_err(Error::internal)?))
}

/// Where a token leads. The fragment stays in the browser: no server on the way logs it (S35).
pub(super) fn link_of<A: Application>(config: &Config, token: &str) -> Url {
    let page = A::ROUTES.register.map(|routes| routes.path);
    let mut url = page_url(&config.base_url, config.invitation_url.as_ref(), page);
    url.set_fragment(Some(&format!("token={token}")));
    url
}

/// An invitation that keeps the rules.
struct Checked {
    identifier: CanonicalIdentifier,
    roles: Vec<String>,
    lifetime: i64,
}

impl<A: Application> Scope<A> {
    /// Makes an invitation to be handed over by whoever calls this. No mail is sent.
    ///
    /// # Errors
    /// [`Error::Setting`] where registration is not by invitation, [`Error::Validation`], and [`Error::IdentifierTaken`]
    /// when there is such an account.
    pub async fn create_invitation(&self, new: NewInvitation) -> Result<InvitationLink, Error> {
        let mut transaction = self.directory().database.begin().await?;
        let Checked { identifier, roles, lifetime } = self.check_invitation(new, &mut transaction).await?;
        transaction.commit().await?;
        let (id, expires_at) = (Uuid::new_v4(), clock::now().saturating_add(lifetime));
        let directory = self.directory();
        let token = token_of(&directory.keys, self.tenant(), id, &identifier, &roles, expires_at)?;
        let link = link_of::<A>(&directory.config, &token);
        let tenant = tenant_text::<A>(self.tenant());
        let invitation = Invitation { identifier: identifier.canonical, roles, expires_at, id, tenant };
        Ok(InvitationLink {
            invitation,
            token: Password::new(token.as_str()),
            link: Password::new(String::from(link)),
        })
    }

    /// Sends an invitation by mail, to the address that it is for. It is good from the moment of this call on.
    ///
    /// # Errors
    /// As [`create_invitation`](Self::create_invitation), and [`Error::Setting`] where people log in with names.
    pub async fn send_invitation(&self, new: NewInvitation) -> Result<(), Error> {
        if !is_address::<A>() {
            return Err(setting("people log in with names here, to which no mail goes; hand the link over"));
        }
        let mut transaction = self.directory().database.begin().await?;
        let Checked { identifier, roles, lifetime } = self.check_invitation(new, &mut transaction).await?;
        let message =
            Message::Invitation { id: Uuid::new_v4(), identifier: identifier.typed, roles, lifetime };
        transaction.enqueue(self.tenant(), &message).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn check_invitation(
        &self,
        new: NewInvitation,
        transaction: &mut Transaction,
    ) -> Result<Checked, Error> {
        let config = &self.directory().config;
        if config.registration != Registration::InviteOnly {
            return Err(setting("is not `invite`, so nobody can redeem an invitation"));
        }
        let mut errors = FieldErrors::default();
        let identifier = new_identifier::<User<A>>(&new.identifier, &mut errors);
        let mut roles: Vec<String> = Vec::with_capacity(new.roles.len().min(MAX_ROLES));
        if new.roles.len() > MAX_ROLES {
            errors.push("roles", Violation::new("too_many", format!("may be {MAX_ROLES} at most")));
        }
        for typed in new.roles.iter().take(MAX_ROLES) {
            match canonical_role_name(typed) {
                Ok(name) if roles.contains(&name) => {}
                Ok(name) if self.invitable_role(&name, transaction).await?.is_none() => {
                    errors.push("roles", Violation::new("unknown_role", "names a role that does not exist"));
                }
                Ok(name) => roles.push(name),
                Err(violation) => errors.push("roles", violation),
            }
        }
        errors.into_result().map_err(Error::Validation)?;
        let identifier =
            identifier.ok_or_else(|| Error::internal("an identifier was refused without a reason"))?;
        self.may_change_holder_of(roles.iter().map(String::as_str))?;
        let holder = transaction.user_by_canonical::<User<A>>(self.tenant(), &identifier.canonical).await?;
        if holder.is_some() {
            return Err(Error::IdentifierTaken);
        }
        let lifetime = clock::millis(new.lifetime.unwrap_or(config.invitation_lifetime));
        Ok(Checked { identifier, roles, lifetime })
    }

    /// A role that is there, or that the program knows: those of tenants are made when somebody is given one.
    pub(super) async fn invitable_role(
        &self,
        name: &str,
        transaction: &mut Transaction,
    ) -> Result<Option<Role<A>>, Error> {
        if !Role::<A>::PRESENT {
            return Ok(None);
        }
        if name == self.directory().config.administrator_role || A::SEED.names().contains(&name) {
            self.seed_role(transaction, name).await?;
        }
        transaction.role_by_name::<User<A>>(self.tenant(), name).await
    }

    /// Reads the token that a request brings.
    ///
    /// # Errors
    /// [`Error::InvitationInvalid`] when it was not made here, for this tenant, or has expired. Whether it was redeemed
    /// shows when it is.
    pub(crate) fn read_invitation(&self, token: &str) -> Result<Invitation, Error> {
        let said = self.directory().keys.read_invitation(token).ok_or(Error::InvitationInvalid)?;
        let Said { id, tenant, identifier, roles, expires_at }: Said<<User<A> as UserModel>::Tenant> =
            serde_json::from_slice(&said).map_err(|_| Error::InvitationInvalid)?;
        if tenant != *self.tenant() || expires_at <= clock::now() {
            return Err(Error::InvitationInvalid);
        }
        Ok(Invitation { identifier, roles, expires_at, id, tenant: tenant_text::<A>(&tenant) })
    }

    /// Whether a request's invitation is for this account, here. It was read in the scope of the same request, but an
    /// application's own function may have changed the scope since.
    pub(super) fn is_invited(&self, invitation: &Invitation, canonical: &str) -> bool {
        invitation.identifier == canonical && invitation.tenant == tenant_text::<A>(self.tenant())
    }
}

impl<A: Application> super::Inner<A> {
    /// The token and the address of an invitation that is promised, unless nothing would come of it.
    pub(super) async fn promised_invitation(
        &self,
        tenant: &<User<A> as UserModel>::Tenant,
        id: Uuid,
        identifier: &str,
        roles: &[String],
        expires_at: i64,
    ) -> Result<Option<(Zeroizing<String>, Url)>, Error> {
        let config = &self.shared.config;
        if config.registration != Registration::InviteOnly {
            return Ok(None);
        }
        let Some(identifier) = Directory::<User<A>>::canonical(identifier) else { return Ok(None) };
        let database = &self.shared.database;
        if database.user_by_canonical::<User<A>>(tenant, &identifier.canonical).await?.is_some() {
            return Ok(None);
        }
        let token = token_of(&self.shared.keys, tenant, id, &identifier, roles, expires_at)?;
        let link = link_of::<A>(config, &token);
        Ok(Some((token, link)))
    }
}

fn tenant_text<A: Application>(tenant: &<User<A> as UserModel>::Tenant) -> String {
    crate::model::Tenant::text(tenant)
}

/// Whether mail goes to what people log in with.
pub(crate) fn is_address<A: Application>() -> bool {
    <User<A> as UserModel>::IDENTIFIER.kind == crate::validate::IdentifierKind::Email
}

fn setting(problem: &str) -> Error {
    Error::Setting { name: "REGISTRATION", problem: problem.to_owned() }
}
