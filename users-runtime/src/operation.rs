//! A generated route in facts: who may use it, what it takes and what it answers.
//!
//! The facts of a route stand beside its handler. They name no part of OpenAPI; the module `openapi` makes its document
//! of them, and a program without that feature never asks for them.

#![cfg_attr(
    not(feature = "openapi"),
    allow(dead_code, reason = "only the document reads what an operation takes and answers")
)]

use std::{any::TypeId, fmt};

use http::{Method, StatusCode};

use crate::{app::Group, error::Error, model::Described};

/// A route that the library generates.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GeneratedRoute {
    /// The method; a `GET` answers `HEAD` too.
    pub method: Method,
    /// The path, with `{id}` where a key stands.
    pub path: String,
    /// The group.
    pub group: Group,
    /// Who may use it.
    pub access: Access,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// The name of the operation, as clients call it: the `operationId` of the OpenAPI document.
    pub operation: &'static str,
}

/// Who may use a generated route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Access {
    /// Everybody.
    Anyone,
    /// Whoever is logged in, and passes the guard of the group if there is one.
    User,
    /// Users whom the guard of the group lets pass: administrators unless `routes(...)` names another one.
    Guarded,
}

/// What an operation takes and answers, beyond what follows from its path, its body and who may use it.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    pub(crate) answers: Vec<Answered>,
    pub(crate) failures: Vec<Failure>,
    /// Whether a hook of the application's own may refuse, with a code that nobody knows here.
    pub(crate) hooked: bool,
}

impl Facts {
    /// The type of `{id}` in the path.
    pub(crate) fn keyed_by<Id: 'static>(self, what: &'static str) -> Self {
        self.in_path("id", Shape::key::<Id>(), what)
    }

    /// A parameter in the path.
    pub(crate) fn in_path(self, name: &'static str, shape: Shape, what: &'static str) -> Self {
        self.parameter(Parameter { name, place: Place::Path, shape, required: true, what })
    }

    /// A parameter in the query that may be absent.
    pub(crate) fn in_query(self, name: &'static str, shape: Shape, what: &'static str) -> Self {
        self.parameter(Parameter { name, place: Place::Query, shape, required: false, what })
    }

    /// Every field of a DTO as a parameter in the query that may be absent.
    pub(crate) fn queried_by<T: Described>(self) -> Self {
        let shape = Shape::of::<T>();
        self.parameter(Parameter { name: "", place: Place::Fields, shape, required: false, what: "" })
    }

    fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// A body in JSON.
    pub(crate) fn takes(self, shape: Shape) -> Self {
        Self { body: Some(Body { shape, json: true, form: false, required: true }), ..self }
    }

    /// A body that is a form, `application/x-www-form-urlencoded`.
    pub(crate) fn takes_form(self, shape: Shape) -> Self {
        Self { body: Some(Body { shape, json: false, form: true, required: true }), ..self }
    }

    /// A body that may be absent, in JSON or a form.
    pub(crate) fn may_take(self, shape: Shape) -> Self {
        Self { body: Some(Body { shape, json: true, form: true, required: false }), ..self }
    }

    /// A body in JSON that may be absent.
    pub(crate) fn may_take_json(self, shape: Shape) -> Self {
        Self { body: Some(Body { shape, json: true, form: false, required: false }), ..self }
    }

    /// A success, or a redirect. A status that is named twice answers one or the other.
    pub(crate) fn answers(mut self, status: StatusCode, shape: Shape, what: &'static str) -> Self {
        let (credential, headers) = (false, Vec::new());
        self.answers.push(Answered { status, shape, what, media_type: None, credential, headers });
        self
    }

    /// The media type of the last answer, where it is not JSON.
    pub(crate) fn typed(mut self, media_type: &'static str) -> Self {
        if let Some(last) = self.answers.last_mut() {
            last.media_type = Some(media_type);
        }
        self
    }

    /// A header of the last answer.
    pub(crate) fn with_header(mut self, name: &'static str, what: &'static str) -> Self {
        if let Some(last) = self.answers.last_mut() {
            last.headers.push((name, what));
        }
        self
    }

    /// The last answer gives the client its credential, or takes it away: by cookies, or in a header.
    pub(crate) fn with_credential(mut self) -> Self {
        if let Some(last) = self.answers.last_mut() {
            last.credential = true;
        }
        self
    }

    /// What can go wrong beside what goes wrong everywhere. An error stands for its status and its code; what it carries
    /// besides is of no account.
    #[expect(clippy::needless_pass_by_value, reason = "a list in place reads better than a reference to one")]
    pub(crate) fn fails<const N: usize>(mut self, errors: [Error; N]) -> Self {
        self.failures.extend(errors.iter().map(Failure::of));
        self
    }

    /// A hook of the application's own may refuse.
    pub(crate) fn hooked(self) -> Self {
        Self { hooked: true, ..self }
    }
}

