//! `list-users`: one page of users.

use std::io::Write;

use serde::{Deserialize, Serialize};

use super::{
    args::{self, ListUsers},
    console::Console,
    failure::Failure,
    output::{Shown, roles, table},
};
use crate::{
    app::Application,
    model::{RoleModel, UserModel},
    query::{ListQuery, Page},
    service::Scope,
    text::Texts,
};

type User<A> = <A as Application>::User;

#[derive(Serialize)]
#[serde(bound = "")]
struct Document<U: UserModel> {
    items: Vec<Shown<U>>,
    next: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
}

pub(super) async fn run<A: Application>(
    users: &Scope<A>,
    arguments: ListUsers,
    console: &mut Console,
) -> Result<(), Failure> {
    let filter = Deserialize::deserialize(Texts::query(args::pairs(&arguments.filters)))?;
    let mut query =
        ListQuery::new().with_filter(filter).with_limit(arguments.limit).with_total(arguments.total);
    if let Some(prefix) = arguments.search {
        query = query.with_search(prefix);
    }
    if let Some(sort) = arguments.sort {
        query = query.with_sort(sort);
    }
    if let Some(after) = arguments.after {
        query = query.with_after(after);
    }
    let page = users.list_users(query).await?;
    if console.json {
        let Page { items, next, total, .. } = page;
        let items = items.iter().map(Shown::of).collect();
        return Ok(console.document(&Document::<User<A>> { items, next, total })?);
    }
    show(&page, console)
}

fn show<U: UserModel>(page: &Page<U>, console: &mut Console) -> Result<(), Failure> {
    let mut headings = vec!["id", U::IDENTIFIER.field, "active", "verified"];
    if U::Role::PRESENT {
        headings.push("roles");
    }
    let word = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
    let row = |user: &crate::principal::Principal<U>| {
        vec![
            user.id().to_string(),
            user.identifier().to_owned(),
            word(user.is_active()),
            word(user.is_verified()),
            roles(user).join(", "),
        ]
    };
    let rows: Vec<_> = page.items.iter().map(row).collect();
    table(&headings, &rows, &mut console.output)?;
    console.output.flush()?;
    if let Some(total) = page.total {
        console.note(format_args!("{total} in all"))?;
    }
    if let Some(next) = &page.next {
        console.note(format_args!("there are more: --after {next}"))?;
    }
    Ok(())
}
