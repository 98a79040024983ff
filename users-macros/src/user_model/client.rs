//! The DTOs of a user as a client of the generated routes needs them.

use proc_macro2::TokenStream;

use super::{
    dto::{filter_ident, filter_keys},
    model::Model,
};
use crate::record::{
    client::{Sent, request, response},
    dto::Presence,
    field::Field,
};

/// What the DTOs are to a client, beside what they are to the server.
pub(super) fn client(model: &Model) -> TokenStream {
    let record = &model.record;
    let sent = |presence: fn(&Field) -> Presence| {
        record.fields.iter().filter_map(move |field| Sent::of(field, presence(field)))
    };
    let registration = sent(Presence::in_creation).chain([Sent::Password("password")]);
    let update = sent(|field| Presence::in_change(field.dtos.update))
        .chain([Sent::NewPassword("password"), Sent::NewPassword("current_password")]);
    let reset = model.mailbox.as_ref().map(|_| Sent::Flag("send_password_reset"));
    let admin_update = sent(|field| Presence::in_change(field.dtos.admin_update))
        .chain([Sent::NewPassword("password")])
        .chain(reset);
    let filter = model.filtered().flat_map(|field| {
        let idents = filter_keys(field).into_iter().map(|(key, _)| filter_ident(field, &key));
        idents.map(|ident| Sent::Perhaps(field, ident, field.content()))
    });
    [
        response(record),
        request(record, "Registration", registration),
        request(record, "Update", update),
        request(record, "AdminUpdate", admin_update),
        request(record, "Filter", filter),
    ]
    .into_iter()
    .collect()
}
