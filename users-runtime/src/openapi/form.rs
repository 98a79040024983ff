//! What a column's type looks like in JSON, as far as anybody can tell.

use std::marker::PhantomData;

use serde_json::Value;
use utoipa::{
    ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{Array, KnownFormat, ObjectBuilder, OneOf, Ref, SchemaFormat, SchemaType, Type},
    },
};
use uuid::Uuid;

use crate::{model::Named, secret::Password};

/// The form of a value, and those that it refers to by name.
#[derive(Default)]
pub struct Form {
    pub(super) schema: RefOr<Schema>,
    pub(super) named: Named,
}

impl Form {
    fn plain(schema: impl Into<RefOr<Schema>>) -> Self {
        Self { schema: schema.into(), named: Named::new() }
    }

    /// Any value at all.
    fn any() -> Self {
        Self::plain(ObjectBuilder::new().schema_type(SchemaType::AnyValue))
    }

    fn list(self) -> Self {
        Self { schema: Array::new(self.schema).into(), named: self.named }
    }

    /// The same, or `null`.
    pub(super) fn nullable(self) -> Self {
        Self { schema: nullable(self.schema), named: self.named }
    }

    /// The form of what derives `ToSchema`: by name when it is more than a text, a number or a list.
    pub(super) fn of<T: ToSchema>() -> Self {
        let mut named = Named::new();
        T::schemas(&mut named);
        let schema = T::schema();
        if is_plain(&schema) {
            return Self { schema, named };
        }
        let name = T::name().into_owned();
        named.insert(0, (name.clone(), schema));
        Self { schema: Ref::from_schema_name(name).into(), named }
    }
}

fn is_plain(schema: &RefOr<Schema>) -> bool {
    match schema {
        RefOr::Ref(_) | RefOr::T(Schema::Array(_)) => true,
        RefOr::T(Schema::Object(object)) => {
            object.enum_values.is_none()
                && object.properties.is_empty()
                && object.schema_type != SchemaType::Type(Type::Object)
        }
        RefOr::T(_) => false,
    }
}

pub(super) fn nullable(schema: RefOr<Schema>) -> RefOr<Schema> {
    let with_null = |types: &SchemaType| match types {
        SchemaType::Type(one) => SchemaType::Array(vec![one.clone(), Type::Null]),
        SchemaType::Array(several) if !several.contains(&Type::Null) => {
            SchemaType::Array(several.iter().cloned().chain([Type::Null]).collect())
        }
        other => other.clone(),
    };
    match schema {
        RefOr::T(Schema::Object(mut object)) => {
            object.schema_type = with_null(&object.schema_type);
            if let Some(values) = object.enum_values.as_mut().filter(|values| !values.contains(&Value::Null))
            {
                values.push(Value::Null);
            }
            object.into()
        }
        RefOr::T(Schema::Array(mut array)) => {
            array.schema_type = with_null(&array.schema_type);
            array.into()
        }
        other => {
            let null = ObjectBuilder::new().schema_type(Type::Null);
            Schema::from(OneOf::builder().item(other).item(null).build()).into()
        }
    }
}

/// A text in a format.
pub(super) fn text(format: KnownFormat) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(format)))
}

/// A secret that comes in and never leaves.
pub(super) fn secret() -> ObjectBuilder {
    text(KnownFormat::Password).write_only(true)
}

/// Asks a type for its form. What is known about it decides which of the traits below answers, the first that fits.
#[derive(Debug)]
pub struct Probe<T>(PhantomData<T>);

impl<T> Probe<T> {
    /// The question.
    pub const NEW: Self = Self(PhantomData);
}

/// The form of a type that is known here.
pub trait KnownForms {
    /// The form.
    fn form(&self) -> Form;
}

impl<T: Known> KnownForms for &&&Probe<T> {
    fn form(&self) -> Form {
        T::form()
    }
}

/// The form of a type that says it itself, by `utoipa::ToSchema`.
pub trait OwnForms {
    /// The form.
    fn form(&self) -> Form;
}

impl<T: ToSchema> OwnForms for &&Probe<T> {
    fn form(&self) -> Form {
        Form::of::<T>()
    }
}

/// The form of a column of JSON with such a type in it.
pub trait JsonForms {
    /// The form.
    fn form(&self) -> Form;
}

#[cfg(feature = "json")]
impl<T: ToSchema> JsonForms for &Probe<sqlx::types::Json<T>> {
    fn form(&self) -> Form {
        Form::of::<T>()
    }
}

/// The form of all other types: any value.
pub trait AnyForms {
    /// The form.
    fn form(&self) -> Form;
}

impl<T> AnyForms for Probe<T> {
    fn form(&self) -> Form {
        Form::any()
    }
}

