//! The rules of a user model: from attributes as written to a model that is right.

use darling::{Error, Result, error::Accumulator};
use proc_macro2::Span;
use syn::{Ident, LitStr, Path, Type, parse_quote, spanned::Spanned};

use super::{
    attr::{Attributes, Dto, FieldAttributes},
    model::{Dtos, Field, IdentifierKind, Model, Role, Rule, RuleKind, key, option_content},
};
use crate::report::mistake;

/// Checks every rule; one that needs another one's result runs only when that one passed.
pub(super) fn check(attributes: Attributes, mut mistakes: Accumulator) -> Result<Model> {
    let Attributes { name, visibility, options, fields: read, complete } = attributes;
    let table = mistakes.handle(table(&name, options.table.as_ref()));
    let claims: Vec<Claim> =
        read.iter().map(|field| mistakes.handle(claim(field)).unwrap_or_default()).collect();
    let has_hash = claims.iter().any(|claim| claim.role() == Role::PasswordHash);
    let fields: Vec<Field> = read
        .iter()
        .zip(&claims)
        .filter_map(|(field, claim)| mistakes.handle(check_field(&name, field, claim.role(), has_hash)))
        .collect();

    let mut find = |wanted: Wanted| {
        let found = the_one(wanted.role, &claims, &read, &mut mistakes);
        if found.is_none() && complete && wanted.required {
            mistakes.push(missing(&name, &wanted, &read));
        }
        found
            .and_then(|found| fields.iter().find(|field| Some(&field.ident) == found.ident.as_ref()).cloned())
    };
    let id = find(Wanted::ID);
    let identifier = find(Wanted::IDENTIFIER);
    let password_hash = find(Wanted::PASSWORD_HASH);
    let active = find(Wanted::ACTIVE);
    let verified = find(Wanted::VERIFIED);

    let kind = read
        .iter()
        .find_map(|field| field.identifier.as_ref())
        .map_or(IdentifierKind::Email, |found| found.kind);
    let marked = mistakes.handle(marked_mailbox(&read, kind)).flatten();
    let marked = marked.and_then(|ident| fields.iter().find(|field| field.ident == ident).cloned());
    let canonical = identifier.as_ref().and_then(|field| mistakes.handle(canonical(field, &read)));
    mistakes.handle(distinct_columns(&read, &fields, canonical.as_ref()));

    let model = (|| {
        let identifier = identifier?;
        Some(Model {
            name,
            visibility,
            runtime: options.runtime.unwrap_or_else(default_runtime),
            table: table?,
            id: id?,
            mailbox: if kind == IdentifierKind::Email { Some(identifier.clone()) } else { marked },
            identifier,
            identifier_kind: kind,
            canonical: canonical?.0,
            password_hash: password_hash?,
            active,
            verified,
            fields,
        })
    })();
    match model {
        Some(model) => mistakes.finish_with(model),
        // A part that is missing has left a mistake behind.
        None => Err(Error::multiple(mistakes.into_inner())),
    }
}

/// Where `users-runtime` is unless `crate = ...` says otherwise.
pub(super) fn default_runtime() -> Path {
    parse_quote!(::users_runtime)
}

/// A role and what to write for it.
struct Wanted {
    role: Role,
    required: bool,
    /// A field that could have the role, as one would write it.
    example: &'static str,
    /// Names of fields that are probably meant.
    likely: &'static [&'static str],
}

impl Wanted {
    const ID: Self = Self { role: Role::Id, required: true, example: "pub id: Uuid", likely: &["id"] };
    const IDENTIFIER: Self = Self {
        role: Role::Identifier,
        required: true,
        example: "pub email: String",
        likely: &["email", "username", "login"],
    };
    const PASSWORD_HASH: Self = Self {
        role: Role::PasswordHash,
        required: true,
        example: "password_hash: PasswordHash",
        likely: &["password_hash", "password"],
    };
    const ACTIVE: Self =
        Self { role: Role::Active, required: false, example: "pub is_active: bool", likely: &["is_active"] };
    const VERIFIED: Self = Self {
        role: Role::Verified,
        required: false,
        example: "pub is_verified: bool",
        likely: &["is_verified"],
    };
}

