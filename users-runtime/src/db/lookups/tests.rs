//! What those get who wait, in the database of the run.

use std::{pin::pin, time::Duration};

use futures_util::{FutureExt, future::join_all};
use uuid::Uuid;

use super::*;
use crate::{
    db::{Role, SchemaMode, place::with_database},
    model::RoleModel,
    secret::PasswordHash,
    session::{Content, SessionRecord},
    token::Fingerprint,
};

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

fn north() -> String {
    "north".to_owned()
}

fn session(name: &str) -> TokenHash {
    TokenHash::of(name.as_bytes())
}

/// A member of a club with a session and roles.
async fn member(database: &Database, club: &str, name: &str, roles: &[&str]) {
    let (id, club) = (Uuid::now_v7(), club.to_owned());
    let password_hash = PasswordHash::from_phc("$argon2id$none");
    let mut transaction = database.begin().await.unwrap();
    let user = Member { id, club: club.clone(), email: name.to_owned(), password_hash };
    transaction.insert_user(user, name).await.unwrap();
    for role in roles {
        let role = Role::<Member>::named(crate::model::UserId::generate(), (*role).to_owned());
        transaction.insert_missing_role::<Member>(&club, role.clone()).await.unwrap();
        let role = transaction.role_by_name::<Member>(&club, role.name()).await.unwrap().unwrap();
        transaction.assign_role::<Member>(id, role.id()).await.unwrap();
    }
    let record = SessionRecord {
        user_id: Some(id.to_string()),
        fingerprint: Fingerprint::from_bytes(&[7; 16]),
        ..SessionRecord::new(1_000, Content { client: Some(name.to_owned()), ..Content::default() }).unwrap()
    };
    transaction.insert_session::<Member>(session(name), &record).await.unwrap();
    transaction.commit().await.unwrap();
}

/// The lookups of a database, one statement at a time.
async fn lookups(database: &Database) -> Arc<Lookups<Member>> {
    database.migrate::<Member>(SchemaMode::Managed).await.unwrap();
    Lookups::with_most(database.clone(), 1)
}

/// A statement in the north that is under way until this is dropped.
fn under_way(lookups: &Arc<Lookups<Member>>) -> Turn<Member> {
    let Ok(turn) = lookups.turn_or_wait(&north(), session("nobody's")) else { panic!("one is under way") };
    turn
}

/// How many statements in the north are under way, and how many requests wait.
fn state(lookups: &Lookups<Member>) -> (usize, usize) {
    lookups.lock().get(&north()).map_or((0, 0), |queue| (queue.running, queue.waiting.len()))
}

/// What is found, in words.
fn told(answer: Answer<Member>) -> String {
    match answer {
        Ok(Some((user, record))) => {
            let mut roles: Vec<_> = user.roles().iter().map(|role| role.name.clone()).collect();
            roles.sort_unstable();
            format!("{} {} {}", user.email, record.content.client.unwrap_or_default(), roles.join("+"))
        }
        Ok(None) => "none".to_owned(),
        Err(error) => error.code().to_owned(),
    }
}

#[tokio::test]
async fn s23_those_who_wait_get_their_own_user_out_of_one_statement() {
    with_database(async |database| {
        let lookups = lookups(database).await;
        member(database, "north", "ann", &["editor", "admin"]).await;
        member(database, "north", "ben", &[]).await;
        member(database, "south", "cid", &["editor"]).await;
        let here = north();
        let wanted = [
            ("ann", "ann ann admin+editor"),
            ("ben", "ben ben "),
            ("unknown", "none"),
            // A session is good for its own tenant alone.
            ("cid", "none"),
            // Two requests with one session.
            ("ann", "ann ann admin+editor"),
        ];
        let turn = under_way(&lookups);
        let mut all = pin!(join_all(wanted.map(|(name, _)| lookups.find(&here, session(name)))));
        assert!(all.as_mut().now_or_never().is_none());
        assert_eq!(state(&lookups), (1, wanted.len()));
        // Nobody waits for those of another tenant.
        assert_eq!(told(lookups.find(&"south".to_owned(), session("cid")).await), "cid cid editor");
        assert_eq!(state(&lookups), (1, wanted.len()));
        drop(turn);
        // One statement took them all, and it is the one that is under way.
        assert_eq!(state(&lookups), (1, 0));
        let found: Vec<_> = all.await.into_iter().map(told).collect();
        assert_eq!(found, wanted.map(|(_, expected)| expected));
        // Alone they get the same.
        for (name, expected) in wanted {
            assert_eq!(told(lookups.find(&here, session(name)).await), expected);
        }
        assert!(lookups.lock().is_empty());
    })
    .await;
}

