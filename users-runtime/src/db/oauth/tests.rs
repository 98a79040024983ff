//! Linked accounts in the database of the run, `TEST_DATABASE`: keys of each type, with tenants and without.

use std::time::Duration;

use uuid::Uuid;

use super::*;
use crate::{
    db::{
        Database, SchemaMode, Storable,
        place::{self, with_database},
    },
    error::{Error, OAuthFailure},
    model::OAuthAccountModel,
    secret::PasswordHash,
};

mod people {
    use uuid::Uuid;

    use crate::secret::PasswordHash;

    /// A user with the accounts that the library has.
    #[derive(users_macros::UserModel)]
    #[user(crate = crate, oauth_account = crate::model::OAuthAccount)]
    pub(super) struct Person {
        #[user(id)]
        pub(super) id: Uuid,
        #[user(identifier)]
        pub(super) email: String,
        #[user(password_hash)]
        pub(super) password_hash: PasswordHash,
    }
}

mod numbered {
    use crate::secret::PasswordHash;

    /// Keys that the database assigns, and columns of the application's own.
    #[derive(users_macros::UserModel)]
    #[user(crate = crate, table = "clients", oauth_account = Link)]
    pub(super) struct Client {
        #[user(id, column = "number")]
        pub(super) id: i64,
        #[user(identifier)]
        pub(super) email: String,
        #[user(password_hash)]
        pub(super) password_hash: PasswordHash,
    }

    /// An account in a table of the application's own.
    #[derive(Clone, Debug, PartialEq, Eq, users_macros::OAuthAccountModel)]
    #[oauth_account(crate = crate, table = "links")]
    pub(super) struct Link {
        #[oauth_account(subject, column = "sub")]
        pub(super) who: String,
        #[oauth_account(id, column = "link key")]
        pub(super) key: i64,
        #[oauth_account(provider)]
        pub(super) provider: String,
        #[oauth_account(email, column = "select")]
        pub(super) mail: Option<String>,
        #[oauth_account(default = "personal")]
        pub(super) label: String,
        #[oauth_account(exclude(read))]
        pub(super) used: i64,
    }
}

mod clubs {
    use uuid::Uuid;

    use crate::secret::PasswordHash;

    /// A user of one of several tenants.
    #[derive(users_macros::UserModel)]
    #[user(crate = crate, oauth_account = Badge)]
    pub(super) struct Member {
        #[user(id)]
        pub(super) id: Uuid,
        #[user(tenant)]
        pub(super) club: String,
        #[user(identifier)]
        pub(super) email: String,
        #[user(password_hash)]
        pub(super) password_hash: PasswordHash,
    }

    /// An account without a mail address.
    #[derive(Clone, Debug, PartialEq, Eq, users_macros::OAuthAccountModel)]
    #[oauth_account(crate = crate)]
    pub(super) struct Badge {
        #[oauth_account(id)]
        pub(super) id: Uuid,
        #[oauth_account(provider)]
        pub(super) provider: String,
        #[oauth_account(subject)]
        pub(super) subject: String,
    }
}

use clubs::Member;
use numbered::{Client, Link};
use people::Person;

const ISSUER: &str = "https://accounts.example.com";
const OTHER: &str = "https://login.example.org";

/// A user of a test.
trait Someone: Storable {
    fn new(tenant: &Self::Tenant, email: &str) -> Self;
}

fn hash() -> PasswordHash {
    PasswordHash::from_phc("$argon2id$none")
}

impl Someone for Person {
    fn new((): &(), email: &str) -> Self {
        Self { id: Uuid::now_v7(), email: email.to_owned(), password_hash: hash() }
    }
}

impl Someone for Client {
    fn new((): &(), email: &str) -> Self {
        Self { id: 0, email: email.to_owned(), password_hash: hash() }
    }
}

impl Someone for Member {
    fn new(club: &String, email: &str) -> Self {
        Self { id: Uuid::now_v7(), club: club.clone(), email: email.to_owned(), password_hash: hash() }
    }
}

async fn register<U: Someone>(database: &Database, tenant: &U::Tenant, email: &str) -> U::Id {
    let mut transaction = database.begin().await.unwrap();
    let user = transaction.insert_user(U::new(tenant, email), email).await.unwrap();
    transaction.commit().await.unwrap();
    user.id()
}

