//! A mail transport that keeps what it is given, and can be told to fail or to be slow.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use users_runtime::{BoxFuture, MailError, MailTransport, RenderedMail};

/// Every mail that left, in order.
#[derive(Clone, Default)]
pub struct Mailbox(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    mails: Vec<RenderedMail>,
    failures: usize,
    refusals: usize,
    delay: Duration,
}

impl Mailbox {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().expect("no test panics while it holds the lock")
    }

    /// Every mail so far.
    pub fn mails(&self) -> Vec<RenderedMail> {
        self.state().mails.clone()
    }

    /// Fails the next mails.
    pub fn fail(&self, times: usize) {
        self.state().failures = times;
    }

    /// Refuses the next mails for good.
    pub fn refuse(&self, times: usize) {
        self.state().refusals = times;
    }

    /// Takes this long over each mail.
    pub fn delay(&self, delay: Duration) {
        self.state().delay = delay;
    }

    /// Forgets what has come.
    pub fn clear(&self) {
        self.state().mails.clear();
    }

    /// Waits for the `number`th mail (from 1) to an address.
    pub async fn nth(&self, to: &str, number: usize) -> RenderedMail {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let found = self.state().mails.iter().filter(|mail| mail.to == to).nth(number - 1).cloned();
            if let Some(mail) = found {
                return mail;
            }
            let seen: Vec<_> =
                self.mails().iter().map(|mail| (mail.to.clone(), mail.subject.clone())).collect();
            assert!(Instant::now() < end, "no mail {number} to {to}; there are {seen:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits for the `number`th mail (from 1) to an address, and returns the token in it.
    pub async fn token(&self, to: &str, number: usize) -> String {
        token_in(&self.nth(to, number).await)
    }

    /// How many mails went to an address once the outbox had time to send more.
    pub async fn settled(&self, to: &str) -> usize {
        tokio::time::sleep(Duration::from_millis(400)).await;
        self.mails().iter().filter(|mail| mail.to == to).count()
    }
}

/// The token in a mail.
pub fn token_in(mail: &RenderedMail) -> String {
    let line = mail.text.lines().find_map(|line| line.strip_prefix("token="));
    line.unwrap_or_else(|| panic!("no token in {:?}", mail.subject)).to_owned()
}

impl MailTransport for Mailbox {
    fn send<'a>(&'a self, mail: &'a RenderedMail) -> BoxFuture<'a, Result<(), MailError>> {
        Box::pin(async move {
            let delay = self.state().delay;
            tokio::time::sleep(delay).await;
            let mut state = self.state();
            if state.failures > 0 {
                state.failures -= 1;
                return Err(MailError::transient("the mailbox fails as told"));
            }
            if state.refusals > 0 {
                state.refusals -= 1;
                return Err(MailError::permanent("the mailbox refuses as told"));
            }
            state.mails.push(mail.clone());
            Ok(())
        })
    }
}
