//! An import that is killed, and goes on.

use std::{collections::HashSet, time::Duration};

use serde_json::json;

use crate::{Program, program::File};

/// How many users the file brings; some of its rows are refused.
const ROWS: usize = 20_000;

/// Every so many rows, one is refused.
const REFUSED_EVERY: usize = 97;

fn file() -> File {
    let row = |index: usize| {
        let email = if index.is_multiple_of(REFUSED_EVERY) {
            format!("nobody{index}")
        } else {
            format!("user{index}@example.com")
        };
        format!("{email},!not-used,{}\n", if index.is_multiple_of(50) { "editor" } else { "" })
    };
    let rows: String = (0..ROWS).map(row).collect();
    File::new("users.csv", format!("email,display_name,roles\n{rows}"))
}

#[tokio::test]
async fn a_killed_import_goes_on_without_a_double_or_a_loss() {
    let program = Program::new().await;
    program.run(&["migrate"]).done();
    let (file, rejected) = (file(), File::absent("rejected.jsonl"));
    let arguments = ["import-users", file.name(), "--batch", "200", "--rejected", rejected.name()];
    let store = program.store().await;
    let mut seen = 0;
    let mut kills = 0;
    for round in 0_u64..12 {
        let mut child = program.start(&arguments);
        // Each time at another moment: while the file is read, between two batches and within one.
        std::thread::sleep(Duration::from_millis(150 + 37 * round));
        if child.try_wait().expect("it can be asked").is_some() {
            break;
        }
        child.kill().expect("it dies");
        child.wait().expect("it is dead");
        kills += 1;
        let now = store.count("SELECT COUNT(*) FROM people").await;
        assert!(now >= seen, "nothing that was committed is lost");
        seen = now;
    }
    assert!(kills >= 3, "the file was too short to be killed in");

    let summary = program.run(&[&arguments[..], &["--json"]].concat());
    assert!([0, 4].contains(&summary.code), "{summary:?}");
    assert_eq!(summary.json()["rows"], json!(ROWS));
    let refused = ROWS.div_ceil(REFUSED_EVERY);
    let stored = i64::try_from(ROWS - refused).expect("few");
    assert_eq!(store.count("SELECT COUNT(*) FROM people").await, stored);
    assert_eq!(store.count("SELECT COUNT(DISTINCT email) FROM people").await, stored);
    let editors = (0..ROWS).filter(|index| index % 50 == 0 && index % REFUSED_EVERY != 0).count();
    let members = store.count("SELECT COUNT(*) FROM users_role_members").await;
    assert_eq!(members, i64::try_from(editors).expect("few"));
    // A row that was refused shortly before the program died is there twice at most, and none is missing.
    let lines: HashSet<_> = rejected.lines().iter().map(|line| line["line"].as_u64()).collect();
    assert_eq!(lines.len(), refused);

    let again = program.run(&["import-users", file.name(), "--json"]).done().json();
    assert_eq!((&again["stored"], &again["rows_before"]), (&json!(0), &json!(ROWS)));
}

#[tokio::test]
async fn two_imports_of_one_file_double_nothing() {
    let program = Program::new().await;
    program.run(&["migrate"]).done();
    let file = file();
    let arguments = ["import-users", file.name(), "--batch", "500"];
    let mut one = program.start(&arguments);
    let mut other = program.start(&arguments);
    let codes = [one.wait().expect("it ends").code(), other.wait().expect("it ends").code()];
    // One of them may have found the other in its way, or the file done.
    assert!(codes.contains(&Some(4)), "{codes:?}");
    let summary = program.run(&["import-users", file.name(), "--json"]).json();
    assert_eq!(summary["rows"], json!(ROWS));
    let stored = i64::try_from(ROWS - ROWS.div_ceil(REFUSED_EVERY)).expect("few");
    assert_eq!(program.store().await.count("SELECT COUNT(*) FROM people").await, stored);
}
