//! Entries in files: several stores, threads and processes at one folder, damage, and processes that are killed.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use users_runtime::{Entry, Expected, FileStore, Store};

use crate::support::{Folder, create, entry, keys_of, new_key, soon};

/// Says to a process of this program which part it has in a test, and where.
const PART: &str = "USERS_STORES_PART";
const PLACE: &str = "USERS_STORES_FOLDER";

/// How often each writer counts one up.
const TIMES: u64 = 100;

const COUNTER: &str = "counter:one";

fn open(folder: &Path) -> FileStore {
    FileStore::new(folder).expect("a folder")
}

/// Counts one up, by compare and set.
async fn count(store: &FileStore) {
    for _ in 0..TIMES {
        loop {
            let there = store.get(COUNTER).await.expect("a store");
            let value = there.as_ref().map_or(0, |entry| read(&entry.value)) + 1;
            let expected = there.map_or(Expected::Absent, |entry| Expected::Revision(entry.revision));
            let next = entry(Some("ann"), &value.to_be_bytes());
            if store.put(COUNTER, next, expected).await.expect("a store") {
                break;
            }
        }
    }
}

fn read(value: &[u8]) -> u64 {
    u64::from_be_bytes(value.try_into().expect("eight bytes"))
}

/// Another process at the same folder.
fn process(part: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "files::part_of_another_process", "--nocapture"])
        .env(PART, part)
        .env(PLACE, folder)
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts")
}

