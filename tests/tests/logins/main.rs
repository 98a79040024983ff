//! What stands behind a login: sessions, what they carry, refresh tokens, keys, and several nodes.

mod cached;
mod data;
mod keys;
mod nodes;
mod own_sessions;
mod purposes;
mod refresh;
mod remember;
mod support;
