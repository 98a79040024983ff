//! The user's module: where the model is, and which names are free.

use darling::{Error, Result};
use syn::{Attribute, Ident, Item, ItemMod, Path, Visibility, parse_quote};

use crate::{report::mistake, users_app::args::Arguments};

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
    if arguments.names_user {
        return Ok(None);
    }
    let mut models = types(items).filter(|(.., attributes)| derives_user_model(attributes));
    match (models.next(), models.next()) {
        (Some((ident, visibility, _)), None) => {
            Ok(Some(User { path: Path::from(ident.clone()), visibility: visibility.clone() }))
        }
        (Some((first, ..)), Some((second, ..))) => {
            let text = format!(
                "`{first}` and `{second}` both derive `UserModel`; write `user = {first}` in `#[users_app(...)]`"
            );
            Err(mistake(second.span(), text))
        }
        (None, _) => {
            let name = &module.ident;
            let text =
                format!("no struct in `{name}` derives `UserModel`; write `#[derive(UserModel)]` above one");
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
pub(super) fn free_names(items: &[Item]) -> Result<()> {
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
