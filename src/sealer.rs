//! Sealing as a pure step: an order in, bytes out. The vault's `put` and [`Sealer`](crate::Sealer) are made of it.

use std::sync::Arc;

use consignee_policy::{FieldType, Mask, PartId, Policy};
use zeroize::Zeroizing;

use crate::{
    error::{Error, ErrorKind, Result},
    keys::{HandleKey, RecordId, RowContext},
    ledger::{Entry, EntryKind},
    order::check_order_no,
    record::{self, Content, Place, Workspace},
    registry::Registry,
    store::{SecretRow, SecretState},
    suite::{SealRng, commit},
    value::{Value, ValueRef, encode, encode_padded},
    view::Record,
};

/// One sealed order, as bytes to keep in any table.
pub struct SealedOrder {
    /// What to know it by in place of the order number.
    pub record_id: RecordId,
    /// The sealed record.
    pub record: Vec<u8>,
    /// Its secret row. Keep it apart from the records and their backups: together with the release key it opens them.
    pub secret: SecretRow,
    /// Entry of the ledger.
    pub(crate) entry: Entry,
}

/// Which part of the policy is made from which field of the record.
pub(crate) struct Plan {
    parts: Vec<PlannedPart>,
    order_no: usize,
    extra: Vec<Arc<str>>,
}

struct PlannedPart {
    part: PartId,
    name: String,
    source: Source,
    ty: FieldType,
    mask: Option<Mask>,
}

enum Source {
    Field(usize),
    Extra(Arc<str>),
}

impl Plan {
    /// Resolves names once, so that sealing an order looks nothing up by name.
    pub(crate) fn new(policy: &Policy, names: &[&str]) -> Result<Self> {
        if let Some(unknown) = names.iter().find(|name| policy.field(name).is_none()) {
            let message = format!("the policy in force has no field {unknown}");
            return Err(
                Error::new(ErrorKind::PolicyMismatch, message).with_hint("add it to the policy and apply it")
            );
        }
        let order_no = names.iter().position(|name| *name == "order_no");
        let order_no = order_no
            .ok_or_else(|| Error::new(ErrorKind::PolicyMismatch, "the record has no field order_no"))?;
        let mut extra = Vec::new();
        let mut parts = Vec::new();
        for part in policy.parts() {
            let source = match names.iter().position(|name| *name == part.field.name) {
                Some(at) => Source::Field(at),
                None => match part.field.name.strip_prefix("extra.") {
                    Some(name) => {
                        let name: Arc<str> = name.into();
                        extra.push(Arc::clone(&name));
                        Source::Extra(name)
                    }
                    // A field of other record types: absent in this one.
                    None => continue,
                },
            };
            let mask = part.facet.map(|facet| facet.mask);
            parts.push(PlannedPart {
                part: part.id,
                name: part.name.to_owned(),
                source,
                ty: part.field.ty,
                mask,
            });
        }
        Ok(Self { parts, order_no, extra })
    }

    pub(crate) fn order_no<'a, R: Record>(&self, order: &'a R) -> Result<&'a str> {
        match order.field(self.order_no) {
            Some(ValueRef::Text(number)) => check_order_no(number).map(|()| number),
            _ => Err(Error::input("order_no", "must be text")),
        }
    }

    fn check<R: Record>(&self, order: &R) -> Result<()> {
        if order.extra().iter().any(|(name, _)| !self.extra.iter().any(|known| **known == **name)) {
            return Err(Error::input("extra", "has a field that the policy does not declare"));
        }
        let wrong =
            self.parts.iter().find(|p| p.value(order).is_some_and(|value| value.field_type() != p.ty));
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
    ) -> impl Iterator<Item = (PartId, Content<'a>)> + Clone {
        self.parts.iter().filter_map(move |part| {
            let value = part.value(order)?;
            Some((part.part, part.mask.map_or(Content::Value(value), |mask| Content::Facet(mask, value))))
        })
    }

    /// What a fingerprint is over: for each field, its number and its encoded value.
    pub(crate) fn canonical<R: Record>(&self, order: &R) -> Result<Zeroizing<Vec<u8>>> {
        let mut out = Zeroizing::new(Vec::with_capacity(1024));
        for (part, content) in self.contents(order) {
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

impl PlannedPart {
    fn value<'a, R: Record>(&self, order: &'a R) -> Option<ValueRef<'a>> {
        match &self.source {
            Source::Field(at) => order.field(*at),
            Source::Extra(name) => {
                order.extra().iter().find(|(n, _)| **n == **name).map(|(_, value)| Value::as_ref(value))
            }
        }
    }
}

