//! A table of users in a file of SQLite.

use std::{fs, io::ErrorKind, path::PathBuf};

use sqlx::{
    AssertSqlSafe, Connection, Executor, QueryBuilder, SqliteConnection, query, query_as, query_scalar,
    raw_sql,
};

use crate::{
    Failure,
    people::{People, Person},
    target::{Seeded, seed},
};

/// How many rows one statement stores.
const ROWS_AT_ONCE: usize = 1_000;

/// The folder, and who is in the table.
#[derive(Debug)]
pub struct SqlitePlace {
    pub folder: PathBuf,
    pub people: People,
}

impl SqlitePlace {
    fn path(&self, end: &str) -> PathBuf {
        self.folder.join(format!("users_{}.db{end}", self.people.count))
    }

    pub fn url(&self) -> String {
        format!("sqlite://{}", self.path("").display())
    }

    pub fn remove(&self) -> Result<(), Failure> {
        for end in ["", "-wal", "-shm"] {
            match fs::remove_file(self.path(end)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    pub async fn fill(&self) -> Result<(), Failure> {
        if self.is_filled().await {
            return Ok(());
        }
        eprintln!("filling {} ...", self.path("").display());
        self.remove()?;
        fs::create_dir_all(&self.folder)?;
        let seeded = seed(&self.url()).await?;
        let mut connection = SqliteConnection::connect(&self.url()).await?;
        connection.execute(raw_sql("PRAGMA synchronous = OFF; PRAGMA cache_size = -500000")).await?;
        // Indexes are made faster of a full table.
        let indexes: Vec<(String, String)> = query_as(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'users' AND sql IS NOT NULL",
        )
        .fetch_all(&mut connection)
        .await?;
        for (name, _) in &indexes {
            query(AssertSqlSafe(format!("DROP INDEX {name}"))).execute(&mut connection).await?;
        }
        self.insert(&mut connection, &seeded).await?;
        for (_, definition) in indexes {
            query(AssertSqlSafe(definition)).execute(&mut connection).await?;
        }
        connection.execute(raw_sql("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)")).await?;
        connection.close().await?;
        // On the disk, so that writing it back does not run beside the measurement.
        fs::File::open(self.path(""))?.sync_all()?;
        Ok(())
    }

    async fn is_filled(&self) -> bool {
        let Ok(mut connection) = SqliteConnection::connect(&self.url()).await else { return false };
        let count = query_scalar::<_, i64>("SELECT COUNT(*) FROM users").fetch_one(&mut connection).await;
        count.is_ok_and(|count| u64::try_from(count) == Ok(self.people.count))
    }

    async fn insert(&self, connection: &mut SqliteConnection, seeded: &Seeded) -> Result<(), Failure> {
        let mut transaction = connection.begin().await?;
        let mut people = self.people.all();
        loop {
            let chunk: Vec<Person> = people.by_ref().take(ROWS_AT_ONCE).collect();
            if chunk.is_empty() {
                break;
            }
            let members: Vec<_> =
                chunk.iter().filter(|person| person.has_role).map(|person| person.id).collect();
            let mut users = QueryBuilder::new(
                "INSERT INTO users (id, email, email_canonical, password_hash, is_active, is_verified, \
                 display_name) ",
            );
            users.push_values(chunk, |mut row, person| {
                row.push_bind(person.id)
                    .push_bind(person.email.clone())
                    .push_bind(person.email)
                    .push_bind(seeded.hash.as_str())
                    .push_bind(person.is_active)
                    .push_bind(true)
                    .push_bind(person.name);
            });
            users.build().execute(&mut *transaction).await?;
            if members.is_empty() {
                continue;
            }
            let mut roles = QueryBuilder::new("INSERT INTO users_role_members (user_id, role_id) ");
            roles.push_values(members, |mut row, id| {
                row.push_bind(id).push_bind(seeded.role);
            });
            roles.build().execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
