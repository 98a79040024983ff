//! Mails over SMTP, encrypted unless the server is on this machine.

use std::{
    fmt,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use lettre::{
    message::Mailbox,
    transport::smtp::{
        SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, TlsParameters},
        extension::ClientId,
    },
};
use url::Url;

use super::{BoxFuture, MailError, MailTransport, RenderedMail, refused, sender, wire};
use crate::error::Error;

/// How long connecting, encryption and login may take together, unless [`Smtp::with_timeout`] says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The mail itself may take this many times as long: servers look for spam before they answer, and one that was
/// given up too early sends the mail nevertheless (RFC 5321, section 4.5.3.2.6).
const TRANSACTION_FACTOR: u32 = 3;

/// A connection that was unused for longer is not used again: servers hang up after minutes.
const IDLE_MAX: Duration = Duration::from_mins(1);

/// Hands mails to a server over SMTP.
///
/// The connection of the last mail is kept for the next. A refusal of the mail with a reply of 5xx is permanent;
/// everything else, a failed login included, may pass.
pub struct Smtp {
    server: Server,
    from: Mailbox,
    timeout: Duration,
    // Taken while in use: whatever goes wrong in between, a connection in an unknown state is never used again.
    idle: Mutex<Option<Idle>>,
}

struct Idle {
    connection: AsyncSmtpConnection,
    since: Instant,
}

struct Server {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Credentials>,
}

enum Security {
    /// Plain text, for a server on this machine.
    None,
    /// `STARTTLS` if the server has it, for a server on this machine.
    Opportunistic(TlsParameters),
    /// `STARTTLS`, or no mail.
    Required(TlsParameters),
    /// TLS from the first byte.
    Implicit(TlsParameters),
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (&self.server.host, &self.server.port);
        f.debug_struct("Smtp").field("host", host).field("port", port).finish_non_exhaustive()
    }
}

impl Smtp {
    /// Sends mails from this sender through the server of a URL.
    ///
    /// - `smtps://user:password@host` encrypts from the start; the port is 465 unless given.
    /// - `smtp://user:password@host` encrypts by `STARTTLS` and sends nothing without; the port is 587 unless given.
    /// - `smtp://localhost`, `smtp://127.0.0.1` and `smtp://[::1]` encrypt if the server can, and not at all with
    ///   `?tls=none`; the port is 25 unless given.
    ///
    /// User and password are percent-encoded, and may be left out together.
    ///
    /// # Errors
    /// [`Error::Setting`] when the sender is no address or the URL makes no sense. The message never quotes the URL.
    pub fn from_url(url: &str, from: &str) -> Result<Self, Error> {
        let (server, from) = (Server::from_url(url).map_err(refused)?, sender(from)?);
        Ok(Self { server, from, timeout: TIMEOUT, idle: Mutex::new(None) })
    }

