//! What the server and its clients share: the user, and the application around it with each backend.

pub mod accounts;