/// A type whose form is known here.
pub trait Known {
    /// The form.
    fn form() -> Form;
}

impl Known for Password {
    fn form() -> Form {
        Form::plain(secret())
    }
}

impl Known for Uuid {
    fn form() -> Form {
        Form::plain(text(KnownFormat::Uuid))
    }
}

macro_rules! number {
    ($($number:ty)*) => {
        $(impl Known for $number {
            fn form() -> Form {
                let number = ObjectBuilder::new().schema_type(Type::Integer);
                let format = SchemaFormat::KnownFormat(
                    if size_of::<Self>() > 4 { KnownFormat::Int64 } else { KnownFormat::Int32 },
                );
                // Numbers beyond what JavaScript counts exactly say nothing in a document.
                let number = if size_of::<Self>() > 4 {
                    number.minimum((<$number>::MIN == 0).then_some(0))
                } else {
                    number.minimum(Some(<$number>::MIN)).maximum(Some(<$number>::MAX))
                };
                Form::plain(number.format(Some(format)))
            }
        })*
    };
}

number!(i8 i16 i32 i64 u8 u16 u32 u64);

impl<T: Known> Known for Vec<T> {
    fn form() -> Form {
        T::form().list()
    }
}

impl<T: Known> Known for Option<T> {
    fn form() -> Form {
        T::form().nullable()
    }
}

#[cfg(feature = "json")]
impl<T: Known> Known for sqlx::types::Json<T> {
    fn form() -> Form {
        T::form()
    }
}

/// The form in which a value is written: what a type's serialisation is can hang on features of its crate.
#[cfg(any(feature = "chrono", feature = "time"))]
fn as_written(sample: &impl serde::Serialize, format: KnownFormat, looks_so: fn(&str) -> bool) -> Form {
    match serde_json::to_value(sample) {
        Ok(Value::String(written)) if looks_so(&written) => Form::plain(text(format)),
        Ok(Value::String(_)) => Form::plain(ObjectBuilder::new().schema_type(Type::String)),
        Ok(Value::Array(_)) => {
            Form::plain(Array::new(ObjectBuilder::new().schema_type(Type::Integer).build()))
        }
        _ => Form::any(),
    }
}

/// Whether a text is a moment as RFC 3339 has it, of which `1970-01-01T00:00:00Z` is one.
#[cfg(any(feature = "chrono", feature = "time"))]
fn is_moment(written: &str) -> bool {
    written.get(10..11) == Some("T") && (written.ends_with('Z') || written.ends_with("+00:00"))
}

#[cfg(any(feature = "chrono", feature = "time"))]
fn is_day(written: &str) -> bool {
    written == "1970-01-01"
}

#[cfg(feature = "chrono")]
mod of_chrono {
    use sqlx::types::chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
    use utoipa::openapi::schema::KnownFormat;

    use super::{Form, Known, as_written, is_day, is_moment};

    impl<Z: TimeZone> Known for DateTime<Z> {
        fn form() -> Form {
            as_written(&DateTime::<Utc>::UNIX_EPOCH, KnownFormat::DateTime, is_moment)
        }
    }

    impl Known for NaiveDate {
        fn form() -> Form {
            as_written(&DateTime::<Utc>::UNIX_EPOCH.date_naive(), KnownFormat::Date, is_day)
        }
    }

    impl Known for NaiveDateTime {
        fn form() -> Form {
            as_written(&DateTime::<Utc>::UNIX_EPOCH.naive_utc(), KnownFormat::DateTime, is_moment)
        }
    }

    impl Known for NaiveTime {
        fn form() -> Form {
            as_written(&NaiveTime::MIN, KnownFormat::Time, |_| false)
        }
    }
}

#[cfg(feature = "time")]
mod of_time {
    use time::{Date, OffsetDateTime, PrimitiveDateTime, Time};
    use utoipa::openapi::schema::KnownFormat;

    use super::{Form, Known, as_written, is_day, is_moment};

    impl Known for OffsetDateTime {
        fn form() -> Form {
            as_written(&OffsetDateTime::UNIX_EPOCH, KnownFormat::DateTime, is_moment)
        }
    }

    impl Known for PrimitiveDateTime {
        fn form() -> Form {
            let epoch = OffsetDateTime::UNIX_EPOCH;
            as_written(&PrimitiveDateTime::new(epoch.date(), epoch.time()), KnownFormat::DateTime, is_moment)
        }
    }

    impl Known for Date {
        fn form() -> Form {
            as_written(&OffsetDateTime::UNIX_EPOCH.date(), KnownFormat::Date, is_day)
        }
    }

    impl Known for Time {
        fn form() -> Form {
            as_written(&Time::MIDNIGHT, KnownFormat::Time, |_| false)
        }
    }
}
