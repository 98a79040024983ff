//! What expansions name; no promise to anybody else.

pub use std::{string::String, vec::Vec};

pub use serde;
pub use serde_json;
pub use sqlx;

pub use crate::{
    __model_sql as model_sql,
    db::sql,
    model::{DefaultOAuthAccount, SomeOAuthAccount, SomeRole},
};

/// The rules that `#[user(validate = ...)]` names.
pub mod validate {
    pub use crate::validate::{Length, Ranged, Text, email, length, range};
}

/// The schemas of DTOs.
#[cfg(feature = "openapi")]
pub mod openapi {
    pub use std::borrow::Cow;

    pub use utoipa;

    pub use crate::{
        __bounds as bounds, __field as field, __schema as schema,
        model::Named,
        openapi::{
            AnyForms, Bounds, Dto, Field, Fields, Form, JsonForms, Known, KnownForms, NoBounds, NumberBounds,
            OwnForms, Probe, fields, named, schema,
        },
    };
}
