//! The items of another file.

pub struct User;
