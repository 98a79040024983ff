//! Filters, sorting, tenants, roles and columns of an existing table.

use quote::quote;
use syn::parse_quote;

use super::{assert_messages, expanded, field_messages, messages, pretty};
use crate::{
    record::dialect::{MYSQL, POSTGRES},
    user_model::expand_for,
};

fn rich() -> syn::DeriveInput {
    parse_quote! {
        #[user(role = crate::Clearance)]
        struct Member {
            #[user(id)]
            id: i64,
            #[user(tenant, column = "club")]
            club_id: Uuid,
            #[user(identifier, canonical = "mail_key")]
            email: String,
            #[user(password_hash)]
            password_hash: PasswordHash,
            #[user(active)]
            enabled: bool,
            #[user(filter(range), sort, sql_default = "0")]
            age: i64,
            #[user(filter, sql_type(postgres = "CITEXT", mysql = "VARCHAR(99)"))]
            r#type: Option<String>,
            #[user(exclude(read), read_only)]
            old_hash: PasswordHash,
            #[user(exclude(import), read_only, default = now())]
            joined: Timestamp,
        }
    }
}

#[test]
fn a_member_of_a_club_with_filters_and_an_order() {
    insta::assert_snapshot!(pretty(expanded(&rich())));
}

#[test]
fn each_database_has_its_quotes_and_its_types() {
    let postgres = pretty(expand_for(&rich(), &[POSTGRES], false));
    for part in [
        "type Role = <crate::Clearance as ::users_runtime::RoleModel>::Model;",
        "Postgres as __DB, postgres::PgArguments as __Arguments",
        r#".with_sql_type("CITEXT")"#,
    ] {
        assert!(postgres.contains(part), "{part} in {postgres}");
    }
    let mysql = pretty(expand_for(&rich(), &[MYSQL], false));
    for part in [
        "MySql as __DB, mysql::MySqlArguments as __Arguments",
        "\"`members`\"",
        "u.`age`, u.`type`",
        "values : \"?, ?, ?, ?, ?, ?, ?, ?, ?, ?\"",
        "`age` = CASE WHEN ? THEN ? ELSE `age` END",
        r#".with_sql_type("VARCHAR(99)")"#,
    ] {
        assert!(mysql.contains(part), "{part} in {mysql}");
    }
}

