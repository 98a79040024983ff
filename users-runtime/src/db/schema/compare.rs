//! What sets a table that is there apart from its struct, and the statements that end it.

use super::{
    Dialect, Difference, Existing, Found, Index, Table,
    define::is_compared,
    types::{self, EXACT},
};
use crate::model::{Column, ColumnRole};

impl Difference {
    fn of(table: &Table, problem: String) -> Self {
        Self { table: table.name.clone(), problem, fix: None, advice: None, safe: false, required: true }
    }

    fn between(table: &Table, column: &Column, expected: &str, found: &str) -> Self {
        Self::of(table, format!("column `{}`: expected {expected}, found {found}", column.name))
    }

    fn fixed_by(self, fix: Option<String>) -> Self {
        Self { fix, ..self }
    }

    fn advised(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }

    fn safe(self) -> Self {
        Self { safe: true, ..self }
    }

    /// Something that makes statements slow and not wrong.
    fn slow(self) -> Self {
        Self { required: false, ..self }
    }
}

impl Dialect {
    /// Every difference between a struct and its table; one statement each, in an order in which they can be run.
    pub(crate) fn compare(self, table: &Table, found: Option<&Found>) -> Vec<Difference> {
        let Some(found) = found else { return self.absent(table) };
        let mut differences = Vec::new();
        for column in &table.columns {
            match found.column(column.name) {
                Some(existing) => differences.extend(
                    [
                        self.compare_type(table, column, existing),
                        self.compare_null(table, column, existing),
                        self.compare_key(table, column, existing, found),
                    ]
                    .into_iter()
                    .flatten(),
                ),
                None => differences.push(self.missing_column(table, column)),
            }
        }
        differences.extend(found.columns.iter().filter_map(|existing| unknown_column(table, existing)));
        for index in self.indexes(table) {
            differences.extend(self.missing_index(table, &index, found));
            differences.extend(too_narrow(table, &index, found));
        }
        if !found.transactional {
            let problem =
                "expected the engine InnoDB, on which a transaction can be taken back, found another one";
            let fix = format!("ALTER TABLE {} ENGINE=InnoDB", self.quoted(&table.name));
            differences.push(Difference::of(table, problem.to_owned()).fixed_by(Some(fix)));
        }
        differences
    }

    /// A table and its indexes, each a difference of its own.
    fn absent(self, table: &Table) -> Vec<Difference> {
        let indexes = self.indexes(table);
        let statement = |(position, fix): (usize, String)| {
            // The statement that creates the table comes first.
            let index = position.checked_sub(1).and_then(|position| indexes.get(position));
            let difference = match index {
                Some(index) => {
                    Difference::of(table, format!("expected the index `{}`, found none", index.name))
                }
                None => Difference::of(table, format!("expected the table `{}`, found none", table.name)),
            };
            let required = index.is_none_or(|index| index.unique);
            Difference { required, ..difference.fixed_by(Some(fix)).safe() }
        };
        self.create(table).into_iter().enumerate().map(statement).collect()
    }

    fn compare_type(self, table: &Table, column: &Column, existing: &Existing) -> Option<Difference> {
        let differs = |expected: &str, found: &str| Difference::between(table, column, expected, found);
        if !self.fits(table, column, existing) {
            let expected = self.column_type(column);
            let fix = self.change_type(table, column, existing);
            return Some(differs(&expected, &existing.sql_type).fixed_by(fix));
        }
        let collation = existing.collation.as_deref().unwrap_or("another one");
        if let Some(expected) = self.wrong_collation(column, existing) {
            let fix = self.change_collation(table, column, existing);
            return Some(differs(expected, collation).fixed_by(fix));
        }
        let in_order =
            self != Self::Postgres || column.role != ColumnRole::Canonical || is_bytewise(existing);
        (!in_order).then(|| {
            let expected = "the collation \"C\", in which texts that begin alike are one range of the index";
            let fix = self.change_type(table, column, existing);
            let advice = "the table is locked while its index is built anew";
            differs(expected, collation).fixed_by(fix).advised(advice).slow()
        })
    }

