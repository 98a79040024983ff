//! A cost of Argon2id under the floor.

use users_runtime::argon2_cost;

fn main() {
    let _ = argon2_cost!(m = 8, t = 1, p = 1);
}
