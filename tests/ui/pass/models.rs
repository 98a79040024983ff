//! Structs that are users: of every key, identifier, field and visibility.

#![deny(warnings, missing_docs)]

/// The user of the README, with each argument that a field takes.
pub mod complete {
    use users_runtime::{PasswordHash, UserModel, Violation};
    use uuid::Uuid;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "rules are handed the value by reference")]
    fn even(value: &i64) -> Result<(), Violation> {
        if value % 2 == 0 { Ok(()) } else { Err(Violation::new("odd", "has to be even")) }
    }

    const MOST: i64 = 150;

    /// A user.
    #[derive(UserModel)]
    #[user(table = "members")]
    pub struct Member {
        /// The key.
        #[user(id, column = "pk")]
        pub id: Uuid,
        /// The address.
        #[user(identifier, canonical = "email_lower")]
        pub email: String,
        #[user(password_hash)]
        #[sqlx(rename = "pwd")]
        password_hash: PasswordHash,
        /// Whether the account may be used.
        #[user(active)]
        pub is_active: bool,
        /// Whether the mailbox is proven.
        #[user(verified)]
        pub is_verified: bool,
        /// A key of JSON and a column that is a word of the language.
        #[user(default = "plain", sql_type = "VARCHAR(20)", exclude(admin_update))]
        pub r#type: String,
        /// Years.
        #[user(validate = range(0, MOST), validate = custom(even), default = 30)]
        pub age: i64,
        /// Shown to others.
        #[user(validate = length(2, 40))]
        pub display_name: Option<String>,
        /// Another address.
        #[user(validate = email)]
        pub contact: Option<String>,
        /// Counted by nobody.
        #[user(read_only)]
        pub login_count: i64,
        /// What nobody sees.
        #[user(exclude(read))]
        pub note: Option<String>,
        /// A hash from before, which no DTO carries.
        #[user(exclude(read), read_only, default = PasswordHash::from_phc(""))]
        pub old_hash: PasswordHash,
        /// A field that is there.
        #[cfg(not(any()))]
        pub present: bool,
        /// A field that is not there, of a type that is not either.
        #[cfg(any())]
        pub absent: Absent,
    }
}

/// A name to log in with, a mailbox beside it, and a key that the database assigns.
pub mod named {
    use users_runtime::{PasswordHash, UserModel};

    /// A user.
    #[derive(Clone, Debug, UserModel)]
    pub struct Account {
        /// The key.
        #[user(id)]
        pub key: i64,
        /// The name.
        #[user(identifier = username)]
        pub name: String,
        #[user(password_hash)]
        hash: PasswordHash,
        /// The mailbox.
        #[user(mailbox)]
        pub mail: Option<String>,
    }
}

/// Columns of many types.
pub mod columns {
    use serde::{Deserialize, Serialize};
    use users_runtime::{PasswordHash, UserModel};

    /// A column of the application's own type.
    #[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize, sqlx::Type)]
    #[serde(rename_all = "snake_case")]
    #[sqlx(rename_all = "snake_case")]
    pub enum Plan {
        /// Nothing to pay.
        #[default]
        Free,
        /// Something to pay.
        Paid,
    }

    /// What a column holds as JSON.
    #[derive(Clone, Debug, Default, Deserialize, Serialize)]
    pub struct Address {
        /// The city.
        pub city: String,
    }

    /// A user.
    #[derive(UserModel)]
    pub struct Wide {
        /// The key.
        #[user(id)]
        pub id: uuid::Uuid,
        /// The address.
        #[user(identifier)]
        pub email: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
        /// Bytes.
        pub avatar: Vec<u8>,
        /// A number.
        pub height: f64,
        /// A flag.
        pub newsletter: bool,
        /// Small numbers.
        pub level: i32,
        /// A key of something else.
        pub team: Option<uuid::Uuid>,
        /// JSON.
        pub address: sqlx::types::Json<Address>,
        /// JSON that may be absent.
        pub second: Option<sqlx::types::Json<Address>>,
        /// A day.
        pub born: Option<chrono::NaiveDate>,
        /// A moment of chrono's.
        #[user(read_only)]
        pub joined: chrono::DateTime<chrono::Utc>,
        /// A moment of time's.
        #[user(read_only, default = sqlx::types::time::OffsetDateTime::UNIX_EPOCH)]
        pub seen: sqlx::types::time::OffsetDateTime,
        /// An enum.
        #[user(default = Plan::Free)]
        pub plan: Plan,
        /// An enum that may be absent.
        pub next: Option<Plan>,
    }
}

