//! What is kept, and what ends it.

use std::{thread::sleep, time::Duration};

use uuid::Uuid;

use super::*;
use crate::{model::UserModel, secret::PasswordHash};

/// A user of one of several tenants.
#[derive(Clone, Debug, users_macros::UserModel)]
#[user(crate = crate)]
struct Member {
    #[user(id)]
    id: Uuid,
    #[user(tenant)]
    club: String,
    #[user(identifier)]
    email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
}

const HOUR: Duration = Duration::from_hours(1);
const KNOWN: Known = Known { fingerprint: None, created_at: 1, seen_at: 2, ends_at: 3, transient: true };

fn cache(staleness: Duration) -> Cache {
    Cache::new(Kept::new(UserCache::default().with_staleness(staleness), true))
}

fn member(email: &str) -> Principal<Member> {
    let password_hash = PasswordHash::from_phc("");
    let (id, club) = (Uuid::new_v4(), "north".to_owned());
    Principal::new(Member { id, club, email: email.to_owned(), password_hash }, Vec::new())
}

fn session(name: &str) -> TokenHash {
    TokenHash::of(name.as_bytes())
}

/// Keeps a session of a user.
fn keep(cache: &Cache, name: &str, user: &Principal<Member>) {
    cache.keep(cache.moment(), &user.club, session(name), (user, KNOWN));
}

/// Whose session is kept.
fn kept(cache: &Cache, name: &str) -> Option<String> {
    let (user, _) = cache.find::<Member>(&"north".to_owned(), session(name))?;
    Some(user.email.clone())
}

#[test]
fn what_was_read_is_found_by_its_session_and_tenant() {
    let cache = cache(HOUR);
    let ada = member("ada");
    keep(&cache, "a", &ada);
    let (found, seen) = cache.find::<Member>(&ada.club, session("a")).unwrap();
    assert_eq!((found.id(), seen.created_at, seen.seen_at, seen.ends_at), (ada.id(), 1, 2, 3));
    assert!(seen.transient);
    assert!(cache.find::<Member>(&"south".to_owned(), session("a")).is_none());
    assert_eq!(kept(&cache, "b"), None);
}

#[test]
fn s23_a_change_of_a_user_ends_what_is_kept_of_each_session() {
    let cache = cache(HOUR);
    let (ada, ben) = (member("ada"), member("ben"));
    keep(&cache, "a", &ada);
    keep(&cache, "a2", &ada);
    keep(&cache, "b", &ben);
    let mut changes = cache.changes();
    changes.of_user(&ada.id());
    assert_eq!(kept(&cache, "a").as_deref(), Some("ada"), "nothing is committed yet");
    drop(changes);
    assert_eq!((kept(&cache, "a"), kept(&cache, "a2")), (None, None));
    assert_eq!(kept(&cache, "b").as_deref(), Some("ben"));
    // One session is read again: the other may be what the change ended.
    keep(&cache, "a", &ada);
    assert_eq!((kept(&cache, "a").as_deref(), kept(&cache, "a2")), (Some("ada"), None));
    keep(&cache, "a2", &ada);
    assert_eq!((kept(&cache, "a").as_deref(), kept(&cache, "a2").as_deref()), (Some("ada"), Some("ada")));
}

#[test]
fn s21_the_end_of_a_session_leaves_the_others() {
    let cache = cache(HOUR);
    let ada = member("ada");
    keep(&cache, "a", &ada);
    keep(&cache, "a2", &ada);
    cache.changes().of_session(session("a"));
    assert_eq!((kept(&cache, "a"), kept(&cache, "a2").as_deref()), (None, Some("ada")));
}

#[test]
fn s25_a_change_of_everybody_ends_all_that_was_kept_before() {
    let cache = cache(HOUR);
    let (ada, ben) = (member("ada"), member("ben"));
    keep(&cache, "a", &ada);
    keep(&cache, "b", &ben);
    cache.changes().of_everybody();
    assert_eq!((kept(&cache, "a"), kept(&cache, "b")), (None, None));
    keep(&cache, "a", &ada);
    assert_eq!((kept(&cache, "a").as_deref(), kept(&cache, "b")), (Some("ada"), None));
}

#[test]
fn s23_what_was_read_before_a_change_is_not_kept_after_it() {
    let cache = cache(HOUR);
    let ada = member("ada");
    let changes: [fn(&mut Changes, Uuid); 3] = [
        |changes, id| changes.of_user(&id),
        |changes, _| changes.of_session(session("a")),
        |changes, _| changes.of_everybody(),
    ];
    for change in changes {
        let before = cache.moment();
        change(&mut cache.changes(), ada.id());
        cache.keep(before, &ada.club, session("a"), (&ada, KNOWN));
        assert_eq!(kept(&cache, "a"), None);
    }
    let before = cache.moment();
    keep(&cache, "b", &member("ben"));
    cache.keep(before, &ada.club, session("a"), (&ada, KNOWN));
    assert_eq!(kept(&cache, "a").as_deref(), Some("ada"), "nothing has changed");
}

#[test]
fn s23_staleness_counts_from_before_the_statement() {
    let cache = cache(Duration::from_millis(200));
    let ada = member("ada");
    let before = cache.moment();
    sleep(Duration::from_millis(150));
    cache.keep(before, &ada.club, session("a"), (&ada, KNOWN));
    sleep(Duration::from_millis(60));
    assert_eq!(kept(&cache, "a"), None);
}

#[cfg(feature = "postgres")]
#[test]
fn s23_a_node_that_hears_nothing_keeps_nothing() {
    let settings = UserCache::default().with_staleness(HOUR);
    let cache = Cache::new(Kept::new(settings, false));
    let ada = member("ada");
    keep(&cache, "a", &ada);
    assert_eq!(kept(&cache, "a"), None);
    let node = cache.kept().unwrap();
    node.set_hearing(true);
    assert_eq!(kept(&cache, "a"), None, "it is of before");
    keep(&cache, "a", &ada);
    assert_eq!(kept(&cache, "a").as_deref(), Some("ada"));
    node.hear(&Change::User(ada.id().to_string()).to_string());
    assert_eq!(kept(&cache, "a"), None);
    keep(&cache, "a", &ada);
    node.set_hearing(false);
    assert_eq!(kept(&cache, "a"), None);
}

#[test]
fn a_change_is_understood_as_it_is_said() {
    for change in [Change::User("7".to_owned()), Change::Session(session("a")), Change::Everybody] {
        assert_eq!(Change::parse(&change.to_string()), change);
    }
    for unknown in ["", "user", "role 7", "session x"] {
        assert_eq!(Change::parse(unknown), Change::Everybody, "{unknown:?}");
    }
}

#[cfg(feature = "postgres")]
#[test]
fn an_announcement_has_a_line_a_change_and_an_end() {
    let cache = cache(HOUR);
    let mut changes = cache.changes();
    assert_eq!(changes.announcement(), None);
    changes.of_user(&7);
    changes.of_everybody();
    assert_eq!(changes.announcement().as_deref(), Some("user 7\neverybody"));
    for id in 0..1_000 {
        changes.of_user(&id);
    }
    assert_eq!(changes.announcement().as_deref(), Some("everybody"));
    let mut nothing = Cache::default().changes();
    nothing.of_user(&7);
    assert_eq!(nothing.announcement(), None);
}
