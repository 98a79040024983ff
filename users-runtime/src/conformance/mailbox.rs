//! Where the mails of a test arrive.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::Stop;
use crate::{
    future::BoxFuture,
    mail::{MailError, MailTransport, RenderedMail},
};

/// How long a mail may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the outbox gets to send a mail that should not come.
const SETTLING: Duration = Duration::from_millis(300);

/// Mails that nobody has read yet, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Mailbox(Arc<Mutex<Vec<RenderedMail>>>);

impl MailTransport for Mailbox {
    fn send<'a>(&'a self, mail: &'a RenderedMail) -> BoxFuture<'a, Result<(), MailError>> {
        Box::pin(async move {
            self.mails().push(mail.clone());
            Ok(())
        })
    }
}

impl Mailbox {
    fn mails(&self) -> MutexGuard<'_, Vec<RenderedMail>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next mail to an address, and waits for it.
    pub(super) async fn next(&self, to: &str) -> Result<RenderedMail, Stop> {
        self.next_where(to, |_| true).await
    }

    /// The same for the next mail with a token; those before it that have none are thrown away.
    pub(super) async fn next_with_token(&self, to: &str) -> Result<(RenderedMail, String), Stop> {
        let mail = self.next_where(to, |mail| token_in(&mail.text).is_some()).await?;
        let token = token_in(&mail.text).unwrap_or_default();
        Ok((mail, token))
    }

    /// Takes the token of the next mail to an address that has one.
    pub(super) async fn token(&self, to: &str) -> Result<String, Stop> {
        Ok(self.next_with_token(to).await?.1)
    }

    async fn next_where(
        &self,
        to: &str,
        is_it: impl Fn(&RenderedMail) -> bool,
    ) -> Result<RenderedMail, Stop> {
        let end = Instant::now() + PATIENCE;
        loop {
            {
                let mut mails = self.mails();
                if let Some(at) = mails.iter().position(|mail| mail.to == to && is_it(mail)) {
                    let mail = mails.remove(at);
                    let mut index = 0;
                    mails.retain(|earlier| {
                        index += 1;
                        index > at || earlier.to != to
                    });
                    return Ok(mail);
                }
            }
            if Instant::now() > end {
                return Err(Stop::failed(format!("no mail came to {to}")));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// How many mails to an address nobody has read, once the outbox had time to send more.
    pub(super) async fn settled(&self, to: &str) -> usize {
        tokio::time::sleep(SETTLING).await;
        self.mails().iter().filter(|mail| mail.to == to).count()
    }
}

/// The token in the text of a mail, in its link or beside it.
fn token_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("token=")?;
    let is_part = |character: &char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    let token: String = rest.chars().take_while(is_part).collect();
    (!token.is_empty()).then_some(token)
}