/// Links an account, in a transaction of its own.
async fn link<U: Storable>(
    database: &Database,
    tenant: &U::Tenant,
    user: U::Id,
    issuer: &str,
    subject: &str,
    now: i64,
) -> Result<U::OAuthAccount, Error> {
    let id = crate::model::UserId::generate();
    let email = Some(format!("{now}@example.com"));
    let account = U::OAuthAccount::linked(id, "example".to_owned(), subject.to_owned(), email);
    let link = NewLink { issuer, tokens: Some("sealed"), tokens_expire_at: Some(now + 1), now };
    let mut transaction = database.begin().await?;
    let account = transaction.insert_oauth_account::<U>(tenant, user, account, link).await?;
    transaction.commit().await?;
    Ok(account)
}

fn is_taken<T>(linked: &Result<T, Error>) -> bool {
    matches!(linked, Err(Error::OAuth(OAuthFailure::IdentityTaken)))
}

async fn every_statement<U: Someone>(database: &Database, tenant: &U::Tenant) {
    database.migrate::<U>(SchemaMode::Managed).await.unwrap();
    // The table fits the struct and what the library adds to it, as it was made and when it is there already.
    assert_eq!(database.drift::<U>().await.unwrap(), []);
    database.migrate::<U>(SchemaMode::Managed).await.unwrap();

    let ada = register::<U>(database, tenant, "ada@example.com").await;
    let ben = register::<U>(database, tenant, "ben@example.com").await;
    let second = link::<U>(database, tenant, ada, OTHER, "7", 20).await.unwrap();
    let first = link::<U>(database, tenant, ada, ISSUER, "7", 10).await.unwrap();
    let of_ben = link::<U>(database, tenant, ben, ISSUER, "8", 30).await.unwrap();
    assert!(first.id() != second.id() && first.id() != of_ben.id());

    // By identity, outside of a transaction and in one.
    let (found, owner) =
        database.oauth_account_by_identity::<U>(tenant, ISSUER, "7").await.unwrap().expect("it is linked");
    assert!(found.id() == first.id() && owner == ada);
    assert_eq!((found.provider(), found.subject()), ("example", "7"));
    assert!(database.oauth_account_by_identity::<U>(tenant, OTHER, "8").await.unwrap().is_none());
    let (found, owner) =
        database.oauth_account_by_identity::<U>(tenant, ISSUER, "8").await.unwrap().expect("it is linked");
    let mut transaction = database.begin().await.unwrap();
    assert!(found.id() == of_ben.id() && owner == ben);
    let linked = transaction.oauth_accounts_of::<U>(tenant, ben).await.unwrap();
    assert_eq!(linked.len(), 1);
    drop(transaction);

    // Once, whoever wants to link it.
    for user in [ada, ben] {
        assert!(is_taken(&link::<U>(database, tenant, user, ISSUER, "7", 40).await));
    }

    let linked = database.oauth_accounts_of::<U>(tenant, ada).await.unwrap();
    let linked: Vec<_> = linked
        .iter()
        .map(|linked| (linked.account.id().to_string(), linked.issuer.as_str(), linked.created_at))
        .collect();
    assert_eq!(linked, [(first.id().to_string(), ISSUER, 10), (second.id().to_string(), OTHER, 20)]);

    tokens::<U>(database, tenant, ada, ben, &first).await;

    // Its user's alone, and once.
    let mut transaction = database.begin().await.unwrap();
    assert!(!transaction.delete_oauth_account::<U>(tenant, ben, first.id()).await.unwrap());
    assert!(transaction.delete_oauth_account::<U>(tenant, ada, first.id()).await.unwrap());
    assert!(!transaction.delete_oauth_account::<U>(tenant, ada, first.id()).await.unwrap());
    transaction.commit().await.unwrap();
    assert!(database.oauth_account_by_identity::<U>(tenant, ISSUER, "7").await.unwrap().is_none());

    // A user takes them along, and gets no more of them.
    let mut transaction = database.begin().await.unwrap();
    assert!(transaction.delete_user::<U>(tenant, ada).await.unwrap());
    transaction.commit().await.unwrap();
    assert!(database.oauth_account_by_identity::<U>(tenant, OTHER, "7").await.unwrap().is_none());
    assert!(matches!(link::<U>(database, tenant, ada, ISSUER, "7", 50).await, Err(Error::NotFound)));
    assert_eq!(database.oauth_accounts_of::<U>(tenant, ben).await.unwrap().len(), 1);
}

