//! How mails leave: the transport trait, its errors, and the choice by a setting.

mod folder;
#[cfg(feature = "smtp")]
mod smtp;
mod stdout;
mod wire;

use std::sync::Arc;

use lettre::message::Mailbox;

#[cfg(feature = "smtp")]
pub use self::smtp::Smtp;
pub use self::{folder::Folder, stdout::Stdout};
use super::message::RenderedMail;
use crate::{
    error::{BoxError, Error},
    future::BoxFuture,
};

/// The name of the transport's setting in messages of refusal.
const SETTING: &str = "MAIL";

/// The name of the sender's setting in messages of refusal.
const FROM_SETTING: &str = "MAIL_FROM";

/// A way for mails to leave.
///
/// The outbox calls [`send`](MailTransport::send) again after a failure that is not permanent, and may call it twice
/// for one mail when a process dies in between: [`RenderedMail::message_id`] is then the same.
pub trait MailTransport: Send + Sync + 'static {
    /// Hands one mail over; `Ok` means that whoever took it is responsible for it now.
    ///
    /// It must end in bounded time. Its errors go to the log, so they must not quote the mail.
    fn send<'a>(&'a self, mail: &'a RenderedMail) -> BoxFuture<'a, Result<(), MailError>>;
}

/// Why a mail did not leave.
#[derive(Debug, thiserror::Error)]
#[error("the mail {}", if *permanent { "was refused for good" } else { "could not be sent now" })]
pub struct MailError {
    permanent: bool,
    source: BoxError,
}

impl MailError {
    /// A failure that no other attempt will change, such as an address that does not exist.
    pub fn permanent(cause: impl Into<BoxError>) -> Self {
        Self { permanent: true, source: cause.into() }
    }

    /// A failure that may pass, such as a server that does not answer.
    pub fn transient(cause: impl Into<BoxError>) -> Self {
        Self { permanent: false, source: cause.into() }
    }

    /// Whether another attempt is pointless.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.permanent
    }
}

/// The transport that a setting asks for: `stdout`, an `smtp://` or `smtps://` URL, or else the path of a folder.
///
/// `from` is the sender, as `noreply@example.com` or `Acme <noreply@example.com>`.
///
/// # Errors
/// [`Error::Setting`] when the sender is no address, when the URL makes no sense or asks for SMTP without the feature
/// `smtp`, and when the folder cannot be written. The message never quotes the URL, which may hold a password.
pub(crate) fn transport_from_setting(setting: &str, from: &str) -> Result<Arc<dyn MailTransport>, Error> {
    if setting == "stdout" {
        return Ok(Arc::new(Stdout::new(from)?));
    }
    match setting.split_once("://") {
        Some((scheme, _)) if ["smtp", "smtps"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
            smtp_from_setting(setting, from)
        }
        Some(_) => {
            Err(refused("unknown kind of URL; write `stdout`, an `smtp://` or `smtps://` URL, or a folder"))
        }
        None => Ok(Arc::new(Folder::new(setting, from)?)),
    }
}

#[cfg(feature = "smtp")]
fn smtp_from_setting(setting: &str, from: &str) -> Result<Arc<dyn MailTransport>, Error> {
    Ok(Arc::new(Smtp::from_url(setting, from)?))
}

#[cfg(not(feature = "smtp"))]
fn smtp_from_setting(_: &str, _: &str) -> Result<Arc<dyn MailTransport>, Error> {
    Err(refused("SMTP needs the feature `smtp` of this crate; switch it on, or write `stdout` or a folder"))
}

fn refused(problem: impl Into<String>) -> Error {
    Error::Setting { name: SETTING, problem: problem.into() }
}

/// Reads the sender's address.
fn sender(from: &str) -> Result<Mailbox, Error> {
    from.parse().map_err(|_| Error::Setting {
        name: FROM_SETTING,
        problem: format!(
            "`{from}` is no address; write `noreply@example.com` or `Acme <noreply@example.com>`"
        ),
    })
}

/// Runs work that may wait for a disk or a pipe where it holds nobody else up.
async fn blocking<F>(work: F) -> Result<(), MailError>
where
    F: FnOnce() -> std::io::Result<()> + Send + 'static,
{
    let done = tokio::task::spawn_blocking(work).await.map_err(MailError::transient)?;
    done.map_err(MailError::transient)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: &str = "Acme <noreply@example.com>";

    /// A mail as the worker would hand it over.
    pub(super) fn mail() -> RenderedMail {
        RenderedMail {
            to: "ann@example.com".to_owned(),
            subject: "Verify your address".to_owned(),
            text: "Hello,\n\ntoken=abc\n".to_owned(),
            html: "<p>Hello</p>\n".to_owned(),
            message_id: "0198c0de-1".to_owned(),
        }
    }

    fn refusal(setting: &str, from: &str) -> String {
        match transport_from_setting(setting, from) {
            Err(error @ Error::Setting { .. }) => error.to_string(),
            Err(error) => panic!("not refused as a setting: {error:?}"),
            Ok(_) => panic!("`{setting}` from `{from}` was taken"),
        }
    }

    #[test]
    fn the_setting_chooses_the_transport() {
        assert!(transport_from_setting("stdout", FROM).is_ok());
        let parent = std::env::temp_dir().join(format!("users-mail-setting-{}", std::process::id()));
        let folder = parent.join("new/one");
        assert!(transport_from_setting(folder.to_str().unwrap(), FROM).is_ok());
        assert!(folder.is_dir());
        std::fs::remove_dir_all(parent).unwrap();
        #[cfg(feature = "smtp")]
        assert!(transport_from_setting("SMTP://ann:secret@mail.example.com", FROM).is_ok());
    }

    #[test]
    #[cfg(not(feature = "smtp"))]
    fn smtp_without_its_feature_names_the_feature() {
        let message = refusal("smtp://ann:hunter2@mail.example.com", FROM);
        assert!(message.contains("feature `smtp`") && !message.contains("hunter2"), "{message}");
    }

    #[test]
    fn settings_that_make_no_sense_are_refused_without_quoting_them() {
        let message = refusal("http://ann:hunter2@example.com", FROM);
        assert!(
            message.starts_with("MAIL: unknown kind of URL") && !message.contains("hunter2"),
            "{message}"
        );
        assert_eq!(refusal("", FROM), "MAIL: is empty; write `stdout`, an `smtp://` URL or a folder");
        assert_eq!(
            refusal("stdout", "noreply"),
            "MAIL_FROM: `noreply` is no address; write `noreply@example.com` or `Acme <noreply@example.com>`"
        );
        assert!(refusal("stdout", "a@example.com\r\nBcc: b@example.com").starts_with("MAIL_FROM"));
    }

    #[test]
    fn an_error_tells_its_cause_and_whether_it_is_permanent() {
        let error = MailError::permanent("no such user");
        assert!(error.is_permanent());
        assert_eq!(crate::error::display_chain(&error), "the mail was refused for good: no such user");
        assert!(!MailError::transient("later").is_permanent());
    }
}
