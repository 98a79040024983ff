//! What can be known of a type from the way it is written.

use syn::Type;

/// Whether a type has one of these names, or a name that could stand for one of them.
pub(crate) fn can_be(ty: &Type, names: &[&str]) -> bool {
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

/// The runtime's secret type that a field holds, if it is written as one.
///
/// Any other type without `Serialize` is found by the compiler; these two get a message of their own.
pub(crate) fn secret(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?.ident.to_string();
    ["Password", "PasswordHash"].contains(&last.as_str()).then_some(last)
}
