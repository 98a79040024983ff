//! Commands on users and roles.

use serde_json::json;
use users_tests::{
    OTHER_PASSWORD, PASSWORD,
    commands::{REFUSED_NAME, numbered, plain},
};
use uuid::Uuid;

use crate::{Program, Ran};

/// Whether the password is that of the user, as `POST /login` sees it.
async fn logs_in(program: &Program, email: &str, password: &str) -> bool {
    let users = program.users::<plain::App>().await;
    let app = users_runtime::UsersRouter::new(users).into_router();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/login", listener.local_addr().expect("an address"));
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let body = json!({ "email": email, "password": password });
    let answer =
        users_tests::http().build().expect("a client").post(url).json(&body).send().await.expect("an answer");
    server.abort();
    answer.status() == 201
}

#[tokio::test]
async fn without_a_command_the_server_starts() {
    let program = Program::new().await;
    assert_eq!(program.run(&[]).done().output, "the server starts\n");
    // A command ends the program.
    assert!(!program.run(&["list-users"]).done().output.contains("the server starts"));
}

#[tokio::test]
async fn help_lists_every_command_and_a_wrong_one_is_a_usage_error() {
    let program = Program::new().await;
    let help = program.run_without_settings(&["--help"]).done().output;
    for command in [
        "create-user",
        "invite",
        "create-role",
        "assign-role",
        "revoke-role",
        "list-users",
        "events",
        "deactivate-user",
        "unlock-user",
        "reset-password",
        "generate-secret",
        "migrate",
        "import-users",
        "export-users",
        "openapi",
        "generate-client",
    ] {
        assert!(help.contains(command), "{command}: {help}");
    }
    let wrong = program.run(&["create-usr"]).exits(2);
    assert!(wrong.output.is_empty() && wrong.errors.contains("create-user"), "{wrong:?}");
    assert_eq!(program.run(&["--json", "create-user"]).exits(2).error().0, "usage");
}

#[tokio::test]
async fn a_secret_is_made_without_settings_and_is_another_one_each_time() {
    let program = Program::new().await;
    let secret = || program.run_without_settings(&["generate-secret"]).done().output;
    let (one, other) = (secret(), secret());
    assert_ne!(one, other);
    assert!(users_runtime::SecretKey::new(one.trim()).is_ok());
    let missing = program.run_without_settings(&["list-users", "--json"]).exits(1).error();
    assert_eq!(missing.0, "setting");
    assert!(missing.1.contains("SECRET_KEY: is not set"), "{missing:?}");
}

#[tokio::test]
async fn a_user_is_created_with_typed_fields_flags_roles_and_key() {
    let program = Program::new().await;
    let key = Uuid::from_u128(42).to_string();
    let more = ["--id", &key, "--is-verified", "--role", "Administrator", "--role", "editor"];
    let fields = ["--set", "display_name=Ada", "--set", "age=36", "--set", "score=-1.5"];
    let created = program.create("Ada@Example.com", &[&more[..], &fields].concat());
    assert_eq!(
        created,
        json!({
            "id": key, "email": "Ada@Example.com", "is_active": true, "is_verified": true, "display_name": "Ada",
            "age": 36, "score": -1.5, "roles": ["administrator", "editor"],
        })
    );
    assert!(logs_in(&program, "ada@example.com", PASSWORD).await);
    let defaults = program.create("bob@example.com", &["--is-active=false", "--set", "display_name=null"]);
    assert_eq!(
        (&defaults["is_active"], &defaults["is_verified"], &defaults["age"], &defaults["display_name"]),
        (&json!(false), &json!(false), &json!(30), &json!(null))
    );
    assert_eq!(defaults["roles"], json!([]));
}

