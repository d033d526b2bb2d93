//! What a role sees of an order, and how an order is handed in.

pub mod derived;
mod fields;
pub(crate) mod mask;
mod record;
mod typed;

use std::sync::Arc;

use consignee_policy::{FieldType, PartId, Policy};
use serde_json::{Map, Value as Json};
use zeroize::Zeroize;

pub(crate) use fields::MAX_JSON;
pub use fields::{Fields, Patch};
pub use record::{Record, RecordField};
pub use typed::{CompiledPart, FromView, Opened, RoleView};
pub(crate) use typed::{check_fields, check_names, check_numbers, compiled_parts};

use crate::{
    alias::Alias,
    error::{Error, ErrorKind, Result},
    value::{Value, object},
};

/// Number, name and type of a part, as a keyring has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedPart {
    pub(crate) id: PartId,
    pub(crate) name: String,
    pub(crate) ty: FieldType,
}

/// What a view calls its parts by: the policy, or on a party's machine the keyring.
#[derive(Clone)]
pub(crate) enum Names {
    Policy(Arc<Policy>),
    Keyring(Arc<[NamedPart]>),
}

impl Names {
    fn name(&self, id: PartId) -> Option<&str> {
        match self {
            Self::Policy(policy) => policy.part(id).map(|part| part.name),
            Self::Keyring(parts) => parts.iter().find(|part| part.id == id).map(|part| part.name.as_str()),
        }
    }

    fn number(&self, name: &str) -> Option<PartId> {
        match self {
            Self::Policy(policy) => policy.part_named(name).map(|part| part.id),
            Self::Keyring(parts) => parts.iter().find(|part| part.name == name).map(|part| part.id),
        }
    }
}

/// One order as one party sees it for one purpose: the parts that were opened, and where the ledger says so.
pub struct View {
    pub(crate) names: Names,
    pub(crate) called: Option<String>,
    pub(crate) alias: Alias,
    pub(crate) party: String,
    pub(crate) role: String,
    pub(crate) purpose: String,
    pub(crate) revision: u32,
    pub(crate) ledger: u32,
    pub(crate) ledger_index: u64,
    pub(crate) permitted: Vec<PartId>,
    pub(crate) values: Vec<(PartId, Value)>,
}

impl View {
    /// Of an order that is not stored: its fields, all of them open.
    fn of_fields(fields: Fields, policy: &Arc<Policy>) -> Result<Self> {
        let mut values = Vec::new();
        for (name, value) in fields {
            let field = policy.field(&name);
            let field =
                field.ok_or_else(|| Error::input("order", "has a field that the policy does not declare"))?;
            values.push((field.id, value));
        }
        values.sort_by_key(|(id, _)| *id);
        Ok(Self {
            names: Names::Policy(Arc::clone(policy)),
            called: None,
            alias: Alias::NONE,
            party: String::new(),
            role: String::new(),
            purpose: String::new(),
            revision: 0,
            ledger: 1,
            ledger_index: 0,
            permitted: policy.fields().iter().map(|field| field.id).collect(),
            values,
        })
    }

    /// A part by its name, such as `consignee.name` or `consignee.phone:masked`.
    ///
    /// # Errors
    /// `Input` for a part that the policy does not know, `NotPermitted` for one that this view does not open, `Absent` for one that
    /// it would but the order has not.
    pub fn get(&self, part: &str) -> Result<&Value> {
        let id = self.names.number(part).ok_or_else(|| {
            let opened: Vec<&str> = self.parts().map(|(name, _)| name).collect();
            let opened = if opened.is_empty() { "nothing".to_owned() } else { opened.join(", ") };
            Error::input("part", "there is no such part").with_hint(format!("this view opened {opened}"))
        })?;
        if !self.permitted.contains(&id) {
            let message = format!("{} may not open this part for {}", self.role, self.purpose);
            return Err(
                Error::new(ErrorKind::NotPermitted, message).with_hint("scopes shows who may open what")
            );
        }
        let value = self.values.iter().find(|(part, _)| *part == id).map(|(_, value)| value);
        value.ok_or_else(|| Error::new(ErrorKind::Absent, "the order has no value for this part"))
    }

    /// A part that is text.
    ///
    /// # Errors
    /// As for [`View::get`]; `Input` if the part is not text.
    pub fn text(&self, part: &str) -> Result<&str> {
        match self.get(part)? {
            Value::Text(text) => Ok(text),
            _ => Err(Error::input(part, "is not text")),
        }
    }

    /// The parts that were opened, ascending by number, each with its name.
    pub fn parts(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().filter_map(|(id, value)| Some((self.names.name(*id)?, value)))
    }

    /// What to call the order towards this party: its number, if the caller gave it or the role may open it; else the alias.
    pub fn order(&self) -> String {
        let opened = self.text("order_no").ok().or(self.called.as_deref());
        opened.map_or_else(|| self.alias.to_string(), str::to_owned)
    }

    /// The order number this party sees in place of the real one.
    pub fn alias(&self) -> &Alias {
        &self.alias
    }

    /// The party it was opened for.
    pub fn party(&self) -> &str {
        &self.party
    }

    /// The role it acts in.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// What it was opened for.
    pub fn purpose(&self) -> &str {
        &self.purpose
    }

    /// Revision of the order, from 1.
    pub fn revision(&self) -> u32 {
        self.revision
    }

    /// Number of the ledger that has the disclosure's entry: 1, and one more after each restore of the vault.
    pub fn ledger(&self) -> u32 {
        self.ledger
    }

    /// Index of the disclosure's entry in that ledger.
    pub fn ledger_index(&self) -> u64 {
        self.ledger_index
    }

    /// The view as JSON: order, alias, revision, party, role, purpose, and only the fields that were opened.
    pub fn to_json(&self) -> Json {
        let fields: Map<String, Json> =
            self.parts().map(|(name, value)| (name.to_owned(), value.to_json())).collect();
        object([
            ("order", self.order().into()),
            ("alias", self.alias.to_string().into()),
            ("revision", self.revision.into()),
            ("party", self.party.as_str().into()),
            ("role", self.role.as_str().into()),
            ("purpose", self.purpose.as_str().into()),
            ("fields", fields.into()),
        ])
    }
}

/// Overwrites the values, and what the caller called the order. For whoever hands views on to where memory outlives them.
impl Zeroize for View {
    fn zeroize(&mut self) {
        self.values.iter_mut().for_each(|(_, value)| value.zeroize());
        self.values.clear();
        self.called.zeroize();
    }
}

// Names of parts only: a view in a log line must not put an address there.
impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<&str> = self.parts().map(|(name, _)| name).collect();
        f.debug_struct("View")
            .field("role", &self.role)
            .field("purpose", &self.purpose)
            .field("parts", &parts)
            .finish_non_exhaustive()
    }
}
