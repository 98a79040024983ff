//! The guide: a chapter for each thing that an application does, with examples that are compiled and run.
//!
//! | chapter | after it you can |
//! | --- | --- |
//! | [`getting_started`] | serve accounts on this machine, and test them without a port |
//! | [`models`] | write the struct of your users, also over a table that exists |
//! | [`dtos`] | say what requests may set and responses show |
//! | [`hooks`] | run code of yours at each step of an account's life |
//! | [`routes`] | choose the generated routes, add yours, replace one |
//! | [`guards`] | say who may do what |
//! | [`sessions`] | choose how a login is carried, where it is kept and when it ends |
//! | [`oauth2`] | let people come by a provider that they have |
//! | [`openapi`] | publish a document of the routes, with yours in it |
//! | [`databases`] | run on each database, and change a struct whose table has rows |
//! | [`cli`] | make administrators, import, migrate and export |
//! | [`deployment`] | run it where others reach it |
//! | [`security`] | know what holds, and what is your own duty |
//! | [`conformance`](mod@self::conformance) | test that all of it holds for your application |
//! | [`migration_from_litestar_users`] | bring an application of litestar-users |
//! | [`migration_from_axum_login`] | bring an application of axum-login |
//!
//! The chapters are Markdown files beside this module. Where a cargo feature that a chapter's examples need is switched
//! off, the chapter names it and says nothing else.

#[allow(
    unused_imports,
    clippy::wildcard_imports,
    reason = "links in the text of the chapters resolve here"
)]
use crate::*;

/// A chapter: its text where the features of its examples are on.
macro_rules! chapters {
    ($( $chapter:ident: $text:literal needs $first:literal $(and $feature:literal)*; )*) => {
        $(
            #[cfg_attr(all(feature = $first $(, feature = $feature)*), doc = include_str!($text))]
            #[cfg_attr(
                not(all(feature = $first $(, feature = $feature)*)),
                doc = concat!("This chapter needs the cargo features `", $first, "`" $(, " and `", $feature, "`")*, ".")
            )]
            pub mod $chapter {}
        )*
    };
}

chapters! {
    getting_started: "guide/getting_started.md" needs "sqlite" and "jwt";
    models: "guide/models.md" needs "sqlite" and "session";
    dtos: "guide/dtos.md" needs "sqlite" and "session";
    hooks: "guide/hooks.md" needs "sqlite" and "session";
    routes: "guide/routes.md" needs "sqlite" and "session";
    guards: "guide/guards.md" needs "sqlite" and "session";
    sessions: "guide/sessions.md" needs "sqlite" and "session" and "jwt";
    oauth2: "guide/oauth2.md" needs "sqlite" and "session" and "oauth2";
    openapi: "guide/openapi.md" needs "sqlite" and "session" and "openapi";
    databases: "guide/databases.md" needs "sqlite" and "session";
    cli: "guide/cli.md" needs "sqlite" and "session" and "cli";
    deployment: "guide/deployment.md" needs "sqlite" and "session";
    security: "guide/security.md" needs "sqlite" and "session";
    conformance: "guide/conformance.md" needs "sqlite" and "session" and "conformance";
    migration_from_litestar_users: "guide/migration_from_litestar_users.md" needs "sqlite" and "session";
    migration_from_axum_login: "guide/migration_from_axum_login.md" needs "sqlite" and "session";
}
