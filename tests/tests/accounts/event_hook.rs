//! What `Hooks::on_event` hears, and that it changes no answer.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::mpsc;
use users_runtime::{Config, Error, Event, Hooks, Password, SecretKey, Session, UsersBuilder, users_app};
use users_tests::{Database, Mailbox, PASSWORD, apps};

/// Hooks that fail, break, and then hear.
pub struct Listener {
    heard: mpsc::UnboundedSender<String>,
    calls: Arc<AtomicUsize>,
}

impl Hooks<apps::User> for Listener {
    async fn on_event(&self, event: &Event) -> Result<(), Error> {
        match self.calls.fetch_add(1, Ordering::SeqCst) {
            0 => Err(Error::internal("the hook fails as told")),
            1 => panic!("the hook breaks as told"),
            _ => self.heard.send(event.kind.to_string()).map_err(|_| Error::internal("nobody listens")),
        }
    }
}

#[users_app(auth = "session", user = users_tests::apps::User, hooks = super::Listener)]
mod listening {}

#[tokio::test]
async fn s59_the_hook_hears_of_events_and_may_fail_or_break() {
    let database = Database::new().await;
    let config = Config::new(SecretKey::generate().expect("randomness"))
        .with_max_connections(2)
        .with_mail_transport(Mailbox::default());
    let (heard, mut events) = mpsc::unbounded_channel();
    let calls = Arc::new(AtomicUsize::new(0));
    let hooks = Listener { heard, calls };
    let builder = UsersBuilder::<listening::App>::new(config, Session, hooks);
    let users = builder.connect(database.url()).await.expect("it starts");
    let registration = apps::UserRegistration {
        email: "ada@example.com".to_owned(),
        password: Password::new(PASSWORD),
        display_name: None,
        age: None,
    };
    // The first two calls fail and break, which nobody but the log hears of.
    let user = users.create_user(registration).await.expect("a new account");
    users.set_active(user.id, false).await.expect("it is deactivated");
    users.set_active(user.id, true).await.expect("it is activated");
    assert_eq!(events.recv().await.as_deref(), Some("activated"));
}