/// The role that a field asks for, and where.
#[derive(Default)]
struct Claim(Option<(Role, Span)>);

impl Claim {
    fn role(&self) -> Role {
        self.0.map_or(Role::Own, |(role, _)| role)
    }
}

fn claim(field: &FieldAttributes) -> Result<Claim> {
    let words = [
        (Role::Id, field.id.as_ref().map(|word| word.0)),
        (Role::Identifier, field.identifier.as_ref().map(|argument| argument.span)),
        (Role::PasswordHash, field.password_hash.as_ref().map(|word| word.0)),
        (Role::Active, field.active.as_ref().map(|word| word.0)),
        (Role::Verified, field.verified.as_ref().map(|word| word.0)),
    ];
    let mut claims = words.into_iter().filter_map(|(role, span)| Some((role, span?)));
    let Some(first) = claims.next() else { return Ok(Claim::default()) };
    let mut mistakes = Error::accumulator();
    for (role, span) in claims {
        let text = format!("{} is the `{}` already; a field has one role", shown(field), first.0.word());
        mistakes.push(mistake(span, format!("{text}, so move `{}` to a field of its own", role.word())));
    }
    mistakes.finish_with(Claim(Some(first)))
}

impl Role {
    /// The word that gives the role.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Identifier => "identifier",
            Self::PasswordHash => "password_hash",
            Self::Active => "active",
            Self::Verified => "verified",
            Self::Own => "own",
        }
    }
}

/// The first field with a role; each further one is a mistake.
fn the_one<'a>(
    role: Role,
    claims: &[Claim],
    read: &'a [FieldAttributes],
    mistakes: &mut Accumulator,
) -> Option<&'a FieldAttributes> {
    let mut found = read.iter().zip(claims).filter_map(|(field, claim)| {
        claim.0.filter(|(claimed, _)| *claimed == role).map(|(_, span)| (field, span))
    });
    let (first, _) = found.next()?;
    for (_, span) in found {
        let text =
            format!("{} is the `{}` already; a user has one, so remove this", shown(first), role.word());
        mistakes.push(mistake(span, text));
    }
    Some(first)
}

fn missing(name: &Ident, wanted: &Wanted, read: &[FieldAttributes]) -> Error {
    let word = wanted.role.word();
    let candidate =
        read.iter().filter(|field| field.mailbox.is_none()).filter_map(|field| field.ident.as_ref());
    let candidate = candidate.into_iter().find(|ident| wanted.likely.contains(&key(ident).as_str()));
    match candidate {
        Some(ident) => mistake(
            ident.span(),
            format!("no field is the `{word}`; write `#[user({word})]` above `{ident}`"),
        ),
        None => mistake(
            name.span(),
            format!("no field is the `{word}`; add `#[user({word})] {}`", wanted.example),
        ),
    }
}

