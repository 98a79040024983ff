//! Files of users: in, refused, and out again.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use users_runtime::NewAccount;
use users_tests::{
    PASSWORD,
    commands::plain::{self, UserImport},
};

use crate::{Program, program::File};

/// Argon2id of `password` with little work, as another application may have made it.
const HASH: &str = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

/// All users as an export writes them, without their keys.
fn exported(program: &Program, more: &[&str]) -> Vec<Value> {
    let file = File::absent("export.jsonl");
    program.run(&[&["export-users", "--output", file.name()], more].concat()).done();
    let mut users = file.lines();
    for user in &mut users {
        user.as_object_mut().expect("an object").remove("id");
    }
    users.sort_by_key(|user| user["email"].to_string());
    users
}

#[tokio::test]
async fn a_table_and_lines_of_json_bring_the_same_users() {
    let table = File::new(
        "users.csv",
        format!(
            "email,display_name,age,password_hash,is_verified,is_active,roles\n\
             ada@example.com,\"Ada, Countess\",36,\"{HASH}\",true,,editor; Clerk\n\
             Bob@Example.com,,,\"{HASH}\",,false,\n"
        ),
    );
    let lines = File::new(
        "users.jsonl",
        [
            json!({ "email": "ada@example.com", "display_name": "Ada, Countess", "age": 36, "password_hash": HASH,
                "is_verified": true, "roles": ["Clerk", "editor"] }),
            json!({ "email": "Bob@Example.com", "password_hash": HASH, "is_active": false }),
        ]
        .map(|line| line.to_string())
        .join("\n"),
    );
    let (one, other) = (Program::new().await, Program::new().await);
    for (program, file) in [(&one, &table), (&other, &lines)] {
        let summary = program.run(&["import-users", file.name(), "--json"]).done().json();
        assert_eq!((&summary["stored"], &summary["refused"]), (&json!(2), &json!(0)), "{summary}");
    }
    let users = exported(&one, &["--with-hashes"]);
    assert_eq!(
        users,
        [
            json!({ "email": "Bob@Example.com", "password_hash": HASH, "is_active": false, "is_verified": false,
                "display_name": null, "age": 30, "score": 0.0, "roles": [] }),
            json!({ "email": "ada@example.com", "password_hash": HASH, "is_active": true, "is_verified": true,
                "display_name": "Ada, Countess", "age": 36, "score": 0.0, "roles": ["clerk", "editor"] }),
        ]
    );
    assert_eq!(exported(&other, &["--with-hashes"]), users);
}

#[tokio::test]
async fn rows_that_break_a_rule_are_reported_and_stop_nobody() {
    let program = Program::new().await;
    program.create("taken@example.com", &[]);
    let unknown = "md5:0123456789abcdef";
    let rows = [
        "email,password,password_hash,age,display_name".to_owned(),
        format!("good@example.com,,\"{HASH}\",1,"),
        format!("Taken@example.com,,\"{HASH}\",1,"),
        format!("broken,,\"{HASH}\",1,x"),
        format!("bad@example.com,,{unknown},1,"),
        "common@example.com,password1,,1,".to_owned(),
        format!("both@example.com,{PASSWORD},\"{HASH}\",1,"),
        format!("GOOD@example.com,,\"{HASH}\",1,"),
        format!("old@example.com,,\"{HASH}\",151,"),
        format!("typed@example.com,,\"{HASH}\",old,"),
        "short@example.com".to_owned(),
        format!("last@example.com,{PASSWORD},,2,"),
        "later@example.com,,,3,".to_owned(),
    ];
    let file = File::new("users.csv", rows.join("\n"));
    let dry = program.run(&["import-users", file.name(), "--dry-run", "--json"]).exits(4).json();
    assert_eq!((&dry["stored"], &dry["refused"]), (&json!(3), &json!(9)), "{dry}");
    assert_eq!(exported(&program, &[]).len(), 1);

    let rejected = File::absent("rejected.jsonl");
    let arguments = ["import-users", file.name(), "--rejected", rejected.name(), "--json"];
    let summary = program.run(&arguments).exits(4).json();
    assert_eq!((&summary["stored"], &summary["refused"]), (&json!(3), &json!(9)), "{summary}");
    let lines: Vec<_> = rejected
        .lines()
        .iter()
        .map(|line| {
            (line["line"].as_u64().expect("a line"), line["code"].as_str().expect("a code").to_owned())
        })
        .collect();
    let expected = [
        (3, "identifier_taken"),
        (4, "validation_failed"),
        (5, "validation_failed"),
        (6, "validation_failed"),
        (7, "validation_failed"),
        (8, "identifier_taken"),
        (9, "validation_failed"),
        (10, "unreadable"),
        (11, "unreadable"),
    ];
    assert_eq!(lines, expected.map(|(line, code)| (line, code.to_owned())));
    for secret in [HASH, unknown, PASSWORD, "password1"] {
        assert!(!rejected.read().contains(secret), "{secret}: {}", rejected.read());
    }
    let emails: BTreeSet<_> =
        exported(&program, &[]).iter().map(|user| user["email"].as_str().expect("one").to_owned()).collect();
    let stored = ["good@example.com", "last@example.com", "later@example.com", "taken@example.com"];
    assert_eq!(emails, stored.map(str::to_owned).into());
    // A person is told in lines, and the secrets stay out of those too.
    let again = program.run(&["import-users", file.name(), "--restart"]).exits(4);
    assert!(again.errors.contains("line 3 (Taken@example.com): this identifier is taken"), "{again:?}");
    assert!(!again.errors.contains("argon2") && !again.errors.contains(unknown), "{again:?}");
}

