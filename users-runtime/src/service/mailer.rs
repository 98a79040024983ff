//! The worker that turns outbox rows into mails, retries them, and forgets what time has made worthless.

use std::{
    future::Future,
    pin::pin,
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{sync::Semaphore, time::timeout};
use url::Url;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Inner, Users};
use crate::{
    app::Application,
    clock,
    db::{
        Database, NewOneTime, Purpose,
        outbox::{Asked, Claimed, Envelope, Message},
    },
    error::{BoxError, Error, display_chain},
    event::{EventKind, NewEvent},
    mail::{MailContext, MailKind, MailTransport, RenderedMail},
    model::UserModel,
    principal::Principal,
};

/// How long a transport may take over one mail.
const SEND_TIMEOUT: Duration = Duration::from_secs(45);
/// After how long another process may send a mail that this one claimed. A process that lives renews its lease.
const LEASE: Duration = Duration::from_secs(15);
/// How often it does.
const RENEWAL: Duration = Duration::from_secs(5);
/// How often the worker looks for mails that it was not woken for: those of other nodes and those that wait.
const POLL: Duration = Duration::from_secs(1);
/// For how long it waits once it was woken. Its work beside an answer would tell by the time of that one that there is a mail
/// to be sent, and so that there is an account (S11).
const REST: Duration = Duration::from_millis(25);
/// How many mails leave at once.
const PARALLEL: usize = 8;
/// The first pause after a failure; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(15);
/// For how long a mail without a token is tried.
const NOTICE_LIFETIME: Duration = Duration::from_hours(72);
/// How often expired sessions and tokens are deleted.
const CLEANING: Duration = Duration::from_mins(10);
/// The pause between two deletions of a few old events, in which others write.
const BREATH: Duration = Duration::from_millis(50);

/// Starts the worker; it ends when the last handle of the application is dropped.
pub(super) fn spawn<A: Application>(inner: &Arc<Inner<A>>, transport: Arc<dyn MailTransport>) {
    tokio::spawn(send_mails(Arc::downgrade(inner), transport));
    tokio::spawn(clean(Arc::downgrade(inner)));
}

async fn send_mails<A: Application>(application: Weak<Inner<A>>, transport: Arc<dyn MailTransport>) {
    let places = Arc::new(Semaphore::new(PARALLEL));
    while let Some(inner) = application.upgrade() {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let now = clock::now();
        match inner.shared.database.claim_mail(now, now + clock::millis(LEASE)).await {
            Ok(Some(claimed)) => {
                let transport = Arc::clone(&transport);
                tokio::spawn(async move {
                    inner.process(claimed, transport.as_ref()).await;
                    drop(place);
                });
            }
            Ok(None) => {
                if timeout(POLL, inner.shared.database.outbox.notified()).await.is_ok() {
                    tokio::time::sleep(REST).await;
                }
            }
            Err(error) => {
                tracing::error!(cause = %display_chain(&error), "the outbox cannot be read");
                tokio::time::sleep(POLL).await;
            }
        }
    }
}

async fn clean<A: Application>(application: Weak<Inner<A>>) {
    loop {
        let Some(inner) = application.upgrade() else { return };
        let retention = clock::millis(inner.shared.config.event_retention);
        if let Err(error) = forget_events(&inner.shared.database, retention).await {
            tracing::warn!(cause = %display_chain(&error), "old events could not be deleted");
        }
        if let Err(error) = Users(Arc::clone(&inner)).delete_due_accounts().await {
            tracing::warn!(cause = %display_chain(&error), "accounts whose deletion is due could not be looked for");
        }
        let idle = clock::millis(inner.shared.config.session_idle);
        let now = clock::now();
        let mut cleaned = inner.shared.database.delete_expired(now, idle).await;
        if let (Ok(()), Some(store)) = (&cleaned, &inner.shared.store) {
            cleaned = store.remove_expired(now).await;
        }
        if let Err(error) = cleaned {
            tracing::warn!(cause = %display_chain(&error), "expired sessions and tokens could not be deleted");
        }
        drop(inner);
        tokio::time::sleep(CLEANING).await;
    }
}

/// Deletes the events that are older than they are kept, few at a time, so that nobody waits for it.
async fn forget_events(database: &Database, retention: i64) -> Result<(), Error> {
    let before = clock::now().saturating_sub(retention);
    while database.delete_events(before).await? > 0 {
        tokio::time::sleep(BREATH).await;
    }
    Ok(())
}

