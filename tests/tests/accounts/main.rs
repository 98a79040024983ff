//! The life of an account over HTTP, one file a route group or concern, each test with every backend that it depends
//! on.

mod breaches;
mod changes;
mod deletion;
mod enumeration;
mod event_hook;
mod events;
mod export;
mod help;
mod hooks;
mod identifiers;
mod mail;
mod password_reset;
mod passwords;
mod register;
mod registration;
mod verify;