fn check_field(name: &Ident, field: &FieldAttributes, role: Role, has_hash: bool) -> Result<Field> {
    let mut mistakes = Error::accumulator();
    let ident = field.ident.clone().ok_or_else(|| mistake(field.ty.span(), "a field needs a name"))?;
    if role != Role::PasswordHash && ["password", "current_password"].contains(&key(&ident).as_str()) {
        let text = format!(
            "`{ident}` is a key of the generated DTOs; rename the field and write `#[user(column = \"{ident}\")]`"
        );
        mistakes.push(mistake(ident.span(), text));
    }
    let column = mistakes.handle(column(field, &ident));
    let sql_type = mistakes.handle(sql_type(field)).flatten();
    let dtos = mistakes.handle(dtos(name, field, role, &ident));
    mistakes.handle(fits_role(field, role));
    mistakes.handle(right_type(field, role));
    let mut rules = field.validate.clone();
    let written = dtos.is_none_or(|dtos| dtos.register || dtos.update || dtos.admin_update);
    if let (Role::Own, false, Some(rule)) = (role, written, rules.first()) {
        mistakes.push(mistake(rule.span, format!("no DTO writes `{ident}`; remove the rule")));
    }
    if let Some(word) = &field.mailbox
        && !rules.iter().any(|rule| matches!(rule.kind, RuleKind::Email))
    {
        rules.push(Rule { span: word.0, kind: RuleKind::Email });
    }
    let shown = role == Role::Own && dtos.is_some_and(|dtos| dtos.read);
    // A hash in a model without one is the hash that lacks its mark, which has a message of its own.
    if let Some(secret) = secret(&field.ty).filter(|secret| shown && (has_hash || secret == "Password")) {
        let text = format!(
            "`{secret}` is a secret and `{name}Read` would show it; write `#[user(exclude(read))]` above `{ident}`"
        );
        mistakes.push(mistake(field.ty.span(), text));
    }
    mistakes = mistakes.checkpoint()?;
    let parts = column.zip(dtos);
    let Some((column, dtos)) = parts else { return Err(Error::multiple(mistakes.into_inner())) };
    mistakes.finish_with(Field {
        ident,
        ty: field.ty.clone(),
        docs: field.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")).cloned().collect(),
        role,
        column,
        sql_type,
        rules,
        default: field.default.as_ref().map(|default| default.value.clone()),
        dtos,
    })
}

/// The runtime's secret type that a field holds, if it is written as one.
///
/// Any other type without `Serialize` is found by the compiler; these two get a message of their own.
fn secret(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?.ident.to_string();
    ["Password", "PasswordHash"].contains(&last.as_str()).then_some(last)
}

/// Refuses a type that is certainly wrong for the field's role; one that may be an alias is left to the compiler.
fn right_type(field: &FieldAttributes, role: Role) -> Result<()> {
    let (right, write): (&[&str], _) = match role {
        Role::Id => (&["Uuid", "i64"], "`Uuid` or `i64`"),
        Role::Identifier => (&["String"], "`String`"),
        Role::PasswordHash => (&["PasswordHash"], "`PasswordHash`"),
        Role::Active | Role::Verified => (&["bool"], "`bool`"),
        Role::Own if field.mailbox.is_some() => (&["String"], "`String` or `Option<String>`"),
        Role::Own => return Ok(()),
    };
    let word = if role == Role::Own { "mailbox" } else { role.word() };
    let content = option_content(&field.ty).filter(|_| role == Role::Own).unwrap_or(&field.ty);
    if can_be(content, right) {
        return Ok(());
    }
    Err(mistake(field.ty.span(), format!("the `{word}` cannot have this type; write {write}")))
}

/// Whether a type has one of these names, or a name that could stand for one of them.
pub(super) fn can_be(ty: &Type, names: &[&str]) -> bool {
    well_known(ty).is_none_or(|name| names.contains(&name))
}

/// The name of a type that everybody knows and nobody redefines.
fn well_known(ty: &Type) -> Option<&'static str> {
    const NAMES: [&str; 22] = [
        "bool", "char", "str", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128",
        "usize", "f32", "f64", "String", "Option", "Vec", "Box", "Uuid",
    ];
    match ty {
        Type::Path(path) => {
            NAMES.into_iter().find(|name| path.path.segments.last().is_some_and(|last| last.ident == name))
        }
        Type::Group(group) => well_known(&group.elem),
        Type::Array(_) | Type::Reference(_) | Type::Slice(_) | Type::Tuple(_) => Some("a compound"),
        _ => None,
    }
}

