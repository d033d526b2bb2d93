//! What the stores themselves say, what a crash left, and what is missing.

use std::collections::{HashMap, HashSet};

use super::{Finding, Recorded, Severity};
use crate::{
    error::{Error, Result},
    key_list::{self, KeyAge},
    keys::HandleKey,
    ledger::{Entry, EntryKind, now},
    registry::Registry,
    store::{SecretState, StoreError, StoreResult},
    text::hex,
    vault::{KEEP_SUPERSEDED, Vault},
};

/// Seconds by which the clocks of two machines may differ unnoticed.
const CLOCKS_DIFFER: u64 = 60;
/// Most handles that are sought in the ledger to tell whether missing orders were ever used.
const SOUGHT: usize = 1_000_000;
/// Most kept revisions that are looked at.
const STAGED: usize = 1_000;

/// An error of a store, with the file it is in.
pub(super) fn of_file<T>(file: &str, result: StoreResult<T>) -> Result<T> {
    result.map_err(|fault| Error::from(fault).in_file(file))
}

/// Orders that have a secret and an entry, and no record.
#[derive(Default)]
pub(super) struct Missing {
    /// Handle keys by own handle; of the first only, when there are very many.
    orders: HashMap<[u8; 16], HandleKey>,
    more: u64,
}

impl Missing {
    pub(super) fn add(&mut self, handle: [u8; 16], key: HandleKey) {
        if self.orders.len() < SOUGHT {
            // An order that was changed has several secrets.
            self.orders.insert(handle, key);
        } else {
            self.more += u64::from(!self.orders.contains_key(&handle));
        }
    }
}

impl Vault {
    /// What each store says of its own data. A damaged one would make every later check fail, or lie.
    pub(super) fn check_stores(&self) -> Result<Vec<Finding>> {
        let stores = &self.inner().stores;
        let mut findings = Vec::new();
        let former =
            (1..).zip(&stores.former).map(|(number, store)| (format!("ledger-{number}.db"), store.check()));
        for (file, checked) in [
            ("orders.db".to_owned(), stores.orders.check()),
            ("secrets.db".to_owned(), stores.secrets.check()),
            ("keys.db".to_owned(), stores.keys.check()),
            ("ledger.db".to_owned(), stores.ledger.check()),
        ]
        .into_iter()
        .chain(former)
        {
            match checked {
                Err(StoreError::Damaged) => {
                    let message = format!("{file} is damaged; restore it from its newest backup");
                    findings.push(Finding::new(Severity::Fault, "files", message));
                }
                other => of_file(&file, other)?,
            }
        }
        if !findings.is_empty() {
            let message = "nothing else was checked, because of the damage";
            findings.push(Finding::new(Severity::Warning, "files", message));
        }
        Ok(findings)
    }

    /// All ledgers by their hashes, the former ones also against what the vault keeps of them, and each successor's first entry.
    pub(super) fn check_ledgers(&self, registry: &Registry) -> Vec<Finding> {
        let fault = |message| Finding::new(Severity::Fault, "ledger", message);
        let mut findings = vec![match self.ledger().verify() {
            Ok(state) => {
                let root = hex(&state.root);
                let message = format!("{} entries give the ledger's root, {root}", state.size);
                Finding::new(Severity::Fine, "ledger", message)
            }
            Err(wrong) => fault(wrong.to_string()),
        }];
        let verified = self.ledger().verify_former();
        for (number, (former, verified)) in (1..).zip(registry.former.iter().zip(verified)) {
            let file = format!("ledger-{number}.db");
            match verified {
                Err(wrong) => findings.push(fault(wrong.in_file(&file).to_string())),
                Ok(state) if state != former.closed => {
                    findings
                        .push(fault(format!("{file} is not the ledger that was closed; put that one back")));
                }
                Ok(_) => {}
            }
            if registry.former.get(number).is_some_and(|next| next.closed.size == 0) {
                // Nothing of the next one came back.
                continue;
            }
            let successor = u32::try_from(number).unwrap_or(u32::MAX).saturating_add(1);
            let first = self.ledger().first_of(successor);
            let succeeds =
                |first: &Entry| (first.kind, &first.detail) == (EntryKind::Lost, &former.lost_detail());
            if !first.is_ok_and(|first| first.as_ref().is_some_and(succeeds)) {
                let message = "does not begin with the entry that its predecessor was lost";
                findings.push(fault(format!("ledger {successor} {message}: put back the one that did")));
            }
        }
        if let (Some(last), true) = (registry.former.last(), findings.len() == 1) {
            let message = format!(
                "this is ledger {}; those before it were closed when the vault was restored, and are as they were then. Of the \
                 last one, {} entries are known to be lost",
                registry.ledger_number(),
                last.known.size - last.closed.size
            );
            findings.push(Finding::new(Severity::Fine, "ledger", message));
        }
        findings
    }

    /// Whether the ledger goes on from the checkpoint that is kept outside, where one is, and whether that is kept up to date.
    pub(super) fn check_kept(&self) -> Option<Finding> {
        if let Err(refused) = self.ledger().check_open() {
            return Some(Finding::new(Severity::Fault, "ledger", refused.to_string()));
        }
        let kept = self.ledger().kept_status()?;
        Some(match kept.is_failing {
            true => {
                let message = format!(
                    "the checkpoint kept outside cannot be moved on beyond {} entries: look at its file, folder and disk",
                    kept.size
                );
                Finding::new(Severity::Warning, "ledger", message)
            }
            false => {
                let message =
                    format!("it goes on from the checkpoint kept outside, of {} entries", kept.size);
                Finding::new(Severity::Fine, "ledger", message)
            }
        })
    }

