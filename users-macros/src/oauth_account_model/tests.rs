//! Grammar, messages and expansions of `#[derive(OAuthAccountModel)]`.

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

/// The messages for an account with `fields` beside those that are required.
fn field_messages(fields: &TokenStream) -> Vec<String> {
    messages(&parse_quote! {
        struct Linked {
            #[oauth_account(id)] id: Uuid,
            #[oauth_account(provider)] provider: String,
            #[oauth_account(subject)] subject: String,
            #fields
        }
    })
}

fn linked() -> DeriveInput {
    parse_quote! {
        #[oauth_account(table = "links", crate = crate)]
        pub struct Linked {
            #[oauth_account(subject, column = "sub")]
            pub who: String,
            #[oauth_account(id)]
            pub key: i64,
            /// Which provider.
            #[oauth_account(provider)]
            pub provider: String,
            #[oauth_account(email, exclude(read))]
            pub mail: Option<String>,
            #[oauth_account(default = "personal", sql_type = "VARCHAR(20)", sql_default = "'old'")]
            pub label: String,
            pub note: Option<String>,
            #[oauth_account(exclude(read))]
            pub used: i64,
        }
    }
}

#[test]
fn an_account_with_columns_of_its_own() {
    insta::assert_snapshot!(pretty(expand_for(&linked(), &[SQLITE])));
}

#[test]
fn each_database_has_its_quotes() {
    let postgres = pretty(expand_for(&linked(), &[POSTGRES]));
    assert!(postgres.contains("select: \"a.\\\"sub\\\", a.\\\"key\\\""), "{postgres}");
    let mysql = pretty(expand_for(&linked(), &[MYSQL]));
    assert!(mysql.contains("select: \"a.`sub`, a.`key`, a.`provider`"), "{mysql}");
}

#[test]
fn an_account_needs_no_mail_address() {
    let input = parse_quote! {
        struct Linked {
            #[oauth_account(id)] id: Uuid,
            #[oauth_account(provider)] provider: String,
            #[oauth_account(subject)] subject: String,
        }
    };
    let expansion = pretty(expand_for(&input, &[SQLITE]));
    assert!(expansion.contains("email: ::core::option::Option::None"), "{expansion}");
}