    fn compare_null(self, table: &Table, column: &Column, existing: &Existing) -> Option<Difference> {
        let (not_null, null) = ("NOT NULL", "a column that may be NULL");
        let differs = |expected, found| {
            let fix = self.change_null(table, column);
            Some(Difference::between(table, column, expected, found).fixed_by(fix))
        };
        match column.role {
            ColumnRole::Id => None,
            _ if !column.nullable && !existing.not_null && !existing.key => differs(not_null, null),
            _ if column.nullable && existing.not_null => differs(null, not_null),
            _ => None,
        }
    }

    fn compare_key(
        self,
        table: &Table,
        column: &Column,
        existing: &Existing,
        found: &Found,
    ) -> Option<Difference> {
        let differs = |expected: &str, found: &str| Some(Difference::between(table, column, expected, found));
        if column.role != ColumnRole::Id {
            return None;
        }
        if !existing.key {
            return differs("the primary key", "an ordinary column");
        }
        if found.columns.iter().filter(|column| column.key).count() > 1 {
            return differs("the primary key", "a part of it");
        }
        if !types::is_integer(&column.sql_type) || self.assigns(existing) {
            return None;
        }
        let found = format!("{} without a sequence of its own", existing.sql_type);
        let fix = self.assign_key(table, column);
        differs("a key that the database assigns", &found).map(|difference| difference.fixed_by(fix))
    }

    /// Whether the database gives new rows a key.
    fn assigns(self, existing: &Existing) -> bool {
        match self {
            // Any other spelling of the type makes an ordinary column of it.
            Self::Sqlite => {
                existing.sql_type.eq_ignore_ascii_case("INTEGER")
                    || types::affinity(&existing.sql_type) != "INTEGER"
            }
            _ => existing.has_default || !types::is_integer(&existing.sql_type),
        }
    }

    fn assign_key(self, table: &Table, column: &Column) -> Option<String> {
        let (table, name) = (self.quoted(&table.name), self.quoted(column.name));
        match self {
            Self::Sqlite => None,
            Self::Postgres => {
                Some(format!("ALTER TABLE {table} ALTER COLUMN {name} ADD GENERATED BY DEFAULT AS IDENTITY"))
            }
            Self::MySql => Some(format!(
                "ALTER TABLE {table} MODIFY COLUMN {name} {} NOT NULL AUTO_INCREMENT",
                column.sql_type
            )),
        }
    }

