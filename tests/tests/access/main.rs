//! Who gets in and who does not, over HTTP: login, credentials, the own account, routes and failures.

mod auth;
mod backends;
mod bodies;
mod cookies;
mod current_user;
mod failures;
mod hostile;
mod live;
mod lookup;
mod models;
mod origins;
mod outages;
mod routes;
mod schema;
mod sessions;
mod support;
mod tokens;
mod websocket;
