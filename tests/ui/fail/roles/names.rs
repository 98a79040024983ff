//! Names under which no role could be stored or found.

use users_runtime::Roles;

#[derive(Clone, Copy, Roles)]
pub enum Twice {
    Accountant,
    #[roles(name = "accountant")]
    Bookkeeper,
}

#[derive(Clone, Copy, Roles)]
pub enum Written {
    #[roles(name = "Editor")]
    Capital,
    #[roles(name = " editor")]
    Spaced,
    #[roles(name = "")]
    Empty,
    #[roles(name = "a\nb")]
    Control,
    #[roles(name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    Long,
    #[roles(named = "editor")]
    Unknown,
}

fn main() {}
