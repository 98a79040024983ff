//! The arguments of `#[users_app(...)]` as they are written.

use darling::{Error, FromMeta, Result, ast::NestedMeta, error::Accumulator, util::path_to_string};
use proc_macro2::{Span, TokenStream};
use syn::{Expr, LitStr, Meta, Path, spanned::Spanned};

use super::model::Enabled;
use crate::report::{Word, mistake, path, string, unknown};

/// Every argument.
#[derive(Default, FromMeta)]
#[darling(default)]
pub(super) struct Arguments {
    pub(super) auth: Option<AuthArgument>,
    pub(super) exclude: Option<ExcludeArgument>,
    #[darling(with = path)]
    pub(super) user: Option<Path>,
    #[darling(with = path)]
    pub(super) role: Option<Path>,
    #[darling(with = path)]
    pub(super) oauth_account: Option<Path>,
    #[darling(with = path)]
    pub(super) seed: Option<Path>,
    #[darling(with = path)]
    pub(super) hooks: Option<Path>,
    #[darling(with = path)]
    pub(super) claims: Option<Path>,
    pub(super) routes: Option<RoutesArgument>,
    #[darling(rename = "crate", with = path)]
    pub(super) runtime: Option<Path>,
    /// Whether this is all that was written.
    #[darling(skip)]
    pub(super) complete: bool,
    /// The words of all arguments, readable or not.
    #[darling(skip)]
    pub(super) words: Vec<String>,
}

impl Arguments {
    /// Whether an argument is there, readable or not.
    pub(super) fn names(&self, word: &str) -> bool {
        self.words.iter().any(|other| other == word)
    }
}

/// One backend or a list of them.
pub(super) struct AuthArgument(pub(super) Vec<Expr>, pub(super) Span);

/// The patterns of `exclude`.
pub(super) struct ExcludeArgument(pub(super) Vec<LitStr>);

/// The groups of `routes(...)`.
#[derive(Default)]
pub(super) struct RoutesArgument(pub(super) Groups);

#[derive(Default, FromMeta)]
#[darling(default)]
pub(super) struct Groups {
    pub(super) auth: Option<Group<AuthOptions>>,
    pub(super) register: Option<Group<RegisterOptions>>,
    pub(super) verify: Option<Group<VerifyOptions>>,
    pub(super) password_reset: Option<Group<PasswordResetOptions>>,
    pub(super) current_user: Option<Group<CurrentUserOptions>>,
    pub(super) users: Option<Group<UsersOptions>>,
    pub(super) roles: Option<Group<RolesOptions>>,
    pub(super) sessions: Option<Group<SessionsOptions>>,
    pub(super) tokens: Option<Group<TokensOptions>>,
    pub(super) oauth2: Option<Group<OAuth2Options>>,
    pub(super) docs: Option<Group<DocsOptions>>,
}

impl Groups {
    /// Every group with its defaults, where it has something to serve.
    pub(super) fn all(sessions: bool, tokens: bool, enabled: Enabled) -> Self {
        Self {
            auth: Some(Group::default()),
            register: Some(Group::default()),
            verify: Some(Group::default()),
            password_reset: Some(Group::default()),
            current_user: Some(Group::default()),
            users: Some(Group::default()),
            roles: Some(Group::default()),
            sessions: sessions.then(Group::default),
            tokens: tokens.then(Group::default),
            oauth2: enabled.oauth2.then(Group::default),
            docs: enabled.openapi.then(Group::default),
        }
    }
}

/// A group and the place of its name.
pub(super) struct Group<T> {
    pub(super) name: Span,
    pub(super) options: T,
}

#[derive(Default, FromMeta)]
#[darling(default)]
pub(super) struct AuthOptions {
    #[darling(with = string)]
    pub(super) tag: Option<LitStr>,
    #[darling(with = string)]
    pub(super) login: Option<LitStr>,
    #[darling(with = string)]
    pub(super) logout: Option<LitStr>,
}

#[derive(Default, FromMeta)]
#[darling(default)]
pub(super) struct RegisterOptions {
    #[darling(with = string)]
    pub(super) tag: Option<LitStr>,
    #[darling(with = string)]
    pub(super) path: Option<LitStr>,
}

#[derive(Default, FromMeta)]
#[darling(default)]
pub(super) struct VerifyOptions {
    #[darling(with = string)]
    pub(super) tag: Option<LitStr>,
    #[darling(with = string)]
    pub(super) path: Option<LitStr>,
    #[darling(with = string)]
    pub(super) resend: Option<LitStr>,
}

#[derive(Default, FromMeta)]
#[darling(default)]
pub(super) struct PasswordResetOptions {
    #[darling(with = string)]
    pub(super) tag: Option<LitStr>,
    #[darling(with = string)]
    pub(super) forgot: Option<LitStr>,
    #[darling(with = string)]
    pub(super) reset: Option<LitStr>,
}

