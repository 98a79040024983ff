//! Fields that every role has.

use users_runtime::RoleModel;

#[derive(Clone, Debug, RoleModel)]
pub struct Unmarked {
    pub id: i64,
    pub name: String,
}

#[derive(Clone, Debug, RoleModel)]
pub struct Nothing {
    pub level: i64,
}

fn main() {}
