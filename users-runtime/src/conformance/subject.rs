//! What tests do with an application beside HTTP. They speak with it through a trait object, so that they are compiled once
//! and not for each application.

use http::request::Parts;
use serde_json::{Map, Value};

use super::Stop;
use crate::{
    app::{Application, Routes},
    config::Config,
    error::Error,
    future::BoxFuture,
    model::{AdminUpdateDto, RoleModel, UserModel},
    operation::GeneratedRoute,
    principal::Principal,
    routes::UsersRouter,
    service::{Scope, Users},
    validate::IdentifierKind,
};

/// What an application states when it is compiled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traits {
    /// The paths of each group of routes.
    pub(super) groups: Routes,
    /// What people log in with, as bodies call it.
    pub(super) field: &'static str,
    pub(super) kind: IdentifierKind,
    /// Whether users have roles.
    pub(super) roles: bool,
}

impl Traits {
    pub(super) fn of<A: Application>() -> Self {
        Self {
            groups: A::ROUTES,
            field: A::User::IDENTIFIER.field,
            kind: A::User::IDENTIFIER.kind,
            roles: <A::User as UserModel>::Role::PRESENT,
        }
    }
}

/// What is stored of somebody.
pub(super) struct Stored {
    /// The key, as bodies have it.
    pub(super) id: Value,
    /// The same as paths have it.
    pub(super) key: String,
    pub(super) address: Option<String>,
    pub(super) verified: bool,
    pub(super) active: bool,
    pub(super) password_hash: String,
    pub(super) roles: Vec<StoredRole>,
    /// What responses show, unless the application shows something of its own.
    pub(super) shown: Map<String, Value>,
}

/// A role that somebody has.
pub(super) struct StoredRole {
    pub(super) id: Value,
    name: String,
}

impl Stored {
    pub(super) fn has(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own.name == role)
    }
}

/// What a program does with its users.
pub(super) trait Subject: Send + Sync {
    fn config(&self) -> &Config;

    /// What the library generates.
    fn routes(&self) -> Vec<GeneratedRoute>;

    fn password_computations(&self) -> u64;

    /// The users of the tenant that a request with these headers belongs to.
    fn of_tenant<'a>(&'a self, request: &'a Parts) -> BoxFuture<'a, Result<Box<dyn Tenant>, Stop>>;
}

/// What a program does with the users of one tenant. It knows them by what they log in with.
pub(super) trait Tenant: Send + Sync {
    fn find<'a>(&'a self, identifier: &'a str) -> BoxFuture<'a, Result<Option<Stored>, Stop>>;

    /// Stores somebody from the body of a registration.
    fn create(&self, registration: Value) -> BoxFuture<'_, Result<(), Stop>>;

    fn deactivate<'a>(&'a self, identifier: &'a str) -> BoxFuture<'a, Result<(), Stop>>;

    fn delete<'a>(&'a self, identifier: &'a str) -> BoxFuture<'a, Result<(), Stop>>;

    fn grant<'a>(&'a self, identifier: &'a str, role: String) -> BoxFuture<'a, Result<(), Stop>>;

    fn withdraw<'a>(&'a self, identifier: &'a str, role: String) -> BoxFuture<'a, Result<(), Stop>>;

    /// Whether an administrator who sends this body deactivates somebody.
    fn deactivates(&self, body: Value) -> bool;

    /// Closes every connection, as when the database is gone.
    fn close_database(&self) -> BoxFuture<'_, ()>;
}

impl<A: Application> Subject for Users<A> {
    fn config(&self) -> &Config {
        self.config()
    }

    fn routes(&self) -> Vec<GeneratedRoute> {
        UsersRouter::new(self.clone()).routes()
    }

    fn password_computations(&self) -> u64 {
        self.password_computations()
    }

    fn of_tenant<'a>(&'a self, request: &'a Parts) -> BoxFuture<'a, Result<Box<dyn Tenant>, Stop>> {
        Box::pin(async move { Ok(Box::new(self.scope_of(request).await?) as Box<dyn Tenant>) })
    }
}

impl<A: Application> Tenant for Scope<A> {
    fn find<'a>(&'a self, identifier: &'a str) -> BoxFuture<'a, Result<Option<Stored>, Stop>> {
        Box::pin(async move { self.find_user(identifier).await?.as_ref().map(stored).transpose() })
    }

    fn create(&self, registration: Value) -> BoxFuture<'_, Result<(), Stop>> {
        Box::pin(async move {
            let registration = serde_json::from_value(registration).map_err(|error| {
                Stop::failed(format!(
                    "a registration needs more than the test knows ({error}): say it in `Suite::with_registration`"
                ))
            })?;
            self.create_user(registration).await?;
            Ok(())
        })
    }

    fn deactivate<'a>(&'a self, identifier: &'a str) -> BoxFuture<'a, Result<(), Stop>> {
        Box::pin(async move {
            match self.set_active(id(self, identifier).await?, false).await {
                Err(Error::NotFound) => Err(Stop::not_applicable("accounts cannot be deactivated")),
                done => Ok(done?),
            }
        })
    }

    fn delete<'a>(&'a self, identifier: &'a str) -> BoxFuture<'a, Result<(), Stop>> {
        Box::pin(async move { Ok(self.delete_user(id(self, identifier).await?).await.map(drop)?) })
    }

    fn grant<'a>(&'a self, identifier: &'a str, role: String) -> BoxFuture<'a, Result<(), Stop>> {
        Box::pin(async move { Ok(self.grant(id(self, identifier).await?, role).await?) })
    }

    fn withdraw<'a>(&'a self, identifier: &'a str, role: String) -> BoxFuture<'a, Result<(), Stop>> {
        Box::pin(async move { Ok(self.withdraw(id(self, identifier).await?, role).await?) })
    }

    fn deactivates(&self, body: Value) -> bool {
        serde_json::from_value::<<A::User as UserModel>::AdminUpdate>(body)
            .is_ok_and(|update| update.active() == Some(false))
    }

    fn close_database(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.directory().database.close())
    }
}

/// The key of somebody who is stored.
async fn id<A: Application>(users: &Scope<A>, identifier: &str) -> Result<<A::User as UserModel>::Id, Stop> {
    let found = users.find_user(identifier).await?;
    found.map(|user| user.id()).ok_or_else(|| Stop::failed(format!("{identifier} is not stored")))
}

fn stored<U: UserModel>(user: &Principal<U>) -> Result<Stored, Stop> {
    let Ok(Value::Object(shown)) = serde_json::to_value(user.to_read()) else {
        return Err(Stop::failed("a user cannot be shown as JSON"));
    };
    let role = |role: &U::Role| StoredRole {
        id: serde_json::to_value(role.id()).unwrap_or_default(),
        name: role.name().to_owned(),
    };
    Ok(Stored {
        id: serde_json::to_value(user.id()).unwrap_or_default(),
        key: user.id().to_string(),
        address: user.mailbox().map(str::to_owned),
        verified: user.is_verified(),
        active: user.is_active(),
        password_hash: user.password_hash().expose_phc().to_owned(),
        roles: user.roles().iter().map(role).collect(),
        shown,
    })
}
