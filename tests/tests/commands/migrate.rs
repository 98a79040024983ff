//! What a program finds in a database, and brings up to itself.

use serde_json::json;
use users_tests::{On, PASSWORD};

use crate::Program;

#[tokio::test]
async fn an_empty_database_is_brought_up() {
    let program = Program::new().await;
    let check = program.run(&["migrate", "--check"]).exits(3);
    assert!(check.output.contains("expected the table `people`, found none"), "{check:?}");
    assert!(program.store().await.tables().await.is_empty(), "a check writes nothing");
    assert_eq!(program.run(&["migrate"]).done().output, "the database fits the program\n");
    assert_eq!(program.run(&["migrate", "--check", "--json"]).done().json(), json!({ "differences": [] }));
}

#[tokio::test]
async fn a_new_field_prints_the_statement_that_it_needs() {
    let mut program = Program::new().await;
    program.run(&["migrate"]).done();
    program.model("grown");
    let statement = On {
        sqlite: "ALTER TABLE \"people\" ADD COLUMN \"nickname\" TEXT;",
        postgres: "ALTER TABLE \"people\" ADD COLUMN \"nickname\" TEXT;",
        mysql: "ALTER TABLE `people` ADD COLUMN `nickname` ",
    };
    let check = program.run(&["migrate", "--check"]).exits(3);
    assert!(check.output.contains(statement.chosen()), "{check:?}");
    // Neither a server nor a command goes on with a table that does not fit.
    assert_eq!(program.run(&["migrate", "--json"]).exits(3).error().0, "drift");
    assert_eq!(program.run(&["list-users", "--json"]).exits(1).error().0, "drift");
}

#[tokio::test]
async fn what_needs_no_decision_is_applied_and_the_users_stay() {
    let mut program = Program::new().await;
    program.create("ada@example.com", &["--set", "age=36"]);
    program.model("grown");
    let applied = program.run(&["migrate", "--apply", "--json"]).done().json();
    assert_eq!(applied["applied"].as_array().map(Vec::len), Some(2), "{applied}");
    program.run(&["migrate", "--check"]).done();
    let users = program.run(&["list-users", "--json"]).done().json();
    let ada = &users["items"][0];
    assert_eq!((&ada["age"], &ada["nickname"], &ada["level"]), (&json!(36), &json!(null), &json!(1)));
}

#[tokio::test]
async fn a_field_without_a_value_for_those_who_are_there_is_refused() {
    let mut program = Program::new().await;
    let create = ["create-user", "--email", "ada@example.com", "--password-stdin"];
    program.run_with(&create, PASSWORD).done();
    program.model("overgrown");
    let refused = program.run(&["migrate", "--apply"]).exits(3);
    assert!(refused.errors.contains("sql_default"), "{refused:?}");
    let check = program.run(&["migrate", "--check", "--json"]).exits(3).json();
    assert_eq!(check["differences"][0]["safe"], json!(false), "{check}");
    program.model("plain");
    program.run(&["migrate", "--check"]).done();
}
