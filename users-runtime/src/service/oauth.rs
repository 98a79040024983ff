//! Sign-in through providers, and the accounts there that users have linked.

use http::request::Parts;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::{
    Scope, Users,
    login::{LOGIN_ATTEMPTS, Way},
    register::{NewcomerOf, Origin},
};
use crate::{
    app::Application,
    auth::{Backend, Credential},
    clock,
    db::{
        Storable, Transaction,
        oauth::{Linked, NewLink, SignedIn},
    },
    directory::Directory,
    error::{Error, OAuthFailure},
    event::{EventKind, NewEvent},
    hooks::Hooks,
    model::{OAuthAccountModel, UserId, UserModel},
    oauth::{OAuthClient, OAuthIdentity, OAuthTokens, OAuthTransaction},
    password,
    principal::Principal,
    token::OpaqueToken,
    validate::{FieldErrors, IdentifierKind, Violation},
};

type User<A> = <A as Application>::User;
type Id<A> = <User<A> as UserModel>::Id;
type Account<A> = <User<A> as UserModel>::OAuthAccount;
type AccountId<A> = <Account<A> as OAuthAccountModel>::Id;
type Registration<A> = <User<A> as UserModel>::Registration;

/// For how long somebody may take to sign in at a provider, in milliseconds: as long as codes are good there (RFC 6749,
/// section 4.1.2).
pub(crate) const PATIENCE: i64 = 10 * 60 * 1000;

/// How long before its end an access token is refreshed, in milliseconds: it still has to reach the provider.
const REFRESH_AHEAD: i64 = 60 * 1000;

/// What the sealed transaction is bound to, which is also the cookie's name.
pub(crate) const TRANSACTION: &str = "oauth";

/// What a client asks for when it begins to sign in.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    /// Where the browser is to go in the end.
    pub(crate) redirect_url: Option<String>,
    /// The scopes to ask the provider for, in the place of those that are configured.
    pub(crate) scopes: Vec<String>,
}

/// What a provider sends a browser back with (RFC 6749, section 4.1.2).
pub(crate) struct ProviderAnswer {
    state: String,
    /// What is exchanged for tokens, or why there is none.
    code: Result<String, String>,
    /// Who answers (RFC 9207).
    issuer: Option<String>,
}

impl ProviderAnswer {
    /// The parameters that count; a provider may send others.
    pub(crate) const KEYS: [&'static str; 4] = ["code", "error", "iss", "state"];

    /// Reads an answer. A parameter that is there twice makes it none, because two readers could take it for two.
    pub(crate) fn parse(parameters: &[(String, String)]) -> Option<Self> {
        let [code, error, issuer, state] = Self::KEYS.map(|key| {
            let mut values = parameters.iter().filter(|(name, _)| name == key).map(|(_, value)| value);
            (values.next().cloned(), values.next().is_none())
        });
        if ![&code, &error, &issuer, &state].iter().all(|(_, single)| *single) {
            return None;
        }
        let code = match (code.0, error.0) {
            (Some(code), None) if !code.is_empty() => Ok(code),
            (_, error) => Err(error.unwrap_or_else(|| "no code".to_owned())),
        };
        Some(Self { state: state.0?, code, issuer: issuer.0 })
    }
}

/// A sign-in that has begun.
pub(crate) struct Begun {
    /// Where the provider asks the user.
    pub(crate) authorization_url: Url,
    /// What the browser keeps until it is back.
    pub(crate) transaction: String,
}

/// A sign-in between its beginning and its end: what the browser keeps, sealed.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Pending<U: UserModel> {
    provider: String,
    transaction: OAuthTransaction,
    redirect: Option<String>,
    /// The user who wants to link the account; `None` when somebody signs in.
    user: Option<String>,
    tenant: U::Tenant,
}

impl<U: UserModel> Pending<U> {
    /// The tenant in which it began. The browser comes back by the URL that the provider knows, which may say less of the
    /// tenant than the one by which it left.
    pub(crate) fn tenant(&self) -> &U::Tenant {
        &self.tenant
    }