/// Refuses arguments that mean nothing on a field with this role.
fn fits_role(field: &FieldAttributes, role: Role) -> Result<()> {
    let mut mistakes = Error::accumulator();
    let word = role.word();
    if let (Some(canonical), true) = (&field.canonical, role != Role::Identifier) {
        mistakes.push(mistake(
            canonical.span(),
            "only the identifier has a canonical form; write `canonical` beside `identifier`",
        ));
    }
    if let (Some(mailbox), true) = (&field.mailbox, !matches!(role, Role::Own | Role::Identifier)) {
        mistakes.push(mistake(
            mailbox.0,
            format!("the `{word}` is no mail address; write `mailbox` on the field that holds it"),
        ));
    }
    if !matches!(role, Role::Own | Role::Identifier) {
        for rule in &field.validate {
            mistakes.push(mistake(rule.span, format!("nobody types the `{word}`; remove the rule")));
        }
    }
    if let (Some(default), true) = (&field.default, role != Role::Own) {
        mistakes
            .push(mistake(default.span, format!("registration sets the `{word}` itself; remove `default`")));
    }
    mistakes.finish()
}

/// Which DTOs carry a field.
fn dtos(name: &Ident, field: &FieldAttributes, role: Role, ident: &Ident) -> Result<Dtos> {
    let mut mistakes = Error::accumulator();
    let mailbox = field.mailbox.is_some();
    // A mailbox that a stolen session could change would be a way to a new password.
    let all = match role {
        Role::Id => Dtos { read: true, register: false, update: false, admin_update: false },
        Role::PasswordHash => Dtos { read: false, register: false, update: false, admin_update: false },
        Role::Active | Role::Verified => {
            Dtos { read: true, register: false, update: false, admin_update: true }
        }
        Role::Identifier => Dtos { read: true, register: true, update: true, admin_update: true },
        Role::Own => Dtos { read: true, register: true, update: !mailbox, admin_update: true },
    };
    let mut dtos = all;
    for (dto, span) in field.exclude.iter().flat_map(|exclude| &exclude.0) {
        let (carried, suffix) = match dto {
            Dto::Read => (&mut dtos.read, "Read"),
            Dto::Register => (&mut dtos.register, "Registration"),
            Dto::Update => (&mut dtos.update, "Update"),
            Dto::AdminUpdate => (&mut dtos.admin_update, "AdminUpdate"),
        };
        if !*carried {
            mistakes.push(mistake(*span, format!("`{ident}` is never in `{name}{suffix}`; remove this")));
        } else if role == Role::Identifier && *dto == Dto::Register {
            mistakes.push(mistake(*span, "nobody could register without the identifier; remove this"));
        }
        *carried = false;
    }
    if let Some(word) = &field.read_only {
        match role {
            Role::Identifier => {
                let text =
                    "nobody could register without the identifier; write `exclude(update, admin_update)`";
                mistakes.push(mistake(word.0, text));
            }
            Role::Id | Role::PasswordHash => {
                mistakes.push(mistake(
                    word.0,
                    format!("no DTO writes the `{}`; remove `read_only`", role.word()),
                ));
            }
            Role::Active | Role::Verified | Role::Own => {
                dtos = Dtos { register: false, update: false, admin_update: false, ..dtos };
            }
        }
    }
    mistakes.finish_with(dtos)
}

fn column(field: &FieldAttributes, ident: &Ident) -> Result<String> {
    match (&field.column, &field.renamed) {
        (Some(_), Some(renamed)) => Err(mistake(
            renamed.span(),
            format!("`column` names the column of `{ident}` already; remove one of the two"),
        )),
        (Some(name), None) | (None, Some(name)) => sql_name(name, "column"),
        (None, None) => Ok(key(ident)),
    }
}

fn sql_type(field: &FieldAttributes) -> Result<Option<String>> {
    let Some(literal) = &field.sql_type else { return Ok(None) };
    let value = literal.value();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || " _(),[]".contains(letter);
    if value.trim().is_empty() || !value.chars().all(plain) {
        return Err(mistake(
            literal.span(),
            format!("`{value}` is no type of a column; write one such as `\"TEXT\"`"),
        ));
    }
    Ok(Some(value))
}

