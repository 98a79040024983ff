//! The client's side of OAuth 2.0 (RFC 6749) and OpenID Connect: who is sent where, and who came back.
//!
//! `provider` and `presets` say what an application sets, `check` turns it into `settings` that hold no mistake, and
//! `client` speaks the protocol with them: `discovery` finds a provider, `http` reaches it, `id_token` proves what it
//! says, `identity` reads it.

mod apple;
mod cached;
mod check;
mod client;
mod discovery;
mod exchange;
mod fault;
mod http;
mod id_token;
mod identity;
mod issuer;
mod keys;
mod presets;
mod provider;
mod redirect;
mod settings;
#[cfg(all(test, feature = "jwt"))]
mod testing;
mod tokens;
mod transaction;
mod turns;

pub(crate) use self::{
    client::{OAuthClient, OAuthClients},
    redirect::{RedirectRule, redirect_target},
    transaction::OAuthTransaction,
    turns::Turns,
};
pub use self::{identity::OAuthIdentity, provider::OAuthProvider, tokens::OAuthTokens};