#[derive(Default, FromMeta)]
#[darling(default)]
pub(super) struct CurrentUserOptions {
    #[darling(with = string)]
    pub(super) tag: Option<LitStr>,
    #[darling(with = string)]
    pub(super) path: Option<LitStr>,
    pub(super) delete: Option<Word>,
    pub(super) export: Option<Word>,
    #[darling(with = guard_expression)]
    pub(super) guard: Option<Expr>,
}

#[derive(Default, FromMeta)]
#[darling(default)]
pub(super) struct UsersOptions {
    #[darling(with = string)]
    pub(super) tag: Option<LitStr>,
    #[darling(with = string)]
    pub(super) path: Option<LitStr>,
    #[darling(with = guard_expression)]
    pub(super) guard: Option<Expr>,
}

#[derive(Default, FromMeta)]
#[darling(default)]
pub(super) struct RolesOptions {
    #[darling(with = string)]
    pub(super) tag: Option<LitStr>,
    #[darling(with = string)]
    pub(super) path: Option<LitStr>,
    #[darling(with = string)]
    pub(super) assign: Option<LitStr>,
    #[darling(with = string)]
    pub(super) revoke: Option<LitStr>,
    #[darling(with = guard_expression)]
    pub(super) guard: Option<Expr>,
}

#[derive(Default, FromMeta)]
#[darling(default)]
pub(super) struct SessionsOptions {
    #[darling(with = string)]
    pub(super) tag: Option<LitStr>,
    #[darling(with = string)]
    pub(super) path: Option<LitStr>,
    #[darling(with = guard_expression)]
    pub(super) guard: Option<Expr>,
}

#[derive(Default, FromMeta)]
#[darling(default)]
pub(super) struct TokensOptions {
    #[darling(with = string)]
    pub(super) tag: Option<LitStr>,
    #[darling(with = string)]
    pub(super) token: Option<LitStr>,
    #[darling(with = string)]
    pub(super) refresh: Option<LitStr>,
    #[darling(with = string)]
    pub(super) jwks: Option<LitStr>,
}

#[derive(Default, FromMeta)]
#[darling(default)]
pub(super) struct OAuth2Options {
    #[darling(with = string)]
    pub(super) tag: Option<LitStr>,
    #[darling(with = string)]
    pub(super) path: Option<LitStr>,
    #[darling(with = string)]
    pub(super) associate: Option<LitStr>,
}

#[derive(Default, FromMeta)]
#[darling(default)]
pub(super) struct DocsOptions {
    #[darling(with = string)]
    pub(super) tag: Option<LitStr>,
    #[darling(with = string)]
    pub(super) path: Option<LitStr>,
}

/// Reads `guard = expression`; whether it is a guard is the compiler's to say.
fn guard_expression(item: &Meta) -> Result<Option<Expr>> {
    match item {
        Meta::NameValue(pair) => Ok(Some(ungroup(&pair.value).clone())),
        _ => Err(mistake(
            item.path().span(),
            "write who may pass, such as `guard = any_of([\"administrator\"])`",
        )),
    }
}

/// Words that people look for here and that are settings, with the place where they are set.
const SETTINGS: [&str; 22] = [
    "secret",
    "secret_key",
    "key",
    "database",
    "database_url",
    "db",
    "url",
    "base_url",
    "session_store",
    "store",
    "redis",
    "mail",
    "mailer",
    "smtp",
    "lifetime",
    "ttl",
    "expires",
    "cookie",
    "cookie_name",
    "argon2",
    "throttle",
    "host",
];

/// Route groups.
const GROUPS: [&str; 11] = [
    "auth",
    "register",
    "verify",
    "password_reset",
    "current_user",
    "users",
    "roles",
    "sessions",
    "tokens",
    "oauth2",
    "docs",
];

/// Reads the arguments; with a mistake in one of them, `complete` is false and what could be read is kept.
pub(super) fn read(tokens: TokenStream) -> (Arguments, Accumulator) {
    let mut mistakes = Error::accumulator();
    let Some(items) = mistakes.handle(NestedMeta::parse_meta_list(tokens).map_err(Error::from)) else {
        return (Arguments::default(), mistakes);
    };
    let mut complete = true;
    let words = items.iter().filter_map(word).collect();
    let mut known = Vec::new();
    for item in items {
        match refuse_settings(&item) {
            Ok(()) => known.push(item),
            Err(error) => {
                complete = false;
                mistakes.push(error);
            }
        }
    }
    match Arguments::from_list(&known) {
        Ok(arguments) => (Arguments { complete, words, ..arguments }, mistakes),
        Err(error) => {
            mistakes.push(error);
            // A mistake in one argument does not hide the others.
            let mut readable = Vec::new();
            for item in known {
                readable.push(item);
                if Arguments::from_list(&readable).is_err() {
                    readable.pop();
                }
            }
            let arguments = Arguments::from_list(&readable).unwrap_or_default();
            (Arguments { words, ..arguments }, mistakes)
        }
    }
}

