//! The OpenAPI 3.1 document of an application, of the same items as its handlers.
//!
//! Every application has it: at `GET /schema/openapi.json` as a client reads it, at `GET /schema` as people do, and in a
//! program from [`UsersRouter::openapi`](crate::UsersRouter::openapi), or without a database from the function `openapi`
//! in the module of `#[users_app]`.
//!
//! Each operation says what it takes and answers by status, every problem with its codes, who may use it, and how clients
//! show who they are. `routes(...)` names other paths and tags, or leaves groups out, the group `docs` too.
//!
//! # The application's own part
//! Title and version are [`Config::with_app_name`](crate::Config::with_app_name) and the version of the application's
//! crate. A document of your own says more, and brings your routes: what it says wins.
//!
//! ```
//! # mod accounts {
//! #     use users_runtime::{PasswordHash, UserModel, users_app};
//! #     #[users_app(auth = "session")]
//! #     pub mod inner {
//! #         use users_runtime::{PasswordHash, UserModel};
//! #         use uuid::Uuid;
//! #         #[derive(Clone, Debug, UserModel)]
//! #         pub struct User {
//! #             #[user(id)]
//! #             pub id: Uuid,
//! #             #[user(identifier)]
//! #             pub email: String,
//! #             #[user(password_hash)]
//! #             password_hash: PasswordHash,
//! #             #[user(verified)]
//! #             pub is_verified: bool,
//! #         }
//! #     }
//! #     pub use inner::*;
//! # }
//! use users_runtime::utoipa::{self, OpenApi};
//!
//! /// How many coins are left.
//! #[utoipa::path(get, path = "/coins", responses((status = 200, body = u32)), security(("cookie" = [])))]
//! async fn coins() -> &'static str {
//!     "3"
//! }
//!
//! #[derive(OpenApi)]
//! #[openapi(info(title = "Coins", version = "2.1.0"), paths(coins))]
//! struct Document;
//!
//! # async fn example() -> Result<(), users_runtime::Error> {
//! let users = accounts::Users::connect("sqlite://app.db", users_runtime::Config::from_env()?).await?;
//! let app = accounts::router(users).with_openapi(Document::openapi());
//! # let _ = app;
//! # Ok(())
//! # }
//! ```
//!
//! The security schemes have these names: `cookie`, `bearer`, `oauth2_password`, and `api_key` for a backend of your own
//! that reads a header. Their alternatives are
//! [`UsersRouter::security_requirements`](crate::UsersRouter::security_requirements). A backend of your own says what it
//! reads by [`Backend::security`].
//!
//! # Types of your own
//! A column's type is described as far as it is known: numbers, texts, times, `Uuid`, lists and `Json` of these. Derive
//! `utoipa::ToSchema` for a type of your own, and the document describes it under its name; without that it stands for any
//! value. What [`with_read`](crate::UsersRouter::with_read) shows is any object until
//! [`with_read_schema`](crate::UsersRouter::with_read_schema) names its type.
//!
//! Answers of functions that take the place of generated routes, and refusals of hooks and guards with codes of the
//! application's own, are the application's: of those the document knows the status 403 alone.

mod answers;
mod components;
mod dto;
mod form;
mod operations;
mod shapes;

use utoipa::openapi::{
    Info, OpenApi, OpenApiBuilder, SecurityRequirement, Server, Tag,
    path::PathsBuilder,
    security::{ApiKey, ApiKeyValue, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Password, Scopes},
};

use self::{components::Components, operations::Operations};
pub use self::{
    dto::{Bounds, Dto, Field, Fields, NoBounds, NumberBounds, fields, named, schema},
    form::{AnyForms, Form, JsonForms, Known, KnownForms, OwnForms, Probe},
};
use crate::{
    app::{Application, Group},
    auth::{Backend, SecurityScheme},
    config::Config,
    model::Schematic,
    operation::{Facts, GeneratedRoute},
};

/// What a document is made of, beside the types of the application.
pub(crate) struct Source<'a> {
    pub(crate) config: &'a Config,
    pub(crate) operations: Vec<(GeneratedRoute, Facts)>,
    /// What responses show of users in a group, or in all, where it is the application's own.
    pub(crate) shown: Vec<(Option<Group>, Option<Schematic>)>,
    /// The operations that functions of the application's own answer.
    pub(crate) replaced: Vec<&'static str>,
    /// The application's own document.
    pub(crate) own: Option<OpenApi>,
}

