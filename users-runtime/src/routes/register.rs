//! Group `register`.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode};

use super::{Generated, Group, Route, answer};
use crate::{
    app::{Application, RegisterRoutes},
    error::Error,
    json,
    model::UserModel,
    operation::{Facts, Member, Shape},
    registration::Registration,
    service::Scope,
};

/// The key that a registration by invitation has beside those of the DTO.
const INVITATION: &str = "invitation";

pub(super) fn routes<A: Application>(paths: RegisterRoutes, mode: Registration) -> [Route<A>; 1] {
    [Route::public(Group::Register, Method::POST, paths.path, "a new account")
        .named("register")
        .described(|it| facts::<A>(it, mode))
        .answered_by(register::<A>)]
}

/// What a registration takes and answers in this mode.
fn facts<A: Application>(facts: Facts, mode: Registration) -> Facts {
    type Body<A> = <<A as Application>::User as UserModel>::Registration;
    let stored = |facts: Facts| {
        facts
            .answers(StatusCode::CREATED, Shape::User, "The user that is stored.")
            .fails([Error::IdentifierTaken, Error::Overloaded])
            .hooked()
    };
    match mode {
        Registration::Open => stored(facts.takes(Shape::of::<Body<A>>())),
        Registration::Private => facts
            .takes(Shape::of::<Body<A>>())
            .answers(
                StatusCode::ACCEPTED,
                Shape::Nothing,
                "The same whether or not there is such an account; a mail says what comes next.",
            )
            .fails([Error::Overloaded])
            .hooked(),
        Registration::InviteOnly => {
            let invitation = Member::new(INVITATION, Shape::Token, "The token of the invitation.");
            stored(facts.takes(Shape::extended::<Body<A>, 1>("InvitedRegistration", [invitation])))
                .fails([Error::InvitationInvalid])
        }
        Registration::Closed => facts.takes(Shape::of::<Body<A>>()).fails([Error::RegistrationClosed]),
    }
}

async fn register<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    request: Request,
) -> Result<Response, Error> {
    let (mut parts, body) = request.into_parts();
    let (limit, mode) = (users.body_limit(), users.registration_mode());
    let registration = match mode {
        Registration::Closed => return Err(Error::RegistrationClosed),
        Registration::InviteOnly => {
            let (registration, token) = json::dto_beside(&parts.headers, body, limit, INVITATION).await?;
            // Before anything else is done for somebody who may not be invited.
            parts.extensions.insert(users.read_invitation(token.expose())?);
            registration
        }
        Registration::Open | Registration::Private => json::dto(&parts.headers, body, limit).await?,
    };
    let stored =
        answer!(generated.register(users, parts, registration), users.register(&parts, registration));
    match (mode, stored) {
        // One answer, whoever it is (enumeration).
        (Registration::Private, Ok(_) | Err(Error::IdentifierTaken)) => {
            Ok(StatusCode::ACCEPTED.into_response())
        }
        (_, stored) => {
            let user = generated.show(Group::Register, &users, stored?).await?;
            Ok((StatusCode::CREATED, Json(user)).into_response())
        }
    }
}
