//! The whole life of a user through the client in Rust, with each backend.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use reference::accounts::{
    Registration, User, UserAdminUpdate, UserUpdate, jwt, jwt_cookie, oauth2_password, session,
    session_cookie,
};
use users_runtime::{
    Application, ListQuery, Password, ProblemCode, RoleCreate, RoleUpdate,
    client::{Client, Error},
};

use super::{Folder, Server, client as http, start_with};

pub(crate) const EMAIL: &str = "ada@example.com";
pub(crate) const ADMIN: &str = "root@example.com";

fn password() -> Password {
    Password::new(super::PASSWORD)
}

/// The settings of a server with an administrator.
pub(crate) fn settings(auth: &str) -> [(&str, &str); 3] {
    [("AUTH", auth), ("ADMIN_EMAIL", ADMIN), ("ADMIN_PASSWORD", super::PASSWORD)]
}

/// The token of the next mail to an address that has one.
pub(crate) async fn token(mails: &Path, to: &str, used: &mut BTreeSet<String>) -> String {
    for _ in 0..1000 {
        let files = fs::read_dir(mails).into_iter().flatten().filter_map(Result::ok);
        let whole = files.filter(|file| file.path().extension().is_some_and(|end| end == "eml"));
        for file in whole {
            let text = fs::read_to_string(file.path()).expect("a whole mail");
            let line = |start| text.lines().find_map(|line| line.strip_prefix(start)).map(str::trim);
            if line("To: ") == Some(to)
                && let Some(token) = line("token=")
                && used.insert(token.to_owned())
            {
                return token.to_owned();
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no mail with a token to {to}");
}

#[track_caller]
fn refused<T>(answer: Result<T, Error>, status: u16, code: &ProblemCode) {
    match answer {
        Err(Error::Problem(problem)) => {
            assert_eq!((problem.status.as_u16(), &problem.code), (status, code), "{problem}");
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("no refusal, wanted {code}"),
    }
}

/// A server with this backend, and a client that nobody knows.
async fn server<A: Application<User = User>>(auth: &str) -> (Folder, Server, Client<A>) {
    let folder = Folder::new(&format!("client-{auth}"));
    let server = start_with(&folder, &http(), &settings(auth)).await;
    let client = Client::new(&server.origin).expect("an address");
    (folder, server, client)
}

async fn life<A: Application<User = User>>(auth: &str) -> Result<(), Error> {
    let (folder, _server, client) = server::<A>(auth).await;
    let (mails, mut used) = (folder.mail(), BTreeSet::new());

    let ada = Registration { email: EMAIL.to_owned(), password: password(), display_name: None };
    let short = Registration { display_name: Some("A".to_owned()), ..ada.clone() };
    match client.register(&short).await {
        Err(Error::Problem(problem)) => {
            assert_eq!(problem.code, ProblemCode::ValidationFailed);
            assert_eq!((&*problem.errors[0].field, &*problem.errors[0].code), ("display_name", "too_short"));
        }
        other => panic!("{other:?}"),
    }
    let account = client.register(&ada).await?;
    assert_eq!(
        (account.email.as_str(), account.is_verified, account.display_name.clone()),
        (EMAIL, false, None)
    );
    refused(client.register(&ada).await, 409, &ProblemCode::IdentifierTaken);
    let first = token(&mails, EMAIL, &mut used).await;

    refused(client.log_in(EMAIL, &password()).await, 403, &ProblemCode::NotVerified);
    client.resend_verification(EMAIL).await?;
    let again = token(&mails, EMAIL, &mut used).await;
    refused(client.verify(&first).await, 400, &ProblemCode::TokenInvalid);
    assert!(client.verify(&again).await?.is_verified);
    refused(client.me().await, 401, &ProblemCode::Unauthenticated);
    refused(client.log_in(EMAIL, &Password::new("not this one")).await, 401, &ProblemCode::BadCredentials);

    assert_eq!(client.log_in(EMAIL, &password()).await?.id, account.id);
    let me = client.clone().me().await?;
    assert_eq!(
        (me.id, me.login_count, me.roles.len(), me.pending_identifier.as_deref()),
        (account.id, 1, 0, None)
    );
    let name = UserUpdate { display_name: Some(Some("Ada".to_owned())), ..UserUpdate::default() };
    assert_eq!(client.update_me(&name).await?.display_name.as_deref(), Some("Ada"));
    // What is left out stays as it is, and `null` clears it.
    assert_eq!(client.update_me(&UserUpdate::default()).await?.display_name.as_deref(), Some("Ada"));
    let none = UserUpdate { display_name: Some(None), ..UserUpdate::default() };
    assert_eq!(client.update_me(&none).await?.display_name, None);

    let elsewhere = client.without_credential();
    elsewhere.log_in(EMAIL, &password()).await?;
    let sessions = elsewhere.sessions().await?;
    assert_eq!(sessions.iter().filter(|session| session.current).count(), 1);
    assert_eq!(sessions.len(), 2);
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let age = i64::try_from(since_1970.as_millis()).expect("a number") - sessions[0].created_at;
    assert!((0..60_000).contains(&age), "{age} ms");
    let other = sessions.iter().find(|session| !session.current).expect("the first one");
    elsewhere.end_session(&other.id).await?;
    refused(elsewhere.end_session(&other.id).await, 404, &ProblemCode::NotFound);
    // It would be the route that ends them all.
    assert!(matches!(elsewhere.end_session("..").await, Err(Error::Invalid(_))));
    refused(client.me().await, 401, &ProblemCode::Unauthenticated);

    client.log_in(EMAIL, &password()).await?;
    let new = Password::new("an entirely different sentence");
    let change = UserUpdate { password: Some(new.clone()), ..UserUpdate::default() };
    refused(client.update_me(&change).await, 422, &ProblemCode::ValidationFailed);
    let wrong = UserUpdate { current_password: Some(new.clone()), ..change.clone() };
    refused(client.update_me(&wrong).await, 403, &ProblemCode::CurrentPasswordWrong);
    client.update_me(&UserUpdate { current_password: Some(password()), ..change }).await?;
    assert_eq!(client.me().await?.id, account.id, "the new credential is kept");
    refused(elsewhere.me().await, 401, &ProblemCode::Unauthenticated);
    client.log_out().await?;
    assert!(client.bearer().is_none());
    refused(client.me().await, 401, &ProblemCode::Unauthenticated);

    client.forgot_password(EMAIL).await?;
    let reset = token(&mails, EMAIL, &mut used).await;
    client.reset_password(&reset, &password()).await?;
    refused(client.log_in(EMAIL, &new).await, 401, &ProblemCode::BadCredentials);
    client.log_in(EMAIL, &password()).await?;
    refused(client.list_users(&ListQuery::new()).await, 403, &ProblemCode::Forbidden);
    manage(&client).await?;
    refused(client.me().await, 401, &ProblemCode::Unauthenticated);
    Ok(())
}

/// What an administrator does, to the user of this client at last.
async fn manage<A: Application<User = User>>(client: &Client<A>) -> Result<(), Error> {
    let user = client.me().await?.id;
    let admin = client.without_credential();
    assert_eq!(admin.log_in(ADMIN, &password()).await?.roles[0].name, "administrator");
    let page = admin.list_users(&ListQuery::new().with_limit(1).with_sort("email").with_total(true)).await?;
    assert_eq!((page.items.len(), page.items[0].email.as_str(), page.total), (1, EMAIL, Some(2)));
    let next = ListQuery::new().with_limit(1).with_sort("email").with_after(page.next.expect("another page"));
    let last = admin.list_users(&next).await?;
    assert_eq!((last.items[0].email.as_str(), last.next), (ADMIN, None));
    assert_eq!(admin.list_users(&ListQuery::new().with_search("ad")).await?.items.len(), 1);

    let role = admin.create_role(&RoleCreate { name: "writer".to_owned(), description: None }).await?;
    let books = RoleUpdate { description: Some(Some("of books".to_owned())), ..RoleUpdate::default() };
    assert_eq!(admin.update_role(role.id, &books).await?.description.as_deref(), Some("of books"));
    let roles = admin.roles().await?;
    let names: Vec<_> = roles.iter().map(|role| role.name.as_str()).collect();
    assert_eq!(names, ["administrator", "writer"]);
    assert_eq!(admin.assign_role(user, role.id).await?.roles[0].name, "writer");
    refused(admin.assign_role(user, role.id).await, 409, &ProblemCode::RoleAlreadyAssigned);
    assert_eq!(client.me().await?.roles[0].description.as_deref(), Some("of books"));
    assert!(admin.revoke_role(user, role.id).await?.roles.is_empty());
    assert_eq!(admin.delete_role(role.id).await?.name, "writer");

    let change = UserAdminUpdate { login_count: Some(7), ..UserAdminUpdate::default() };
    assert_eq!(admin.update_user(user, &change).await?.login_count, 7);
    admin.end_sessions_of(user).await?;
    refused(client.me().await, 401, &ProblemCode::Unauthenticated);
    client.log_in(EMAIL, &password()).await?;
    assert_eq!(admin.user(user).await?.login_count, 8);
    assert_eq!(admin.delete_user(user).await?.email, EMAIL);
    refused(admin.user(user).await, 404, &ProblemCode::NotFound);
    admin.end_sessions().await?;
    refused(admin.me().await, 401, &ProblemCode::Unauthenticated);
    Ok(())
}

#[tokio::test]
async fn the_rust_client_runs_the_whole_life_of_a_user_with_each_backend() {
    let done = |auth: &'static str| move |error: Error| panic!("{auth}: {error}");
    life::<session::App>("session").await.unwrap_or_else(done("session"));
    life::<session_cookie::App>("session_cookie").await.unwrap_or_else(done("session_cookie"));
    life::<jwt::App>("jwt").await.unwrap_or_else(done("jwt"));
    life::<jwt_cookie::App>("jwt_cookie").await.unwrap_or_else(done("jwt_cookie"));
    life::<oauth2_password::App>("oauth2_password").await.unwrap_or_else(done("oauth2_password"));
}

/// Tokens are exchanged, the old ones are no good, and clones that refresh at once take turns.
#[tokio::test]
async fn the_rust_client_refreshes_tokens_in_cookies_and_in_bodies() {
    let (_folder, _server, client) = server::<jwt_cookie::App>("jwt_cookie").await;
    refused(client.refresh().await, 400, &ProblemCode::InvalidGrant);
    client.log_in(ADMIN, &password()).await.expect("a login");
    assert!(client.refresh().await.expect("the next tokens").is_none(), "they are in cookies");
    let (one, other) = (client.clone(), client.clone());
    let (one, other) = tokio::join!(one.refresh(), other.refresh());
    assert!(
        one.is_ok() && other.is_ok(),
        "a token that comes twice would end the session: {one:?} {other:?}"
    );
    assert_eq!(client.me().await.expect("a user").email, ADMIN);

    refused(client.token(ADMIN, &Password::new("not this one")).await, 400, &ProblemCode::InvalidGrant);
    let form = client.without_credential();
    let tokens = form.token(ADMIN, &password()).await.expect("tokens");
    assert!(tokens.expires_in > 0 && !format!("{tokens:?} {form:?}").contains(tokens.access_token.expose()));
    let next = form.refresh().await.expect("an exchange").expect("tokens");
    let elsewhere =
        client.with_bearer(next.access_token).with_refresh_token(next.refresh_token.expect("one"));
    assert_eq!(elsewhere.me().await.expect("a user").email, ADMIN);
    // The first token a second time is a thief's.
    let thief = client.without_credential().with_refresh_token(tokens.refresh_token.expect("one"));
    refused(thief.refresh().await, 400, &ProblemCode::InvalidGrant);
    refused(elsewhere.me().await, 401, &ProblemCode::Unauthenticated);

    let (_folder, _server, client) = server::<jwt::App>("jwt").await;
    let tokens = client.log_in_for_tokens(ADMIN, &password()).await.expect("tokens");
    assert_eq!(client.bearer().expect("it is kept").expose(), tokens.access_token.expose());
    assert!(client.refresh().await.expect("an exchange").is_some());
    assert_eq!(client.me().await.expect("a user").email, ADMIN);
    let answer: serde_json::Value = client.get("/private").await.expect("a route of the application's own");
    assert_eq!(answer, serde_json::json!({ "email": ADMIN }));
}
