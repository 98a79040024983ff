//! Fields that every linked account has.

use users_runtime::OAuthAccountModel;

#[derive(Clone, Debug, OAuthAccountModel)]
pub struct Unmarked {
    pub id: i64,
    pub provider: String,
    pub subject: String,
}

#[derive(Clone, Debug, OAuthAccountModel)]
pub struct Nothing {
    pub level: i64,
}

#[derive(Clone, Debug, OAuthAccountModel)]
pub enum NotAStruct {
    Google,
}

fn main() {}
