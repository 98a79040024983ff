//! The rules of a model of linked accounts: from attributes as written to a model that is right.

use darling::{Error, Result, error::Accumulator};

use super::{
    NOUN,
    attr::{AccountAttributes, FieldAttributes},
    model::Model,
};
use crate::{
    record::{
        Record,
        check::{Subject, Use, check_field},
        claim::{Claims, Wanted},
        default_runtime,
        field::{Dtos, Field, List, Purpose},
        names::{distinct_columns, table},
    },
    report::mistake,
};

/// The table of linked accounts unless the struct names another one.
const TABLE: &str = "users_oauth_accounts";

/// The columns that the library adds to the struct's own.
const TAKEN: [(&str, &str); 7] = {
    const OWNER: &str = "the library";
    [
        ("user_id", OWNER),
        ("issuer", OWNER),
        ("tokens", OWNER),
        ("tokens_expire_at", OWNER),
        ("created_at", OWNER),
        ("updated_at", OWNER),
        ("tenant", OWNER),
    ]
};

const ID: Wanted = Wanted { purpose: Purpose::Id, required: true, example: "pub id: Uuid", likely: &["id"] };
const PROVIDER: Wanted = Wanted {
    purpose: Purpose::Provider,
    required: true,
    example: "pub provider: String",
    likely: &["provider", "oauth_name"],
};
const SUBJECT: Wanted = Wanted {
    purpose: Purpose::Subject,
    required: true,
    example: "pub subject: String",
    likely: &["subject", "sub", "account_id"],
};
const EMAIL: Wanted = Wanted { purpose: Purpose::Email, required: false, example: "", likely: &[] };

/// Checks every rule; one that needs another one's result runs only when that one passed.
pub(super) fn check(attributes: AccountAttributes, mut mistakes: Accumulator) -> Result<Model> {
    let AccountAttributes { name, visibility, options, fields: read, complete } = attributes;
    let table = mistakes.handle(table(&name, options.table.as_ref(), Some(TABLE)));
    let claims = Claims::read(NOUN, &name, &read, complete, &mut mistakes);
    let subject = Subject { noun: NOUN, name: &name, has_hash: true };
    let fields: Vec<Field> = claims
        .iter()
        .filter_map(|(field, purpose)| {
            mistakes.handle(check_field(subject, field, purpose, |field, _, mistakes| {
                let dtos = mistakes.handle(dtos(field))?;
                Some(Use { dtos, list: List::default(), rules: Vec::new() })
            }))
        })
        .collect();
    let mut find = |wanted: &Wanted| claims.find(wanted, &fields, &mut mistakes);
    let (id, provider, subject, email) = (find(&ID), find(&PROVIDER), find(&SUBJECT), find(&EMAIL));
    mistakes.handle(distinct_columns(&fields, &TAKEN));
    let model = (|| {
        Some(Model {
            record: Record {
                name,
                visibility,
                runtime: options.runtime.unwrap_or_else(default_runtime),
                table: table?,
                fields,
            },
            id: id?,
            provider: provider?,
            subject: subject?,
            email,
        })
    })();
    match model {
        Some(model) => mistakes.finish_with(model),
        // A part that is missing has left a mistake behind.
        None => Err(Error::multiple(mistakes.into_inner())),
    }
}

/// The one DTO carries a field, unless the struct keeps it back.
fn dtos(field: &FieldAttributes) -> Result<Dtos> {
    if let Some(word) = &field.column.read_only {
        return Err(mistake(word.0, "no request writes a linked account; remove `read_only`"));
    }
    Ok(Dtos { read: field.exclude.is_none(), ..Dtos::default() })
}
