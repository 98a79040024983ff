//! What the backends bring along: sessions, tokens, claims, and the data that a session carries.

use super::*;

fn expansion(arguments: TokenStream) -> String {
    pretty(expand_with(arguments, user_module(), ALL))
}

#[test]
fn each_word_is_a_backend_of_the_runtime() {
    for (word, name) in [
        ("session", "Session"),
        ("session_cookie", "SessionCookie"),
        ("jwt", "Jwt"),
        ("jwt_cookie", "JwtCookie"),
        ("oauth2_password", "OAuth2Password"),
    ] {
        let text = expansion(quote!(auth = #word));
        assert!(text.contains(&format!("type Auth = ::users_runtime::{name};")), "{text}");
    }
}

#[test]
fn claims_are_a_parameter_of_the_backends_with_jwts() {
    let text =
        expansion(quote!(auth = ["session", "jwt", "jwt_cookie", "oauth2_password"], claims = crate::Claims));
    for name in
        ["Session,", "Jwt<crate::Claims>,", "JwtCookie<crate::Claims>,", "OAuth2Password<crate::Claims>,"]
    {
        assert!(text.contains(&format!("::users_runtime::{name}")), "{name} is missing in\n{text}");
    }
    let words = "`jwt`, `jwt_cookie`, `oauth2_password`";
    let refused =
        format!("`claims` needs one of the backends {words}; name one in `auth`, or remove `claims`");
    assert_messages(&[
        (quote!(auth = "session", claims = Claims), refused.as_str()),
        (quote!(auth = my::Own, claims = Claims), refused.as_str()),
        (quote!(auth = "jwt", claims = 5), "write a path, such as `claims = crate::path`"),
        // One mistake: a backend that could not be read may be one with JWTs.
        (quote!(auth = "jwtt", claims = Claims), "unknown backend `jwtt`; did you mean `jwt`?"),
    ]);
}

#[test]
fn groups_of_logins_exist_where_a_backend_has_something_for_them() {
    let sessions = "sessions: ::core::option::Option::Some(";
    let tokens = "tokens: ::core::option::Option::Some(";
    for (arguments, has_sessions, has_tokens) in [
        (quote!(auth = "session"), true, false),
        (quote!(auth = "session_cookie"), true, false),
        (quote!(auth = "jwt"), true, true),
        (quote!(auth = "jwt_cookie"), true, true),
        (quote!(auth = "oauth2_password"), true, true),
        (quote!(auth = my::Own), false, false),
        (quote!(auth = [my::Own, "session"]), true, false),
        (quote!(auth = "jwt", routes(auth)), false, false),
        (quote!(auth = "jwt", routes(auth, sessions, tokens)), true, true),
    ] {
        let text = expansion(arguments.clone());
        assert_eq!(text.contains(sessions), has_sessions, "{arguments}");
        assert_eq!(text.contains(tokens), has_tokens, "{arguments}");
    }
    let text = expansion(quote!(auth = "jwt"));
    for line in [
        "path: \"/users/me/sessions\",",
        "token: \"/token\",",
        "refresh: \"/token/refresh\",",
        "jwks: \"/.well-known/jwks.json\",",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
}

#[test]
fn groups_of_logins_are_refused_where_no_backend_has_anything_for_them() {
    let jwts = "`jwt`, `jwt_cookie`, `oauth2_password`";
    let all = format!("`session`, `session_cookie`, {jwts}");
    let tokens = format!(
        "the route group `tokens` needs one of the backends {jwts}; name one in `auth`, or remove `tokens`"
    );
    let sessions = format!(
        "the route group `sessions` needs one of the backends {all}; name one in `auth`, or remove `sessions`"
    );
    assert_messages(&[
        (quote!(auth = "session", routes(auth, tokens)), tokens.as_str()),
        (quote!(auth = ["session_cookie", my::Own], routes(auth, tokens(token = "/t"))), tokens.as_str()),
        (quote!(auth = my::Own, routes(auth, sessions)), sessions.as_str()),
        (quote!(auth = [A, B], routes(sessions(path = "/mine"))), sessions.as_str()),
        (quote!(auth = "jwtt", routes(tokens)), "unknown backend `jwtt`; did you mean `jwt`?"),
    ]);
    assert_eq!(messages(&quote!(auth = my::Own, routes(sessions, tokens))), [sessions, tokens]);
    assert_eq!(messages(&quote!(auth = [my::Own, "jwt"], routes(sessions, tokens))), [""; 0]);
}

#[test]
fn paths_of_the_groups_of_logins_are_checked() {
    assert_messages(&[
        (
            quote!(auth = "jwt", routes(sessions(path = "/"))),
            "`/` has no room for `{id}` below it; write a path such as `/users/me/sessions`",
        ),
        (
            quote!(auth = "jwt", routes(sessions(path = "/users/{id}/sessions"))),
            "a generated route takes no parameters; write a path such as `/users/me/sessions`",
        ),
        (
            quote!(auth = "jwt", routes(tokens(jwks = "keys"))),
            "`keys` does not start with `/`; write `/keys`",
        ),
        (
            quote!(auth = "jwt", routes(current_user, sessions(path = "/users/me"))),
            "`GET, PATCH /users/me` belongs to the route group `current_user` already; write another path",
        ),
        (
            quote!(auth = "jwt", routes(auth, tokens(token = "/login"))),
            "`POST /login` belongs to the route group `auth` already; write another path",
        ),
        (
            quote!(auth = "jwt", routes(tokens(refresh = "/token"))),
            "`POST /token` belongs to the route group `tokens` already; write another path",
        ),
        (
            quote!(auth = "jwt", routes(auth(login = "/token"), tokens)),
            "`POST /token` belongs to the route group `tokens` already; write another path",
        ),
        (
            quote!(auth = "session", exclude = ["/users/me/sessions"]),
            "`/users/me/sessions` opens `GET, DELETE /users/me/sessions`, which needs a login; write a narrower pattern",
        ),
        (
            quote!(auth = "session", exclude = ["/mine/{id}"], routes(sessions(path = "/mine"))),
            "`/mine/{id}` opens `DELETE /mine/{id}`, which needs a login; write a narrower pattern",
        ),
        (
            quote!(auth = "jwt", exclude = ["/token/refresh"]),
            "`POST /token/refresh` needs no login anyway; remove `/token/refresh`",
        ),
        (
            quote!(auth = "jwt", exclude = ["/.well-known/jwks.json"]),
            "`GET /.well-known/jwks.json` needs no login anyway; remove `/.well-known/jwks.json`",
        ),
        (quote!(auth = "jwt", routes(sessions(pth = "/x"))), "unknown argument `pth`; did you mean `path`?"),
        (
            quote!(auth = "jwt", routes(sessions(guard))),
            "write who may pass, such as `guard = any_of([\"administrator\"])`",
        ),
        (
            quote!(auth = "jwt", routes(tokens(guard = verified()))),
            "unknown argument `guard`; write one of `jwks`, `refresh`, `tag`, `token`",
        ),
    ]);
    // A route that does not exist cannot be opened, and a pattern may cover public ones.
    for fine in [
        quote!(auth = "session", exclude = ["/token"]),
        quote!(auth = my::Own, exclude = ["/users/me/sessions"]),
        quote!(auth = "jwt", exclude = ["/.well-known/{*path}"]),
        quote!(auth = "jwt", routes(sessions(path = "/x"), tokens(jwks = "/y"), register(path = "/x"))),
    ] {
        assert_eq!(messages(&fine), [""; 0], "{fine}");
    }
}

#[test]
fn the_data_of_a_session_has_a_name_where_a_session_carries_it() {
    let alias = "pub type SessionData = ::users_runtime::SessionData;";
    for (arguments, there) in [
        (quote!(auth = "session"), true),
        (quote!(auth = ["jwt", "session_cookie"]), true),
        (quote!(auth = "jwt"), false),
        (quote!(auth = my::Own), false),
        // A mistake elsewhere takes the name from nobody.
        (quote!(auth = ["jwt", "session"], exclude = ["x"]), true),
    ] {
        assert_eq!(expansion(arguments.clone()).contains(alias), there, "{arguments}");
    }
    let own = quote! { mod accounts { #[derive(UserModel)] struct User; struct SessionData; } };
    let message = "`#[users_app]` generates `SessionData` in this module; rename this one";
    assert_eq!(messages_for(quote!(auth = "session"), &own, ALL), [message]);
    assert_eq!(messages_for(quote!(auth = "jwt"), &own, ALL), [""; 0]);
}