type Tenant<A> = <<A as Application>::User as UserModel>::Tenant;

/// What becomes of a claimed mail.
enum Outcome {
    /// It left.
    Sent,
    /// There is nobody to send it to, or nothing to say any more.
    Moot,
    /// It may leave later.
    Failed(BoxError),
    /// It will never leave.
    Hopeless(BoxError),
}

/// The token and link that a mail carries.
struct Link {
    token: Zeroizing<String>,
    url: Url,
    lifetime: Duration,
}

/// A mail that waits for its rendering.
struct Draft {
    kind: MailKind,
    to: String,
    link: Option<Link>,
    new_identifier: Option<String>,
    /// Until when the account can be had back.
    until: Option<i64>,
}

/// What a token is for, and who asked for it.
struct Errand<'a, T> {
    tenant: &'a T,
    purpose: Purpose,
    asked: Option<&'a Asked>,
}

impl<A: Application> Inner<A> {
    async fn process(&self, claimed: Claimed, transport: &dyn MailTransport) {
        let outcome = self.keeping_lease(&claimed, self.send(&claimed, transport)).await;
        let (id, attempts) = (claimed.id, claimed.attempts);
        let database = &self.shared.database;
        let noted = match outcome {
            Ok(Outcome::Sent | Outcome::Moot) => database.delete_mail(id).await,
            Ok(Outcome::Hopeless(cause)) => {
                tracing::error!(mail = id, cause = %display_chain(cause.as_ref()), "a mail was refused for good");
                database.delete_mail(id).await
            }
            Ok(Outcome::Failed(cause)) => self.retry(&claimed, &display_chain(cause.as_ref())).await,
            Err(error) => self.retry(&claimed, &display_chain(&error)).await,
        };
        if let Err(error) = noted {
            // The lease ends by itself, and the mail is sent again.
            tracing::error!(mail = id, attempts, cause = %display_chain(&error), "a mail's state could not be noted");
        }
    }

