//! What is done with a database, in which order.

use super::{
    super::steps::{Catalog, apply, drift, migrate},
    *,
};
use crate::error::Error;

/// A database that has the tables it is given and remembers what it was told to do.
#[derive(Default)]
struct Recorder {
    tables: Vec<(&'static str, Found)>,
    version: Option<i64>,
    done: Vec<String>,
}

impl Catalog for Recorder {
    const DIALECT: Dialect = Dialect::MySql;

    async fn find(&mut self, table: &str) -> Result<Option<Found>, Error> {
        Ok(self.tables.iter().find(|(name, _)| *name == table).map(|(_, found)| found.clone()))
    }

    async fn unknown_types(&mut self, _table: &Table) -> Result<Vec<String>, Error> {
        Ok(Vec::new())
    }

    async fn run(&mut self, statement: &str) -> Result<(), sqlx::Error> {
        self.done.push(statement.split('(').next().unwrap_or_default().trim().to_owned());
        Ok(())
    }

    async fn version(&mut self) -> Result<Option<i64>, Error> {
        Ok(self.version)
    }

    async fn note_version(&mut self, version: i64) -> Result<(), Error> {
        self.done.push(format!("version {version}"));
        Ok(())
    }
}

fn models() -> Tables {
    let roles = Table {
        name: "users_roles".to_owned(),
        columns: vec![column("id", "BIGINT", Id), column("name", "VARCHAR", ColumnRole::RoleName)],
        identifier_length: 0,
        owner: None,
    };
    Tables {
        users: model(Dialect::MySql),
        roles: Some(roles),
        oauth_accounts: Some(accounts(Dialect::MySql)),
    }
}

#[tokio::test]
async fn the_version_is_noted_after_the_tables() {
    let mut catalog = Recorder::default();
    migrate(&mut catalog, &models(), SchemaMode::Managed).await.unwrap();
    let created = |name: &str| format!("CREATE TABLE IF NOT EXISTS {name}");
    let expected = [
        created("`users`"),
        created("`users_roles`"),
        created("`users_oauth_accounts`"),
        created("users_migrations"),
        created("users_sessions"),
        created("users_one_time_tokens"),
        created("users_outbox"),
        created("users_entries"),
        created("users_invitations"),
        created("users_events"),
        created("users_deletions"),
        created("users_imports"),
        "version 1".to_owned(),
        created("users_role_members"),
    ];
    assert_eq!(catalog.done, expected);
}

#[tokio::test]
async fn a_model_without_roles_has_no_tables_of_them() {
    let mut catalog = Recorder::default();
    let tables = Tables { roles: None, ..models() };
    migrate(&mut catalog, &tables, SchemaMode::Managed).await.unwrap();
    assert!(catalog.done.iter().all(|statement| !statement.contains("role")), "{:?}", catalog.done);
}

#[tokio::test]
async fn a_model_without_linked_accounts_has_no_table_of_them() {
    let mut catalog = Recorder::default();
    let tables = Tables { oauth_accounts: None, ..models() };
    migrate(&mut catalog, &tables, SchemaMode::Managed).await.unwrap();
    assert!(catalog.done.iter().all(|statement| !statement.contains("oauth")), "{:?}", catalog.done);
}

#[tokio::test]
async fn linked_accounts_come_to_a_database_that_is_in_use() {
    let mut catalog = Recorder::default();
    migrate(&mut catalog, &Tables { oauth_accounts: None, ..models() }, SchemaMode::Managed).await.unwrap();
    catalog.tables.push(("users", made(Dialect::MySql, &model(Dialect::MySql))));
    let mut roles = made(Dialect::MySql, models().roles.as_ref().unwrap());
    roles.columns[0].has_default = true;
    catalog.tables.push(("users_roles", roles));
    catalog.tables.push(("users_role_members", found(Vec::new())));
    catalog.version = Some(1);
    catalog.done.clear();
    migrate(&mut catalog, &models(), SchemaMode::Managed).await.unwrap();
    assert_eq!(catalog.done, ["CREATE TABLE IF NOT EXISTS `users_oauth_accounts`"]);
}

#[tokio::test]
async fn nothing_is_written_when_a_table_does_not_fit() {
    let mut there = made(Dialect::MySql, &model(Dialect::MySql));
    there.columns.retain(|column| column.name != "age");
    for mode in [SchemaMode::Managed, SchemaMode::External] {
        let mut catalog = Recorder { tables: vec![("users", there.clone())], ..Recorder::default() };
        let started = migrate(&mut catalog, &models(), mode).await.unwrap_err().to_string();
        let applied = apply(&mut catalog, &models(), mode).await.unwrap_err().to_string();
        assert!(
            started.starts_with("the table `users` does not fit the struct:\n  - column `age`: "),
            "{started}"
        );
        assert!(applied.contains("sql_default") && !started.contains("sql_default"), "{applied}");
        assert!(!drift(&mut catalog, &models()).await.unwrap().is_empty());
        assert!(catalog.done.is_empty(), "{:?}", catalog.done);
    }
}

#[tokio::test]
async fn tables_of_somebody_else_are_never_touched() {
    let mut catalog = Recorder::default();
    for message in [
        migrate(&mut catalog, &models(), SchemaMode::External).await.unwrap_err().to_string(),
        apply(&mut catalog, &models(), SchemaMode::External).await.unwrap_err().to_string(),
    ] {
        assert!(message.contains("expected the table `users`, found none; run: CREATE TABLE"), "{message}");
        assert!(!message.contains("users_roles") && !message.contains("oauth"), "{message}");
    }
    assert!(catalog.done.is_empty());
    let mut there = made(Dialect::MySql, &model(Dialect::MySql));
    there.indexes.retain(|index| index.unique);
    catalog.tables.push(("users", there));
    let done = apply(&mut catalog, &models(), SchemaMode::External).await.unwrap();
    assert!(done[0].starts_with("CREATE TABLE IF NOT EXISTS `users_roles`"), "{done:?}");
    assert!(done[1].starts_with("CREATE TABLE IF NOT EXISTS `users_oauth_accounts`"), "{done:?}");
    assert!(done.iter().all(|statement| !statement.contains("ON `users` (")), "{done:?}");
}

#[tokio::test]
async fn a_newer_version_is_refused() {
    let mut catalog = Recorder { version: Some(999), ..Recorder::default() };
    let message = migrate(&mut catalog, &models(), SchemaMode::Managed).await.unwrap_err().to_string();
    assert!(message.contains("at version 999") && message.contains("newer program"), "{message}");
    assert!(apply(&mut catalog, &models(), SchemaMode::Managed).await.is_err());
    assert!(drift(&mut catalog, &models()).await.is_err());
    assert!(catalog.done.is_empty());
}
