//! The macros of `users-runtime`: a user model, its DTOs, its SQL and an application's routes, while compiling.
//!
//! Applications depend on `users-runtime` and import the macros from there.

mod report;
mod user_model;
mod users_app;

use proc_macro::TokenStream;

/// Makes a struct the user of an application.
///
/// ```text
/// #[derive(Clone, Debug, UserModel)]
/// #[user(table = "users")]
/// pub struct User {
///     #[user(id)]                         pub id: Uuid,
///     #[user(identifier)]                 pub email: String,
///     #[user(password_hash)]              password_hash: PasswordHash,
///     #[user(active)]                     pub is_active: bool,
///     #[user(verified)]                   pub is_verified: bool,
///     #[user(validate = length(2, 40))]   pub display_name: Option<String>,
///     #[user(exclude(register, update))]  pub login_count: i64,
/// }
/// ```
///
/// Beside the struct it generates the DTOs `UserRead`, `UserRegistration`, `UserUpdate` (self-service) and
/// `UserAdminUpdate`, and the model's SQL for each database that is switched on.
///
/// # On the struct
/// | argument | meaning |
/// | --- | --- |
/// | `table = "users"` | the table; by default the struct's name in snake case with an `s` |
/// | `crate = ::path` | a renamed `users-runtime` |
///
/// # On a field
/// | argument | meaning |
/// | --- | --- |
/// | `id` | the primary key, `Uuid` or `i64` |
/// | `identifier`, `identifier = username` | what people log in with, a `String`: an e-mail address or a name |
/// | `canonical = "column"` | beside `identifier`: the column of the form that is compared and unique |
/// | `password_hash` | the stored hash, a `PasswordHash`; in no DTO |
/// | `active` | whether the account may be used, a `bool` |
/// | `verified` | whether the mailbox is proven, a `bool` |
/// | `mailbox` | the mail address when the identifier is a name; only administrators change it |
/// | `validate = rule` | `length(least, greatest)`, `range(least, greatest)`, `email` or `custom(path)`; repeatable |
/// | `exclude(...)` | keeps the field out of `read`, `register`, `update` or `admin_update` |
/// | `read_only` | keeps the field out of every DTO that writes |
/// | `default = expression` | the value at registration when the request has none |
/// | `column = "name"` | the column; by default the field's name. `#[sqlx(rename = "name")]` does the same |
/// | `sql_type = "TYPE"` | the column's type in the generated table definition |
#[proc_macro_derive(UserModel, attributes(user, sqlx))]
pub fn derive_user_model(input: TokenStream) -> TokenStream {
    user_model::expand(&syn::parse_macro_input!(input)).into()
}

/// Makes an application of the module that holds the user model.
///
/// ```text
/// #[users_app(auth = "jwt_cookie", exclude = ["/health", "/public/{*path}"])]
/// mod accounts {
///     #[derive(Clone, Debug, UserModel)]
///     pub struct User { /* ... */ }
/// }
/// ```
///
/// It adds the types `App`, `Users`, `CurrentUser` and `Visitor` and the function `router` to the module, which
/// otherwise stays as it is.
///
/// | argument | meaning |
/// | --- | --- |
/// | `auth` | `"session"`, `"jwt"`, `"jwt_cookie"`, a path to a type of your own, or a list: the first that recognises the request wins |
/// | `exclude` | patterns of your own routes that need no login, in axum's syntax |
/// | `user` | the user model, if it is not the one struct in the module that derives `UserModel` |
/// | `hooks` | the type that implements `Hooks` |
/// | `routes(...)` | the route groups that exist: `auth(login, logout)`, `register(path)`, `verify(path, resend)`, `password_reset(forgot, reset)`, `current_user(path, delete)`; without it all exist at their default paths |
/// | `crate` | a renamed `users-runtime` |
#[proc_macro_attribute]
pub fn users_app(arguments: TokenStream, item: TokenStream) -> TokenStream {
    users_app::expand(arguments.into(), item.into()).into()
}