#[tokio::test]
async fn a_user_who_breaks_a_rule_is_not_created() {
    let program = Program::new().await;
    program.create("ada@example.com", &[]);
    let refused = |arguments: &[&str], input: &str| {
        let command = ["create-user", "--json", "--password-stdin"];
        program.run_with(&[&command, arguments].concat(), input)
    };
    let taken = refused(&["--email", "ADA@example.com"], PASSWORD).exits(1);
    assert_eq!(taken.error().0, "identifier_taken");
    let wrong = refused(&["--email", "bob", "--set", "age=200", "--role", "<b>"], PASSWORD).exits(1);
    assert_eq!(wrong.error().0, "validation_failed");
    for field in ["\"email\"", "\"age\"", "\"roles\""] {
        assert!(wrong.errors.contains(field), "{field}: {wrong:?}");
    }
    for (set, message) in [
        ("age=old", "`age`: `old` is not a whole number"),
        ("nickname=x", "`nickname`: is not known; there are "),
        ("age", "write a field and its value with `=` between them"),
    ] {
        let answer = refused(&["--email", "bob@example.com", "--set", set], PASSWORD).exits(2);
        assert!(answer.error().1.contains(message), "{set}: {answer:?}");
    }
    let hook =
        refused(&["--email", "bob@example.com", "--set", &format!("display_name={REFUSED_NAME}")], PASSWORD);
    assert_eq!(hook.exits(1).error().0, "name_refused");
    assert_eq!(refused(&["--email", "b@example.com", "--id", "7"], PASSWORD).exits(2).error().0, "usage");
    assert_eq!(program.store().await.count("SELECT COUNT(*) FROM people").await, 1);
}

#[tokio::test]
async fn s04_commands_refuse_common_passwords() {
    let program = Program::new().await;
    let create = |password: &str| {
        let arguments = ["create-user", "--email", "ada.lovelace@example.com", "--password-stdin", "--json"];
        program.run_with(&arguments, password)
    };
    for password in ["password1", "short", "ada.lovelace 1", "commands are fine"] {
        let refused = create(password).exits(1);
        assert!(refused.errors.contains("\"field\":\"password\""), "{refused:?}");
        assert!(!refused.errors.contains(&format!("\"{password}\"")), "{refused:?}");
    }
    create(PASSWORD).done();
    let reset = ["reset-password", "ada.lovelace@example.com", "--password-stdin"];
    assert!(program.run_with(&reset, "password1").exits(1).errors.contains("password"));
}

#[tokio::test]
async fn a_password_is_no_argument_and_is_never_shown() {
    let program = Program::new().await;
    for name in ["password", "password_hash"] {
        let set = format!("{name}={PASSWORD}");
        let refused = program.run(&["create-user", "--email", "a@example.com", "--set", &set]).exits(2);
        assert!(refused.errors.contains("is a secret and no argument"), "{refused:?}");
    }
    let without = program.run(&["create-user", "--email", "a@example.com"]).exits(1);
    assert!(without.errors.contains("pass `--password-stdin`"), "{without:?}");
    let created =
        program.run_with(&["create-user", "--email", "a@example.com", "--password-stdin"], PASSWORD).done();
    for shown in [&created.output, &created.errors] {
        assert!(!shown.contains(PASSWORD) && !shown.contains("argon2"), "{created:?}");
    }
}

#[tokio::test]
async fn roles_are_created_assigned_and_revoked() {
    let program = Program::new().await;
    let key = program.create("ada@example.com", &[])["id"].as_str().expect("a key").to_owned();
    let role =
        program.run(&["create-role", "Accountant", "--set", "description=Counts", "--json"]).done().json();
    assert_eq!((&role["name"], &role["description"]), (&json!("accountant"), &json!("Counts")));
    let code = |ran: Ran| ran.exits(1).error().0;
    assert_eq!(code(program.run(&["create-role", "ACCOUNTANT", "--json"])), "role_name_taken");
    let assigned = program.run(&["assign-role", "ada@example.com", " accountant", "--json"]).done().json();
    assert_eq!(assigned["roles"], json!(["accountant"]));
    assert_eq!(code(program.run(&["assign-role", &key, "accountant", "--json"])), "role_already_assigned");
    assert_eq!(code(program.run(&["assign-role", &key, "clerk", "--json"])), "not_found");
    assert_eq!(code(program.run(&["assign-role", "bob@example.com", "accountant", "--json"])), "not_found");
    let revoked = program.run(&["revoke-role", &key, "accountant", "--json"]).done().json();
    assert_eq!(revoked["roles"], json!([]));
    assert_eq!(code(program.run(&["revoke-role", &key, "accountant", "--json"])), "role_not_assigned");
}

