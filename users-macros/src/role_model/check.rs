//! The rules of a role model: from attributes as written to a model that is right.

use darling::{Error, Result, error::Accumulator};
use syn::Ident;

use super::{
    NOUN,
    attr::{Dto, FieldAttributes, RoleAttributes},
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

/// The table of roles unless the struct names another one.
const TABLE: &str = "users_roles";

const ID: Wanted = Wanted { purpose: Purpose::Id, required: true, example: "pub id: Uuid", likely: &["id"] };
const NAME: Wanted =
    Wanted { purpose: Purpose::Name, required: true, example: "pub name: String", likely: &["name"] };

/// Checks every rule; one that needs another one's result runs only when that one passed.
pub(super) fn check(attributes: RoleAttributes, mut mistakes: Accumulator) -> Result<Model> {
    let RoleAttributes { name: struct_name, visibility, options, fields: read, complete } = attributes;
    let table = mistakes.handle(table(&struct_name, options.table.as_ref(), Some(TABLE)));
    let claims = Claims::read(NOUN, &struct_name, &read, complete, &mut mistakes);
    let subject = Subject { noun: NOUN, name: &struct_name, has_hash: true };
    let fields: Vec<Field> = claims
        .iter()
        .filter_map(|(field, purpose)| {
            mistakes.handle(check_field(subject, field, purpose, |field, ident, mistakes| {
                let dtos = mistakes.handle(dtos(&struct_name, field, purpose, ident))?;
                Some(Use { dtos, list: List::default(), rules: Vec::new() })
            }))
        })
        .collect();
    let id = claims.find(&ID, &fields, &mut mistakes);
    let name = claims.find(&NAME, &fields, &mut mistakes);
    // The library adds this column to the roles of users with tenants.
    mistakes.handle(distinct_columns(&fields, &[("tenant", "the library")]));
    let model = (|| {
        Some(Model {
            record: Record {
                name: struct_name,
                visibility,
                runtime: options.runtime.unwrap_or_else(default_runtime),
                table: table?,
                fields,
            },
            id: id?,
            name: name?,
        })
    })();
    match model {
        Some(model) => mistakes.finish_with(model),
        // A part that is missing has left a mistake behind.
        None => Err(Error::multiple(mistakes.into_inner())),
    }
}

/// Which DTOs carry a field.
fn dtos(name: &Ident, field: &FieldAttributes, purpose: Purpose, ident: &Ident) -> Result<Dtos> {
    let mut mistakes = Error::accumulator();
    let mut dtos = match purpose {
        Purpose::Id => Dtos { read: true, ..Dtos::default() },
        _ => Dtos { read: true, create: true, update: true, ..Dtos::default() },
    };
    for (dto, span) in field.exclude.iter().flat_map(|exclude| &exclude.0) {
        let (carried, suffix) = match dto {
            Dto::Read => (&mut dtos.read, "Read"),
            Dto::Create => (&mut dtos.create, "Create"),
            Dto::Update => (&mut dtos.update, "Update"),
        };
        if !*carried {
            mistakes.push(mistake(*span, format!("`{ident}` is never in `{name}{suffix}`; remove this")));
        } else if purpose == Purpose::Name && *dto == Dto::Create {
            mistakes.push(mistake(*span, "nobody could make a role without its name; remove this"));
        }
        *carried = false;
    }
    if let Some(word) = &field.column.read_only {
        match purpose {
            Purpose::Name => {
                let text = "nobody could make a role without its name; write `exclude(update)`";
                mistakes.push(mistake(word.0, text));
            }
            Purpose::Own => dtos = Dtos { create: false, update: false, ..dtos },
            _ => {
                let text = format!("no DTO writes the `{}`; remove `read_only`", purpose.word());
                mistakes.push(mistake(word.0, text));
            }
        }
    }
    mistakes.finish_with(dtos)
}
