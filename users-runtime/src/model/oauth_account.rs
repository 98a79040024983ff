//! What a linked account is: the facts that `#[derive(OAuthAccountModel)]` states.

use std::fmt::Debug;

use serde::Serialize;
use sqlx::error::BoxDynError;

use super::{Column, Described, UserId, UserModel};

/// A user's account at a provider, derived with `#[derive(OAuthAccountModel)]`. [`OAuthAccount`] is one for those who need
/// no columns of their own, [`NoOAuthAccounts`] none at all.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model of linked accounts",
    label = "this type lacks `#[derive(OAuthAccountModel)]`",
    note = "write `#[derive(Clone, Debug, OAuthAccountModel)]` above the struct and mark its fields with `#[oauth_account(...)]`"
)]
pub trait OAuthAccountModel: Clone + Debug + Send + Sync + Unpin + Sized + 'static {
    /// The model itself. A user model names it through this, so that a type that is no model of linked accounts is one
    /// mistake.
    type Model: OAuthAccountModel;
    /// The type of the primary key.
    type Id: UserId;
    /// What the account's user gets to see.
    type Read: Described + Serialize + Send;

    /// Whether there are linked accounts at all.
    const PRESENT: bool = true;

    /// The primary key.
    fn id(&self) -> Self::Id;
    /// The name of the provider in the application's configuration.
    fn provider(&self) -> &str;
    /// Who the account is at the provider: the claim `sub`, compared byte by byte.
    fn subject(&self) -> &str;
    /// The mail address at the provider, which says nothing of who the account is.
    fn email(&self) -> Option<&str>;
    /// The account as DTO.
    fn to_read(&self) -> Self::Read;
    /// An account as it is before it is stored. Fields of the application's own have their defaults.
    fn linked(id: Self::Id, provider: String, subject: String, email: Option<String>) -> Self;
    /// The same account under the key that the database assigned.
    #[must_use]
    fn with_id(self, id: Self::Id) -> Self;
}

/// How a model of linked accounts is stored in one database, in static SQL.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model of linked accounts",
    label = "this type lacks `#[derive(OAuthAccountModel)]`",
    note = "write `#[derive(Clone, Debug, OAuthAccountModel)]` above the struct and mark its fields with `#[oauth_account(...)]`"
)]
pub trait StoredOAuthAccount<DB: sqlx::Database>: OAuthAccountModel {
    /// The names that statements about linked accounts are put together from.
    const SQL: OAuthAccountSql;

    /// The columns that the struct asks for, in its order. The library adds its own behind them.
    fn columns() -> Vec<Column>;
    /// An account from `SQL.width` columns of a row.
    fn from_row(row: &DB::Row, first: usize) -> Result<Self, sqlx::Error>;
    /// Adds the values of `SQL.insert`, in order.
    fn add_insert(&self, arguments: &mut DB::Arguments) -> Result<(), BoxDynError>;
}

/// The names of the table of linked accounts and its columns in one database, quoted.
#[derive(Debug, Clone, Copy)]
pub struct OAuthAccountSql {
    /// The table; empty without linked accounts.
    pub table: &'static str,
    /// The key.
    pub id: &'static str,
    /// Who the account is at the provider.
    pub subject: &'static str,
    /// The mail address at the provider; `None` for a struct without it.
    pub email: Option<&'static str>,
    /// How many columns `select` has.
    pub width: usize,
    /// The columns in the struct's order, as `a.name`.
    pub select: &'static str,
    /// The columns of an `INSERT`.
    pub insert: &'static str,
    /// Its placeholders, each a `?`.
    pub values: &'static str,
}

/// A user model whose users may link accounts at providers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no linked accounts",
    label = "the route group `oauth2` stores them",
    note = "the struct says `#[user(oauth_account = NoOAuthAccounts)]`; remove that, or name the groups you want in `routes(...)` without `oauth2`"
)]
pub trait HasOAuthAccounts: UserModel {
    /// What an application with the route group `oauth2` evaluates while compiling.
    const NEEDED: () = ();
}

#[diagnostic::do_not_recommend]
impl<U: UserModel<OAuthAccount: SomeOAuthAccount>> HasOAuthAccounts for U {}

/// A model of linked accounts that is not [`NoOAuthAccounts`]; derived together with [`OAuthAccountModel`].
#[doc(hidden)]
pub trait SomeOAuthAccount: OAuthAccountModel {}

/// The model of linked accounts of a user model without them: no table, no sign-in through a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoOAuthAccounts;

impl OAuthAccountModel for NoOAuthAccounts {
    type Model = Self;
    type Id = i64;
    type Read = ();

    const PRESENT: bool = false;

    fn id(&self) -> i64 {
        0
    }

    fn provider(&self) -> &'static str {
        ""
    }

    fn subject(&self) -> &'static str {
        ""
    }

    fn email(&self) -> Option<&str> {
        None
    }

    fn to_read(&self) {}

    fn linked(_id: i64, _provider: String, _subject: String, _email: Option<String>) -> Self {
        Self
    }

    fn with_id(self, _id: i64) -> Self {
        self
    }
}

impl<DB: sqlx::Database> StoredOAuthAccount<DB> for NoOAuthAccounts {
    const SQL: OAuthAccountSql = OAuthAccountSql {
        table: "",
        id: "",
        subject: "",
        email: None,
        width: 0,
        select: "",
        insert: "",
        values: "",
    };

    fn columns() -> Vec<Column> {
        Vec::new()
    }

    fn from_row(_row: &DB::Row, _first: usize) -> Result<Self, sqlx::Error> {
        Ok(Self)
    }

    fn add_insert(&self, _arguments: &mut DB::Arguments) -> Result<(), BoxDynError> {
        Ok(())
    }
}

/// A linked account with the mail address that the provider tells, for those who need no other columns.
///
/// It is what `#[derive(OAuthAccountModel)]` makes of it; a struct of your own looks the same.
#[derive(Debug, Clone, PartialEq, Eq, users_macros::OAuthAccountModel)]
#[oauth_account(crate = crate, table = "users_oauth_accounts")]
pub struct OAuthAccount {
    /// The primary key.
    #[oauth_account(id)]
    pub id: uuid::Uuid,
    /// The name of the provider in the application's configuration.
    #[oauth_account(provider)]
    pub provider: String,
    /// Who the account is at the provider.
    #[oauth_account(subject)]
    pub subject: String,
    /// The mail address at the provider.
    #[oauth_account(email)]
    pub email: Option<String>,
}
