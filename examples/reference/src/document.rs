//! What the application says of its own routes in the OpenAPI document.

use users_runtime::utoipa::{self, OpenApi, openapi::SecurityRequirement};

use crate::routes;

/// The application's own part of the document; the generated routes are merged into it.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Reference",
        description = "Every route group of the library on one port, and a few routes of the application's own."
    ),
    paths(
        routes::private,
        routes::admin_only,
        routes::file,
        routes::ping,
        routes::feed,
        routes::alive,
        routes::ready
    ),
    tags((name = "Application", description = "Routes of the application's own."))
)]
struct Document;

/// The routes that need a login.
const PROTECTED: [&str; 3] = ["/private", "/admin-only", "/files/{path}"];

/// That part, with the ways in which this application lets clients show who they are.
pub fn own(security: &[SecurityRequirement]) -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    for path in PROTECTED {
        let item = document.paths.paths.get_mut(path);
        if let Some(operation) = item.and_then(|item| item.get.as_mut()) {
            operation.security = Some(security.to_vec());
        }
    }
    document
}