/// What the secret row says beside the secret.
#[derive(Clone, Copy)]
pub(crate) struct RowPlan {
    pub(crate) serial: u64,
    pub(crate) put_at: u64,
    pub(crate) revision: u32,
}

/// Sealing of many orders with one generator and one set of buffers.
pub(crate) struct Sealing<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) plan: &'a Plan,
    pub(crate) rng: &'a mut SealRng,
    pub(crate) space: Workspace,
}

impl Sealing<'_> {
    /// Seals a new order: fresh secret, fresh handle key, record, row and entry.
    pub(crate) fn seal<R: Record>(&mut self, order: &R, row: RowPlan) -> Result<SealedOrder> {
        let (registry, plan) = (self.registry, self.plan);
        plan.check(order)?;
        let order_no = plan.order_no(order)?;
        let policy = registry.policy()?.digest();
        let record_id = registry.id_key.record_id(order_no);
        self.rng.refresh().map_err(|_| no_randomness())?;
        let place = Place { vault: registry.vault, record_id, revision: row.revision, policy };
        let epoch = registry.current_epoch()?;
        let sealed = record::seal(&mut self.space, self.rng, &place, epoch, plan.contents(order))
            .map_err(|e| name_the_field(plan, order, e))?;
        let handle_key = HandleKey::draw(self.rng);
        let release = registry.current_release()?;
        let context = RowContext {
            vault: registry.vault,
            record_id,
            n1: sealed.n1,
            revision: row.revision,
            generation: release.generation,
            put_at: row.put_at,
            serial: row.serial,
        };
        let wrapped = release
            .wrap_secret(self.rng, &context, &sealed.secret, &handle_key)
            .map_err(|_| no_randomness())?;
        let fingerprint = registry.id_key.fingerprint(record_id, &sealed.secret, &plan.canonical(order)?);
        let mut entry = Entry::new(EntryKind::Put, registry.own_key_id(), policy);
        entry.handle = handle_key.handle(&registry.own_key_id());
        entry.revision = row.revision;
        entry.parts = plan.contents(order).map(|(part, _)| part).collect();
        entry.commitments = vec![
            commit("consignee/v1/commit/record", &[&self.space.record]),
            sealed.secret.commitment(record_id, &sealed.n1),
            handle_key.order_commitment(record_id, order_no),
        ];
        let secret = SecretRow {
            record_id: record_id.0,
            n1: sealed.n1,
            revision: row.revision,
            generation: release.generation,
            state: SecretState::Current,
            put_at: row.put_at,
            serial: row.serial,
            fingerprint: fingerprint.to_vec(),
            wrapped,
        };
        Ok(SealedOrder { record_id, record: self.space.record.clone(), secret, entry })
    }
}

/// Finds the field at fault, for the message: sealing itself knows only numbers.
fn name_the_field<R: Record>(plan: &Plan, order: &R, fault: Error) -> Error {
    let mut buffer = Zeroizing::new(Vec::new());
    let named = plan.parts.iter().filter(|part| part.mask.is_none()).find_map(|part| {
        buffer.clear();
        let fault = encode_padded(part.value(order)?, &mut buffer).err()?;
        Some(fault.in_field(&part.name))
    });
    named.unwrap_or(fault)
}

pub(crate) fn no_randomness() -> Error {
    Error::new(ErrorKind::RootKey, "the operating system gives no random bytes")
}
