//! Sealing as a pure step: an order in, bytes out. The vault's `put` and [`Sealer`](crate::Sealer) are made of it.

use consignee_policy::{FieldType, Index, Mask, Part, PartId, Policy};
use zeroize::Zeroizing;

use crate::{
    error::{Error, Result},
    index,
    keys::{EpochKeys, HandleKey, RecordId},
    ledger::{Entry, EntryKind, now},
    order::check_order_no,
    record::{self, Content, Place, Workspace},
    registry::Registry,
    store::{RecordRow, SecretRow, SecretState, Tag},
    suite::{SealRng, commit},
    value::{Value, ValueRef, encode, encode_padded},
    view::{Fields, Record, check_fields},
};

pub(crate) use crate::record::no_randomness;

/// One sealed order, as bytes to keep in any table.
pub struct SealedOrder {
    /// What to know it by in place of the order number.
    pub record_id: RecordId,
    /// The sealed record.
    pub record: Vec<u8>,
    /// What it is found by; nothing where no field has an index.
    pub tags: Vec<Tag>,
    /// Its secret row. Keep it apart from the records and their backups: together with the release key it opens them.
    pub secret: SecretRow,
    /// Entry of the ledger.
    pub(crate) entry: Entry,
}

impl SealedOrder {
    /// Its rows in the stores of records and secrets, and its entry.
    pub(crate) fn into_rows(self) -> (RecordRow, SecretRow, Entry) {
        let record = RecordRow {
            id: self.record_id.0,
            revision: self.secret.revision,
            put_day: u32::try_from(self.secret.put_at / 86_400).unwrap_or(u32::MAX),
            sealed: self.record,
            tags: self.tags,
        };
        (record, self.secret, self.entry)
    }
}

const ORDER_NO: &str = "order_no";

/// Which part of the policy is made from which field of the record.
pub(crate) struct Plan {
    parts: Vec<PlannedPart>,
    order_no: Source,
    indexed: Vec<(PartId, Source, Index)>,
}

struct PlannedPart {
    part: PartId,
    name: String,
    source: Source,
    ty: FieldType,
    mask: Option<Mask>,
}

enum Source {
    /// The order's number, which is asked for once: under it the order is filed.
    Number,
    Field(usize),
    /// Named in [`Record::more`], if the order has it.
    More(String),
}

impl Plan {
    /// Resolves the names of a record type once, so that sealing an order looks none of its fields up.
    ///
    /// # Errors
    /// `PolicyMismatch` where the type has a field the policy has not, or not of this type.
    pub(crate) fn of<R: Record>(policy: &Policy) -> Result<Self> {
        check_fields::<R>(policy)?;
        Ok(Self::with(policy, |name| match R::FIELDS.iter().position(|field| field.name == name) {
            Some(at) => Source::Field(at),
            None => Source::More(name.to_owned()),
        }))
    }

    /// For orders whose values stand in the order of the policy's fields.
    pub(crate) fn of_policy(policy: &Policy) -> Self {
        let stands = |name: &str| policy.fields().iter().position(|field| field.name == name);
        let at = |name: &str| stands(name).map_or_else(|| Source::More(name.to_owned()), Source::Field);
        Self::with(policy, at)
    }

