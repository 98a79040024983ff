//! Routes, names, security and what an application says of itself.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};
use users_runtime::{
    Application, Config, Error, Group, OAuthProvider, Principal, Scope, UsersRouter,
    utoipa::{self, OpenApi, ToSchema},
};
use users_tests::apps;

use crate::support::{self, every, operations, router, schema, shop};

/// The settings of a test, with a provider to sign in through.
fn config() -> Config {
    let url = |path| format!("https://provider.example/{path}");
    let provider =
        OAuthProvider::oauth2("code", url("authorize"), url("token"), url("user"), "an-id", "a-secret");
    support::config().with_oauth_provider(provider)
}

async fn document_of<A: Application>(config: Config) -> Value
where
    A::Auth: Default,
    A::Hooks: Default,
{
    support::json(&router::<A>(config).await.openapi())
}

async fn assert_whole<A: Application>(routes: usize)
where
    A::Auth: Default,
    A::Hooks: Default,
{
    let app = router::<A>(config()).await;
    let document = support::json(&app.openapi());
    let listed: BTreeSet<_> = operations(&document).into_iter().map(|(operation, _)| operation).collect();
    let generated = app.routes().into_iter().map(|route| format!("{} {}", route.method, route.path));
    let generated: BTreeSet<_> = generated.collect();
    assert_eq!(listed, generated);
    assert_eq!(generated.len(), routes);
    assert_sound(&document);
}

/// Nothing dangles, nothing is named twice, and names are such that generators make good ones of them.
fn assert_sound(document: &Value) {
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    let tags: Vec<_> = document["tags"].as_array().expect("tags").iter().map(|tag| &tag["name"]).collect();
    for (name, operation) in operations(document) {
        let id = operation["operationId"].as_str().unwrap_or_default();
        let is_word = !id.is_empty() && id.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        assert!(is_word && ids.insert(id), "{name}: `{id}`");
        assert!(tags.contains(&&operation["tags"][0]), "{name}");
        assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{name}");
        let responses = operation["responses"].as_object().expect("responses");
        assert!(responses.keys().any(|status| status.starts_with('2') || status.starts_with('3')), "{name}");
        for (status, response) in responses {
            assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{name} {status}");
        }
        let in_path = name.matches('{').count();
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        assert_eq!(
            parameters.iter().filter(|parameter| parameter["in"] == "path").count(),
            in_path,
            "{name}"
        );
    }
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    for name in schemas.keys() {
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
    }
    let mut references = Vec::new();
    every(document, "$ref", &mut references);
    assert!(references.len() > 20);
    let named: BTreeSet<_> = references.into_iter().filter_map(Value::as_str).collect();
    for reference in &named {
        let name = reference.strip_prefix("#/components/schemas/").expect("a schema of this document");
        assert!(schemas.contains_key(name), "{reference} leads nowhere");
    }
    let unused = schemas.keys().filter(|name| !named.contains(&*format!("#/components/schemas/{name}")));
    assert_eq!(unused.collect::<Vec<_>>(), Vec::<&String>::new(), "named for nobody");
}

#[tokio::test]
async fn every_generated_route_is_in_the_document_and_nothing_else() {
    assert_whole::<apps::session::App>(24).await;
    assert_whole::<apps::session_cookie::App>(24).await;
    assert_whole::<apps::jwt::App>(27).await;
    assert_whole::<apps::jwt_cookie::App>(27).await;
    assert_whole::<apps::oauth2_password::App>(27).await;
    assert_whole::<shop::App>(33).await;
}

#[tokio::test]
async fn the_module_writes_the_document_without_a_database() {
    let config = config();
    let written = support::json(&shop::openapi(&config));
    assert_eq!(written, document_of::<shop::App>(config).await);
    assert_eq!(written["info"], json!({"title": "Shop", "version": env!("CARGO_PKG_VERSION")}));
    assert_eq!(written["servers"], json!([{"url": "/"}]));
}

