//! Changing an order as a pure step: the stored order and a patch in, the next revision's bytes out.

use std::sync::Arc;

use consignee_policy::Policy;
use zeroize::Zeroizing;

use crate::{
    error::{Error, Result},
    ledger::{EntryKind, Ledger},
    opener::{StoredOrder, check_directory, open_for_vault, unlock},
    record::Record,
    registry::Registry,
    sealer::{Plan, RowPlan, SealedOrder, Sealing, no_randomness},
    suite::SealRng,
    value::Value,
    view::{Fields, Patch},
};

/// What an order must be after the change: an order of the program's type, or anything that the policy allows.
pub(crate) type Fits = fn(Fields, &Arc<Policy>) -> Result<Fields>;

/// Seals the order with the patch made, as its next revision; none where it says so already. What the patch does not name is
/// opened for the vault itself, entry first. `called` is the order's number, where it is known.
///
/// Fields that the policy in force has no more are not in the next revision.
pub(crate) fn seal(
    ledger: &Ledger,
    registry: &Registry,
    stored: &StoredOrder<'_>,
    called: Option<&str>,
    (patch, fits): (Patch, Fits),
) -> Result<Option<SealedOrder>> {
    let record = Record::parse(stored.record)?;
    let policy = registry.policy()?;
    let plan = Plan::of::<Fields>(policy)?;
    let mut fields = Zeroizing::new(Fields::new());
    if let Some(number) = called {
        fields.set("order_no", Value::Text(number.to_owned()));
    }
    let kept = |name: &str| fields.get(name).is_none() && patch.keeps(name);
    let keeps_some = policy.fields().iter().any(|field| kept(&field.name));
    let parts: Vec<_> = record
        .parts()
        .filter_map(|(id, _)| policy.part(id))
        .filter(|part| part.facet.is_none() && kept(part.name))
        .map(|part| part.id)
        .collect();
    let (secret, handle_key) = unlock(registry, &record, stored.secret)?;
    if !parts.is_empty() {
        for (id, value) in open_for_vault(ledger, registry, stored, &parts, "update")? {
            if let Some(part) = policy.part(id) {
                fields.set(part.name, value);
            }
        }
    } else if keeps_some {
        // Kept as absent.
        check_directory(registry, &record, &secret)?;
    }
    patch.apply(&mut fields);
    let fields = Zeroizing::new(fits(std::mem::take(&mut *fields), policy)?);
    let number = plan.order_no(&*fields)?;
    plan.check(&*fields, number)?;
    if registry.id_key.record_id(number) != record.header.record_id {
        return Err(Error::input("order_no", "cannot be changed"));
    }
    let (id, canonical) = (record.header.record_id, plan.canonical(&*fields, number)?);
    if registry.id_key.is_fingerprint(&stored.secret.fingerprint, id, &secret, &canonical) {
        return Ok(None);
    }
    let sealed = SealRng::with(|rng| {
        let mut sealing = Sealing::new(registry, &plan, rng, 1)?;
        let row = RowPlan::after(stored.secret, secret.closed);
        sealing.seal_again(&*fields, (number, id), row, handle_key, EntryKind::Update)
    });
    sealed.map_err(|_| no_randomness())?.map(Some)
}