/// A struct that nobody else sees, and one that a part of the program sees.
pub mod hidden {
    use users_runtime::{PasswordHash, UserModel};

    #[derive(UserModel)]
    struct Private {
        #[user(id)]
        id: i64,
        #[user(identifier)]
        email: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
        score: i64,
    }

    #[derive(UserModel)]
    pub(crate) struct Internal {
        #[user(id)]
        id: i64,
        #[user(identifier)]
        email: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
        #[user(exclude(update))]
        score: i64,
    }

    pub(crate) fn score(text: &str) -> Result<i64, serde_json::Error> {
        let private: PrivateRegistration = serde_json::from_str(text)?;
        Ok(private.score)
    }

    pub(crate) fn tables() -> [&'static str; 2] {
        use users_runtime::{Stored, sqlx::Sqlite};
        [<Private as Stored<Sqlite>>::SQL.table, <Internal as Stored<Sqlite>>::SQL.table]
    }
}

/// A struct that another macro writes.
pub mod written_by_a_macro {
    macro_rules! user {
        ($name:ident, $id:ident: $key:ty, $extra:ident: $ty:ty) => {
            /// A user.
            #[derive(users_runtime::UserModel)]
            pub struct $name {
                /// The key.
                #[user(id)]
                pub $id: $key,
                /// The address.
                #[user(identifier)]
                pub email: String,
                #[user(password_hash)]
                password_hash: users_runtime::PasswordHash,
                /// Of the caller's type.
                #[user(validate = range(0, 9))]
                pub $extra: $ty,
            }
        };
    }

    user!(Made, id: i64, score: Option<i64>);
}

fn main() {
    use users_runtime::{RegistrationDto, Stored, UpdateDto, UserModel, sqlx::Sqlite};

    let update: complete::MemberUpdate =
        serde_json::from_str(r#"{"type": "x", "display_name": null}"#).unwrap();
    assert_eq!(update.r#type.as_deref(), Some("x"));
    assert_eq!(update.display_name, Some(None));
    assert!(update.changes_own_fields());
    assert_eq!(<complete::Member as Stored<Sqlite>>::columns()[0].name, "pk");
    assert!(<complete::Member as Stored<Sqlite>>::columns().iter().any(|column| column.name == "present"));
    let unknown = serde_json::from_str::<complete::MemberAdminUpdate>(r#"{"type": "x"}"#);
    assert!(unknown.unwrap_err().to_string().contains("unknown field"));

    let named = <named::Account as UserModel>::IDENTIFIER;
    assert_eq!(named.field, "name");

    let wide = r#"{"email": "a@example.com", "password": "x", "avatar": [1], "height": 1.5, "newsletter": true,
        "level": 3, "address": {"city": "Bonn"}, "plan": "paid"}"#;
    let wide: columns::WideRegistration = serde_json::from_str(wide).unwrap();
    assert_eq!(wide.identifier(), "a@example.com");
    assert_eq!((wide.plan, wide.next), (Some(columns::Plan::Paid), None));
    let lacking = serde_json::from_str::<columns::WideRegistration>("{}").unwrap_err();
    assert!(lacking.to_string().contains("missing field `email`"), "{lacking}");

    assert_eq!(hidden::tables(), ["\"privates\"", "\"internals\""]);
    assert_eq!(hidden::score(r#"{"email": "a", "password": "b", "score": 1}"#).unwrap(), 1);
    let internal: hidden::InternalRegistration =
        serde_json::from_str(r#"{"email": "a", "password": "b", "score": 2}"#).unwrap();
    assert_eq!(internal.score, 2);

    let read = written_by_a_macro::MadeRead { id: 7, email: "a@example.com".to_owned(), score: Some(3) };
    assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"id":7,"email":"a@example.com","score":3}"#);
}
