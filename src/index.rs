//! Search tags: what a record is found by, and what a query looks for.

use consignee_policy::{Index, PartId, Policy};
use zeroize::Zeroizing;

use crate::{
    error::{Error, ErrorKind, Result},
    keys::EpochKeys,
    normalise::normalise,
    registry::Registry,
    store::Tag,
    value::Value,
};

/// The tag of a field's text under the keys of an epoch; none for an empty text, and where the epoch has no key for the field.
pub(crate) fn tag(epoch: &EpochKeys, field: PartId, index: &Index, text: &str) -> Option<Tag> {
    let form = normalise(index.normaliser, text)?;
    Some(Tag { field: field.get(), value: epoch.index_key(field)?.tag(field, index, &form) })
}

/// A value that is looked for in a field.
pub(crate) struct Query {
    pub(crate) field: PartId,
    index: Index,
    text: Zeroizing<String>,
    form: Zeroizing<String>,
}

impl Query {
    /// # Errors
    /// `NotPermitted` for a field that has no index, `Input` for an empty value.
    pub(crate) fn new(policy: &Policy, field: &str, value: &str) -> Result<Self> {
        let found = policy.field(field).and_then(|field| Some((field.id, field.index?)));
        let Some((id, index)) = found else {
            return Err(Error::new(ErrorKind::NotPermitted, "the policy has no index on this field")
                .with_hint("scopes shows who may search by what"));
        };
        let form = normalise(index.normaliser, value)
            .ok_or_else(|| Error::input(field, "an empty value cannot be searched"))?;
        Ok(Self { field: id, index, text: Zeroizing::new(value.to_owned()), form })
    }

    /// The tags that orders with this value have: one for each epoch, and for each way in which the field was ever indexed.
    pub(crate) fn tags(&self, registry: &Registry) -> Vec<Tag> {
        let indexes = registry.indexes_of(self.field);
        let of_epoch = |epoch: &EpochKeys| {
            indexes.iter().filter_map(|index| tag(epoch, self.field, index, &self.text)).collect::<Vec<_>>()
        };
        let mut tags: Vec<Tag> = registry.epochs.iter().flat_map(|epoch| of_epoch(epoch)).collect();
        tags.sort_unstable();
        tags.dedup();
        tags
    }

    /// Whether an order's value is what is looked for. A tag never decides that: tags collide, and are not authenticated.
    pub(crate) fn matches(&self, value: &Value) -> bool {
        let Value::Text(text) = value else { return false };
        normalise(self.index.normaliser, text).is_some_and(|form| *form == *self.form)
    }

    /// What the ledger calls this query when this party makes it.
    pub(crate) fn name(&self, registry: &Registry, party: &[u8; 16]) -> [u8; 32] {
        registry.query_key.query(party, self.field, &self.index, &self.form)
    }

    /// What tells the handles of this party's candidates for this query from other handles of the orders.
    pub(crate) fn handle_id(&self, registry: &Registry, party: &[u8; 16]) -> [u8; 16] {
        let mut id = [0; 16];
        id.copy_from_slice(&self.name(registry, party)[..16]);
        id
    }
}
