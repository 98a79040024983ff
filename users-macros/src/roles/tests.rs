//! Grammar, messages and expansion of `#[derive(Roles)]`.

use quote::{ToTokens, quote};
use syn::parse_quote;

use super::*;

fn pretty(tokens: impl ToTokens) -> String {
    prettyplease::unparse(&parse_quote!(#tokens))
}

fn messages(input: &TokenStream) -> Vec<String> {
    match check::check(&parse_quote!(#input)) {
        Ok(_) => Vec::new(),
        Err(error) => report::messages(error).into_iter().map(|(_, text)| text).collect(),
    }
}

#[test]
fn variants_are_stored_in_snake_case_unless_they_say_otherwise() {
    let input = parse_quote! {
        #[roles(crate = ::renamed::users)]
        pub enum Role {
            Administrator,
            HeadOfSales,
            #[roles(name = "buchhaltung münchen")]
            Accountant,
        }
    };
    insta::assert_snapshot!(pretty(expand(&input)));
}

#[test]
fn only_an_enum_of_plain_variants_lists_roles() {
    for (input, message) in [
        (
            quote!(
                struct Role {
                    name: String,
                }
            ),
            "a struct cannot list roles; write `enum Role { Administrator, ... }`, or `#[derive(RoleModel)]` for a role with columns",
        ),
        (
            quote!(union Role { a: u8 }),
            "a union cannot list roles; write `enum Role { Administrator, ... }`, or `#[derive(RoleModel)]` for a role with columns",
        ),
        (
            quote!(
                enum Role {}
            ),
            "`Role` names no role; add a variant such as `Administrator`",
        ),
        (
            quote!(
                enum Role {
                    Team(i64),
                }
            ),
            "a role is a name alone; write `Team` without fields",
        ),
        (
            quote!(
                enum Role {
                    Team { id: i64 },
                }
            ),
            "a role is a name alone; write `Team` without fields",
        ),
        (
            quote!(
                enum Role<const N: usize> {
                    A,
                }
            ),
            "`Role` cannot be generic; write an enum without parameters",
        ),
    ] {
        assert_eq!(messages(&input), [message], "{input}");
    }
}

#[test]
fn names_are_written_as_they_are_stored_and_belong_to_one_variant() {
    let long = "a".repeat(65);
    for (variants, message) in [
        (
            quote!(
                A,
                #[roles(name = "a")]
                B
            ),
            "the name `a` belongs to `A` already; write another one with `#[roles(name = \"...\")]`",
        ),
        (
            quote!(
                #[roles(name = "")]
                A
            ),
            "a role needs a name; write one such as `\"accountant\"`",
        ),
        (
            quote!(
                #[roles(name = "Editor")]
                A
            ),
            "roles are stored in lower case; write `\"editor\"`",
        ),
        (
            quote!(
                #[roles(name = " editor")]
                A
            ),
            "roles are stored without spaces around their names; write `\"editor\"`",
        ),
        (
            quote!(
                #[roles(name = "a\nb")]
                A
            ),
            "`a\\nb` has characters that nobody can type; remove them",
        ),
        (
            quote!(
                #[roles(name = #long)]
                A
            ),
            "a name has at most 64 characters; write a shorter one with `#[roles(name = \"...\")]`",
        ),
        (
            quote!(
                #[roles(name = 5)]
                A
            ),
            "write a string: `name = \"...\"`",
        ),
        (
            quote!(
                #[roles(nam = "a")]
                A
            ),
            "unknown argument `nam`; did you mean `name`?",
        ),
    ] {
        assert_eq!(messages(&quote!(enum Role { #variants })), [message], "{variants}");
    }
    let exact = "a".repeat(64);
    assert!(
        messages(&quote!(
            enum Role {
                #[roles(name = #exact)]
                A,
            }
        ))
        .is_empty()
    );
}

#[test]
fn a_broken_enum_keeps_its_traits() {
    let expansion = pretty(expand(&parse_quote! { enum Role { Team(i64) } }));
    assert_eq!(expansion.matches("compile_error").count(), 1);
    for name in ["Roles for Role", "RoleName for Role", "Guard<U> for Role"] {
        assert!(expansion.contains(name), "{name}");
    }
}
