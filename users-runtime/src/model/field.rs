//! What the type of a model's field has to be able to do, one trait a message.
//!
//! Each is implemented for everything that has the traits of sqlx, serde or the standard library that it stands for, and
//! has methods without a bound of their own, so that a type that lacks them is one error at the field.

use serde::{Deserialize, Deserializer, Serialize, ser::SerializeStruct};
use sqlx::{Arguments, Row, error::BoxDynError};

use super::{Column, ColumnRole};

/// A type that a column can hold: anything that sqlx stores and reads in the database.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a column",
    label = "the database cannot store this",
    note = "derive `sqlx::Type` for it, or write `sqlx::types::Json<T>` as the field's type"
)]
pub trait ColumnType<DB: sqlx::Database>: Sized {
    /// The column that holds it.
    fn column(name: &'static str, role: ColumnRole) -> Column;
    /// The value in a row.
    fn read(row: &DB::Row, index: usize) -> Result<Self, sqlx::Error>;
    /// Adds the value to those of a statement.
    fn add(&self, arguments: &mut DB::Arguments) -> Result<(), BoxDynError>;
    /// Adds whether the column changes, and to what.
    fn add_change(change: &Option<Self>, arguments: &mut DB::Arguments) -> Result<(), BoxDynError>;
}

#[diagnostic::do_not_recommend]
impl<DB, T> ColumnType<DB> for T
where
    DB: sqlx::Database,
    T: sqlx::Type<DB> + for<'q> sqlx::Encode<'q, DB> + for<'r> sqlx::Decode<'r, DB>,
    bool: sqlx::Type<DB> + for<'q> sqlx::Encode<'q, DB>,
    for<'q> Option<&'q T>: sqlx::Encode<'q, DB>,
    usize: sqlx::ColumnIndex<DB::Row>,
{
    fn column(name: &'static str, role: ColumnRole) -> Column {
        Column::new::<DB, T>(name, role)
    }

    fn read(row: &DB::Row, index: usize) -> Result<Self, sqlx::Error> {
        row.try_get(index)
    }

    fn add(&self, arguments: &mut DB::Arguments) -> Result<(), BoxDynError> {
        arguments.add(self)
    }

    fn add_change(change: &Option<Self>, arguments: &mut DB::Arguments) -> Result<(), BoxDynError> {
        arguments.add(change.is_some())?;
        arguments.add(change.as_ref())
    }
}

/// A type that a read DTO may carry: anything that serialises, which no secret does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be shown in a response",
    label = "this field would leave the server in every response",
    note = "keep it back with `#[user(exclude(read))]`; if it is no secret, derive `serde::Serialize` for its type"
)]
pub trait Exposable {
    /// Writes the value into a read DTO that is being serialised.
    fn expose<S: SerializeStruct>(&self, key: &'static str, dto: &mut S) -> Result<(), S::Error>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> Exposable for T {
    fn expose<S: SerializeStruct>(&self, key: &'static str, dto: &mut S) -> Result<(), S::Error> {
        dto.serialize_field(key, self)
    }
}

/// A type that a request may set: anything that deserialises.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a request",
    label = "registration and updates would set this field",
    note = "derive `serde::Deserialize` for its type, or keep it out of requests with `#[user(read_only)]`"
)]
pub trait Acceptable<'de>: Sized {
    /// Reads a field that has to be there.
    fn accept<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
    /// Reads a field of a change: present, even as `null`, is `Some`.
    fn present<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error>;
}

#[diagnostic::do_not_recommend]
impl<'de, T: Deserialize<'de>> Acceptable<'de> for T {
    fn accept<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer)
    }

    fn present<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        T::deserialize(deserializer).map(Some)
    }
}

/// A type with a value for a field that no registration sets.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no value for a new user",
    label = "registration does not set this field",
    note = "write `#[user(default = expression)]`, or derive `Default` for its type"
)]
pub trait Initial {
    /// That value.
    fn initial() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Default> Initial for T {
    fn initial() -> Self {
        T::default()
    }
}