#[tokio::test]
async fn more_than_a_statement_asks_for_take_several() {
    with_database(async |database| {
        let lookups = lookups(database).await;
        let names: Vec<_> = (0..2 * SESSIONS + 3).map(|number| format!("member-{number}")).collect();
        for name in &names {
            member(database, "north", name, &["editor"]).await;
        }
        let here = north();
        let turn = under_way(&lookups);
        let mut all = pin!(join_all(names.iter().map(|name| lookups.find(&here, session(name)))));
        assert!(all.as_mut().now_or_never().is_none());
        drop(turn);
        assert_eq!(state(&lookups), (1, names.len() - SESSIONS));
        let found: Vec<_> = all.await.into_iter().map(told).collect();
        let expected: Vec<_> = names.iter().map(|name| format!("{name} {name} editor")).collect();
        assert_eq!(found, expected);
        assert_eq!(state(&lookups), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn s23_what_changes_while_a_request_waits_is_seen() {
    with_database(async |database| {
        let lookups = lookups(database).await;
        member(database, "north", "ann", &[]).await;
        member(database, "north", "ben", &[]).await;
        let here = north();
        let turn = under_way(&lookups);
        let mut both = pin!(join_all(["ann", "ben"].map(|name| lookups.find(&here, session(name)))));
        assert!(both.as_mut().now_or_never().is_none());
        let mut transaction = database.begin().await.unwrap();
        assert!(transaction.delete_session(session("ann")).await.unwrap());
        transaction.commit().await.unwrap();
        drop(turn);
        let found: Vec<_> = both.await.into_iter().map(told).collect();
        assert_eq!(found, ["none", "ben ben "]);
    })
    .await;
}

#[tokio::test]
async fn who_gives_up_takes_nobody_with_them() {
    with_database(async |database| {
        let lookups = lookups(database).await;
        member(database, "north", "ann", &[]).await;
        let here = north();
        let turn = under_way(&lookups);
        let mut gives_up = Box::pin(lookups.find(&here, session("ann")));
        let mut stays = Box::pin(lookups.find(&here, session("ann")));
        for one in [&mut gives_up, &mut stays] {
            assert!(one.as_mut().now_or_never().is_none());
        }
        assert_eq!(state(&lookups), (1, 2));
        drop(gives_up);
        drop(turn);
        assert_eq!(told(stays.await), "ann ann ");
        assert_eq!(state(&lookups), (0, 0));
        // Nobody is left of those who waited.
        let turn = under_way(&lookups);
        let mut waiting = Box::pin(lookups.find(&here, session("ann")));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(waiting);
        drop(turn);
        assert_eq!(state(&lookups), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_read_fails_alone_and_a_statement_that_fails_for_all() {
    with_database(async |database| {
        let lookups = lookups(database).await;
        for name in ["ann", "ben"] {
            member(database, "north", name, &[]).await;
        }
        let mut transaction = database.begin().await.unwrap();
        let spoil = "UPDATE users_sessions SET content = 'spoilt' WHERE content LIKE '%ben%'";
        match transaction.connection() {
            #[cfg(feature = "sqlite")]
            crate::db::Connection::Sqlite(connection) => {
                sqlx::query(spoil).execute(connection).await.map(drop)
            }
            #[cfg(feature = "postgres")]
            crate::db::Connection::Postgres(connection) => {
                sqlx::query(spoil).execute(connection).await.map(drop)
            }
            #[cfg(feature = "mysql")]
            crate::db::Connection::MySql(connection) => {
                sqlx::query(spoil).execute(connection).await.map(drop)
            }
        }
        .unwrap();
        transaction.commit().await.unwrap();
        let here = north();
        let ask = async || {
            let turn = under_way(&lookups);
            let mut all =
                pin!(join_all(["ann", "ben", "ben"].map(|name| lookups.find(&here, session(name)))));
            assert!(all.as_mut().now_or_never().is_none());
            drop(turn);
            all.await.into_iter().map(told).collect::<Vec<_>>()
        };
        assert_eq!(ask().await, ["ann ann ", "internal", "internal"]);
        crate::db::place::close(database.clone()).await;
        assert_eq!(ask().await, ["unavailable"; 3]);
        assert_eq!(state(&lookups), (0, 0));
    })
    .await;
}

#[test]
fn a_program_that_ends_answers_nobody() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(with_database(async |database| {
        let lookups = lookups(database).await;
        let turn = under_way(&lookups);
        let here = north();
        let mut waiting = Box::pin(lookups.find(&here, session("ann")));
        assert!(waiting.as_mut().now_or_never().is_none());
        std::thread::spawn(move || drop(turn)).join().unwrap();
        assert_eq!(state(&lookups), (0, 0));
        assert_eq!(told(waiting.await), "internal");
    }));
}

/// However many ask at once, each gets what is theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_get_what_is_theirs() {
    with_database(async |database| {
        lookups(database).await;
        let lookups = Lookups::<Member>::new(database.clone());
        for number in 0..20 {
            member(database, "north", &format!("member-{number}"), &["editor"]).await;
        }
        let tasks: Vec<_> = (0..64)
            .map(|task| {
                let lookups = Arc::clone(&lookups);
                tokio::spawn(async move {
                    for turn in 0..50 {
                        let name = format!("member-{}", (task * 7 + turn) % 23);
                        let found = told(lookups.find(&north(), session(&name)).await);
                        let known = (task * 7 + turn) % 23 < 20;
                        let expected =
                            if known { format!("{name} {name} editor") } else { "none".to_owned() };
                        assert_eq!(found, expected);
                        // Some give up.
                        let _ = tokio::time::timeout(
                            Duration::from_micros(50),
                            lookups.find(&north(), session(&name)),
                        )
                        .await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        // The last of those who gave up may have a statement still.
        let ended = async {
            while state(&lookups) != (0, 0) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), ended).await.expect("every statement ends");
    })
    .await;
}
