//! What the type of a model's field has to be able to do, one trait a message.
//!
//! Each is implemented for everything that has the traits of sqlx, serde or the standard library that it stands for, and
//! has methods without a bound of their own, so that a type that lacks them is one error at the field.

use serde::{Deserialize, Deserializer, Serialize, ser::SerializeStruct};
use sqlx::{Arguments, Row, TypeInfo, error::BoxDynError};

use super::{Column, ColumnRole};

/// A type that a column can hold: anything that sqlx stores and reads in every database that is switched on.
///
/// It names no database, so that a type which lacks something in each of them is one error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a column",
    label = "a database that is switched on cannot store this",
    note = "derive `sqlx::Type` for it, or write `sqlx::types::Json<T>` as the field's type"
)]
pub trait ColumnType: Sized {
    /// The column that holds it.
    fn column<DB: Driver>(name: &'static str, role: ColumnRole) -> Column;
    /// The value in a row.
    fn read<DB: Driver>(row: &DB::Row, index: usize) -> Result<Self, sqlx::Error>;
    /// Adds the value to those of a statement.
    fn add<DB: Driver>(&self, arguments: &mut DB::Arguments) -> Result<(), BoxDynError>;
    /// Adds whether the column changes, and to what.
    fn add_change<DB: Driver>(
        change: &Option<Self>,
        arguments: &mut DB::Arguments,
    ) -> Result<(), BoxDynError>;
}

#[diagnostic::do_not_recommend]
impl<T: ColumnInEach> ColumnType for T {
    fn column<DB: Driver>(name: &'static str, role: ColumnRole) -> Column {
        DB::column::<T>(name, role)
    }

    fn read<DB: Driver>(row: &DB::Row, index: usize) -> Result<Self, sqlx::Error> {
        DB::read(row, index)
    }

    fn add<DB: Driver>(&self, arguments: &mut DB::Arguments) -> Result<(), BoxDynError> {
        DB::add(self, arguments)
    }

    fn add_change<DB: Driver>(
        change: &Option<Self>,
        arguments: &mut DB::Arguments,
    ) -> Result<(), BoxDynError> {
        DB::add_change(change.as_ref(), arguments)
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
    label = "requests and imports would set this field",
    note = "derive `serde::Deserialize` for its type, or keep it out of requests and imports with `#[user(read_only, exclude(import))]`"
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

/// A column type of every database that is switched on: one supertrait for each.
pub trait ColumnInEach: InSqlite + InPostgres + InMySql {}

impl<T: InSqlite + InPostgres + InMySql> ColumnInEach for T {}

/// A database that is switched on: how a value of a column's type gets in and out of it.
pub trait Driver: sqlx::Database {
    /// The column that holds a type.
    fn column<T: ColumnInEach>(name: &'static str, role: ColumnRole) -> Column;
    /// The value in a row.
    fn read<T: ColumnInEach>(row: &Self::Row, index: usize) -> Result<T, sqlx::Error>;
    /// Adds a value to those of a statement.
    fn add<T: ColumnInEach>(value: &T, arguments: &mut Self::Arguments) -> Result<(), BoxDynError>;
    /// Adds whether a column changes, and to what.
    fn add_change<T: ColumnInEach>(
        change: Option<&T>,
        arguments: &mut Self::Arguments,
    ) -> Result<(), BoxDynError>;
}

/// Says once for each database what is asked of it, and nothing when it is switched off.
macro_rules! in_database {
    ($name:ident, $feature:literal, $database:ident, $text:literal) => {
        #[doc = $text]
        #[cfg(feature = $feature)]
        pub trait $name:
            sqlx::Type<sqlx::$database>
            + for<'q> sqlx::Encode<'q, sqlx::$database>
            + for<'r> sqlx::Decode<'r, sqlx::$database>
        {
        }

        #[cfg(feature = $feature)]
        impl<T> $name for T where
            T: sqlx::Type<sqlx::$database>
                + for<'q> sqlx::Encode<'q, sqlx::$database>
                + for<'r> sqlx::Decode<'r, sqlx::$database>
        {
        }

        #[cfg(feature = $feature)]
        impl Driver for sqlx::$database {
            fn column<T: ColumnInEach>(name: &'static str, role: ColumnRole) -> Column {
                Column::new::<Self, T>(name, role)
            }

            fn read<T: ColumnInEach>(row: &Self::Row, index: usize) -> Result<T, sqlx::Error> {
                let declared = <T as sqlx::Type<Self>>::type_info();
                // sqlx does not take what MySQL answers for an `enum` as one, though it reads it.
                if declared.name() == "ENUM" { row.try_get_unchecked(index) } else { row.try_get(index) }
            }

            fn add<T: ColumnInEach>(value: &T, arguments: &mut Self::Arguments) -> Result<(), BoxDynError> {
                arguments.add(value)
            }

            fn add_change<T: ColumnInEach>(
                change: Option<&T>,
                arguments: &mut Self::Arguments,
            ) -> Result<(), BoxDynError> {
                arguments.add(change.is_some())?;
                arguments.add(change)
            }
        }

        #[doc = $text]
        #[cfg(not(feature = $feature))]
        pub trait $name {}

        #[cfg(not(feature = $feature))]
        impl<T> $name for T {}
    };
}

in_database!(InSqlite, "sqlite", Sqlite, "A column type of SQLite, when it is switched on.");
in_database!(InPostgres, "postgres", Postgres, "A column type of PostgreSQL, when it is switched on.");
in_database!(InMySql, "mysql", MySql, "A column type of MySQL, when it is switched on.");
