//! A module whose items are in another file.

use users_runtime::users_app;

#[users_app(auth = "jwt")]
#[path = "module_without_body/accounts.rs"]
mod accounts;

fn main() {}
