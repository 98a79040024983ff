//! The suite that users run on their applications, run on applications with one defence less each: it names the hole, and
//! nothing else. On SQLite alone, whatever `TEST_DATABASE` says, because what is tested is the suite.

use std::{
    collections::{BTreeSet, HashMap},
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, Method, Response, StatusCode, header, request::Parts},
    middleware::{Next, from_fn, from_fn_with_state},
    response::IntoResponse,
    routing::get,
};
use serde_json::{Value, json};
use users_runtime::{
    Application, BoxError, BoxFuture, Config, Credential, Entry, Error, Expected, LogIn, MemoryStore,
    Password, PasswordHash, Principal, Scope, SecretKey, Store, Throttle, UserModel, Users, UsersRouter,
    conformance::{Outcome, Requirement, Suite, Testbed, requirements as it},
    users_app,
};
use uuid::Uuid;

/// The user of every application here.
#[derive(Clone, Debug, UserModel)]
#[user(table = "users")]
pub struct User {
    #[user(id)]
    pub id: Uuid,
    #[user(identifier)]
    pub email: String,
    #[user(password_hash)]
    password_hash: PasswordHash,
    #[user(active)]
    pub is_active: bool,
    #[user(verified)]
    pub is_verified: bool,
}

#[users_app(auth = "session", user = super::User)]
mod session {}

#[users_app(auth = "jwt_cookie", user = super::User)]
mod tokens {}

/// People who log in with a name, and have to say where mail reaches them.
#[users_app(
    auth = "session",
    routes(
        auth(login = "/sign-in", logout = "/sign-out"),
        current_user(path = "/me"),
        password_reset,
        register
    )
)]
mod named {
    use super::PasswordHash;
    use users_runtime::UserModel;

    #[derive(Clone, Debug, UserModel)]
    #[user(table = "people")]
    pub struct Person {
        #[user(id)]
        pub id: i64,
        #[user(identifier = username)]
        pub nickname: String,
        #[user(mailbox, validate = email)]
        pub mail: String,
        #[user(password_hash)]
        password_hash: PasswordHash,
    }
}

fn config() -> Result<Config, Error> {
    Ok(Config::new(SecretKey::generate()?).with_app_name("Variants"))
}

/// The library's own routes and one beside them.
fn routed<A: Application>(users: Users<A>) -> UsersRouter<A> {
    UsersRouter::new(users).protected(Router::new().route("/private", get(|| async { "closed" })))
}

/// An application that takes its settings as they are.
async fn connected<A>(bed: &Testbed, change: impl FnOnce(Config) -> Config) -> Result<Users<A>, BoxError>
where
    A: Application,
    A::Auth: Default,
    A::Hooks: Default,
{
    Ok(Users::<A>::connect(bed.database_url(), bed.config(change(config()?))).await?)
}

/// The application without a hole.
async fn sound<A>(bed: Testbed) -> Result<UsersRouter<A>, BoxError>
where
    A: Application,
    A::Auth: Default,
    A::Hooks: Default,
{
    Ok(routed(connected::<A>(&bed, |config| config).await?))
}

/// Runs what is expected to fail, and what is expected to hold although it is near; nothing else may fail.
async fn finds(suite: Suite, holes: &[Requirement], near: &[Requirement]) {
    let suite = suite.with_protected(["/private"]);
    let report =
        suite.run_only(|requirement| holes.contains(&requirement) || near.contains(&requirement)).await;
    let failed: BTreeSet<_> = report.failures().map(|(requirement, _)| requirement.name()).collect();
    let expected: BTreeSet<_> = holes.iter().map(|requirement| requirement.name()).collect();
    assert_eq!(failed, expected, "\n{report}");
    assert_eq!(report.outcomes().len(), holes.len() + near.len());
    for (requirement, outcome) in report.outcomes() {
        assert!(!matches!(outcome, Outcome::NotApplicable(_)), "{}: {outcome}", requirement.name());
    }
}

