//! What expansions name; no promise to anybody else.

pub use std::{string::String, vec::Vec};

pub use serde;
pub use serde_json;
pub use sqlx;

pub use crate::{__model_sql as model_sql, db::sql, model::SomeRole};

/// The rules that `#[user(validate = ...)]` names.
pub mod validate {
    pub use crate::validate::{Length, Ranged, Text, email, length, range};
}
