//! Role models, roles that are made at start-up, and the groups that manage users and roles.

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
fn the_model_is_told_of_the_role_model_of_its_module() {
    let role = quote!(
        #[derive(Clone, x::RoleModel)]
        pub struct Position;
    );
    let text = expansion(quote!(auth = "jwt"), module_with(&role));
    assert!(text.contains("#[user(role = Position)]\n    pub struct User;"), "{text}");
    assert!(!text.contains("SameRole"), "what was just written needs no proof: {text}");

    let text = expansion(quote!(auth = "jwt", role = crate::Position), user_module());
    assert!(text.contains("#[user(role = crate::Position)]\n    pub struct User;"), "{text}");

    let text = expansion(quote!(auth = "jwt"), user_module());
    assert!(!text.contains("#[user(role"), "the model's own choice stays: {text}");
}

#[test]
fn a_model_that_names_another_role_is_compared_with_the_one_that_is_asked_for() {
    let named = quote! {
        mod accounts {
            #[derive(UserModel)]
            #[user(role = super::Position)]
            pub struct User;
        }
    };
    let proof = "::users_runtime::SameRole<";
    let text = expansion(quote!(auth = "jwt", role = crate::Position), named.clone());
    assert!(text.contains(proof) && !text.contains("#[user(role = crate::Position)]"), "{text}");
    let text = expansion(quote!(auth = "jwt", role = super::Position), named);
    assert!(!text.contains(proof), "the words are the same: {text}");
    let elsewhere = quote!(
        mod accounts {}
    );
    let text = expansion(quote!(auth = "jwt", user = crate::User, role = crate::Position), elsewhere);
    assert!(text.contains(proof), "{text}");
}

#[test]
fn an_enum_of_roles_is_made_at_start_up() {
    let roles = quote!(
        #[derive(Clone, Copy, Roles)]
        enum Known {
            Chief,
        }
    );
    let seed = "const SEED: ::users_runtime::Seed = ::users_runtime::Seed::of::<Known>();";
    let text = expansion(quote!(auth = "jwt"), module_with(&roles));
    assert!(text.contains(seed), "{text}");
    assert!(text.contains("as ::users_runtime::HasRoles>::NEEDED"), "{text}");
    let text = expansion(quote!(auth = "jwt", seed = crate::Known), module_with(&roles));
    assert!(text.contains("::of::<crate::Known>()"), "{text}");
    assert!(!expansion(quote!(auth = "jwt"), user_module()).contains("SEED"));
}

#[test]
fn the_module_holds_one_role_model_and_one_enum_of_roles() {
    let of = |items: TokenStream| messages_for(quote!(auth = "jwt"), &module_with(&items), ALL);
    assert_eq!(
        of(quote! { #[derive(RoleModel)] struct A; #[derive(RoleModel)] struct B; }),
        ["`A` and `B` both derive `RoleModel`; write `role = A` in `#[users_app(...)]`"]
    );
    assert_eq!(
        of(quote! { #[derive(Roles)] enum A {} #[derive(Roles)] enum B {} }),
        ["`A` and `B` both derive `Roles`; write `seed = A` in `#[users_app(...)]`"]
    );
    assert_messages(&[
        (quote!(auth = "jwt", role = 5), "write a path, such as `role = crate::path`"),
        (quote!(auth = "jwt", seed = [Known]), "write a path, such as `seed = crate::path`"),
        (
            quote!(auth = "jwt", roles = Known),
            "`roles` is a route group; write `role = path` for a role model, or `seed = path` for an enum of roles",
        ),
    ]);
}

#[test]
fn paths_of_the_management_groups_are_checked() {
    assert_messages(&[
        (
            quote!(auth = "jwt", routes(users(path = "/"))),
            "`/` has no room for `{id}` below it; write a path such as `/users`",
        ),
        (
            quote!(auth = "jwt", routes(roles(path = "/roles/{name}"))),
            "a generated route takes no parameters; write a path such as `/users/roles`",
        ),
        (
            quote!(auth = "jwt", routes(users, roles(path = "/users"))),
            "`GET /users` belongs to the route group `users` already; write another path",
        ),
        (
            quote!(auth = "jwt", routes(current_user(path = "/people"), users(path = "/people"))),
            "`GET, PATCH /people` belongs to the route group `current_user` already; write another path",
        ),
        (
            quote!(auth = "jwt", routes(roles(revoke = "/users/roles/assign"))),
            "`PUT /users/roles/assign` belongs to the route group `roles` already; write another path",
        ),
        (
            quote!(auth = "jwt", exclude = ["/people/{id}"], routes(users(path = "/people"))),
            "`/people/{id}` opens `GET, PATCH, DELETE /people/{id}`, which needs a login; write a narrower pattern",
        ),
        (quote!(auth = "jwt", routes(users(paht = "/x"))), "unknown argument `paht`; did you mean `path`?"),
        (
            quote!(auth = "jwt", routes(users(guard))),
            "write who may pass, such as `guard = any_of([\"administrator\"])`",
        ),
        (
            quote!(auth = "jwt", routes(auth(guard = verified()))),
            "unknown argument `guard`; write one of `login`, `logout`, `tag`",
        ),
    ]);
    // A text beats a parameter, so these are different routes.
    assert_eq!(messages(&quote!(auth = "jwt", routes(current_user, users, roles))), [""; 0]);
}

#[test]
fn a_group_needs_roles_unless_somebody_else_may_use_it() {
    let needs =
        |arguments: TokenStream| expansion(arguments, user_module()).matches("HasAdministrators").count();
    assert_eq!(needs(quote!(auth = "jwt")), 1);
    assert_eq!(needs(quote!(auth = "jwt", routes(users, roles))), 1, "one mistake");
    assert_eq!(needs(quote!(auth = "jwt", routes(users))), 1);
    assert_eq!(needs(quote!(auth = "jwt", routes(users(guard = verified())))), 0);
    assert_eq!(
        needs(quote!(auth = "jwt", routes(roles(guard = verified())))),
        1,
        "there are roles to manage"
    );
}

#[test]
fn commands_come_with_their_cargo_feature() {
    let enabled = Enabled { cli: true, ..ALL };
    let text = pretty(expand_with(quote!(auth = "jwt"), user_module(), enabled));
    assert!(text.contains("pub async fn cli<Settings, Configure>("), "{text}");
    assert!(!expansion(quote!(auth = "jwt"), user_module()).contains("fn cli"));
    let own = module_with(&quote!(
        fn cli() {}
    ));
    let message = "`#[users_app]` generates `cli` in this module; rename this one";
    assert_eq!(messages_for(quote!(auth = "jwt"), &own, enabled), [message]);
    assert_eq!(messages_for(quote!(auth = "jwt"), &own, ALL), [""; 0]);
}
