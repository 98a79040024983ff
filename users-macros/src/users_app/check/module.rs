//! The user's module: where the models are, and which names are free.

use darling::{Error, FromMeta, Result, ast::NestedMeta};
use proc_macro2::Span;
use syn::{Attribute, Ident, Item, ItemMod, ItemStruct, Meta, Path, Visibility, parse_quote};

use crate::{
    report::mistake,
    users_app::{args::Arguments, model::Enabled},
};

/// The user model and how far it can be seen.
pub(super) struct User {
    pub(super) path: Path,
    pub(super) visibility: Visibility,
}

/// Finds the model; `None` when its name could not be read, which has left its own mistake behind.
pub(super) fn user(arguments: &Arguments, module: &ItemMod, items: &[Item]) -> Result<Option<User>> {
    let inline = |name: &Ident| {
        types(items).find(|(ident, ..)| *ident == name).map(|(_, visibility, _)| visibility.clone())
    };
    if let Some(path) = &arguments.user {
        let visibility = path.get_ident().and_then(inline).unwrap_or_else(|| parse_quote!(pub));
        return Ok(Some(User { path: path.clone(), visibility }));
    }
    if arguments.names("user") {
        return Ok(None);
    }
    match only(items, "UserModel", "user")? {
        Some((ident, visibility)) => {
            Ok(Some(User { path: Path::from(ident.clone()), visibility: visibility.clone() }))
        }
        None => {
            let name = &module.ident;
            let text =
                format!("no struct in `{name}` derives `UserModel`; write `#[derive(UserModel)]` above one");
            Err(mistake(name.span(), format!("{text}, or `user = path` in `#[users_app(...)]`")))
        }
    }
}

/// The role model that is named, or the one in the module; `None` for the user model's own choice.
pub(super) fn role(arguments: &Arguments, items: &[Item]) -> Result<Option<Path>> {
    named_or_only(arguments, arguments.role.as_ref(), items, "RoleModel", "role")
}

/// The model of linked accounts that is named, or the one in the module; `None` for the user model's own choice.
pub(super) fn oauth_account(arguments: &Arguments, items: &[Item]) -> Result<Option<Path>> {
    named_or_only(arguments, arguments.oauth_account.as_ref(), items, "OAuthAccountModel", "oauth_account")
}

/// The enum of roles that is named, or the one in the module.
pub(super) fn seed(arguments: &Arguments, items: &[Item]) -> Result<Option<Path>> {
    named_or_only(arguments, arguments.seed.as_ref(), items, "Roles", "seed")
}

fn named_or_only(
    arguments: &Arguments,
    named: Option<&Path>,
    items: &[Item],
    derive: &str,
    argument: &str,
) -> Result<Option<Path>> {
    if arguments.names(argument) {
        return Ok(named.cloned());
    }
    Ok(only(items, derive, argument)?.map(|(ident, _)| Path::from(ident.clone())))
}

/// The one type in the module that derives a trait.
fn only<'a>(items: &'a [Item], derive: &str, argument: &str) -> Result<Option<(&'a Ident, &'a Visibility)>> {
    let mut found = types(items).filter(|(.., attributes)| derives(attributes, derive));
    match (found.next(), found.next()) {
        (Some((first, ..)), Some((second, ..))) => {
            let text = format!("`{first}` and `{second}` both derive `{derive}`");
            let text = format!("{text}; write `{argument} = {first}` in `#[users_app(...)]`");
            Err(mistake(second.span(), text))
        }
        (first, _) => Ok(first.map(|(ident, visibility, _)| (ident, visibility))),
    }
}

/// The items, of which the user model names the models of roles and of linked accounts. One that names its own, or is
/// elsewhere, stays as it is.
pub(in crate::users_app) fn with_models(
    arguments: &Arguments,
    module: &ItemMod,
    mut items: Vec<Item>,
) -> Vec<Item> {
    let models = [("role", role(arguments, &items)), ("oauth_account", oauth_account(arguments, &items))];
    let Ok(Some(user)) = user(arguments, module, &items) else { return items };
    let Some(model) = model_mut(&mut items, &user.path) else { return items };
    for (argument, path) in models {
        if let Ok(Some(path)) = path
            && named(&model.attrs, argument).is_none()
        {
            let argument = Ident::new(argument, Span::call_site());
            model.attrs.push(parse_quote!(#[user(#argument = #path)]));
        }
    }
    items
}

/// Whether the user model is in the module and names this model in the same words.
pub(super) fn names(items: &[Item], user: &Path, argument: &str, model: &Path) -> bool {
    let mut models = types(items).filter(|(ident, ..)| user.is_ident(*ident));
    models.any(|(.., attributes)| named(attributes, argument).is_some_and(|named| named == *model))
}

fn model_mut<'a>(items: &'a mut [Item], user: &Path) -> Option<&'a mut ItemStruct> {
    items.iter_mut().find_map(|item| match item {
        Item::Struct(item) if user.is_ident(&item.ident) && derives(&item.attrs, "UserModel") => Some(item),
        _ => None,
    })
}

/// The model in `#[user(argument = path)]`. What cannot be read is the derive's to report.
fn named(attributes: &[Attribute], argument: &str) -> Option<Path> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("user")).find_map(|attribute| {
        let Meta::List(list) = &attribute.meta else { return None };
        let arguments = NestedMeta::parse_meta_list(list.tokens.clone()).ok()?;
        arguments.iter().find_map(|item| match item {
            NestedMeta::Meta(meta) if meta.path().is_ident(argument) => Path::from_meta(meta).ok(),
            _ => None,
        })
    })
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

fn derives(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).any(|attribute| {
        let mut found = false;
        // A derive that cannot be read is the compiler's to report.
        let _ = attribute.parse_nested_meta(|meta| {
            found |= meta.path.segments.last().is_some_and(|last| last.ident == name);
            Ok(())
        });
        found
    })
}

/// Refuses items of the user's under the names that are generated.
pub(super) fn free_names(items: &[Item], enabled: Enabled, session_data: bool) -> Result<()> {
    const GENERATED: [&str; 8] =
        ["App", "Users", "CurrentUser", "Visitor", "Guarded", "Heartbeat", "guard", "router"];
    let generated = |name: &Ident| {
        GENERATED.iter().any(|generated| *name == generated)
            || (enabled.cli && *name == "cli")
            || (enabled.client && *name == "Client")
            || (enabled.openapi && *name == "openapi")
            || (session_data && *name == "SessionData")
    };
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
    for name in names.filter(|name| generated(name)) {
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
