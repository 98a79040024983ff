//! Which text becomes which value, and what is said of the rest.

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::*;

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Plan {
    #[default]
    Free,
    ForTeams,
    Custom {
        seats: u32,
    },
}

#[derive(Debug, Default, Deserialize, PartialEq)]
struct Points(i64);

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
struct Account {
    name: String,
    nickname: Option<String>,
    active: bool,
    age: u8,
    balance: i64,
    ratio: f64,
    initial: char,
    id: Uuid,
    plan: Plan,
    points: Points,
    tags: Vec<String>,
    pair: (i32, String),
    settings: Value,
    manager: Option<i64>,
}

fn set(pairs: &[(&'static str, &'static str)]) -> Result<Account, String> {
    Account::deserialize(Texts::set(pairs.iter().copied())).map_err(|error| error.to_string())
}

fn row(cells: &[(&'static str, &'static str)]) -> Result<Account, String> {
    Account::deserialize(Texts::row(cells.iter().copied())).map_err(|error| error.to_string())
}

fn refused(name: &'static str, text: &'static str) -> String {
    set(&[(name, text)]).expect_err(text)
}

#[test]
fn text_is_parsed_as_the_field_asks() {
    let account = set(&[
        ("name", "42"),
        ("nickname", " Ada "),
        ("active", "Yes"),
        ("age", "150"),
        ("balance", "-7"),
        ("ratio", "0.5"),
        ("initial", "ä"),
        ("id", "067e6162-3b6f-4ae2-a171-2470b63dff00"),
        ("plan", "for_teams"),
        ("points", "12"),
        ("tags", r#"["a", "b"]"#),
        ("pair", r#"[1, "x"]"#),
        ("settings", r#"{"theme": "dark"}"#),
        ("manager", "3"),
    ]);
    let expected = Account {
        name: "42".to_owned(),
        nickname: Some(" Ada ".to_owned()),
        active: true,
        age: 150,
        balance: -7,
        ratio: 0.5,
        initial: 'ä',
        id: "067e6162-3b6f-4ae2-a171-2470b63dff00".parse().unwrap(),
        plan: Plan::ForTeams,
        points: Points(12),
        tags: vec!["a".to_owned(), "b".to_owned()],
        pair: (1, "x".to_owned()),
        settings: json!({"theme": "dark"}),
        manager: Some(3),
    };
    assert_eq!(account, Ok(expected));
}

#[test]
fn a_variant_with_fields_is_json() {
    let account = set(&[("plan", r#"{"custom": {"seats": 3}}"#)]).unwrap();
    assert_eq!(account.plan, Plan::Custom { seats: 3 });
}

#[test]
fn what_takes_anything_takes_json_or_text() {
    assert_eq!(set(&[("settings", "7")]).unwrap().settings, json!(7));
    assert_eq!(set(&[("settings", "dark")]).unwrap().settings, json!("dark"));
    assert_eq!(set(&[("settings", "{broken")]).unwrap().settings, json!("{broken"));
}

#[test]
fn the_command_line_says_null_and_a_row_leaves_the_cell_empty() {
    assert_eq!(set(&[("nickname", "null"), ("manager", "null")]), Ok(Account::default()));
    assert_eq!(set(&[("nickname", "")]).unwrap().nickname.as_deref(), Some(""));
    assert_eq!(row(&[("nickname", ""), ("age", ""), ("name", "")]), Ok(Account::default()));
    // A person may be called that.
    assert_eq!(row(&[("nickname", "null")]).unwrap().nickname.as_deref(), Some("null"));
}

#[test]
fn a_parameter_of_a_query_is_what_it_says() {
    let query =
        |pairs: &[(&'static str, &'static str)]| Account::deserialize(Texts::query(pairs.iter().copied()));
    let account = query(&[("nickname", "null"), ("name", ""), ("active", "true")]).unwrap();
    assert_eq!(
        (account.nickname.as_deref(), account.name.as_str(), account.active),
        (Some("null"), "", true)
    );
    for (pairs, field, code) in [
        (&[("age", "x")][..], "age", "invalid_type"),
        (&[("age", "1"), ("age", "2")], "age", "duplicate_field"),
        (&[("colour", "red")], "colour", "unknown_field"),
    ] {
        let (named, violation) = query(pairs).unwrap_err().into_violation();
        assert_eq!((named.as_str(), violation.code), (field, code));
    }
}

#[test]
fn a_wrong_value_is_named_with_its_field_and_what_belongs_there() {
    for (name, text, message) in [
        ("age", "300", "`age`: `300` is not a whole number from 0 to 255"),
        ("age", "", "`age`: `` is not a whole number from 0 to 255"),
        ("active", "maybe", "`active`: `maybe` is not `true` or `false`"),
        ("ratio", "half", "`ratio`: `half` is not a number"),
        ("initial", "ab", "`initial`: `ab` is not one character"),
        ("plan", "gold", "`plan`: `gold` is none of `free`, `for_teams`, `custom`"),
        ("tags", "a, b", "`tags`: `a, b` is not a list; write JSON, as in `[1, 2]`"),
        (
            "manager",
            "x",
            "`manager`: `x` is not a whole number from -9223372036854775808 to 9223372036854775807",
        ),
    ] {
        assert_eq!(refused(name, text), message);
    }
    assert!(refused("id", "1").starts_with("`id`: "), "{}", refused("id", "1"));
    assert!(refused("pair", "[1]").starts_with("`pair`: "), "{}", refused("pair", "[1]"));
}

#[test]
fn an_unknown_or_doubled_name_is_refused_and_the_fields_are_listed() {
    let message = refused("login_count", "1");
    assert!(message.starts_with("`login_count`: is not known; there are `name`, `nickname`, "), "{message}");
    assert_eq!(set(&[("age", "1"), ("age", "2")]), Err("`age`: is given twice".to_owned()));
}

#[test]
fn a_missing_value_is_named() {
    #[derive(Debug, Deserialize)]
    struct Needs {
        #[expect(dead_code, reason = "only that it is missing counts")]
        email: String,
    }
    let error = Needs::deserialize(Texts::row([("email", "")])).unwrap_err();
    assert_eq!(error.to_string(), "`email`: is not given and has no default");
}

#[test]
fn a_long_value_is_shown_by_its_start() {
    let long: &'static str = "ä".repeat(1000).leak();
    assert_eq!(
        refused("active", long),
        format!("`active`: `{}...` is not `true` or `false`", "ä".repeat(60))
    );
}

#[test]
fn a_type_with_a_written_form_is_read_by_it() {
    #[derive(Debug, Deserialize)]
    struct Known {
        from: Option<std::net::IpAddr>,
    }
    let seen = Known::deserialize(Texts::row([("from", "::1")])).unwrap();
    assert_eq!(seen.from, Some(std::net::Ipv6Addr::LOCALHOST.into()));
    let error = Known::deserialize(Texts::row([("from", "home")])).unwrap_err();
    assert_eq!(error.to_string(), "`from`: invalid IP address syntax");
}

#[test]
fn the_fields_of_a_struct_are_known_without_a_value() {
    assert_eq!(fields::<Account>()[..3], ["name", "nickname", "active"]);
    assert!(fields::<i64>().is_empty());
}
