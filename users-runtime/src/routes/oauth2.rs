//! Group `oauth2`: sign-in through providers, and the accounts there that users link.

use axum::{
    Json,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, StatusCode, header, request::Parts};
use serde::Serialize;

use super::{Generated, Group, Key, Route, auth::with_credential};
use crate::{
    app::{Application, OAuth2Routes},
    auth::cookie,
    clock,
    error::{Error, OAuthFailure},
    extract::CurrentUser,
    json,
    model::{OAuthAccountModel, UserModel},
    operation::{Facts, Member, Shape},
    service::{Begun, LinkedAccount, PATIENCE, Pending, ProviderAnswer, Scope, TRANSACTION, Wishes},
    validate::Violation,
};

type User<A> = <A as Application>::User;
type Account<A> = <User<A> as UserModel>::OAuthAccount;
type AccountKey<A> = Key<<Account<A> as OAuthAccountModel>::Id>;

pub(super) fn routes<A: Application>(paths: OAuth2Routes) -> [Route<A>; 7] {
    let below = |path, end| format!("{path}/{{provider}}/{end}");
    let public = |method, end, what| {
        let route = Route::public(Group::OAuth2, method, &below(paths.path, end), what);
        route.described(|it| it.in_path("provider", Shape::Text, PROVIDER))
    };
    let user = |method, path: &str, what| Route::of_users(Group::OAuth2, method, path, what);
    let users = |method, end, what| {
        let route = user(method, &below(paths.associate, end), what);
        route.described(|it| it.in_path("provider", Shape::Text, PROVIDER))
    };
    let item = || {
        Shape::extended::<<Account<A> as OAuthAccountModel>::Read, _>(
            "LinkedAccount",
            [
                Member::new("issuer", Shape::Text, "Who vouches for the account."),
                Member::new("linked_at", Shape::Moment, "When it was linked."),
            ],
        )
    };
    [
        public(Method::GET, "authorize", "begins a sign-in through a provider")
            .named("begin_sign_in")
            .described(begins)
            .answered_by(authorize::<A>),
        public(Method::GET, "callback", "ends a sign-in through a provider")
            .named("end_sign_in")
            .described(|it| {
                let it =
                    it.answers(StatusCode::CREATED, Shape::User, "The user, signed in.").with_credential();
                let it = ends(it).with_credential();
                it.fails([Error::NotVerified, Error::Forbidden])
                    .fails(failures())
                    .fails([
                        Error::OAuth(OAuthFailure::NoEmail),
                        Error::OAuth(OAuthFailure::AccountExists),
                        Error::OAuth(OAuthFailure::Incomplete),
                        Error::OAuth(OAuthFailure::Closed),
                    ])
                    .hooked()
            })
            .answered_by(callback::<A>),
        public(Method::POST, "callback", "the same for providers that answer by a form")
            .named("end_sign_in_by_form")
            .described(|it| {
                it.takes_form(Shape::AnyObject)
                    .answers(StatusCode::SEE_OTHER, Shape::Nothing, "The same as a `GET`.")
                    .with_header("Location", "The path of the `GET`.")
            })
            .answered_by(form_callback),
        user(Method::GET, paths.associate, "the own linked accounts")
            .named("list_linked_accounts")
            .described(|it| {
                it.answers(
                    StatusCode::OK,
                    Shape::object(
                        "LinkedAccounts",
                        [Member::new("items", Shape::Many(Box::new(item())), "The oldest first.")],
                    ),
                    "The accounts.",
                )
            })
            .answered_by(list::<A>),
        users(Method::GET, "authorize", "begins to link an account")
            .named("begin_linking")
            .described(begins)
            .answered_by(link::<A>),
        users(Method::GET, "callback", "links an account")
            .named("end_linking")
            .described(|it| {
                let it = ends(it.answers(StatusCode::CREATED, item(), "The account."));
                it.fails(failures()).fails([Error::OAuth(OAuthFailure::IdentityTaken)]).hooked()
            })
            .answered_by(linked::<A>),
        user(Method::DELETE, &format!("{}/{{id}}", paths.associate), "unlinks an account")
            .named("unlink_account")
            .described(|it| {
                it.in_path("id", Shape::key::<<Account<A> as OAuthAccountModel>::Id>(), "The account's key.")
                    .answers(StatusCode::NO_CONTENT, Shape::Nothing, "It is unlinked.")
                    .fails([Error::LastWayIn])
            })
            .answered_by(unlink::<A>),
    ]
}

const PROVIDER: &str = "The provider's name in the settings.";

