//! A table of users in a database of its own on a PostgreSQL server.

use std::fmt::Write;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, query, query_as, query_scalar, raw_sql};
use url::Url;
use uuid::Uuid;

use crate::{
    Failure,
    people::{People, Person, Random},
    target::{Seeded, seed},
};

/// How many rows go to the server at once.
const ROWS_AT_ONCE: usize = 2_000;
/// How many users one statement reads to warm nothing in particular.
const READS_AT_ONCE: u64 = 1_000;

/// The server, and who is in the table.
#[derive(Debug)]
pub struct PostgresPlace {
    pub server: Url,
    pub people: People,
}

impl PostgresPlace {
    fn name(&self) -> String {
        format!("users_scale_{}", self.people.count)
    }

    pub fn url(&self) -> Url {
        let mut url = self.server.clone();
        url.set_path(&self.name());
        url
    }

    async fn connect(&self) -> Result<PgConnection, Failure> {
        Ok(PgConnection::connect(self.url().as_str()).await?)
    }

    async fn on_server(&self, sql: String) -> Result<(), Failure> {
        PgConnection::connect(self.server.as_str()).await?.execute(raw_sql(AssertSqlSafe(sql))).await?;
        Ok(())
    }

    pub async fn remove(&self) -> Result<(), Failure> {
        self.on_server(format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name())).await
    }

    pub async fn fill(&self) -> Result<(), Failure> {
        if self.is_filled().await {
            return Ok(());
        }
        eprintln!("filling {} ...", self.name());
        self.remove().await?;
        self.on_server(format!("CREATE DATABASE {}", self.name())).await?;
        let seeded = seed(self.url().as_str()).await?;
        let mut connection = self.connect().await?;
        // Indexes are made faster of a full table; the session's memory matters to that alone.
        query("SET maintenance_work_mem = '512MB'").execute(&mut connection).await?;
        let indexes: Vec<(String, String)> = query_as(
            "SELECT indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = 'users' \
             AND indexname <> 'users_pkey'",
        )
        .fetch_all(&mut connection)
        .await?;
        for (name, _) in &indexes {
            query(AssertSqlSafe(format!("DROP INDEX {name}"))).execute(&mut connection).await?;
        }
        self.copy(&mut connection, &seeded).await?;
        for (_, definition) in indexes {
            query(AssertSqlSafe(definition)).execute(&mut connection).await?;
        }
        // What a table that has been there for a while went through.
        connection.execute(raw_sql("VACUUM (ANALYZE)")).await?;
        connection.execute(raw_sql("CHECKPOINT")).await?;
        Ok(())
    }

    async fn is_filled(&self) -> bool {
        let Ok(mut connection) = self.connect().await else { return false };
        let count = query_scalar::<_, i64>("SELECT COUNT(*) FROM users").fetch_one(&mut connection).await;
        count.is_ok_and(|count| u64::try_from(count) == Ok(self.people.count))
    }

    async fn copy(&self, connection: &mut PgConnection, seeded: &Seeded) -> Result<(), Failure> {
        let mut users = connection
            .copy_in_raw(
                "COPY users (id, email, email_canonical, password_hash, is_active, is_verified, display_name) \
                 FROM STDIN",
            )
            .await?;
        let mut members = String::new();
        let mut rows = String::new();
        for (number, Person { id, email, name, is_active, has_role }) in self.people.all().enumerate() {
            writeln!(rows, "{id}\t{email}\t{email}\t{}\t{is_active}\ttrue\t{name}", seeded.hash)?;
            if has_role {
                writeln!(members, "{id}\t{}", seeded.role)?;
            }
            if number % ROWS_AT_ONCE == 0 {
                users.send(std::mem::take(&mut rows).into_bytes()).await?;
            }
        }
        users.send(rows.into_bytes()).await?;
        users.finish().await?;
        let mut roles =
            connection.copy_in_raw("COPY users_role_members (user_id, role_id) FROM STDIN").await?;
        roles.send(members.into_bytes()).await?;
        roles.finish().await?;
        Ok(())
    }

    /// Reads random users past the library.
    pub async fn read_anybody(&self, count: u64) -> Result<(), Failure> {
        let mut connection = self.connect().await?;
        let mut random = Random::from_clock();
        for _ in 0..count / READS_AT_ONCE {
            let ids: Vec<Uuid> = (0..READS_AT_ONCE).map(|_| self.people.anybody(&mut random).id).collect();
            query("SELECT COUNT(display_name) FROM users WHERE id = ANY($1)")
                .bind(ids)
                .execute(&mut connection)
                .await?;
        }
        Ok(())
    }
}