#[tokio::test]
async fn s56_no_command_takes_the_last_administrator_away() {
    let program = Program::new().await;
    program.create("ada@example.com", &["--is-verified", "--role", "administrator"]);
    for command in [
        &["deactivate-user", "ada@example.com", "--json"][..],
        &["revoke-role", "ada@example.com", "administrator", "--json"],
    ] {
        assert_eq!(program.run(command).exits(1).error().0, "last_administrator");
    }
    program.create("bob@example.com", &["--is-verified", "--role", "administrator"]);
    program.run(&["deactivate-user", "ada@example.com"]).done();
}

#[tokio::test]
async fn an_account_is_deactivated_and_activated() {
    let program = Program::new().await;
    program.create("ada@example.com", &["--is-verified"]);
    let off = program.run(&["deactivate-user", "ADA@example.com", "--json"]).done().json();
    assert_eq!(off["is_active"], json!(false));
    assert!(!logs_in(&program, "ada@example.com", PASSWORD).await);
    program.run(&["activate-user", "ada@example.com"]).done();
    assert!(logs_in(&program, "ada@example.com", PASSWORD).await);
}

#[tokio::test]
async fn s13_an_account_is_unlocked() {
    let program = Program::new().await;
    program.create("ada@example.com", &["--is-verified"]);
    for _ in 0..5 {
        assert!(!logs_in(&program, "ada@example.com", OTHER_PASSWORD).await);
    }
    assert!(!logs_in(&program, "ada@example.com", PASSWORD).await, "it is locked");
    program.run(&["unlock-user", "ada@example.com"]).done();
    assert!(logs_in(&program, "ada@example.com", PASSWORD).await);
}

#[tokio::test]
async fn a_password_is_reset_by_mail_or_set_here() {
    let program = Program::new().await;
    program.create("ada@example.com", &["--is-verified"]);
    let store = program.store().await;
    let mails = "SELECT COUNT(*) FROM users_outbox";
    let before = store.count(mails).await;
    let mail = program.run(&["reset-password", "ada@example.com"]).done();
    assert!(mail.output.contains("leaves as soon as the application's server runs"), "{mail:?}");
    assert_eq!(store.count(mails).await, before + 1);
    let set = program.run_with(&["reset-password", "ada@example.com", "--password-stdin"], OTHER_PASSWORD);
    set.done();
    // And the user is told (S60).
    assert_eq!(store.count(mails).await, before + 2);
    assert!(logs_in(&program, "ada@example.com", OTHER_PASSWORD).await);
    assert!(!logs_in(&program, "ada@example.com", PASSWORD).await);
    program.run(&["deactivate-user", "ada@example.com"]).done();
    assert_eq!(program.run(&["reset-password", "ada@example.com", "--json"]).exits(1).error().0, "no_mail");
}

#[tokio::test]
async fn s59_what_happened_is_listed_by_kind_user_and_page() {
    let program = Program::new().await;
    let ada = program.create("ada@example.com", &["--is-verified"])["id"].clone();
    let bob = program.create("bob@example.com", &[])["id"].clone();
    assert!(!logs_in(&program, "ada@example.com", OTHER_PASSWORD).await);
    program.run(&["deactivate-user", "bob@example.com"]).done();
    let listed = |arguments: &[&str]| {
        let page = program.run(&[&["events", "--json"], arguments].concat()).done().json();
        (page["items"].as_array().expect("a list").clone(), page["next"].clone())
    };
    let (events, next) = listed(&["--kind", "deactivated"]);
    assert_eq!((events.len(), &next), (1, &json!(null)));
    assert_eq!((&events[0]["user_id"], &events[0]["actor"]), (&bob, &json!("program")));
    let (events, _) = listed(&["--user", "ADA@example.com"]);
    assert_eq!((&events[0]["kind"], &events[0]["outcome"]), (&json!("login"), &json!("failure")));
    assert!(events.iter().all(|event| event["user_id"] == ada), "{events:?}");
    assert_eq!(listed(&["--user", ada.as_str().expect("a key")]).0, events);

    let (all, _) = listed(&[]);
    let (first, next) = listed(&["--limit", "1"]);
    let (rest, _) = listed(&["--after", next.as_str().expect("there is more")]);
    assert_eq!([first, rest].concat(), all);
    let table = program.run(&["events", "--limit", "1"]).done();
    let heading: Vec<_> = table.output.lines().next().expect("headings").split_whitespace().collect();
    assert_eq!(heading, ["WHEN", "KIND", "OUTCOME", "USER", "BY", "FROM", "DETAIL"]);
    assert!(table.output.contains("deactivated"), "{table:?}");
    assert!(table.errors.starts_with("there are more: --after "), "{table:?}");

    let unknown = program.run(&["events", "--kind", "logon", "--json"]).exits(2).error();
    assert!(unknown.1.contains("`logon` is no kind; there are registered, "), "{unknown:?}");
    for arguments in [&["--user", "nobody@example.com"][..], &["--after", "x"], &["--limit", "0"]] {
        program.run(&[&["events"], arguments].concat()).exits(1);
    }
}

