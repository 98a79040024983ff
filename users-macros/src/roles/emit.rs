//! The traits of an enum whose variants are roles.

use darling::FromAttributes;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{DeriveInput, Path};

use super::{RoleNames, check::EnumOptions};
use crate::record::default_runtime;

/// The names, and what can be done with a name.
pub(super) fn emit(RoleNames { name, runtime, variants }: &RoleNames) -> TokenStream {
    let idents = variants.iter().map(|(ident, _)| ident);
    let arms = variants.iter().map(|(ident, name)| quote!(Self::#ident => #name));
    implementation(name, runtime, &quote!(#( Self::#idents ),*), &quote!(match self { #( #arms, )* }))
}

/// The traits of an enum that is broken.
pub(super) fn stub(input: &DeriveInput) -> TokenStream {
    if !input.generics.params.is_empty() {
        return TokenStream::new();
    }
    let options = EnumOptions::from_attributes(&input.attrs).unwrap_or_default();
    let runtime = options.runtime.unwrap_or_else(default_runtime);
    implementation(&input.ident, &runtime, &quote!(), &quote!(::core::unreachable!()))
}

fn implementation(name: &Ident, runtime: &Path, all: &TokenStream, text: &TokenStream) -> TokenStream {
    quote! {
        impl #runtime::Roles for #name {
            const ALL: &'static [Self] = &[ #all ];

            fn name(self) -> &'static ::core::primitive::str {
                #text
            }
        }

        impl #runtime::RoleName for #name {
            fn role_name(&self) -> &::core::primitive::str {
                #runtime::Roles::name(*self)
            }
        }

        /// Who has this role is let through.
        impl<U: #runtime::HasRoles> #runtime::Guard<U> for #name {
            fn allows(&self, user: &#runtime::Principal<U>) -> ::core::primitive::bool {
                user.has_role(*self)
            }
        }
    }
}
