//! The four DTOs and what the runtime asks of them.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::model::{Field, Model, Role, Rule, RuleKind};
use crate::report::{at, located};

/// The four structs with their traits.
pub(super) fn dtos(model: &Model) -> TokenStream {
    [read(model), registration(model), update(model), admin_update(model)].into_iter().collect()
}

fn read(model: &Model) -> TokenStream {
    let runtime = &model.runtime;
    let fields = model
        .fields
        .iter()
        .filter(|field| field.dtos.read)
        .map(|field| declare(field, &quote!(), &field.ty.to_token_stream()));
    let doc = format!("What responses show of `{}`.", model.name);
    let dto = structure(model, "Read", &doc, &quote!(Serialize), &quote!(), fields);
    let shown = model.own().filter(|field| field.dtos.read).map(|field| &field.ty);
    let shown: Vec<_> = shown.collect();
    let assertion = (!shown.is_empty()).then(|| {
        quote! {
            const _: fn() = || {
                fn exposable<T: #runtime::Exposable>() {}
                #( exposable::<#shown>(); )*
            };
        }
    });
    quote! { #dto #assertion }
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
        } else if field.is_optional() {
            declare(field, &quote!(#[serde(default)]), &ty)
        } else {
            declare(field, &quote!(), &ty)
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
    let new_password = optional(model, "The new password.", &quote!(password));
    let current_password = optional(
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
    let new_password = optional(model, "The new password.", &quote!(password));
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
    let serde = (!serde.is_empty()).then(|| quote!(, #serde));
    quote! {
        #[doc = #doc]
        #[derive(::core::clone::Clone, ::core::fmt::Debug, #(#derives),*)]
        #[serde(crate = #serde_path #serde)]
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
    quote! { #(#docs)* #attributes pub #ident: #ty, }
}

/// A field whose absence differs from `null`.
fn declare_optional(model: &Model, field: &Field) -> TokenStream {
    let ty = &field.ty;
    declare(field, &present(model), &quote!(::core::option::Option<#ty>))
}

fn optional(model: &Model, doc: &str, ident: &TokenStream) -> TokenStream {
    let runtime = &model.runtime;
    let present = present(model);
    quote! { #[doc = #doc] #present pub #ident: ::core::option::Option<#runtime::Password>, }
}

fn present(model: &Model) -> TokenStream {
    let path = format!("{}::__private::present", path_text(&model.runtime));
    quote!(#[serde(default, deserialize_with = #path)])
}

/// The method that checks every rule of the fields that `depth` finds in the DTO, that many `Option`s deep.
fn validate(model: &Model, depth: impl Fn(&Field) -> Option<usize>) -> TokenStream {
    let runtime = &model.runtime;
    let checks = model.fields.iter().filter(|field| !field.rules.is_empty()).filter_map(|field| {
        let depth = depth(field)?;
        let ident = &field.ident;
        let key = field.key();
        let calls: Vec<_> =
            field.rules.iter().map(|rule| call(model, rule, (depth == 0).then_some(ident))).collect();
        if depth == 0 {
            return Some(quote! { #( errors.check(#key, #calls); )* });
        }
        let value = value();
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

/// The call of a rule for a field, or for the value inside its `Option`s.
fn call(model: &Model, rule: &Rule, field: Option<&Ident>) -> TokenStream {
    let runtime = &model.runtime;
    let span = at(&rule.span);
    let validate = quote_spanned!(span=> #runtime::__private::validate);
    let value = match field {
        Some(ident) => quote_spanned!(span=> &self.#ident),
        None => value().into_token_stream(),
    };
    let value = located(value, span);
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
