//! Lists of roles that are no enum of plain variants.

use users_runtime::Roles;

#[derive(Clone, Copy, Roles)]
pub struct Struct;

#[derive(Clone, Copy, Roles)]
pub enum Nothing {}

#[derive(Clone, Copy, Roles)]
pub enum Fields {
    Administrator,
    Team(i64),
    Head { of: i64 },
}

#[derive(Clone, Copy, Roles)]
pub enum Generic<const N: usize> {
    Administrator,
}

fn main() {}
