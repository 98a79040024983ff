//! The rules of an application: from arguments as written to an application that is right.

use darling::{Error, Result, error::Accumulator};
use proc_macro2::Span;
use syn::{
    Attribute, Expr, ExprLit, Ident, Item, ItemMod, Lit, LitStr, Path, Visibility, parse_quote,
    spanned::Spanned,
};

use super::{
    args::{Arguments, Group, Groups, ungroup},
    model::{
        Application, AuthRoutes, Backend, CurrentUserRoutes, Enabled, Need, PasswordResetRoutes, Routes,
        VerifyRoutes,
    },
    pattern::Pattern,
};
use crate::report::{mistake, unknown};

/// Checks every rule; one that needs another one's result runs only when that one passed.
pub(super) fn check(
    arguments: &Arguments,
    module: &ItemMod,
    items: &[Item],
    enabled: Enabled,
    mut mistakes: Accumulator,
) -> Result<Application> {
    let auth = mistakes.handle(auth(arguments, enabled));
    let user = mistakes.handle(user(arguments, module, items));
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
    let user = user(arguments, module, items).ok()?;
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

/// The words that `auth` knows.
const BACKENDS: [&str; 3] = ["session", "jwt", "jwt_cookie"];

/// The longest tuple of backends that is one itself.
const MOST_BACKENDS: usize = 4;

/// Backends of later versions.
const LATER_BACKENDS: [&str; 2] = ["session_cookie", "oauth2_password"];

fn auth(arguments: &Arguments, enabled: Enabled) -> Result<Vec<Backend>> {
    const USAGE: &str = "write `auth = ` with one of `\"session\"`, `\"jwt\"`, `\"jwt_cookie\"` or a path to a backend of your own";
    let Some(argument) = &arguments.auth else {
        // An `auth` that could not be read has left its own mistake behind.
        let missing = mistake(Span::call_site(), format!("`auth` is missing; {USAGE}"));
        return if arguments.complete { Err(missing) } else { Ok(Vec::new()) };
    };
    let mut mistakes = Error::accumulator();
    let mut seen: Vec<String> = Vec::new();
    let mut backends = Vec::new();
    for expression in &argument.0 {
        let Some(backend) = mistakes.handle(backend(expression, enabled)) else { continue };
        let name = backend.shown();
        if seen.contains(&name) {
            mistakes.push(mistake(
                expression.span(),
                format!("the backend `{name}` stands here twice; remove one of the two"),
            ));
        }
        seen.push(name);
        backends.push(backend);
    }
    if let Some(fifth) = argument.0.get(MOST_BACKENDS) {
        mistakes.push(mistake(
            fifth.span(),
            format!("an application has at most {MOST_BACKENDS} backends; remove this"),
        ));
    }
    if argument.0.is_empty() {
        mistakes.push(mistake(argument.1, format!("an application needs a backend; {USAGE}")));
    }
    mistakes.finish_with(backends)
}

fn backend(expression: &Expr, enabled: Enabled) -> Result<Backend> {
    let literal = match ungroup(expression) {
        Expr::Path(path) if path.qself.is_none() => return Ok(Backend::Own(path.path.clone())),
        Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => literal,
        other => {
            return Err(mistake(
                other.span(),
                "this is no backend; write a name such as `\"jwt\"` or a path to a type",
            ));
        }
    };
    let word = literal.value();
    let (backend, feature, on) = match word.as_str() {
        "jwt" => (Backend::Jwt, "jwt", enabled.jwt),
        "jwt_cookie" => (Backend::JwtCookie, "jwt", enabled.jwt),
        "session" => (Backend::Session, "session", enabled.session),
        _ if LATER_BACKENDS.contains(&word.as_str()) => {
            let text = format!(
                "the backend `{word}` is not part of this version; write one of {}",
                listed(&BACKENDS)
            );
            return Err(mistake(literal.span(), text));
        }
        _ => return Err(mistake(literal.span(), unknown("backend", &word, &BACKENDS))),
    };
    if on {
        return Ok(backend);
    }
    let line = format!(
        "users-runtime = {{ version = \"{}\", features = [\"{feature}\"] }}",
        env!("CARGO_PKG_VERSION")
    );
    Err(mistake(
        literal.span(),
        format!("the backend `{word}` needs the cargo feature `{feature}`; write `{line}` in Cargo.toml"),
    ))
}

impl Backend {
    /// The backend as the user writes it.
    fn shown(&self) -> String {
        match self {
            Self::Jwt => "jwt".to_owned(),
            Self::JwtCookie => "jwt_cookie".to_owned(),
            Self::Session => "session".to_owned(),
            Self::Own(path) => darling::util::path_to_string(path),
        }
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// The user model and how far it can be seen.
struct User {
    path: Path,
    visibility: Visibility,
}

fn user(arguments: &Arguments, module: &ItemMod, items: &[Item]) -> Result<User> {
    let inline = |name: &Ident| {
        types(items).find(|(ident, ..)| *ident == name).map(|(_, visibility, _)| visibility.clone())
    };
    if let Some(path) = &arguments.user {
        let visibility = path.get_ident().and_then(inline).unwrap_or_else(|| parse_quote!(pub));
        return Ok(User { path: path.clone(), visibility });
    }
    let mut models = types(items).filter(|(.., attributes)| derives_user_model(attributes));
    match (models.next(), models.next()) {
        (Some((ident, visibility, _)), None) => {
            Ok(User { path: Path::from(ident.clone()), visibility: visibility.clone() })
        }
        (Some((first, ..)), Some((second, ..))) => {
            let text = format!(
                "`{first}` and `{second}` both derive `UserModel`; write `user = {first}` in `#[users_app(...)]`"
            );
            Err(mistake(second.span(), text))
        }
        (None, _) => {
            let name = &module.ident;
            let text = format!(
                "no struct in `{name}` derives `UserModel`; write `#[derive(Clone, UserModel)]` above one"
            );
            Err(mistake(name.span(), format!("{text}, or `user = path` in `#[users_app(...)]`")))
        }
    }
}

/// The types of a module. Enums and unions are among them because the derive has a better message for them.
fn types(items: &[Item]) -> impl Iterator<Item = (&Ident, &Visibility, &[Attribute])> {
    items.iter().filter_map(|item| match item {
        Item::Struct(item) => Some((&item.ident, &item.vis, item.attrs.as_slice())),
        Item::Enum(item) => Some((&item.ident, &item.vis, item.attrs.as_slice())),
        Item::Union(item) => Some((&item.ident, &item.vis, item.attrs.as_slice())),
        _ => None,
    })
}

fn derives_user_model(attributes: &[Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).any(|attribute| {
        let mut found = false;
        // A derive that cannot be read is the compiler's to report.
        let _ = attribute.parse_nested_meta(|meta| {
            found |= meta.path.segments.last().is_some_and(|last| last.ident == "UserModel");
            Ok(())
        });
        found
    })
}

/// Refuses items of the user's under the names that are generated.
fn free_names(items: &[Item]) -> Result<()> {
    const GENERATED: [&str; 5] = ["App", "Users", "CurrentUser", "Visitor", "router"];
    let mut mistakes = Error::accumulator();
    let names = items.iter().flat_map(|item| match item {
        Item::Const(item) => vec![&item.ident],
        Item::Enum(item) => vec![&item.ident],
        Item::Fn(item) => vec![&item.sig.ident],
        Item::Mod(item) => vec![&item.ident],
        Item::Static(item) => vec![&item.ident],
        Item::Struct(item) => vec![&item.ident],
        Item::Trait(item) => vec![&item.ident],
        Item::Type(item) => vec![&item.ident],
        Item::Union(item) => vec![&item.ident],
        Item::Use(item) => imported(&item.tree),
        _ => Vec::new(),
    });
    for name in names.filter(|name| GENERATED.iter().any(|generated| *name == generated)) {
        mistakes.push(mistake(
            name.span(),
            format!("`#[users_app]` generates `{name}` in this module; rename this one"),
        ));
    }
    mistakes.finish()
}

/// The names that a `use` brings into the module.
fn imported(tree: &syn::UseTree) -> Vec<&Ident> {
    match tree {
        syn::UseTree::Path(path) => imported(&path.tree),
        syn::UseTree::Name(name) => vec![&name.ident],
        syn::UseTree::Rename(rename) => vec![&rename.rename],
        syn::UseTree::Group(group) => group.items.iter().flat_map(imported).collect(),
        syn::UseTree::Glob(_) => Vec::new(),
    }
}

/// The generated routes, and one line for each of their paths.
struct Table {
    routes: Routes,
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
const CURRENT_AND_DELETE: Slot = Slot { methods: &["GET", "PATCH", "DELETE"], ..CURRENT };

fn routes(groups: Option<&Groups>) -> Result<Table> {
    let mut mistakes = Error::accumulator();
    let mut lines: Vec<Line> = Vec::new();
    let mut line = |slot: &Slot, name: Span, literal: Option<&LitStr>| {
        let line = mistakes.handle(Line::new(slot, name, literal));
        let path = line.as_ref().map_or_else(|| slot.default.to_owned(), |line| line.path.clone());
        lines.extend(line);
        path
    };
    let default = Groups::all();
    let groups = groups.unwrap_or(&default);
    let routes = Routes {
        auth: groups.auth.as_ref().map(|Group { name, options }| AuthRoutes {
            login: line(&LOGIN, *name, options.login.as_ref()),
            logout: line(&LOGOUT, *name, options.logout.as_ref()),
        }),
        register: groups
            .register
            .as_ref()
            .map(|Group { name, options }| line(&REGISTER, *name, options.path.as_ref())),
        verify: groups.verify.as_ref().map(|Group { name, options }| VerifyRoutes {
            path: line(&VERIFY, *name, options.path.as_ref()),
            resend: line(&RESEND, *name, options.resend.as_ref()),
        }),
        password_reset: groups.password_reset.as_ref().map(|Group { name, options }| PasswordResetRoutes {
            forgot: line(&FORGOT, *name, options.forgot.as_ref()),
            reset: line(&RESET, *name, options.reset.as_ref()),
        }),
        current_user: groups.current_user.as_ref().map(|Group { name, options }| CurrentUserRoutes {
            path: line(
                if options.delete.is_some() { &CURRENT_AND_DELETE } else { &CURRENT },
                *name,
                options.path.as_ref(),
            ),
            delete: options.delete.is_some(),
        }),
    };
    mistakes.handle(collisions(&lines));
    mistakes.finish_with(Table { routes, lines })
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

    /// The route's methods and path.
    fn shown(&self) -> String {
        format!("{} {}", self.methods.join(", "), self.path)
    }
}

fn collisions(lines: &[Line]) -> Result<()> {
    let mut mistakes = Error::accumulator();
    for (index, second) in lines.iter().enumerate() {
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

fn exclude(arguments: &Arguments, table: Option<&Table>) -> Result<()> {
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