/// The document of an application.
pub(crate) fn document<A: Application>(source: Source<'_>) -> OpenApi {
    let Source { config, operations, shown, replaced, own } = source;
    let schemes = schemes::<A>(config);
    let mut components = Components::new(own.as_ref());
    components.reserve(operations.iter().map(|(_, facts)| facts));
    for (name, scheme) in &schemes {
        components.add_security_scheme(name, described_scheme::<A>(scheme));
    }
    let mut paths = PathsBuilder::new();
    let mut tags: Vec<Tag> = Vec::new();
    let mut writer = Operations::<A>::new(config, &shown, &schemes, components);
    for (about, mut facts) in operations {
        // What a function of the application's own refuses has a code of the application's own.
        facts.hooked |= replaced.contains(&about.operation);
        let tag = tag::<A>(about.group);
        if !tags.contains(&tag) {
            tags.push(tag.clone());
        }
        let (path, item) = writer.item(&about, &facts, &tag.name);
        paths = paths.path(path, item);
    }
    let mut generated = OpenApiBuilder::new()
        .info(Info::new(config.app_name.clone(), A::VERSION.to_owned()))
        .servers(Some([Server::new("/")]))
        .paths(paths.build())
        .components(Some(writer.into_components()))
        .tags(Some(tags))
        .build();
    let Some(mut own) = own else { return generated };
    if own.servers.as_ref().is_some_and(|servers| !servers.is_empty()) {
        generated.servers = None;
    }
    own.merge(generated);
    own
}

/// The alternatives by which clients show who they are, each under its name.
fn schemes<A: Application>(config: &Config) -> Vec<(String, SecurityScheme)> {
    let mut named: Vec<(String, SecurityScheme)> = Vec::new();
    for scheme in A::Auth::security(config) {
        let base = match &scheme {
            SecurityScheme::Cookie(_) => "cookie",
            SecurityScheme::OAuth2Password if A::ROUTES.tokens.is_some() => "oauth2_password",
            SecurityScheme::Bearer(_) | SecurityScheme::OAuth2Password => "bearer",
            SecurityScheme::Header(_) => "api_key",
        };
        let same = named
            .iter()
            .filter(|(name, _)| name.trim_end_matches(|c: char| c == '_' || c.is_ascii_digit()) == base);
        let name = match same.count() {
            0 => base.to_owned(),
            count => format!("{base}_{}", count + 1),
        };
        named.push((name, scheme));
    }
    named
}

/// The alternatives as an operation names them.
pub(crate) fn security_requirements<A: Application>(config: &Config) -> Vec<SecurityRequirement> {
    let none: [&str; 0] = [];
    schemes::<A>(config).into_iter().map(|(name, _)| SecurityRequirement::new(name, none)).collect()
}

fn described_scheme<A: Application>(scheme: &SecurityScheme) -> utoipa::openapi::security::SecurityScheme {
    use utoipa::openapi::security::SecurityScheme as Described;
    let bearer = |format: Option<&str>| {
        let http = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
        Described::Http(match format {
            Some(format) => http.bearer_format(format).build(),
            None => http.build(),
        })
    };
    match scheme {
        SecurityScheme::Cookie(name) => {
            let about = "Set at login. A browser sends it by itself; requests that change something must come from a page of \
                         the same origin, or of one that is trusted.";
            Described::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(name.as_ref(), about)))
        }
        SecurityScheme::Header(name) => Described::ApiKey(ApiKey::Header(ApiKeyValue::new(name.as_ref()))),
        SecurityScheme::Bearer(format) => bearer(*format),
        SecurityScheme::OAuth2Password => match A::ROUTES.tokens {
            // Relative to the document's server, as the paths are.
            Some(tokens) => Described::OAuth2(OAuth2::new([Flow::Password(Password::with_refresh_url(
                tokens.token,
                Scopes::new(),
                tokens.refresh,
            ))])),
            None => bearer(Some("JWT")),
        },
    }
}

/// The name under which a group's operations are gathered.
fn tag<A: Application>(group: Group) -> Tag {
    let (name, about) = match group {
        Group::Register => ("Registration", "New accounts."),
        Group::Verify => ("Verification", "Proof of the mailbox."),
        Group::Auth => ("Authentication", "Login and logout."),
        Group::PasswordReset => ("Password reset", "Forgotten passwords."),
        Group::CurrentUser => ("Current user", "The own account."),
        Group::Users => ("Users", "Management of users."),
        Group::Roles => ("Roles", "Management of roles."),
        Group::Sessions => ("Sessions", "The own sessions."),
        Group::Tokens => ("Tokens", "Tokens for clients that are no browsers."),
        Group::OAuth2 => ("OAuth2", "Sign-in through providers."),
        Group::Docs => ("Documentation", "This document."),
    };
    match A::TAGS.iter().find(|(of, _)| *of == group) {
        Some((_, own)) => Tag::new(own),
        None => {
            let mut tag = Tag::new(name);
            tag.description = Some(about.to_owned());
            tag
        }
    }
}
