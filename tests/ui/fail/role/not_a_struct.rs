//! Roles that are no struct with named fields.

use users_runtime::RoleModel;

#[derive(Clone, Debug, RoleModel)]
pub enum Enum {
    Administrator,
}

#[derive(Clone, Debug, RoleModel)]
pub struct Tuple(i64, String);

#[derive(Clone, Debug, RoleModel)]
pub struct Generic<T> {
    #[role(id)]
    pub id: T,
}

fn main() {}