/// How many requirements hold, and which are not applicable; none may fail.
async fn holds(suite: Suite) -> (usize, BTreeSet<&'static str>) {
    let report = suite.run().await;
    assert_eq!(report.failures().count(), 0, "\n{report}");
    let held = report.outcomes().iter().filter(|(_, outcome)| *outcome == Outcome::Held).count();
    let left_out =
        report.outcomes().iter().filter(|(_, outcome)| matches!(outcome, Outcome::NotApplicable(_)));
    let left_out = left_out.map(|(requirement, _)| requirement.name()).collect();
    (held, left_out)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_application_holds() {
    let (held, left_out) = holds(Suite::new(sound::<tokens::App>).with_protected(["/private"])).await;
    assert!(held >= 100, "{held}");
    assert!(left_out.is_empty(), "{left_out:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_of_other_paths_and_names_holds() {
    let suite = Suite::new(|bed: Testbed| async move {
        let users = connected::<named::App>(&bed, |config| config).await?;
        Ok(named::router(users))
    });
    let suite = suite.with_registration(|name| json!({"mail": format!("{name}@example.com")}));
    let (held, left_out) = holds(suite).await;
    assert!(held >= 60, "{held}");
    for group in ["s32_v6_5_1_a_verification_is_good_once", "s24_v7_5_2_users_see_their_own_sessions_alone"] {
        assert!(left_out.contains(group), "{left_out:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_relaxed_passes_with_its_reason() {
    let requirement = it::s50_v14_3_2_no_generated_route_is_kept_in_caches;
    let suite = Suite::new(cached).relaxed(requirement, "a proxy of ours sets the header");
    let suite = suite.relaxed(it::s26_v3_3_4_cookies_are_out_of_reach_of_scripts, "for no reason");
    let picked = [requirement, it::s26_v3_3_4_cookies_are_out_of_reach_of_scripts];
    let report = suite.run_only(|requirement| picked.contains(&requirement)).await;
    assert_eq!(report.failures().count(), 0);
    let text = report.to_string();
    assert!(text.contains("relaxed: a proxy of ours sets the header"), "{text}");
    assert!(text.contains("relaxed, and holds all the same: for no reason"), "{text}");
}

/// Lets caches keep every answer.
async fn cached(bed: Testbed) -> Result<(Users<session::App>, Router), BoxError> {
    let users = connected::<session::App>(&bed, |config| config).await?;
    let router = routed(users.clone()).into_router().layer(from_fn(async |request: Request, next: Next| {
        let mut response = next.run(request).await;
        response.headers_mut().remove(header::CACHE_CONTROL);
        response
    }));
    Ok((users, router))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s50_answers_without_no_store_are_found() {
    let near = [it::s50_v3_4_4_no_generated_route_lets_browsers_guess_at_its_type];
    finds(Suite::new(cached), &[it::s50_v14_3_2_no_generated_route_is_kept_in_caches], &near).await;
}

/// Takes `HttpOnly` from every cookie.
async fn readable(bed: Testbed) -> Result<(Users<session::App>, Router), BoxError> {
    let users = connected::<session::App>(&bed, |config| config).await?;
    let router = routed(users.clone()).into_router().layer(from_fn(async |request: Request, next: Next| {
        let mut response = next.run(request).await;
        let cookies: Vec<_> = response.headers().get_all(header::SET_COOKIE).iter().cloned().collect();
        response.headers_mut().remove(header::SET_COOKIE);
        for cookie in cookies {
            let text = String::from_utf8_lossy(cookie.as_bytes()).replace("HttpOnly; ", "");
            let cookie = HeaderValue::try_from(text).expect("it was one before");
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }));
    Ok((users, router))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s26_cookies_that_scripts_read_are_found() {
    let near = [
        it::s26_v3_3_1_cookies_are_for_https_alone,
        it::s26_v3_3_2_cookies_stay_on_the_site,
        it::s26_v3_3_3_cookies_are_of_this_host_alone,
        it::s21_v7_4_1_a_logout_clears_the_cookies,
    ];
    finds(Suite::new(readable), &[it::s26_v3_3_4_cookies_are_out_of_reach_of_scripts], &near).await;
}

/// Takes from requests what says which page sent them, as a proxy may.
async fn blind(bed: Testbed) -> Result<(Users<session::App>, Router), BoxError> {
    let users = connected::<session::App>(&bed, |config| config).await?;
    let router =
        routed(users.clone()).into_router().layer(from_fn(async |mut request: Request, next: Next| {
            request.headers_mut().remove(header::ORIGIN);
            request.headers_mut().remove("sec-fetch-site");
            next.run(request).await
        }));
    Ok((users, router))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s49_requests_from_anywhere_are_found() {
    let holes = [
        it::s49_v3_5_1_every_unsafe_route_refuses_pages_of_other_origins,
        it::s49_v3_5_1_no_spelling_of_another_origin_passes,
        it::s49_v3_5_1_fetch_metadata_of_another_site_is_refused,
        it::s49_v3_5_1_a_login_from_a_page_of_another_origin_is_refused,
        it::s49_v4_4_2_a_websocket_from_a_page_of_another_origin_is_refused,
    ];
    finds(Suite::new(blind), &holes, &[it::s49_v3_4_2_no_page_of_another_origin_reads_answers]).await;
}

/// Asks nobody for a login where one is needed.
async fn opened(bed: Testbed) -> Result<UsersRouter<session::App>, BoxError> {
    let users = connected::<session::App>(&bed, |config| config).await?;
    Ok(UsersRouter::new(users).public(Router::new().route("/private", get(|| async { "open" }))))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s53_a_route_that_stands_open_is_found() {
    let holes = [
        it::s53_v8_2_1_routes_of_the_applications_own_are_closed_to_strangers,
        it::s54_v8_3_1_no_spelling_of_a_path_opens_a_protected_route,
    ];
    let near = [it::s53_v8_2_1_every_protected_route_is_closed_to_strangers];
    finds(Suite::new(opened), &holes, &near).await;
}

/// Says which identifiers nobody has.
async fn telling(bed: Testbed) -> Result<UsersRouter<session::App>, BoxError> {
    async fn log_in(
        users: Scope<session::App>,
        request: Parts,
        login: LogIn,
    ) -> Result<(Principal<User>, Credential), Error> {
        match users.find_user(&login.identifier).await? {
            Some(_) => users.log_in(&request, &login).await,
            None => Err(Error::refused("unknown_account", "nobody has this address")),
        }
    }
    Ok(routed(connected::<session::App>(&bed, |config| config).await?).with_log_in(log_in))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s10_a_login_that_tells_of_accounts_is_found() {
    let holes = [
        it::s10_v6_3_8_a_login_answers_an_unknown_account_like_a_wrong_password,
        it::s10_v6_3_8_a_login_answers_a_deactivated_account_like_an_unknown_one,
        it::s10_v6_3_8_a_login_tells_of_a_missing_verification_to_whoever_has_the_password,
        it::s11_v6_3_8_a_login_costs_the_same_work_without_an_account,
    ];
    let near = [
        it::s10_v6_3_8_a_forgotten_password_is_answered_alike_without_an_account,
        it::s10_v6_3_8_no_mail_goes_to_an_address_without_an_account,
    ];
    finds(Suite::new(telling), &holes, &near).await;
}

/// Mends the spaces around a password that is wrong.
async fn careless(bed: Testbed) -> Result<UsersRouter<session::App>, BoxError> {
    async fn log_in(
        users: Scope<session::App>,
        request: Parts,
        login: LogIn,
    ) -> Result<(Principal<User>, Credential), Error> {
        match users.log_in(&request, &login).await {
            Err(Error::BadCredentials) => {
                let trimmed = Password::new(format!("  {} ", login.password.expose().trim()));
                users.log_in(&request, &LogIn::new(login.identifier, trimmed)).await
            }
            done => done,
        }
    }
    Ok(routed(connected::<session::App>(&bed, |config| config).await?).with_log_in(log_in))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s03_a_login_that_mends_passwords_is_found() {
    let holes = [
        it::s03_v6_2_8_a_password_keeps_its_case_and_its_spaces,
        it::s11_v6_3_8_a_login_costs_the_same_work_without_an_account,
    ];
    let near = [it::s03_v6_2_8_a_password_is_not_cut, it::s03_v6_2_5_no_kind_of_character_is_asked_for];
    finds(Suite::new(careless), &holes, &near).await;
}

/// Lets a registration say that its mailbox is proven.
async fn believing(bed: Testbed) -> Result<(Users<session::App>, Router), BoxError> {
    async fn take(State(users): State<Users<session::App>>, request: Request, next: Next) -> Response<Body> {
        if request.uri().path() != "/register" {
            return next.run(request).await;
        }
        let (mut parts, body) = request.into_parts();
        let bytes = to_bytes(body, 64 * 1024).await.unwrap_or_default();
        let Ok(mut fields) = serde_json::from_slice::<Value>(&bytes) else {
            return next.run(Request::from_parts(parts, Body::from(bytes))).await;
        };
        let verified = fields.as_object_mut().and_then(|fields| fields.remove("is_verified"));
        let email = fields["email"].as_str().unwrap_or_default().to_owned();
        parts.headers.remove(header::CONTENT_LENGTH);
        let response = next.run(Request::from_parts(parts, Body::from(fields.to_string()))).await;
        if response.status() == StatusCode::CREATED
            && verified == Some(Value::Bool(true))
            && let Ok(Some(user)) = users.find_user(&email).await
        {
            users.set_verified(user.id, true).await.expect("the user is there");
        }
        response
    }
    let users = connected::<session::App>(&bed, |config| config).await?;
    let router = routed(users.clone()).into_router().layer(from_fn_with_state(users.clone(), take));
    Ok((users, router))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s52_a_registration_that_proves_its_own_mailbox_is_found() {
    let near = [
        it::s52_v15_3_3_a_change_of_the_own_account_writes_no_key_flag_or_role,
        it::s51_v2_2_1_unknown_keys_are_refused,
        it::s23_an_account_without_a_proven_mailbox_does_not_log_in,
    ];
    finds(Suite::new(believing), &[it::s52_v15_3_3_a_registration_writes_no_key_flag_or_role], &near).await;
}

/// Shows what is stored of a password.
async fn showing(bed: Testbed) -> Result<UsersRouter<session::App>, BoxError> {
    async fn read(_: Scope<session::App>, shown: Vec<Arc<Principal<User>>>) -> Result<Vec<Value>, Error> {
        let one =
            |user: &Arc<Principal<User>>| json!({"id": user.id, "debug": user.password_hash().expose_phc()});
        Ok(shown.iter().map(one).collect())
    }
    Ok(routed(connected::<session::App>(&bed, |config| config).await?).with_read(read))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s52_a_response_that_shows_a_hash_is_found() {
    let near =
        [it::s24_v15_3_1_no_list_of_sessions_shows_a_secret, it::s58_v16_5_1_no_error_repeats_a_password];
    finds(Suite::new(showing), &[it::s52_v15_3_1_no_response_shows_a_password_or_its_hash], &near).await;
}

/// Clears the cookie at a logout, and leaves the session.
async fn lingering(bed: Testbed) -> Result<UsersRouter<session::App>, BoxError> {
    async fn log_out(_: Scope<session::App>, _: Parts, (): ()) -> Result<Credential, Error> {
        let cleared = "__Host-session=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0";
        Ok(Credential::default().with_header(header::SET_COOKIE, HeaderValue::from_static(cleared)))
    }
    Ok(routed(connected::<session::App>(&bed, |config| config).await?).with_log_out(log_out))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s21_a_logout_of_the_browser_alone_is_found() {
    let near = [
        it::s21_v7_4_1_a_logout_clears_the_cookies,
        it::s19_v7_2_4_a_login_gives_a_new_session_and_ends_the_old_one,
        it::s22_v7_4_3_a_password_change_ends_every_other_session,
        it::s26_v3_3_4_cookies_are_out_of_reach_of_scripts,
    ];
    finds(Suite::new(lingering), &[it::s21_v7_4_1_a_logout_ends_the_session_on_the_server], &near).await;
}

/// Asks nobody to prove a mailbox.
async fn trusting(bed: Testbed) -> Result<UsersRouter<session::App>, BoxError> {
    let users = connected::<session::App>(&bed, |config| config.with_required_verification(false)).await?;
    Ok(routed(users))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s23_accounts_without_a_proven_mailbox_are_found() {
    let near = [
        it::s32_v6_5_1_a_verification_is_good_once,
        it::s10_v6_3_8_a_login_tells_of_a_missing_verification_to_whoever_has_the_password,
    ];
    let hole = it::s23_an_account_without_a_proven_mailbox_does_not_log_in;
    finds(Suite::new(trusting), &[hole], &near).await;
}

/// Answers a user from memory for as long as the credential is the same, as a cache in front of it would.
async fn remembering(bed: Testbed) -> Result<(Users<session::App>, Router), BoxError> {
    type Memory = Arc<Mutex<HashMap<Vec<u8>, axum::body::Bytes>>>;

    async fn recall(State(memory): State<Memory>, request: Request, next: Next) -> Response<Body> {
        let cookie = request.headers().get(header::COOKIE).map(|cookie| cookie.as_bytes().to_vec());
        let asks = request.method() == Method::GET && request.uri().path() == "/users/me";
        let Some(cookie) = cookie.filter(|_| asks) else { return next.run(request).await };
        let known = memory.lock().expect("not poisoned").get(&cookie).cloned();
        if let Some(body) = known {
            return body.into_response();
        }
        let (parts, body) = next.run(request).await.into_parts();
        let body = to_bytes(body, 64 * 1024).await.expect("a body");
        if parts.status == StatusCode::OK {
            memory.lock().expect("not poisoned").insert(cookie, body.clone());
        }
        Response::from_parts(parts, Body::from(body))
    }

    let users = connected::<session::App>(&bed, |config| config).await?;
    let router = routed(users.clone()).into_router().layer(from_fn_with_state(Memory::default(), recall));
    Ok((users, router))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s22_sessions_that_outlive_a_reset_are_found() {
    let holes = [
        it::s22_v7_4_3_a_reset_ends_every_session,
        it::s22_v7_4_3_a_password_change_ends_every_other_session,
        it::s23_v7_4_2_a_deactivated_user_is_out_at_the_next_request,
        it::s58_v16_5_3_without_a_database_nobody_gets_in,
    ];
    let near = [
        it::s32_v6_5_1_a_reset_is_good_once,
        it::s53_v8_2_1_a_credential_that_is_no_good_opens_no_route,
        it::s19_v7_2_4_an_identifier_of_the_clients_own_is_never_adopted,
    ];
    finds(Suite::new(remembering), &holes, &near).await;
}

/// A store that removes nothing.
struct Forgetless(MemoryStore);

impl Store for Forgetless {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, Error>> {
        self.0.get(key)
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        entry: Entry,
        expected: Expected,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        self.0.put(key, entry, expected)
    }

    fn remove<'a>(&'a self, _key: &'a str) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(std::future::ready(Ok(true)))
    }

    fn keys_of<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Result<Vec<String>, Error>> {
        self.0.keys_of(owner)
    }
}

async fn forgetless(bed: Testbed) -> Result<UsersRouter<session::App>, BoxError> {
    let users =
        connected::<session::App>(&bed, |config| config.with_store(Forgetless(MemoryStore::default())))
            .await?;
    Ok(routed(users))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s21_a_store_that_keeps_what_was_ended_is_found() {
    let holes = [
        it::s21_v7_4_1_a_logout_ends_the_session_on_the_server,
        it::s19_v7_2_4_a_login_gives_a_new_session_and_ends_the_old_one,
        it::s24_v7_5_2_users_end_one_of_their_sessions,
    ];
    // These die with what they stand for, whatever the store says.
    let near = [
        it::s22_v7_4_3_a_reset_ends_every_session,
        it::s23_v7_4_2_a_deactivated_user_is_out_at_the_next_request,
    ];
    finds(Suite::new(forgetless), &holes, &near).await;
}

/// Redeems the link of a mail when somebody looks at it.
async fn eager(bed: Testbed) -> Result<UsersRouter<session::App>, BoxError> {
    let users = connected::<session::App>(&bed, |config| config).await?;
    let redeeming = users.clone();
    let look = get(async move |request: Request| {
        let (parts, _) = request.into_parts();
        let token = parts.uri.query().and_then(|query| query.strip_prefix("token=")).unwrap_or_default();
        redeeming.scope(()).verify(&parts, token).await.map(|user| user.email.clone())
    });
    Ok(routed(users).public(Router::new().route("/verify", look)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s34_links_that_a_look_redeems_are_found() {
    let near = [
        it::s34_v3_5_3_get_and_head_use_no_reset_up,
        it::s32_v6_5_1_a_verification_is_good_once,
        it::s32_v15_4_2_of_twenty_verifications_at_once_one_succeeds,
    ];
    finds(Suite::new(eager), &[it::s34_v3_5_3_get_and_head_use_no_verification_up], &near).await;
}

/// Tells clients what it thinks.
async fn talkative(bed: Testbed) -> Result<(Users<session::App>, Router), BoxError> {
    let users = connected::<session::App>(&bed, |config| config).await?;
    let router = routed(users.clone()).into_router().layer(from_fn(async |request: Request, next: Next| {
        let response = next.run(request).await;
        if response.status() == StatusCode::UNPROCESSABLE_ENTITY {
            return (response.status(), "at src/routes/register.rs:40: SELECT id FROM users").into_response();
        }
        response
    }));
    Ok((users, router))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s58_errors_that_tell_of_the_inside_are_found() {
    let holes = [
        it::s58_v16_5_1_every_error_is_a_problem_document_with_a_code,
        it::s58_v16_5_1_no_error_shows_sql_a_path_or_a_trace,
    ];
    finds(Suite::new(talkative), &holes, &[it::s58_v16_5_1_no_error_repeats_a_password]).await;
}

/// Counts the failures of clients, and those of no account.
async fn unlocked(bed: Testbed) -> Result<UsersRouter<session::App>, BoxError> {
    let throttle = Throttle::off().with_client_limit(10, Duration::from_mins(1));
    let config = bed.config(config()?).with_throttle(throttle);
    Ok(routed(Users::<session::App>::connect(bed.database_url(), config).await?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s13_accounts_that_no_guess_locks_are_found() {
    let holes = [
        it::s13_v6_3_1_wrong_passwords_lock_an_account_for_a_while,
        it::s13_v6_3_1_the_right_password_does_not_open_a_locked_account,
        it::s13_v6_3_1_the_current_password_is_guessed_no_more_often_than_at_the_login,
        it::s14_v6_3_8_an_unknown_account_is_locked_like_a_known_one,
        it::s14_v15_4_2_guesses_at_once_pass_no_limit,
        it::s17_v2_4_1_of_many_mails_that_are_asked_for_at_once_one_leaves,
    ];
    let near = [
        it::s15_v6_3_1_a_client_that_guesses_at_many_accounts_is_stopped,
        it::s15_v15_3_4_no_header_makes_somebody_another_client,
    ];
    finds(Suite::new(unlocked), &holes, &near).await;
}

/// Believes of everybody what they say of their address.
async fn believing_addresses(bed: Testbed) -> Result<(Users<session::App>, Router), BoxError> {
    async fn believe(mut request: Request, next: Next) -> Response<Body> {
        let forwarded = request.headers().get("x-real-ip").and_then(|value| value.to_str().ok());
        if let Some(Ok(address)) = forwarded.map(str::parse::<IpAddr>) {
            request.extensions_mut().insert(ConnectInfo(SocketAddr::from((address, 1))));
        }
        next.run(request).await
    }
    let users = connected::<session::App>(&bed, |config| config).await?;
    Ok((users.clone(), routed(users).into_router().layer(from_fn(believe))))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s15_clients_that_say_themselves_who_they_are_are_found() {
    let near = [
        it::s15_v6_3_1_a_client_that_guesses_at_many_accounts_is_stopped,
        it::s13_v6_3_1_wrong_passwords_lock_an_account_for_a_while,
    ];
    finds(Suite::new(believing_addresses), &[it::s15_v15_3_4_no_header_makes_somebody_another_client], &near)
        .await;
}

/// Forgets who did what.
async fn forgetful(bed: Testbed) -> Result<(Users<session::App>, Router), BoxError> {
    let users = connected::<session::App>(&bed, |config| config).await?;
    let router = routed(users.clone()).into_router().layer(from_fn(async |request: Request, next: Next| {
        let asks = request.uri().path().ends_with("/events");
        let response = next.run(request).await;
        if asks && response.status() == StatusCode::OK {
            return Json(json!({"items": [], "next": null, "limit": 50})).into_response();
        }
        response
    }));
    Ok((users, router))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s59_events_that_nobody_records_are_found() {
    let holes = [
        it::s59_v16_3_1_logins_are_recorded_whether_or_not_they_succeed,
        it::s59_v16_3_1_a_changed_password_is_recorded,
        it::s59_v16_2_5_no_event_shows_a_password,
        it::s59_v8_2_2_users_read_of_their_own_account_alone,
    ];
    finds(Suite::new(forgetful), &holes, &[it::s24_v7_5_2_users_see_their_own_sessions_alone]).await;
}