/// A parameter of a request's.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    pub(crate) what: &'static str,
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In the query, one for each field of the shape.
    Fields,
}

/// The body of a request.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) shape: Shape,
    pub(crate) json: bool,
    pub(crate) form: bool,
    pub(crate) required: bool,
}

/// A response that is no problem.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) shape: Shape,
    pub(crate) what: &'static str,
    /// JSON where it is absent.
    pub(crate) media_type: Option<&'static str>,
    pub(crate) credential: bool,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
}

/// A problem that an operation may answer.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) detail: String,
}

impl Failure {
    /// The problem that this error is answered as.
    pub(crate) fn of(error: &Error) -> Self {
        Self { status: error.status(), code: error.code(), detail: error.to_string() }
    }
}

/// The form of a value.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    /// No body.
    Nothing,
    /// What says its form itself.
    Dto(Dto),
    /// A list of them.
    ListOf(Dto),
    /// A list of something.
    Many(Box<Shape>),
    /// What says its form itself, with members beside its own, under this name.
    Extended(&'static str, Dto, Vec<Member>),
    /// An object that has no type in Rust, under this name.
    Object(&'static str, Vec<Member>),
    /// The same in a form, where what is not known is passed over (RFC 6749, section 3.2).
    Form(&'static str, Vec<Member>),
    /// Of several forms one.
    OneOf(Vec<Shape>),
    /// A user as the group shows one.
    User,
    /// The same with the identifier that waits for its confirmation.
    UpdatedUser,
    /// A page of them.
    UserPage,
    /// What people log in with.
    Identifier,
    /// A password as it is.
    Password,
    /// A password that is to be.
    NewPassword,
    /// A secret that the library made.
    Token,
    /// A text that is as good as absent when it is empty.
    Given(Box<Shape>),
    /// What lists are sorted by.
    Order,
    /// What a list goes on with; `null` on its last page.
    Next,
    /// A text.
    Text,
    /// A URL.
    Url,
    /// A moment, as RFC 3339 writes it.
    Moment,
    /// One of these texts.
    Word(&'static [&'static str]),
    /// A UUID.
    Uuid,
    /// A whole number.
    Integer,
    /// A whole number between these, and the one that is meant where there is none.
    Between(u32, u32, Option<u32>),
    /// A flag.
    Flag,
    /// Any object.
    AnyObject,
    /// A page for people.
    Page,
}

impl Shape {
    /// What this type says of itself.
    pub(crate) fn of<T: Described>() -> Self {
        Self::Dto(Dto::of::<T>())
    }

    /// A list of what this type says of itself.
    pub(crate) fn list_of<T: Described>() -> Self {
        Self::ListOf(Dto::of::<T>())
    }

    /// The key of a model: a UUID or a number.
    pub(crate) fn key<Id: 'static>() -> Self {
        if TypeId::of::<Id>() == TypeId::of::<uuid::Uuid>() { Self::Uuid } else { Self::Integer }
    }

    /// A form that has no type in Rust.
    pub(crate) fn form<const N: usize>(name: &'static str, members: [Member; N]) -> Self {
        Self::Form(name, members.into())
    }

    /// A text that is as good as absent when it is empty.
    pub(crate) fn given(shape: Self) -> Self {
        Self::Given(Box::new(shape))
    }

    /// What this type says of itself, with members beside its own.
    pub(crate) fn extended<T: Described, const N: usize>(name: &'static str, members: [Member; N]) -> Self {
        Self::Extended(name, Dto::of::<T>(), members.into())
    }

    /// An object that has no type in Rust.
    pub(crate) fn object<const N: usize>(name: &'static str, members: [Member; N]) -> Self {
        Self::Object(name, members.into())
    }
}

/// A type that says its form itself.
#[derive(Clone, Copy)]
pub(crate) struct Dto {
    #[cfg(feature = "openapi")]
    pub(crate) schema: crate::model::Schematic,
}

impl Dto {
    #[cfg_attr(
        not(feature = "openapi"),
        expect(clippy::extra_unused_type_parameters, reason = "only the document asks for the form")
    )]
    fn of<T: Described>() -> Self {
        Self {
            #[cfg(feature = "openapi")]
            schema: crate::model::Schematic::of::<T>(),
        }
    }
}

impl fmt::Debug for Dto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dto(..)")
    }
}

/// A key of an object that has no type in Rust.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) key: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    pub(crate) what: &'static str,
}

impl Member {
    pub(crate) fn new(key: &'static str, shape: Shape, what: &'static str) -> Self {
        Self { key, shape, required: true, what }
    }

    /// It may be absent.
    pub(crate) fn optional(self) -> Self {
        Self { required: false, ..self }
    }
}