/// The name of an argument.
fn word(item: &NestedMeta) -> Option<String> {
    match item {
        NestedMeta::Meta(meta) => Some(path_to_string(meta.path())),
        _ => None,
    }
}

fn refuse_settings(item: &NestedMeta) -> Result<()> {
    let NestedMeta::Meta(meta) = item else { return Ok(()) };
    let word = path_to_string(meta.path());
    if SETTINGS.contains(&word.as_str()) {
        let text = format!("`{word}` is set at start-up; write it in `Config`, which `Users::connect` takes");
        return Err(mistake(meta.path().span(), text));
    }
    if word == "roles" {
        let text = "`roles` is a route group; write `role = path` for a role model, or `seed = path` for an enum of roles";
        return Err(mistake(meta.path().span(), text));
    }
    Ok(())
}

impl FromMeta for AuthArgument {
    fn from_meta(item: &Meta) -> Result<Self> {
        const USAGE: &str = "write `auth = \"jwt\"`, a path to a backend of your own, or a list of backends";
        match item {
            Meta::NameValue(pair) => match ungroup(&pair.value) {
                Expr::Array(list) => Ok(Self(list.elems.iter().cloned().collect(), list.span())),
                other => Ok(Self(vec![other.clone()], other.span())),
            },
            _ => Err(mistake(item.path().span(), USAGE)),
        }
    }
}

impl FromMeta for ExcludeArgument {
    fn from_meta(item: &Meta) -> Result<Self> {
        const USAGE: &str = "write a list of patterns: `exclude = [\"/health\"]`";
        let Meta::NameValue(pair) = item else { return Err(mistake(item.path().span(), USAGE)) };
        let Expr::Array(list) = ungroup(&pair.value) else { return Err(mistake(pair.value.span(), USAGE)) };
        let mut mistakes = Error::accumulator();
        let patterns = list.elems.iter().filter_map(|element| match ungroup(element) {
            Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(literal), .. }) => Some(literal.clone()),
            other => {
                mistakes
                    .push(mistake(other.span(), "a pattern is a string; write one such as `\"/health\"`"));
                None
            }
        });
        let patterns = patterns.collect();
        mistakes.finish_with(Self(patterns))
    }
}

impl FromMeta for RoutesArgument {
    fn from_meta(item: &Meta) -> Result<Self> {
        let Meta::List(list) = item else {
            return Err(mistake(
                item.path().span(),
                "write `routes(...)` with the groups that exist, such as `auth`",
            ));
        };
        let mut mistakes = Error::accumulator();
        let mut known = Vec::new();
        for item in NestedMeta::parse_meta_list(list.tokens.clone())? {
            match refuse_unknown_group(&item) {
                Ok(()) => known.push(item),
                Err(error) => mistakes.push(error),
            }
        }
        let groups = mistakes.handle(Groups::from_list(&known)).unwrap_or_default();
        mistakes.finish_with(Self(groups))
    }
}

fn refuse_unknown_group(item: &NestedMeta) -> Result<()> {
    let NestedMeta::Meta(meta) = item else {
        return Err(mistake(item.span(), "this is no route group; write a word such as `auth`"));
    };
    let word = path_to_string(meta.path());
    if GROUPS.contains(&word.as_str()) {
        return Ok(());
    }
    Err(mistake(meta.path().span(), unknown("route group", &word, &GROUPS)))
}

impl<T: Default> Default for Group<T> {
    fn default() -> Self {
        Self { name: Span::call_site(), options: T::default() }
    }
}

impl<T: FromMeta + Default> FromMeta for Group<T> {
    fn from_meta(item: &Meta) -> Result<Self> {
        let name = item.path().span();
        match item {
            Meta::Path(_) => Ok(Self { name, options: T::default() }),
            Meta::List(list) => {
                let items = NestedMeta::parse_meta_list(list.tokens.clone())?;
                Ok(Self { name, options: T::from_list(&items)? })
            }
            Meta::NameValue(_) => {
                let word = path_to_string(item.path());
                Err(mistake(name, format!("a group is a word or a list; write `{word}` or `{word}(...)`")))
            }
        }
    }
}

/// An expression without the invisible group that a macro put around it.
pub(super) fn ungroup(expression: &Expr) -> &Expr {
    match expression {
        Expr::Group(group) => ungroup(&group.expr),
        other => other,
    }
}