    /// How long connecting, encryption and login may take together: 10 seconds unless set here. The mail itself may
    /// take three times as long.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    async fn deliver(&self, mail: &RenderedMail) -> Result<(), MailError> {
        let message = wire::message(mail, &self.from, wire::Reader::Server)?;
        let mut connection = within(self.timeout, self.connection()).await?;
        within(self.timeout * TRANSACTION_FACTOR, async {
            connection.send(message.envelope(), &message.formatted()).await.map_err(|error| refusal(&error))
        })
        .await?;
        *self.idle() = Some(Idle { connection, since: Instant::now() });
        Ok(())
    }

    async fn connection(&self) -> Result<AsyncSmtpConnection, MailError> {
        let idle = self.idle().take().filter(|idle| idle.since.elapsed() < IDLE_MAX);
        if let Some(Idle { mut connection, .. }) = idle
            && connection.test_connected().await
        {
            return Ok(connection);
        }
        // The sender's domain is a name that servers accept more often than an address literal.
        let domain = self.from.email.domain();
        let hello = if domain.is_ascii() { ClientId::Domain(domain.to_owned()) } else { ClientId::default() };
        // A host may have several addresses: one that is silent leaves time for the next.
        self.server.connect(&hello, self.timeout / 2).await
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Option<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MailTransport for Smtp {
    fn send<'a>(&'a self, mail: &'a RenderedMail) -> BoxFuture<'a, Result<(), MailError>> {
        Box::pin(self.deliver(mail))
    }
}

impl Server {
    /// Reads a URL; the error says what is wrong without quoting it.
    fn from_url(url: &str) -> Result<Self, &'static str> {
        let url = Url::parse(url).map_err(|_| {
            "the URL does not parse; write `smtp://user:password@host:port` and percent-encode user and password"
        })?;
        let host = match url.host_str().unwrap_or_default() {
            "" => return Err("the URL has no host; write `smtp://user:password@host:port`"),
            host => host.trim_start_matches('[').trim_end_matches(']').to_owned(),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(
                "the URL goes on after its host; percent-encode `/`, `?` and `#` in user and password",
            );
        }
        let loopback = is_loopback(&host);
        let security = match (url.scheme(), url.query()) {
            ("smtps", None) => Security::Implicit(tls(&host)?),
            ("smtp", None) if loopback => Security::Opportunistic(tls(&host)?),
            ("smtp", None) => Security::Required(tls(&host)?),
            // Eavesdropping: passwords and tokens cross no network in plain text.
            ("smtp", Some("tls=none")) if loopback => Security::None,
            (_, Some("tls=none")) => return Err("`tls=none` is for `smtp://` to this machine; leave it out"),
            (_, Some(_)) => return Err("the URL has an unknown option; the only one is `tls=none`"),
            _ => return Err("unknown kind of URL; write `smtp://` or `smtps://`"),
        };
        let default_port = match security {
            Security::None | Security::Opportunistic(_) => SMTP_PORT,
            Security::Required(_) => SUBMISSION_PORT,
            Security::Implicit(_) => SUBMISSIONS_PORT,
        };
        let port = url.port().unwrap_or(default_port);
        Ok(Self { host, port, security, credentials: credentials(&url)? })
    }

    /// A connection that is ready for a mail.
    async fn connect(
        &self,
        hello: &ClientId,
        address_timeout: Duration,
    ) -> Result<AsyncSmtpConnection, MailError> {
        let implicit = match &self.security {
            Security::Implicit(tls) => Some(tls.clone()),
            _ => None,
        };
        let address = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, Some(address_timeout), hello, implicit, None)
                .await
                .map_err(MailError::transient)?;
        let start_tls = match &self.security {
            // The server's word is not asked: one who takes `STARTTLS` out of it gets no mail (downgrade attack).
            Security::Required(tls) => Some(tls),
            Security::Opportunistic(tls) => Some(tls).filter(|_| connection.can_starttls()),
            Security::None | Security::Implicit(_) => None,
        };
        if let Some(tls) = start_tls {
            connection.starttls(tls.clone(), hello).await.map_err(MailError::transient)?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await.map_err(|error| {
                // A server may quote the command, and so the password: its words are left out.
                let reply = error.status().map_or_else(|| "no code".to_owned(), |code| code.to_string());
                MailError::transient(format!("the mail server did not take the login ({reply})"))
            })?;
        }
        Ok(connection)
    }
}

fn tls(host: &str) -> Result<TlsParameters, &'static str> {
    TlsParameters::new(host.to_owned()).map_err(|_| "the host of the URL cannot have a certificate")
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn credentials(url: &Url) -> Result<Option<Credentials>, &'static str> {
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err("the URL has only one of user and password; write `user:password@`"),
        (user, Some(password)) => {
            let decode = |text| percent_decoded(text).ok_or("user or password is not percent-encoded UTF-8");
            Ok(Some(Credentials::new(decode(user)?, decode(password)?)))
        }
    }
}

/// The text with each `%` and two hexadecimal digits replaced by the byte they stand for (RFC 3986, section 2.1).
fn percent_decoded(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let digits = after.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
            decoded.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after.get(2..)?;
        } else {
            decoded.push(first);
            rest = after;
        }
    }
    String::from_utf8(decoded).ok()
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, MailError>>,
) -> Result<T, MailError> {
    tokio::time::timeout(limit, work)
        .await
        .unwrap_or_else(|_| Err(MailError::transient("the mail server did not answer in time")))
}

/// Replies that speak of the login and not of the mail (RFC 4954, section 6): whoever mends it wants the mail sent.
const LOGIN_REPLIES: [&str; 4] = ["530", "534", "535", "538"];

/// What an error in the middle of a mail means for that mail.
fn refusal(error: &lettre::transport::smtp::Error) -> MailError {
    let about_login = error.status().is_some_and(|code| LOGIN_REPLIES.contains(&code.to_string().as_str()));
    let cause = masked(&error.to_string());
    // An error of the client is an address or text that the server has no extension for.
    if (error.is_permanent() && !about_login) || error.is_client() {
        MailError::permanent(cause)
    } else {
        MailError::transient(cause)
    }
}

/// Unbroken runs of characters as long as this may be a token or a part of one.
const MASKED_RUN: usize = 20;

/// The words of a server without what may be a token: spam filters quote the links that they dislike.
fn masked(reply: &str) -> String {
    let in_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '=' | '%' | '~');
    let mut masked = String::with_capacity(reply.len());
    for piece in reply.split_inclusive(|c| !in_token(c)) {
        let run = piece.trim_end_matches(|c| !in_token(c));
        let end = &piece[run.len()..];
        masked.push_str(if run.len() < MASKED_RUN { run } else { "..." });
        masked.extend(end.chars().filter(|c| !c.is_control()));
    }
    masked
}

#[cfg(test)]
mod tests;
