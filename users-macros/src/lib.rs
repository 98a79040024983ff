//! The macros of `users-runtime`: a user model, its DTOs, its SQL and an application's routes, while compiling.
//!
//! Applications depend on `users-runtime` and import the macros from there.

mod oauth_account_model;
mod record;
mod report;
mod role_model;
mod roles;
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
/// Beside the struct it generates the DTOs `UserRead`, `UserRegistration`, `UserUpdate` (self-service),
/// `UserAdminUpdate`, `UserFilter` (the parameters of a list) and `UserImport` (a user that an import or a command
/// brings), and the model's SQL for each database that is switched on.
///
/// # On the struct
/// | argument | meaning |
/// | --- | --- |
/// | `table = "users"` | the table; by default the struct's name in snake case with an `s` |
/// | `role = path` | the role model; by default `users_runtime::Role`, and `NoRoles` for users without roles |
/// | `oauth_account = path` | the model of linked accounts; by default `users_runtime::OAuthAccount` with the cargo feature `oauth2`, and `NoOAuthAccounts` without it |
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
/// | `tenant` | what separates users who share a database, a `Uuid`, an `i64` or a `String`; the library sets it |
/// | `mailbox` | the mail address when the identifier is a name; only administrators change it |
/// | `validate = rule` | `length(least, greatest)`, `range(least, greatest)`, `email` or `custom(path)`; repeatable |
/// | `exclude(...)` | keeps the field out of `read`, `register`, `update`, `admin_update` or `import` |
/// | `read_only` | keeps the field out of every body of a request; an import may still bring it |
/// | `filter`, `filter(range)` | lists may be filtered by a value, or by the least and the greatest (`age_min`, `age_max`) |
/// | `sort` | lists may be sorted by the field, which is no `Option` |
/// | `default = expression` | the value at registration when the request has none |
/// | `column = "name"` | the column; by default the field's name. `#[sqlx(rename = "name")]` does the same |
/// | `sql_type = "TYPE"` | the column's type in the generated table definition; `sql_type(sqlite = "TYPE", postgres = "TYPE", mysql = "TYPE")` where they differ |
/// | `sql_default = "0"` | the value, in SQL, of rows that were there before the column |
#[proc_macro_derive(UserModel, attributes(user, sqlx))]
pub fn derive_user_model(input: TokenStream) -> TokenStream {
    user_model::expand(&syn::parse_macro_input!(input)).into()
}

/// Makes a struct the role of an application's users.
///
/// ```text
/// #[derive(Clone, Debug, RoleModel)]
/// pub struct Role {
///     #[role(id)]                             pub id: Uuid,
///     #[role(name)]                           pub name: String,
///     #[role(validate = length(0, 500))]      pub description: Option<String>,
/// }
/// ```
///
/// Beside the struct it generates the DTOs `RoleRead`, `RoleCreate` and `RoleUpdate`, and the model's SQL for each
/// database that is switched on. `users_runtime::Role` is one for those who need no columns of their own.
///
/// # On the struct
/// | argument | meaning |
/// | --- | --- |
/// | `table = "users_roles"` | the table; by default `users_roles` |
/// | `crate = ::path` | a renamed `users-runtime` |
///
/// # On a field
/// | argument | meaning |
/// | --- | --- |
/// | `id` | the primary key, `Uuid` or `i64` |
/// | `name` | the name, a `String`, unique in the form that is compared |
/// | `exclude(...)` | keeps the field out of `read`, `create` or `update` |
/// | `read_only` | keeps the field out of `create` and `update` |
/// | `validate`, `default`, `column`, `sql_type`, `sql_default` | as on a user's field |
///
/// A role that the library makes, for a variant of an enum with [`macro@Roles`] or for a command that names it, has the
/// `default` of each field, or what `Default` says of its type.
#[proc_macro_derive(RoleModel, attributes(role, sqlx))]
pub fn derive_role_model(input: TokenStream) -> TokenStream {
    role_model::expand(&syn::parse_macro_input!(input)).into()
}

