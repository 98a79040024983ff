//! Grammar, messages and expansions of `#[users_app]`.

mod logins;
mod oauth_accounts;
mod roles;

use quote::quote;

use super::*;

const ALL: Enabled = Enabled {
    cli: false,
    client: false,
    jwt: true,
    oauth2: true,
    openapi: true,
    session: true,
    session_cookie: true,
};

fn user_module() -> TokenStream {
    quote! {
        mod accounts {
            #[derive(Clone, UserModel)]
            pub struct User;
        }
    }
}

fn pretty(tokens: TokenStream) -> String {
    match syn::parse2(tokens) {
        Ok(file) => prettyplease::unparse(&file),
        Err(error) => panic!("the expansion is no Rust: {error}"),
    }
}

fn messages_for(arguments: TokenStream, item: &TokenStream, enabled: Enabled) -> Vec<String> {
    let (module, items) = match module(item) {
        Ok(parts) => parts,
        Err(error) => return texts(error),
    };
    let (arguments, mistakes) = args::read(arguments);
    check::check(&arguments, &module, &items, enabled, mistakes).map_or_else(texts, |_| Vec::new())
}

fn texts(error: darling::Error) -> Vec<String> {
    report::messages(error).into_iter().map(|(_, text)| text).collect()
}

fn messages(arguments: &TokenStream) -> Vec<String> {
    messages_for(arguments.clone(), &user_module(), ALL)
}

#[track_caller]
fn assert_messages(cases: &[(TokenStream, &str)]) {
    for (arguments, message) in cases {
        assert_eq!(messages(arguments), [*message], "{arguments}");
    }
}