    fn with(policy: &Policy, stands: impl Fn(&str) -> Source) -> Self {
        let source = |name: &str| if name == ORDER_NO { Source::Number } else { stands(name) };
        let planned = |part: Part<'_>| PlannedPart {
            part: part.id,
            name: part.name.to_owned(),
            source: source(&part.field.name),
            ty: part.field.ty,
            mask: part.facet.map(|facet| facet.mask),
        };
        let indexed = policy.fields().iter().filter_map(|field| {
            let index = field.index?;
            Some((field.id, source(&field.name), index))
        });
        Self {
            parts: policy.parts().map(planned).collect(),
            order_no: stands(ORDER_NO),
            indexed: indexed.collect(),
        }
    }

    /// The order's number, to be asked for once: a record that answers differently the next time must not be sealed under one
    /// number and looked up by another.
    pub(crate) fn order_no<'a, R: Record>(&self, order: &'a R) -> Result<&'a str> {
        match self.order_no.value(order, "") {
            Some(ValueRef::Text(number)) => check_order_no(number).map(|()| number),
            Some(_) => Err(Error::input("order_no", "must be text")),
            None => Err(Error::input("order_no", "is missing")),
        }
    }

    /// Refuses fields and types that the policy does not know.
    pub(crate) fn check<R: Record>(&self, order: &R, number: &str) -> Result<()> {
        let is_planned = |part: &PlannedPart, name: &str| match &part.source {
            Source::More(known) => known == name,
            Source::Number => name == ORDER_NO && matches!(self.order_no, Source::More(_)),
            Source::Field(_) => false,
        };
        let planned = |name: &str| self.parts.iter().any(|part| is_planned(part, name));
        if order.more().into_iter().flat_map(Fields::iter).any(|(name, _)| !planned(name)) {
            return Err(Error::input("order", "has a field that the policy does not declare"));
        }
        let wrong = self
            .parts
            .iter()
            .find(|part| part.source.value(order, number).is_some_and(|value| value.field_type() != part.ty));
        match wrong {
            Some(part) => {
                Err(Error::input(part.name.clone(), format!("must be of the type {}", part.ty.name())))
            }
            None => Ok(()),
        }
    }

    pub(crate) fn contents<'a, R: Record>(
        &'a self,
        order: &'a R,
        number: &'a str,
    ) -> impl Iterator<Item = (PartId, Content<'a>)> + Clone {
        self.parts.iter().filter_map(move |part| {
            let value = part.source.value(order, number)?;
            Some((part.part, part.mask.map_or(Content::Value(value), |mask| Content::Facet(mask, value))))
        })
    }

    /// What the order is found by. A field that has no value, an empty one, or no key in the epoch gives no tag: putting never
    /// fails because of an index.
    fn tags<R: Record>(&self, order: &R, number: &str, epoch: &EpochKeys) -> Vec<Tag> {
        let tag = |(field, source, index): &(PartId, Source, Index)| match source.value(order, number) {
            Some(ValueRef::Text(text)) => index::tag(epoch, *field, index, text),
            _ => None,
        };
        self.indexed.iter().filter_map(tag).collect()
    }

    /// What a fingerprint is over: for each field, its number and its encoded value.
    pub(crate) fn canonical<R: Record>(&self, order: &R, number: &str) -> Result<Zeroizing<Vec<u8>>> {
        let mut out = Zeroizing::new(Vec::with_capacity(1024));
        for (part, content) in self.contents(order, number) {
            if let Content::Value(value) = content {
                out.extend_from_slice(&part.get().to_le_bytes());
                let at = out.len();
                out.extend_from_slice(&[0; 4]);
                encode(value, &mut out)?;
                let length = u32::try_from(out.len() - at - 4).unwrap_or(u32::MAX).to_le_bytes();
                out.iter_mut().skip(at).zip(length).for_each(|(slot, byte)| *slot = byte);
            }
        }
        Ok(out)
    }
}

impl Source {
    fn value<'a, R: Record>(&self, order: &'a R, number: &'a str) -> Option<ValueRef<'a>> {
        match self {
            Self::Number => Some(ValueRef::Text(number)),
            Self::Field(at) => order.field(*at),
            Self::More(name) => order.more()?.get(name).map(Value::as_ref),
        }
    }
}

/// Which sealing of an order it is, and what its secret row says beside the secret.
#[derive(Clone, Copy)]
pub(crate) struct RowPlan {
    pub(crate) serial: u64,
    pub(crate) put_at: u64,
    pub(crate) policy: u32,
    pub(crate) revision: u32,
    /// Whether the order has been closed.
    pub(crate) closed: bool,
}

impl RowPlan {
    /// Of an order that is put now.
    pub(crate) fn new(registry: &Registry, serial: u64) -> Self {
        Self { serial, put_at: now(), policy: registry.policy_number(), revision: 1, closed: false }
    }

    /// Of an order that is put in place of rows without a record.
    pub(crate) fn again(row: &SecretRow, closed: bool) -> Self {
        Self { revision: 1, ..Self::after(row, closed) }
    }

    /// Of the same revision, sealed anew.
    pub(crate) fn same(row: &SecretRow, closed: bool) -> Self {
        Self { revision: row.revision, ..Self::after(row, closed) }
    }

    /// Of the next revision of an order.
    pub(crate) fn after(row: &SecretRow, closed: bool) -> Self {
        let revision = row.revision.saturating_add(1);
        Self { serial: row.serial, put_at: row.put_at, policy: row.policy, revision, closed }
    }
}

