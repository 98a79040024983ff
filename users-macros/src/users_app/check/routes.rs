//! The generated routes, and the application's own that need no login.

use darling::{Error, Result, error::Accumulator};
use proc_macro2::Span;
use syn::LitStr;

use super::auth::{needs_feature, sessions_group, tokens_group};
use crate::{
    report::mistake,
    users_app::{
        args::{Arguments, Group, Groups},
        model::{
            AuthRoutes, Backend, CurrentUserRoutes, Enabled, OAuth2Routes, PasswordResetRoutes, RolesRoutes,
            Routes, TokensRoutes, VerifyRoutes,
        },
        pattern::Pattern,
    },
};

/// The generated routes, and one line for each of their paths.
pub(super) struct Table {
    pub(super) routes: Routes,
    lines: Vec<Line>,
}

/// One path of a group.
struct Line {
    group: &'static str,
    methods: Vec<&'static str>,
    path: String,
    pattern: Pattern,
    protected: bool,
    span: Span,
    /// Whether the user wrote the path.
    written: bool,
}

/// A path that may be generated, with its default.
struct Slot {
    group: &'static str,
    methods: &'static [&'static str],
    default: &'static str,
    protected: bool,
}

const LOGIN: Slot = Slot { group: "auth", methods: &["POST"], default: "/login", protected: false };
const LOGOUT: Slot = Slot { group: "auth", methods: &["POST"], default: "/logout", protected: true };
const REGISTER: Slot = Slot { group: "register", methods: &["POST"], default: "/register", protected: false };
const VERIFY: Slot = Slot { group: "verify", methods: &["POST"], default: "/verify", protected: false };
const RESEND: Slot =
    Slot { group: "verify", methods: &["POST"], default: "/verify/resend", protected: false };
const FORGOT: Slot =
    Slot { group: "password_reset", methods: &["POST"], default: "/forgot-password", protected: false };
const RESET: Slot =
    Slot { group: "password_reset", methods: &["POST"], default: "/reset-password", protected: false };
const CURRENT: Slot =
    Slot { group: "current_user", methods: &["GET", "PATCH"], default: "/users/me", protected: true };
const EVENTS: &[&str] = &["GET"];
const EXPORT: &[&str] = &["GET"];
const CURRENT_AND_DELETE: Slot = Slot { methods: &["GET", "PATCH", "DELETE"], ..CURRENT };

const USERS: Slot = Slot { group: "users", methods: &["GET"], default: "/users", protected: true };
const USER: &[&str] = &["GET", "PATCH", "DELETE"];
const ROLES: Slot =
    Slot { group: "roles", methods: &["GET", "POST"], default: "/users/roles", protected: true };
const ROLE: &[&str] = &["PATCH", "DELETE"];
const ASSIGN: Slot =
    Slot { group: "roles", methods: &["PUT"], default: "/users/roles/assign", protected: true };
const REVOKE: Slot =
    Slot { group: "roles", methods: &["PUT"], default: "/users/roles/revoke", protected: true };

const SESSIONS: Slot =
    Slot { group: "sessions", methods: &["GET", "DELETE"], default: "/users/me/sessions", protected: true };
const SESSION: &[&str] = &["DELETE"];
const TOKEN: Slot = Slot { group: "tokens", methods: &["POST"], default: "/token", protected: false };
const REFRESH: Slot =
    Slot { group: "tokens", methods: &["POST"], default: "/token/refresh", protected: false };
const JWKS: Slot =
    Slot { group: "tokens", methods: &["GET"], default: "/.well-known/jwks.json", protected: false };

const OAUTH2: Slot = Slot { group: "oauth2", methods: &[], default: "/oauth2", protected: false };
const ASSOCIATE: Slot =
    Slot { group: "oauth2", methods: &["GET"], default: "/oauth2-associate", protected: true };
const AUTHORIZE: &[&str] = &["GET"];
const CALLBACK: &[&str] = &["GET", "POST"];
const ACCOUNT: &[&str] = &["DELETE"];
const DOCS: Slot = Slot { group: "docs", methods: &["GET"], default: "/schema", protected: false };

