//! What an application stands on in a test: an empty database, a mailbox, and a folder, all gone afterwards.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use super::mailbox::Mailbox;
use crate::{config::Config, error::BoxError, throttle::Throttle};

/// What the application of a test stands on. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Testbed(Arc<Ground>);

#[derive(Debug)]
struct Ground {
    name: String,
    folder: PathBuf,
    database_url: String,
    mailbox: Mailbox,
    /// Whether attempts are counted as the application says.
    counts: bool,
    configured: AtomicBool,
}

impl Drop for Ground {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Testbed {
    pub(super) fn new(counts: bool) -> Result<Self, BoxError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("users_conformance_{}_{number}", process::id());
        let folder = env::temp_dir().join(&name);
        // A run that was killed may have left one behind.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let database_url = format!("sqlite://{}", folder.join("app.db").display());
        let (mailbox, configured) = (Mailbox::default(), AtomicBool::new(false));
        Ok(Self(Arc::new(Ground { name, folder, database_url, mailbox, counts, configured })))
    }

    /// An empty SQLite database, for `connect`.
    #[must_use]
    pub fn database_url(&self) -> &str {
        &self.0.database_url
    }

    /// A name that no other test has, for a database or a schema on a server where SQLite is not what the application
    /// runs on.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// A folder of the test's own, for what the application writes beside its database.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// The application's settings with the little that a test changes: mail goes where the test reads it, cookies are those
    /// of HTTPS, a test keeps a few connections alone, and attempts are counted in the tests about that alone. Everything
    /// else is tested as it is.
    #[must_use]
    pub fn config(&self, config: Config) -> Config {
        self.0.configured.store(true, Ordering::Relaxed);
        let config = config
            .with_mail_transport(self.0.mailbox.clone())
            .with_insecure_cookies(false)
            .with_max_connections(4);
        // Tests fail more often than people do, and all from one address.
        if self.0.counts { config } else { config.with_throttle(Throttle::off()) }
    }

    pub(super) fn mailbox(&self) -> &Mailbox {
        &self.0.mailbox
    }

    /// Whether the application has taken its settings from here.
    pub(super) fn is_configured(&self) -> bool {
        self.0.configured.load(Ordering::Relaxed)
    }
}