#[test]
fn an_account_stands_in_the_librarys_table_unless_it_names_one() {
    let table = |attribute: TokenStream| {
        let input = parse_quote! {
            #attribute
            struct Linked {
                #[oauth_account(id)] id: Uuid,
                #[oauth_account(provider)] provider: String,
                #[oauth_account(subject)] subject: String,
            }
        };
        understand(&input)
            .map(|model| model.record.table)
            .map_err(|error| report::messages(error).into_iter().map(|(_, text)| text).collect::<Vec<_>>())
    };
    assert_eq!(table(quote!()), Ok("users_oauth_accounts".to_owned()));
    assert_eq!(table(quote!(#[oauth_account(table = "links")])), Ok("links".to_owned()));
    let taken =
        "`users_roles` is a table of the library's own; write another one with `table = \"...\"`".to_owned();
    assert_eq!(table(quote!(#[oauth_account(table = "users_roles")])), Err(vec![taken]));
}

#[test]
fn mistakes_are_named_as_those_of_a_linked_account() {
    for (fields, message) in [
        (
            quote!(#[oauth_account(id)] other: Uuid),
            "`id` is the `id` already; a linked account has one, so remove this",
        ),
        (
            quote!(#[oauth_account(subject)] other: String),
            "`subject` is the `subject` already; a linked account has one, so remove this",
        ),
        (
            quote!(#[oauth_account(email, id)] other: Option<String>),
            "`other` is the `id` already; a field has one role, so move `email` to a field of its own",
        ),
        (quote!(#[oauth_account(emial)] a: i64), "unknown argument `emial`; did you mean `email`?"),
        (quote!(#[oauth_account(verified)] a: bool), "unknown argument `verified`; remove it"),
        (quote!(#[oauth_account(exclude(update))] a: i64), "unknown DTO `update`; write one of `read`"),
        (quote!(#[oauth_account(exclude())] a: i64), "write `exclude(...)` with some of `read`"),
        (
            quote!(#[oauth_account(read_only)] a: i64),
            "no request writes a linked account; remove `read_only`",
        ),
        (quote!(#[oauth_account(validate = length(1, 2))] a: String), "no DTO writes `a`; remove the rule"),
        (
            quote!(secret: PasswordHash),
            "`PasswordHash` is a secret and `LinkedRead` would show it; write `#[oauth_account(exclude(read))]` above `secret`",
        ),
        (
            quote!(#[sqlx(skip)] a: i64),
            "`#[sqlx(skip)]` is not supported on a linked account model; move the field to a struct of your own that holds this one",
        ),
        (
            quote!(#[oauth_account(email)] email: String),
            "the `email` cannot have this type; write `Option<String>`",
        ),
        (
            quote!(#[oauth_account(email)] email: Option<i64>),
            "the `email` cannot have this type; write `Option<String>`",
        ),
        (
            quote!(#[oauth_account(email, default = None)] email: Option<String>),
            "the library sets the `email` itself; remove `default`",
        ),
        (
            quote!(#[oauth_account(email, sql_default = "''")] email: Option<String>),
            "a row without an `email` says `NULL`; remove `sql_default`",
        ),
        (
            quote!(#[oauth_account(email, validate = email)] email: Option<String>),
            "nobody types the `email`; remove the rule",
        ),
    ] {
        assert_eq!(field_messages(&fields), [message], "{fields}");
    }
}

#[test]
fn the_columns_that_the_library_adds_are_taken() {
    for name in ["user_id", "issuer", "tokens", "tokens_expire_at", "created_at", "updated_at", "tenant"] {
        let ident = quote::format_ident!("{name}");
        let message = format!(
            "the column `{name}` belongs to the library already; write another one with `column = \"...\"`"
        );
        assert_eq!(field_messages(&quote!(#ident: i64)), [message]);
        assert!(field_messages(&quote!(#[oauth_account(column = "own")] #ident: i64)).is_empty());
        assert_eq!(field_messages(&quote!(#[oauth_account(column = #name)] own: i64)).len(), 1, "{name}");
    }
}

#[test]
fn the_required_fields_are_checked_too() {
    let with = |id: TokenStream, provider: TokenStream, subject: TokenStream| {
        messages(&parse_quote! { struct Linked { #id, #provider, #subject } })
    };
    let id = || quote!(#[oauth_account(id)] id: Uuid);
    let provider = || quote!(#[oauth_account(provider)] provider: String);
    let subject = || quote!(#[oauth_account(subject)] subject: String);
    for (messages, message) in [
        (
            with(quote!(id: Uuid), provider(), subject()),
            "no field is the `id`; write `#[oauth_account(id)]` above `id`",
        ),
        (
            with(id(), quote!(name: String), subject()),
            "no field is the `provider`; add `#[oauth_account(provider)] pub provider: String`",
        ),
        (
            with(id(), provider(), quote!(sub: String)),
            "no field is the `subject`; write `#[oauth_account(subject)]` above `sub`",
        ),
        (
            with(quote!(#[oauth_account(id)] id: String), provider(), subject()),
            "the `id` cannot have this type; write `Uuid` or `i64`",
        ),
        (
            with(id(), provider(), quote!(#[oauth_account(subject)] subject: Option<String>)),
            "the `subject` cannot have this type; write `String`",
        ),
        (
            with(id(), provider(), quote!(#[oauth_account(subject, default = "x")] subject: String)),
            "the library sets the `subject` itself; remove `default`",
        ),
        (
            with(id(), quote!(#[oauth_account(provider, sql_default = "'x'")] provider: String), subject()),
            "no row is without the `provider`; remove `sql_default`",
        ),
        (
            with(quote!(#[oauth_account(id, read_only)] id: Uuid), provider(), subject()),
            "no request writes a linked account; remove `read_only`",
        ),
    ] {
        assert_eq!(messages, [message]);
    }
}

#[test]
fn only_a_struct_with_named_fields_is_a_linked_account() {
    let input = parse_quote! { enum Linked { A } };
    let text = "a linked account cannot be an enum; write `struct Linked { ... }` with named fields";
    assert_eq!(messages(&input), [text]);
}

#[test]
fn a_broken_account_leaves_its_names_behind() {
    let expansion = pretty(expand_for(&parse_quote! { pub struct Linked { provider: String } }, &[SQLITE]));
    assert!(expansion.contains("pub struct LinkedRead {}"), "{expansion}");
    assert!(expansion.contains("impl ::users_runtime::OAuthAccountModel for Linked"), "{expansion}");
    assert_eq!(expansion.matches("compile_error").count(), 3);
}
