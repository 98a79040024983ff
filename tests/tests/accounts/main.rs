//! The life of an account over HTTP, one file a route group, each test with every backend that it applies to.

mod register;
