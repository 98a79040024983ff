//! The rules of an application: from arguments as written to an application that is right.

mod auth;
mod module;
mod routes;

use darling::{Error, Result, error::Accumulator};
use proc_macro2::{Ident, Span};
use syn::{Expr, Item, ItemMod, LitStr, Path, parse_quote, spanned::Spanned};

pub(super) use self::module::with_models;
use self::{
    auth::{auth, carries_data, claims, written},
    module::{free_names, names, oauth_account, role, seed, user},
    routes::{exclude, routes},
};
use super::{
    args::{Arguments, RoutesArgument},
    model::{Application, Backend, Enabled, Guarded, Need, Routes},
};
use crate::report::at;

/// Checks every rule; one that needs another one's result runs only when that one passed.
pub(super) fn check(
    arguments: &Arguments,
    module: &ItemMod,
    items: &[Item],
    enabled: Enabled,
    mut mistakes: Accumulator,
) -> Result<Application> {
    let auth = mistakes.handle(auth(arguments, enabled));
    let user = mistakes.handle(user(arguments, module, items)).flatten();
    let role = mistakes.handle(role(arguments, items)).flatten();
    let oauth_account = mistakes.handle(oauth_account(arguments, items)).flatten();
    let seed = mistakes.handle(seed(arguments, items)).flatten();
    let session_data = carries_data(arguments, enabled);
    mistakes.handle(free_names(items, enabled, session_data));
    // Backends that could not be read are not known to be missing.
    let backends = auth.as_deref().unwrap_or_default();
    mistakes.handle(claims(arguments, backends));
    let groups = arguments.routes.as_ref().map(|routes| &routes.0);
    let table = mistakes.handle(routes(groups, backends, enabled));
    // Routes that could not be read are not the default ones.
    let known = table.as_ref().filter(|_| arguments.complete || arguments.routes.is_some());
    mistakes.handle(exclude(arguments, known));
    match (auth, user, table) {
        (Some(auth), Some(user), Some(table)) => mistakes.finish_with(Application {
            runtime: runtime(arguments),
            needs: needs(arguments, &table.routes, seed.as_ref(), user.path.span()),
            auth,
            claims: arguments.claims.clone(),
            session_data,
            hooks: arguments.hooks.clone(),
            routes: table.routes,
            exclude: arguments.exclude.as_ref().map(|exclude| exclude.0.clone()).unwrap_or_default(),
            guards: guards(arguments),
            // A model that names it in the same words needs no proof.
            role: role.filter(|role| !names(items, &user.path, "role", role)),
            oauth_account: oauth_account
                .filter(|account| !names(items, &user.path, "oauth_account", account)),
            seed,
            tags: tags(arguments),
            cli: enabled.cli,
            openapi: enabled.openapi,
            client: enabled.client,
            user: user.path,
            visibility: user.visibility,
        }),
        // A part that is missing has left a mistake behind.
        _ => Err(Error::multiple(mistakes.into_inner())),
    }
}

/// What can be said of an application whose arguments are wrong, so that only the arguments light up.
pub(super) fn outline(
    arguments: &Arguments,
    module: &ItemMod,
    items: &[Item],
    enabled: Enabled,
) -> Option<Application> {
    let user = user(arguments, module, items).ok()??;
    let session_data = carries_data(arguments, enabled);
    free_names(items, enabled, session_data).ok()?;
    let built_in = [
        (enabled.jwt, Backend::Jwt),
        (enabled.session, Backend::Session),
        (enabled.session_cookie, Backend::SessionCookie),
    ];
    let built_in = built_in.into_iter().filter_map(|(on, backend)| on.then_some(backend));
    let auth = written(arguments, enabled).chain(built_in).next()?;
    Some(Application {
        runtime: runtime(arguments),
        user: user.path,
        visibility: user.visibility,
        auth: vec![auth],
        claims: None,
        session_data,
        hooks: arguments.hooks.clone(),
        routes: Routes::default(),
        exclude: Vec::new(),
        guards: Vec::new(),
        role: None,
        oauth_account: None,
        seed: None,
        tags: Vec::new(),
        cli: enabled.cli,
        openapi: enabled.openapi,
        client: enabled.client,
        needs: Vec::new(),
    })
}

