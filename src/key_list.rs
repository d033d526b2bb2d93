//! Which keys a vault has, in which state, how much they are used, and who holds them by the policy: for operators and reviewers.
//! Says nothing of the keys themselves.

#[cfg(feature = "sqlite")]
mod inventory;

use serde::Serialize;

use crate::{
    error::{Error, Result},
    keys::KeyKind,
    ledger::now,
    registry::{KeyRecord, KeyState},
    store::Stores,
    vault::{MOST_SEALINGS, SEALINGS, Vault},
};

#[cfg(feature = "sqlite")]
pub(crate) use inventory::inventory;
#[cfg(feature = "sqlite")]
pub use inventory::{Inventory, InventoryKey};

/// Version of the JSON forms of [`KeyList`] and `Inventory` (`docs/keys.md`).
pub const KEYS_SCHEMA: u32 = 1;

/// From this age on a key in use is warned of.
const OLD: u64 = 366 * 86_400;

/// The epochs of field keys and the generations of the release key.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct KeyList {
    /// Version of this form.
    pub schema: u32,
    /// Whether the root key vouched for it.
    pub authenticated: bool,
    /// Epochs, ascending.
    pub epochs: Vec<KeyAge>,
    /// Generations of the release key, ascending.
    pub release_keys: Vec<KeyAge>,
}

/// One epoch, or one generation of the release key.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct KeyAge {
    /// Its number.
    pub number: u32,
    /// What it is good for: `active`, `open-only`, `destroyed`.
    pub state: &'static str,
    /// Number of its suite.
    pub suite: u8,
    /// When it was made, seconds since 1970; none for what a vault of an earlier version began with.
    pub made: Option<u64>,
    /// When another took its place.
    pub retired: Option<u64>,
    /// When it was destroyed.
    pub destroyed: Option<u64>,
    /// Records sealed under it that are stored; of a release key, secret rows that it wraps.
    pub orders: u64,
    /// Sealings counted in the epoch, in blocks of at least 256; none of a release key.
    pub sealings: Option<u64>,
    /// What to do about it, in plain words, which may change.
    pub warnings: Vec<String>,
}

impl Vault {
    /// The epochs and the generations of the release key, with what to do about them. Reads all records.
    ///
    /// # Errors
    /// `Storage`, `Damaged`.
    pub fn keys(&self) -> Result<KeyList> {
        list(&self.inner().stores, &self.registry()?.key_records, true)
    }
}

/// What is listed of these records.
pub(crate) fn list(stores: &Stores, records: &[KeyRecord], authenticated: bool) -> Result<KeyList> {
    let (epochs, rows) = (stores.orders.count_epochs()?, stores.secrets.count_generations()?);
    let live_generations =
        records.iter().filter(|r| r.kind == KeyKind::Release && r.state != KeyState::Destroyed);
    let unfinished = live_generations.count() > 1;
    let of = |counts: &[(u32, u64)], number| counts.iter().find(|(n, _)| *n == number).map_or(0, |(_, c)| *c);
    let age = |record: &KeyRecord| {
        let is_epoch = record.kind == KeyKind::Field;
        let orders = of(if is_epoch { &epochs } else { &rows }, record.number);
        let sealings = is_epoch.then(|| stores.keys.allotted(SEALINGS + record.number)).transpose()?;
        let mut warnings = warnings(record, orders, sealings);
        if !is_epoch && unfinished && record.state == KeyState::OpenOnly {
            warnings.push("a rewrap was not finished: keys rewrap goes on with it".to_owned());
        }
        Ok::<_, Error>(KeyAge {
            number: record.number,
            state: record.state.name(),
            suite: record.suite.number(),
            made: known(record.made),
            retired: known(record.retired),
            destroyed: known(record.destroyed),
            orders,
            sealings,
            warnings,
        })
    };
    let all = |kind| records.iter().filter(move |record| record.kind == kind).map(age).collect::<Result<_>>();
    let (epochs, release_keys) = (all(KeyKind::Field)?, all(KeyKind::Release)?);
    Ok(KeyList { schema: KEYS_SCHEMA, authenticated, epochs, release_keys })
}

fn warnings(record: &KeyRecord, orders: u64, sealings: Option<u64>) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut warn = |text: &str| warnings.push(text.to_owned());
    let age = now().saturating_sub(record.made);
    match (record.state, record.kind) {
        (KeyState::Active, _) if sealings.is_some_and(|sealings| sealings >= MOST_SEALINGS) => {
            warn("it has sealed 2^32 orders and seals no more: keys rotate");
        }
        (KeyState::Active, _) if sealings.is_some_and(|sealings| sealings >= MOST_SEALINGS / 4) => {
            warn("it has sealed over 2^30 orders: keys rotate");
        }
        (KeyState::Active, kind) if record.made > 0 && age > OLD => {
            warn(if kind == KeyKind::Field {
                "over a year old: keys rotate"
            } else {
                "over a year old: keys rewrap"
            });
        }
        (KeyState::OpenOnly, KeyKind::Field) if orders == 0 => warn("nothing stored needs it: keys destroy"),
        (KeyState::Destroyed, _) if !record.wiped => {
            warn("its bytes may be in keys.db yet: somebody was reading; any later change wipes them");
        }
        _ => {}
    }
    warnings
}

fn known(time: u64) -> Option<u64> {
    (time > 0).then_some(time)
}