/// Sealing of many orders with one generator and one set of buffers.
pub(crate) struct Sealing<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) plan: &'a Plan,
    rng: &'a mut SealRng,
    space: Workspace,
    policy: [u8; 32],
    own_key_id: [u8; 16],
}

impl<'a> Sealing<'a> {
    /// Of so many orders.
    pub(crate) fn new(
        registry: &'a Registry,
        plan: &'a Plan,
        rng: &'a mut SealRng,
        orders: usize,
    ) -> Result<Self> {
        let mut space = Workspace::default();
        space.expect(orders);
        let (policy, own_key_id) = (registry.policy()?.digest(), registry.own_key_id());
        Ok(Self { registry, plan, rng, space, policy, own_key_id })
    }

    /// Seals a new order under this number, whose record id it is: fresh secret, record, row and entry; a fresh handle key where it
    /// has none yet.
    pub(crate) fn seal<R: Record>(
        &mut self,
        order: &R,
        (number, record_id): (&str, RecordId),
        row: RowPlan,
        handle_key: Option<HandleKey>,
    ) -> Result<SealedOrder> {
        let Self { registry, plan, rng, space, policy, own_key_id } = self;
        plan.check(order, number)?;
        let policy_id = record::policy_id(policy);
        let place = Place { vault: registry.vault, record_id, revision: row.revision, policy: policy_id };
        let epoch = registry.current_epoch()?;
        let mut sealed = record::seal(space, rng, &place, epoch, plan.contents(order, number))
            .map_err(|e| name_the_field(plan, order, number, e))?;
        sealed.secret.closed = row.closed;
        let handle_key = handle_key.unwrap_or_else(|| HandleKey::draw(rng));
        let release = registry.current_release()?;
        let mut secret = SecretRow {
            record_id: record_id.0,
            n1: sealed.n1,
            revision: row.revision,
            generation: release.generation,
            state: SecretState::Current,
            put_at: row.put_at,
            serial: row.serial,
            policy: row.policy,
            changed_at: now(),
            fingerprint: Vec::new(),
            wrapped: Vec::new(),
        };
        let context = registry.row_context(&secret);
        let wrapped = release.wrap_secret(rng, &context, &sealed.secret, &handle_key);
        secret.wrapped = wrapped.map_err(|_| no_randomness())?.to_vec();
        secret.fingerprint =
            registry.id_key.fingerprint(record_id, &sealed.secret, &plan.canonical(order, number)?).to_vec();
        let mut entry = Entry::new(EntryKind::Put, *own_key_id, *policy);
        entry.handle = handle_key.handle(own_key_id);
        entry.revision = row.revision;
        entry.parts = space.parts().collect();
        entry.commitments = vec![
            record_commitment(space.record()),
            sealed.secret.commitment(record_id, &sealed.n1),
            handle_key.order_commitment(record_id, number),
        ];
        let tags = plan.tags(order, number, epoch);
        Ok(SealedOrder { record_id, record: space.record().to_vec(), tags, secret, entry })
    }

    /// Seals an order that has a handle key already. Its row is pending: the record that it opens is yet to take its place.
    pub(crate) fn seal_again<R: Record>(
        &mut self,
        order: &R,
        number: (&str, RecordId),
        row: RowPlan,
        handle_key: HandleKey,
        kind: EntryKind,
    ) -> Result<SealedOrder> {
        let mut sealed = self.seal(order, number, row, Some(handle_key))?;
        sealed.entry.kind = kind;
        sealed.secret.state = SecretState::Pending;
        Ok(sealed)
    }
}

/// Commitment of a sealed record, by which its entry names it.
pub(crate) fn record_commitment(sealed: &[u8]) -> [u8; 32] {
    commit("consignee/v1/commit/record", &[sealed])
}

/// Finds the field at fault, for the message: sealing itself knows only numbers.
fn name_the_field<R: Record>(plan: &Plan, order: &R, number: &str, fault: Error) -> Error {
    let mut buffer = Zeroizing::new(Vec::new());
    let named = plan.parts.iter().filter(|part| part.mask.is_none()).find_map(|part| {
        buffer.clear();
        let fault = encode_padded(part.source.value(order, number)?, &mut buffer).err()?;
        Some(fault.in_field(&part.name))
    });
    named.unwrap_or(fault)
}

#[cfg(test)]
#[path = "sealer_tests.rs"]
mod tests;
