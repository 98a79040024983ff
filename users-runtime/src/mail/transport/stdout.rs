//! Mails on standard output, for development.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use lettre::message::Mailbox;

use super::{BoxFuture, MailError, MailTransport, RenderedMail, blocking, sender};
use crate::error::Error;

/// Prints each mail, tokens included, to standard output.
///
/// For development alone: whoever reads the output can redeem the tokens.
#[derive(Debug, Clone)]
pub struct Stdout {
    from: Mailbox,
}

impl Stdout {
    /// Prints mails from this sender.
    ///
    /// # Errors
    /// [`Error::Setting`] when the sender is no address.
    pub fn new(from: &str) -> Result<Self, Error> {
        Ok(Self { from: sender(from)? })
    }

    fn printed(&self, mail: &RenderedMail) -> String {
        let (from, to, subject) = (&self.from, &mail.to, &mail.subject);
        let mut printed = String::new();
        // Writing to a string cannot fail.
        let _ = write!(
            printed,
            "---------- mail ----------\nFrom: {from}\nTo: {to}\nSubject: {subject}\n\n{}\n------ end of mail -------\n",
            mail.text.trim_end(),
        );
        // Terminal escape sequences: values come from strangers.
        printed.retain(|c| c == '\n' || c == '\t' || !c.is_control());
        printed
    }
}

impl MailTransport for Stdout {
    fn send<'a>(&'a self, mail: &'a RenderedMail) -> BoxFuture<'a, Result<(), MailError>> {
        let printed = self.printed(mail);
        // One write, so that mails and log lines do not mix.
        Box::pin(blocking(move || io::stdout().lock().write_all(printed.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::mail, *};

    #[tokio::test]
    async fn a_mail_is_printed_with_its_token_on_a_line() {
        let stdout = Stdout::new("Acme <noreply@example.com>").unwrap();
        stdout.send(&mail()).await.unwrap();
        assert_eq!(
            stdout.printed(&mail()),
            "---------- mail ----------\nFrom: Acme <noreply@example.com>\nTo: ann@example.com\n\
             Subject: Verify your address\n\nHello,\n\ntoken=abc\n------ end of mail -------\n"
        );
    }

    #[test]
    fn no_mail_steers_the_terminal() {
        let hostile = RenderedMail { text: "a\u{1b}[2Jb\u{9b}c\rd".to_owned(), ..mail() };
        let printed = Stdout::new("noreply@example.com").unwrap().printed(&hostile);
        assert!(printed.contains("\na[2Jbcd\n"), "{printed:?}");
    }
}
