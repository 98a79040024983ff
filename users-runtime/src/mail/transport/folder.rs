//! Mails as files, for development and tests.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use lettre::message::Mailbox;

use super::{BoxFuture, MailError, MailTransport, RenderedMail, blocking, refused, sender, wire};
use crate::error::Error;

/// Writes each mail, token included, to a file `<message id>.eml` of its own.
///
/// A file appears complete or not at all, and a second attempt at the same mail replaces the file of the first. The
/// permissions of the folder decide who can redeem the tokens.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    from: Mailbox,
}

impl Folder {
    /// Writes mails from this sender to this folder, which is made if it is missing.
    ///
    /// # Errors
    /// [`Error::Setting`] when the sender is no address, or the folder cannot be made or written.
    pub fn new(path: impl Into<PathBuf>, from: &str) -> Result<Self, Error> {
        let (path, from) = (path.into(), sender(from)?);
        if path.as_os_str().is_empty() {
            return Err(refused("is empty; write `stdout`, an `smtp://` URL or a folder"));
        }
        fs::create_dir_all(&path)
            .and_then(|()| {
                let probe = temporary(&path, "probe");
                File::create_new(&probe)?;
                fs::remove_file(&probe)
            })
            .map_err(|error| {
                refused(format!("the folder `{}` cannot be written: {error}", path.display()))
            })?;
        Ok(Self { path, from })
    }
}

impl MailTransport for Folder {
    fn send<'a>(&'a self, mail: &'a RenderedMail) -> BoxFuture<'a, Result<(), MailError>> {
        Box::pin(async move {
            let name = format!("{}.eml", wire::checked_id(mail)?);
            let bytes = wire::message(mail, &self.from, wire::Reader::File)?.formatted();
            let folder = self.path.clone();
            blocking(move || replace(&folder, &name, &bytes)).await
        })
    }
}

/// Puts a complete file in the place of `name`, durably.
fn replace(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary(folder, name);
    let written = write_durably(&temporary, bytes).and_then(|()| fs::rename(&temporary, folder.join(name)));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    // A name survives a power failure only when its folder is flushed, too; Windows has no such call.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A hidden name that no other writer uses and no reader of `*.eml` sees.
fn temporary(folder: &Path, name: &str) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    folder.join(format!(".{name}.{}.{count}.tmp", process::id()))
}

#[cfg(test)]
mod tests {
    use std::{sync::atomic::AtomicBool, thread, time::Duration};

    use super::{super::tests::mail, *};
    use crate::mail::{MailContext, MailKind, Templates};

    const FROM: &str = "Acme <noreply@example.com>";

    /// A folder of the test's own, removed at its end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("users-mail-{name}-{}", process::id()));
            let _ = fs::remove_dir_all(&path);
            Self(path)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[tokio::test]
    async fn the_raw_file_of_a_default_mail_has_its_token_and_link_on_lines_of_their_own() {
        let scratch = Scratch::new("raw");
        let folder = Folder::new(&scratch.0, FROM).unwrap();
        let token = "v1.".to_owned() + &"aB3-_".repeat(30);
        let link = format!("https://app.example.com/verify#token={token}");
        let context = MailContext {
            app_name: "Acme",
            recipient: "ann@example.com",
            link: Some(&link),
            token: Some(&token),
            valid_for: Some(Duration::from_hours(1)),
            new_identifier: Some("ann.new@example.com"),
            until: Some("2030-01-31 12:05 UTC"),
        };
        for kind in MailKind::ALL {
            let mail = Templates::default().render(kind, &context, kind.as_str()).unwrap();
            folder.send(&mail).await.unwrap();
            let raw = fs::read_to_string(scratch.0.join(format!("{}.eml", kind.as_str()))).unwrap();
            let (token_line, lines) = (format!("token={token}"), raw.lines().collect::<Vec<_>>());
            assert_eq!(lines.contains(&token_line.as_str()), kind.carries_token(), "{raw}");
            assert_eq!(lines.contains(&link.as_str()), kind.carries_token(), "{raw}");
        }
        assert_eq!(scratch.names().len(), MailKind::ALL.len());
    }

    #[tokio::test]
    async fn another_attempt_replaces_the_file_and_leaves_nothing_beside_it() {
        let scratch = Scratch::new("again");
        let folder = Folder::new(scratch.0.join("deep/er"), FROM).unwrap();
        for text in ["token=first\n", "token=second\n"] {
            folder.send(&RenderedMail { text: text.to_owned(), ..mail() }).await.unwrap();
        }
        let inner = Scratch(scratch.0.join("deep/er"));
        assert_eq!(inner.names(), ["0198c0de-1.eml"]);
        let raw = fs::read_to_string(inner.0.join("0198c0de-1.eml")).unwrap();
        assert!(raw.contains("\r\ntoken=second\r\n") && !raw.contains("first"), "{raw}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_reader_never_sees_half_a_mail() {
        let scratch = Scratch::new("half");
        let folder = Folder::new(&scratch.0, FROM).unwrap();
        let long = RenderedMail { html: "<p>long</p>\n".repeat(50_000), ..mail() };
        folder.send(&long).await.unwrap();
        let complete = fs::metadata(scratch.0.join("0198c0de-1.eml")).unwrap().len();

        let done = AtomicBool::new(false);
        let (path, done_reading) = (scratch.0.clone(), &done);
        thread::scope(|scope| {
            let reader = scope.spawn(move || {
                let mut reads = 0;
                while !done_reading.load(Ordering::Relaxed) {
                    for entry in fs::read_dir(&path).unwrap() {
                        let file = entry.unwrap().path();
                        if file.extension().is_some_and(|extension| extension == "eml") {
                            assert_eq!(fs::read(&file).unwrap().len() as u64, complete);
                            reads += 1;
                        }
                    }
                }
                reads
            });
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(async {
                    for _ in 0..20 {
                        folder.send(&long).await.unwrap();
                    }
                });
            });
            done.store(true, Ordering::Relaxed);
            assert!(reader.join().unwrap() > 0);
        });
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_is_refused_at_start_up_or_fails_for_now() {
        let scratch = Scratch::new("file");
        fs::create_dir_all(&scratch.0).unwrap();
        let file = scratch.0.join("file");
        fs::write(&file, "").unwrap();
        let message = Folder::new(file.join("sub"), FROM).unwrap_err().to_string();
        assert!(
            message.starts_with("MAIL: the folder `") && message.contains("cannot be written"),
            "{message}"
        );

        let folder = Folder::new(scratch.0.join("gone"), FROM).unwrap();
        fs::remove_dir_all(scratch.0.join("gone")).unwrap();
        assert!(!folder.send(&mail()).await.unwrap_err().is_permanent());
    }
}
