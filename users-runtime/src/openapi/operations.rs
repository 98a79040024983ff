//! The facts of routes as operations of a document.

use std::marker::PhantomData;

use http::Method;
use utoipa::openapi::{
    Components as Described, Content, HttpMethod, PathItem, RefOr, Required, Schema, SecurityRequirement,
    path::{Operation, OperationBuilder, ParameterBuilder, ParameterIn},
    request_body::{RequestBody, RequestBodyBuilder},
    schema::Object,
};

use super::{components::Components, shapes::state_identifier};
use crate::{
    app::{Application, Group},
    auth::SecurityScheme,
    config::Config,
    guard::Guards,
    model::{Schematic, UserModel},
    operation::{Access, Body, Facts, GeneratedRoute, Parameter, Place, Shape},
    password::PasswordPolicy,
};

type AdminUpdate<A> = <<A as Application>::User as UserModel>::AdminUpdate;

/// Writes operations.
pub(super) struct Operations<'a, A> {
    pub(super) config: &'a Config,
    pub(super) shown: &'a [(Option<Group>, Option<Schematic>)],
    pub(super) schemes: &'a [(String, SecurityScheme)],
    pub(super) guarded: Vec<Group>,
    pub(super) components: Components,
    /// Whether a request is described: what is not known in it is refused, while responses may grow.
    pub(super) in_request: bool,
    application: PhantomData<fn() -> A>,
}

impl<'a, A: Application> Operations<'a, A> {
    pub(super) fn new(
        config: &'a Config,
        shown: &'a [(Option<Group>, Option<Schematic>)],
        schemes: &'a [(String, SecurityScheme)],
        components: Components,
    ) -> Self {
        let Guards { current_user, sessions, .. } = A::guards();
        let mut guarded = vec![Group::Users, Group::Roles];
        guarded.extend(current_user.map(|_| Group::CurrentUser));
        guarded.extend(sessions.map(|_| Group::Sessions));
        Self { config, shown, schemes, guarded, components, in_request: false, application: PhantomData }
    }

    pub(super) fn into_components(self) -> Described {
        self.components.into_described()
    }

    /// The path of a route and the operation at it.
    pub(super) fn item(&mut self, route: &GeneratedRoute, facts: &Facts, tag: &str) -> (String, PathItem) {
        let mut operation = OperationBuilder::new()
            .operation_id(Some(route.operation))
            .tag(tag)
            .summary(Some(sentence(route.summary)))
            .description(access(route.access))
            .securities(Some(self.security(route.access)))
            .build();
        self.add_parameters(&mut operation, facts);
        self.in_request = true;
        operation.request_body = facts.body.as_ref().map(|body| self.request_body(body).into());
        self.in_request = false;
        self.add_answers(&mut operation, route.group, &facts.answers);
        self.add_problems(&mut operation, route, facts);
        (route.path.clone(), PathItem::new(method(&route.method), operation))
    }

    fn security(&self, access: Access) -> Vec<SecurityRequirement> {
        let none: [&str; 0] = [];
        match access {
            Access::Anyone => Vec::new(),
            Access::User | Access::Guarded => {
                self.schemes.iter().map(|(name, _)| SecurityRequirement::new(name, none)).collect()
            }
        }
    }

    fn add_parameters(&mut self, operation: &mut Operation, facts: &Facts) {
        let mut parameters = Vec::new();
        for Parameter { name, place, shape, required, what } in &facts.parameters {
            let (Place::Path | Place::Query) = place else {
                parameters.extend(Self::fields_as_parameters(shape));
                continue;
            };
            let place = if *place == Place::Path { ParameterIn::Path } else { ParameterIn::Query };
            let parameter = ParameterBuilder::new()
                .name(*name)
                .parameter_in(place)
                .required(if *required { Required::True } else { Required::False })
                .description((!what.is_empty()).then_some(*what))
                .schema(Some(self.schema(Group::Docs, shape)));
            parameters.push(parameter.build().into());
        }
        operation.parameters = (!parameters.is_empty()).then_some(parameters);
    }

    /// Each field of a DTO as a parameter in the query.
    fn fields_as_parameters(shape: &Shape) -> Vec<RefOr<utoipa::openapi::path::Parameter>> {
        let Shape::Dto(dto) = shape else { return Vec::new() };
        let RefOr::T(Schema::Object(object)) = (dto.schema.schema)() else { return Vec::new() };
        let parameter = |(name, mut schema): (String, RefOr<Schema>)| {
            let what = match &mut schema {
                RefOr::T(Schema::Object(object)) => object.description.take(),
                _ => None,
            };
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query);
            parameter.required(Required::False).description(what).schema(Some(schema)).build().into()
        };
        object.properties.into_iter().map(parameter).collect()
    }

    fn request_body(&mut self, body: &Body) -> RequestBody {
        let schema = match &body.shape {
            Shape::Dto(dto) | Shape::Extended(_, dto, _) => {
                let mut form = self.components.form(dto.schema);
                if let RefOr::T(Schema::Object(object)) = &mut form {
                    if (dto.schema.type_name)() == std::any::type_name::<AdminUpdate<A>>() {
                        self.leave_out_what_is_refused(object);
                    }
                    self.state_password_lengths(object);
                    state_identifier(&A::User::IDENTIFIER, object);
                }
                let mut name = (dto.schema.name)();
                if let (Shape::Extended(own, _, members), RefOr::T(Schema::Object(object))) =
                    (&body.shape, &mut form)
                {
                    self.add_members(object, members);
                    name = (*own).into();
                }
                self.components.add(&name, form)
            }
            shape => self.schema(Group::Docs, shape),
        };
        let mut described = RequestBodyBuilder::new();
        if body.json {
            described = described.content("application/json", Content::new(Some(schema.clone())));
        }
        if body.form {
            described = described.content("application/x-www-form-urlencoded", Content::new(Some(schema)));
        }
        described.required(Some(if body.required { Required::True } else { Required::False })).build()
    }

    /// What the settings let no administrator do.
    fn leave_out_what_is_refused(&self, object: &mut Object) {
        let refused = [
            ("password", !self.config.admin_sets_passwords),
            ("send_password_reset", A::ROUTES.password_reset.is_none()),
        ];
        for (key, _) in refused.into_iter().filter(|(_, refused)| *refused) {
            object.properties.shift_remove(key);
        }
    }

    /// What the settings say of passwords, of which a type knows nothing.
    fn state_password_lengths(&self, object: &mut Object) {
        let least = self.config.password_policy.min();
        for (key, least) in [("password", Some(least)), ("current_password", None)] {
            if let Some(RefOr::T(Schema::Object(password))) = object.properties.get_mut(key) {
                password.min_length = least;
                password.max_length = Some(PasswordPolicy::MAX);
            }
        }
    }
}

fn method(method: &Method) -> HttpMethod {
    match method.as_str() {
        "PUT" => HttpMethod::Put,
        "POST" => HttpMethod::Post,
        "DELETE" => HttpMethod::Delete,
        "PATCH" => HttpMethod::Patch,
        _ => HttpMethod::Get,
    }
}

/// A summary with a capital letter.
fn sentence(summary: &str) -> String {
    let mut characters = summary.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

fn access(access: Access) -> Option<&'static str> {
    match access {
        Access::Anyone => None,
        Access::User => Some("Needs a login."),
        Access::Guarded => Some(
            "Needs a login that the guard of this group lets pass: administrators unless the application says otherwise.",
        ),
    }
}
