//! The DTOs of the server, read from responses and written to requests.

use std::{fmt, ops::Deref};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, DeserializeOwned},
    ser::SerializeStruct,
};
use serde_json::{Map, Value};

use super::{Read, RoleRead};
use crate::{app::Application, secret::Password};

/// A user as the generated routes show one: the DTO, which it dereferences to, and the roles.
pub struct Account<A: Application> {
    /// The DTO, such as `UserRead`.
    pub user: Read<A>,
    /// The roles, where users have some.
    pub roles: Vec<RoleRead<A>>,
    /// After a change of the own account: the new identifier, which waits for its confirmation by mail.
    pub pending_identifier: Option<String>,
}

impl<A: Application> Deref for Account<A> {
    type Target = Read<A>;

    fn deref(&self) -> &Read<A> {
        &self.user
    }
}

impl<A: Application> Clone for Account<A>
where
    Read<A>: Clone,
    RoleRead<A>: Clone,
{
    fn clone(&self) -> Self {
        let (user, roles) = (self.user.clone(), self.roles.clone());
        Self { user, roles, pending_identifier: self.pending_identifier.clone() }
    }
}

impl<A: Application> fmt::Debug for Account<A>
where
    Read<A>: fmt::Debug,
    RoleRead<A>: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("user", &self.user)
            .field("roles", &self.roles)
            .field("pending_identifier", &self.pending_identifier)
            .finish()
    }
}

impl<'de, A: Application> Deserialize<'de> for Account<A>
where
    Read<A>: DeserializeOwned,
    RoleRead<A>: DeserializeOwned,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Fields::read(deserializer)?;
        let roles = fields.take("roles", Option::deserialize)?.unwrap_or_default();
        let pending_identifier = fields.take("pending_identifier", Option::deserialize)?;
        let user = Read::<A>::deserialize(Value::Object(fields.0)).map_err(de::Error::custom)?;
        Ok(Self { user, roles, pending_identifier })
    }
}

/// One page of a list.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Page<Shown> {
    /// What is on it.
    pub items: Vec<Shown>,
    /// What [`ListQuery::with_after`](crate::ListQuery::with_after) or
    /// [`EventQuery::with_after`](crate::EventQuery::with_after) takes for the page behind this one; `None` on the
    /// last.
    #[serde(default = "none")]
    pub next: Option<String>,
    /// How many there was room for.
    pub limit: u32,
    /// How many users all pages hold, if the query asked.
    #[serde(default = "none")]
    pub total: Option<u64>,
}

fn none<T>() -> Option<T> {
    None
}

/// What has its answer under the key `items`.
#[derive(Deserialize)]
pub(super) struct Items<T> {
    pub(super) items: Vec<T>,
}

/// Tokens for a client that keeps them itself (RFC 6749, section 5.1).
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Tokens {
    /// What goes into the header `Authorization: Bearer`.
    pub access_token: Password,
    /// For how long it is good, in seconds.
    pub expires_in: u64,
    /// What [`refresh`](super::Client::refresh) exchanges for the next tokens.
    pub refresh_token: Option<Password>,
}

/// The keys of an object in a response. Those that nobody asks for are left alone: a newer server may show more.
#[derive(Debug)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Reads an object.
    pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map::deserialize(deserializer).map(Self)
    }

    /// Takes the value under a key; one that is absent is as if it were `null`.
    pub fn take<T, E: de::Error>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(Value) -> Result<T, serde_json::Error>,
    ) -> Result<T, E> {
        let value = self.0.remove(key);
        let absent = value.is_none();
        read(value.unwrap_or_default()).map_err(|error| {
            if absent { E::missing_field(key) } else { E::custom(format_args!("`{key}`: {error}")) }
        })
    }
}

/// A type that a client reads out of responses and no request carries: anything that deserialises.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a response",
    label = "the client, which the cargo feature `client` switches on, would read this field",
    note = "derive `serde::Deserialize` for its type, or keep it out of responses with `#[user(exclude(read))]`"
)]
pub trait Receivable<'de>: Sized {
    /// Reads a value.
    fn receive<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

#[diagnostic::do_not_recommend]
impl<'de, T: Deserialize<'de>> Receivable<'de> for T {
    fn receive<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer)
    }
}

/// A type that a client writes into requests and no response shows: anything that serialises.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written into a request",
    label = "the client, which the cargo feature `client` switches on, would send this field",
    note = "derive `serde::Serialize` for its type, or keep it out of requests with `#[user(read_only)]`"
)]
pub trait Sendable {
    /// Writes a value into a body that is being written.
    fn send<S: SerializeStruct>(&self, key: &'static str, body: &mut S) -> Result<(), S::Error>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> Sendable for T {
    fn send<S: SerializeStruct>(&self, key: &'static str, body: &mut S) -> Result<(), S::Error> {
        body.serialize_field(key, self)
    }
}

/// The body of a request while it is written: passwords in it are what they are.
#[derive(Default)]
pub struct Body(Map<String, Value>);

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl SerializeStruct for Body {
    type Ok = Map<String, Value>;
    type Error = serde_json::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), serde_json::Error> {
        self.0.insert(key.to_owned(), serde_json::to_value(value)?);
        Ok(())
    }

    fn end(self) -> Result<Map<String, Value>, serde_json::Error> {
        Ok(self.0)
    }
}

impl Body {
    /// Writes a password, which is what its owner sends.
    pub fn password(&mut self, key: &'static str, password: &Password) {
        self.text(key, password.expose());
    }

    /// The same for one that is there.
    pub fn password_if_some(&mut self, key: &'static str, password: Option<&Password>) {
        if let Some(password) = password {
            self.password(key, password);
        }
    }

    /// Writes a flag that is set.
    pub fn flag(&mut self, key: &'static str, flag: bool) {
        if flag {
            self.0.insert(key.to_owned(), Value::Bool(true));
        }
    }

    pub(super) fn text(&mut self, key: &'static str, text: &str) {
        self.0.insert(key.to_owned(), Value::String(text.to_owned()));
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

/// A DTO as the body of a request, generated for each that requests carry.
///
/// It stands in the place of `Serialize`, which a DTO with a password does not have: nothing but a client writes one out.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the body of a request",
    label = "no client can send this",
    note = "`#[derive(UserModel)]` and `#[derive(RoleModel)]` generate those that are, with the cargo feature `client`"
)]
pub trait RequestBody {
    /// Writes every field that says something: an `Option` that is `None` is left out, `Some(None)` is `null`.
    fn write(&self, body: &mut Body) -> Result<(), serde_json::Error>;

    /// The body in JSON, with the passwords in it.
    fn to_json(&self) -> Result<Value, serde_json::Error> {
        let mut body = Body::default();
        self.write(&mut body)?;
        Ok(body.into_value())
    }
}