#[tokio::test]
async fn users_are_listed_by_filter_sort_search_and_page() {
    let program = Program::new().await;
    for (email, age) in [("ada@example.com", 36), ("bob@example.com", 20), ("alan@example.com", 41)] {
        program.create(email, &["--set", &format!("age={age}")]);
    }
    program.run(&["deactivate-user", "bob@example.com"]).done();
    let listed = |arguments: &[&str]| -> Vec<String> {
        let page = program.run(&[&["list-users", "--json"], arguments].concat()).done().json();
        let items = page["items"].as_array().expect("a list").clone();
        items.iter().map(|user| user["email"].as_str().expect("an address").to_owned()).collect()
    };
    assert_eq!(listed(&["--sort", "-age"]), ["alan@example.com", "ada@example.com", "bob@example.com"]);
    assert_eq!(listed(&["--search", "A", "--sort", "email"]), ["ada@example.com", "alan@example.com"]);
    assert_eq!(listed(&["--filter", "is_active=false"]), ["bob@example.com"]);
    assert_eq!(listed(&["--filter", "age=36", "--filter", "is_active=true"]), ["ada@example.com"]);

    let first =
        program.run(&["list-users", "--json", "--sort", "email", "--limit", "2", "--total"]).done().json();
    assert_eq!(first["total"], json!(3));
    let next = first["next"].as_str().expect("there is more");
    assert_eq!(listed(&["--sort", "email", "--after", next]), ["bob@example.com"]);

    // One in 64 begins like an option.
    let refused = program.run(&["list-users", "--json", "--after", "-Xyz"]).exits(1).error();
    assert_eq!(refused.0, "validation_failed");

    let table = program.run(&["list-users", "--sort", "email", "--limit", "1"]).done();
    let mut lines = table.output.lines();
    let heading: Vec<_> = lines.next().expect("headings").split_whitespace().collect();
    assert_eq!(heading, ["ID", "EMAIL", "ACTIVE", "VERIFIED", "ROLES"]);
    assert!(lines.next().expect("a row").contains("ada@example.com"), "{table:?}");
    assert!(table.errors.starts_with("there are more: --after "), "{table:?}");

    for arguments in [&["--filter", "score=1"][..], &["--filter", "age=x"]] {
        program.run(&[&["list-users"], arguments].concat()).exits(2);
    }
    program.run(&["list-users", "--sort", "password_hash"]).exits(1);
}

