//! The programs that are compared, and how each wants to be talked to.

use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;
use serde_json::json;

use crate::client::Request;

/// The password of every user.
pub const PASSWORD: &str = "correct horse battery staple";

/// A program under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ValueEnum)]
pub enum Program {
    #[serde(rename = "generated")]
    Generated,
    #[value(name = "generated+cache")]
    #[serde(rename = "generated+cache")]
    GeneratedCache,
    #[serde(rename = "handwritten")]
    Handwritten,
    #[serde(rename = "axum-login")]
    AxumLogin,
    #[serde(rename = "litestar-users")]
    LitestarUsers,
    #[serde(rename = "fastapi-users")]
    FastapiUsers,
}

impl Program {
    pub fn name(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::GeneratedCache => "generated+cache",
            Self::Handwritten => "handwritten",
            Self::AxumLogin => "axum-login",
            Self::LitestarUsers => "litestar-users",
            Self::FastapiUsers => "fastapi-users",
        }
    }

    /// Where it stands in a table: what the others are compared with comes first.
    pub fn place(self) -> u8 {
        match self {
            Self::Handwritten => 0,
            Self::Generated => 1,
            Self::GeneratedCache => 2,
            Self::AxumLogin => 3,
            Self::LitestarUsers => 4,
            Self::FastapiUsers => 5,
        }
    }

    /// Where the program of a Python peer is; `None` of a Rust program.
    pub fn script(self) -> Option<PathBuf> {
        let is_python = matches!(self, Self::LitestarUsers | Self::FastapiUsers);
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");
        is_python.then(|| [folder, self.name(), "app.py"].iter().collect())
    }

    /// The status of a successful login.
    pub fn logged_in(self) -> u16 {
        if self == Self::FastapiUsers { 204 } else { 201 }
    }

    pub fn login(self, email: &str) -> Request {
        if self == Self::FastapiUsers {
            let (email, password) = (email.replace('@', "%40"), PASSWORD.replace(' ', "+"));
            return Request::form("/login", &format!("username={email}&password={password}"));
        }
        Request::json("POST", "/login", &json!({ "email": email, "password": PASSWORD }))
    }

    pub fn register(email: &str) -> Request {
        Request::json("POST", "/register", &json!({ "email": email, "password": PASSWORD }))
    }
}