/// What another process does, when one of the tests has started it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn part_of_another_process() {
    let (Ok(part), Ok(folder)) = (std::env::var(PART), std::env::var(PLACE)) else { return };
    let store = open(Path::new(&folder));
    match part.as_str() {
        "count" => count(&store).await,
        // Until it is killed.
        _ => loop {
            let key = new_key();
            let first = create(&store, &key, Some("ann")).await;
            let next = entry(Some("ann"), &[7; 3000]);
            assert!(store.put(&key, next, Expected::Revision(first.revision)).await.expect("a store"));
            if users_tests::now() % 2 == 0 {
                assert!(store.remove(&key).await.expect("a store"));
            }
        },
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_write_of_several_threads_and_processes_is_lost() {
    let folder = Folder::new();
    let (one, other) = (open(folder.path()), open(folder.path()));
    let mut processes = [process("count", folder.path()), process("count", folder.path())];
    tokio::join!(count(&one), count(&other));
    for process in &mut processes {
        assert!(process.wait().expect("it ends").success());
    }
    let there = one.get(COUNTER).await.expect("a store").expect("an entry");
    assert_eq!(read(&there.value), 4 * TIMES);
    assert_eq!(keys_of(&other, "ann").await, [COUNTER]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_leaves_a_folder_from_which_everything_goes_on() {
    let folder = Folder::new();
    let store = open(folder.path());
    let kept = new_key();
    let first = create(&store, &kept, Some("ann")).await;
    for round in 0..6 {
        let mut process = process("write", folder.path());
        tokio::time::sleep(Duration::from_millis(250 + 37 * round)).await;
        process.kill().expect("SIGKILL");
        process.wait().expect("it is gone");
    }
    // Another store, as a process that starts has it.
    let store = open(folder.path());
    assert_eq!(soon(store.get(&kept)).await.expect("a store"), Some(first));
    let files = names(&folder.path().join("entries"));
    assert!(files.len() > 1, "nothing was written: {files:?}");
    let named: BTreeSet<_> = keys_of(&store, "ann").await.into_iter().collect();
    let mut whole = BTreeSet::new();
    for key in &named {
        if soon(store.get(key)).await.expect("none is damaged").is_some() {
            whole.insert(key.clone());
        }
    }
    assert_eq!(whole.len(), files.len(), "an entry that its owner does not name");
    // Every lock is free, and every shard takes a write.
    for _ in 0..200 {
        let key = new_key();
        soon(create(&store, &key, None)).await;
        assert!(store.remove(&key).await.expect("a store"));
    }
    soon(store.remove_expired(users_tests::now())).await.expect("a store");
    assert_eq!(names(&folder.path().join("temporary")), [""; 0]);
    assert_eq!(keys_of(&store, "ann").await, whole.into_iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn what_has_ended_and_what_was_left_over_goes() {
    let folder = Folder::new();
    let store = open(folder.path());
    let (stays, ends) = (new_key(), new_key());
    create(&store, &stays, Some("ann")).await;
    let ended = Entry { expires_at: users_tests::now() - 1, ..entry(Some("bob"), b"") };
    assert!(store.put(&ends, ended, Expected::Absent).await.expect("a store"));
    let (entries, owners) = (folder.path().join("entries"), folder.path().join("owners"));
    fs::write(folder.path().join("temporary/7"), "half an ent").expect("it can be written");
    // Noted at an owner by a process that was killed before it wrote the entry; and what is none of ours.
    let lost = owners.join("0".repeat(64));
    fs::create_dir(&lost).expect("a folder");
    fs::write(lost.join("session.never"), "").expect("it can be written");
    fs::write(entries.join("README"), "").expect("it can be written");
    assert_eq!((names(&entries).len(), names(&owners).len()), (3, 3));

    store.remove_expired(users_tests::now()).await.expect("a store");
    assert_eq!((names(&entries).len(), names(&owners).len()), (2, 1));
    assert_eq!(names(&folder.path().join("temporary")), [""; 0]);
    assert!(store.get(&stays).await.expect("a store").is_some());
    assert_eq!(keys_of(&store, "ann").await, [stays.as_str()]);
    assert_eq!(keys_of(&store, "bob").await, [""; 0]);
}

#[tokio::test]
async fn a_file_that_is_damaged_lets_nobody_in() {
    let folder = Folder::new();
    let store = open(folder.path());
    let (key, other) = (new_key(), new_key());
    let first = create(&store, &key, Some("ann")).await;
    create(&store, &other, Some("ann")).await;
    let (path, elsewhere) = (file_of(&folder, &key), file_of(&folder, &other));
    let whole = fs::read(&path).expect("a file");
    let mut flipped = whole.clone();
    *flipped.last_mut().expect("a byte") ^= 1;
    let of_another_key = fs::read(&elsewhere).expect("a file");
    for damaged in [&b""[..], b"{}", &whole[..whole.len() - 1], &whole[..32], &flipped, &of_another_key] {
        fs::write(&path, damaged).expect("it can be written");
        let error = store.get(&key).await.expect_err("it is damaged");
        assert_eq!(error.status().as_u16(), 503);
        assert!(!error.to_string().contains("session."), "the answer names the file");
        for expected in [Expected::Absent, Expected::Revision(first.revision)] {
            assert!(store.put(&key, entry(None, b""), expected).await.is_err());
        }
        store.remove_expired(users_tests::now()).await.expect("the others are cared for");
        assert!(path.exists(), "it is for a person to look at");
    }
    assert!(store.get(&other).await.expect("a store").is_some());
    assert!(keys_of(&store, "ann").await.contains(&key), "it is ended with the others");
    assert!(store.remove(&key).await.expect("a store"));
    assert_eq!(store.get(&key).await.expect("a store"), None);
    store.remove_expired(users_tests::now()).await.expect("a store");
    assert_eq!(keys_of(&store, "ann").await, [other.as_str()]);
}

#[tokio::test]
async fn a_folder_that_is_gone_lets_nobody_in() {
    let folder = Folder::new();
    let store = open(folder.path());
    let key = new_key();
    create(&store, &key, Some("ann")).await;
    fs::remove_dir_all(folder.path()).expect("it can be removed");
    assert_eq!(soon(store.get(&key)).await.expect_err("it is gone").status().as_u16(), 503);
    assert!(soon(store.put(&key, entry(None, b""), Expected::Absent)).await.is_err());
    assert!(soon(store.remove(&key)).await.is_err());
    assert!(soon(store.keys_of("ann")).await.is_err());
    assert!(soon(store.ping()).await.is_err());
    assert!(soon(store.remove_expired(users_tests::now())).await.is_err());
    assert!(!folder.path().exists(), "an empty store has taken its place");
}

#[tokio::test]
async fn keys_that_could_be_paths_are_refused() {
    let folder = Folder::new();
    let store = open(folder.path());
    for key in ["session:../x", "../session:x", "session:/etc/passwd", "session", ":x", "session:a.b", "S:x"]
    {
        assert!(store.get(key).await.is_err(), "{key}");
        assert!(store.put(key, entry(None, b""), Expected::Absent).await.is_err(), "{key}");
    }
    // Small and capital letters are different keys, also where the file system does not tell them apart.
    create(&store, "session:abc", None).await;
    assert_eq!(store.get("session:Abc").await.expect("a store"), None);
    let names: BTreeSet<_> =
        names(&folder.path().join("entries")).into_iter().map(|name| name.to_ascii_lowercase()).collect();
    assert_eq!(names.len(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_own_user_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let store = open(folder.path());
    create(&store, &new_key(), Some("ann")).await;
    let mut paths = vec![folder.path().to_owned()];
    let mut seen = 0;
    while let Some(path) = paths.pop() {
        let metadata = fs::metadata(&path).expect("it is there");
        let mode = metadata.permissions().mode() & 0o777;
        assert_eq!(mode, if metadata.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        if metadata.is_dir() {
            paths.extend(fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        }
        seen += 1;
    }
    assert!(seen >= 8, "{seen}");
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect()
}

fn file_of(folder: &Folder, key: &str) -> PathBuf {
    let path = folder.path().join("entries").join(key.replace(':', "."));
    assert!(path.exists(), "{}", path.display());
    path
}