    /// The collation that is expected, if it is another one.
    fn wrong_collation(self, column: &Column, existing: &Existing) -> Option<&'static str> {
        let text = types::is_text(&existing.sql_type);
        let wide = existing.collation.as_ref().is_none_or(|name| name.starts_with("utf8mb4"));
        match self {
            Self::MySql if text && is_compared(column) && !(existing.exact && wide) => {
                Some("the collation utf8mb4_bin, in which only equal values are equal")
            }
            Self::MySql if text && column.role == ColumnRole::Identifier && !wide => {
                Some("the character set utf8mb4, which has every letter")
            }
            Self::Postgres if is_compared(column) && !existing.exact => {
                Some("a collation in which only equal values are equal")
            }
            _ => None,
        }
    }

    fn change_collation(self, table: &Table, column: &Column, existing: &Existing) -> Option<String> {
        match self {
            Self::MySql => Some(format!(
                "ALTER TABLE {} MODIFY COLUMN {} {} {EXACT}{}",
                self.quoted(&table.name),
                self.quoted(column.name),
                existing.sql_type,
                if column.nullable { "" } else { " NOT NULL" }
            )),
            _ => self.change_type(table, column, existing),
        }
    }

    fn change_type(self, table: &Table, column: &Column, existing: &Existing) -> Option<String> {
        let (name, kind) = (self.quoted(column.name), self.column_type(column));
        match self {
            // SQLite changes no column that is there.
            Self::Sqlite => None,
            Self::Postgres => {
                let bare = kind.split(" COLLATE ").next().unwrap_or_default();
                let table = self.quoted(&table.name);
                // Bytes become the text that they spell: a plain cast writes their digits.
                let value = if existing.sql_type.eq_ignore_ascii_case("bytea") {
                    format!("convert_from({name}, 'UTF8')")
                } else {
                    name.clone()
                };
                Some(format!("ALTER TABLE {table} ALTER COLUMN {name} TYPE {kind} USING {value}::{bare}"))
            }
            Self::MySql if column.role == ColumnRole::Id => {
                // A text in which a UUID is written does not become its bytes by itself.
                let numbers = types::is_integer(&column.sql_type) && types::is_integer(&existing.sql_type);
                numbers.then(|| self.assign_key(table, column)).flatten()
            }
            Self::MySql => self.change_null(table, column),
        }
    }

    fn change_null(self, table: &Table, column: &Column) -> Option<String> {
        let (table, name) = (self.quoted(&table.name), self.quoted(column.name));
        let change = if column.nullable { "DROP" } else { "SET" };
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(format!("ALTER TABLE {table} ALTER COLUMN {name} {change} NOT NULL")),
            Self::MySql => Some(format!("ALTER TABLE {table} MODIFY COLUMN {}", self.definition(column))),
        }
    }

    fn missing_column(self, table: &Table, column: &Column) -> Difference {
        let null = if column.nullable { "" } else { " NOT NULL" };
        let kind = self.column_type(column);
        let problem = format!("column `{}`: expected {kind}{null}, found no such column", column.name);
        let (name, definition) = (self.quoted(&table.name), self.definition(column));
        let add = format!("ALTER TABLE {name} ADD COLUMN {definition}");
        match column.role {
            ColumnRole::Id => Difference::of(table, problem),
            ColumnRole::Canonical => Difference::of(
                table,
                format!(
                    "{problem}; run: {add} DEFAULT ''; fill it with the canonical identifiers; \
                     then CREATE UNIQUE INDEX on it"
                ),
            ),
            ColumnRole::Issuer => Difference::of(
                table,
                format!(
                    "{problem}; run: {add} DEFAULT ''; fill it with the issuers of the rows' providers, such as \
                     https://accounts.google.com; then CREATE UNIQUE INDEX on it and the subject"
                ),
            ),
            ColumnRole::UserId => {
                let users = table.owner.as_ref().map_or("", |key| key.table.as_str());
                Difference::of(
                    table,
                    format!(
                        "{problem}; run: ALTER TABLE {name} ADD COLUMN {} {kind}; fill it with the keys of the rows' \
                         users in {users}; then make it NOT NULL, a reference to them and an index",
                        self.quoted(column.name)
                    ),
                )
            }
            _ if column.nullable || column.sql_default.is_some() => {
                Difference::of(table, problem).fixed_by(Some(add)).safe()
            }
            ColumnRole::Time => {
                Difference::of(table, problem).fixed_by(Some(format!("{add} DEFAULT <value>"))).advised(
                    "rows that are there need a value: write milliseconds since 1970 in place of `<value>`",
                )
            }
            ColumnRole::Own => {
                let attribute = match table {
                    _ if table.column(ColumnRole::RoleName).is_some() => "role",
                    _ if table.column(ColumnRole::UserId).is_some() => "oauth_account",
                    _ => "user",
                };
                Difference::of(table, problem).fixed_by(Some(format!("{add} DEFAULT <value>"))).advised(format!(
                    "rows that are there need a value: write `#[{attribute}(sql_default = \"...\")]` above the \
                     field, or make it an `Option`"
                ))
            }
            _ => Difference::of(table, problem)
                .fixed_by(Some(format!("{add} DEFAULT <value>")))
                .advised("rows that are there need a value: write one in place of `<value>`"),
        }
    }

    fn missing_index(self, table: &Table, index: &Index, found: &Found) -> Option<Difference> {
        let comes = |name: &String| {
            let column = table.columns.iter().find(|column| column.name == *name);
            let added = column.is_some_and(|column| column.nullable || column.sql_default.is_some());
            found.column(name).is_some() || (added && !index.unique)
        };
        if !index.columns.iter().all(comes) || found.indexes.iter().any(|there| self.serves(index, there)) {
            return None;
        }
        let fix = Some(self.create_index(table, index, &found.columns));
        let (column, others) = index.columns.split_last()?;
        if index.unique {
            let together = if others.is_empty() {
                String::new()
            } else {
                format!(" together with `{}`", others.join("`, `"))
            };
            let problem = format!("column `{column}`: expected a unique index{together}, found none");
            return Some(Difference::of(table, problem).fixed_by(fix).safe());
        }
        let columns = index.columns.join("`, `");
        let problem = match others {
            [] => format!("column `{columns}`: expected an index, found none"),
            _ => format!("columns `{columns}`: expected an index for lists, found none"),
        };
        Some(Difference::of(table, problem).fixed_by(fix).safe().slow())
    }

    /// Whether an index that is there does what the wanted one is for.
    fn serves(self, wanted: &Index, there: &Index) -> bool {
        let same = |(one, other): (&String, &String)| one.eq_ignore_ascii_case(other);
        let begins = |columns: &[String]| {
            there.columns.len() >= columns.len() && columns.iter().zip(&there.columns).all(same)
        };
        if wanted.unique {
            let covered =
                wanted.columns.iter().all(|column| there.columns.iter().any(|other| same((column, other))));
            return there.unique && there.columns.len() == wanted.columns.len() && covered;
        }
        // InnoDB ends each index with the primary key.
        let without_key = &wanted.columns[..wanted.columns.len().saturating_sub(1)];
        begins(&wanted.columns)
            || (self == Self::MySql && there.columns.len() == without_key.len() && begins(without_key))
    }
}