    /// Does the work, and renews the lease of its mail as long as it takes.
    async fn keeping_lease<T>(&self, claimed: &Claimed, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            match timeout(RENEWAL, work.as_mut()).await {
                Ok(done) => return done,
                Err(_) => {
                    let until = clock::now() + clock::millis(LEASE);
                    if let Err(error) = self.shared.database.postpone_mail(claimed.id, until).await {
                        tracing::warn!(cause = %display_chain(&error), "the lease of a mail could not be renewed");
                    }
                }
            }
        }
    }

    async fn retry(&self, claimed: &Claimed, cause: &str) -> Result<(), Error> {
        let doublings = claimed.attempts.saturating_sub(1).min(16);
        let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
        tracing::warn!(
            mail = claimed.id,
            attempts = claimed.attempts,
            ?pause,
            cause,
            "a mail could not be sent yet"
        );
        self.shared.database.postpone_mail(claimed.id, clock::now() + clock::millis(pause)).await
    }

    async fn send(&self, claimed: &Claimed, transport: &dyn MailTransport) -> Result<Outcome, Error> {
        let envelope: Envelope<Tenant<A>, Message> = match serde_json::from_str(&claimed.message) {
            Ok(envelope) => envelope,
            Err(error) => return Ok(Outcome::Hopeless(error.into())),
        };
        let Some(draft) = self.draft(claimed, envelope).await? else { return Ok(Outcome::Moot) };
        let lifetime = draft.link.as_ref().map_or(NOTICE_LIFETIME, |link| link.lifetime);
        if clock::now() >= claimed.created_at.saturating_add(clock::millis(lifetime)) {
            return Ok(Outcome::Hopeless("it could not be sent before it became worthless".into()));
        }
        let mail = match self.render(claimed, &draft) {
            Ok(mail) => mail,
            Err(error) => return Ok(Outcome::Hopeless(error.into())),
        };
        Ok(match timeout(SEND_TIMEOUT, transport.send(&mail)).await {
            Ok(Ok(())) => Outcome::Sent,
            Ok(Err(error)) if error.is_permanent() => Outcome::Hopeless(error.into()),
            Ok(Err(error)) => Outcome::Failed(error.into()),
            Err(elapsed) => Outcome::Failed(elapsed.into()),
        })
    }

    /// What a message comes to, now that it is sent; `None` when there is nothing to send.
    async fn draft(
        &self,
        claimed: &Claimed,
        Envelope { tenant, message, asked }: Envelope<Tenant<A>, Message>,
    ) -> Result<Option<Draft>, Error> {
        let config = &self.shared.config;
        let database = &self.shared.database;
        let errand = |purpose| Errand { tenant: &tenant, purpose, asked: asked.as_ref() };
        match message {
            Message::Verify { canonical } => {
                let found = database.user_by_canonical::<A::User>(&tenant, &canonical).await?;
                let user = found.filter(|user| !user.is_verified());
                let page = A::ROUTES.verify.map(|routes| routes.path);
                let url = page_url(&config.base_url, config.verify_url.as_ref(), page);
                self.token_mail(claimed, user, errand(Purpose::Verify), url, config.verify_lifetime).await
            }
            Message::PasswordReset { canonical } => {
                let user = database.user_by_canonical::<A::User>(&tenant, &canonical).await?;
                let page = A::ROUTES.password_reset.map(|routes| routes.reset);
                let url = page_url(&config.base_url, config.reset_url.as_ref(), page);
                self.token_mail(claimed, user, errand(Purpose::PasswordReset), url, config.reset_lifetime)
                    .await
            }
            Message::ConfirmIdentifier { user_id, new_identifier } => {
                let Ok(id) = user_id.parse() else { return Ok(None) };
                let user = database.user_by_id::<A::User>(&tenant, id).await?;
                let page = A::ROUTES.verify.map(|routes| routes.path);
                let url = page_url(&config.base_url, config.verify_url.as_ref(), page);
                let link = self
                    .issue(
                        claimed,
                        user.as_ref(),
                        errand(Purpose::ChangeIdentifier),
                        url,
                        config.verify_lifetime,
                        Some(&new_identifier),
                    )
                    .await?;
                Ok(link.map(|link| Draft {
                    kind: MailKind::ConfirmIdentifier,
                    to: new_identifier.clone(),
                    link: Some(link),
                    new_identifier: Some(new_identifier),
                    until: None,
                }))
            }
            Message::AlreadyRegistered { canonical } => {
                let found = database.user_by_canonical::<A::User>(&tenant, &canonical).await?;
                let user = found.filter(|user| user.is_active());
                let to = user.as_ref().and_then(|user| user.mailbox());
                Ok(to.map(|to| notice(MailKind::AlreadyRegistered, to.to_owned(), None)))
            }
            Message::Invitation { id, identifier, roles, lifetime } => {
                let expires_at = claimed.created_at.saturating_add(lifetime);
                let promised = self.promised_invitation(&tenant, id, &identifier, &roles, expires_at).await?;
                let lifetime = Duration::from_millis(lifetime.unsigned_abs());
                Ok(promised.map(|(token, url)| Draft {
                    kind: MailKind::Invitation,
                    to: identifier,
                    link: Some(Link { token, url, lifetime }),
                    new_identifier: None,
                    until: None,
                }))
            }
            Message::PasswordChanged { to } => Ok(Some(notice(MailKind::PasswordChanged, to, None))),
            Message::IdentifierChangeRequested { to, new_identifier } => {
                Ok(Some(notice(MailKind::IdentifierChangeRequested, to, Some(new_identifier))))
            }
            Message::IdentifierChanged { to, new_identifier } => {
                Ok(Some(notice(MailKind::IdentifierChanged, to, Some(new_identifier))))
            }
            Message::DeletionRequested { to, due_at } => {
                Ok(Some(Draft { until: Some(due_at), ..notice(MailKind::DeletionRequested, to, None) }))
            }
            Message::DeletionCancelled { to } => Ok(Some(notice(MailKind::DeletionCancelled, to, None))),
        }
    }

    async fn token_mail(
        &self,
        claimed: &Claimed,
        user: Option<Principal<A::User>>,
        errand: Errand<'_, Tenant<A>>,
        url: Url,
        lifetime: Duration,
    ) -> Result<Option<Draft>, Error> {
        let Some(to) = user.as_ref().and_then(|user| user.mailbox()).map(str::to_owned) else {
            return Ok(None);
        };
        let kind = match errand.purpose {
            Purpose::Verify => MailKind::Verify,
            Purpose::PasswordReset => MailKind::PasswordReset,
            Purpose::ChangeIdentifier => MailKind::ConfirmIdentifier,
        };
        let link = self.issue(claimed, user.as_ref(), errand, url, lifetime, None).await?;
        Ok(link.map(|link| Draft { kind, to, link: Some(link), new_identifier: None, until: None }))
    }

    /// Makes the token of a mail good; `None` when the account or a newer mail has made it worthless.
    async fn issue(
        &self,
        claimed: &Claimed,
        user: Option<&Principal<A::User>>,
        Errand { tenant, purpose, asked }: Errand<'_, Tenant<A>>,
        mut url: Url,
        lifetime: Duration,
        new_identifier: Option<&str>,
    ) -> Result<Option<Link>, Error> {
        let Some(user) = user.filter(|user| user.is_active()) else { return Ok(None) };
        let issued = claimed.fingerprint.as_ref();
        let made = self.shared.keys.mail_token::<A::User>(user, &claimed.nonce, purpose.as_str(), issued);
        // Promised to what the account was, or sent before and used since: no token for either.
        let Some((fingerprint, token)) = made else { return Ok(None) };
        let mut transaction = self.shared.database.begin().await?;
        let newest = transaction
            .put_one_time::<A::User>(&NewOneTime {
                user_id: user.id(),
                purpose,
                hash: token.hash(),
                fingerprint,
                new_identifier,
                issued_at: claimed.created_at,
                expires_at: claimed.created_at.saturating_add(clock::millis(lifetime)),
            })
            .await?;
        if !newest {
            return Ok(None);
        }
        transaction.set_mail_fingerprint(claimed.id, fingerprint).await?;
        // A mail that is sent again was recorded the first time.
        let event = asked.filter(|_| claimed.fingerprint.is_none()).zip(requested(purpose));
        if let Some((asked, kind)) = event {
            let Asked { actor, address, client } = asked.clone();
            let event = NewEvent { actor, address, client, ..NewEvent::new(kind).of(user.id()) };
            let tenant = serde_json::to_value(tenant).map_err(Error::internal)?;
            transaction.insert_event(tenant, event).await?;
        }
        transaction.commit().await?;
        // The fragment stays in the browser: no server on the way logs it (S35).
        let token = token.expose();
        url.set_fragment(Some(&format!("token={}", *token)));
        Ok(Some(Link { token, url, lifetime }))
    }

    fn render(&self, claimed: &Claimed, draft: &Draft) -> Result<RenderedMail, Error> {
        let config = &self.shared.config;
        let until = draft.until.map(clock::for_people).transpose().map_err(Error::internal)?;
        let context = MailContext {
            app_name: &config.app_name,
            recipient: &draft.to,
            link: draft.link.as_ref().map(|link| link.url.as_str()),
            token: draft.link.as_ref().map(|link| link.token.as_str()),
            valid_for: draft.link.as_ref().map(|link| link.lifetime),
            new_identifier: draft.new_identifier.as_deref(),
            until: until.as_deref(),
        };
        let host = config.base_url.domain().unwrap_or("localhost");
        let id = claimed.nonce.message_id();
        let id = Uuid::from_slice(&id.as_bytes()[..16]).map_err(Error::internal)?.simple();
        config.templates.render(draft.kind, &context, format!("{id}@{host}"))
    }
}

fn notice(kind: MailKind, to: String, new_identifier: Option<String>) -> Draft {
    Draft { kind, to, link: None, new_identifier, until: None }
}

/// What is recorded of a mail that somebody asked for.
fn requested(purpose: Purpose) -> Option<EventKind> {
    match purpose {
        Purpose::Verify => Some(EventKind::VerificationRequested),
        Purpose::PasswordReset => Some(EventKind::PasswordResetRequested),
        Purpose::ChangeIdentifier => None,
    }
}

/// The page that a mail's link opens: the application's own, or the route's path on the base URL.
pub(super) fn page_url(base: &Url, page: Option<&Url>, path: Option<&str>) -> Url {
    page.cloned().unwrap_or_else(|| {
        let mut url = base.clone();
        let prefix = base.path().trim_end_matches('/');
        url.set_path(&format!("{prefix}{}", path.unwrap_or("/")));
        url
    })
}
