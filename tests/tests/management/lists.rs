//! `GET /users`: pages, searches, filters and sorts over HTTP.

use serde_json::{Value, json};
use users_runtime::ListQuery;
use users_tests::Answer;
use uuid::Uuid;

use crate::support::{Office, Person, office::WorkerFilter, roles_of};

/// Stores users without the price of their passwords.
pub async fn hire(office: &Office, email: &str, age: i64, grade: &str, team: Option<&str>) -> Uuid {
    let id = Uuid::new_v4();
    let insert = "INSERT INTO staff (id, email, email_canonical, password_hash, is_active, is_verified, team, age, \
                  grade, reference) VALUES (?, ?, ?, 'x', TRUE, TRUE, NULLIF(?, ''), ?, ?, 'secret')";
    let statement = office.store.query(insert).bind(id).bind(email).bind(email.to_lowercase());
    statement.bind(team.unwrap_or_default()).bind(age).bind(grade).execute().await;
    id
}

fn emails(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().unwrap_or_else(|| panic!("no items in {list}"));
    items.iter().map(|user| user["email"].as_str().expect("an address").to_owned()).collect()
}

async fn listed(admin: &Person, query: &str) -> Value {
    admin.get(&format!("/users?{query}")).await.expect(200, "").json()
}

/// Every page of a list, one behind the other.
async fn walk(admin: &Person, query: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let page = listed(admin, &format!("{query}{after}")).await;
        all.extend(page["items"].as_array().expect("items").iter().cloned());
        match page["next"].as_str() {
            Some(cursor) => after = format!("&after={cursor}"),
            None => return all,
        }
        assert!(all.len() < 1000, "the list does not end");
    }
}

async fn staffed() -> (Office, Person) {
    let office = Office::start().await;
    let admin = office.administrator().await;
    for number in 0..40 {
        let team = [None, Some("blue"), Some("red")][number % 3];
        let age = 20 + i64::try_from(number % 5).expect("small");
        let id =
            hire(&office, &format!("User{number:02}@Example.com"), age, ["a", "b"][number % 2], team).await;
        if number % 4 == 0 {
            office.users.grant(id, "clerk").await.expect("a role");
        }
        if number % 8 == 0 {
            office.users.grant(id, "boss").await.expect("a role");
        }
    }
    (office, admin)
}

#[tokio::test]
async fn a_list_is_walked_without_a_gap_and_without_a_double() {
    let (_office, admin) = staffed().await;
    let key = |user: &Value, sort: &str| match sort {
        "id" => user["id"].to_string(),
        "email" => user["email"].to_string().to_lowercase(),
        // Two digits each.
        other => format!("{}{}", user[other], user["id"]),
    };
    for sort in ["id", "email", "age", "grade"] {
        for (direction, limit) in [("", 7), ("-", 7), ("", 1), ("-", 41), ("", 100)] {
            let found = walk(&admin, &format!("sort={direction}{sort}&limit={limit}")).await;
            assert_eq!(found.len(), 41, "{direction}{sort}");
            let keys: Vec<_> = found.iter().map(|user| key(user, sort)).collect();
            let mut sorted = keys.clone();
            sorted.sort();
            sorted.dedup();
            if direction == "-" {
                sorted.reverse();
            }
            assert_eq!(keys, sorted, "{direction}{sort}");
        }
    }
    let bosses = walk(&admin, "limit=9").await;
    let bosses: Vec<_> = bosses.iter().filter(|user| roles_of(user) == ["boss", "clerk"]).collect();
    assert_eq!(bosses.len(), 5);
}

#[tokio::test]
async fn a_page_says_what_it_holds() {
    let (office, admin) = staffed().await;
    let page = listed(&admin, "").await;
    assert_eq!((emails(&page).len(), &page["limit"], &page["next"]), (41, &json!(50), &Value::Null));
    assert!(page.get("total").is_none());
    let answer = admin.get("/users?limit=3&total=true&age_min=24").await.expect(200, "");
    let page = answer.json();
    assert_eq!((emails(&page).len(), &page["limit"], &page["total"]), (3, &json!(3), &json!(9)));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(!answer.text.contains("secret") && !answer.text.contains("canonical"), "{}", answer.text);
    // The total is that of all pages.
    let cursor = page["next"].as_str().expect("another page");
    let next = listed(&admin, &format!("limit=3&total=true&age_min=24&after={cursor}")).await;
    assert_eq!(next["total"], 9);
    // For programs.
    let query = ListQuery::new().with_sort("-age").with_limit(2).with_total(true);
    let query = query.with_filter(WorkerFilter { team: Some("red".to_owned()), ..WorkerFilter::default() });
    let page = office.users.list_users(query).await.expect("a page");
    assert_eq!((page.items.len(), page.total, page.limit), (2, Some(13), 2));
    assert!(page.items.iter().all(|user| user.age == 24 && user.team.as_deref() == Some("red")));
    let query = ListQuery::new().with_sort("-age").with_limit(2).with_after(page.next.expect("another page"));
    assert_eq!(office.users.list_users(query).await.expect("a page").items.len(), 2);
    assert!(office.users.list_users(ListQuery::new().with_limit(101)).await.is_err());
}

