//! Who gets in and who does not, over HTTP: login, credentials, the own account, routes and failures.

mod auth;
