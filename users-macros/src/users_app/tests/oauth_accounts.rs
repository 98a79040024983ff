//! The model of linked accounts.

use super::*;

fn module_with(items: &TokenStream) -> TokenStream {
    quote! {
        mod accounts {
            #[derive(Clone, UserModel)]
            #[user(table = "people")]
            pub struct User;
            #items
        }
    }
}

fn expansion(arguments: TokenStream, item: TokenStream) -> String {
    pretty(expand_with(arguments, item, ALL))
}

#[test]
fn the_model_is_told_of_the_linked_accounts_of_its_module() {
    let account = quote!(
        #[derive(Clone, x::OAuthAccountModel)]
        pub struct Linked;
    );
    let text = expansion(quote!(auth = "jwt"), module_with(&account));
    assert!(text.contains("#[user(oauth_account = Linked)]\n    pub struct User;"), "{text}");
    assert!(!text.contains("SameOAuthAccount"), "what was just written needs no proof: {text}");

    let text = expansion(quote!(auth = "jwt", oauth_account = crate::Linked), user_module());
    assert!(text.contains("#[user(oauth_account = crate::Linked)]\n    pub struct User;"), "{text}");

    let both = quote!(
        #[derive(Clone, RoleModel)]
        pub struct Position;
        #account
    );
    let text = expansion(quote!(auth = "jwt"), module_with(&both));
    let attributes = "#[user(role = Position)]\n    #[user(oauth_account = Linked)]\n    pub struct User;";
    assert!(text.contains(attributes), "{text}");

    let text = expansion(quote!(auth = "jwt"), user_module());
    assert!(!text.contains("oauth_account ="), "the model's own choice stays: {text}");
}

#[test]
fn a_model_that_names_other_linked_accounts_is_compared_with_those_that_are_asked_for() {
    let named = quote! {
        mod accounts {
            #[derive(UserModel)]
            #[user(oauth_account = super::Linked)]
            pub struct User;
        }
    };
    let proof = "::users_runtime::SameOAuthAccount<";
    let text = expansion(quote!(auth = "jwt", oauth_account = crate::Linked), named.clone());
    assert!(text.contains(proof) && !text.contains("#[user(oauth_account = crate::Linked)]"), "{text}");
    let text = expansion(quote!(auth = "jwt", oauth_account = super::Linked), named);
    assert!(!text.contains(proof), "the words are the same: {text}");
    let elsewhere = quote!(
        mod accounts {}
    );
    let arguments = quote!(auth = "jwt", user = crate::User, oauth_account = crate::Linked);
    assert!(expansion(arguments, elsewhere).contains(proof));
}

#[test]
fn the_module_holds_one_model_of_linked_accounts() {
    let two = quote! { #[derive(OAuthAccountModel)] struct A; #[derive(OAuthAccountModel)] struct B; };
    assert_eq!(
        messages_for(quote!(auth = "jwt"), &module_with(&two), ALL),
        ["`A` and `B` both derive `OAuthAccountModel`; write `oauth_account = A` in `#[users_app(...)]`"]
    );
    assert_eq!(
        messages_for(quote!(auth = "jwt", oauth_account = B), &module_with(&two), ALL),
        [""; 0],
        "the argument says which"
    );
    assert_messages(&[(
        quote!(auth = "jwt", oauth_account = 5),
        "write a path, such as `oauth_account = crate::path`",
    )]);
}

#[test]
fn the_group_oauth2_needs_linked_accounts() {
    let needs = |arguments: TokenStream, enabled: Enabled| {
        pretty(expand_with(arguments, user_module(), enabled)).matches("HasOAuthAccounts").count()
    };
    assert_eq!(needs(quote!(auth = "jwt"), ALL), 1);
    assert_eq!(needs(quote!(auth = "jwt", routes(auth, oauth2)), ALL), 1);
    assert_eq!(needs(quote!(auth = "jwt", routes(auth)), ALL), 0);
    assert_eq!(needs(quote!(auth = "jwt"), Enabled { oauth2: false, ..ALL }), 0);
}
