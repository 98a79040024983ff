//! How each database would run the generated statements over twenty thousand users: by an index, whichever it is.

use std::fmt::Write;

use sqlx::{AssertSqlSafe, Row};
use users_runtime::{ListQuery, ModelSql, Stored};
use users_tests::{Engine, Store};
use uuid::Uuid;

use crate::support::{
    Office,
    office::{Worker, WorkerFilter},
};

const USERS: usize = 20_000;

/// A value in the text of a statement, as the engine writes it.
#[derive(Debug, Clone)]
enum Literal {
    Text(&'static str),
    Number(i64),
    Flag(bool),
    Key(Uuid),
    Digest,
}

use Literal::{Digest, Flag, Key, Number, Text};

impl Literal {
    fn sql(&self) -> String {
        let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let is_postgres = Engine::chosen() == Engine::Postgres;
        match self {
            Text(text) => format!("'{text}'"),
            Number(number) => number.to_string(),
            Flag(flag) => if *flag { "TRUE" } else { "FALSE" }.to_owned(),
            Key(key) if is_postgres => format!("'{key}'::uuid"),
            Key(key) => format!("x'{}'", hex(key.as_bytes())),
            Digest if is_postgres => format!("'\\x{}'::bytea", hex(&[7; 32])),
            Digest => format!("x'{}'", hex(&[7; 32])),
        }
    }
}

/// A statement with values in the place of its parameters, in order.
fn filled(sql: &str, values: &[Literal]) -> String {
    let mut text = String::new();
    let mut values = values.iter();
    let mut characters = sql.chars().peekable();
    while let Some(character) = characters.next() {
        if matches!(character, '?' | '$') {
            while characters.next_if(char::is_ascii_digit).is_some() {}
            text.push_str(&values.next().unwrap_or_else(|| panic!("too few values for {sql}")).sql());
        } else {
            text.push(character);
        }
    }
    assert!(values.next().is_none(), "too many values for {sql}");
    text
}

fn email(number: usize) -> String {
    format!("user{number:05}@example.com")
}

fn key(number: usize) -> Uuid {
    // Spread, as the keys of real users are.
    Uuid::from_u128((number as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834))
}

async fn fill(store: &Store) {
    for start in (0..USERS).step_by(500) {
        let mut insert =
            "INSERT INTO staff (id, email, email_canonical, password_hash, is_active, is_verified, team, \
                          age, grade, reference) VALUES "
                .to_owned();
        for number in start..start + 500 {
            let comma = if number == start { "" } else { ", " };
            let (id, email, active) = (Key(key(number)).sql(), email(number), Flag(number % 50 != 0).sql());
            let (team, age, grade) = (number % 400, number % 120, number % 3000);
            write!(
                insert,
                "{comma}({id}, '{email}', '{email}', 'x', {active}, TRUE, 'team {team}', {age}, 'g{grade}', 'r')"
            )
            .expect("text");
        }
        store.execute(&insert).await;
    }
    for role in 0..40 {
        let insert =
            format!("INSERT INTO users_roles (id, name) VALUES ({}, 'role {role}')", Key(key(role)).sql());
        store.execute(&insert).await;
        let members: Vec<_> = (0..50)
            .map(|member| format!("({}, {})", Key(key(role * 400 + member)).sql(), Key(key(role)).sql()))
            .collect();
        let insert =
            format!("INSERT INTO users_role_members (user_id, role_id) VALUES {}", members.join(", "));
        store.execute(&insert).await;
    }
    // The time is in the order of the keys, which no statement looks for.
    let accounts = "INSERT INTO users_oauth_accounts \
                    (id, provider, subject, email, user_id, issuer, created_at, updated_at) \
                    SELECT id, 'example', email, email, id, 'https://accounts.example.com', age, age FROM staff";
    store.execute(accounts).await;
    match Engine::chosen() {
        Engine::Sqlite => {}
        Engine::Postgres => store.execute("ANALYZE").await,
        Engine::MySql => {
            store.execute("ANALYZE TABLE staff, users_roles, users_role_members, users_oauth_accounts").await;
        }
    }
}

/// What would read the users from one end to the other, in the engine's own words.
async fn scans(store: &Store, sql: &str) -> Vec<String> {
    // In the order of an index, a page ends where it is full; whatever else reads a whole index reads all users.
    let ends = sql.contains(" LIMIT ");
    match store {
        Store::Sqlite(pool) => {
            let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).fetch_all(pool).await;
            let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
            let steps: Vec<(i64, String)> = rows.iter().map(|row| (row.get(1), row.get(3))).collect();
            let is_derived =
                |step: &str| ["CO-ROUTINE u", "MATERIALIZE u"].iter().any(|start| step.starts_with(start));
            // What the outer query reads is the page that the inner one has made.
            let page = steps.iter().any(|(_, step)| is_derived(step));
            let is_scan = |parent: i64, step: &str| {
                let of_users = ["SCAN u", "SCAN staff", "SCAN a", "SCAN users_oauth_accounts"]
                    .contains(&step.split(" USING").next().unwrap_or_default());
                of_users && !(ends && step.contains(" USING ")) && !(page && parent == 0)
            };
            // Inside of the page, a sort would read all users first.
            let sorts =
                |parent: i64, step: &str| page && parent != 0 && step == "USE TEMP B-TREE FOR ORDER BY";
            steps
                .into_iter()
                .filter(|(parent, step)| is_scan(*parent, step) || sorts(*parent, step))
                .map(|pair| pair.1)
                .collect()
        }
        Store::Postgres(pool) => {
            let lines = sqlx::query_scalar::<_, String>(AssertSqlSafe(format!("EXPLAIN {sql}")));
            let lines = lines.fetch_all(pool).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
            let scans = ["Seq Scan on staff", "Seq Scan on users_oauth_accounts"];
            lines.into_iter().filter(|line| scans.iter().any(|scan| line.contains(scan))).collect()
        }
        Store::MySql(pool) => {
            let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN {sql}"))).fetch_all(pool).await;
            let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
            let text = |row: &sqlx::mysql::MySqlRow, name: &str| -> String {
                row.try_get::<Option<String>, _>(name).ok().flatten().unwrap_or_default()
            };
            let steps = rows.iter().map(|row| (text(row, "table"), text(row, "type")));
            let of_users = steps
                .filter(|(table, _)| ["u", "staff", "a", "users_oauth_accounts"].contains(&table.as_str()));
            of_users
                .filter(|(_, kind)| kind == "ALL" || (kind == "index" && !ends))
                .map(|(table, kind)| format!("{table} {kind}"))
                .collect()
        }
    }
}