#[tokio::test]
async fn clients_are_told_how_to_show_who_they_are() {
    let schemes = |document: &Value| document["components"]["securitySchemes"].clone();
    let needs = |document: &Value, path: &str| document["paths"][path]["get"]["security"].clone();

    let session = document_of::<apps::session::App>(support::config()).await;
    assert_eq!(schemes(&session)["cookie"]["name"], "session");
    assert_eq!(needs(&session, "/users/me"), json!([{"cookie": []}]));
    let secure = support::config().with_insecure_cookies(false);
    let session = document_of::<apps::session::App>(secure).await;
    assert_eq!(
        (&schemes(&session)["cookie"]["name"], &schemes(&session)["cookie"]["in"]),
        (&json!("__Host-session"), &json!("cookie"))
    );

    let jwt = document_of::<apps::jwt::App>(support::config()).await;
    assert_eq!(schemes(&jwt), json!({"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}));

    let both = document_of::<apps::jwt_cookie::App>(support::config()).await;
    assert_eq!(schemes(&both)["cookie"]["name"], "token");
    assert_eq!(needs(&both, "/users/me"), json!([{"bearer": []}, {"cookie": []}]));
    assert_eq!(both["paths"]["/login"]["post"]["security"], json!([]));

    let form = document_of::<apps::oauth2_password::App>(support::config()).await;
    let flow = &schemes(&form)["oauth2_password"]["flows"]["password"];
    assert_eq!((&flow["tokenUrl"], &flow["refreshUrl"]), (&json!("/token"), &json!("/token/refresh")));
    assert_eq!(needs(&form, "/users/me"), json!([{"oauth2_password": []}]));

    // Two backends with a cookie each.
    let shop = document_of::<shop::App>(support::config()).await;
    assert_eq!(needs(&shop, "/me"), json!([{"bearer": []}, {"cookie": []}, {"cookie_2": []}]));
    assert_eq!(schemes(&shop)["cookie_2"]["name"], "session");
}

fn codes(document: &Value, operation: &str, status: &str) -> Vec<String> {
    let (_, operation) =
        operations(document).into_iter().find(|(name, _)| name == operation).expect(operation);
    let schema = &operation["responses"][status]["content"]["application/problem+json"]["schema"];
    let code = &schema["allOf"][1]["properties"]["code"];
    // Beside those that are known there may be those of the application's own.
    let known = if code["anyOf"].is_array() { &code["anyOf"][0] } else { code };
    let codes = known["enum"].as_array().cloned().unwrap_or_default();
    codes.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[tokio::test]
async fn problems_are_there_with_their_codes() {
    let document = document_of::<apps::jwt::App>(support::config()).await;
    assert_eq!(codes(&document, "POST /register", "409"), ["identifier_taken"]);
    assert_eq!(codes(&document, "POST /verify", "400"), ["malformed_body", "token_invalid"]);
    assert_eq!(codes(&document, "DELETE /users/me", "409"), ["last_administrator"]);
    assert_eq!(codes(&document, "GET /users/me", "401"), ["unauthenticated"]);
    assert_eq!(codes(&document, "GET /users/me", "403"), ["not_verified"]);
    assert_eq!(codes(&document, "POST /login", "503"), ["unavailable", "overloaded"]);
    // No page of another origin sends a token in a header, and every page sends a cookie.
    assert!(codes(&document, "POST /forgot-password", "403").is_empty());
    let cookies = document_of::<apps::session::App>(support::config()).await;
    assert_eq!(codes(&cookies, "POST /forgot-password", "403"), ["cross_origin"]);
    // Settings count.
    let free = document_of::<apps::jwt::App>(support::config().with_required_verification(false)).await;
    assert!(codes(&free, "GET /users/me", "403").is_empty());
    // A hook may refuse with a code of its own, whom a credential stands for included.
    let may =
        &document["paths"]["/users/me"]["get"]["responses"]["403"]["content"]["application/problem+json"];
    assert_eq!(may["schema"]["allOf"][1]["properties"]["code"]["anyOf"][1], json!({"type": "string"}));
    let refusal = &document["paths"]["/register"]["post"]["responses"]["403"];
    let schema = &refusal["content"]["application/problem+json"]["schema"];
    assert_eq!(schema, &json!({"$ref": "#/components/schemas/Problem"}));
    let refused = codes(&document, "GET /users/me", "404");
    assert!(refused.is_empty(), "{refused:?}");
}

async fn refuse(
    _users: Scope<apps::jwt::App>,
    _request: users_runtime::Parts,
    _name: String,
) -> Result<(), Error> {
    Err(Error::refused("closed", "come back tomorrow"))
}

#[tokio::test]
async fn a_function_in_the_place_of_a_route_may_refuse() {
    let router = router::<apps::jwt::App>(support::config()).await.with_forgot_password(refuse);
    let document = support::json(&router.openapi());
    let responses = &document["paths"]["/forgot-password"]["post"]["responses"];
    assert!(responses["403"].is_object(), "{responses}");
}

#[tokio::test]
async fn tags_are_the_groups_or_what_the_application_calls_them() {
    let document = document_of::<shop::App>(support::config()).await;
    let mut gathered: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, operation) in operations(&document) {
        *gathered.entry(operation["tags"][0].as_str().expect("a tag")).or_default() += 1;
    }
    let names: Vec<_> = document["tags"].as_array().expect("tags").iter().map(|tag| &tag["name"]).collect();
    assert_eq!(gathered["Door"], 3);
    assert_eq!(gathered["About"], 2);
    assert_eq!(gathered["Password reset"], 2);
    assert_eq!(names.len(), gathered.len());
}

/// What somebody paid.
#[derive(ToSchema, Serialize)]
struct Problem {
    coins: u32,
}

/// What is left.
#[utoipa::path(get, path = "/coins", tag = "Money", responses((status = 200, body = Problem, description = "The coins.")))]
#[allow(dead_code, clippy::unused_async, reason = "the document alone is of interest")]
async fn coins() {}

/// Another word for the same.
#[utoipa::path(post, path = "/register", operation_id = "sign_up", responses((status = 204, description = "Done.")))]
#[allow(dead_code, clippy::unused_async, reason = "the document alone is of interest")]
async fn sign_up() {}

#[derive(OpenApi)]
#[openapi(
    info(title = "Coins", version = "2.1.0"),
    servers((url = "https://coins.example")),
    paths(coins, sign_up),
    tags((name = "Money", description = "Coins."))
)]
struct Own;

#[tokio::test]
async fn the_applications_own_document_wins() {
    let router = router::<apps::jwt::App>(support::config()).await.with_openapi(Own::openapi());
    let document = support::json(&router.openapi());
    assert_eq!(
        (&document["info"]["title"], &document["info"]["version"]),
        (&json!("Coins"), &json!("2.1.0"))
    );
    assert_eq!(document["servers"], json!([{"url": "https://coins.example"}]));
    assert_eq!(document["paths"]["/coins"]["get"]["operationId"], "coins");
    assert_eq!(document["paths"]["/register"]["post"]["operationId"], "sign_up");
    assert_eq!(document["paths"]["/login"]["post"]["operationId"], "log_in");
    let names: Vec<_> = document["tags"].as_array().expect("tags").iter().map(|tag| &tag["name"]).collect();
    assert!(
        names.contains(&&json!("Money"))
            && names.contains(&&json!("Users")) == document["paths"].get("/users").is_some()
    );
    // Its `Problem` is not the library's, which makes way.
    assert_eq!(schema(&document, "Problem")["required"], json!(["coins"]));
    assert!(schema(&document, "Problem2")["properties"]["code"].is_object());
    let response = &document["paths"]["/login"]["post"]["responses"]["401"];
    let reference = &response["content"]["application/problem+json"]["schema"]["allOf"][0];
    assert_eq!(reference, &json!({"$ref": "#/components/schemas/Problem2"}));
}

/// What this application shows of a user.
#[derive(Serialize, ToSchema)]
struct Card {
    name: String,
}

async fn cards(
    _users: Scope<shop::App>,
    shown: Vec<std::sync::Arc<Principal<shop::Member>>>,
) -> Result<Vec<Card>, Error> {
    Ok(shown.iter().map(|user| Card { name: user.name.clone() }).collect())
}

fn shown(document: &Value, path: &str) -> Value {
    document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"].clone()
}

#[tokio::test]
async fn what_the_application_shows_is_described_when_it_is_named() {
    let with = |change: fn(UsersRouter<shop::App>) -> UsersRouter<shop::App>| async move {
        support::json(&change(router::<shop::App>(support::config()).await).openapi())
    };
    let generated = json!({"$ref": "#/components/schemas/MemberWithRoles"});
    assert_eq!(shown(&with(|router| router).await, "/me"), generated);
    assert_eq!(shown(&with(|router| router.with_read(cards)).await, "/me"), json!({}));
    let card = json!({"$ref": "#/components/schemas/Card"});
    let named = with(|router| router.with_read(cards).with_read_schema::<Card>()).await;
    assert_eq!((shown(&named, "/me"), shown(&named, "/people/{id}")), (card.clone(), card.clone()));
    assert_eq!(schema(&named, "CardPage")["properties"]["items"]["items"], card);
    assert_eq!(schema(&named, "UpdatedCard")["properties"]["pending_identifier"]["type"], "string");
    let in_group =
        with(|router| router.with_read_in(Group::Users, cards).with_read_schema_in::<Card>(Group::Users));
    let in_group = in_group.await;
    assert_eq!((shown(&in_group, "/me"), shown(&in_group, "/people/{id}")), (generated, card));
}
