//! Closing as a pure step: the entry, and what takes the place of the secret row.

use crate::{
    error::Result,
    ledger::{Entry, EntryKind, now},
    opener::{StoredOrder, cannot_open, unlock},
    record::Record,
    registry::Registry,
    sealer::no_randomness,
    store::SecretRow,
    suite::SealRng,
};

/// The entry that an order is closed, and its row wrapped as that of a closed order; none where it is closed already.
///
/// # Errors
/// As opening does.
pub(crate) fn prepare(registry: &Registry, stored: &StoredOrder<'_>) -> Result<Option<(Entry, SecretRow)>> {
    let record = Record::parse(stored.record)?;
    let (mut secret, handle_key) = unlock(registry, &record, stored.secret)?;
    if secret.closed {
        return Ok(None);
    }
    secret.closed = true;
    let release = registry.release(stored.secret.generation).ok_or_else(cannot_open)?;
    let context = registry.row_context(stored.secret);
    let wrapped = SealRng::with(|rng| release.wrap_secret(rng, &context, &secret, &handle_key))
        .map_err(|_| no_randomness())?
        .map_err(|_| no_randomness())?;
    let own = registry.own_key_id();
    let mut entry = Entry::new(EntryKind::Close, own, registry.policy()?.digest());
    entry.handle = handle_key.handle(&own);
    entry.revision = stored.secret.revision;
    let row = SecretRow { wrapped: wrapped.to_vec(), changed_at: now(), ..stored.secret.clone() };
    Ok(Some((entry, row)))
}
