//! The facts that a derived model states of its DTOs, as schemas.

use utoipa::openapi::{
    RefOr, Schema,
    schema::{AdditionalProperties, KnownFormat, Object, ObjectBuilder, SchemaFormat, SchemaType, Type},
};

use super::form::{Form, Probe};
use crate::{
    model::Named,
    validate::{Ranged, USERNAME_MAX},
};

/// A DTO that a derive wrote.
pub trait Dto {
    /// The type's name.
    const NAME: &'static str;
    /// What the DTO is.
    const ABOUT: &'static str;
    /// Whether a request with other keys is refused.
    const CLOSED: bool;

    /// The fields, in the struct's order.
    fn fields() -> Fields;
}

/// The fields of a DTO.
pub type Fields = Vec<Field>;

/// A field of a DTO.
pub struct Field {
    key: &'static str,
    form: Form,
    about: String,
    required: bool,
    nullable: bool,
}

impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Field").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Field {
    /// A field that is always there.
    #[must_use]
    pub fn new(key: &'static str, form: Form) -> Self {
        Self { key, form, about: String::new(), required: true, nullable: false }
    }

    /// The lines of its documentation.
    #[must_use]
    pub fn about(self, lines: &[&str]) -> Self {
        let lines: Vec<_> = lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
        Self { about: lines.join("\n").trim().to_owned(), ..self }
    }

    /// It may be absent.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { required: false, ..self }
    }

    /// It may be `null`.
    #[must_use]
    pub fn nullable(self) -> Self {
        Self { nullable: true, ..self }
    }

    /// A rule for the length of texts and lists.
    #[must_use]
    pub fn length(mut self, least: usize, greatest: usize) -> Self {
        match &mut self.form.schema {
            RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::String) => {
                object.min_length = Some(least);
                object.max_length = Some(greatest);
            }
            RefOr::T(Schema::Array(array)) => {
                array.min_items = Some(least);
                array.max_items = Some(greatest);
            }
            _ => {}
        }
        self
    }

    /// What the name of a role has to be.
    #[must_use]
    pub fn role_name(self) -> Self {
        self.length(1, USERNAME_MAX)
    }

    /// A rule for numbers.
    #[must_use]
    pub fn range(mut self, bounds: Option<Bounds>) -> Self {
        if let (Some(bounds), RefOr::T(Schema::Object(object))) = (bounds, &mut self.form.schema) {
            object.minimum = Some(bounds.0);
            object.maximum = Some(bounds.1);
        }
        self
    }

    /// The rule for mail addresses.
    #[must_use]
    pub fn email(mut self) -> Self {
        if let RefOr::T(Schema::Object(object)) = &mut self.form.schema {
            object.format = Some(SchemaFormat::KnownFormat(KnownFormat::Email));
        }
        self
    }

    fn schema(self) -> RefOr<Schema> {
        let schema = if self.nullable { self.form.nullable().schema } else { self.form.schema };
        about(schema, &self.about)
    }
}

/// The same with a description, unless it has one.
pub(super) fn about(mut schema: RefOr<Schema>, about: &str) -> RefOr<Schema> {
    if about.is_empty() {
        return schema;
    }
    match &mut schema {
        RefOr::Ref(reference) => about.clone_into(&mut reference.description),
        RefOr::T(Schema::Object(object)) => object.description = Some(about.to_owned()),
        RefOr::T(Schema::Array(array)) => array.description = Some(about.to_owned()),
        RefOr::T(Schema::OneOf(one_of)) => one_of.description = Some(about.to_owned()),
        RefOr::T(_) => {}
    }
    schema
}

/// The fields of a DTO.
#[must_use]
pub fn fields<const N: usize>(fields: [Field; N]) -> Vec<Field> {
    fields.into()
}

/// The least and the greatest of a range.
#[derive(Clone)]
pub struct Bounds(utoipa::Number, utoipa::Number);

impl std::fmt::Debug for Bounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bounds(..)")
    }
}

/// The bounds of a field that holds a number.
pub trait NumberBounds<T: Ranged> {
    /// The bounds.
    fn bounds(&self, least: T::Bound, greatest: T::Bound) -> Option<Bounds>;
}

impl<T: Ranged> NumberBounds<T> for &Probe<T> {
    fn bounds(&self, least: T::Bound, greatest: T::Bound) -> Option<Bounds> {
        Some(Bounds(number(&least.to_string())?, number(&greatest.to_string())?))
    }
}

/// The bounds of a field that holds none, about which there is a message already.
pub trait NoBounds {
    /// Nothing.
    fn bounds<L, G>(&self, least: L, greatest: G) -> Option<Bounds>;
}

impl<T> NoBounds for Probe<T> {
    fn bounds<L, G>(&self, _least: L, _greatest: G) -> Option<Bounds> {
        None
    }
}

fn number(written: &str) -> Option<utoipa::Number> {
    if let Ok(number) = written.parse::<isize>() {
        return Some(utoipa::Number::Int(number));
    }
    written.parse().ok().filter(|number: &f64| number.is_finite()).map(utoipa::Number::Float)
}

/// The schema of a DTO.
#[must_use]
pub fn schema<T: Dto>() -> RefOr<Schema> {
    let mut object = ObjectBuilder::new().schema_type(Type::Object).description(Some(T::ABOUT)).build();
    if T::CLOSED {
        object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    }
    for field in T::fields() {
        add(&mut object, field.key, field.required, field.schema());
    }
    object.into()
}

/// What the schema of a DTO refers to by name.
pub fn named<T: Dto>(named: &mut Named) {
    named.extend(T::fields().into_iter().flat_map(|field| field.form.named));
}

pub(super) fn add(object: &mut Object, key: &str, required: bool, schema: RefOr<Schema>) {
    object.properties.insert(key.to_owned(), schema);
    if required {
        object.required.push(key.to_owned());
    }
}

/// A field of a DTO: its key, and the form of its type.
#[doc(hidden)]
#[macro_export]
macro_rules! __field {
    ($key:literal: $type:ty) => {{
        #[allow(unused_imports)]
        use $crate::__private::openapi::{AnyForms as _, JsonForms as _, KnownForms as _, OwnForms as _};
        $crate::__private::openapi::Field::new(
            $key,
            (&&&&$crate::__private::openapi::Probe::<$type>::NEW).form(),
        )
    }};
}

/// The bounds of a range for a field of this type.
#[doc(hidden)]
#[macro_export]
macro_rules! __bounds {
    ($type:ty: $least:expr, $greatest:expr) => {{
        #[allow(unused_imports)]
        use $crate::__private::openapi::{NoBounds as _, NumberBounds as _};
        (&&$crate::__private::openapi::Probe::<$type>::NEW).bounds($least, $greatest)
    }};
}

/// The traits of utoipa for a DTO that a derive wrote.
#[doc(hidden)]
#[macro_export]
macro_rules! __schema {
    ($dto:ident) => {
        impl $crate::__private::openapi::utoipa::PartialSchema for $dto {
            fn schema() -> $crate::__private::openapi::utoipa::openapi::RefOr<
                $crate::__private::openapi::utoipa::openapi::Schema,
            > {
                $crate::__private::openapi::schema::<Self>()
            }
        }

        impl $crate::__private::openapi::utoipa::ToSchema for $dto {
            fn name() -> $crate::__private::openapi::Cow<'static, ::core::primitive::str> {
                $crate::__private::openapi::Cow::Borrowed(<Self as $crate::__private::openapi::Dto>::NAME)
            }

            fn schemas(named: &mut $crate::__private::openapi::Named) {
                $crate::__private::openapi::named::<Self>(named);
            }
        }
    };
}