/// A table's or column's name, which will stand between quotes in SQL.
fn sql_name(literal: &LitStr, what: &str) -> Result<String> {
    let name = literal.value();
    let plain = |letter: char| letter.is_alphanumeric() || "_- $".contains(letter);
    if name.is_empty() || name.trim() != name || !name.chars().all(plain) {
        let shown = name.escape_debug();
        let text = format!("`{shown}` is no name of a {what}; write one of letters, digits and `_`");
        return Err(mistake(literal.span(), text));
    }
    Ok(name)
}

fn table(name: &Ident, literal: Option<&LitStr>) -> Result<String> {
    literal.map_or_else(|| Ok(plural(&snake_case(&key(name)))), |literal| sql_name(literal, "table"))
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut before_is_lower = false;
    for letter in name.chars() {
        if letter.is_uppercase() && before_is_lower {
            snake.push('_');
        }
        before_is_lower = !letter.is_uppercase();
        snake.extend(letter.to_lowercase());
    }
    snake
}

fn plural(noun: &str) -> String {
    let stem = noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    match stem {
        Some(stem) => format!("{stem}ies"),
        None if ["s", "x", "z", "ch", "sh"].iter().any(|end| noun.ends_with(end)) => format!("{noun}es"),
        None => format!("{noun}s"),
    }
}

/// The field that is marked as mailbox, where the identifier is none.
fn marked_mailbox(read: &[FieldAttributes], kind: IdentifierKind) -> Result<Option<Ident>> {
    let mut mistakes = Error::accumulator();
    let has_identifier = read.iter().any(|field| field.identifier.is_some());
    let mut first: Option<&FieldAttributes> = None;
    for field in read {
        let Some(word) = &field.mailbox else { continue };
        if field.identifier.is_some() && kind == IdentifierKind::Username {
            mistakes.push(mistake(word.0, "a name is no mail address; mark another field with `mailbox`"));
        } else if has_identifier && kind == IdentifierKind::Email {
            let text = "the identifier is the mailbox already; remove this, or write `identifier = username` if it is none";
            mistakes.push(mistake(word.0, text));
        } else if let Some(first) = first {
            mistakes.push(mistake(
                word.0,
                format!("{} is the `mailbox` already; a user has one, so remove this", shown(first)),
            ));
        } else {
            first = Some(field);
        }
    }
    mistakes.finish_with(first.and_then(|field| field.ident.clone()))
}

/// The column of the canonical identifier, and where its name comes from.
fn canonical(identifier: &Field, read: &[FieldAttributes]) -> Result<(String, Span)> {
    let literal =
        read.iter().filter(|field| field.identifier.is_some()).find_map(|field| field.canonical.as_ref());
    match literal {
        Some(literal) => Ok((sql_name(literal, "column")?, literal.span())),
        None => Ok((format!("{}_canonical", identifier.column), identifier.ident.span())),
    }
}

/// Databases compare the names of columns without regard to case.
fn distinct_columns(
    read: &[FieldAttributes],
    fields: &[Field],
    canonical: Option<&(String, Span)>,
) -> Result<()> {
    let mut mistakes = Error::accumulator();
    let mut seen: Vec<(String, String)> = Vec::new();
    if let Some((name, _)) = canonical {
        seen.push((name.to_lowercase(), "the identifier's canonical form".to_owned()));
    }
    for field in fields {
        let lower = field.column.to_lowercase();
        let source = read.iter().find(|read| read.ident.as_ref() == Some(&field.ident));
        let literal = source.and_then(|source| source.column.as_ref().or(source.renamed.as_ref()));
        let span = literal.map_or_else(|| field.ident.span(), LitStr::span);
        if let Some((_, owner)) = seen.iter().find(|(name, _)| *name == lower) {
            let text = format!(
                "the column `{}` belongs to {owner} already; write another one with `column = \"...\"`",
                field.column
            );
            mistakes.push(mistake(span, text));
        } else {
            seen.push((lower, format!("`{}`", field.ident)));
        }
    }
    mistakes.finish()
}

fn shown(field: &FieldAttributes) -> String {
    field.ident.as_ref().map_or_else(String::new, |ident| format!("`{ident}`"))
}
