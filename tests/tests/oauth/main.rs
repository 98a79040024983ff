//! Sign-in through providers, over real HTTP: the library on one side, a provider with real keys on the other.

mod browser;
mod identities;
mod linking;
mod redirects;
mod sign_in;
mod support;
mod tokens;
mod transactions;
mod tricks;