#[tokio::test]
async fn filters_are_typed_and_add_up() {
    let (office, admin) = staffed().await;
    for (query, count) in [
        ("team=blue", 13),
        ("team=Blue", 0),
        ("age_min=23", 17),
        ("age_max=20", 8),
        ("age_min=21&age_max=22", 16),
        ("team=red&age_min=24&is_active=true", 2),
        ("is_active=false", 0),
        ("is_verified=true", 41),
        ("age_min=200", 0),
    ] {
        let page = listed(&admin, &format!("total=true&{query}")).await;
        assert_eq!((&page["total"], emails(&page).len()), (&json!(count), count), "{query}");
    }
    office.store.execute("UPDATE staff SET is_active = FALSE WHERE age = 20").await;
    assert_eq!(emails(&listed(&admin, "is_active=false&sort=age&limit=5").await).len(), 5);
}

#[tokio::test]
async fn a_search_is_by_the_beginning_of_the_identifier() {
    let office = Office::start().await;
    let admin = office.administrator().await;
    for email in [
        "ada@example.com",
        "adam@example.com",
        "Ad%a@example.com",
        "ad_a@example.com",
        "ADELE@example.com",
        "b@example.com",
        "äda@example.com",
        "zed@example.com",
    ] {
        hire(&office, email, 30, "a", None).await;
    }
    for (search, found) in [
        ("ad", &["Ad%a", "ad_a", "ada", "adam", "ADELE", "admin"][..]),
        ("ADA", &["ada", "adam"]),
        ("%20ada%40", &["ada"]),
        ("%EF%BD%81da", &["ada", "adam"]),
        ("ad%25", &["Ad%a"]),
        ("ad_", &["ad_a"]),
        ("%25", &[]),
        ("z", &["zed"]),
        ("%C3%A4", &["äda"]),
        ("a%CC%88d", &["äda"]),
        ("nobody", &[]),
        ("ada'%20OR%20''='", &[]),
    ] {
        let emails = emails(&listed(&admin, &format!("search={search}")).await);
        let names: Vec<_> =
            emails.iter().filter_map(|email| email.split_once('@')).map(|pair| pair.0).collect();
        assert_eq!(names, found, "{search}");
        let total = listed(&admin, &format!("search={search}&total=true&sort=-id")).await;
        assert_eq!(total["total"], found.len(), "{search}");
    }
    assert_eq!(emails(&listed(&admin, "search=").await).len(), 9);
    assert_eq!(walk(&admin, "search=ad&limit=2").await.len(), 6);
    assert_eq!(walk(&admin, "search=ad&limit=2&sort=-age").await.len(), 6);
}

fn assert_refused(answer: Answer, fields: &[&str], query: &str) {
    let answer = answer.expect(422, "validation_failed");
    assert_eq!(answer.fields(), fields, "{query}: {}", answer.text);
}

#[tokio::test]
async fn s55_a_query_names_nothing_that_lists_do_not_know() {
    let (office, admin) = staffed().await;
    for (query, field) in [
        ("sort=password_hash", "sort: unknown_sort"),
        ("sort=reference", "sort: unknown_sort"),
        ("sort=team", "sort: unknown_sort"),
        ("sort=email_canonical", "sort: unknown_sort"),
        ("sort=--age", "sort: unknown_sort"),
        ("sort=%2Bage", "sort: unknown_sort"),
        ("sort=", "sort: unknown_sort"),
        ("sort=age%20DESC", "sort: unknown_sort"),
        ("sort=age,id", "sort: unknown_sort"),
        ("sort=u.age", "sort: unknown_sort"),
        ("sort=1", "sort: unknown_sort"),
        ("sort=(SELECT%20password_hash)", "sort: unknown_sort"),
        ("sort=age;DROP%20TABLE%20staff", "sort: unknown_sort"),
        ("password_hash=x", "password_hash: unknown_field"),
        ("reference=secret", "reference: unknown_field"),
        ("grade=a", "grade: unknown_field"),
        ("age=20", "age: unknown_field"),
        ("email=x", "email: unknown_field"),
        ("id=1", "id: unknown_field"),
        ("tenant=1", "tenant: unknown_field"),
        ("age_min=20)%20OR%201=1--", "age_min: invalid_type"),
        ("age_min=", "age_min: invalid_type"),
        ("is_active=maybe", "is_active: invalid_type"),
        ("team%00=x", "team\u{fffd}: invalid_text"),
        ("team=a%00b", "team: invalid_text"),
        ("search=%00", "search: invalid_text"),
        ("limit=0", "limit: out_of_range"),
        ("limit=101", "limit: out_of_range"),
        ("limit=-1", "limit: out_of_range"),
        ("limit=ten", "limit: out_of_range"),
        ("limit=99999999999999999999", "limit: out_of_range"),
        ("total=1", "total: invalid_type"),
        ("sort=age&sort=id", "sort: duplicate_field"),
        ("search=a&search=b", "search: duplicate_field"),
        ("team=a&team=b", "team: duplicate_field"),
        ("offset=5", "offset: unknown_field"),
    ] {
        assert_refused(admin.get(&format!("/users?{query}")).await, &[field], query);
    }
    let long = "x".repeat(2000);
    assert_refused(admin.get(&format!("/users?search={long}")).await, &["search: too_long"], "a long search");
    assert_refused(
        admin.get(&format!("/users?{long}=1")).await,
        &[&format!("{}...: unknown_field", "x".repeat(60))],
        "a long name",
    );
    let answer = admin.get("/users?limit=0&limit=x&team=a&team=b").await;
    assert_refused(
        answer,
        &["limit: out_of_range", "limit: duplicate_field", "team: duplicate_field"],
        "several",
    );
    // Values are values, whatever they look like.
    for value in
        ["'%20OR%201=1--", "';DROP%20TABLE%20staff;--", "%22", "$1", "?", "%5C", "NULL", "%F0%9F%92%A9"]
    {
        for parameter in ["team", "search"] {
            let page = listed(&admin, &format!("{parameter}={value}")).await;
            assert_eq!(emails(&page).len(), 0, "{parameter}={value}");
        }
    }
    assert_eq!(office.store.count("SELECT COUNT(*) FROM staff").await, 41);
}