pub(super) fn routes(groups: Option<&Groups>, backends: &[Backend], enabled: Enabled) -> Result<Table> {
    let (sessions, tokens) =
        (backends.iter().any(Backend::is_built_in), backends.iter().any(Backend::is_jwt));
    let default = Groups::all(sessions, tokens, enabled);
    let groups = groups.unwrap_or(&default);
    let mut lines = Lines { lines: Vec::new(), mistakes: Error::accumulator() };
    lines.mistakes.handle(fit_the_backends(groups, backends));
    lines.mistakes.handle(fit_the_features(groups, enabled));
    let routes = Routes {
        auth: groups.auth.as_ref().map(|Group { name, options }| AuthRoutes {
            login: lines.add(&LOGIN, *name, options.login.as_ref()),
            logout: lines.add(&LOGOUT, *name, options.logout.as_ref()),
        }),
        register: groups
            .register
            .as_ref()
            .map(|Group { name, options }| lines.add(&REGISTER, *name, options.path.as_ref())),
        verify: groups.verify.as_ref().map(|Group { name, options }| VerifyRoutes {
            path: lines.add(&VERIFY, *name, options.path.as_ref()),
            resend: lines.add(&RESEND, *name, options.resend.as_ref()),
        }),
        password_reset: groups.password_reset.as_ref().map(|Group { name, options }| PasswordResetRoutes {
            forgot: lines.add(&FORGOT, *name, options.forgot.as_ref()),
            reset: lines.add(&RESET, *name, options.reset.as_ref()),
        }),
        current_user: groups.current_user.as_ref().map(|Group { name, options }| {
            let slot = if options.delete.is_some() { &CURRENT_AND_DELETE } else { &CURRENT };
            let path = lines.add(slot, *name, options.path.as_ref());
            let above = path.trim_end_matches('/');
            lines.add_below(above, "events", (&CURRENT, EVENTS), *name, options.path.as_ref());
            if options.export.is_some() {
                lines.add_below(above, "export", (&CURRENT, EXPORT), *name, options.path.as_ref());
            }
            CurrentUserRoutes { delete: options.delete.is_some(), export: options.export.is_some(), path }
        }),
        users: groups.users.as_ref().map(|Group { name, options }| {
            let path = lines.add_with_id(&USERS, USER, *name, options.path.as_ref());
            if path != "/" {
                lines.add_below(&path, "{id}/sessions", (&USERS, SESSION), *name, options.path.as_ref());
                lines.add_below(&path, "{id}/events", (&USERS, EVENTS), *name, options.path.as_ref());
            }
            path
        }),
        roles: groups.roles.as_ref().map(|Group { name, options }| RolesRoutes {
            path: lines.add_with_id(&ROLES, ROLE, *name, options.path.as_ref()),
            assign: lines.add(&ASSIGN, *name, options.assign.as_ref()),
            revoke: lines.add(&REVOKE, *name, options.revoke.as_ref()),
        }),
        sessions: groups.sessions.as_ref().map(|Group { name, options }| {
            lines.add_with_id(&SESSIONS, SESSION, *name, options.path.as_ref())
        }),
        tokens: groups.tokens.as_ref().map(|Group { name, options }| TokensRoutes {
            token: lines.add(&TOKEN, *name, options.token.as_ref()),
            refresh: lines.add(&REFRESH, *name, options.refresh.as_ref()),
            jwks: lines.add(&JWKS, *name, options.jwks.as_ref()),
        }),
        oauth2: groups.oauth2.as_ref().map(|Group { name, options }| {
            let path = lines.add(&OAUTH2, *name, options.path.as_ref());
            let literal = options.path.as_ref();
            lines.add_below(&path, "{provider}/authorize", (&OAUTH2, AUTHORIZE), *name, literal);
            lines.add_below(&path, "{provider}/callback", (&OAUTH2, CALLBACK), *name, literal);
            let associate = lines.add_with_id(&ASSOCIATE, ACCOUNT, *name, options.associate.as_ref());
            let literal = options.associate.as_ref();
            lines.add_below(&associate, "{provider}/authorize", (&ASSOCIATE, AUTHORIZE), *name, literal);
            lines.add_below(&associate, "{provider}/callback", (&ASSOCIATE, AUTHORIZE), *name, literal);
            OAuth2Routes { path, associate }
        }),
        docs: groups.docs.as_ref().map(|Group { name, options }| {
            let path = lines.add(&DOCS, *name, options.path.as_ref());
            lines.add_below(&path, "openapi.json", (&DOCS, DOCS.methods), *name, options.path.as_ref());
            path
        }),
    };
    let Lines { lines, mut mistakes } = lines;
    mistakes.handle(collisions(&lines));
    mistakes.finish_with(Table { routes, lines })
}

/// Refuses groups that no backend has anything for.
fn fit_the_backends(groups: &Groups, backends: &[Backend]) -> Result<()> {
    let mut mistakes = Error::accumulator();
    if let Some(group) = &groups.sessions {
        mistakes.handle(sessions_group(group.name, backends));
    }
    if let Some(group) = &groups.tokens {
        mistakes.handle(tokens_group(group.name, backends));
    }
    mistakes.finish()
}

/// Refuses groups whose cargo feature is off.
fn fit_the_features(groups: &Groups, enabled: Enabled) -> Result<()> {
    let mut mistakes = Error::accumulator();
    let oauth2 =
        groups.oauth2.as_ref().filter(|_| !enabled.oauth2).map(|group| (group.name, "oauth2", "oauth2"));
    let docs = groups.docs.as_ref().filter(|_| !enabled.openapi).map(|group| (group.name, "docs", "openapi"));
    for (span, word, feature) in oauth2.into_iter().chain(docs) {
        mistakes.push(mistake(span, needs_feature("route group", word, feature)));
    }
    mistakes.finish()
}

/// The lines so far, and what is wrong with the others.
struct Lines {
    lines: Vec<Line>,
    mistakes: Accumulator,
}

