//! What is no module.

use users_runtime::users_app;

#[users_app(auth = "jwt")]
struct Accounts;

#[users_app(auth = "jwt")]
/// A function with a doc comment, which is not the wrong token.
pub fn accounts() {}

fn main() {}
