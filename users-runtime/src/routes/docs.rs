//! Group `docs`: the OpenAPI document, and a page that shows it.

#[cfg(feature = "swagger-ui")]
mod page;

use axum::{
    extract::{OriginalUri, State},
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode, header};
use utoipa::openapi::{OpenApi, Server};

use super::{Generated, Group, Route};
use crate::{
    app::{Application, DocsRoutes},
    error::Error,
    operation::Shape,
};

#[cfg(feature = "swagger-ui")]
pub(super) use self::page::files;

pub(super) fn routes<A: Application>(paths: DocsRoutes) -> Vec<Route<A>> {
    let route = |path: &str, what| Route::public(Group::Docs, Method::GET, path, what);
    let document = route(&document_path(paths), "this document")
        .named("openapi_document")
        .described(|it| it.answers(StatusCode::OK, Shape::AnyObject, "A document of OpenAPI 3.1."))
        .answered_by(document::<A>);
    #[cfg(not(feature = "swagger-ui"))]
    return vec![document];
    #[cfg(feature = "swagger-ui")]
    vec![
        document,
        route(paths.path, "a page that shows this document")
            .named("openapi_page")
            .described(|it| {
                it.answers(StatusCode::OK, Shape::Page, "The page, for people.")
                    .typed("text/html; charset=utf-8")
            })
            .answered_by(page::page::<A>),
    ]
}

fn document_path(paths: DocsRoutes) -> String {
    format!("{}/openapi.json", paths.path.trim_end_matches('/'))
}

/// The document as it is served.
pub(super) struct Document {
    described: OpenApi,
    text: String,
}

impl Document {
    pub(super) fn new(described: OpenApi) -> Self {
        // A document is text and numbers, which JSON can always hold.
        let text = described.to_json().unwrap_or_default();
        Self { described, text }
    }

    /// The document of a router that an application nests under a prefix. Servers of the application's own stay.
    fn below(&self, prefix: &str) -> Result<String, Error> {
        let general = [Server::new("/")];
        if self.described.servers.as_deref() != Some(&general) {
            return Ok(self.text.clone());
        }
        let mut described = self.described.clone();
        described.servers = Some(vec![Server::new(prefix)]);
        described.to_json().map_err(Error::internal)
    }

    #[cfg(feature = "swagger-ui")]
    fn title(&self) -> &str {
        &self.described.info.title
    }
}

async fn document<A: Application>(
    State(generated): State<Generated<A>>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Error> {
    let path = A::ROUTES.docs.map(document_path).unwrap_or_default();
    let text = match uri.path().strip_suffix(&path) {
        None | Some("") => generated.document.text.clone(),
        Some(prefix) => generated.document.below(prefix)?,
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}
