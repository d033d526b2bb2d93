//! Numbers for a dashboard.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    error::{ErrorKind, Result},
    observe::Operation,
    registry::PartyState,
    vault::{MOST_SEALINGS, SEALINGS, Vault},
};

/// What a vault holds, and what was done with it since it was unlocked. Names nobody and no order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Orders stored now; shredded ones are not.
    pub orders: u64,
    /// Entries of the ledger, and of those before it.
    pub ledger_entries: u64,
    /// Policies accepted so far; the last is in force.
    pub policies: u64,
    /// Parties that may act.
    pub active_parties: u64,
    /// Parties revoked.
    pub revoked_parties: u64,
    /// Number of the epoch that seals.
    pub epoch: u32,
    /// Sealings (put, update, seal) counted in this epoch. Taken in blocks of 256 or more, so it runs ahead of the orders.
    pub epoch_sealings: u64,
    /// Sealings from which [`doctor`](Vault::doctor) warns.
    pub epoch_sealings_warned: u64,
    /// Sealings beyond which putting is refused: rotate the keys before.
    pub epoch_sealings_most: u64,
    /// Secret rows that a crash or a failure left for the next writer. Above 0 for long: run [`doctor`](Vault::doctor).
    pub unsettled_secrets: u64,
    /// Secret rows of earlier revisions. Each is destroyed by the first writer after a day.
    pub superseded_secrets: u64,
    /// Entries of the present ledger that the checkpoint kept outside has ([`keep_checkpoint`](Vault::keep_checkpoint)); `None` where
    /// none is kept.
    pub kept_checkpoint: Option<u64>,
    /// How many times that checkpoint could not be moved on since it is kept. Rising: look at its file, folder and disk.
    pub kept_checkpoint_failures: u64,
    /// What this vault and its clones did since it was unlocked.
    pub since_unlock: Activity,
}

/// Counts since a vault was unlocked, by this process. Another process, and another unlocking, counts for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Activity {
    /// Orders stored by a put.
    pub stored: u64,
    /// Orders put that were there already.
    pub unchanged: u64,
    /// Views given: one per order and opening.
    pub opened: u64,
    /// Searches answered, with hits or without.
    pub searches: u64,
    /// Updates made, those included that changed nothing.
    pub updates: u64,
    /// Orders shredded.
    pub shreds: u64,
    /// Refusals: the errors `not permitted`, `expired` and `revoked` together, one per order or call.
    pub refused: u64,
    /// Errors by the name of their kind, one per order or call; kinds that were not met are not there.
    pub errors: BTreeMap<&'static str, u64>,
}

impl Vault {
    /// Numbers for a dashboard, once in a minute or so. Reads only; waits for no writer and syncs nothing. `orders` costs a walk
    /// through SQLite's index of record ids (28 bytes an order, 4 to 9 ms for 300,000), `superseded_secrets` one through the rows
    /// of a day; everything else takes the same time whatever the vault's size. The numbers are read one after the other: a
    /// writer at work may show in some of them.
    ///
    /// # Errors
    /// `Storage`, `Damaged`.
    pub fn stats(&self) -> Result<Stats> {
        let (registry, stores) = (self.registry()?, &self.inner().stores);
        let in_state = |state| registry.parties.iter().filter(|party| party.state == state).count() as u64;
        let epoch = registry.current_epoch()?.epoch;
        let kept = self.ledger().kept_status();
        Ok(Stats {
            orders: stores.orders.count_records()?,
            ledger_entries: registry.former.iter().map(|former| former.closed.size).sum::<u64>()
                + stores.ledger.head()?.size,
            policies: registry.policies.len() as u64,
            active_parties: in_state(PartyState::Active),
            revoked_parties: in_state(PartyState::Revoked),
            epoch,
            epoch_sealings: stores.keys.allotted(SEALINGS + epoch)?,
            epoch_sealings_warned: MOST_SEALINGS / 4,
            epoch_sealings_most: MOST_SEALINGS,
            unsettled_secrets: stores.secrets.unsettled()?.len() as u64,
            superseded_secrets: stores.secrets.count_superseded(u64::MAX)?,
            kept_checkpoint: kept.map(|kept| kept.size),
            kept_checkpoint_failures: kept.map_or(0, |kept| kept.failures),
            since_unlock: self.activity(),
        })
    }

    fn activity(&self) -> Activity {
        let counters = self.counters();
        let refusals = [ErrorKind::NotPermitted, ErrorKind::Expired, ErrorKind::Revoked];
        let refused = counters.errors().filter(|(kind, _)| refusals.contains(kind));
        Activity {
            stored: counters.done(Operation::Put),
            unchanged: counters.unchanged(),
            opened: counters.done(Operation::Open),
            searches: counters.done(Operation::Find),
            updates: counters.done(Operation::Update),
            shreds: counters.done(Operation::Shred),
            refused: refused.map(|(_, count)| count).sum(),
            errors: counters.errors().map(|(kind, count)| (kind.name(), count)).collect(),
        }
    }
}
