//! An application with everything that a document can say, and ways to look into one.

use serde_json::Value;
use users_runtime::{Application, Config, SecretKey, Users, UsersRouter, utoipa::openapi::OpenApi};
use users_tests::Database;

/// A shop with paths and tags of its own, types of its own in columns, and the model of users of the same name as that
/// of roles.
#[users_runtime::users_app(
    auth = ["jwt_cookie", "session"],
    role = roles::Member,
    routes(
        auth(login = "/sign-in", tag = "Door"),
        register(tag = "Door"),
        verify,
        password_reset,
        current_user(path = "/me", delete),
        users(path = "/people"),
        roles(path = "/groups", assign = "/groups/give", revoke = "/groups/take"),
        sessions(path = "/me/logins"),
        tokens,
        docs(path = "/api/reference", tag = "About"),
    )
)]
pub mod shop {
    use serde::{Deserialize, Serialize};
    use sqlx::types::{
        Json,
        chrono::{DateTime, NaiveDate, NaiveDateTime, Utc},
    };
    use users_runtime::{
        PasswordHash, UserModel,
        utoipa::{self, ToSchema},
    };
    use uuid::Uuid;

    /// What a member pays.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, sqlx::Type, ToSchema)]
    #[serde(rename_all = "snake_case")]
    #[sqlx(type_name = "VARCHAR", rename_all = "snake_case")]
    pub enum Plan {
        /// Nothing.
        #[default]
        Free,
        /// A lot.
        Golden,
    }

    /// A type that does not say its form.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, sqlx::Type)]
    #[serde(rename_all = "snake_case")]
    #[sqlx(type_name = "VARCHAR", rename_all = "snake_case")]
    pub enum Mood {
        #[default]
        Fine,
        Bad,
    }

    /// What a member prefers.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
    pub struct Preferences {
        pub newsletter: bool,
        pub plans: Vec<Plan>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub struct Secretive {
        pub colour: String,
    }

    #[derive(Clone, Debug, UserModel)]
    #[user(table = "members", role = roles::Member)]
    pub struct Member {
        #[user(id)]
        pub id: i64,
        #[user(identifier = username)]
        pub name: String,
        #[user(mailbox)]
        pub mail: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
        #[user(active)]
        pub is_active: bool,
        #[user(verified)]
        pub is_verified: bool,
        /// What is on the label.
        ///
        /// In a second paragraph.
        #[user(validate = length(2, 40), filter)]
        pub label: Option<String>,
        #[user(validate = range(-5, 10_000_000_000), default = 3, filter(range), sort)]
        pub score: i64,
        #[user(validate = range(0.5, 9.5), default = 1.0)]
        pub ratio: f64,
        #[user(validate = email, default = None)]
        pub second_mail: Option<String>,
        #[user(default = Plan::Free, filter)]
        pub plan: Plan,
        #[user(default = None)]
        pub next_plan: Option<Plan>,
        #[user(default = Mood::Fine)]
        pub mood: Mood,
        #[user(default = Json(Preferences::default()))]
        pub preferences: Json<Preferences>,
        #[user(default = Json(Vec::new()))]
        pub keys: Json<Vec<Uuid>>,
        #[user(default = Json(Secretive::default()))]
        pub secretive: Json<Secretive>,
        #[user(read_only, default = DateTime::UNIX_EPOCH)]
        pub since: DateTime<Utc>,
        #[user(read_only, default = None)]
        pub until: Option<DateTime<Utc>>,
        #[user(read_only, default = DateTime::UNIX_EPOCH.date_naive())]
        pub day: NaiveDate,
        #[user(read_only, default = DateTime::UNIX_EPOCH.naive_utc())]
        pub local: NaiveDateTime,
        #[user(read_only)]
        pub small: i16,
        #[user(exclude(read, register, update))]
        pub r#type: bool,
    }

    pub mod roles {
        use users_runtime::RoleModel;

        #[derive(Clone, Debug, RoleModel)]
        #[role(table = "member_groups")]
        pub struct Member {
            #[role(id)]
            pub id: i64,
            #[role(name)]
            pub name: String,
            /// How much it may spend.
            #[role(validate = range(0, 100), default = 0)]
            pub budget: i32,
        }
    }
}

/// Settings for cookies over plain HTTP.
pub fn config() -> Config {
    Config::new(SecretKey::generate().expect("randomness")).with_app_name("Shop").with_insecure_cookies(true)
}

/// The router of an application over an empty database in memory.
pub async fn router<A: Application>(config: Config) -> UsersRouter<A>
where
    A::Auth: Default,
    A::Hooks: Default,
{
    let database = Database::in_memory().await;
    UsersRouter::new(Users::<A>::connect(database.url(), config).await.expect("it starts"))
}

pub fn json(document: &OpenApi) -> Value {
    serde_json::to_value(document).expect("JSON")
}

/// The named part of a document.
pub fn schema<'d>(document: &'d Value, name: &str) -> &'d Value {
    let schema = &document["components"]["schemas"][name];
    assert!(schema.is_object(), "there is no `{name}`");
    schema
}

/// Every operation with its method and path.
pub fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    paths
        .iter()
        .flat_map(|(path, item)| {
            let operations = item.as_object().expect("an item").iter();
            operations.map(move |(method, operation)| {
                (format!("{} {path}", method.to_ascii_uppercase()), operation)
            })
        })
        .collect()
}

/// Every value under a key, wherever it is.
pub fn every<'d>(value: &'d Value, key: &str, found: &mut Vec<&'d Value>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                if name == key {
                    found.push(value);
                }
                every(value, key, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| every(item, key, found)),
        _ => {}
    }
}
