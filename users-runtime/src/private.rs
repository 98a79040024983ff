//! What expansions name; no promise to anybody else.

pub use std::{string::String, vec::Vec};

pub use serde;
pub use sqlx;

#[cfg(feature = "sqlite")]
pub use crate::__sqlite_sql as sqlite_sql;

/// The rules that `#[user(validate = ...)]` names.
pub mod validate {
    pub use crate::validate::{Length, Ranged, Text, email, length, range};
}