    /// Where the browser goes in the end.
    pub(crate) fn redirect(&self) -> Option<&str> {
        self.redirect.as_deref()
    }

    /// Whether the answer is to this one: of this provider, and with what nobody else knows (S43).
    fn is_of(&self, provider: &str, answer: &ProviderAnswer) -> bool {
        self.provider == provider && self.transaction.is_answered_by(&answer.state)
    }
}

/// An account of a provider that a user has linked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LinkedAccount<O> {
    /// The account.
    pub account: O,
    /// Who vouches for it.
    pub issuer: String,
    /// When it was linked, in milliseconds since 1970.
    pub linked_at: i64,
}

impl<A: Application> Users<A> {
    /// What the browser kept of a sign-in, if it kept one and it has not expired.
    pub(crate) fn pending_oauth(&self, text: &str) -> Option<Pending<User<A>>> {
        let plain = self.0.shared.keys.open(TRANSACTION, text, clock::now())?;
        serde_json::from_slice(&plain).ok()
    }
}

impl<A: Application> Scope<A> {
    fn provider(&self, name: &str) -> Result<&OAuthClient, Error> {
        self.directory().oauth.get(name).ok_or(Error::NotFound)
    }

    /// The URL that the provider sends the browser back to. Its host comes from the configuration, never from the
    /// request (S35).
    fn callback(&self, provider: &str, associates: bool) -> Result<Url, Error> {
        let routes = A::ROUTES.oauth2.ok_or(Error::NotFound)?;
        let path = if associates { routes.associate } else { routes.path };
        let mut url = self.directory().config.base_url.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}{path}/{provider}/callback"));
        Ok(url)
    }

    /// Begins a sign-in; with a user, the account is to be linked to theirs.
    pub(crate) async fn begin_oauth(
        &self,
        provider: &str,
        wishes: &Wishes,
        user: Option<&Principal<User<A>>>,
    ) -> Result<Begun, Error> {
        let client = self.provider(provider)?;
        let redirect = wishes.redirect_url.as_deref().map(|url| self.redirect_target(url)).transpose()?;
        let callback = self.callback(provider, user.is_some())?;
        let (authorization_url, transaction) = client.authorize(&callback, &wishes.scopes).await?;
        let pending = Pending::<User<A>> {
            provider: provider.to_owned(),
            transaction,
            redirect: redirect.map(Into::into),
            user: user.map(|user| user.id().to_string()),
            tenant: self.tenant().clone(),
        };
        let plain = serde_json::to_vec(&pending).map_err(Error::internal)?;
        let until = clock::now().saturating_add(PATIENCE);
        let transaction = self.directory().keys.seal(TRANSACTION, until, &plain)?;
        Ok(Begun { authorization_url, transaction })
    }

    /// Where a browser may be sent in the end (S47).
    fn redirect_target(&self, url: &str) -> Result<Url, Error> {
        let refused = |code, detail: &'static str| Error::field("redirect_url", Violation::new(code, detail));
        let target = self.directory().config.redirect_target(url);
        let target = target
            .ok_or_else(|| refused("not_allowed", "is no address that people are sent to from here"))?;
        // A browser that is sent on takes cookies along, and no header: a token in a URL would end up in histories.
        if self.backend().is_ambient(&super::no_request()) {
            Ok(target)
        } else {
            Err(refused(
                "not_available",
                "this application gives tokens in headers, which a redirect cannot carry",
            ))
        }
    }

    /// What a provider says of whoever comes back from it.
    async fn identify(
        &self,
        provider: &str,
        pending: &Pending<User<A>>,
        answer: &ProviderAnswer,
        associates: bool,
    ) -> Result<(OAuthIdentity, OAuthTokens), Error> {
        let client = self.provider(provider)?;
        if !pending.is_of(provider, answer) || pending.user.is_some() != associates {
            return Err(Error::OAuth(OAuthFailure::State));
        }
        let code = answer.code.as_ref().map_err(|error| {
            // It is what anybody writes into a URL, so it is shown as a debugger does.
            tracing::info!(provider, ?error, "a provider let nobody sign in");
            Error::OAuth(OAuthFailure::Denied)
        })?;
        let callback = self.callback(provider, associates)?;
        client.exchange(&callback, code, answer.issuer.as_deref(), &pending.transaction).await
    }

    /// Ends a sign-in: the user whom the provider vouches for, registered if need be, and a credential.
    pub(crate) async fn sign_in(
        &self,
        request: &Parts,
        provider: &str,
        pending: &Pending<User<A>>,
        answer: &ProviderAnswer,
    ) -> Result<(Principal<User<A>>, Credential), Error> {
        let way = Way::Provider(provider);
        let (identity, tokens) = match self.identify(provider, pending, answer, false).await {
            Err(error @ Error::OAuth(_)) => {
                self.record_alone(way.event().failed(error.code())).await?;
                return Err(error);
            }
            identified => identified?,
        };
        for _ in 0..LOGIN_ATTEMPTS {
            let Some(user) = self.user_of(request, &identity, &tokens).await? else { continue };
            self.check_entry(way, &user).await?;
            if let Some(signed_in) = self.enter(request, way, &user, None).await? {
                return Ok(signed_in);
            }
        }
        Err(Error::Overloaded)
    }

    /// The user whom an identity belongs to, by issuer and subject and by nothing else (S44); `None` when somebody
    /// else was linking or registering it just then.
    async fn user_of(
        &self,
        request: &Parts,
        identity: &OAuthIdentity,
        tokens: &OAuthTokens,
    ) -> Result<Option<Principal<User<A>>>, Error> {
        let database = &self.directory().database;
        let (issuer, subject) = (&identity.issuer, &identity.subject);
        let found = database.oauth_account_by_identity::<User<A>>(self.tenant(), issuer, subject).await?;
        if let Some((account, user_id)) = found {
            self.note_sign_in(user_id, &account, identity, tokens).await?;
            return self.directory().user_by_id(user_id).await;
        }
        let email = identity.email.as_deref().and_then(Directory::<User<A>>::canonical);
        let is_address = User::<A>::IDENTIFIER.kind == IdentifierKind::Email;
        let holder = match email.filter(|_| is_address) {
            Some(email) => database.user_by_canonical::<User<A>>(self.tenant(), &email.canonical).await?,
            None => None,
        };
        let linked = match holder {
            Some(holder) if self.may_link_by_email(&holder, identity) => {
                self.link(request, &holder, identity, tokens).await.map(|_| Some(holder))
            }
            Some(_) => {
                // Another request of the same person may have registered and linked them between the two questions.
                let now =
                    database.oauth_account_by_identity::<User<A>>(self.tenant(), issuer, subject).await?;
                return now.map_or(Err(Error::OAuth(OAuthFailure::AccountExists)), |_| Ok(None));
            }
            None => self.register_identity(request, identity, tokens).await,
        };
        match linked {
            // Another request of the same person was faster; what it stored is found next time.
            Err(Error::IdentifierTaken | Error::OAuth(OAuthFailure::IdentityTaken)) => Ok(None),
            linked => linked,
        }
    }

    /// Whether the address alone says that both accounts are one person's. Whoever may call an address theirs without
    /// proof, here or there, would be let into the account of its owner (S45).
    fn may_link_by_email(&self, holder: &User<A>, identity: &OAuthIdentity) -> bool {
        self.directory().config.oauth_linking_by_email && identity.email_verified && holder.is_verified()
    }

    /// Registers whom a provider vouches for, in one transaction with the link.
    async fn register_identity(
        &self,
        request: &Parts,
        identity: &OAuthIdentity,
        tokens: &OAuthTokens,
    ) -> Result<Option<Principal<User<A>>>, Error> {
        let config = &self.directory().config;
        if !config.oauth_registration || !config.registration.is_for_everybody() {
            return Err(Error::OAuth(OAuthFailure::Closed));
        }
        let newcomer = self.admit_identity(request, identity).await?;
        let mut transaction = self.directory().database.begin().await?;
        let user = self.insert_newcomer(request, newcomer, &mut transaction).await?;
        self.link_in(request, &user, identity, tokens, &mut transaction).await?;
        transaction.commit().await?;
        Ok(Some(Principal::new(user, Vec::new())))
    }

    /// A registration as a client would have sent it, but for the password, of which there is none.
    async fn admit_identity(
        &self,
        request: &Parts,
        identity: &OAuthIdentity,
    ) -> Result<NewcomerOf<User<A>>, Error> {
        let is_address = User::<A>::IDENTIFIER.kind == IdentifierKind::Email;
        let field = User::<A>::IDENTIFIER.field;
        let mut fields = Map::new();
        if let Some(email) = identity.email.as_deref().filter(|_| is_address) {
            fields.insert(field.to_owned(), email.into());
        }
        self.hooks().before_oauth_register(request, identity, &mut fields).await?;
        if is_address && !fields.contains_key(field) {
            return Err(Error::OAuth(OAuthFailure::NoEmail));
        }
        let email = fields.get(field).and_then(Value::as_str).map(str::to_owned);
        // The DTO has a password; nobody knows this one, and it is not stored.
        fields.insert("password".to_owned(), OpaqueToken::random()?.expose().as_str().into());
        let registration: Registration<A> =
            serde_json::from_value(Value::Object(fields)).map_err(incomplete)?;
        let proven = identity.email.as_deref().filter(|_| is_address && identity.email_verified);
        // A hook may have put another address there, which the provider says nothing of.
        let verified = proven.is_some() && same_identifier::<User<A>>(proven, email.as_deref());
        match self.admit(request, registration, Origin::Provider { verified }).await {
            Err(Error::Validation(errors)) => Err(incomplete(listed(&errors))),
            admitted => admitted,
        }
    }

    /// Links an account of a provider to a user.
    async fn link(
        &self,
        request: &Parts,
        user: &User<A>,
        identity: &OAuthIdentity,
        tokens: &OAuthTokens,
    ) -> Result<Account<A>, Error> {
        let mut transaction = self.directory().database.begin().await?;
        let account = self.link_in(request, user, identity, tokens, &mut transaction).await?;
        transaction.commit().await?;
        Ok(account)
    }

    async fn link_in(
        &self,
        request: &Parts,
        user: &User<A>,
        identity: &OAuthIdentity,
        tokens: &OAuthTokens,
        transaction: &mut Transaction,
    ) -> Result<Account<A>, Error> {
        let OAuthIdentity { provider, issuer, subject, email, .. } = identity;
        let id = AccountId::<A>::generate();
        let mut account = Account::<A>::linked(id, provider.clone(), subject.clone(), email.clone());
        self.hooks().before_oauth_link(request, user, identity, &mut account).await?;
        let sealed = self.sealed(&account, tokens)?;
        let link = NewLink {
            issuer,
            tokens: Some(&sealed),
            tokens_expire_at: tokens.expires_at(),
            now: clock::now(),
        };
        let account =
            transaction.insert_oauth_account::<User<A>>(self.tenant(), user.id(), account, link).await?;
        let event = NewEvent::new(EventKind::ProviderLinked).of(user.id());
        self.record(transaction, event.with("provider", provider.as_str())).await?;
        self.hooks().after_oauth_link(request, user, identity, transaction).await?;
        Ok(account)
    }

    /// Ends the linking of an account to the user who began it.
    pub(crate) async fn associate(
        &self,
        request: &Parts,
        provider: &str,
        user: &Principal<User<A>>,
        pending: &Pending<User<A>>,
        answer: &ProviderAnswer,
    ) -> Result<LinkedAccount<Account<A>>, Error> {
        // Whoever is lured to the end of somebody else's linking would give them the account.
        if pending.user.as_deref() != Some(user.id().to_string().as_str()) || pending.tenant != *self.tenant()
        {
            return Err(Error::OAuth(OAuthFailure::State));
        }
        let (identity, tokens) = self.identify(provider, pending, answer, true).await?;
        let account = self.link(request, user, &identity, &tokens).await?;
        Ok(LinkedAccount { account, issuer: identity.issuer, linked_at: clock::now() })
    }

    /// The accounts of providers that a user has linked, the oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn oauth_accounts(&self, user: Id<A>) -> Result<Vec<LinkedAccount<Account<A>>>, Error> {
        let linked = self.directory().database.oauth_accounts_of::<User<A>>(self.tenant(), user).await?;
        Ok(linked.into_iter().map(LinkedAccount::from).collect())
    }

    /// Unlinks an account of a provider.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the user has linked no such account, and [`Error::LastWayIn`] when the user has no password
    /// and no other account to log in with.
    pub async fn unlink_oauth_account(&self, user: Id<A>, account: AccountId<A>) -> Result<(), Error> {
        let tenant = self.tenant();
        let mut transaction = self.directory().database.begin().await?;
        // Of two at once, each would count on the other's account.
        let mut ways_in = 0;
        for linked in transaction.oauth_accounts_of::<User<A>>(tenant, user).await? {
            let locked = transaction.lock_oauth_account::<User<A>>(tenant, user, linked.account.id()).await?;
            ways_in += usize::from(locked.is_some());
        }
        let owner = transaction.user_by_id::<User<A>>(tenant, user).await?.ok_or(Error::NotFound)?;
        if !transaction.delete_oauth_account::<User<A>>(tenant, user, account).await? {
            return Err(Error::NotFound);
        }
        self.record(&mut transaction, NewEvent::new(EventKind::ProviderUnlinked).of(user).managed()).await?;
        let schemes = &self.directory().config.schemes;
        let has_password = password::is_known(owner.password_hash().expose_phc(), schemes);
        if ways_in < 2 && !has_password {
            return Err(Error::LastWayIn);
        }
        transaction.commit().await
    }

    /// The tokens by which the application acts for a user at a provider. They are refreshed first when the access token is
    /// about to expire, and the provider gave a token to do so with. `None` when the user has linked no such account.
    ///
    /// # Errors
    /// [`Error::OAuth`] when the provider refuses to refresh them, or the key that sealed them is gone: the user has to
    /// sign in there again.
    pub async fn oauth_tokens(
        &self,
        user: Id<A>,
        account: AccountId<A>,
    ) -> Result<Option<OAuthTokens>, Error> {
        let Some((_, tokens)) = self.stored_tokens(user, account).await? else { return Ok(None) };
        if !is_stale(&tokens) {
            return Ok(Some(tokens));
        }
        // A refresh token may be good once: one request refreshes, and the others find what it got.
        let _turn = self.directory().oauth_turns.of(&account.to_string()).await;
        let Some((linked, tokens)) = self.stored_tokens(user, account).await? else { return Ok(None) };
        let Some(refresh_token) = tokens.expose_refresh_token().filter(|_| is_stale(&tokens)) else {
            return Ok(Some(tokens));
        };
        let refreshed = self.provider(linked.provider())?.refresh(refresh_token).await?;
        let sealed = self.sealed(&linked, &refreshed)?;
        let mut transaction = self.directory().database.begin().await?;
        let (tenant, until) = (self.tenant(), refreshed.expires_at());
        transaction.set_oauth_tokens::<User<A>>(tenant, account, Some(&sealed), until, clock::now()).await?;
        transaction.commit().await?;
        Ok(Some(refreshed))
    }

    async fn stored_tokens(
        &self,
        user: Id<A>,
        account: AccountId<A>,
    ) -> Result<Option<(Account<A>, OAuthTokens)>, Error> {
        let database = &self.directory().database;
        let found = database.oauth_account::<User<A>>(self.tenant(), user, account).await?;
        let Some((account, sealed)) = found else { return Ok(None) };
        let text = sealed.tokens.unwrap_or_default();
        let plain = self.directory().keys.open(&sealed_for(&account), &text, clock::now());
        let plain = plain.ok_or_else(|| {
            Error::OAuth(OAuthFailure::Provider("the key that sealed the stored tokens is gone".into()))
        })?;
        Ok(Some((account, OAuthTokens::from_sealed_json(&plain)?)))
    }

    /// Tokens as the database holds them: whoever reads it reads none (S48).
    fn sealed(&self, account: &Account<A>, tokens: &OAuthTokens) -> Result<String, Error> {
        self.directory().keys.seal(&sealed_for(account), i64::MAX, &tokens.to_sealed_json()?)
    }

    /// Stores what a provider tells at a later sign-in.
    async fn note_sign_in(
        &self,
        user: Id<A>,
        account: &Account<A>,
        identity: &OAuthIdentity,
        tokens: &OAuthTokens,
    ) -> Result<(), Error> {
        // Providers give the token that refreshes the others once, and the address perhaps, too.
        let before = match tokens.expose_refresh_token() {
            Some(_) => None,
            None => self.stored_tokens(user, account.id()).await.ok().flatten(),
        };
        let tokens = match &before {
            Some((_, before)) => &tokens.clone().with_refresh_token_of(before),
            None => tokens,
        };
        let sealed = self.sealed(account, tokens)?;
        let signed_in = SignedIn {
            email: identity.email.as_deref().or(account.email()),
            tokens: Some(&sealed),
            tokens_expire_at: tokens.expires_at(),
            now: clock::now(),
        };
        let mut transaction = self.directory().database.begin().await?;
        transaction.update_oauth_account::<User<A>>(self.tenant(), account.id(), signed_in).await?;
        transaction.commit().await
    }

    /// Unlinks every account of a user: whoever linked them was not known to be the mailbox's owner (S38).
    pub(super) async fn unlink_all(&self, transaction: &mut Transaction, user: Id<A>) -> Result<(), Error> {
        for linked in transaction.oauth_accounts_of::<User<A>>(self.tenant(), user).await? {
            transaction.delete_oauth_account::<User<A>>(self.tenant(), user, linked.account.id()).await?;
            let event = NewEvent::new(EventKind::ProviderUnlinked).of(user);
            self.record(transaction, event.with("provider", linked.account.provider())).await?;
        }
        Ok(())
    }
}

