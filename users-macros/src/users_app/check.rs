//! The rules of an application: from arguments as written to an application that is right.

mod auth;
mod module;
mod routes;

use darling::{Error, Result, error::Accumulator};
use proc_macro2::Span;
use syn::{Item, ItemMod, Path, parse_quote, spanned::Spanned};

use self::{
    auth::{auth, backend},
    module::{free_names, user},
    routes::{exclude, routes},
};
use super::{
    args::Arguments,
    model::{Application, Backend, Enabled, Need, Routes},
};

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
    mistakes.handle(free_names(items));
    let table = mistakes.handle(routes(arguments.routes.as_ref().map(|routes| &routes.0)));
    // Routes that could not be read are not the default ones.
    let known = table.as_ref().filter(|_| arguments.complete || arguments.routes.is_some());
    mistakes.handle(exclude(arguments, known));
    match (auth, user, table) {
        (Some(auth), Some(user), Some(table)) => mistakes.finish_with(Application {
            runtime: runtime(arguments),
            needs: needs(arguments, &table.routes, user.path.span()),
            user: user.path,
            visibility: user.visibility,
            auth,
            hooks: arguments.hooks.clone(),
            routes: table.routes,
            exclude: arguments.exclude.as_ref().map(|exclude| exclude.0.clone()).unwrap_or_default(),
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
    free_names(items).ok()?;
    let written = arguments
        .auth
        .iter()
        .flat_map(|auth| &auth.0)
        .filter_map(|expression| backend(expression, enabled).ok());
    let built_in = [(enabled.jwt, Backend::Jwt), (enabled.session, Backend::Session)];
    let built_in = built_in.into_iter().filter_map(|(on, backend)| on.then_some(backend));
    let auth = written.chain(built_in).next()?;
    Some(Application {
        runtime: runtime(arguments),
        user: user.path,
        visibility: user.visibility,
        auth: vec![auth],
        hooks: arguments.hooks.clone(),
        routes: Routes { auth: None, register: None, verify: None, password_reset: None, current_user: None },
        exclude: Vec::new(),
        needs: Vec::new(),
    })
}

fn runtime(arguments: &Arguments) -> Path {
    arguments.runtime.clone().unwrap_or_else(|| parse_quote!(::users_runtime))
}

/// What the groups need of the model, each asked for once, where the group is named or else at the model.
fn needs(arguments: &Arguments, routes: &Routes, user: Span) -> Vec<(Need, Span)> {
    let groups = arguments.routes.as_ref().map(|routes| &routes.0);
    let verify = groups.and_then(|groups| groups.verify.as_ref()).map_or(user, |group| group.name);
    let reset = groups.and_then(|groups| groups.password_reset.as_ref()).map_or(user, |group| group.name);
    match (&routes.verify, &routes.password_reset) {
        (Some(_), _) => vec![(Need::Verified, verify), (Need::Mailbox, verify)],
        (None, Some(_)) => vec![(Need::Mailbox, reset)],
        (None, None) => Vec::new(),
    }
}
