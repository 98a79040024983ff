//! The application's code, which is appended to the user's module.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, Item, ItemMod, Path, spanned::Spanned};

use super::model::{Application, Backend, Guarded, Need, Routes};
use crate::report::{at, located, located_deeply};

/// The user's module with `generated` behind its items.
pub(super) fn module(module: &ItemMod, items: &[Item], generated: &TokenStream) -> TokenStream {
    let ItemMod { attrs, vis, unsafety, mod_token, ident, .. } = module;
    let (outer, inner): (Vec<_>, Vec<_>) =
        attrs.iter().partition(|attribute| matches!(attribute.style, syn::AttrStyle::Outer));
    quote! {
        #( #outer )*
        #vis #unsafety #mod_token #ident {
            #( #inner )*
            #( #items )*
            #generated
        }
    }
}

/// The application's type, its aliases and its router.
pub(super) fn application(application: &Application) -> TokenStream {
    let Application { runtime, user, visibility, exclude, .. } = application;
    let auth = auth(application);
    let hooks = application
        .hooks
        .as_ref()
        .map_or_else(|| located(quote!(#runtime::NoHooks), user.span()), ToTokens::to_token_stream);
    let model = located(quote!(<#user as #runtime::UserModel>::Model), user.span());
    let routes = routes(runtime, &application.routes);
    let (guards, seed, tags) = (guards(application), seed(application), tags(application));
    let (needs, commands) = (needs(application), commands(application));
    let (version, openapi) = (version(application), openapi(application));
    let (session_data, client) = (session_data(application), client(application));
    let implementation = quote! {
        impl #runtime::Application for App {
            type User = #model;
            type Auth = #auth;
            type Hooks = #hooks;

            const ROUTES: #runtime::Routes = #routes;
            const EXCLUDE: &'static [&'static ::core::primitive::str] = &[ #( #exclude ),* ];
            #seed
            #tags
            #version

            #guards
        }
    };
    // What needs a model stands where it is named: rustc leaves out a message that it has given at the same span.
    let implementation = located(implementation, user.span());
    let users = Ident::new("users", at(user));
    let router_type = located(quote!(#runtime::UsersRouter<App>), user.span());
    let new_router = located(quote!(#runtime::UsersRouter::new(#users)), user.span());
    // Like everything else that needs the model, through the application at whose type a wrong one is reported.
    let guard = located_deeply(
        quote! {
            /// A layer that lets pass whom a guard allows, for routes of the application's own.
            #visibility fn guard(
                guard: impl #runtime::Guard<<App as #runtime::Application>::User>,
            ) -> #runtime::GuardLayer<<App as #runtime::Application>::User> {
                #runtime::GuardLayer::new(guard)
            }
        },
        user.span(),
    );
    quote! {
        /// The application that `#[users_app]` describes.
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        #visibility struct App;

        #implementation

        /// The application's state, which handlers extract with axum's `State`; it is cheap to clone.
        #visibility type Users = #runtime::Users<App>;

        /// The user whom a request's credential stands for; extracting it demands a login.
        #visibility type CurrentUser = #runtime::CurrentUser<#user>;

        /// The user whom a request's credential stands for, if it has one.
        #visibility type Visitor = #runtime::Visitor<#user>;

        /// The user whom a request's credential stands for, once a guard has let them pass.
        #visibility type Guarded<Guard> = #runtime::Guarded<#user, Guard>;

        /// Looks again and again whether the user of a connection that stays open is still one.
        #visibility type Heartbeat = #runtime::Heartbeat<#user>;

        #session_data

        #client

        #guard

        /// The generated routes, to which the application adds its own.
        #visibility fn router(#users: Users) -> #router_type {
            #new_router
        }

        #commands

        #openapi

        #needs
    }
}

/// The extractor for what a session carries, where a backend has sessions.
fn session_data(application: &Application) -> Option<TokenStream> {
    let Application { runtime, visibility, .. } = application;
    application.session_data.then(|| {
        quote! {
            /// The data of the application's own that the session of a request carries.
            #visibility type SessionData = #runtime::SessionData;
        }
    })
}

/// The client of the generated routes, where the cargo feature is on.
fn client(application: &Application) -> Option<TokenStream> {
    let Application { runtime, visibility, .. } = application;
    application.client.then(|| {
        quote! {
            /// A client of the generated routes, for programs elsewhere.
            #visibility type Client = #runtime::client::Client<App>;
        }
    })
}

/// The roles that are made at start-up; none without an enum.
fn seed(application: &Application) -> Option<TokenStream> {
    let runtime = &application.runtime;
    application.seed.as_ref().map(|path| {
        let seed = quote_spanned!(at(path)=> #runtime::Seed::of::<#path>());
        quote!(const SEED: #runtime::Seed = #seed;)
    })
}

/// The names under which the OpenAPI document gathers route groups, where the user says so.
fn tags(application: &Application) -> Option<TokenStream> {
    let runtime = &application.runtime;
    let tags = application.tags.iter().map(|(group, tag)| quote!((#runtime::Group::#group, #tag)));
    (!application.tags.is_empty()).then(|| {
        quote! {
            const TAGS: &'static [(#runtime::Group, &'static ::core::primitive::str)] = &[ #( #tags ),* ];
        }
    })
}

/// The version of the application's crate.
fn version(application: &Application) -> Option<TokenStream> {
    application.openapi.then(|| {
        quote!(
            const VERSION: &'static ::core::primitive::str = ::core::env!("CARGO_PKG_VERSION");
        )
    })
}

/// The function that writes the OpenAPI document.
fn openapi(application: &Application) -> Option<TokenStream> {
    let Application { runtime, visibility, .. } = application;
    application.openapi.then(|| {
        let function = quote! {
            /// The OpenAPI document of the generated routes under these settings, which needs no database.
            #visibility fn openapi(config: &#runtime::Config) -> #runtime::utoipa::openapi::OpenApi {
                #runtime::UsersRouter::<App>::openapi_for(config)
            }
        };
        // Like everything else that needs the model.
        located_deeply(function, application.user.span())
    })
}

/// Who may use the route groups; administrators without a word of the user's.
fn guards(application: &Application) -> Option<TokenStream> {
    let runtime = &application.runtime;
    let guards = application.guards.iter().map(|(group, guard)| {
        let span = at(guard);
        let method = match group {
            Guarded::CurrentUser => "with_current_user",
            Guarded::Users => "with_users",
            Guarded::Roles => "with_roles",
            Guarded::Sessions => "with_sessions",
        };
        let method = Ident::new(method, span);
        match guard {
            // Naming the model lets the compiler infer what the closure takes.
            Expr::Closure(_) => quote_spanned!(span=> .#method(#runtime::when::<Self::User, _>(#guard))),
            _ => quote_spanned!(span=> .#method(#guard)),
        }
    });
    (!application.guards.is_empty()).then(|| {
        quote! {
            fn guards() -> #runtime::Guards<Self::User> {
                #runtime::Guards::default() #( #guards )*
            }
        }
    })
}

/// The function that runs commands.
fn commands(application: &Application) -> Option<TokenStream> {
    let Application { runtime, visibility, .. } = application;
    application.cli.then(|| {
        let function = quote! {
            /// Does the command that the program was started with, and ends the program; returns when there is none.
            #visibility async fn cli<Settings, Configure>(database_url: &::core::primitive::str, configure: Configure)
            where
                Settings: ::core::convert::Into<#runtime::UsersBuilder<App>>,
                Configure: ::core::ops::FnOnce() -> ::core::result::Result<Settings, #runtime::Error>,
            {
                #runtime::cli::run::<App, Settings, Configure>(database_url, configure).await
            }
        };
        // Like everything else that needs the model.
        located_deeply(function, application.user.span())
    })
}

fn auth(application: &Application) -> TokenStream {
    let runtime = &application.runtime;
    // What is built in fits every model, so that only the model can be wrong about it.
    let built_in = |name: TokenStream| located(quote!(#runtime::#name), application.user.span());
    // Claims of the user's own can be what is wrong.
    let with_claims = |name: TokenStream| match &application.claims {
        Some(claims) => located(quote!(#runtime::#name<#claims>), claims.span()),
        None => built_in(name),
    };
    let backends = application.auth.iter().map(|backend| match backend {
        Backend::Jwt => with_claims(quote!(Jwt)),
        Backend::JwtCookie => with_claims(quote!(JwtCookie)),
        Backend::OAuth2Password => with_claims(quote!(OAuth2Password)),
        Backend::Session => built_in(quote!(Session)),
        Backend::SessionCookie => built_in(quote!(SessionCookie)),
        Backend::Own(path) => quote!(#path),
    });
    let own = application.auth.iter().find_map(|backend| match backend {
        Backend::Own(path) => Some(at(path)),
        _ => None,
    });
    match application.auth.as_slice() {
        [_] => quote!( #( #backends )* ),
        // The tuple stands where the user's own backend stands, the only one that can lack the trait.
        _ => quote_spanned!(own.unwrap_or_else(Span::call_site)=> ( #( #backends ),* )),
    }
}

fn routes(runtime: &Path, routes: &Routes) -> TokenStream {
    let auth = option(routes.auth.as_ref().map(|group| {
        let (login, logout) = (&group.login, &group.logout);
        quote!(#runtime::AuthRoutes { login: #login, logout: #logout })
    }));
    let register =
        option(routes.register.as_ref().map(|path| quote!(#runtime::RegisterRoutes { path: #path })));
    let verify = option(routes.verify.as_ref().map(|group| {
        let (path, resend) = (&group.path, &group.resend);
        quote!(#runtime::VerifyRoutes { path: #path, resend: #resend })
    }));
    let password_reset = option(routes.password_reset.as_ref().map(|group| {
        let (forgot, reset) = (&group.forgot, &group.reset);
        quote!(#runtime::PasswordResetRoutes { forgot: #forgot, reset: #reset })
    }));
    let current_user = option(routes.current_user.as_ref().map(|group| {
        let (path, delete, export) = (&group.path, group.delete, group.export);
        quote!(#runtime::CurrentUserRoutes { path: #path, delete: #delete, export: #export })
    }));
    let users = option(routes.users.as_ref().map(|path| quote!(#runtime::UsersRoutes { path: #path })));
    let roles = option(routes.roles.as_ref().map(|group| {
        let (path, assign, revoke) = (&group.path, &group.assign, &group.revoke);
        quote!(#runtime::RolesRoutes { path: #path, assign: #assign, revoke: #revoke })
    }));
    let sessions =
        option(routes.sessions.as_ref().map(|path| quote!(#runtime::SessionsRoutes { path: #path })));
    let tokens = option(routes.tokens.as_ref().map(|group| {
        let (token, refresh, jwks) = (&group.token, &group.refresh, &group.jwks);
        quote!(#runtime::TokensRoutes { token: #token, refresh: #refresh, jwks: #jwks })
    }));
    let oauth2 = option(routes.oauth2.as_ref().map(|group| {
        let (path, associate) = (&group.path, &group.associate);
        quote!(#runtime::OAuth2Routes { path: #path, associate: #associate })
    }));
    let docs = option(routes.docs.as_ref().map(|path| quote!(#runtime::DocsRoutes { path: #path })));
    quote! {
        #runtime::Routes {
            auth: #auth,
            register: #register,
            verify: #verify,
            password_reset: #password_reset,
            current_user: #current_user,
            users: #users,
            roles: #roles,
            sessions: #sessions,
            tokens: #tokens,
            oauth2: #oauth2,
            docs: #docs,
        }
    }
}

fn option(value: Option<TokenStream>) -> TokenStream {
    value.map_or_else(
        || quote!(::core::option::Option::None),
        |value| quote!(::core::option::Option::Some(#value)),
    )
}

/// What is needed of the model, asked for at its reason.
fn needs(application: &Application) -> TokenStream {
    let runtime = &application.runtime;
    let asked = application.needs.iter().map(|(need, span)| {
        let need = match need {
            Need::Verified => quote!(HasVerified),
            Need::Mailbox => quote!(HasMailbox),
            Need::Administrators => quote!(HasAdministrators),
            Need::Roles => quote!(HasRoles),
            Need::OAuthAccounts => quote!(HasOAuthAccounts),
        };
        let need = quote!(<<App as #runtime::Application>::User as #runtime::#need>::NEEDED);
        let need = located(need, *span);
        quote!(const _: () = #need;)
    });
    let models = [
        (&application.role, quote!(Role), quote!(SameRole)),
        (&application.oauth_account, quote!(OAuthAccount), quote!(SameOAuthAccount)),
    ];
    let same = models.into_iter().filter_map(|(path, model, same)| {
        let path = path.as_ref()?;
        let model = quote!(<<App as #runtime::Application>::User as #runtime::UserModel>::#model);
        let same = located(quote!(<#model as #runtime::#same<#path>>::NEEDED), path.span());
        Some(quote!(const _: () = #same;))
    });
    asked.chain(same).collect()
}
