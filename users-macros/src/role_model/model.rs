//! What a struct says about its roles, checked: nothing in here can be wrong any more.

use crate::record::{Record, field::Field};

/// A role model.
pub(crate) struct Model {
    pub(crate) record: Record,
    pub(crate) id: Field,
    pub(crate) name: Field,
}

impl Model {
    /// The columns of the application's own that may change.
    pub(crate) fn updatable(&self) -> impl Iterator<Item = &Field> {
        self.record.own().filter(|field| field.dtos.update)
    }
}
