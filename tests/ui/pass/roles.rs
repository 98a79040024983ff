//! Roles with columns of their own, tenants, lists, and the names that a program knows.

#![deny(warnings, missing_docs)]

extern crate users_runtime as renamed;

/// Nothing is in scope here but what is written.
pub mod bare {
    #![no_implicit_prelude]

    /// A role.
    #[derive(::core::clone::Clone, ::core::fmt::Debug, ::renamed::RoleModel)]
    #[role(crate = ::renamed, table = "ranks")]
    pub struct Rank {
        /// The name.
        #[role(name, validate = length(2, 20))]
        pub title: ::std::string::String,
        /// The key.
        #[role(id, column = "pk")]
        pub key: ::core::primitive::i64,
        /// Who outranks whom.
        #[role(default = 1, validate = range(1, 9), sql_default = "1")]
        pub level: ::core::primitive::i64,
        /// What it is for.
        pub note: ::core::option::Option<::std::string::String>,
        /// A day that the library counts.
        #[role(read_only)]
        pub used: ::core::primitive::i64,
        /// What nobody sees.
        #[role(exclude(read, update))]
        pub origin: ::core::option::Option<::std::string::String>,
    }

    /// The roles that the program knows.
    #[derive(::core::clone::Clone, ::core::marker::Copy, ::renamed::Roles)]
    #[roles(crate = ::renamed)]
    pub enum Known {
        /// Everything.
        Administrator,
        /// What is sold.
        HeadOfSales,
        /// Figures.
        #[roles(name = "buchhaltung")]
        Accountant,
    }

    /// A user.
    #[derive(::renamed::UserModel)]
    #[user(crate = ::renamed, role = Rank)]
    pub struct Member {
        /// The key.
        #[user(id)]
        pub id: ::core::primitive::i64,
        /// The club.
        #[user(tenant, column = "club")]
        pub club_id: ::std::string::String,
        /// The address.
        #[user(identifier)]
        pub email: ::std::string::String,
        #[user(password_hash)]
        password_hash: ::renamed::PasswordHash,
        /// Whether the account may be used.
        #[user(active)]
        pub enabled: ::core::primitive::bool,
        /// Years.
        #[user(filter(range), sort, sql_default = "0")]
        pub age: ::core::primitive::i64,
        /// A word of the language.
        #[user(filter, sql_type(postgres = "TEXT", mysql = "VARCHAR(99)"))]
        pub r#type: ::core::option::Option<::std::string::String>,
        /// A number that is sorted by alone.
        #[user(sort)]
        pub key: ::core::primitive::i64,
        /// A number that is filtered by alone.
        #[user(filter)]
        pub value: ::core::primitive::i64,
        /// What no import brings.
        #[user(read_only, exclude(import))]
        pub points: ::core::primitive::i64,
    }
}

/// Users without roles, whose keys the program makes.
pub mod alone {
    use users_runtime::{NoRoles, PasswordHash, UserModel};
    use uuid::Uuid;

    /// A user.
    #[derive(UserModel)]
    #[user(role = NoRoles)]
    pub struct User {
        /// The key.
        #[user(id)]
        pub id: Uuid,
        /// The tenant, which no response shows.
        #[user(tenant, exclude(read))]
        pub tenant: Uuid,
        /// The name.
        #[user(identifier = username)]
        pub name: String,
        #[user(password_hash, exclude(import))]
        password_hash: PasswordHash,
    }
}

fn guard<U: renamed::UserModel>(_: impl renamed::Guard<U>) {}

fn main() {
    use bare::{Known, Member, MemberFilter, MemberImport, Rank};
    use renamed::{
        ImportDto, NewUser, RoleModel, RoleName, RoleUpdateDto, Roles, Stored, StoredRole, UserModel,
        sqlx::{MySql, Postgres, Sqlite},
    };

    let names: Vec<_> = Known::ALL.iter().map(RoleName::role_name).collect();
    assert_eq!(names, ["administrator", "head_of_sales", "buchhaltung"]);
    guard::<Member>(Known::Accountant);

    let made = Rank::named(0, "editor".to_owned());
    assert_eq!((made.name(), made.level, made.id()), ("editor", 1, 0));
    let read = serde_json::to_value(made.with_id(7).to_read()).unwrap();
    assert_eq!(read, serde_json::json!({"title": "editor", "key": 7, "level": 1, "note": null, "used": 0}));
    let update: bare::RankUpdate = serde_json::from_str(r#"{"note": null}"#).unwrap();
    assert!(update.changes_own_fields() && update.name().is_none());
    assert_eq!(<Rank as StoredRole<MySql>>::SQL.name, "`title`");
    assert_eq!(<Rank as StoredRole<Postgres>>::SQL.name, "\"title\"");

    let filter: MemberFilter = serde_json::from_str(r#"{"age_min": 18, "enabled": true}"#).unwrap();
    assert_eq!((filter.age_min, filter.age_max, filter.enabled), (Some(18), None, Some(true)));
    assert!(serde_json::from_str::<MemberFilter>(r#"{"password_hash": "x"}"#).is_err());

    let import = r#"{"email": "a@example.com", "password_hash": "secret", "age": 30, "key": 4, "value": 5}"#;
    let import: MemberImport = serde_json::from_str(import).unwrap();
    assert_eq!((import.id(), import.password_hash(), import.active()), (None, Some("secret"), None));
    assert!(!format!("{import:?}").contains("secret"));
    let new = NewUser {
        id: 9,
        identifier: "a@example.com".to_owned(),
        password_hash: renamed::PasswordHash::from_phc("x"),
        active: true,
        verified: false,
        tenant: "chess".to_owned(),
    };
    let member = Member::from_import(import, new);
    assert_eq!((member.id, member.tenant(), member.points), (9, "chess".to_owned(), 0));
    assert_eq!(member.sort_value("age").unwrap().unwrap(), 30);
    assert!(member.sort_value("password_hash").is_none());
    let sorts: Vec<_> = <Member as Stored<Sqlite>>::SQL.list.sorts.iter().map(|sort| sort.key).collect();
    assert_eq!(sorts, ["age", "key"]);
    assert!(<Member as Stored<MySql>>::SQL.by_id.contains("LEFT JOIN `ranks` r ON r.`pk` = m.role_id"));
    assert!(
        <alone::User as Stored<Postgres>>::SQL.by_id.ends_with(r#"WHERE u."id" = $1 AND u."tenant" = $2"#)
    );
    let refused = serde_json::from_str::<alone::UserImport>(r#"{"name": "a", "password_hash": "x"}"#);
    assert!(refused.unwrap_err().to_string().contains("unknown field"));
}
