//! What a struct says about linked accounts, checked: nothing in here can be wrong any more.

use crate::record::{Record, field::Field};

/// A model of linked accounts.
pub(crate) struct Model {
    pub(crate) record: Record,
    pub(crate) id: Field,
    pub(crate) provider: Field,
    pub(crate) subject: Field,
    pub(crate) email: Option<Field>,
}