fn statements() -> ModelSql {
    match Engine::chosen() {
        Engine::Sqlite => <Worker as Stored<sqlx::Sqlite>>::SQL,
        Engine::Postgres => <Worker as Stored<sqlx::Postgres>>::SQL,
        Engine::MySql => <Worker as Stored<sqlx::MySql>>::SQL,
    }
}

/// Every statement of the model, with values for its parameters.
fn of_one_user() -> Vec<(&'static str, Vec<Literal>)> {
    let sql = statements();
    let (id, name) = (Key(key(7)), Text("user00007@example.com"));
    // Self-service may change all but the reference.
    let changes = |own: &[Literal]| -> Vec<Literal> {
        own.iter().flat_map(|value| [Flag(true), value.clone()]).chain([id.clone()]).collect()
    };
    let mut all = vec![
        (sql.by_id, vec![id.clone()]),
        (sql.by_canonical, vec![name.clone()]),
        (sql.by_session, vec![Digest]),
        (sql.by_sessions, vec![Digest; sql.by_sessions.matches(['?', '$']).count()]),
        (sql.set_password, vec![Text("y"), id.clone(), Text("x")]),
        (sql.set_identifier, vec![name.clone(), name.clone(), id.clone(), name]),
        (sql.delete, vec![id.clone()]),
        (sql.update.expect("self-service writes columns"), changes(&[Text("team 7"), Number(7)])),
        (
            sql.admin_update.expect("administrators write columns"),
            changes(&[Text("team 7"), Number(7), Text("r")]),
        ),
        (sql.roles.active_members, vec![Text("role 7")]),
    ];
    let accounts = sql.oauth_accounts;
    let issuer = Text("https://accounts.example.com");
    all.extend([
        (accounts.by_identity, vec![issuer, Text("user00007@example.com")]),
        (accounts.of_user, vec![id.clone()]),
        (accounts.by_id, vec![id.clone(), id.clone()]),
        (accounts.lock_by_id, vec![id.clone(), id.clone()]),
        (accounts.set_tokens, vec![Text("x"), Number(1), Number(2), id.clone()]),
        (accounts.update, vec![Text("y"), Text("x"), Number(1), Number(2), id.clone()]),
        (accounts.delete, vec![id.clone(), id.clone()]),
        (accounts.delete_of_user, vec![id.clone()]),
    ]);
    for flag in [sql.set_active, sql.set_verified] {
        all.push((flag.expect("the model has it"), vec![Flag(true), id.clone()]));
    }
    all
}

