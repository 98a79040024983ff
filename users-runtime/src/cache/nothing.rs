//! What is kept without the cargo feature `user-cache`: nothing.

use super::{Change, Known};
use crate::{model::UserModel, principal::Principal, token::TokenHash};

/// There is none.
#[derive(Debug)]
pub(crate) enum Kept {}

/// There is none.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Moment {}

impl Kept {
    pub(super) fn moment(&self) -> Moment {
        match *self {}
    }

    pub(super) fn find<U: UserModel>(&self, _: &U::Tenant, _: TokenHash) -> Option<(Principal<U>, Known)> {
        match *self {}
    }

    pub(super) fn keep<U: UserModel>(
        &self,
        _: Moment,
        _: &U::Tenant,
        _: TokenHash,
        _: (&Principal<U>, Known),
    ) {
        match *self {}
    }

    pub(super) fn forget(&self, _: &[Change]) {
        match *self {}
    }
}
