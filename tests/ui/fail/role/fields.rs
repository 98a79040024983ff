//! Fields of a role that cannot be.

use users_runtime::RoleModel;

#[derive(Clone, Debug, RoleModel)]
pub struct Twice {
    #[role(id)]
    pub id: i64,
    #[role(name)]
    pub name: String,
    #[role(name)]
    pub title: String,
}

#[derive(Clone, Debug, RoleModel)]
pub struct Tenant {
    #[role(id)]
    pub id: i64,
    #[role(name)]
    pub name: String,
    pub tenant: i64,
}

#[derive(Clone, Debug, RoleModel)]
pub struct Word {
    #[role(id)]
    pub id: i64,
    #[role(name)]
    pub name: String,
    #[role(nam)]
    pub level: i64,
}

#[derive(Clone, Debug, RoleModel)]
pub struct Dto {
    #[role(id)]
    pub id: i64,
    #[role(name)]
    pub name: String,
    #[role(exclude(register))]
    pub level: i64,
}

#[derive(Clone, Debug, RoleModel)]
pub struct Secret {
    #[role(id)]
    pub id: i64,
    #[role(name)]
    pub name: String,
    pub password: users_runtime::Password,
}

#[derive(Clone, Debug, RoleModel)]
pub struct Skipped {
    #[role(id)]
    pub id: i64,
    #[role(name)]
    pub name: String,
    #[sqlx(skip)]
    pub level: i64,
}

#[derive(Clone, Debug, RoleModel)]
pub struct Unreached {
    #[role(id)]
    pub id: i64,
    #[role(name)]
    pub name: String,
    #[role(read_only, validate = range(0, 9))]
    pub level: i64,
}

#[derive(Clone, Debug, RoleModel)]
pub struct Key {
    #[role(id)]
    pub id: i32,
    #[role(name)]
    pub name: String,
}

#[derive(Clone, Debug, RoleModel)]
pub struct Absent {
    #[role(id)]
    pub id: i64,
    #[role(name)]
    pub name: Option<String>,
}

#[derive(Clone, Debug, RoleModel)]
pub struct Fixed {
    #[role(id)]
    pub id: i64,
    #[role(name, read_only)]
    pub name: String,
}

#[derive(Clone, Debug, RoleModel)]
pub struct Unnamed {
    #[role(id)]
    pub id: i64,
    #[role(name, exclude(create))]
    pub name: String,
}

#[derive(Clone, Debug, RoleModel)]
#[role(table = "users_sessions")]
pub struct Table {
    #[role(id)]
    pub id: i64,
    #[role(name)]
    pub name: String,
}

fn main() {}
