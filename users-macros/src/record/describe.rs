//! DTOs as the OpenAPI document describes them: facts about their fields, of which the runtime makes schemas.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Attribute, Expr, ExprLit, ExprUnary, Lit, Meta, Path, Type, UnOp};

use super::{
    Record,
    field::{Field, Purpose, Rule, RuleKind},
};

/// Whether DTOs say their form. The macros' own tests read expansions that do, whatever they are compiled with.
const ENABLED: bool = cfg!(any(feature = "openapi", test));

/// A field of a DTO: its declaration, and what the document says of it.
pub(crate) struct Member {
    pub(crate) declaration: TokenStream,
    pub(crate) facts: TokenStream,
}

/// What is known of a field of a DTO beside its type.
#[derive(Clone, Copy, Default)]
pub(crate) struct Known {
    /// A request may leave it out.
    pub(crate) optional: bool,
    /// It may be `null`.
    pub(crate) nullable: bool,
    /// Its rules hold for it.
    pub(crate) checked: bool,
}

/// The facts of a field that the user declared.
pub(crate) fn facts(record: &Record, field: &Field, known: Known) -> TokenStream {
    let ty = field.content();
    let rules = field.rules.iter().filter(|_| known.checked);
    let rules = rules.filter_map(|rule| rule_facts(record, rule, ty));
    let name = (known.checked && field.purpose == Purpose::Name).then(|| quote!(.role_name()));
    let rules = rules.chain(name).collect();
    field_facts(record, &field.key(), &quote!(#ty), &field.docs, known, &rules)
}

/// The facts of a field that the library adds.
pub(crate) fn added(record: &Record, key: &str, ty: &TokenStream, doc: &str, optional: bool) -> TokenStream {
    let docs = [syn::parse_quote!(#[doc = #doc])];
    let known = Known { optional, ..Known::default() };
    field_facts(record, key, ty, &docs, known, &TokenStream::new())
}

fn field_facts(
    record: &Record,
    key: &str,
    ty: &TokenStream,
    docs: &[Attribute],
    known: Known,
    rules: &TokenStream,
) -> TokenStream {
    let runtime = &record.runtime;
    let lines: Vec<_> = docs.iter().filter_map(line).collect();
    let about = (!lines.is_empty()).then(|| quote!(.about(&[ #( #lines ),* ])));
    let optional = known.optional.then(|| quote!(.optional()));
    let nullable = known.nullable.then(|| quote!(.nullable()));
    quote!(#runtime::__private::openapi::field!(#key: #ty) #about #rules #optional #nullable)
}

/// One line of documentation.
fn line(attribute: &Attribute) -> Option<&Expr> {
    match &attribute.meta {
        Meta::NameValue(doc) if doc.path.is_ident("doc") => Some(&doc.value),
        _ => None,
    }
}

/// A rule as a schema has it; a function of the user's own is none.
fn rule_facts(record: &Record, rule: &Rule, ty: &Type) -> Option<TokenStream> {
    let runtime = &record.runtime;
    match &rule.kind {
        // What is no number is reported where the rule is called.
        RuleKind::Length(least, greatest) | RuleKind::Range(least, greatest)
            if is_no_number(least) || is_no_number(greatest) =>
        {
            None
        }
        RuleKind::Length(least, greatest) => Some(quote!(.length(#least, #greatest))),
        RuleKind::Range(least, greatest) => {
            Some(quote!(.range(#runtime::__private::openapi::bounds!(#ty: #least, #greatest))))
        }
        RuleKind::Email => Some(quote!(.email())),
        RuleKind::Custom(_) => None,
    }
}

fn is_no_number(bound: &Expr) -> bool {
    match bound {
        Expr::Lit(ExprLit { lit, .. }) => !matches!(lit, Lit::Int(_) | Lit::Float(_)),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => is_no_number(expr),
        _ => false,
    }
}

/// The traits by which a DTO says its form.
pub(crate) fn described<'a>(
    runtime: &Path,
    name: &Ident,
    doc: &str,
    closed: bool,
    facts: impl Iterator<Item = &'a TokenStream>,
) -> Option<TokenStream> {
    let private = quote!(#runtime::__private);
    let text = name.to_string();
    ENABLED.then(|| {
        quote! {
            impl #private::openapi::Dto for #name {
                const NAME: &'static ::core::primitive::str = #text;
                const ABOUT: &'static ::core::primitive::str = #doc;
                const CLOSED: ::core::primitive::bool = #closed;

                fn fields() -> #private::openapi::Fields {
                    #private::openapi::fields([ #( #facts, )* ])
                }
            }

            #private::openapi::schema!(#name);
        }
    })
}
