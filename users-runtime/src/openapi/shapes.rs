//! The forms of values as schemas.

use utoipa::openapi::{
    RefOr, Schema,
    schema::{AllOf, AnyOf, Array, KnownFormat, Object, ObjectBuilder, SchemaFormat, SchemaType, Type},
};

use super::{
    dto::{about, add},
    form::{nullable, secret, text},
    operations::Operations,
};
use crate::{
    app::{Application, Group},
    db::sort_columns,
    model::{Identifier, RoleModel, Schematic, UserModel},
    operation::{Dto, Member, Shape},
    password::PasswordPolicy,
    validate::{EMAIL_MAX_BYTES as EMAIL_MAX, IdentifierKind, USERNAME_MAX},
};

impl<A: Application> Operations<'_, A> {
    pub(super) fn schema(&mut self, group: Group, shape: &Shape) -> RefOr<Schema> {
        match shape {
            Shape::Nothing | Shape::AnyObject => ObjectBuilder::new().schema_type(Type::Object).into(),
            Shape::Dto(dto) => self.components.add_type(dto.schema),
            Shape::ListOf(dto) => Array::new(self.components.add_type(dto.schema)).into(),
            Shape::Many(shape) => Array::new(self.schema(group, shape)).into(),
            Shape::Extended(name, dto, members) => self.extended(name, *dto, members),
            Shape::Object(name, members) => self.object(name, members, self.in_request),
            Shape::Form(name, members) => self.object(name, members, false),
            Shape::OneOf(shapes) => {
                let schemas = shapes.iter().map(|shape| self.schema(group, shape)).collect();
                any_of(schemas)
            }
            Shape::User => self.user(group).0,
            Shape::UpdatedUser => self.updated_user(group),
            Shape::UserPage => self.user_page(group),
            Shape::Identifier => Self::identifier(),
            Shape::Password => secret().max_length(Some(PasswordPolicy::MAX)).into(),
            Shape::NewPassword => {
                let least = self.config.password_policy.min();
                secret().min_length(Some(least)).max_length(Some(PasswordPolicy::MAX)).into()
            }
            Shape::Token => text(KnownFormat::Password).min_length(Some(1)).into(),
            Shape::Given(shape) => given(self.schema(group, shape)),
            Shape::Text | Shape::Page => ObjectBuilder::new().schema_type(Type::String).into(),
            Shape::Url => {
                let format = Some(SchemaFormat::Custom("uri".to_owned()));
                ObjectBuilder::new().schema_type(Type::String).format(format).into()
            }
            Shape::Word(words) => {
                ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words.iter().copied())).into()
            }
            Shape::Order => Self::order(),
            Shape::Next => nullable(ObjectBuilder::new().schema_type(Type::String).into()),
            Shape::Moment => text(KnownFormat::DateTime).into(),
            Shape::Uuid => text(KnownFormat::Uuid).into(),
            Shape::Integer => integer().into(),
            Shape::Between(least, greatest, default) => {
                let default = default.map(Into::into);
                integer().minimum(Some(*least)).maximum(Some(*greatest)).default(default).into()
            }
            Shape::Flag => ObjectBuilder::new().schema_type(Type::Boolean).into(),
        }
    }

    /// What lists are sorted by.
    fn order() -> RefOr<Schema> {
        let own = sort_columns::<A::User>().iter().map(|column| column.key);
        let names = ["id", A::User::IDENTIFIER.field].into_iter().chain(own);
        let both = names.flat_map(|name| [name.to_owned(), format!("-{name}")]);
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(both)).into()
    }

    /// What people log in with, as typed: whatever it is, it is answered alike.
    fn identifier() -> RefOr<Schema> {
        let kind = match A::User::IDENTIFIER.kind {
            IdentifierKind::Email => "The mail address.",
            IdentifierKind::Username => "The name.",
        };
        ObjectBuilder::new().schema_type(Type::String).description(Some(kind)).into()
    }

    fn object(&mut self, name: &str, members: &[Member], closed: bool) -> RefOr<Schema> {
        let mut object = ObjectBuilder::new().schema_type(Type::Object).build();
        for Member { key, shape, required, what } in members {
            let schema = self.schema(Group::Docs, shape);
            add(&mut object, key, *required, about(schema, what));
        }
        object.additional_properties =
            closed.then(|| Box::new(utoipa::openapi::schema::AdditionalProperties::FreeForm(false)));
        self.components.add(name, object)
    }

    fn extended(&mut self, name: &str, dto: Dto, members: &[Member]) -> RefOr<Schema> {
        let RefOr::T(Schema::Object(mut object)) = self.components.form(dto.schema) else {
            return self.components.add_type(dto.schema);
        };
        self.add_members(&mut object, members);
        self.components.add(name, object)
    }

    pub(super) fn add_members(&mut self, object: &mut Object, members: &[Member]) {
        for Member { key, shape, required, what } in members {
            let schema = self.schema(Group::Docs, shape);
            add(object, key, *required, about(schema, what));
        }
    }

    /// What responses show of a user, and the name that goes before those of what holds one.
    fn user(&mut self, group: Group) -> (RefOr<Schema>, String) {
        let of = |wanted| self.shown.iter().rfind(|(of, _)| *of == wanted).map(|(_, own)| *own);
        match of(Some(group)).or_else(|| of(None)) {
            Some(Some(own)) => {
                let name = (own.name)().into_owned();
                (self.components.add_type(own), name.strip_suffix("Read").unwrap_or(&name).to_owned())
            }
            Some(None) => (ObjectBuilder::new().schema_type(SchemaType::AnyValue).into(), "User".to_owned()),
            None => self.generated_user(),
        }
    }

    /// The generated DTO, with the roles behind the struct's own fields.
    fn generated_user(&mut self) -> (RefOr<Schema>, String) {
        let read = Schematic::of::<<A::User as UserModel>::Read>();
        let name = (read.name)().into_owned();
        let base = name.strip_suffix("Read").unwrap_or(&name).to_owned();
        let schema = self.components.form(read);
        let RefOr::T(Schema::Object(mut object)) = schema else { return (schema, base) };
        state_identifier(&A::User::IDENTIFIER, &mut object);
        if !<<A::User as UserModel>::Role as RoleModel>::PRESENT {
            return (self.components.add(&name, object), base);
        }
        let role = Schematic::of::<<<A::User as UserModel>::Role as RoleModel>::Read>();
        let roles = Array::new(self.components.add_type(role));
        add(&mut object, "roles", true, about(roles.into(), "The roles that the user has."));
        (self.components.add(&format!("{base}WithRoles"), object), base)
    }

    fn updated_user(&mut self, group: Group) -> RefOr<Schema> {
        let (user, base) = self.user(group);
        let pending = ObjectBuilder::new().schema_type(Type::String).description(Some(
            "The new identifier, which waits for its confirmation; the old one works until then.",
        ));
        let name = format!("Updated{base}");
        match self.components.resolve(&user) {
            Some(Schema::Object(mut object)) => {
                add(&mut object, "pending_identifier", false, pending.into());
                self.components.add(&name, object)
            }
            _ => {
                let pending =
                    ObjectBuilder::new().schema_type(Type::Object).property("pending_identifier", pending);
                let both = AllOf::builder().item(user).item(pending).build();
                self.components.add(&name, Schema::from(both))
            }
        }
    }

    fn user_page(&mut self, group: Group) -> RefOr<Schema> {
        let (user, base) = self.user(group);
        let mut page = ObjectBuilder::new().schema_type(Type::Object).build();
        add(&mut page, "items", true, Array::new(user).into());
        let next = nullable(ObjectBuilder::new().schema_type(Type::String).into());
        add(&mut page, "next", true, about(next, "What `after` takes for the page behind this one."));
        let limit = integer().description(Some("How many there was room for."));
        add(&mut page, "limit", true, limit.into());
        let total =
            integer().minimum(Some(0)).description(Some("How many all pages hold, if `total` asked."));
        add(&mut page, "total", false, total.into());
        self.components.add(&format!("{base}Page"), page)
    }
}

/// What the kind of identifier says of the field that holds it.
pub(super) fn state_identifier(identifier: &Identifier, object: &mut Object) {
    let Some(RefOr::T(Schema::Object(field))) = object.properties.get_mut(identifier.field) else { return };
    match identifier.kind {
        IdentifierKind::Email => {
            field.format = Some(SchemaFormat::KnownFormat(KnownFormat::Email));
            field.max_length = field.max_length.or(Some(EMAIL_MAX));
        }
        IdentifierKind::Username => {
            field.min_length = field.min_length.or(Some(1));
            field.max_length = field.max_length.or(Some(USERNAME_MAX));
        }
    }
}

/// The same, and not empty.
fn given(mut schema: RefOr<Schema>) -> RefOr<Schema> {
    if let RefOr::T(Schema::Object(text)) = &mut schema {
        text.min_length = Some(1);
    }
    schema
}

fn integer() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
}

pub(super) fn any_of(schemas: Vec<RefOr<Schema>>) -> RefOr<Schema> {
    let any = schemas.into_iter().fold(AnyOf::builder(), utoipa::openapi::schema::AnyOfBuilder::item);
    Schema::from(any.build()).into()
}