/// Whether texts are in the order of their bytes.
fn is_bytewise(existing: &Existing) -> bool {
    let name = existing.collation.as_deref().unwrap_or_default().to_ascii_lowercase();
    matches!(name.as_str(), "c" | "posix" | "ucs_basic" | "c.utf-8" | "c.utf8" | "pg_c_utf8")
}

/// A column that no statement of the library writes must do without a value.
fn unknown_column(table: &Table, existing: &Existing) -> Option<Difference> {
    let known = table.columns.iter().any(|column| column.name.eq_ignore_ascii_case(&existing.name));
    (!known && existing.not_null && !existing.has_default && !existing.key).then(|| {
        let problem = format!(
            "column `{}`: expected no column that must have a value and is not in the struct, found {} NOT NULL; \
             add it to the struct, or give it a DEFAULT",
            existing.name, existing.sql_type
        );
        Difference::of(table, problem)
    })
}

/// An index without the tenant would refuse in one tenant what another one has, and tell that it has it; one of the
/// subject alone, somebody whom another issuer knows by the same.
fn too_narrow(table: &Table, wanted: &Index, found: &Found) -> Option<Difference> {
    let (column, others) = wanted.columns.split_last().filter(|_| wanted.unique)?;
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    let has = |index: &Index, name: &str| index.columns.iter().any(|there| same(there, name));
    // Within one provider is within one issuer.
    let provider = table.column(ColumnRole::Provider).map(|column| column.name);
    let known = |name: &String| {
        wanted.columns.iter().any(|column| same(column, name))
            || provider.is_some_and(|column| same(column, name))
    };
    let unique = |index: &&Index| index.unique && has(index, column) && index.columns.iter().all(known);
    // What sets the same subject of two issuers apart.
    let issuers = others.iter().map(String::as_str).filter(|name| Some(*name) != table.tenant());
    let issuers: Vec<_> = issuers.chain(provider).collect();
    let (index, within, across) = found.indexes.iter().filter(unique).find_map(|index| {
        if table.tenant().is_some_and(|tenant| !has(index, tenant)) {
            return Some((index, "a tenant", "tenants"));
        }
        let apart = issuers.is_empty() || issuers.iter().any(|name| has(index, name));
        (!apart).then_some((index, "an issuer", "issuers"))
    })?;
    let problem = format!(
        "column `{column}`: expected values that are unique within {within}, found the index `{}`, which makes them \
         unique across {across}; drop it",
        index.name
    );
    Some(Difference::of(table, problem))
}
