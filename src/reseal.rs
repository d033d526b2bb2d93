//! Sealing an order anew as a pure step: the stored order in, its bytes under the current epoch and the policy in force out. The
//! order is the same, and so is its revision; its facets and tags are those of that policy.

use consignee_policy::PartId;

use crate::{
    error::Result,
    keys::{Halves, HalvesOf},
    ledger::EntryKind,
    opener::{StoredOrder, cannot_open, check_policy, unlock},
    record::{self, Plaintext, Record},
    registry::Registry,
    sealer::{Plan, RowPlan, SealedOrder, Sealing},
    suite::SealRng,
    value::{Value, ValueRef},
    view::{self, RecordField},
};

/// Whether a record is not both of the current epoch and of the policy in force.
pub(crate) fn is_due(registry: &Registry, record: &Record<'_>) -> Result<bool> {
    let (epoch, policy) = (registry.current_epoch()?.epoch, registry.policy()?.digest());
    Ok(record.header.epoch != epoch || record.header.policy != record::policy_id(&policy))
}

/// Seals so many orders anew, one result for each. Their plaintext never leaves this.
pub(crate) fn seal_all(
    registry: &Registry,
    plan: &Plan,
    rng: &mut SealRng,
    orders: &[StoredOrder<'_>],
) -> Result<Vec<Result<SealedOrder>>> {
    let mut sealing = Sealing::new(registry, plan, rng, orders.len())?;
    let (mut space, mut halves) = (Plaintext::default(), Halves::default());
    let mut sealed = Vec::with_capacity(orders.len());
    for some in orders.chunks(Halves::AT_ONCE) {
        let records: Vec<_> = some.iter().map(|order| Record::parse(order.record)).collect();
        derive(&mut halves, registry, &records);
        for (at, (order, record)) in some.iter().zip(records).enumerate() {
            let again =
                record.and_then(|record| seal(&mut sealing, &mut space, order, &record, halves.of(at)));
            sealed.push(again);
        }
    }
    Ok(sealed)
}

/// The halves of the data keys of these sealings, most of which are of one epoch and have the same parts.
fn derive(halves: &mut Halves, registry: &Registry, records: &[Result<Record<'_>>]) {
    let first = records.iter().flatten().next();
    let Some((first, keys)) = first.and_then(|first| Some((first, registry.epoch(first.header.epoch)?)))
    else {
        return halves.clear();
    };
    // What is no record stands in its place all the same.
    let n1s = records.iter().map(|record| record.as_ref().map_or([0; 10], |record| record.header.n1));
    halves.derive(keys, first.parts().map(|(part, _)| part), n1s);
}

fn seal(
    sealing: &mut Sealing<'_>,
    space: &mut Plaintext,
    order: &StoredOrder<'_>,
    record: &Record<'_>,
    halves: HalvesOf<'_>,
) -> Result<SealedOrder> {
    let registry = sealing.registry;
    check_policy(registry, record)?;
    let (secret, handle_key) = unlock(registry, record, order.secret)?;
    let policy = registry.policy()?;
    let keys = registry.epoch(record.header.epoch).ok_or_else(cannot_open)?;
    // Facets are made anew; what the policy in force does not have any more is left behind.
    let is_field = |part: &PartId| policy.part(*part).is_some_and(|part| part.facet.is_none());
    let parts: Vec<PartId> = record.parts().map(|(part, _)| part).filter(is_field).collect();
    let type_of = |part| policy.part(part).map(|part| part.ty);
    record::open_to_seal(space, record, (keys, halves), (&secret, &parts), type_of, |opened| {
        let mut values: Vec<Option<Value>> = policy.fields().iter().map(|_| None).collect();
        for part in opened {
            let field = policy.fields().iter().zip(&mut values).find(|(field, _)| field.id == part.part);
            if let Some((_, value)) = field {
                *value = Some(part.value.to_value());
            }
        }
        let again = Again(values);
        let number = sealing.plan.order_no(&again)?;
        record::check_order_no(record, &registry.id_key, number)?;
        let place = (number, record.header.record_id);
        let row = RowPlan::same(order.secret, secret.closed);
        sealing.seal_again(&again, place, row, handle_key, EntryKind::Reseal)
    })
}

/// The values of an order, in the order of the policy's fields ([`Plan::of_policy`]).
struct Again(Vec<Option<Value>>);

impl view::Record for Again {
    const FIELDS: &'static [RecordField] = &[];

    fn field(&self, index: usize) -> Option<ValueRef<'_>> {
        self.0.get(index)?.as_ref().map(Value::as_ref)
    }
}
