//! One method for each generated route, in the order in which people meet them.

use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;

use super::{
    Client, Error, Role, RoleRead, User,
    connection::{Answer, Content, segment},
    dto::{Body, Items, Page, RequestBody, Tokens},
    unwritable,
};
use crate::{
    app::Application,
    event::{Event, OwnEvent},
    model::{RoleModel, UserModel},
    query::{EventQuery, ListQuery},
    secret::Password,
    service::{AccountLock, SessionInfo},
};

type UserKey<A> = <User<A> as UserModel>::Id;
type RoleKey<A> = <Role<A> as RoleModel>::Id;

/// The paths of a route group; an application without it does not compile.
macro_rules! paths {
    ($group:ident) => {
        const {
            match A::ROUTES.$group {
                Some(paths) => paths,
                None => panic!(concat!(
                    "the application has no route group `",
                    stringify!($group),
                    "`; name it in `routes(...)` of `#[users_app]`"
                )),
            }
        }
    };
}

/// A body of texts.
fn texts<const N: usize>(texts: [(&'static str, &str); N]) -> Content {
    let mut body = Body::default();
    for (key, text) in texts {
        body.text(key, text);
    }
    Content::Json(body.into_value())
}

fn json(body: &impl RequestBody) -> Result<Content, Error> {
    unwritable(body.to_json()).map(Content::Json)
}

impl<A: Application, Shown> Client<A, Shown> {
    async fn at(&self, method: Method, path: &str, content: Content) -> Result<Answer, Error> {
        self.send(method, self.connection.url(path)?, content).await
    }

    /// Forgets a credential that the server has ended.
    fn forget(&self) {
        let mut kept = self.credential.kept();
        (kept.access, kept.refresh) = (None, None);
    }

    fn keep(&self, tokens: &Tokens) {
        let mut kept = self.credential.kept();
        kept.access = Some(tokens.access_token.clone());
        kept.refresh.clone_from(&tokens.refresh_token);
    }

    /// Asks for the mail that proves a mailbox once more. Nobody learns whether there is an account.
    pub async fn resend_verification(&self, identifier: &str) -> Result<(), Error> {
        let body = texts([(User::<A>::IDENTIFIER.field, identifier)]);
        self.at(Method::POST, paths!(verify).resend, body).await.map(drop)
    }

    /// Logs in, and keeps the tokens that the answer holds: for backends that give clients a token in a header, of which
    /// [`log_in`](Self::log_in) keeps the access token alone.
    ///
    /// # Errors
    /// [`Error::Unexpected`] for a backend that keeps its credential in a cookie.
    pub async fn log_in_for_tokens(&self, identifier: &str, password: &Password) -> Result<Tokens, Error> {
        let mut url = self.connection.url(paths!(auth).login)?;
        url.set_query(Some("response=token"));
        let tokens: Tokens = self.enter(url, identifier, password, None).await?.json()?;
        self.keep(&tokens);
        Ok(tokens)
    }

    async fn enter(
        &self,
        url: Url,
        identifier: &str,
        password: &Password,
        remember: Option<bool>,
    ) -> Result<Answer, Error> {
        let mut body = Body::default();
        body.text(User::<A>::IDENTIFIER.field, identifier);
        body.password("password", password);
        let mut body = body.into_value();
        if let Some(remember) = remember {
            body["remember"] = remember.into();
        }
        self.send(Method::POST, url, Content::Json(body)).await
    }

    /// Ends the login, on the server and here.
    pub async fn log_out(&self) -> Result<(), Error> {
        self.at(Method::POST, paths!(auth).logout, Content::Nothing).await?;
        self.forget();
        Ok(())
    }

    /// Asks for the mail with which a new password can be set. Nobody learns whether there is an account.
    pub async fn forgot_password(&self, identifier: &str) -> Result<(), Error> {
        let body = texts([(User::<A>::IDENTIFIER.field, identifier)]);
        self.at(Method::POST, paths!(password_reset).forgot, body).await.map(drop)
    }

    /// Sets a new password with the token of that mail, which ends every login of the user's.
    pub async fn reset_password(&self, token: &str, password: &Password) -> Result<(), Error> {
        let body = texts([("token", token), ("password", password.expose())]);
        self.at(Method::POST, paths!(password_reset).reset, body).await.map(drop)
    }

    /// Deletes the own account, where `routes(current_user(delete))` allows it.
    pub async fn delete_me(&self, current_password: &Password) -> Result<(), Error> {
        const {
            assert!(
                matches!(A::ROUTES.current_user, Some(paths) if paths.delete),
                "users cannot delete their own account here; write `current_user(delete)` in `routes(...)` of `#[users_app]`"
            );
        }
        let body = texts([("current_password", current_password.expose())]);
        self.at(Method::DELETE, paths!(current_user).path, body).await?;
        self.forget();
        Ok(())
    }

    /// What happened to the own account: a page, the latest first.
    pub async fn events(&self, query: &EventQuery) -> Result<Page<OwnEvent>, Error> {
        let path = format!("{}/events", paths!(current_user).path.trim_end_matches('/'));
        self.events_at(&path, query).await
    }

    /// What happened to a user's account: a page, the latest first.
    pub async fn events_of(&self, user: UserKey<A>, query: &EventQuery) -> Result<Page<Event>, Error> {
        let path = format!("{}/{}/events", paths!(users).path, segment(&user.to_string())?);
        self.events_at(&path, query).await
    }

    async fn events_at<E: DeserializeOwned>(&self, path: &str, query: &EventQuery) -> Result<Page<E>, Error> {
        let mut url = self.connection.url(path)?;
        {
            let mut pairs = url.query_pairs_mut();
            pairs.append_pair("limit", &query.limit.to_string());
            if let Some(kind) = query.kind {
                pairs.append_pair("kind", kind.as_str());
            }
            if let Some(after) = &query.after {
                pairs.append_pair("after", after);
            }
        }
        self.send(Method::GET, url, Content::Nothing).await?.json()
    }

    /// Everything that is known of the own account, where `routes(current_user(export))` allows it. It needs a login of a
    /// few minutes ago.
    pub async fn export_me(&self) -> Result<serde_json::Map<String, serde_json::Value>, Error> {
        const {
            assert!(
                matches!(A::ROUTES.current_user, Some(paths) if paths.export),
                "users get no export here; write `current_user(export)` in `routes(...)` of `#[users_app]`"
            );
        }
        let path = format!("{}/export", paths!(current_user).path.trim_end_matches('/'));
        self.at(Method::GET, &path, Content::Nothing).await?.json()
    }

    /// The own sessions, the latest first.
    pub async fn sessions(&self) -> Result<Vec<SessionInfo>, Error> {
        let answer = self.at(Method::GET, paths!(sessions).path, Content::Nothing).await?;
        answer.json::<Items<_>>().map(|list| list.items)
    }

    /// Ends an own session, by its name in the list.
    pub async fn end_session(&self, session: &str) -> Result<(), Error> {
        let path = format!("{}/{}", paths!(sessions).path, segment(session)?);
        self.at(Method::DELETE, &path, Content::Nothing).await.map(drop)
    }

    /// Ends every own session, this one too.
    pub async fn end_sessions(&self) -> Result<(), Error> {
        self.at(Method::DELETE, paths!(sessions).path, Content::Nothing).await?;
        self.forget();
        Ok(())
    }

    /// Tokens for identifier and password, by the form of RFC 6749, section 4.3. They are kept.
    ///
    /// # Errors
    /// The codes are those of RFC 6749, such as `ProblemCode::InvalidGrant`.
    pub async fn token(&self, identifier: &str, password: &Password) -> Result<Tokens, Error> {
        let form = Content::Form(vec![
            ("grant_type", "password".to_owned()),
            ("username", identifier.to_owned()),
            ("password", password.expose().to_owned()),
        ]);
        let tokens: Tokens = self.at(Method::POST, paths!(tokens).token, form).await?.json()?;
        self.keep(&tokens);
        Ok(tokens)
    }

    /// Exchanges the refresh token that is kept, here or in a cookie, for the next tokens, and keeps them: `None` for those
    /// in cookies. Clones of a client take turns, for a token that comes twice ends its session.
    ///
    /// # Errors
    /// `ProblemCode::InvalidGrant` for a token that is no good, or none at all: log in again.
    pub async fn refresh(&self) -> Result<Option<Tokens>, Error> {
        let _turn = self.credential.refreshing.lock().await;
        let body = match self.refresh_token() {
            Some(token) => texts([("refresh_token", token.expose())]),
            None => Content::Nothing,
        };
        let answer = self.at(Method::POST, paths!(tokens).refresh, body).await?;
        if answer.status == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        let tokens: Tokens = answer.json()?;
        self.keep(&tokens);
        Ok(Some(tokens))
    }

    fn below_user(user: UserKey<A>, end: &str) -> Result<String, Error> {
        Ok(format!("{}/{}/{end}", paths!(users).path, segment(&user.to_string())?))
    }

    /// Invites somebody to register, with roles, where registration is by invitation.
    pub async fn invite_user(&self, identifier: &str, roles: &[&str]) -> Result<(), Error> {
        let mut body = Body::default();
        body.text(User::<A>::IDENTIFIER.field, identifier);
        let mut body = body.into_value();
        if !roles.is_empty() {
            body["roles"] = roles.into();
        }
        let path = format!("{}/invitations", paths!(users).path);
        self.at(Method::POST, &path, Content::Json(body)).await.map(drop)
    }

    /// Registers a user where the server answers alike whether or not the identifier is taken
    /// (`Registration::Private`): a mail says what comes next.
    pub async fn register_privately(
        &self,
        registration: &<User<A> as UserModel>::Registration,
    ) -> Result<(), Error>
    where
        <User<A> as UserModel>::Registration: RequestBody,
    {
        self.at(Method::POST, paths!(register).path, json(registration)?).await.map(drop)
    }

    /// Ends every session of a user.
    pub async fn end_sessions_of(&self, user: UserKey<A>) -> Result<(), Error> {
        self.at(Method::DELETE, &Self::below_user(user, "sessions")?, Content::Nothing).await.map(drop)
    }

    /// Whether the account of a user is locked after too many wrong passwords.
    pub async fn account_lock(&self, user: UserKey<A>) -> Result<AccountLock, Error> {
        self.at(Method::GET, &Self::below_user(user, "lock")?, Content::Nothing).await?.json()
    }

    /// Lifts that lock.
    pub async fn lift_account_lock(&self, user: UserKey<A>) -> Result<(), Error> {
        self.at(Method::DELETE, &Self::below_user(user, "lock")?, Content::Nothing).await.map(drop)
    }
}

impl<A: Application, Shown: DeserializeOwned> Client<A, Shown> {
    /// Registers a user, who may log in once the mailbox is proven.
    pub async fn register(&self, registration: &<User<A> as UserModel>::Registration) -> Result<Shown, Error>
    where
        <User<A> as UserModel>::Registration: RequestBody,
    {
        self.at(Method::POST, paths!(register).path, json(registration)?).await?.json()
    }

    /// Registers a user whom an invitation asks for, by its token.
    pub async fn register_invited(
        &self,
        registration: &<User<A> as UserModel>::Registration,
        invitation: &Password,
    ) -> Result<Shown, Error>
    where
        <User<A> as UserModel>::Registration: RequestBody,
    {
        let mut body = unwritable(registration.to_json())?;
        body["invitation"] = invitation.expose().into();
        self.at(Method::POST, paths!(register).path, Content::Json(body)).await?.json()
    }

    /// Proves a mailbox, or a new one, with the token of a mail.
    pub async fn verify(&self, token: &str) -> Result<Shown, Error> {
        self.at(Method::POST, paths!(verify).path, texts([("token", token)])).await?.json()
    }

    /// Logs in, and keeps the credential.
    pub async fn log_in(&self, identifier: &str, password: &Password) -> Result<Shown, Error> {
        let url = self.connection.url(paths!(auth).login)?;
        self.enter(url, identifier, password, None).await?.json()
    }

    /// The same where the server asks whether to remember the client, by `Config::with_remember_me`.
    pub async fn log_in_remembered(
        &self,
        identifier: &str,
        password: &Password,
        remember: bool,
    ) -> Result<Shown, Error> {
        let url = self.connection.url(paths!(auth).login)?;
        self.enter(url, identifier, password, Some(remember)).await?.json()
    }

    /// The own account.
    pub async fn me(&self) -> Result<Shown, Error> {
        self.at(Method::GET, paths!(current_user).path, Content::Nothing).await?.json()
    }

    /// Changes the own account. A new identifier or password needs the current password, and ends every other login.
    pub async fn update_me(&self, update: &<User<A> as UserModel>::Update) -> Result<Shown, Error>
    where
        <User<A> as UserModel>::Update: RequestBody,
    {
        self.at(Method::PATCH, paths!(current_user).path, json(update)?).await?.json()
    }

    /// A page of the users whom the query asks for.
    pub async fn list_users(&self, query: &ListQuery<User<A>>) -> Result<Page<Shown>, Error>
    where
        <User<A> as UserModel>::Filter: RequestBody,
    {
        let mut url = self.connection.url(paths!(users).path)?;
        {
            let mut pairs = url.query_pairs_mut();
            let optional = [("search", &query.search), ("sort", &query.sort), ("after", &query.after)];
            for (name, text) in optional {
                if let Some(text) = text {
                    pairs.append_pair(name, text);
                }
            }
            pairs.append_pair("limit", &query.limit.to_string());
            if query.total {
                pairs.append_pair("total", "true");
            }
            let filter = unwritable(query.filter.to_json())?;
            for (name, value) in filter.as_object().into_iter().flatten() {
                // A string stands for itself; everything else is read as it is written in JSON.
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                pairs.append_pair(name, &text);
            }
        }
        self.send(Method::GET, url, Content::Nothing).await?.json()
    }

    fn one_user(user: UserKey<A>) -> Result<String, Error> {
        Ok(format!("{}/{}", paths!(users).path, segment(&user.to_string())?))
    }

    /// A user.
    pub async fn user(&self, user: UserKey<A>) -> Result<Shown, Error> {
        self.at(Method::GET, &Self::one_user(user)?, Content::Nothing).await?.json()
    }

    /// Changes a user.
    pub async fn update_user(
        &self,
        user: UserKey<A>,
        update: &<User<A> as UserModel>::AdminUpdate,
    ) -> Result<Shown, Error>
    where
        <User<A> as UserModel>::AdminUpdate: RequestBody,
    {
        self.at(Method::PATCH, &Self::one_user(user)?, json(update)?).await?.json()
    }

    /// Deletes a user, and answers who it was.
    pub async fn delete_user(&self, user: UserKey<A>) -> Result<Shown, Error> {
        self.at(Method::DELETE, &Self::one_user(user)?, Content::Nothing).await?.json()
    }

    /// Gives a user a role.
    pub async fn assign_role(&self, user: UserKey<A>, role: RoleKey<A>) -> Result<Shown, Error> {
        self.membership(paths!(roles).assign, user, role).await
    }

    /// Takes a role from a user.
    pub async fn revoke_role(&self, user: UserKey<A>, role: RoleKey<A>) -> Result<Shown, Error> {
        self.membership(paths!(roles).revoke, user, role).await
    }

    async fn membership(&self, path: &str, user: UserKey<A>, role: RoleKey<A>) -> Result<Shown, Error> {
        let body = serde_json::json!({ "user_id": user, "role_id": role });
        self.at(Method::PUT, path, Content::Json(body)).await?.json()
    }
}

impl<A: Application, Shown> Client<A, Shown>
where
    RoleRead<A>: DeserializeOwned,
{
    /// Every role.
    pub async fn roles(&self) -> Result<Vec<RoleRead<A>>, Error> {
        self.at(Method::GET, paths!(roles).path, Content::Nothing).await?.json()
    }

    /// Makes a role.
    pub async fn create_role(&self, role: &<Role<A> as RoleModel>::Create) -> Result<RoleRead<A>, Error>
    where
        <Role<A> as RoleModel>::Create: RequestBody,
    {
        self.at(Method::POST, paths!(roles).path, json(role)?).await?.json()
    }

    fn one_role(role: RoleKey<A>) -> Result<String, Error> {
        Ok(format!("{}/{}", paths!(roles).path, segment(&role.to_string())?))
    }

    /// Changes a role.
    pub async fn update_role(
        &self,
        role: RoleKey<A>,
        update: &<Role<A> as RoleModel>::Update,
    ) -> Result<RoleRead<A>, Error>
    where
        <Role<A> as RoleModel>::Update: RequestBody,
    {
        self.at(Method::PATCH, &Self::one_role(role)?, json(update)?).await?.json()
    }

    /// Deletes a role, and answers what it was.
    pub async fn delete_role(&self, role: RoleKey<A>) -> Result<RoleRead<A>, Error> {
        self.at(Method::DELETE, &Self::one_role(role)?, Content::Nothing).await?.json()
    }
}