#[tokio::test]
async fn tenants_have_to_be_named_and_are_apart() {
    let program = Program::of("tenants").await;
    let create = |tenant: &str| {
        let arguments =
            ["create-user", "--json", "--password-stdin", "--tenant", tenant, "--email", "ada@example.com"];
        program.run_with(&arguments, PASSWORD)
    };
    assert_eq!(create("1").done().json()["company"], json!(1));
    assert_eq!(create("2").done().json()["company"], json!(2));
    assert_eq!(create("1").exits(1).error().0, "identifier_taken");
    assert_eq!(create("one").exits(2).error().1, "`one` is not the key of a tenant");
    let without = program.run(&["list-users"]).exits(2);
    assert!(without.errors.contains("name one with `--tenant`"), "{without:?}");
    let listed = program.run(&["list-users", "--tenant", "1", "--json"]).done().json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    program.run(&["create-role", "clerk", "--tenant", "1"]).done();
    let elsewhere = program.run(&["assign-role", "ada@example.com", "clerk", "--tenant", "2", "--json"]);
    assert_eq!(elsewhere.exits(1).error().0, "not_found");

    let plain = Program::new().await;
    assert!(
        plain.run(&["list-users", "--tenant", "1"]).exits(2).errors.contains("there are no tenants here")
    );
}

#[tokio::test]
async fn a_model_of_another_shape_has_its_own_arguments() {
    let program = Program::of("numbered").await;
    let create = |name: &str, more: &[&str]| {
        let arguments = ["create-user", "--json", "--password-stdin", "--user-name", name];
        program.run_with(&[&arguments, more].concat(), PASSWORD)
    };
    assert_eq!(create("ada", &[]).done().json(), json!({ "id": 1, "user_name": "ada" }));
    assert_eq!(create("bob", &["--id", "7"]).done().json()["id"], json!(7));
    // The database goes on behind the key that was given.
    let next = create("cleo", &[]).done().json()["id"].as_i64().expect("a key");
    assert!(next > 1 && next != 7, "{next}");
    create("7", &[]).done();
    let users = program.users::<numbered::App>().await;
    assert!(users.user(7).await.expect("it answers").is_some_and(|user| user.user_name == "bob"));
    for command in [&["create-role", "x"][..], &["assign-role", "ada", "x"], &["deactivate-user", "ada"]] {
        program.run(command).exits(2);
    }
    let by_mail = program.run(&["reset-password", "ada"]).exits(2);
    assert!(by_mail.errors.contains("`--prompt`"), "{by_mail:?}");
    program.run_with(&["reset-password", "ada", "--password-stdin"], OTHER_PASSWORD).done();
}

#[tokio::test]
async fn an_invitation_is_printed_with_its_token_in_the_fragment_or_sent() {
    let program = Program::new().await;
    program.run(&["create-role", "accountant"]).done();
    let by_invitation = |arguments: &[&str]| program.run_in_mode("invite", arguments);
    let arguments =
        ["invite", "--json", "--email", "ada@example.com", "--role", "Accountant", "--expires", "2d"];
    let made = by_invitation(&arguments).done().json();
    let token = made["token"].as_str().expect("a token");
    assert_eq!(made["link"], format!("http://127.0.0.1:3000/register#token={token}"));
    assert_eq!((&made["identifier"], &made["roles"]), (&json!("ada@example.com"), &json!(["accountant"])));
    let shown = by_invitation(&["invite", "--email", "ada@example.com"]).done().output;
    assert!(shown.starts_with("http://127.0.0.1:3000/register#token="), "{shown}");
    let sent = by_invitation(&["invite", "--json", "--email", "ada@example.com", "--send"]).done().json();
    assert_eq!(sent["sent"], true);
    assert_eq!(program.store().await.count("SELECT COUNT(*) FROM users_outbox").await, 1);
    // Somebody who has an account needs none, and a role has to be there.
    program.create("eve@example.com", &[]);
    let occupied = by_invitation(&["invite", "--json", "--email", "eve@example.com"]).exits(1);
    assert_eq!(occupied.error().0, "identifier_taken");
    let unknown =
        by_invitation(&["invite", "--json", "--email", "ada@example.com", "--role", "cook"]).exits(1);
    assert_eq!(unknown.error().0, "validation_failed");
    // And the settings have to ask for invitations.
    let open = program.run(&["invite", "--json", "--email", "ada@example.com"]).exits(1);
    assert_eq!(open.error().0, "setting");
    by_invitation(&["invite", "--email", "ada@example.com", "--expires", "soon"]).exits(2);
    // A closed registration is none of the operator's.
    program.run_in_mode("closed", &["list-users"]).done();
    program.run_in_mode("secret", &["list-users"]).exits(1);
}