#[test]
fn an_application_with_every_argument() {
    let arguments = quote! {
        auth = ["jwt", my::Backend, "session"],
        exclude = ["/health", "/public/{*path}"],
        user = Account,
        role = crate::Role,
        seed = Known,
        hooks = crate::Hooks,
        claims = crate::Claims,
        routes(
            auth(login = "/sign-in", logout = "/sign-out"),
            register(path = "/sign-up"),
            verify(path = "/proof", resend = "/proof/again"),
            password_reset(forgot = "/forgot", reset = "/reset"),
            current_user(path = "/me", delete, export, guard = verified()),
            users(path = "/people", guard = |user| user.is_staff),
            roles(path = "/groups", assign = "/groups/give", revoke = "/groups/take", guard = Known::Chief),
            sessions(path = "/me/logins", guard = active()),
            tokens(token = "/oauth/token", refresh = "/oauth/refresh", jwks = "/keys"),
        ),
        crate = ::renamed::users,
    };
    let item = quote! {
        /// Who may come in.
        #[allow(dead_code)]
        pub(crate) mod accounts {
            //! Accounts.
            use super::*;
            /// An account.
            #[derive(Clone, UserModel)]
            pub(crate) struct Account { #[user(id)] id: i64 }
            pub struct Other;
        }
    };
    insta::assert_snapshot!(pretty(expand_with(arguments, item, ALL)));
}

#[test]
fn an_application_with_defaults() {
    let expansion = pretty(expand_with(quote!(auth = "jwt_cookie"), user_module(), ALL));
    for line in [
        "type User = <User as ::users_runtime::UserModel>::Model;",
        "type Auth = ::users_runtime::JwtCookie;",
        "type Hooks = ::users_runtime::NoHooks;",
        "login: \"/login\",",
        "logout: \"/logout\",",
        "path: \"/register\",",
        "path: \"/verify\",",
        "resend: \"/verify/resend\",",
        "forgot: \"/forgot-password\",",
        "reset: \"/reset-password\",",
        "path: \"/users/me\",",
        "delete: false,",
        "export: false,",
        "path: \"/users\",",
        "path: \"/users/roles\",",
        "assign: \"/users/roles/assign\",",
        "revoke: \"/users/roles/revoke\",",
        "as ::users_runtime::HasVerified>::NEEDED;",
        "as ::users_runtime::HasAdministrators>::NEEDED;",
        "as ::users_runtime::HasMailbox>::NEEDED;",
        "pub fn router(users: Users) -> ::users_runtime::UsersRouter<App> {",
    ] {
        assert!(expansion.contains(line), "{line} is missing in\n{expansion}");
    }
}

#[test]
fn groups_that_are_not_listed_do_not_exist() {
    let expansion = pretty(expand_with(quote!(auth = "jwt", routes(auth)), user_module(), ALL));
    for line in ["register: ::core::option::Option::None,", "users: ::core::option::Option::None,"] {
        assert!(expansion.contains(line), "{line} is missing in\n{expansion}");
    }
    for need in ["HasVerified", "HasAdministrators"] {
        assert!(!expansion.contains(need), "nothing needs {need}");
    }
}

#[test]
fn the_visibility_is_the_users() {
    let item = quote! { mod accounts { #[derive(users_runtime::UserModel)] pub(super) struct User; } };
    let expansion = pretty(expand_with(quote!(auth = "jwt"), item, ALL));
    assert!(expansion.contains("pub(super) struct App;"));
    let elsewhere = quote! { mod accounts {} };
    let expansion = pretty(expand_with(quote!(auth = "jwt", user = crate::User), elsewhere, ALL));
    assert!(expansion.contains("pub struct App;"));
}

#[test]
fn a_broken_application_keeps_the_module_and_its_names() {
    let expansion = pretty(expand_with(quote!(auth = "jwtt", exclude = ["x"]), user_module(), ALL));
    assert_eq!(expansion.matches("compile_error").count(), 2, "{expansion}");
    assert!(expansion.contains("pub struct User;"));
    assert!(expansion.contains("type Auth = ::users_runtime::Jwt;"));
    assert!(expansion.contains("pub type Users = "));
    assert!(!expansion.contains("HasVerified"));

    let without_backends = Enabled { jwt: false, session: false, session_cookie: false, ..ALL };
    let expansion = pretty(expand_with(quote!(auth = "jwt"), user_module(), without_backends));
    assert!(
        expansion.contains("pub struct User;") && !expansion.contains("struct App"),
        "there is nothing to stand in"
    );

    let function = quote! { fn main() {} };
    assert!(pretty(expand_with(quote!(auth = "jwt"), function, ALL)).contains("fn main() {}"));
}

#[test]
fn backends_are_checked() {
    assert_messages(&[
        (
            quote!(),
            "`auth` is missing; write `auth = ` with one of `\"session\"`, `\"session_cookie\"`, `\"jwt\"`, `\"jwt_cookie\"`, `\"oauth2_password\"` or a path to a backend of your own",
        ),
        (quote!(auth = "jwtt"), "unknown backend `jwtt`; did you mean `jwt`?"),
        (
            quote!(auth = "basic"),
            "unknown backend `basic`; write one of `jwt`, `jwt_cookie`, `oauth2_password`, `session`, `session_cookie`",
        ),
        (
            quote!(auth = "oauth2_pasword"),
            "unknown backend `oauth2_pasword`; did you mean `oauth2_password`?",
        ),
        (quote!(auth = ["jwt", "jwt"]), "the backend `jwt` stands here twice; remove one of the two"),
        (quote!(auth = [my::Own, my::Own]), "the backend `my::Own` stands here twice; remove one of the two"),
        (
            quote!(auth = []),
            "an application needs a backend; write `auth = ` with one of `\"session\"`, `\"session_cookie\"`, `\"jwt\"`, `\"jwt_cookie\"`, `\"oauth2_password\"` or a path to a backend of your own",
        ),
        (quote!(auth = [A, B, C, D, E]), "an application has at most 4 backends; remove this"),
        (quote!(auth = 5), "this is no backend; write a name such as `\"jwt\"` or a path to a type"),
        (
            quote!(auth("jwt")),
            "write `auth = \"jwt\"`, a path to a backend of your own, or a list of backends",
        ),
    ]);
}

#[test]
fn a_backend_needs_its_cargo_feature() {
    for (word, feature, enabled) in [
        ("jwt", "jwt", Enabled { jwt: false, ..ALL }),
        ("jwt_cookie", "jwt", Enabled { jwt: false, ..ALL }),
        ("oauth2_password", "jwt", Enabled { jwt: false, ..ALL }),
        ("session", "session", Enabled { session: false, ..ALL }),
        ("session_cookie", "session-cookie", Enabled { session_cookie: false, ..ALL }),
    ] {
        let line = format!("users-runtime = {{ version = \"0.1.0\", features = [\"{feature}\"] }}");
        assert_eq!(
            messages_for(quote!(auth = #word), &user_module(), enabled),
            [format!(
                "the backend `{word}` needs the cargo feature `{feature}`; write `{line}` in Cargo.toml"
            )]
        );
        assert_eq!(messages(&quote!(auth = #word)), [""; 0]);
    }
    let only_jwt = Enabled { session: false, session_cookie: false, ..ALL };
    assert_eq!(messages_for(quote!(auth = ["jwt", "session"]), &user_module(), only_jwt).len(), 1);
}

#[test]
fn arguments_are_checked() {
    assert_messages(&[
        (quote!(auth = "jwt", exclud = []), "unknown argument `exclud`; did you mean `exclude`?"),
        (quote!(auth = "jwt", auth = "session"), "duplicate argument `auth`; remove one of the two"),
        (quote!(auth = "jwt", user = 5), "write a path, such as `user = crate::path`"),
        (quote!("jwt", auth = "jwt"), "this is no argument; write one by its name"),
        (quote!(auth = "jwt", exclude = "/health"), "write a list of patterns: `exclude = [\"/health\"]`"),
        (quote!(auth = "jwt", exclude = [5]), "a pattern is a string; write one such as `\"/health\"`"),
        (
            quote!(auth = "jwt", routes = "auth"),
            "write `routes(...)` with the groups that exist, such as `auth`",
        ),
    ]);
    for word in ["secret_key", "database_url", "session_store", "mail", "lifetime", "cookie"] {
        let ident = quote::format_ident!("{word}");
        assert_eq!(
            messages(&quote!(auth = "jwt", #ident = "x")),
            [format!("`{word}` is set at start-up; write it in `Config`, which `Users::connect` takes")]
        );
    }
}

#[test]
fn exclusions_open_the_applications_own_routes_only() {
    let exclude = |pattern: &str| quote!(auth = "jwt", exclude = [#pattern]);
    assert_messages(&[
        (exclude("health"), "`health` does not start with `/`; write `/health`"),
        (
            exclude("/{*path}"),
            "`/{*path}` opens every route; begin the pattern with a segment of text, such as `/public/{*path}`",
        ),
        (
            exclude("/{tenant}/health"),
            "`/{tenant}/health` opens every route; begin the pattern with a segment of text, such as `/public/{tenant}/health`",
        ),
        (exclude("/logout"), "`/logout` opens `POST /logout`, which needs a login; write a narrower pattern"),
        (
            exclude("/users/{*rest}"),
            "`/users/{*rest}` opens `GET, PATCH /users/me`, which needs a login; write a narrower pattern",
        ),
        (
            exclude("/users/{id}"),
            "`/users/{id}` opens `GET, PATCH /users/me`, which needs a login; write a narrower pattern",
        ),
        (exclude("/users"), "`/users` opens `GET /users`, which needs a login; write a narrower pattern"),
        (
            exclude("/users/roles/{id}"),
            "`/users/roles/{id}` opens `PATCH, DELETE /users/roles/{id}`, which needs a login; write a narrower pattern",
        ),
        (exclude("/login"), "`POST /login` needs no login anyway; remove `/login`"),
        (
            quote!(auth = "jwt", exclude = ["/a/{x}", "/a/{y}"]),
            "`/a/{y}` stands here twice; remove one of the two",
        ),
        (
            quote!(auth = "jwt", exclude = ["/out"], routes(auth(logout = "/out"))),
            "`/out` opens `POST /out`, which needs a login; write a narrower pattern",
        ),
    ]);
    for fine in ["/", "/health", "/public/{*path}", "/user", "/verify/{*rest}"] {
        assert_eq!(messages(&exclude(fine)), [""; 0], "{fine}");
    }
    // Routes that could not be read are not the default ones.
    assert_eq!(messages(&quote!(auth = "jwt", exclude = ["/users/{id}"], routes(auth, role))).len(), 1);
    // A route that does not exist cannot be opened.
    assert_eq!(messages(&quote!(auth = "jwt", exclude = ["/users/{id}"], routes(auth))), [""; 0]);
}

#[test]
fn route_groups_are_checked() {
    assert_messages(&[
        (
            quote!(auth = "jwt", routes(pasword_reset)),
            "unknown route group `pasword_reset`; did you mean `password_reset`?",
        ),
        (quote!(auth = "jwt", routes("auth")), "this is no route group; write a word such as `auth`"),
        (quote!(auth = "jwt", routes(auth, auth)), "duplicate argument `auth`; remove one of the two"),
        (quote!(auth = "jwt", routes(auth(logn = "/x"))), "unknown argument `logn`; did you mean `login`?"),
        (
            quote!(auth = "jwt", routes(auth = "/x")),
            "a group is a word or a list; write `auth` or `auth(...)`",
        ),
        (
            quote!(auth = "jwt", routes(auth(login = "sign-in"))),
            "`sign-in` does not start with `/`; write `/sign-in`",
        ),
        (
            quote!(auth = "jwt", routes(current_user(path = "/users/{id}"))),
            "a generated route takes no parameters; write a path such as `/users/me`",
        ),
        (
            quote!(auth = "jwt", routes(current_user(delete = true))),
            "`delete` takes no value; write `delete` alone",
        ),
        (
            quote!(auth = "jwt", routes(current_user(export = true))),
            "`export` takes no value; write `export` alone",
        ),
        (
            quote!(auth = "jwt", routes(auth, register(path = "/login"))),
            "`POST /login` belongs to the route group `auth` already; write another path",
        ),
        (
            quote!(auth = "jwt", routes(auth(login = "/register"), register)),
            "`POST /register` belongs to the route group `register` already; write another path",
        ),
        (
            quote!(auth = "jwt", routes(auth(login = "/x", logout = "/x"))),
            "`POST /x` belongs to the route group `auth` already; write another path",
        ),
    ]);
    // Another method of the same path is another route.
    assert_eq!(
        messages(&quote!(auth = "jwt", routes(register(path = "/me"), current_user(path = "/me")))),
        [""; 0]
    );
}

#[test]
fn the_module_holds_one_user_and_no_generated_name() {
    let of = |item: TokenStream| messages_for(quote!(auth = "jwt"), &item, ALL);
    assert_eq!(
        of(quote! { mod accounts {} }),
        [
            "no struct in `accounts` derives `UserModel`; write `#[derive(UserModel)]` above one, or `user = path` in `#[users_app(...)]`"
        ]
    );
    assert_eq!(
        of(quote! { mod accounts { #[derive(UserModel)] struct A; #[derive(x::UserModel)] struct B; } }),
        ["`A` and `B` both derive `UserModel`; write `user = A` in `#[users_app(...)]`"]
    );
    for (item, name) in [
        (
            quote!(
                struct App;
            ),
            "App",
        ),
        (
            quote!(
                use users_runtime::{CurrentUser, UserModel as Model};
            ),
            "CurrentUser",
        ),
        (
            quote!(
                type Visitor = ();
            ),
            "Visitor",
        ),
        (
            quote!(
                fn router() {}
            ),
            "router",
        ),
        (
            quote!(
                use x::y as Users;
            ),
            "Users",
        ),
    ] {
        assert_eq!(
            of(quote! { mod accounts { #[derive(UserModel)] struct User; #item } }),
            [format!("`#[users_app]` generates `{name}` in this module; rename this one")]
        );
    }
}

#[test]
fn only_a_module_with_its_items_is_an_application() {
    let usage = "`#[users_app]` describes a module; write it above `mod accounts { ... }`";
    assert_eq!(
        messages_for(
            quote!(auth = "jwt"),
            &quote!(
                struct User;
            ),
            ALL
        ),
        [usage]
    );
    assert_eq!(
        messages_for(
            quote!(auth = "jwt"),
            &quote!(
                mod accounts;
            ),
            ALL
        ),
        ["`mod accounts;` hides the module's items; write `mod accounts { ... }` here"]
    );
}

#[test]
fn every_mistake_is_reported_at_once() {
    let arguments = quote! {
        auth = "jwtt", secret = "x", exclude = ["/{*all}", "x"], routes(auth(login = "a"), billing), hook = H
    };
    assert_eq!(
        messages(&arguments),
        [
            "`secret` is set at start-up; write it in `Config`, which `Users::connect` takes",
            "unknown route group `billing`; write one of `auth`, `current_user`, `docs`, `oauth2`, `password_reset`, `register`, `roles`, `sessions`, `tokens`, `users`, `verify`",
            "unknown argument `hook`; did you mean `hooks`?",
            "unknown backend `jwtt`; did you mean `jwt`?",
            "`/{*all}` opens every route; begin the pattern with a segment of text, such as `/public/{*all}`",
            "`x` does not start with `/`; write `/x`",
        ]
    );
}
