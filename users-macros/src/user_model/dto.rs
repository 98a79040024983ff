//! The four DTOs and what the runtime asks of them.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{LitStr, Token, spanned::Spanned};

use super::model::{Field, Model, Role, Rule, RuleKind};
use crate::report::{as_trait, at, located, reference};

/// The four structs with their traits.
pub(super) fn dtos(model: &Model) -> TokenStream {
    [read(model), registration(model), update(model), admin_update(model)].into_iter().collect()
}

fn read(model: &Model) -> TokenStream {
    let runtime = &model.runtime;
    let serde = quote!(#runtime::__private::serde);
    let name = model.dto("Read");
    let text = name.to_string();
    let shown: Vec<_> = model.fields.iter().filter(|field| field.dtos.read).collect();
    let count = number(shown.len());
    let mutable = (!shown.is_empty()).then(|| quote!(mut));
    let import = (!shown.is_empty()).then(|| quote!(use #runtime::Exposable as __Exposable;));
    let fields = shown.iter().map(|field| declare(field, &quote!(), &field.ty.to_token_stream()));
    let doc = format!("What responses show of `{}`.", model.name);
    let dto = structure(model, "Read", &doc, &quote!(), &quote!(), fields);
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

fn registration(model: &Model) -> TokenStream {
    let runtime = &model.runtime;
    let name = model.dto("Registration");
    let identifier = &model.identifier.ident;
    let password = quote! {
        /// The chosen password.
        pub password: #runtime::Password,
    };
    let fields = carried(model, |field| field.dtos.register).flat_map(|field| {
        let ty = field.ty.to_token_stream();
        let declared = if field.default.is_some() {
            declare_optional(model, field)
        } else if field.role == Role::Identifier {
            declare(field, &quote!(), &ty)
        } else {
            let path = acceptable(model, field, "accept");
            let default = field.is_optional().then(|| quote!(default,));
            declare(field, &quote!(#[serde(#default deserialize_with = #path)]), &ty)
        };
        [Some(declared), (field.role == Role::Identifier).then(|| password.clone())].into_iter().flatten()
    });
    let doc = format!("The body of a registration as `{}`.", model.name);
    let dto =
        structure(model, "Registration", &doc, &quote!(Deserialize), &quote!(deny_unknown_fields), fields);
    let validate = validate(model, |field| {
        field.dtos.register.then_some(usize::from(field.is_optional()) + usize::from(field.default.is_some()))
    });
    quote! {
        #dto

        impl #runtime::RegistrationDto for #name {
            fn identifier(&self) -> &::core::primitive::str {
                &self.#identifier
            }

            fn password(&self) -> &#runtime::Password {
                &self.password
            }

            #validate
        }
    }
}

fn update(model: &Model) -> TokenStream {
    let runtime = &model.runtime;
    let name = model.dto("Update");
    let new_password = optional_password(model, "The new password.", &quote!(password));
    let current_password = optional_password(
        model,
        "The password as it is, which a new identifier or password needs.",
        &quote!(current_password),
    );
    let fields = model.identifier.dtos.update.then(|| declare_optional(model, &model.identifier));
    let fields = fields.into_iter().chain([new_password, current_password]);
    let fields = fields.chain(model.updatable().map(|field| declare_optional(model, field)));
    let doc = format!("What self-service may change of `{}`; what is absent stays as it is.", model.name);
    let derives = quote!(Default, Deserialize);
    let dto = structure(model, "Update", &doc, &derives, &quote!(deny_unknown_fields), fields);
    let identifier = &model.identifier.ident;
    let new_identifier = if model.identifier.dtos.update {
        quote!(self.#identifier.as_deref())
    } else {
        quote!(::core::option::Option::None)
    };
    let changes = model.updatable().map(|field| &field.ident);
    let changes: Vec<_> = changes.map(|ident| quote!(self.#ident.is_some())).collect();
    let changes = if changes.is_empty() { quote!(false) } else { quote!(#(#changes)||*) };
    let validate = validate(model, |field| field.dtos.update.then_some(1 + usize::from(field.is_optional())));
    quote! {
        #dto

        impl #runtime::UpdateDto for #name {
            fn identifier(&self) -> ::core::option::Option<&::core::primitive::str> {
                #new_identifier
            }

            fn password(&self) -> ::core::option::Option<&#runtime::Password> {
                self.password.as_ref()
            }

            fn current_password(&self) -> ::core::option::Option<&#runtime::Password> {
                self.current_password.as_ref()
            }

            fn changes_own_fields(&self) -> ::core::primitive::bool {
                #changes
            }

            #validate
        }
    }
}

fn admin_update(model: &Model) -> TokenStream {
    let new_password = optional_password(model, "The new password.", &quote!(password));
    let mut carried: Vec<_> = model
        .fields
        .iter()
        .filter(|field| field.dtos.admin_update)
        .map(|field| declare_optional(model, field))
        .collect();
    let position = usize::from(model.identifier.dtos.admin_update).min(carried.len());
    carried.insert(position, new_password);
    let doc = format!("What an administrator may change of `{}`; what is absent stays as it is.", model.name);
    let derives = quote!(Default, Deserialize);
    structure(model, "AdminUpdate", &doc, &derives, &quote!(deny_unknown_fields), carried.into_iter())
}

/// The fields of a DTO, in the struct's order.
fn carried(model: &Model, carries: fn(&Field) -> bool) -> impl Iterator<Item = &Field> {
    model.fields.iter().filter(move |field| carries(field))
}

fn structure(
    model: &Model,
    suffix: &str,
    doc: &str,
    derives: &TokenStream,
    serde: &TokenStream,
    fields: impl Iterator<Item = TokenStream>,
) -> TokenStream {
    let runtime = &model.runtime;
    let visibility = &model.visibility;
    let name = model.dto(suffix);
    let derives = derives.clone().into_iter().filter_map(|token| match token {
        proc_macro2::TokenTree::Ident(derive) if derive == "Default" => {
            Some(quote!(::core::default::Default))
        }
        proc_macro2::TokenTree::Ident(derive) => Some(quote!(#runtime::__private::serde::#derive)),
        _ => None,
    });
    let serde_path = format!("{}::__private::serde", path_text(runtime));
    let serde = (!serde.is_empty()).then(|| quote!(#[serde(crate = #serde_path, #serde)]));
    quote! {
        #[doc = #doc]
        #[derive(::core::clone::Clone, ::core::fmt::Debug #(, #derives)*)]
        #serde
        #visibility struct #name {
            #( #fields )*
        }
    }
}

/// A path without the spaces that its tokens would be printed with.
fn path_text(path: &syn::Path) -> String {
    path.to_token_stream().to_string().replace(' ', "")
}

fn declare(field: &Field, attributes: &TokenStream, ty: &TokenStream) -> TokenStream {
    let Field { ident, docs, .. } = field;
    // What the compiler's own derives say of the field stands at its type.
    let public = Token![pub](field.ty.span());
    quote! { #(#docs)* #attributes #public #ident: #ty, }
}

/// A field whose absence differs from `null`.
fn declare_optional(model: &Model, field: &Field) -> TokenStream {
    let ty = &field.ty;
    let path = acceptable(model, field, "present");
    let attributes = quote!(#[serde(default, deserialize_with = #path)]);
    let close = Token![>](ty.span());
    declare(field, &attributes, &quote!(::core::option::Option<#ty #close))
}

/// The function of the runtime by which serde reads a field; an error about it stands at the field's type.
fn acceptable(model: &Model, field: &Field, function: &str) -> LitStr {
    let path = format!("{}::Acceptable::{function}", path_text(&model.runtime));
    LitStr::new(&path, at(&field.ty))
}

fn optional_password(model: &Model, doc: &str, ident: &TokenStream) -> TokenStream {
    let runtime = &model.runtime;
    let path = format!("{}::Acceptable::present", path_text(runtime));
    quote! {
        #[doc = #doc]
        #[serde(default, deserialize_with = #path)]
        pub #ident: ::core::option::Option<#runtime::Password>,
    }
}

/// The method that checks every rule of the fields that `depth` finds in the DTO, that many `Option`s deep.
fn validate(model: &Model, depth: impl Fn(&Field) -> Option<usize>) -> TokenStream {
    let runtime = &model.runtime;
    let checks = model.fields.iter().filter(|field| !field.rules.is_empty()).filter_map(|field| {
        let depth = depth(field)?;
        let ident = &field.ident;
        let key = field.key();
        let calls: Vec<_> = field.rules.iter().map(|rule| call(model, rule)).collect();
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
    let errors = if checks.is_empty() { quote!(_errors) } else { quote!(errors) };
    quote! {
        fn validate(&self, #errors: &mut #runtime::FieldErrors) {
            #( #checks )*
        }
    }
}

/// The call of a rule for the value of a field, or for the one inside its `Option`s.
fn call(model: &Model, rule: &Rule) -> TokenStream {
    let runtime = &model.runtime;
    // A function of the user's own is named in the message that it does not fit.
    let span = match &rule.kind {
        RuleKind::Custom(path) => at(path),
        _ => at(&rule.span),
    };
    let validate = located(quote!(#runtime::__private::validate), span);
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

/// An index or count without a suffix.
pub(super) fn number(number: usize) -> Literal {
    Literal::usize_unsuffixed(number)
}