#[tokio::test]
async fn a_row_that_the_database_refuses_is_found_in_its_batch() {
    let program = Program::of("numbered").await;
    let mut rows = String::new();
    for number in 1..=50 {
        let id = if number == 20 { 3 } else { number };
        let row = json!({ "id": id, "user_name": format!("user{number}"), "password_hash": HASH });
        rows.push_str(&row.to_string());
        rows.push('\n');
    }
    let file = File::new("users.jsonl", rows);
    let summary = program.run(&["import-users", file.name(), "--json"]).exits(4);
    assert_eq!(summary.json()["stored"], json!(49));
    assert!(summary.errors.contains("\"line\":20,\"identifier\":\"user20\""), "{summary:?}");
    // The database assigns keys behind those that were given.
    let more = File::new("more.csv", format!("user_name,password_hash\nada,\"{HASH}\"\nbob,\"{HASH}\"\n"));
    program.run(&["import-users", more.name()]).done();
    let users = program.run(&["list-users", "--json", "--sort", "-id", "--limit", "2"]).done().json();
    assert_eq!((&users["items"][0]["id"], &users["items"][1]["id"]), (&json!(52), &json!(51)));
}

#[tokio::test]
async fn a_file_that_is_none_is_an_error_before_anything_is_stored() {
    let program = Program::new().await;
    let error = |arguments: &[&str], code: i32| {
        program.run(&[&["import-users", "--json"], arguments].concat()).exits(code).error()
    };
    assert_eq!(error(&["/nowhere/users.csv"], 1).0, "io");
    let nameless = File::new("users", "");
    assert!(error(&[nameless.name()], 2).1.contains("`--format csv`"));
    let header = File::new("users.csv", "email,nmae\na@example.com,x\n");
    let (code, detail) = error(&[header.name()], 1);
    assert_eq!(code, "file");
    assert!(detail.contains("there is no field `nmae`; the first line"), "{detail}");
    let empty = File::new("users.jsonl", "");
    program.run(&["import-users", empty.name()]).done();
}

#[tokio::test]
async fn an_export_can_be_imported_again() {
    let program = Program::new().await;
    for (index, name) in
        ["=SUM(1)", "'quoted", "comma, \"and\" quotes", "line\nbreak", "Ä 🦀"].iter().enumerate()
    {
        let email = format!("user{index}@example.com");
        let set = format!("display_name={name}");
        program.create(
            &email,
            &["--set", &set, "--set", &format!("score={index}.5"), "--role", "a", "--role", "b"],
        );
    }
    program.create("none@example.com", &["--is-active=false"]);
    let users = exported(&program, &["--with-hashes"]);
    assert_eq!(users.len(), 6);
    for end in ["csv", "jsonl"] {
        let file = File::absent(&format!("users.{end}"));
        let export = ["export-users", "--output", file.name(), "--with-hashes"];
        program.run(&export).done();
        assert!(program.run(&export).exits(1).errors.contains("exists"), "a file is not overwritten");
        #[cfg(unix)]
        {
            let mode = std::fs::metadata(file.path()).expect("it is there");
            assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777, 0o600);
        }
        if end == "csv" {
            assert!(file.read().contains(",'=SUM(1),"), "no spreadsheet runs it: {}", file.read());
        }
        let other = Program::new().await;
        other.run(&["import-users", file.name()]).done();
        assert_eq!(exported(&other, &["--with-hashes"]), users);
    }
    let output = program.run(&["export-users", "--format", "csv"]).done().output;
    assert!(!output.contains("argon2") && output.starts_with("id,email,"), "{output}");
    program.run(&["export-users", "--with-hashes"]).exits(2);
}

#[tokio::test]
async fn tenants_import_the_same_file() {
    let program = Program::of("tenants").await;
    let file = File::new("users.csv", "email\nada@example.com\nbob@example.com\n");
    for tenant in ["1", "2"] {
        let summary = program.run(&["import-users", file.name(), "--tenant", tenant, "--json"]).done().json();
        assert_eq!(summary["stored"], json!(2));
        let export = program.run(&["export-users", "--tenant", tenant]).done().output;
        assert_eq!(export.lines().count(), 2);
        assert!(!export.contains("company"), "an import takes the tenant from the command: {export}");
    }
    assert_eq!(program.store().await.count("SELECT COUNT(*) FROM people").await, 4);
}

#[tokio::test]
async fn a_program_imports_without_a_file() {
    let program = Program::new().await;
    let users = program.users::<plain::App>().await;
    let import = |email: &str| -> UserImport {
        serde_json::from_value(json!({ "email": email, "password_hash": HASH })).expect("an import")
    };
    let accounts = vec![
        NewAccount::new(import("ada@example.com")).with_verified(true).with_roles(vec!["editor".to_owned()]),
        NewAccount::new(import("ada@example.com")),
        NewAccount::new(import("nobody")),
    ];
    let imported = users.import_users(accounts).await.expect("it answers");
    assert_eq!(imported.stored, 1);
    let codes: Vec<_> =
        imported.refused.iter().map(|refused| (refused.index, refused.error.code())).collect();
    assert_eq!(codes, [(1, "identifier_taken"), (2, "validation_failed")]);
    let ada = users.find_user("ada@example.com").await.expect("it answers").expect("she is there");
    assert!(ada.is_verified && ada.has_role("editor"));
}
