//! What stands before every handler: the login that a route needs, the origin that a request comes from, and the
//! form of what the router itself answers.

mod guard;

use axum::{
    extract::{MatchedPath, NestedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{
    Extensions, HeaderMap, HeaderValue, Method, StatusCode,
    header::{self, HeaderName},
    request::Parts,
};
use url::Url;

pub use guard::{GuardLayer, GuardService};

use crate::{
    app::{Application, OAuth2Routes},
    auth::Backend,
    config::Config,
    error::Error,
    extract::{Carried, Marker, remember},
    peer::ClientAddress,
    service::Users,
};

/// Lets nobody pass without a login, except to the routes that `exclude` names.
pub(crate) async fn require_login<A: Application>(
    State(users): State<Users<A>>,
    request: Request,
    next: Next,
) -> Response {
    if is_excluded(A::EXCLUDE, matched_route(request.extensions())) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    match users.authenticate(&parts).await {
        Ok(Some(principal)) => {
            remember(&mut parts.extensions, principal);
            next.run(Request::from_parts(parts, body)).await
        }
        Ok(None) => Error::Unauthenticated.into_response(),
        Err(error) => error.into_response(),
    }
}

/// The matched route of this router. Where the application nests it, the prefix is not a part: a prefix that looks like
/// a pattern would open every route below it.
fn matched_route(extensions: &Extensions) -> Option<&str> {
    let matched = extensions.get::<MatchedPath>()?.as_str();
    let Some(prefix) = extensions.get::<NestedPath>() else { return Some(matched) };
    let route = matched.strip_prefix(prefix.as_str().trim_end_matches('/'))?;
    Some(if route.is_empty() { "/" } else { route })
}

/// Whether a pattern names the matched route: segment by segment, never on the raw path, so that neither `//`, `%2f`
/// nor a longer path slips through (S54).
fn is_excluded(patterns: &[&str], matched: Option<&str>) -> bool {
    matched.is_some_and(|route| patterns.iter().any(|pattern| covers(pattern, route)))
}

pub(crate) fn covers(pattern: &str, route: &str) -> bool {
    let mut route = route.split('/');
    for wanted in pattern.split('/') {
        let wildcard = wanted.starts_with('{') && wanted.ends_with('}');
        if wildcard && wanted.starts_with("{*") {
            return route.next().is_some_and(|rest| !rest.is_empty());
        }
        match route.next() {
            // A pattern's parameter stands for any one segment, and never for the rest of the path.
            Some(segment) if wildcard => {
                if segment.is_empty() || segment.contains("{*") {
                    return false;
                }
            }
            Some(segment) if segment == wanted => {}
            _ => return false,
        }
    }
    route.next().is_none()
}

/// What is around every request.
pub(crate) struct Around<A: Application> {
    users: Users<A>,
    marker: Marker<A::User>,
    carried: Option<Carried>,
}

impl<A: Application> Around<A> {
    pub(crate) fn new(users: Users<A>) -> Self {
        Self { marker: Marker::new(users.clone()), carried: Carried::new(&users), users }
    }
}

impl<A: Application> Clone for Around<A> {
    fn clone(&self) -> Self {
        Self { users: self.users.clone(), marker: self.marker.clone(), carried: self.carried.clone() }
    }
}

/// Around everything: refuses what a page of another origin sent, tells extractors whom to ask, and gives the router's
/// own answers the form of all others.
pub(crate) async fn around<A: Application>(
    State(Around { users, marker, carried }): State<Around<A>>,
    mut request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    ClientAddress::note(&users.config().trusted_proxies, &parts.headers, &mut parts.extensions);
    let ambient = users.backend().is_ambient(&parts);
    let refused = ambient
        && is_cross_origin(users.config(), &parts.method, &parts.uri, &parts.headers)
        && !is_form_of_provider(A::ROUTES.oauth2, &parts);
    request = Request::from_parts(parts, body);
    let mut response = if refused {
        Error::CrossOrigin.into_response()
    } else {
        marker.mark(request.extensions_mut());
        match carried.as_ref().map(Carried::fresh) {
            Some(carried) => {
                carried.mark(request.extensions_mut());
                with_session_data(next.run(request).await, carried).await
            }
            None => next.run(request).await,
        }
    };
    let headers = response.headers();
    if response.status() == StatusCode::UNAUTHORIZED && !headers.contains_key(header::WWW_AUTHENTICATE) {
        // RFC 9110, section 11.6.1.
        for challenge in users.backend().challenges() {
            response.headers_mut().append(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
    }
    with_problem(response)
}

/// Stores what the handlers changed of the session's data, once they have answered.
async fn with_session_data(mut response: Response, carried: Carried) -> Response {
    if response.status().is_server_error() {
        return response;
    }
    match carried.store().await {
        Ok(cookies) => {
            for cookie in cookies {
                // A login or a logout that answered this request has the last word on its cookies.
                if !sets_cookie(&response, &cookie) {
                    response.headers_mut().append(header::SET_COOKIE, cookie);
                }
            }
            response
        }
        Err(error) => error.into_response(),
    }
}

/// Whether a response sets the cookie that this header names.
fn sets_cookie(response: &Response, cookie: &HeaderValue) -> bool {
    let name = |value: &HeaderValue| value.as_bytes().split(|byte| *byte == b'=').next().map(<[u8]>::to_vec);
    response.headers().get_all(header::SET_COOKIE).iter().any(|other| name(other) == name(cookie))
}

/// A bare 404 or 405 of the router's as a problem document.
fn with_problem(response: Response) -> Response {
    let problem = match response.status() {
        StatusCode::NOT_FOUND => Error::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Error::MethodNotAllowed,
        _ => return response,
    };
    if response.headers().contains_key(header::CONTENT_TYPE) {
        return response;
    }
    let mut problem = problem.into_response();
    if let Some(allow) = response.headers().get(header::ALLOW) {
        problem.headers_mut().insert(header::ALLOW, allow.clone());
    }
    // A handler that answers 404 may have changed what the session carries.
    for cookie in response.headers().get_all(header::SET_COOKIE) {
        problem.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    problem
}

/// Keeps what the library answers out of caches, and browsers from guessing at its type (S50).
pub(crate) async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Whether a request is the form by which a provider sends a browser back, from the provider's own page. What answers it
/// reads no credential and does nothing but to send the browser on.
fn is_form_of_provider(routes: Option<OAuth2Routes>, request: &Parts) -> bool {
    let Some(routes) = routes.filter(|_| request.method == Method::POST) else { return false };
    let Some(matched) = matched_route(&request.extensions) else { return false };
    matched.strip_prefix(routes.path) == Some("/{provider}/callback")
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a browser sent this from a page of another origin (S49). Browsers say so in `Sec-Fetch-Site` or `Origin`
/// on every unsafe request and on every WebSocket; a client that sends neither is no browser and has no cookies of a
/// victim's.
fn is_cross_origin(config: &Config, method: &Method, uri: &http::Uri, headers: &HeaderMap) -> bool {
    if method.is_safe() && !opens_a_socket(headers) {
        return false;
    }
    let origin = headers.get(header::ORIGIN);
    if origin.is_some_and(|origin| is_trusted(config, origin)) {
        return false;
    }
    match headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes) {
        Some(b"same-origin" | b"none") => return false,
        // `same-site` is another origin: a subdomain that somebody else may hold.
        Some(_) => return true,
        None => {}
    }
    origin.is_some_and(|origin| !is_own(origin, uri, headers))
}

/// Whether a request in HTTP/1.1 opens a WebSocket. No rule of browsers keeps a page from reading one of another origin,
/// so that a `GET` would be all it takes: cross-site WebSocket hijacking. In HTTP/2 it is a `CONNECT` with `:protocol`
/// (RFC 8441), which is no safe method anyway.
fn opens_a_socket(headers: &HeaderMap) -> bool {
    let offered = headers
        .get_all(header::UPGRADE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    // Whatever follows the name is a version of it.
    offered.map(<[u8]>::trim_ascii).any(|protocol| {
        protocol.get(..WEBSOCKET.len()).is_some_and(|name| name.eq_ignore_ascii_case(WEBSOCKET))
    })
}

/// The protocol's name in the header `Upgrade`.
const WEBSOCKET: &[u8] = b"websocket";

/// Whether the origin is allow-listed, compared as a parsed origin: `https://app.example.com.evil.example` is not.
fn is_trusted(config: &Config, origin: &HeaderValue) -> bool {
    let Some(origin) = parse_origin(origin) else { return false };
    let origin = origin.origin().ascii_serialization();
    origin == config.base_url.origin().ascii_serialization() || config.trusted_origins.contains(&origin)
}

/// Whether the origin has the host that the request was sent to. A proxy may have taken HTTPS off, so the scheme
/// does not count; a page of plain HTTP on the same host is out of reach of cookies with `__Host-`.
fn is_own(origin: &HeaderValue, uri: &http::Uri, headers: &HeaderMap) -> bool {
    let host = uri.authority().map(http::uri::Authority::as_str);
    let host = host.or_else(|| headers.get(header::HOST).and_then(|host| host.to_str().ok()));
    let (Some(origin), Some(host)) = (parse_origin(origin), host) else { return false };
    let Ok(own) = Url::parse(&format!("{}://{host}", origin.scheme())) else { return false };
    own.origin() == origin.origin()
}

fn parse_origin(origin: &HeaderValue) -> Option<Url> {
    let url = Url::parse(origin.to_str().ok()?).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretKey;

    #[test]
    fn s54_exclude_covers_whole_segments_of_the_matched_route() {
        for (pattern, route, covered) in [
            ("/health", "/health", true),
            ("/health", "/healthz", false),
            ("/health", "/health/x", false),
            ("/health", "/api/health", false),
            ("/public/{*path}", "/public/ping", true),
            ("/public/{*path}", "/public/{*rest}", true),
            ("/public/{*path}", "/public/a/b", true),
            ("/public/{*path}", "/public", false),
            ("/public/{*path}", "/public/", false),
            ("/public/{*path}", "/publicity/x", false),
            ("/items/{id}", "/items/{item}", true),
            ("/items/{id}", "/items/new", true),
            ("/items/{id}", "/items/{*rest}", false),
            ("/items/{id}", "/items/{item}/owner", false),
            ("/items/new", "/items/{item}", false),
        ] {
            assert_eq!(covers(pattern, route), covered, "{pattern} {route}");
        }
        assert!(!is_excluded(&["/health"], None));
    }

    fn crosses(headers: &[(&'static str, &str)]) -> bool {
        crosses_with(&Method::POST, headers)
    }

    fn crosses_with(method: &Method, headers: &[(&'static str, &str)]) -> bool {
        let config = Config::new(SecretKey::generate().unwrap())
            .with_base_url("https://app.example.com")
            .and_then(|config| config.with_trusted_origin("https://admin.example.com"))
            .unwrap();
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        is_cross_origin(&config, method, &"/login".parse().unwrap(), &headers)
    }

    #[test]
    fn s49_a_websocket_is_no_safe_request() {
        let foreign = ("origin", "https://evil.example");
        assert!(!crosses_with(&Method::GET, &[foreign]));
        for upgrade in
            ["websocket", "WebSocket", " websocket ", "h2c, websocket", "h2c,WEBSOCKET/13", "websocket,"]
        {
            let upgrade = ("upgrade", upgrade);
            assert!(crosses_with(&Method::GET, &[upgrade, foreign]), "{upgrade:?}");
            assert!(crosses_with(&Method::GET, &[upgrade, ("origin", "null")]), "{upgrade:?}");
            assert!(crosses_with(&Method::GET, &[upgrade, ("sec-fetch-site", "cross-site")]), "{upgrade:?}");
            assert!(crosses_with(&Method::GET, &[upgrade, ("sec-fetch-site", "same-site")]), "{upgrade:?}");
            assert!(!crosses_with(&Method::GET, &[upgrade, ("origin", "https://app.example.com")]));
            assert!(!crosses_with(&Method::GET, &[upgrade, ("origin", "https://admin.example.com")]));
            assert!(!crosses_with(&Method::GET, &[upgrade, ("sec-fetch-site", "same-origin")]));
            assert!(!crosses_with(&Method::GET, &[upgrade]), "no browser");
        }
        assert!(!crosses_with(&Method::GET, &[("upgrade", "h2c"), foreign]));
        // HTTP/2 (RFC 8441).
        assert!(crosses_with(&Method::CONNECT, &[foreign]));
        assert!(!crosses_with(&Method::CONNECT, &[("origin", "https://app.example.com")]));
    }

    #[test]
    fn s49_origins_are_compared_parsed() {
        let host = ("host", "api.example.com:8443");
        for origin in [
            "https://app.example.com",
            "https://app.example.com:443",
            "https://admin.example.com",
            "https://api.example.com:8443",
        ] {
            assert!(!crosses(&[host, ("origin", origin)]), "{origin}");
        }
        for origin in [
            "https://app.example.com.evil.example",
            "https://app.example.com@evil.example",
            "https://evil.example/https://app.example.com",
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://api.example.com",
            "https://xapi.example.com:8443",
            "null",
            "",
            "file://",
        ] {
            assert!(crosses(&[host, ("origin", origin)]), "{origin}");
        }
    }

    #[test]
    fn s49_fetch_metadata_decides_when_it_is_there() {
        assert!(!crosses(&[("sec-fetch-site", "same-origin")]));
        assert!(!crosses(&[("sec-fetch-site", "none")]));
        assert!(crosses(&[("sec-fetch-site", "cross-site")]));
        assert!(crosses(&[("sec-fetch-site", "same-site")]));
        assert!(!crosses(&[("sec-fetch-site", "same-site"), ("origin", "https://admin.example.com")]));
        assert!(!crosses(&[]));
    }
}