/// Tokens of an account of `owner`, which is none of `stranger`'s.
async fn tokens<U: Storable>(
    database: &Database,
    tenant: &U::Tenant,
    owner: U::Id,
    stranger: U::Id,
    account: &U::OAuthAccount,
) {
    let id = account.id();
    let read = async || {
        let (account, sealed) =
            database.oauth_account::<U>(tenant, owner, id).await.unwrap().expect("it is the owner's");
        (account.email().map(str::to_owned), sealed.tokens, sealed.expire_at)
    };
    let has_email = account.email().is_some();
    let email = |text: &str| has_email.then(|| text.to_owned());
    assert_eq!(read().await, (email("10@example.com"), Some("sealed".to_owned()), Some(11)));
    assert!(database.oauth_account::<U>(tenant, stranger, id).await.unwrap().is_none());

    let mut transaction = database.begin().await.unwrap();
    assert!(transaction.lock_oauth_account::<U>(tenant, stranger, id).await.unwrap().is_none());
    assert!(transaction.lock_oauth_account::<U>(tenant, owner, id).await.unwrap().is_some());
    // Longer than what MySQL keeps in a row.
    let long = "t".repeat(100_000);
    transaction.set_oauth_tokens::<U>(tenant, id, Some(&long), Some(12), 60).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(read().await, (email("10@example.com"), Some(long), Some(12)));

    let mut transaction = database.begin().await.unwrap();
    let signed_in =
        SignedIn { email: Some("new@example.com"), tokens: None, tokens_expire_at: None, now: 70 };
    transaction.update_oauth_account::<U>(tenant, id, signed_in).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(read().await, (email("new@example.com"), None, None));
}

#[tokio::test]
async fn accounts_of_users_with_random_keys() {
    with_database(async |database| every_statement::<Person>(database, &()).await).await;
}

#[tokio::test]
async fn accounts_of_users_with_assigned_keys_and_columns_of_their_own() {
    with_database(async |database| {
        every_statement::<Client>(database, &()).await;
        let eve = register::<Client>(database, &(), "eve@example.com").await;
        let link = link::<Client>(database, &(), eve, ISSUER, "9", 80).await.unwrap();
        let wanted = Link {
            who: "9".to_owned(),
            key: link.key,
            provider: "example".to_owned(),
            mail: Some("80@example.com".to_owned()),
            label: "personal".to_owned(),
            used: 0,
        };
        assert!(link.key > 0);
        let (found, _) = database
            .oauth_account_by_identity::<Client>(&(), ISSUER, "9")
            .await
            .unwrap()
            .expect("it is linked");
        assert_eq!((&link, &found), (&wanted, &wanted));
    })
    .await;
}

#[tokio::test]
async fn accounts_of_one_tenant_are_none_of_another() {
    with_database(async |database| {
        let [north, south] = ["north".to_owned(), "south".to_owned()];
        every_statement::<Member>(database, &north).await;
        let ada = register::<Member>(database, &north, "ada@example.com").await;
        let other = register::<Member>(database, &south, "ada@example.com").await;
        let badge = link::<Member>(database, &north, ada, ISSUER, "7", 10).await.unwrap();
        // The same person may be somebody in each.
        assert!(database.oauth_account_by_identity::<Member>(&south, ISSUER, "7").await.unwrap().is_none());
        let there = link::<Member>(database, &south, other, ISSUER, "7", 20).await.unwrap();
        let found = database.oauth_account_by_identity::<Member>(&south, ISSUER, "7").await.unwrap();
        assert_eq!(found, Some((there, other)));

        let mut transaction = database.begin().await.unwrap();
        assert!(transaction.oauth_accounts_of::<Member>(&south, ada).await.unwrap().is_empty());
        assert!(transaction.lock_oauth_account::<Member>(&south, ada, badge.id).await.unwrap().is_none());
        assert!(!transaction.delete_oauth_account::<Member>(&south, ada, badge.id).await.unwrap());
        transaction.set_oauth_tokens::<Member>(&south, badge.id, None, None, 30).await.unwrap();
        let signed_in = SignedIn { email: None, tokens: None, tokens_expire_at: None, now: 30 };
        transaction.update_oauth_account::<Member>(&south, badge.id, signed_in).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(database.oauth_account::<Member>(&south, ada, badge.id).await.unwrap().is_none());
        let (_, sealed) = database.oauth_account::<Member>(&north, ada, badge.id).await.unwrap().unwrap();
        assert_eq!(sealed.tokens.as_deref(), Some("sealed"));
    })
    .await;
}