/// What both beginnings take and answer.
fn begins(it: Facts) -> Facts {
    it.in_query(
        "redirect_url",
        Shape::Text,
        "Where the browser is to go in the end, if that is an allowed place.",
    )
    .in_query("scopes", Shape::Text, "What else to ask the provider for, separated by spaces or commas.")
    .answers(
        StatusCode::OK,
        Shape::object(
            "Authorization",
            [Member::new("authorization_url", Shape::Url, "Where to send the browser.")],
        ),
        "Where to send the browser, which keeps a cookie until it is back.",
    )
    .fails([Error::NotFound])
}

/// What both ends take, and where they send a browser that is to go somewhere.
fn ends(it: Facts) -> Facts {
    it.in_query("state", Shape::Text, "What the beginning gave the provider.")
        .in_query("code", Shape::Text, "What the provider gives for it.")
        .in_query("error", Shape::Text, "Why the provider gives nothing.")
        .in_query("iss", Shape::Text, "Who answers (RFC 9207).")
        .answers(StatusCode::SEE_OTHER, Shape::Nothing, "The same, for a browser that is to go to a page.")
        .with_header("Location", "The page; with `error=` and the code of the problem where there is one.")
        .fails([Error::NotFound])
}

fn failures() -> [Error; 3] {
    let unproven = Error::OAuth(OAuthFailure::Provider("no proof".into()));
    [Error::OAuth(OAuthFailure::State), Error::OAuth(OAuthFailure::Denied), unproven]
}

/// The answer to a beginning.
#[derive(Serialize)]
struct Authorization {
    authorization_url: String,
}

/// The provider in the path. A prefix under which the application nests the router may have parameters too.
fn provider(parameters: Vec<(String, String)>) -> Result<String, Error> {
    let provider = parameters.into_iter().rfind(|(name, _)| name == "provider").map(|(_, text)| text);
    provider.ok_or(Error::NotFound)
}

type Parameters = Path<Vec<(String, String)>>;

async fn authorize<A: Application>(
    users: Scope<A>,
    Path(parameters): Parameters,
    request: Request,
) -> Result<Response, Error> {
    let wishes = wishes(request.uri())?;
    begun(&users, users.begin_oauth(&provider(parameters)?, &wishes, None).await?)
}

async fn link<A: Application>(
    users: Scope<A>,
    user: CurrentUser<A::User>,
    Path(parameters): Parameters,
    request: Request,
) -> Result<Response, Error> {
    let wishes = wishes(request.uri())?;
    begun(&users, users.begin_oauth(&provider(parameters)?, &wishes, Some(user.principal())).await?)
}

/// What the query asks for; a key that is not known is refused, because it would be a wish that nobody grants.
fn wishes(uri: &http::Uri) -> Result<Wishes, Error> {
    let mut wishes = Wishes::default();
    let mut asked = false;
    for (key, value) in json::parameters(uri)? {
        let twice = match key.as_str() {
            "redirect_url" => wishes.redirect_url.replace(value).is_some(),
            "scopes" => {
                let separators = [' ', ','];
                let scopes = value.split(separators).filter(|scope| !scope.is_empty());
                wishes.scopes = scopes.map(ToOwned::to_owned).collect();
                std::mem::replace(&mut asked, true)
            }
            _ => return Err(Error::field(key, Violation::new("unknown_field", "is not known here"))),
        };
        if twice {
            return Err(Error::field(key, Violation::new("duplicate_field", "is there twice")));
        }
    }
    Ok(wishes)
}

