//! Grammar, messages and expansions of `#[derive(RoleModel)]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{DeriveInput, parse_quote};

use super::*;
use crate::record::dialect::{MYSQL, POSTGRES, SQLITE};

fn pretty(tokens: impl ToTokens) -> String {
    prettyplease::unparse(&parse_quote!(#tokens))
}

fn messages(input: &DeriveInput) -> Vec<String> {
    match understand(input) {
        Ok(_) => Vec::new(),
        Err(error) => report::messages(error).into_iter().map(|(_, text)| text).collect(),
    }
}

/// The messages for a role with `fields` beside those that are required.
fn field_messages(fields: &TokenStream) -> Vec<String> {
    messages(&parse_quote! {
        struct Role {
            #[role(id)] id: Uuid,
            #[role(name)] name: String,
            #fields
        }
    })
}

fn rank() -> DeriveInput {
    parse_quote! {
        #[role(table = "ranks", crate = crate)]
        pub struct Rank {
            #[role(name, validate = length(2, 20))]
            pub title: String,
            #[role(id, column = "pk")]
            pub key: i64,
            /// Who outranks whom.
            #[role(default = 1, validate = range(1, 9), sql_default = "1")]
            pub level: i64,
            pub note: Option<String>,
            #[role(read_only)]
            pub used: i64,
            #[role(exclude(read, update))]
            pub origin: Option<String>,
        }
    }
}

#[test]
fn a_role_with_columns_of_its_own() {
    insta::assert_snapshot!(pretty(expand_for(&rank(), &[SQLITE], false)));
}

#[test]
fn each_database_has_its_quotes() {
    let postgres = pretty(expand_for(&rank(), &[POSTGRES], false));
    assert!(postgres.contains("select: \"r.\\\"title\\\", r.\\\"pk\\\""), "{postgres}");
    let mysql = pretty(expand_for(&rank(), &[MYSQL], false));
    assert!(mysql.contains("select: \"r.`title`, r.`pk`, r.`level`"), "{mysql}");
}

#[test]
fn a_role_stands_in_the_librarys_table_unless_it_names_one() {
    let table = |attribute: TokenStream| {
        let input = parse_quote! {
            #attribute
            struct Clearance { #[role(id)] id: Uuid, #[role(name)] name: String }
        };
        understand(&input)
            .map(|model| model.record.table)
            .map_err(|error| report::messages(error).into_iter().map(|(_, text)| text).collect::<Vec<_>>())
    };
    assert_eq!(table(quote!()), Ok("users_roles".to_owned()));
    assert_eq!(table(quote!(#[role(table = "clearances")])), Ok("clearances".to_owned()));
    let taken = "`users_sessions` is a table of the library's own; write another one with `table = \"...\"`"
        .to_owned();
    assert_eq!(table(quote!(#[role(table = "users_sessions")])), Err(vec![taken]));
}

#[test]
fn mistakes_are_named_as_those_of_a_role() {
    for (fields, message) in [
        (quote!(#[role(id)] other: Uuid), "`id` is the `id` already; a role has one, so remove this"),
        (quote!(#[role(name)] other: String), "`name` is the `name` already; a role has one, so remove this"),
        (quote!(#[role(nam)] a: i64), "unknown argument `nam`; did you mean `name`?"),
        (
            quote!(#[role(mailbox)] a: String),
            "unknown argument `mailbox`; write one of `column`, `default`, `exclude`, `id`, `name`, `read_only`, `sql_default`, `sql_type`, `validate`",
        ),
        (
            quote!(tenant: i64),
            "the column `tenant` belongs to the library already; write another one with `column = \"...\"`",
        ),
        (
            quote!(#[role(exclude(register))] a: i64),
            "unknown DTO `register`; write one of `create`, `read`, `update`",
        ),
        (quote!(#[role(exclude())] a: i64), "write `exclude(...)` with some of `read`, `create`, `update`"),
        (quote!(#[role(read_only, validate = length(1, 2))] a: String), "no DTO writes `a`; remove the rule"),
        (
            quote!(secret: PasswordHash),
            "`PasswordHash` is a secret and `RoleRead` would show it; write `#[role(exclude(read))]` above `secret`",
        ),
        (
            quote!(#[sqlx(skip)] a: i64),
            "`#[sqlx(skip)]` is not supported on a role model; move the field to a struct of your own that holds this one",
        ),
    ] {
        assert_eq!(field_messages(&fields), [message], "{fields}");
    }
    assert!(field_messages(&quote!(#[role(column = "owner")] tenant: i64)).is_empty());
}

#[test]
fn the_required_fields_are_checked_too() {
    let with = |id: TokenStream, name: TokenStream| messages(&parse_quote! { struct Role { #id, #name } });
    let id = || quote!(#[role(id)] id: Uuid);
    let name = || quote!(#[role(name)] name: String);
    for (messages, message) in [
        (with(quote!(id: Uuid), name()), "no field is the `id`; write `#[role(id)]` above `id`"),
        (with(id(), quote!(title: String)), "no field is the `name`; add `#[role(name)] pub name: String`"),
        (
            with(quote!(#[role(id)] id: String), name()),
            "the `id` cannot have this type; write `Uuid` or `i64`",
        ),
        (
            with(id(), quote!(#[role(name)] name: Option<String>)),
            "the `name` cannot have this type; write `String`",
        ),
        (
            with(id(), quote!(#[role(name, exclude(create))] name: String)),
            "nobody could make a role without its name; remove this",
        ),
        (
            with(id(), quote!(#[role(name, read_only)] name: String)),
            "nobody could make a role without its name; write `exclude(update)`",
        ),
        (
            with(id(), quote!(#[role(name, default = "x")] name: String)),
            "the library sets the `name` itself; remove `default`",
        ),
        (with(quote!(#[role(id, read_only)] id: Uuid), name()), "no DTO writes the `id`; remove `read_only`"),
        (
            with(quote!(#[role(id, validate = range(1, 2))] id: i64), name()),
            "nobody types the `id`; remove the rule",
        ),
    ] {
        assert_eq!(messages, [message]);
    }
    assert!(with(id(), quote!(#[role(name, exclude(update))] name: String)).is_empty());
}

#[test]
fn only_a_struct_with_named_fields_is_a_role() {
    let input = parse_quote! { enum Role { A } };
    let text = "a role cannot be an enum; write `struct Role { ... }` with named fields";
    assert_eq!(messages(&input), [text]);
}

#[test]
fn a_broken_role_leaves_its_names_behind() {
    let expansion = pretty(expand_for(&parse_quote! { pub struct Role { name: String } }, &[SQLITE], false));
    for name in ["RoleRead", "RoleCreate", "RoleUpdate"] {
        assert!(expansion.contains(&format!("pub struct {name} {{}}")), "{name}");
    }
    assert!(expansion.contains("impl ::users_runtime::RoleModel for Role"));
    assert_eq!(expansion.matches("compile_error").count(), 2);
}