/// Makes a struct the account that a user has at a provider and signs in with.
///
/// ```text
/// #[derive(Clone, Debug, OAuthAccountModel)]
/// pub struct OAuthAccount {
///     #[oauth_account(id)]                    pub id: Uuid,
///     #[oauth_account(provider)]              pub provider: String,
///     #[oauth_account(subject)]               pub subject: String,
///     #[oauth_account(email)]                 pub email: Option<String>,
///     #[oauth_account(default = "personal")]  pub label: String,
/// }
/// ```
///
/// Beside the struct it generates the DTO `OAuthAccountRead`, which the account's user gets to see, and the model's SQL for
/// each database that is switched on. `users_runtime::OAuthAccount` is one for those who need no columns of their own.
///
/// The library adds the columns `user_id`, `issuer`, `tokens` (sealed), `tokens_expire_at`, `created_at` and `updated_at`
/// to the table, and `tenant` where users have tenants.
///
/// # On the struct
/// | argument | meaning |
/// | --- | --- |
/// | `table = "users_oauth_accounts"` | the table; by default `users_oauth_accounts` |
/// | `crate = ::path` | a renamed `users-runtime` |
///
/// # On a field
/// | argument | meaning |
/// | --- | --- |
/// | `id` | the primary key, `Uuid` or `i64` |
/// | `provider` | the name of the provider in the configuration, a `String` |
/// | `subject` | who the account is at the provider, a `String`; unique for an issuer |
/// | `email` | the mail address at the provider, an `Option<String>` |
/// | `exclude(read)` | keeps the field out of `OAuthAccountRead` |
/// | `default`, `column`, `sql_type`, `sql_default` | as on a user's field |
///
/// No request writes a linked account: a field of your own has its `default`, or what `Default` says of its type, until a
/// statement of yours changes it.
#[proc_macro_derive(OAuthAccountModel, attributes(oauth_account, sqlx))]
pub fn derive_oauth_account_model(input: TokenStream) -> TokenStream {
    oauth_account_model::expand(&syn::parse_macro_input!(input)).into()
}

/// Makes an enum the list of the roles that a program knows while it is compiled.
///
/// ```text
/// #[derive(Clone, Copy, Debug, Roles)]
/// pub enum Role {
///     Administrator,
///     #[roles(name = "bookkeeping")]
///     Accountant,
/// }
/// ```
///
/// Each variant is a role of its name in snake case, or of the one that it states, written as it is stored: in lower case
/// and with 64 characters at most. A variant is a guard that lets through who has the role. `#[roles(crate = ::path)]` on
/// the enum names a renamed `users-runtime`.
#[proc_macro_derive(Roles, attributes(roles))]
pub fn derive_roles(input: TokenStream) -> TokenStream {
    roles::expand(&syn::parse_macro_input!(input)).into()
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
/// It adds the types `App`, `Users`, `CurrentUser`, `Visitor`, `Guarded` and `Heartbeat` and the functions `router` and
/// `guard` to the module, `SessionData` where a backend has sessions, with the cargo feature `cli` the function `cli`, and
/// with `client` the type `Client`.
/// The module otherwise stays as it is, but for the user model, which is told of the role model, `#[user(role = path)]`,
/// and of the model of linked accounts, `#[user(oauth_account = path)]`.
///
/// | argument | meaning |
/// | --- | --- |
/// | `auth` | `"session"`, `"session_cookie"`, `"jwt"`, `"jwt_cookie"`, `"oauth2_password"`, a path to a type of your own, or a list: the first that recognises the request wins |
/// | `exclude` | patterns of your own routes that need no login, in axum's syntax |
/// | `user` | the user model, if it is not the one struct in the module that derives `UserModel` |
/// | `role` | the role model, if it is not the one struct in the module that derives `RoleModel` |
/// | `oauth_account` | the model of linked accounts, if it is not the one struct in the module that derives `OAuthAccountModel` |
/// | `seed` | the enum whose roles are made at start-up, if it is not the one in the module that derives `Roles` |
/// | `hooks` | the type that implements `Hooks`, and `ResolveTenant` if the model has tenants |
/// | `claims` | the type of what JWTs say beside the claims of the library, with a backend that gives JWTs |
/// | `routes(...)` | the route groups that exist; without it all exist at their default paths |
/// | `crate` | a renamed `users-runtime` |
///
/// | group in `routes(...)` | options |
/// | --- | --- |
/// | `auth` | `login`, `logout`: paths |
/// | `register` | `path` |
/// | `verify` | `path`, `resend` |
/// | `password_reset` | `forgot`, `reset`: paths |
/// | `current_user` | `path`, `delete` (also serves `DELETE`), `export` (also serves `/export` below it), `guard` |
/// | `users` | `path`, below which `/{id}` is one user, `guard` |
/// | `roles` | `path`, below which `/{id}` is one role, `assign`, `revoke`, `guard` |
/// | `sessions` | `path`, below which `/{id}` is one session, `guard`; for the backends of the library |
/// | `tokens` | `token`, `refresh`, `jwks`: paths; for the backends that give JWTs |
///
/// `guard = expression` says who may use a group, as in `users(guard = any_of([Role::Administrator, Role::Support]))`; a
/// closure takes the user, as in `users(guard = |user| user.is_staff)`. Without it `users` and `roles` are for those with
/// the role `administrator`.
#[proc_macro_attribute]
pub fn users_app(arguments: TokenStream, item: TokenStream) -> TokenStream {
    users_app::expand(arguments.into(), item.into()).into()
}