#[tokio::test]
async fn s44_subjects_that_look_alike_are_different_people() {
    with_database(async |database| {
        database.migrate::<Person>(SchemaMode::Managed).await.unwrap();
        let ada = register::<Person>(database, &(), "ada@example.com").await;
        link::<Person>(database, &(), ada, ISSUER, "Zoe", 10).await.unwrap();
        let by = async |issuer: &str, subject: &str| {
            database.oauth_account_by_identity::<Person>(&(), issuer, subject).await.unwrap()
        };
        assert!(by(ISSUER, "Zoe").await.is_some());
        for subject in ["zoe", "ZOE", "Zoë", "Zoe ", " Zoe", "Z", ""] {
            assert!(by(ISSUER, subject).await.is_none(), "{subject:?}");
        }
        for issuer in ["https://ACCOUNTS.example.com", "https://accounts.example.com/", ""] {
            assert!(by(issuer, "Zoe").await.is_none(), "{issuer:?}");
        }
        let ben = register::<Person>(database, &(), "ben@example.com").await;
        for (now, subject) in (20..).zip(["zoe", "ZOE", "Zoë"]) {
            link::<Person>(database, &(), ben, ISSUER, subject, now).await.unwrap();
            assert_eq!(by(ISSUER, subject).await.expect("it is linked").1, ben, "{subject:?}");
        }
        // Where spaces at the end make no difference, nobody else can be linked, and nobody is taken for another.
        let spaced = link::<Person>(database, &(), ben, ISSUER, "Zoe ", 30).await;
        assert!(spaced.is_ok() || is_taken(&spaced), "{spaced:?}");
        assert_eq!(by(ISSUER, "Zoe").await.expect("it is linked").1, ada);
        // The longest that OpenID Connect has.
        let longest = "s".repeat(255);
        link::<Person>(database, &(), ben, &format!("https://{}", "i".repeat(247)), &longest, 40)
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn of_many_that_link_one_identity_at_once_one_does() {
    with_database(async |database| {
        database.migrate::<Person>(SchemaMode::Managed).await.unwrap();
        let mut links = tokio::task::JoinSet::new();
        for number in 0..8 {
            let user = register::<Person>(database, &(), &format!("user{number}@example.com")).await;
            let database = database.clone();
            links.spawn(async move { link::<Person>(&database, &(), user, ISSUER, "7", number).await });
        }
        let outcomes = links.join_all().await;
        assert_eq!(outcomes.iter().filter(|linked| linked.is_ok()).count(), 1, "{outcomes:?}");
        assert_eq!(outcomes.iter().filter(|linked| is_taken(linked)).count(), 7, "{outcomes:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_locks_an_account_second_reads_what_the_first_has_written() {
    with_database(async |database| {
        database.migrate::<Person>(SchemaMode::Managed).await.unwrap();
        let ada = register::<Person>(database, &(), "ada@example.com").await;
        let account = link::<Person>(database, &(), ada, ISSUER, "7", 10).await.unwrap().id;
        let mut first = database.begin().await.unwrap();
        first.lock_oauth_account::<Person>(&(), ada, account).await.unwrap().expect("it is linked");
        let second = tokio::spawn({
            let database = database.clone();
            async move {
                let mut second = database.begin().await.unwrap();
                let (_, sealed) = second
                    .lock_oauth_account::<Person>(&(), ada, account)
                    .await
                    .unwrap()
                    .expect("it is linked");
                sealed.tokens
            }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!second.is_finished(), "it waits");
        first.set_oauth_tokens::<Person>(&(), account, Some("refreshed"), None, 20).await.unwrap();
        first.commit().await.unwrap();
        assert_eq!(second.await.unwrap().as_deref(), Some("refreshed"));
    })
    .await;
}

#[tokio::test]
async fn accounts_go_with_their_user_where_no_foreign_key_sees_to_it() {
    with_database(async |database| {
        database.migrate::<Person>(SchemaMode::Managed).await.unwrap();
        let ada = register::<Person>(database, &(), "ada@example.com").await;
        link::<Person>(database, &(), ada, ISSUER, "7", 10).await.unwrap();
        let blind = place::without_foreign_keys(database).await;
        let mut transaction = blind.begin().await.unwrap();
        assert!(transaction.delete_user::<Person>(&(), ada).await.unwrap());
        transaction.commit().await.unwrap();
        assert!(blind.oauth_account_by_identity::<Person>(&(), ISSUER, "7").await.unwrap().is_none());
    })
    .await;
}