#[tokio::test]
async fn no_generated_statement_reads_all_users() {
    let office = Office::start().await;
    fill(&office.store).await;
    // What does read all users is found out, so that the rest means something.
    for scan in [
        "SELECT COUNT(*) FROM staff u WHERE u.reference = 'r'",
        "UPDATE staff SET age = 1 WHERE reference = 'x'",
        "SELECT a.id FROM users_oauth_accounts a WHERE a.email = 'user00007@example.com'",
        "DELETE FROM users_oauth_accounts WHERE provider = 'x'",
    ] {
        assert!(!scans(&office.store, scan).await.is_empty(), "{scan}");
    }
    let mut wrong = Vec::new();
    let mut check = async |what: &str, sql: &str, values: &[Literal]| {
        let sql = filled(sql, values);
        let found = scans(&office.store, &sql).await;
        if !found.is_empty() {
            wrong.push(format!("{what}: {found:?}\n{sql}"));
        }
    };
    for (sql, values) in of_one_user() {
        check("one user", sql, &values).await;
    }
    let all = office.users.scope(());
    for (query, values, position) in lists() {
        let query = query.with_limit(20);
        let given =
            |position: &[Literal]| -> Vec<Literal> { values.iter().chain(position).cloned().collect() };
        let sql = all.page_sql(query.clone()).expect("a statement");
        check("the first page", &sql, &given(&[])).await;
        let page = office.users.list_users(query.clone()).await.expect("a page");
        let next = page.next.unwrap_or_else(|| panic!("one page for {query:?}"));
        let sql = all.page_sql(query.with_after(next)).expect("a statement");
        check("deep inside", &sql, &given(&position)).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Lists, each with the values of its conditions and those of a position deep inside.
fn lists() -> Vec<(ListQuery<Worker>, Vec<Literal>, Vec<Literal>)> {
    let all = ListQuery::new;
    let none = WorkerFilter::default;
    let id = Key(key(10_000));
    let team = WorkerFilter { team: Some("team 7".to_owned()), ..none() };
    let inactive = WorkerFilter { is_active: Some(false), ..none() };
    let ages = WorkerFilter { age_min: Some(20), age_max: Some(21), ..none() };
    let mut lists = vec![
        (all(), vec![], vec![id.clone()]),
        (all().with_search("user12"), vec![Text("user12"), Text("user13")], vec![Text("user12345")]),
        (all().with_filter(team), vec![Text("team 7")], vec![id.clone()]),
        (all().with_filter(inactive), vec![Flag(false)], vec![id.clone()]),
        (
            all().with_filter(ages).with_sort("age"),
            vec![Number(20), Number(21)],
            own_position(Number(20), id.clone()),
        ),
    ];
    for direction in ["", "-"] {
        let sorted = |field: &str| all().with_sort(format!("{direction}{field}"));
        lists.push((sorted("id"), vec![], vec![id.clone()]));
        lists.push((sorted("email"), vec![], vec![Text("user12345@example.com")]));
        lists.push((sorted("age"), vec![], own_position(Number(60), id.clone())));
        lists.push((sorted("grade"), vec![], own_position(Text("g1500"), id.clone())));
    }
    lists
}

fn own_position(value: Literal, id: Literal) -> Vec<Literal> {
    // MySQL is asked in another form, which takes the value twice.
    let twice = usize::from(Engine::chosen() == Engine::MySql) + 1;
    std::iter::repeat_n(value, twice).chain([id]).collect()
}
