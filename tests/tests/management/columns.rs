//! Columns of every kind, from a request's body to the row and back, on each database.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use users_runtime::{Password, sqlx::types::Json};
use users_tests::{On, PASSWORD};
use uuid::Uuid;

use crate::support::Server;

/// An enum that is stored as text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "VARCHAR", rename_all = "snake_case")]
pub enum Colour {
    #[default]
    Red,
    DeepBlue,
}

/// An enum that is stored as a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[repr(i32)]
pub enum Size {
    #[default]
    Small = 1,
    Large = 20,
}

/// A text of the application's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Nickname(pub String);

/// What is stored as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub theme: String,
    pub sizes: Vec<i64>,
}

/// One column of each kind, each also as one that may be absent.
#[allow(
    clippy::large_stack_arrays,
    reason = "what a struct of so many columns says of itself is a long list"
)]
#[users_runtime::users_app(auth = "session", routes(auth, register, current_user, users, roles, docs))]
pub mod museum {
    use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
    use users_runtime::{PasswordHash, UserModel, sqlx::types::Json};
    use uuid::Uuid;

    use super::{Colour, Nickname, Settings, Size};

    #[derive(Clone, Debug, UserModel)]
    #[user(table = "exhibits")]
    pub struct Exhibit {
        #[user(id)]
        pub id: Uuid,
        #[user(identifier)]
        pub email: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
        #[user(filter)]
        pub text: String,
        #[user(filter)]
        pub text_option: Option<String>,
        #[user(filter)]
        pub flag: bool,
        pub flag_option: Option<bool>,
        #[user(filter(range), sort)]
        pub small: i16,
        #[user(filter(range), sort)]
        pub medium: i32,
        #[user(filter(range), sort)]
        pub large: i64,
        pub large_option: Option<i64>,
        #[user(filter(range), sort)]
        pub ratio: f64,
        pub ratio_option: Option<f64>,
        #[user(filter)]
        pub key: Uuid,
        #[user(filter)]
        pub key_option: Option<Uuid>,
        #[user(filter(range), sort)]
        pub at: DateTime<Utc>,
        pub at_option: Option<DateTime<Utc>>,
        #[user(filter(range), sort)]
        pub day: NaiveDate,
        pub local: NaiveDateTime,
        #[user(filter)]
        pub colour: Colour,
        pub colour_option: Option<Colour>,
        #[user(filter)]
        pub size: Size,
        pub nickname: Nickname,
        pub settings: Json<Settings>,
        pub settings_option: Option<Json<Settings>>,
    }
}

/// The timestamps of the other crate.
#[users_runtime::users_app(auth = "session", routes(auth, register, current_user, users, roles, docs))]
pub mod clock {
    use sqlx::types::time::{Date, OffsetDateTime};
    use users_runtime::{PasswordHash, UserModel};
    use uuid::Uuid;

    #[derive(Clone, Debug, UserModel)]
    pub struct Watch {
        #[user(id)]
        pub id: Uuid,
        #[user(identifier)]
        pub email: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
        #[user(read_only, default = OffsetDateTime::UNIX_EPOCH, sort)]
        pub wound_at: OffsetDateTime,
        #[user(read_only, default = None)]
        pub broke_at: Option<OffsetDateTime>,
        #[user(read_only, default = OffsetDateTime::UNIX_EPOCH.date(), exclude(read))]
        pub built_on: Date,
    }
}

/// Two moments far apart. A moment in UTC is a `TIMESTAMP` to MySQL on its way into the column, and MariaDB turns one that
/// such a type cannot hold into nothing.
const BOUNDS: On<(&str, &str)> = On {
    sqlite: ("1969-12-31T23:59:59Z", "9999-12-31T00:00:00Z"),
    postgres: ("1969-12-31T23:59:59Z", "9999-12-31T00:00:00Z"),
    mysql: ("1970-01-01T00:00:01Z", "2038-01-19T03:14:07Z"),
};

