//! The parts of a document that have names: no two of different forms share one.

use utoipa::openapi::{
    Components as Described, ComponentsBuilder, OpenApi, Ref, RefOr, Schema, security::SecurityScheme,
};

use crate::{
    model::{Named, Schematic},
    operation::{Facts, Shape},
};

/// The schemas of a document, while it is written.
pub(super) struct Components {
    described: Described,
    /// Those of the application's own document, which are in it already.
    own: Vec<(String, RefOr<Schema>)>,
}

impl Components {
    pub(super) fn new(own: Option<&OpenApi>) -> Self {
        let own = own.and_then(|own| own.components.as_ref());
        let own = own.map(|own| own.schemas.iter().map(|(name, schema)| (name.clone(), schema.clone())));
        Self { described: ComponentsBuilder::new().build(), own: own.into_iter().flatten().collect() }
    }

    /// Keeps the names of types that other types refer to: those cannot be given another one.
    pub(super) fn reserve<'f>(&mut self, facts: impl Iterator<Item = &'f Facts>) {
        let mut named = Named::new();
        for facts in facts {
            let answered = facts.answers.iter().map(|answered| &answered.shape);
            let taken = facts.body.iter().map(|body| &body.shape);
            let asked = facts.parameters.iter().map(|parameter| &parameter.shape);
            for shape in answered.chain(taken).chain(asked) {
                if let Shape::Dto(dto) | Shape::ListOf(dto) = shape {
                    (dto.schema.named)(&mut named);
                }
            }
        }
        self.add_all(named);
    }

    /// Adds forms under names that cannot be changed.
    pub(super) fn add_all(&mut self, named: Named) {
        for (name, schema) in named {
            if !self.own.iter().any(|(own, _)| *own == name) {
                self.described.schemas.entry(name).or_insert(schema);
            }
        }
    }

    /// Adds a form under this name, or under the next that is free; where it stands.
    pub(super) fn add(&mut self, name: &str, schema: impl Into<RefOr<Schema>>) -> RefOr<Schema> {
        let schema = schema.into();
        let names = std::iter::once(name.to_owned()).chain((2_u32..).map(|number| format!("{name}{number}")));
        for name in names {
            let own = self.own.iter().find(|(own, _)| *own == name).map(|(_, schema)| schema);
            let same = match own.or_else(|| self.described.schemas.get(&name)) {
                Some(there) => *there == schema,
                None => {
                    self.described.schemas.insert(name.clone(), schema.clone());
                    true
                }
            };
            if same {
                return Ref::from_schema_name(name).into();
            }
        }
        unreachable!("there are as many names as numbers")
    }

    /// Adds the form of a type, and whatever it refers to; where it stands.
    pub(super) fn add_type(&mut self, schematic: Schematic) -> RefOr<Schema> {
        let form = self.form(schematic);
        self.add(&(schematic.name)(), form)
    }

    /// The form of a type, of which what it refers to is added.
    pub(super) fn form(&mut self, schematic: Schematic) -> RefOr<Schema> {
        let mut named = Named::new();
        (schematic.named)(&mut named);
        self.add_all(named);
        (schematic.schema)()
    }

    /// The form that stands there.
    pub(super) fn resolve(&self, schema: &RefOr<Schema>) -> Option<Schema> {
        match schema {
            RefOr::T(schema) => Some(schema.clone()),
            RefOr::Ref(reference) => {
                let name = reference.ref_location.strip_prefix("#/components/schemas/")?;
                let own = self.own.iter().find(|(own, _)| own == name).map(|(_, schema)| schema);
                self.resolve(own.or_else(|| self.described.schemas.get(name))?)
            }
        }
    }

    pub(super) fn add_security_scheme(&mut self, name: &str, scheme: SecurityScheme) {
        self.described.add_security_scheme(name, scheme);
    }

    pub(super) fn into_described(self) -> Described {
        self.described
    }
}
