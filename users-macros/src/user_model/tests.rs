//! Grammar, messages and expansions of `#[derive(UserModel)]`.

use quote::ToTokens;
use syn::{DeriveInput, parse_quote};

use super::*;

fn pretty(tokens: impl ToTokens) -> String {
    prettyplease::unparse(&syn::parse_quote!(#tokens))
}

#[test]
fn a_user_with_an_email_address() {
    let input: DeriveInput = parse_quote! {
        #[user(table = "users")]
        pub struct User {
            #[user(id)]
            pub id: Uuid,
            #[user(identifier)]
            pub email: String,
            #[user(password_hash)]
            password_hash: PasswordHash,
            #[user(active)]
            pub is_active: bool,
            #[user(verified)]
            pub is_verified: bool,
            /// Shown to others.
            #[user(validate = length(2, 40))]
            pub display_name: Option<String>,
            #[user(exclude(register, update))]
            pub login_count: i64,
        }
    };
    insta::assert_snapshot!(pretty(expand(&input)));
}
