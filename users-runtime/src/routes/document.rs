//! What a router says of itself in the OpenAPI document.

use utoipa::openapi::{OpenApi, SecurityRequirement};

use super::{Group, UsersRouter, all};
use crate::{
    app::Application,
    config::Config,
    model::{Described, Schematic},
    openapi::{self, Source},
};

/// What the application says of itself.
#[derive(Default)]
pub(super) struct Said {
    own: Option<OpenApi>,
    shown: Vec<(Option<Group>, Schematic)>,
}

impl<A: Application> UsersRouter<A> {
    /// The OpenAPI document of the generated routes, merged with the application's own.
    #[must_use]
    pub fn openapi(&self) -> OpenApi {
        let schema = |group| self.said.shown.iter().rfind(|(of, _)| *of == group).map(|(_, schema)| *schema);
        let shown = self.overrides.shown().map(|group| (group, schema(group))).collect();
        let replaced = self.overrides.answers.replaced();
        Self::document(self.users.config(), shown, replaced, self.said.own.clone())
    }

    /// The same for these settings, which needs no database; it knows of no DTOs that [`with_read`](Self::with_read) shows.
    #[must_use]
    pub fn openapi_for(config: &Config) -> OpenApi {
        Self::document(config, Vec::new(), Vec::new(), None)
    }

    fn document(
        config: &Config,
        shown: Vec<(Option<Group>, Option<Schematic>)>,
        replaced: Vec<&'static str>,
        own: Option<OpenApi>,
    ) -> OpenApi {
        let operations = all::<A>(config).into_iter().map(|route| (route.about, route.facts)).collect();
        openapi::document::<A>(Source { config, operations, shown, replaced, own })
    }

    /// Merges a document of the application's own into the generated one. Where both say something, the application's
    /// wins: title, version, servers, operations, schemas and tags. A second one is merged into the first.
    pub fn with_openapi(mut self, own: OpenApi) -> Self {
        self.said.own = Some(match self.said.own {
            Some(first) => first.merge_from(own),
            None => own,
        });
        self
    }

    /// What [`with_read`](Self::with_read) shows of users, for the OpenAPI document: `Dto` derives `utoipa::ToSchema`.
    pub fn with_read_schema<Dto: Described>(mut self) -> Self {
        self.said.shown.push((None, Schematic::of::<Dto>()));
        self
    }

    /// What [`with_read_in`](Self::with_read_in) shows of users in a group.
    pub fn with_read_schema_in<Dto: Described>(mut self, group: Group) -> Self {
        self.said.shown.push((Some(group), Schematic::of::<Dto>()));
        self
    }

    /// The alternatives by which a client shows who it is, for operations of the application's own that need a login.
    #[must_use]
    pub fn security_requirements(config: &Config) -> Vec<SecurityRequirement> {
        openapi::security_requirements::<A>(config)
    }
}
