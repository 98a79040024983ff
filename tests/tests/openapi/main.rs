//! The OpenAPI document: what it says of routes, DTOs and problems, and how it is served and shown.

mod document;
mod forms;
mod page;
mod support;
