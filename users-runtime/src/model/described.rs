//! What says its form in the OpenAPI document.

/// A type that says its form in the OpenAPI document: anything with `utoipa::ToSchema`.
#[cfg(feature = "openapi")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say its form in the OpenAPI document",
    label = "this type lacks `utoipa::ToSchema`"
)]
pub trait Described: utoipa::ToSchema {}

#[cfg(feature = "openapi")]
#[diagnostic::do_not_recommend]
impl<T: utoipa::ToSchema> Described for T {}

/// A type that would say its form in the OpenAPI document, were it switched on.
#[cfg(not(feature = "openapi"))]
pub trait Described {}

#[cfg(not(feature = "openapi"))]
impl<T> Described for T {}

/// A type's form, without the type.
#[cfg(feature = "openapi")]
#[derive(Clone, Copy)]
pub(crate) struct Schematic {
    /// Which type it is.
    pub(crate) type_name: fn() -> &'static str,
    /// The name in the document.
    pub(crate) name: fn() -> std::borrow::Cow<'static, str>,
    /// The form itself.
    pub(crate) schema: fn() -> utoipa::openapi::RefOr<utoipa::openapi::Schema>,
    /// What the form refers to by name.
    pub(crate) named: fn(&mut Named),
}

/// Forms by their names.
#[cfg(feature = "openapi")]
pub type Named = Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>;

#[cfg(feature = "openapi")]
impl Schematic {
    pub(crate) fn of<T: Described>() -> Self {
        Self { type_name: std::any::type_name::<T>, name: T::name, schema: T::schema, named: T::schemas }
    }
}
