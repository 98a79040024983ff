//! DTOs: the structs that carry a row's fields in and out, and their rules.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{LitStr, Token, Type, spanned::Spanned};

use super::{
    Record,
    column::number,
    describe::{Known, Member, added, described, facts},
    field::{Field, Purpose, Rule, RuleKind},
};
use crate::report::{as_trait, at, located, reference};

/// What responses show.
pub(crate) fn read(record: &Record) -> TokenStream {
    let runtime = &record.runtime;
    let serde = quote!(#runtime::__private::serde);
    let name = record.dto("Read");
    let text = name.to_string();
    let shown: Vec<_> = record.fields.iter().filter(|field| field.dtos.read).collect();
    let count = number(shown.len());
    let mutable = (!shown.is_empty()).then(|| quote!(mut));
    let import = (!shown.is_empty()).then(|| quote!(use #runtime::Exposable as __Exposable;));
    let fields = shown.iter().map(|field| {
        let known = Known { nullable: field.is_optional(), ..Known::default() };
        declare(record, field, &quote!(), &field.ty.to_token_stream(), known)
    });
    let doc = format!("What responses show of `{}`.", record.name);
    let dto = structure(record, "Read", Body::Response, &doc, fields);
    let exposed = shown.iter().map(|field| {
        let Field { ident, ty, .. } = field;
        let key = field.key();
        let exposable = as_trait(ty, &quote!(__Exposable));
        let value = reference("self", ident, ty);
        quote!(#exposable::expose(#value, #key, &mut dto)?;)
    });
    // Written out because serde's derive would report a type that cannot be shown once more, in its own words.
    quote! {
        #dto

        const _: () = {
            #import
            use #serde::{Serialize as __Serialize, Serializer as __Serializer};

            impl __Serialize for #name {
                fn serialize<S: __Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                    let #mutable dto = __Serializer::serialize_struct(serializer, #text, #count)?;
                    #( #exposed )*
                    #serde::ser::SerializeStruct::end(dto)
                }
            }
        };
    }
}

/// What a DTO is for, which is what serde makes of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// It leaves the server.
    Response,
    /// It comes in, and has fields that must be there.
    Whole,
    /// It comes in, and every field may be absent.
    Partial,
    /// It comes in by a program alone, so that no document describes it.
    Import,
}

/// A struct beside the user's own.
pub(crate) fn structure(
    record: &Record,
    suffix: &str,
    body: Body,
    doc: &str,
    members: impl IntoIterator<Item = Member>,
) -> TokenStream {
    let Record { runtime, visibility, .. } = record;
    let name = record.dto(suffix);
    let members: Vec<_> = members.into_iter().collect();
    let fields = members.iter().map(|member| &member.declaration);
    let facts = members.iter().map(|member| &member.facts);
    let described = (body != Body::Import)
        .then(|| described(&record.runtime, &name, doc, body != Body::Response, facts))
        .flatten();
    let default = (body == Body::Partial).then(|| quote!(::core::default::Default,));
    let deserialize = (body != Body::Response).then(|| quote!(#runtime::__private::serde::Deserialize));
    let serde_path = format!("{}::__private::serde", path_text(runtime));
    let serde = (body != Body::Response).then(|| quote!(#[serde(crate = #serde_path, deny_unknown_fields)]));
    quote! {
        #[doc = #doc]
        #[derive(::core::clone::Clone, ::core::fmt::Debug, #default #deserialize)]
        #serde
        #visibility struct #name {
            #( #fields )*
        }

        #described
    }
}

/// Whether a body has the value of a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Absence is a mistake, or `None` of the field's own.
    Always,
    /// Absence differs from `null`.
    Perhaps,
    Never,
}

impl Presence {
    /// In the body that makes a new row.
    pub(crate) fn in_creation(field: &Field) -> Self {
        match (field.dtos.create, &field.default) {
            (false, _) => Self::Never,
            (true, Some(_)) => Self::Perhaps,
            (true, None) => Self::Always,
        }
    }

    /// In a row that comes from elsewhere: what nobody has to say elsewhere may be absent.
    pub(crate) fn in_import(field: &Field) -> Self {
        let required = field.dtos.create || field.is_optional();
        match (field.dtos.import, &field.default) {
            (false, _) => Self::Never,
            (true, None) if required => Self::Always,
            (true, _) => Self::Perhaps,
        }
    }

    /// In a change, whose DTO carries the field or does not.
    pub(crate) fn in_change(carried: bool) -> Self {
        if carried { Self::Perhaps } else { Self::Never }
    }

    /// The field in the DTO, if it is there.
    pub(crate) fn declare(self, record: &Record, field: &Field) -> Option<Member> {
        match (self, field.purpose) {
            (Self::Never, _) => None,
            (Self::Perhaps, _) => Some(declare_optional(record, field, &field.ty, true)),
            (Self::Always, Purpose::Identifier | Purpose::Name) => {
                let known = Known { checked: true, ..Known::default() };
                Some(declare(record, field, &quote!(), &field.ty.to_token_stream(), known))
            }
            (Self::Always, _) => {
                let path = acceptable(record, field, "accept");
                let default = field.is_optional().then(|| quote!(default,));
                let attributes = quote!(#[serde(#default deserialize_with = #path)]);
                let (optional, nullable) = (field.is_optional(), field.is_optional());
                let known = Known { optional, nullable, checked: true };
                Some(declare(record, field, &attributes, &field.ty.to_token_stream(), known))
            }
        }
    }

    /// How many `Option`s deep the value is.
    fn depth(self, field: &Field) -> Option<usize> {
        match self {
            Self::Never => None,
            Self::Always => Some(usize::from(field.is_optional())),
            Self::Perhaps => Some(1 + usize::from(field.is_optional())),
        }
    }
}

/// Whether any of these fields of a change is there.
pub(crate) fn any_change<'a>(fields: impl Iterator<Item = &'a Field>) -> TokenStream {
    let changes = fields.map(|field| &field.ident).map(|ident| quote!(self.#ident.is_some()));
    let changes: Vec<_> = changes.collect();
    if changes.is_empty() { quote!(false) } else { quote!(#(#changes)||*) }
}

/// A path without the spaces that its tokens would be printed with.
fn path_text(path: &syn::Path) -> String {
    path.to_token_stream().to_string().replace(' ', "")
}

fn declare(
    record: &Record,
    field: &Field,
    attributes: &TokenStream,
    ty: &TokenStream,
    known: Known,
) -> Member {
    let Field { ident, docs, .. } = field;
    // What the compiler's own derives say of the field stands at its type.
    let public = Token![pub](field.ty.span());
    let declaration = quote! { #(#docs)* #attributes #public #ident: #ty, };
    Member { declaration, facts: facts(record, field, known) }
}

/// A field whose absence differs from `null`; its rules hold for it where it is `checked`.
pub(crate) fn declare_optional(record: &Record, field: &Field, ty: &Type, checked: bool) -> Member {
    let path = acceptable(record, field, "present");
    let attributes = quote!(#[serde(default, deserialize_with = #path)]);
    let close = Token![>](ty.span());
    let nullable = super::field::option_content(ty).is_some();
    let known = Known { optional: true, nullable, checked };
    declare(record, field, &attributes, &quote!(::core::option::Option<#ty #close), known)
}

/// The function of the runtime by which serde reads a field; an error about it stands at the field's type.
fn acceptable(record: &Record, field: &Field, function: &str) -> LitStr {
    let path = format!("{}::Acceptable::{function}", path_text(&record.runtime));
    LitStr::new(&path, at(&field.ty))
}

/// A field that holds a secret, which may be absent.
pub(crate) fn optional_password(record: &Record, doc: &str, key: &str) -> Member {
    let ident = Ident::new(key, Span::call_site());
    let runtime = &record.runtime;
    let path = format!("{}::Acceptable::present", path_text(runtime));
    let declaration = quote! {
        #[doc = #doc]
        #[serde(default, deserialize_with = #path)]
        pub #ident: ::core::option::Option<#runtime::Password>,
    };
    Member { declaration, facts: added(record, key, &quote!(#runtime::Password), doc, true) }
}

/// The password of whoever is new.
pub(crate) fn password(record: &Record) -> Member {
    let runtime = &record.runtime;
    let doc = "The chosen password.";
    let declaration = quote! {
        #[doc = #doc]
        pub password: #runtime::Password,
    };
    Member { declaration, facts: added(record, "password", &quote!(#runtime::Password), doc, false) }
}

/// A flag that is down where it is absent.
pub(crate) fn flag(record: &Record, doc: &str, key: &str) -> Member {
    let ident = Ident::new(key, Span::call_site());
    let declaration = quote! {
        #[doc = #doc]
        #[serde(default)]
        pub #ident: ::core::primitive::bool,
    };
    Member { declaration, facts: added(record, key, &quote!(::core::primitive::bool), doc, true) }
}

/// The method that checks every rule of the fields that a DTO has.
pub(crate) fn validate(record: &Record, presence: impl Fn(&Field) -> Presence) -> TokenStream {
    let runtime = &record.runtime;
    let checks = record.fields.iter().filter(|field| !field.rules.is_empty()).filter_map(|field| {
        let depth = presence(field).depth(field)?;
        let ident = &field.ident;
        let key = field.key();
        let calls: Vec<_> = field.rules.iter().map(call).collect();
        let value = value();
        if depth == 0 {
            return Some(quote! {
                let #value = &self.#ident;
                #( errors.check(#key, #calls); )*
            });
        }
        let pattern =
            (0..depth).fold(quote!(#value), |inner, _| quote!(::core::option::Option::Some(#inner)));
        Some(quote! {
            if let #pattern = &self.#ident {
                #( errors.check(#key, #calls); )*
            }
        })
    });
    let checks: Vec<_> = checks.collect();
    let has_rules = |field: &Field| presence(field).depth(field).is_some();
    let mut rules = record.fields.iter().filter(|field| has_rules(field)).flat_map(|field| &field.rules);
    let rules = rules
        .any(|rule| !matches!(rule.kind, RuleKind::Custom(_)))
        .then(|| quote!(use #runtime::__private::validate as __rules;));
    let errors = if checks.is_empty() { quote!(_errors) } else { quote!(errors) };
    quote! {
        fn validate(&self, #errors: &mut #runtime::FieldErrors) {
            #rules
            #( #checks )*
        }
    }
}

/// The call of a rule for the value of a field, or for the one inside its `Option`s.
fn call(rule: &Rule) -> TokenStream {
    // A function of the user's own is named in the message that it does not fit.
    let span = match &rule.kind {
        RuleKind::Custom(path) => at(path),
        _ => at(&rule.span),
    };
    let validate = located(quote!(__rules), span);
    let value = located(value().into_token_stream(), span);
    match &rule.kind {
        RuleKind::Length(least, greatest) => {
            quote_spanned!(span=> #validate::length(#value, #least, #greatest))
        }
        RuleKind::Range(least, greatest) => {
            quote_spanned!(span=> #validate::range(#value, #least, #greatest))
        }
        RuleKind::Email => quote_spanned!(span=> #validate::email(#value)),
        RuleKind::Custom(path) => quote_spanned!(span=> #path(#value)),
    }
}

/// The name of a value, which the user's bounds must not see.
fn value() -> Ident {
    Ident::new("value", Span::mixed_site())
}