/// Sends the browser on its way, with what it is to bring back.
fn begun<A: Application>(users: &Scope<A>, begun: Begun) -> Result<Response, Error> {
    let lifetime = std::time::Duration::from_millis(PATIENCE.unsigned_abs());
    let config = &users.directory().config;
    let cookie = cookie::give(config, TRANSACTION, &begun.transaction, Some(lifetime))?;
    let body = Authorization { authorization_url: begun.authorization_url.into() };
    let mut response = Json(body).into_response();
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

async fn callback<A: Application>(
    State(generated): State<Generated<A>>,
    Path(parameters): Parameters,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let Some(pending) = pending(&generated, &parts) else {
        return Err(Error::OAuth(OAuthFailure::State));
    };
    let users = generated.users.scope(pending.tenant().clone());
    let ended = async {
        let answer = answer(&parts)?;
        users.sign_in(&parts, &provider(parameters)?, &pending, &answer).await
    };
    let response = match (ended.await, pending.redirect()) {
        (Ok((_, credential)), Some(target)) => with_credential(go(target)?, credential.without_tokens()),
        (Ok((user, credential)), None) => {
            let body = Json(generated.show(Group::OAuth2, &users, user).await?);
            with_credential((StatusCode::CREATED, body).into_response(), credential)
        }
        (Err(error), target) => refused(error, target)?,
    };
    over(&users, response)
}

async fn linked<A: Application>(
    State(generated): State<Generated<A>>,
    users: Scope<A>,
    user: CurrentUser<A::User>,
    Path(parameters): Parameters,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let Some(pending) = pending(&generated, &parts) else {
        return Err(Error::OAuth(OAuthFailure::State));
    };
    let ended = async {
        let answer = answer(&parts)?;
        users.associate(&parts, &provider(parameters)?, user.principal(), &pending, &answer).await
    };
    let response = match (ended.await, pending.redirect()) {
        (Ok(_), Some(target)) => go(target)?,
        (Ok(account), None) => (StatusCode::CREATED, Json(Shown::<A>::new(&account)?)).into_response(),
        (Err(error), target) => refused(error, target)?,
    };
    over(&users, response)
}

/// What the provider sent the browser back with.
fn answer(request: &Parts) -> Result<ProviderAnswer, Error> {
    ProviderAnswer::parse(&json::parameters(&request.uri)?).ok_or(Error::OAuth(OAuthFailure::State))
}

/// What the browser kept of a sign-in.
fn pending<A: Application>(generated: &Generated<A>, request: &Parts) -> Option<Pending<A::User>> {
    let text = cookie::read(generated.users.config(), request, TRANSACTION)?;
    generated.users.pending_oauth(text)
}

/// Takes what the browser kept away from it: an answer is good once.
fn over<A: Application>(users: &Scope<A>, mut response: Response) -> Result<Response, Error> {
    let cookie = cookie::take(&users.directory().config, TRANSACTION)?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    // The code is in the URL, and of no use to the page that comes next.
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

/// Sends the browser on.
fn go(target: &str) -> Result<Response, Error> {
    let target = HeaderValue::try_from(target).map_err(Error::internal)?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, target)]).into_response())
}

/// A refusal, told to the page that the browser was to go to if there is one: people have a use for a page, and none for a
/// problem document.
fn refused(error: Error, target: Option<&str>) -> Result<Response, Error> {
    let Some(target) = target.filter(|_| error.status().is_client_error()) else {
        return Ok(error.into_response());
    };
    let mut target = url::Url::parse(target).map_err(Error::internal)?;
    target.query_pairs_mut().append_pair("error", error.code());
    // What there is to log of it.
    drop(error.into_response());
    go(target.as_str())
}

/// Sends a form of the provider's on as a `GET`, which browsers send our cookies with; a `POST` from another site comes
/// without them (`SameSite=Lax`). It reads no cookie and changes nothing.
async fn form_callback(request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let form = json::form(&parts.headers, body, FORM_MAX_BYTES).await?;
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for key in ProviderAnswer::KEYS {
        if let Some(value) = form.get(key) {
            query.append_pair(key, value.expose());
        }
    }
    // The same path, wherever the application has nested it.
    go(&format!("?{}", query.finish()))
}

/// Codes and states are some hundred bytes long; Apple sends a name and a token beside them.
const FORM_MAX_BYTES: usize = 16 * 1024;

/// A linked account as its user sees it.
#[derive(Serialize)]
#[serde(bound = "")]
struct Shown<A: Application> {
    #[serde(flatten)]
    account: <Account<A> as OAuthAccountModel>::Read,
    /// Who vouches for it.
    issuer: String,
    /// When it was linked, as RFC 3339 says.
    linked_at: String,
}

impl<A: Application> Shown<A> {
    fn new(linked: &LinkedAccount<Account<A>>) -> Result<Self, Error> {
        Ok(Self {
            account: linked.account.to_read(),
            issuer: linked.issuer.clone(),
            linked_at: clock::rfc3339(linked.linked_at).map_err(Error::internal)?,
        })
    }
}

/// The answer to a list.
#[derive(Serialize)]
#[serde(bound = "")]
struct Listed<A: Application> {
    items: Vec<Shown<A>>,
}

async fn list<A: Application>(users: Scope<A>, user: CurrentUser<A::User>) -> Result<Response, Error> {
    let accounts = users.oauth_accounts(user.id()).await?;
    let items = accounts.iter().map(Shown::new).collect::<Result<_, _>>()?;
    Ok(Json(Listed::<A> { items }).into_response())
}

async fn unlink<A: Application>(
    users: Scope<A>,
    user: CurrentUser<A::User>,
    Key(account): AccountKey<A>,
) -> Result<StatusCode, Error> {
    users.unlink_oauth_account(user.id(), account).await?;
    Ok(StatusCode::NO_CONTENT)
}
