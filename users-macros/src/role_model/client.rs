//! The DTOs of a role as a client of the generated routes needs them.

use proc_macro2::TokenStream;

use super::model::Model;
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
    [
        response(record),
        request(record, "Create", sent(Presence::in_creation)),
        request(record, "Update", sent(|field| Presence::in_change(field.dtos.update))),
    ]
    .into_iter()
    .collect()
}
