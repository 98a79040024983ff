//! What operations answer: successes as their routes say them, and problems by status, each with its codes.

use std::{any::TypeId, collections::BTreeMap, time::Duration};

use http::StatusCode;
use utoipa::openapi::{
    Content, HeaderBuilder, RefOr, Response, ResponseBuilder, Schema,
    path::Operation,
    schema::{AllOf, ObjectBuilder, Type},
};

use super::{operations::Operations, shapes::any_of};
use crate::{
    app::{Application, Group},
    auth::{Backend, SecurityScheme},
    error::{Error, Problem},
    model::{Schematic, UserModel},
    operation::{Access, Answered, Facts, Failure, GeneratedRoute, Place, Shape},
    throttle::OPERATIONS,
    validate::FieldErrors,
};

impl<A: Application> Operations<'_, A> {
    pub(super) fn add_answers(&mut self, operation: &mut Operation, group: Group, answers: &[Answered]) {
        let mut by_status: BTreeMap<u16, Vec<&Answered>> = BTreeMap::new();
        for answered in answers {
            by_status.entry(answered.status.as_u16()).or_default().push(answered);
        }
        for (status, answers) in by_status {
            let response = self.response(group, &answers);
            operation.responses.responses.insert(status.to_string(), response.into());
        }
    }

    fn response(&mut self, group: Group, answers: &[&Answered]) -> Response {
        let about: Vec<_> = answers.iter().map(|answered| answered.what).collect();
        let mut response = ResponseBuilder::new().description(about.join(" Or: ")).build();
        let mut contents: Vec<(&str, Vec<RefOr<Schema>>)> = Vec::new();
        for answered in answers {
            if !matches!(answered.shape, Shape::Nothing) {
                let schema = self.schema(group, &answered.shape);
                let media_type = answered.media_type.unwrap_or("application/json");
                match contents.iter_mut().find(|(of, _)| *of == media_type) {
                    Some((_, schemas)) => schemas.push(schema),
                    None => contents.push((media_type, vec![schema])),
                }
            }
            for (name, what) in &answered.headers {
                response.headers.insert((*name).to_owned(), header(what).into());
            }
            if answered.credential {
                self.add_credential(&mut response);
            }
        }
        for (media_type, mut schemas) in contents {
            let schema = if schemas.len() == 1 { schemas.remove(0) } else { any_of(schemas) };
            response.content.insert(media_type.to_owned(), Content::new(Some(schema)).into());
        }
        response
    }

    /// The headers that give a client its credential, or take it away.
    fn add_credential(&self, response: &mut Response) {
        for (_, scheme) in self.schemes {
            let (name, what) = match scheme {
                SecurityScheme::Cookie(_) => {
                    ("Set-Cookie", "The credential of a browser; an expired one takes it away.")
                }
                SecurityScheme::Bearer(_) | SecurityScheme::OAuth2Password => {
                    ("Authorization", "The credential of a client that is no browser, as it sends it.")
                }
                SecurityScheme::Header(_) => continue,
            };
            response.headers.insert(name.to_owned(), header(what).into());
        }
    }

    pub(super) fn add_problems(&mut self, operation: &mut Operation, route: &GeneratedRoute, facts: &Facts) {
        let mut by_status: BTreeMap<StatusCode, Vec<Failure>> = BTreeMap::new();
        let open = self.has_codes_of_its_own(route, facts);
        let general = self.general(route, facts).into_iter().map(|error| Failure::of(&error));
        for failure in general.chain(facts.failures.iter().cloned()) {
            let there = by_status.entry(failure.status).or_default();
            if !there.iter().any(|other| other.code == failure.code) {
                there.push(failure);
            }
        }
        if open {
            by_status.entry(StatusCode::FORBIDDEN).or_default();
        }
        for (status, failures) in by_status {
            let response = self.problem(status, &failures, open && status == StatusCode::FORBIDDEN);
            let status = status.as_str();
            let responses = &mut operation.responses.responses;
            // RFC 6749 has a form of its own for problems, which stands beside this one.
            match responses.get_mut(status) {
                Some(RefOr::T(there)) => there.content.extend(response.content),
                _ => drop(responses.insert(status.to_owned(), response.into())),
            }
        }
    }

    /// Whether somebody else's code may be in a 403: that of a hook, such as the one which says whom a credential stands
    /// for, of a guard, or of whoever knows the tenant.
    fn has_codes_of_its_own(&self, route: &GeneratedRoute, facts: &Facts) -> bool {
        let open = route.access == Access::Anyone && !self.guarded.contains(&route.group);
        facts.hooked || is_counted(route) || !open || Self::asks_for_tenant(route)
    }

    /// Whether the application is asked which tenant a request belongs to, and may know of none.
    fn asks_for_tenant(route: &GeneratedRoute) -> bool {
        TypeId::of::<<A::User as UserModel>::Tenant>() != TypeId::of::<()>() && route.group != Group::Docs
    }

    /// What can go wrong for no other reason than what the route is.
    fn general(&self, route: &GeneratedRoute, facts: &Facts) -> Vec<Error> {
        let mut problems = Vec::new();
        // Tokens for a form have a form of problems that is not this one (RFC 6749, section 5.2).
        if let Some(body) = facts.body.as_ref().filter(|_| route.group != Group::Tokens) {
            problems.extend([
                Error::MalformedBody("at a line and a column".to_owned()),
                Error::BodyTooLarge(self.config.body_limit),
                Error::Validation(FieldErrors::default()),
            ]);
            problems.extend(body.json.then_some(Error::UnsupportedMediaType));
        }
        if facts.parameters.iter().any(|parameter| parameter.place != Place::Path) {
            problems.push(Error::Validation(FieldErrors::default()));
        }
        if route.path.contains('{') || Self::asks_for_tenant(route) {
            problems.push(Error::NotFound);
        }
        if route.access != Access::Anyone {
            problems.push(Error::Unauthenticated);
            if self.config.require_verification && A::ROUTES.verify.is_some() {
                problems.push(Error::NotVerified);
            }
        }
        if self.guarded.contains(&route.group) {
            problems.push(Error::Forbidden);
        }
        if !route.method.is_safe() && <A::Auth as Backend<A::User>>::AMBIENT {
            problems.push(Error::CrossOrigin);
        }
        if is_counted(route) {
            problems.push(Error::TooManyRequests(Duration::ZERO));
        }
        if route.group != Group::Docs {
            problems.push(Error::unavailable("the database, a store or a mail server"));
        }
        problems
    }

    /// A response with one of these codes, or with one of somebody else's.
    fn problem(&mut self, status: StatusCode, failures: &[Failure], open: bool) -> Response {
        let problem = self.components.add_type(Schematic::of::<Problem<'static>>());
        let mut lines: Vec<_> =
            failures.iter().map(|failure| format!("- `{}`: {}", failure.code, failure.detail)).collect();
        let codes: Vec<_> = failures.iter().map(|failure| failure.code).collect();
        let known = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes));
        let code: RefOr<Schema> = if open {
            lines.push("- or a code of the application's own".to_owned());
            any_of(vec![known.into(), ObjectBuilder::new().schema_type(Type::String).into()])
        } else {
            known.into()
        };
        let codes = ObjectBuilder::new().schema_type(Type::Object).property("code", code).required("code");
        let schema = match failures {
            [] => problem,
            _ => Schema::from(AllOf::builder().item(problem).item(codes).build()).into(),
        };
        let mut response = ResponseBuilder::new().description(lines.join("\n")).build();
        response.content.insert("application/problem+json".to_owned(), Content::new(Some(schema)).into());
        let header_of_status = match status {
            StatusCode::UNAUTHORIZED => {
                Some(("WWW-Authenticate", "How to log in (RFC 9110, section 11.6.1)."))
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                Some(("Retry-After", "After how many seconds to try again."))
            }
            _ => None,
        };
        if let Some((name, what)) = header_of_status {
            response.headers.insert(name.to_owned(), header(what).into());
        }
        response
    }
}

/// Whether throttles count who uses a route; tokens for a form are a login.
fn is_counted(route: &GeneratedRoute) -> bool {
    OPERATIONS.contains(&route.operation) || route.operation == "issue_token"
}

fn header(what: &str) -> utoipa::openapi::Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .description(Some(what))
        .build()
}
