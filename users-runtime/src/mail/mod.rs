//! Mails of an account's life: what they say and how they leave.
//!
//! Nothing here is called while a request is served. Requests write rows of the outbox, which hold no secret; a
//! worker claims a row, derives the token anew, renders the mail with [`Templates`] and hands it to a
//! [`MailTransport`].

mod message;
mod template;
mod transport;

#[cfg(feature = "smtp")]
pub use self::transport::Smtp;
pub(crate) use self::transport::transport_from_setting;
pub use self::{
    message::{MailContext, MailKind, RenderedMail},
    template::Templates,
    transport::{Folder, MailError, MailTransport, Stdout},
};