fn full() -> Value {
    json!({
        "text": "naïve 'quote\" \\ ? $1 💡",
        "text_option": "",
        "flag": true,
        "flag_option": false,
        "small": -32768,
        "medium": 2_147_483_647,
        "large": i64::MIN,
        "large_option": i64::MAX,
        "ratio": 0.1,
        "ratio_option": -1.5e300,
        "key": "067e6162-3b6f-4ae2-a171-2470b63dff00",
        "key_option": "ffffffff-ffff-4fff-bfff-ffffffffffff",
        "at": "2024-02-29T23:59:59.123456Z",
        "at_option": BOUNDS.chosen().0,
        "day": "2000-02-29",
        "local": "2024-02-29T12:00:00.000001",
        "colour": "deep_blue",
        "colour_option": "red",
        "size": "Large",
        "nickname": "Countess",
        "settings": {"theme": "dark", "sizes": [1, 2]},
        "settings_option": {"theme": "", "sizes": []},
    })
}

fn options() -> Vec<String> {
    let keys = full().as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    keys.into_iter().filter(|key| key.ends_with("_option")).collect()
}

#[tokio::test]
async fn every_kind_comes_back_as_it_went() {
    let museum = Server::<museum::App>::start().await;
    let client = museum.client();
    let mut body = full();
    body["email"] = json!("ada@example.com");
    body["password"] = json!(PASSWORD);
    let registered = client.post("/register", &body).await.expect(201, "").json();
    client.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    let me = client.me().await.expect(200, "").json();
    assert_eq!(me, registered);
    for (key, value) in full().as_object().expect("an object") {
        assert_eq!(&me[key], value, "{key}");
    }
    // Each alone, to something else and back, and to nothing.
    let mut other = full();
    for (key, value) in [
        ("text", json!("x")),
        ("flag", json!(false)),
        ("small", json!(32767)),
        ("medium", json!(-2_147_483_648_i64)),
        ("large", json!(0)),
        ("ratio", json!(-0.25)),
        ("key", json!(Uuid::nil())),
        ("at", json!(BOUNDS.chosen().1)),
        ("day", json!("1000-01-01")),
        ("local", json!("1999-12-31T23:59:59")),
        ("colour", json!("red")),
        ("size", json!("Small")),
        ("nickname", json!("")),
        ("settings", json!({"theme": "light", "sizes": [-1]})),
    ] {
        other[key] = value.clone();
        let changed = client.patch("/users/me", &json!({key: value})).await.expect(200, "").json();
        assert_eq!(changed[key], other[key], "{key}");
    }
    for key in options() {
        let changed = client.patch("/users/me", &json!({&key: null})).await.expect(200, "").json();
        assert_eq!(changed[&key], Value::Null, "{key}");
    }
    let back = client.patch("/users/me", &full()).await.expect(200, "").json();
    assert_eq!(back, me);
    for (key, value) in [
        ("small", json!(32768)),
        ("medium", json!(2_147_483_648_i64)),
        ("large", json!(1.5)),
        ("key", json!("x")),
        ("at", json!("yesterday")),
        ("day", json!("2023-02-29")),
        ("colour", json!("green")),
        ("size", json!(1)),
        ("settings", json!({"theme": 1})),
    ] {
        let answer = client.patch("/users/me", &json!({key: value})).await.expect(422, "validation_failed");
        assert!(answer.fields()[0].starts_with(key), "{key}: {:?}", answer.fields());
    }
    assert_eq!(client.me().await.json(), me);
}

