//! The page: Swagger UI, of which every file is in the program.

use std::{borrow::Cow, sync::Arc};

use axum::{
    Router,
    extract::State,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use http::{HeaderName, header};
use utoipa_swagger_ui::Config;

use super::Generated;
use crate::{
    app::{Application, DocsRoutes},
    error::Error,
};

/// The files of Swagger UI that the page loads.
const FILES: [&str; 3] = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];

/// What starts it. The validator would be a request to another host.
const START: &str = r##""use strict";

SwaggerUIBundle({
    url: new URL("openapi.json", document.currentScript.src).href,
    dom_id: "#document",
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    validatorUrl: null,
});
"##;

/// Nothing from other hosts, no script but the files, and nobody's frame (OWASP ASVS 3.4).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The files are the same for everybody until the program is another one.
const KEPT: &str = "public, max-age=3600";

/// The page. Its files have relative addresses, so that they are found below whatever prefix the router is nested.
pub(in crate::routes) async fn page<A: Application>(State(generated): State<Generated<A>>) -> Response {
    let path = A::ROUTES.docs.map_or("", |paths| paths.path);
    let folder = match path.trim_end_matches('/').rsplit('/').next() {
        None | Some("") => String::new(),
        Some(last) => format!("{last}/"),
    };
    let title = escaped(generated.document.title());
    let page = format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="{folder}favicon-32x32.png">
<link rel="stylesheet" href="{folder}swagger-ui.css">
<script src="{folder}swagger-ui-bundle.js" defer></script>
<script src="{folder}start.js" defer></script>
</head>
<body>
<div id="document"></div>
<noscript>This page needs JavaScript; the document itself is <a href="{folder}openapi.json">openapi.json</a>.</noscript>
</body>
</html>
"#
    );
    ([(header::CONTENT_SECURITY_POLICY, POLICY), (REFERRER_POLICY, "no-referrer")], Html(page))
        .into_response()
}

const REFERRER_POLICY: HeaderName = header::REFERRER_POLICY;

/// The routes of the page's files.
pub(in crate::routes) fn files<S: Clone + Send + Sync + 'static>(paths: DocsRoutes) -> Router<S> {
    let folder = paths.path.trim_end_matches('/');
    let start = get(|| async { kept("text/javascript", Cow::Borrowed(START.as_bytes())) });
    FILES.into_iter().fold(Router::new().route(&format!("{folder}/start.js"), start), |router, file| {
        router.route(&format!("{folder}/{file}"), get(move || async move { of_swagger_ui(file) }))
    })
}

fn of_swagger_ui(file: &str) -> Response {
    match utoipa_swagger_ui::serve(file, Arc::new(Config::from("openapi.json"))) {
        Ok(Some(found)) => kept(&found.content_type, found.bytes),
        Ok(None) => Error::NotFound.into_response(),
        Err(error) => Error::internal(error.to_string()).into_response(),
    }
}

fn kept(content_type: &str, bytes: Cow<'static, [u8]>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, KEPT),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, bytes).into_response()
}

/// A text that no page takes for a part of it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_is_in_the_program() {
        for file in FILES {
            assert_eq!(of_swagger_ui(file).status(), http::StatusCode::OK, "{file}");
        }
        assert_eq!(of_swagger_ui("no-such-file").status(), http::StatusCode::NOT_FOUND);
    }

    #[test]
    fn a_title_is_text() {
        assert_eq!(escaped(r#"<a & "b">"#), "&lt;a &amp; &quot;b&quot;&gt;");
    }
}