#[test]
fn s55_lists_tell_nothing_that_responses_keep_back() {
    let hash = |arguments: proc_macro2::TokenStream| -> Vec<String> {
        messages(&parse_quote! {
            struct User {
                #[user(id)] id: Uuid,
                #[user(identifier)] email: String,
                #[user(password_hash, #arguments)] password_hash: PasswordHash,
            }
        })
    };
    for word in ["filter", "sort"] {
        let argument = quote::format_ident!("{word}");
        let text =
            format!("the `password_hash` is a secret, which `{word}` would tell bit by bit; remove `{word}`");
        assert_eq!(hash(quote!(#argument)), [text]);
    }
    let cases = [
        (
            quote!(#[user(filter, exclude(read))] note: String),
            "`note` is kept out of responses, and `filter` would tell it bit by bit; remove `filter`, or `read` from `exclude`",
        ),
        (
            quote!(#[user(exclude(read), filter(range))] note: i64),
            "`note` is kept out of responses, and `filter` would tell it bit by bit; remove `filter`, or `read` from `exclude`",
        ),
        (
            quote!(#[user(sort, exclude(read))] note: String),
            "`note` is kept out of responses, and `sort` would tell it bit by bit; remove `sort`, or `read` from `exclude`",
        ),
        (
            quote!(#[user(active, filter, exclude(read))] on: bool),
            "`on` is kept out of responses, and `filter` would tell it bit by bit; remove `filter`, or `read` from `exclude`",
        ),
    ];
    assert_messages(&cases, field_messages);
    let hidden = parse_quote! {
        struct User {
            #[user(id)] id: Uuid,
            #[user(identifier)] email: String,
            #[user(password_hash)] password_hash: PasswordHash,
            #[user(active, exclude(read))] on: bool,
        }
    };
    assert!(pretty(expanded(&hidden)).contains("struct UserFilter {}"), "a hidden flag is no filter");
}

#[test]
fn what_lists_can_do_already_or_never_is_said() {
    let cases = [
        (
            quote!(#[user(active, filter)] on: bool),
            "lists are filtered by the `active` already; remove `filter`",
        ),
        (
            quote!(#[user(verified, sort)] on: bool),
            "two values make no order; remove `sort`, since lists are filtered by the `verified`",
        ),
        (quote!(#[user(tenant, filter)] club: i64), "a list is of one tenant; remove `filter`"),
        (
            quote!(#[user(sort)] age: Option<i64>),
            "what is absent has no place in an order; remove `sort`, or write the type without `Option`",
        ),
        (quote!(#[user(sort = 5)] age: i64), "`sort` takes no value; write `sort` alone"),
        (
            quote!(#[user(filter(rage))] age: i64),
            "write `filter` for an exact value or `filter(range)` for the least and the greatest",
        ),
        (
            quote!(#[user(filter = range)] age: i64),
            "write `filter` for an exact value or `filter(range)` for the least and the greatest",
        ),
        (
            quote!(#[user(filter)] sort: i64),
            "the parameter `sort` of a list belongs to the list itself already; rename the field and write `column = \"...\"`",
        ),
        (
            quote!(#[user(filter(range))] age: i64, #[user(filter)] age_max: i64),
            "the parameter `age_max` of a list belongs to `age` already; rename the field and write `column = \"...\"`",
        ),
    ];
    assert_messages(&cases, field_messages);
    let of_id: Vec<_> = messages(&parse_quote! {
        struct User {
            #[user(id, sort)] id: Uuid,
            #[user(identifier, filter)] email: String,
            #[user(password_hash)] password_hash: PasswordHash,
        }
    });
    let another_id: Vec<_> = messages(&parse_quote! {
        struct User {
            #[user(id, column = "pk")] key: Uuid,
            #[user(identifier)] email: String,
            #[user(password_hash)] password_hash: PasswordHash,
            #[user(sort)] id: i64,
        }
    });
    let text = "lists are sorted by the key as `id` already; rename the field and write `column = \"id\"`";
    assert_eq!(another_id, [text]);
    assert_eq!(
        of_id,
        [
            "lists are sorted by the `id` already; remove `sort`",
            "a user is found by the `identifier` already; remove `filter`"
        ]
    );
}

#[test]
fn a_tenant_is_set_by_the_library_alone() {
    let cases = [
        (
            quote!(#[user(tenant)] a: Uuid, #[user(tenant)] b: Uuid),
            "`a` is the `tenant` already; a user has one, so remove this",
        ),
        (
            quote!(#[user(tenant)] a: Option<Uuid>),
            "the `tenant` cannot have this type; write `Uuid`, `i64` or `String`",
        ),
        (
            quote!(#[user(tenant)] a: i32),
            "the `tenant` cannot have this type; write `Uuid`, `i64` or `String`",
        ),
        (
            quote!(#[user(tenant, exclude(register))] a: i64),
            "`a` is never in `UserRegistration`; remove this",
        ),
        (quote!(#[user(tenant, read_only)] a: i64), "no DTO writes the `tenant`; remove `read_only`"),
        (
            quote!(#[user(tenant, default = 1)] a: i64),
            "the library sets the `tenant` itself; remove `default`",
        ),
        (
            quote!(#[user(tenant, mailbox)] a: i64),
            "the `tenant` is no mail address; write `mailbox` on the field that holds it",
        ),
        (
            quote!(#[user(tenant, sql_default = "1")] a: i64),
            "no row is without the `tenant`; remove `sql_default`",
        ),
    ];
    assert_messages(&cases, field_messages);
    assert!(field_messages(&quote!(#[user(tenant, exclude(read))] a: String)).is_empty());
}

#[test]
fn keys_of_the_answers_and_bodies_are_left_to_the_library() {
    let cases = [
        (
            quote!(roles: String),
            "`roles` is the key under which responses show a user's roles; rename the field, or write `#[user(exclude(read))]` above it",
        ),
        (
            quote!(send_password_reset: bool),
            "`send_password_reset` is a key of the generated DTOs; rename the field and write `#[user(column = \"send_password_reset\")]`",
        ),
    ];
    assert_messages(&cases, field_messages);
    assert!(field_messages(&quote!(#[user(exclude(read))] roles: String)).is_empty());
    let two_hashes: Vec<_> = messages(&parse_quote! {
        struct User {
            #[user(id)] id: Uuid,
            #[user(identifier, exclude(import))] email: String,
            #[user(password_hash, column = "pwd")] hash: PasswordHash,
            #[user(exclude(read))] password_hash: String,
        }
    });
    assert_eq!(
        two_hashes,
        [
            "nobody could be imported without the identifier; remove this",
            "`password_hash` is a key of the generated DTOs; rename the field and write `#[user(column = \"password_hash\")]`",
        ]
    );
}

#[test]
fn types_and_defaults_in_sql_are_checked_for_each_database() {
    let cases = [
        (
            quote!(#[user(sql_type(sqlite = "A;", mysql = "INT"))] a: i64),
            "`A;` is no type of a column; write one such as `\"TEXT\"`",
        ),
        (
            quote!(#[user(sql_type(postgre = "INT"))] a: i64),
            "unknown argument `postgre`; did you mean `postgres`?",
        ),
        (
            quote!(#[user(sql_type)] a: i64),
            "write `sql_type = \"...\"`, or `sql_type(sqlite = \"...\", postgres = \"...\", mysql = \"...\")` with those that differ",
        ),
        (
            quote!(#[user(sql_default = "0; --")] a: i64),
            "`0; --` is no value in SQL; write one such as `\"0\"` or `\"'free'\"`",
        ),
        (quote!(#[user(sql_default = 0)] a: i64), "write a string: `sql_default = \"...\"`"),
    ];
    assert_messages(&cases, field_messages);
}