/// What the tokens of an account are sealed for: a row that is copied over another one's opens nothing.
fn sealed_for<O: OAuthAccountModel>(account: &O) -> String {
    format!("oauth-tokens {} {}", account.provider(), account.subject())
}

/// Whether an access token is as good as expired, and another one can be had.
fn is_stale(tokens: &OAuthTokens) -> bool {
    let soon = clock::now().saturating_add(REFRESH_AHEAD);
    tokens.expose_refresh_token().is_some() && tokens.expires_at().is_some_and(|end| end <= soon)
}

impl<U: Storable> From<Linked<U>> for LinkedAccount<U::OAuthAccount> {
    fn from(linked: Linked<U>) -> Self {
        let Linked { account, issuer, created_at } = linked;
        Self { account, issuer, linked_at: created_at }
    }
}

fn incomplete(cause: impl std::fmt::Display) -> Error {
    tracing::warn!(%cause, "what a provider tells is no registration; add what is missing in `Hooks::before_oauth_register`");
    Error::OAuth(OAuthFailure::Incomplete)
}

/// Broken rules on a line.
fn listed(errors: &FieldErrors) -> String {
    serde_json::to_string(errors).unwrap_or_default()
}

/// Whether both are the same identifier, however they are written.
fn same_identifier<U: Storable>(one: Option<&str>, other: Option<&str>) -> bool {
    let canonical = |text: Option<&str>| text.and_then(Directory::<U>::canonical).map(|form| form.canonical);
    canonical(one).is_some_and(|one| canonical(other) == Some(one))
}
