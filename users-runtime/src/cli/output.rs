//! Users as answers: documents for programs, tables for people.

use std::io::{self, Write};

use serde::Serialize;

use super::console::printable;
use crate::{
    model::{RoleModel, UserModel},
    principal::Principal,
};

/// A user with the names of the roles.
#[derive(Serialize)]
#[serde(bound = "")]
pub(super) struct Shown<U: UserModel> {
    #[serde(flatten)]
    user: U::Read,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<Vec<String>>,
}

impl<U: UserModel> Shown<U> {
    pub(super) fn of(principal: &Principal<U>) -> Self {
        Self { user: principal.to_read(), roles: U::Role::PRESENT.then(|| roles(principal)) }
    }
}

/// The names of a user's roles, in order.
pub(super) fn roles<U: UserModel>(principal: &Principal<U>) -> Vec<String> {
    let mut names: Vec<_> = principal.roles().iter().map(|role| role.name().to_owned()).collect();
    names.sort();
    names
}

/// Rows below their headings, each column as wide as its widest cell.
pub(super) fn table(headings: &[&str], rows: &[Vec<String>], output: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
    let headings: Vec<String> = headings.iter().map(|heading| heading.to_uppercase()).collect();
    let width = |column: usize| {
        let cells = std::iter::once(&headings).chain(&rows).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..headings.len()).map(width).collect();
    for row in std::iter::once(&headings).chain(&rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            let padding = width + 2 - cell.chars().count().min(*width);
            line.extend(std::iter::repeat_n(' ', padding));
        }
        writeln!(output, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_and_commands_no_terminal() {
        let mut output = Vec::new();
        let rows = [vec!["1".into(), "Ä\u{1b}[2J".into()], vec!["1000".into(), "b".into()]];
        table(&["id", "email", "active"], &rows, &mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        assert_eq!(text, "ID    EMAIL  ACTIVE\n1     Ä\u{fffd}[2J\n1000  b\n");
    }
}
