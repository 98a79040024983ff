//! The tests, a file for each chapter. Each is given an application of its own and does what an attacker or a user would.

pub(super) mod access;
pub(super) mod bodies;
pub(super) mod cookies;
pub(super) mod enumeration;
pub(super) mod events;
pub(super) mod failures;
pub(super) mod identifiers;
pub(super) mod links;
pub(super) mod origins;
pub(super) mod passwords;
pub(super) mod sessions;
pub(super) mod throttles;
pub(super) mod tokens;