impl Lines {
    /// Adds a path and gives it back; one that is wrong leaves its mistake and the default behind.
    fn add(&mut self, slot: &Slot, name: Span, literal: Option<&LitStr>) -> String {
        let line = self.mistakes.handle(Line::new(slot, name, literal));
        let path = line.as_ref().map_or_else(|| slot.default.to_owned(), |line| line.path.clone());
        self.lines.extend(line);
        path
    }

    /// The same for a path that has one thing by its key below it.
    fn add_with_id(
        &mut self,
        slot: &Slot,
        methods: &[&'static str],
        name: Span,
        literal: Option<&LitStr>,
    ) -> String {
        let path = self.add(slot, name, literal);
        self.add_below(&path, "{id}", (slot, methods), name, literal);
        path
    }

    /// Adds what lies below a path.
    fn add_below(
        &mut self,
        path: &str,
        below: &str,
        (slot, methods): (&Slot, &[&'static str]),
        name: Span,
        literal: Option<&LitStr>,
    ) {
        let child = Line::below(path, below, slot, methods, literal.map_or(name, LitStr::span));
        self.lines.extend(self.mistakes.handle(child));
    }
}

impl Line {
    fn new(slot: &Slot, name: Span, literal: Option<&LitStr>) -> Result<Self> {
        let Slot { group, methods, default, protected } = *slot;
        let path = literal.map_or_else(|| default.to_owned(), LitStr::value);
        let span = literal.map_or(name, LitStr::span);
        let pattern = Pattern::parse(&path).map_err(|text| mistake(span, text))?;
        if pattern.has_parameters() {
            let text = format!("a generated route takes no parameters; write a path such as `{default}`");
            return Err(mistake(span, text));
        }
        Ok(Self {
            group,
            methods: methods.to_vec(),
            path,
            pattern,
            protected,
            span,
            written: literal.is_some(),
        })
    }

    /// The line of one thing below a path. Its parameter is the library's, so no other line can have the same path
    /// unless the paths above are the same, too.
    fn below(path: &str, below: &str, slot: &Slot, methods: &[&'static str], span: Span) -> Result<Self> {
        if path == "/" {
            let text =
                format!("`/` has no room for `{{id}}` below it; write a path such as `{}`", slot.default);
            return Err(mistake(span, text));
        }
        let path = format!("{path}/{below}");
        let pattern = Pattern::parse(&path).map_err(|text| mistake(span, text))?;
        let Slot { group, protected, .. } = *slot;
        Ok(Self { group, methods: methods.to_vec(), path, pattern, protected, span, written: false })
    }

    /// The route's methods and path.
    fn shown(&self) -> String {
        format!("{} {}", self.methods.join(", "), self.path).trim_start().to_owned()
    }
}

fn collisions(lines: &[Line]) -> Result<()> {
    let mut mistakes = Error::accumulator();
    for (index, second) in lines.iter().enumerate().filter(|(_, line)| !line.pattern.has_parameters()) {
        let both = |first: &&Line| {
            first.path == second.path && first.methods.iter().any(|method| second.methods.contains(method))
        };
        let Some(first) = lines[..index].iter().find(both) else { continue };
        // The one that the user wrote is the one to change.
        let (kept, changed) =
            if first.written && !second.written { (second, first) } else { (first, second) };
        let text = format!(
            "`{}` belongs to the route group `{}` already; write another path",
            kept.shown(),
            kept.group
        );
        mistakes.push(mistake(changed.span, text));
    }
    mistakes.finish()
}

pub(super) fn exclude(arguments: &Arguments, table: Option<&Table>) -> Result<()> {
    let mut mistakes = Error::accumulator();
    let mut seen: Vec<Pattern> = Vec::new();
    for literal in arguments.exclude.iter().flat_map(|exclude| &exclude.0) {
        let pattern = Pattern::parse(&literal.value()).map_err(|text| mistake(literal.span(), text));
        let Some(pattern) = mistakes.handle(pattern) else { continue };
        if seen.iter().any(|other| other.same(&pattern)) {
            mistakes.push(mistake(
                literal.span(),
                format!("`{}` stands here twice; remove one of the two", literal.value()),
            ));
        } else {
            let lines = table.map(|table| table.lines.as_slice()).unwrap_or_default();
            mistakes.handle(opens_only_own_routes(&pattern, literal, lines));
        }
        seen.push(pattern);
    }
    mistakes.finish()
}

fn opens_only_own_routes(pattern: &Pattern, literal: &LitStr, lines: &[Line]) -> Result<()> {
    let text = literal.value();
    if pattern.opens_everything() {
        let text = format!(
            "`{text}` opens every route; begin the pattern with a segment of text, such as `/public{text}`"
        );
        return Err(mistake(literal.span(), text));
    }
    if let Some(line) = lines.iter().find(|line| line.protected && pattern.covers(&line.pattern)) {
        let text =
            format!("`{text}` opens `{}`, which needs a login; write a narrower pattern", line.shown());
        return Err(mistake(literal.span(), text));
    }
    if let Some(line) = lines.iter().find(|line| line.pattern == *pattern) {
        let text = format!("`{}` needs no login anyway; remove `{text}`", line.shown());
        return Err(mistake(literal.span(), text));
    }
    Ok(())
}