    /// Epochs and release keys that somebody should do something about.
    pub(super) fn check_keys(&self, registry: &Registry) -> Result<Vec<Finding>> {
        let listed = key_list::list(&self.inner().stores, &registry.key_records, true)?;
        let ages = listed.epochs.iter().map(|age| ("epoch", age));
        let ages = ages.chain(listed.release_keys.iter().map(|age| ("release key", age)));
        let found = |(what, age): (&'static str, &KeyAge)| {
            let finding = |text: &String| {
                Finding::new(Severity::Warning, "keys", format!("{what} {}: {text}", age.number))
            };
            age.warnings.iter().map(finding).collect::<Vec<_>>()
        };
        Ok(ages.flat_map(found).collect())
    }

    /// What crashes and failures left, and what waits to be destroyed.
    pub(super) fn check_leftovers(&self) -> Result<Vec<Finding>> {
        let stores = &self.inner().stores;
        let mut findings = Vec::new();
        let mut warn = |message| findings.push(Finding::new(Severity::Warning, "leftovers", message));
        let unsettled = of_file("secrets.db", stores.secrets.unsettled())?.len();
        if unsettled > 0 {
            warn(format!(
                "{unsettled} secrets of a shred or an update that was cut short could not be settled: a backup is being read \
                 (run doctor again when it is done), or they were altered; restore the newest orders.db and secrets.db"
            ));
        }
        let old = now().saturating_sub(KEEP_SUPERSEDED);
        let superseded = of_file("secrets.db", stores.secrets.count_superseded(old))?;
        if superseded > 0 {
            warn(format!(
                "{superseded} secrets of earlier revisions are older than a day and not wiped from the file: somebody is reading \
                 secrets.db, such as a backup; run it again when that is done"
            ));
        }
        let staged = of_file("orders.db", stores.orders.staged_ids(STAGED))?;
        let rows = of_file("secrets.db", stores.secrets.secrets(&staged))?;
        let without = rows.iter().filter(|rows| rows.iter().all(|row| row.state != SecretState::Pending));
        let without = without.count();
        if without > 0 {
            warn(format!(
                "{without} orders have a next revision that no secret belongs to: orders.db and secrets.db are of different \
                 moments. It opens for nobody, and the order's next update replaces it"
            ));
        }
        Ok(findings)
    }

    /// What became of orders without a record. A put that crashed was never acknowledged, so nobody can have opened its order.
    pub(super) fn check_missing(
        &self,
        registry: &Registry,
        recorded: &Recorded,
        missing: Missing,
    ) -> Result<Vec<Finding>> {
        if missing.orders.is_empty() {
            return Ok(Vec::new());
        }
        let mut used: HashSet<[u8; 16]> = self.disclosed(registry, &missing)?;
        let changed =
            |handle: &[u8; 16]| recorded.orders.get(handle).is_some_and(|newest| newest.revision > 1);
        used.extend(missing.orders.keys().copied().filter(changed));
        let mut findings = Vec::new();
        if !used.is_empty() {
            let message = format!(
                "{} orders were opened or changed and have no record{}: orders.db lost them; restore its newest backup. Their \
                 secrets are kept",
                used.len(),
                recorded.entries_of(used.iter()),
            );
            findings.push(Finding::new(Severity::Fault, "orders", message));
        }
        let unused = (missing.orders.len() - used.len()) as u64 + missing.more;
        if unused > 0 {
            let message = format!(
                "{unused} orders have a secret and no record, and nobody opened them{}: a put that crashed before it was \
                 acknowledged (put them again: repeat the import, which changes nothing that is stored, and ends this warning), or \
                 orders.db lost them (restore its newest backup). Their secrets are kept",
                recorded.entries_of(missing.orders.keys().filter(|handle| !used.contains(*handle))),
            );
            findings.push(Finding::new(Severity::Warning, "orders", message));
        }
        Ok(findings)
    }

    /// Own handles of those missing orders that the ledger says somebody saw, by one more reading of it.
    fn disclosed(&self, registry: &Registry, missing: &Missing) -> Result<HashSet<[u8; 16]>> {
        let parties: Vec<_> = registry.key_ids().collect();
        let mut sought = HashMap::new();
        for (own, key) in missing.orders.iter().take((SOUGHT / parties.len()).max(1)) {
            sought.extend(parties.iter().map(|party| (key.handle(party), *own)));
        }
        let mut disclosed = HashSet::new();
        self.ledger().scan_all(|_, entry| {
            if matches!(entry.kind, EntryKind::Disclosure | EntryKind::Search) {
                disclosed.extend(sought.get(&entry.handle));
            }
        })?;
        Ok(disclosed)
    }
}

/// Purposes expire by this machine's clock, and superseded secrets are destroyed by it.
pub(super) fn check_clock(newest: u64) -> Option<Finding> {
    let behind = newest.saturating_sub(now());
    (behind > CLOCKS_DIFFER).then(|| {
        let message = format!(
            "this machine's clock is {behind} s behind the ledger's newest entry: set it, because purposes expire by it; if it is \
             right, an entry was made with a wrong clock"
        );
        Finding::new(Severity::Warning, "clock", message)
    })
}