#[tokio::test]
async fn lists_filter_and_sort_by_every_kind() {
    let museum = Server::<museum::App>::start().await;
    let client = museum.client();
    for number in 0_u32..4 {
        let time = |offset: u32| DateTime::from_timestamp(i64::from(offset) * 86_400, 5_000).expect("a time");
        let user = museum::ExhibitRegistration {
            email: format!("exhibit{number}@example.com"),
            password: Password::new(PASSWORD),
            text: format!("text {number}"),
            text_option: (number % 2 == 0).then(|| "even".to_owned()),
            flag: number > 1,
            flag_option: None,
            small: i16::try_from(number).expect("small") - 2,
            medium: 1,
            large: -i64::from(number),
            large_option: None,
            ratio: f64::from(number) / 3.0,
            ratio_option: None,
            key: Uuid::from_u128(u128::from(number)),
            key_option: None,
            at: time(number),
            at_option: None,
            day: NaiveDate::from_ymd_opt(2000, 1, number + 1).expect("a day"),
            local: NaiveDateTime::default(),
            colour: if number == 3 { Colour::DeepBlue } else { Colour::Red },
            colour_option: None,
            size: if number == 0 { Size::Large } else { Size::Small },
            nickname: Nickname::default(),
            settings: Json(Settings::default()),
            settings_option: None,
        };
        let user = museum.users.create_user(user).await.expect("a new account");
        if number == 0 {
            museum.users.grant(user.id, "administrator").await.expect("a role");
        }
    }
    client.log_in("exhibit0@example.com", PASSWORD).await.expect(201, "");
    let found = async |query: &str| -> String {
        let list = client.get(&format!("/users?{query}")).await.expect(200, "").json();
        let email = |user: &Value| user["email"].as_str().expect("an address").replace("@example.com", "");
        let numbers = list["items"].as_array().expect("items").iter().map(email);
        numbers.map(|email| email.replace("exhibit", "")).collect()
    };
    for (query, expected) in [
        ("text=text%202", "2"),
        ("text_option=even&sort=email", "02"),
        ("flag=true&sort=email", "23"),
        ("small_min=-1&small_max=0&sort=email", "12"),
        ("large_max=-2&sort=large", "32"),
        ("ratio_min=0.5&sort=-ratio", "32"),
        ("key=00000000-0000-0000-0000-000000000002", "2"),
        ("key_option=00000000-0000-0000-0000-000000000002", ""),
        ("at_min=1970-01-03T00:00:00Z&sort=at", "23"),
        ("day_max=2000-01-02&sort=-day", "10"),
        ("colour=deep_blue", "3"),
        ("size=Large", "0"),
        ("sort=small", "0123"),
        ("sort=-at", "3210"),
    ] {
        assert_eq!(found(query).await, expected, "{query}");
    }
    // Cursors carry each kind.
    for sort in ["small", "medium", "large", "ratio", "at", "day", "-at", "-day", "-ratio"] {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = client.get(&format!("/users?limit=1&sort={sort}{after}")).await.expect(200, "").json();
            all.extend(page["items"].as_array().expect("items").iter().map(|user| user["email"].to_string()));
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!((count, all.len()), (4, 4), "{sort}");
    }
    for (query, field) in
        [("size=1", "size"), ("colour=green", "colour"), ("at_min=now", "at_min"), ("key=1", "key")]
    {
        let answer = client.get(&format!("/users?{query}")).await.expect(422, "validation_failed");
        assert_eq!(answer.fields(), [format!("{field}: invalid_type")], "{}", answer.text);
    }
}

#[tokio::test]
async fn timestamps_of_time_are_stored_and_sorted_by() {
    use sqlx::types::time::OffsetDateTime;
    let server = Server::<clock::App>::start().await;
    let registration =
        |email: &str| clock::WatchRegistration { email: email.to_owned(), password: Password::new(PASSWORD) };
    let one = server.users.create_user(registration("one@example.com")).await.expect("a new account");
    server.users.create_user(registration("two@example.com")).await.expect("a new account");
    let stored = server.users.user(one.id).await.expect("an answer").expect("it is there");
    assert_eq!((stored.wound_at, stored.broke_at), (OffsetDateTime::UNIX_EPOCH, None));
    let query = users_runtime::ListQuery::new().with_sort("wound_at").with_limit(1);
    let page = server.users.list_users(query).await.expect("a page");
    let next = page.next.expect("another page");
    let query = users_runtime::ListQuery::new().with_sort("wound_at").with_after(next);
    let rest = server.users.list_users(query).await.expect("a page");
    assert_eq!((rest.items.len(), rest.next), (1, None));
    assert_ne!(rest.items[0].id, page.items[0].id);
}