#[tokio::test]
async fn s55_the_statement_holds_nothing_of_the_query() {
    let office = Office::start().await;
    let all = office.users.scope(());
    let query = |search: &str, team: &str, after: Option<String>| {
        let filter =
            WorkerFilter { team: Some(team.to_owned()), age_min: Some(4711), ..WorkerFilter::default() };
        let query = ListQuery::new().with_search(search).with_filter(filter).with_sort("-age").with_limit(42);
        match after {
            Some(after) => query.with_after(after),
            None => query,
        }
    };
    let sql = all.page_sql(query("needle", "haystack", None)).expect("a statement");
    assert!(
        !sql.contains("needle") && !sql.contains("haystack") && !sql.contains("4711") && !sql.contains("42")
    );
    assert_eq!(sql, all.page_sql(query("' OR 1=1", "\"", None)).expect("a statement"));
}

#[tokio::test]
async fn a_cursor_is_good_for_the_list_that_gave_it() {
    let (_office, admin) = staffed().await;
    let cursor = async |query: &str| {
        let page = listed(&admin, query).await;
        page["next"].as_str().expect("another page").to_owned()
    };
    let by_age = cursor("sort=age&limit=3").await;
    assert!(by_age.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'), "{by_age}");
    listed(&admin, &format!("sort=age&limit=9&after={by_age}")).await;
    let last = if by_age.ends_with('A') { "B" } else { "A" };
    let flipped = format!("{}{last}", &by_age[..by_age.len() - 1]);
    let forged = base64(br#"{"s":"age","v":20,"i":"00000000-0000-0000-0000-000000000000"}"#);
    let forged_with_tag = base64(
        &[&[0; 16], &br#"{"s":"age","v":20,"i":"00000000-0000-0000-0000-000000000000"}"#[..]].concat(),
    );
    let mut refused = vec![flipped, forged, forged_with_tag, String::new(), "x".to_owned(), "%00".to_owned()];
    refused.extend(["'", "AAAA", "null", "%F0%9F%92%A9"].map(str::to_owned));
    refused.push(format!("{by_age}="));
    refused.push(format!("{by_age}A"));
    for cursor in refused {
        let answer =
            admin.get(&format!("/users?sort=age&after={cursor}")).await.expect(422, "validation_failed");
        let fields = answer.fields();
        assert!(["after: invalid_cursor", "after: invalid_text"].contains(&fields[0].as_str()), "{cursor}");
    }
    // Of another order.
    for query in ["", "sort=-age&", "sort=id&", "sort=grade&", "search=u&"] {
        let answer = admin.get(&format!("/users?{query}after={by_age}")).await;
        assert_refused(answer, &["after: invalid_cursor"], query);
    }
    // Of another application.
    let (_other, other_admin) = staffed().await;
    let answer = other_admin.get(&format!("/users?sort=age&after={by_age}")).await;
    assert_refused(answer, &["after: invalid_cursor"], "another key");
    // What changes in between moves nobody else.
    let first = listed(&admin, "sort=email&limit=5").await;
    let gone = first["items"][4]["id"].as_str().expect("a key").to_owned();
    admin.send(admin.request("DELETE", &format!("/users/{gone}"))).await.expect(200, "");
    let next = first["next"].as_str().expect("another page");
    let page = listed(&admin, &format!("sort=email&limit=5&after={next}")).await;
    assert_eq!(emails(&page)[0], "User04@Example.com");
}

fn base64(bytes: &[u8]) -> String {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