fn runtime(arguments: &Arguments) -> Path {
    arguments.runtime.clone().unwrap_or_else(|| parse_quote!(::users_runtime))
}

/// The guards that the user wrote, and the groups that they stand before.
fn guards(arguments: &Arguments) -> Vec<(Guarded, Expr)> {
    let Some(RoutesArgument(groups)) = &arguments.routes else { return Vec::new() };
    let current_user = groups.current_user.as_ref().and_then(|group| group.options.guard.clone());
    let users = groups.users.as_ref().and_then(|group| group.options.guard.clone());
    let roles = groups.roles.as_ref().and_then(|group| group.options.guard.clone());
    let sessions = groups.sessions.as_ref().and_then(|group| group.options.guard.clone());
    let guards = [
        (Guarded::CurrentUser, current_user),
        (Guarded::Users, users),
        (Guarded::Roles, roles),
        (Guarded::Sessions, sessions),
    ];
    guards.into_iter().filter_map(|(group, guard)| guard.map(|guard| (group, guard))).collect()
}

/// The tags that the user gave route groups, each with the group's name in the runtime.
fn tags(arguments: &Arguments) -> Vec<(Ident, LitStr)> {
    let Some(RoutesArgument(groups)) = &arguments.routes else { return Vec::new() };
    macro_rules! tags {
        ($($field:ident: $group:ident),*) => {
            [$( (stringify!($group), groups.$field.as_ref().and_then(|group| group.options.tag.clone())) ),*]
        };
    }
    let tags = tags!(
        auth: Auth, register: Register, verify: Verify, password_reset: PasswordReset, current_user: CurrentUser,
        users: Users, roles: Roles, sessions: Sessions, tokens: Tokens, oauth2: OAuth2, docs: Docs
    );
    let tags = tags.into_iter().filter_map(|(group, tag)| tag.map(|tag| (group, tag)));
    tags.map(|(group, tag)| (Ident::new(group, at(&tag)), tag)).collect()
}

/// What is needed of the model, each asked for once, where its reason is named or else at the model.
fn needs(arguments: &Arguments, routes: &Routes, seed: Option<&Path>, user: Span) -> Vec<(Need, Span)> {
    let groups = arguments.routes.as_ref().map(|routes| &routes.0);
    let verify = groups.and_then(|groups| groups.verify.as_ref()).map_or(user, |group| group.name);
    let reset = groups.and_then(|groups| groups.password_reset.as_ref()).map_or(user, |group| group.name);
    let mut needs = match (&routes.verify, &routes.password_reset) {
        (Some(_), _) => vec![(Need::Verified, verify), (Need::Mailbox, verify)],
        (None, Some(_)) => vec![(Need::Mailbox, reset)],
        (None, None) => Vec::new(),
    };
    let roles = groups.and_then(|groups| groups.roles.as_ref()).map(|group| group.name);
    let users = groups.and_then(|groups| groups.users.as_ref());
    // Only administrators may use the group `users`, unless a guard says who else.
    let users = users.filter(|group| group.options.guard.is_none()).map(|group| group.name);
    let managed = if groups.is_some() { roles.or(users) } else { Some(user) };
    needs.extend(managed.map(|span| (Need::Administrators, span)));
    needs.extend(seed.map(|path| (Need::Roles, path.span())));
    let oauth2 = groups.and_then(|groups| groups.oauth2.as_ref()).map_or(user, |group| group.name);
    needs.extend(routes.oauth2.as_ref().map(|_| (Need::OAuthAccounts, oauth2)));
    needs
}
