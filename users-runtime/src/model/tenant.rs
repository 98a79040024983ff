//! Tenants: what separates users who share a database and nothing else.

use std::{
    fmt::Debug,
    future::{Future, ready},
    hash::Hash,
};

use http::request::Parts;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::error::Error;

/// What separates users into tenants: [`Uuid`], `i64` or `String`, and `()` for a model without tenants.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot separate tenants",
    label = "write `Uuid`, `i64` or `String` here"
)]
pub trait Tenant:
    Clone + Debug + Eq + Hash + Serialize + DeserializeOwned + Send + Sync + Unpin + 'static
{
    /// How the tenant is written in a command and in a log; empty for a model without tenants.
    fn text(&self) -> String;
    /// The tenant that a command names; `None` when it is not one.
    fn parse(text: Option<&str>) -> Option<Self>;
    /// The form that is compared: databases differ in whether they see a space at the end of a text.
    #[must_use]
    fn trimmed(self) -> Self {
        self
    }
}

impl Tenant for () {
    fn text(&self) -> String {
        String::new()
    }

    fn parse(text: Option<&str>) -> Option<Self> {
        text.is_none().then_some(())
    }
}

macro_rules! tenant {
    ($($type:ty),*) => {
        $(
            impl Tenant for $type {
                fn text(&self) -> String {
                    self.to_string()
                }

                fn parse(text: Option<&str>) -> Option<Self> {
                    text?.parse().ok()
                }
            }
        )*
    };
}

tenant!(Uuid, i64);

impl Tenant for String {
    fn text(&self) -> String {
        self.clone()
    }

    fn parse(text: Option<&str>) -> Option<Self> {
        text.filter(|text| !text.trim().is_empty()).map(str::to_owned)
    }

    fn trimmed(self) -> Self {
        self.trim().to_owned()
    }
}

/// Says which tenant a request belongs to, from its host, its path or a header that a proxy sets. Nothing has to be
/// written for a model without tenants.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which tenant a request belongs to",
    label = "the model has a field `#[user(tenant)]`",
    note = "write `impl ResolveTenant<{T}>` for a type of yours, and name it with `hooks = path` in `#[users_app(...)]`"
)]
pub trait ResolveTenant<T>: Send + Sync + 'static {
    /// The tenant of a request.
    ///
    /// # Errors
    /// When the request belongs to none: [`Error::NotFound`] hides that there are others.
    fn tenant(&self, request: &Parts) -> impl Future<Output = Result<T, Error>> + Send;
}

#[diagnostic::do_not_recommend]
impl<H: Send + Sync + 'static> ResolveTenant<()> for H {
    fn tenant(&self, request: &Parts) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = request;
        ready(Ok(()))
    }
}
