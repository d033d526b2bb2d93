//! Compares what a vault's stores hold with each other and with the ledger.

use std::collections::HashSet;

use crate::{
    error::Result,
    ledger::{Entry, EntryKind},
    opener::{row_context, unlock},
    record::Record,
    registry::{PartyState, Registry},
    store::{SecretRow, SecretState},
    suite::commit,
    vault::{MOST_SEALINGS, SEALINGS, SERIALS, Vault},
};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// All is well.
    Fine,
    /// Somebody should look at it.
    Warning,
    /// Something is lost, altered or rolled back.
    Fault,
}

/// One thing that was checked.
#[derive(Debug, Clone)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What was checked, in a word or two.
    pub check: &'static str,
    /// What was found, and what to do. No order number, no content.
    pub message: String,
}

impl Finding {
    pub(crate) fn new(severity: Severity, check: &'static str, message: impl Into<String>) -> Self {
        Self { severity, check, message: message.into() }
    }
}

/// Rows and entries read at a time.
const PAGE: usize = 1024;

impl Vault {
    /// Checks everything against everything: hashes of the ledger, keys and parties against their entries, each order's
    /// newest entry against the stores. Removes secrets that a crashed put left. Reads the whole vault; waits for another
    /// writer at most 10 seconds.
    ///
    /// # Errors
    /// `Storage`, `Locked`. What is wrong with the vault's content is a finding, not an error.
    pub fn doctor(&self) -> Result<Vec<Finding>> {
        let _writer = self.writer()?;
        let registry = self.registry()?;
        let mut findings =
            vec![Finding::new(Severity::Fine, "keys", "all keys, policies and parties are authentic")];
        findings.push(match self.ledger().verify() {
            Ok(state) => Finding::new(
                Severity::Fine,
                "ledger",
                format!("{} entries give the ledger's root", state.size),
            ),
            Err(fault) => Finding::new(Severity::Fault, "ledger", fault.to_string()),
        });
        findings.extend(self.check_limits(&registry)?);
        let orders = self.check_orders(&registry, &mut findings)?;
        self.check_entries(&registry, &orders, &mut findings)?;
        Ok(findings)
    }

    fn check_limits(&self, registry: &Registry) -> Result<Option<Finding>> {
        let sealed = self.inner().stores.keys.allot(SEALINGS + registry.current_epoch()?.epoch, 0)?;
        let near = sealed >= MOST_SEALINGS / 4;
        Ok(near.then(|| {
            Finding::new(
                Severity::Warning,
                "epoch",
                "this epoch has sealed over 2^30 orders: rotate the keys",
            )
        }))
    }

    /// Each secret row against its record and the newest entry of its order. Returns the handles of all orders.
    fn check_orders(&self, registry: &Registry, findings: &mut Vec<Finding>) -> Result<HashSet<[u8; 16]>> {
        let stores = &self.inner().stores;
        let (mut handles, mut good, mut shredded, mut abandoned) = (HashSet::new(), 0u64, 0u64, Vec::new());
        let mut faults = Faults::default();
        let mut after = None;
        let serials = stores.keys.allot(SERIALS, 0)?;
        loop {
            let rows = stores.secrets.secrets_page(after.as_ref(), PAGE)?;
            let Some(last) = rows.last() else { break };
            after = Some((last.record_id, last.n1));
            if rows.iter().any(|row| row.serial >= serials) {
                let message = "an order's serial number was never given out: keys.db was rolled back, and aliases may repeat; \
                               restore its newest backup";
                findings.push(Finding::new(Severity::Fault, "serials", message));
            }
            let ids: Vec<_> = rows.iter().map(|row| row.record_id).collect();
            for (row, record) in rows.iter().zip(stores.orders.records(&ids)?) {
                let Some(record) = record else {
                    match row.state {
                        SecretState::Shredded => shredded += 1,
                        _ => abandoned.push((row.record_id, row.n1)),
                    }
                    handles.extend(self.handle_of_row(registry, row));
                    continue;
                };
                if row.state == SecretState::Superseded {
                    continue;
                }
                match self.check_order(registry, row, &record.sealed)? {
                    Ok(handle) => {
                        handles.insert(handle);
                        good += 1;
                    }
                    Err(fault) => faults.count(fault),
                }
            }
        }
        if !abandoned.is_empty() {
            stores.secrets.replace_secrets(&abandoned, &[])?;
            let message = format!(
                "{} secrets of orders that were never stored (a put crashed); removed",
                abandoned.len()
            );
            findings.push(Finding::new(Severity::Fine, "leftovers", message));
        }
        let secretless = stores.orders.count_records()?.saturating_sub(good + faults.total());
        faults.add("has no secret row: it cannot be opened; restore secrets.db", secretless);
        findings.push(Finding::new(
            Severity::Fine,
            "orders",
            format!("{good} orders fit their newest entry, {shredded} are shredded"),
        ));
        findings.extend(faults.into_findings());
        Ok(handles)
    }

    fn check_order(
        &self,
        registry: &Registry,
        row: &SecretRow,
        sealed: &[u8],
    ) -> Result<Result<[u8; 16], &'static str>> {
        let Ok(record) = Record::parse(sealed) else {
            return Ok(Err("does not follow its format; restore orders.db"));
        };
        let Ok((_, handle_key)) = unlock(registry, &record, row) else {
            return Ok(Err(
                "does not fit its secret row: altered or rolled back; restore the newest backups",
            ));
        };
        let handle = handle_key.handle(&registry.own_key_id());
        let entries = self.ledger().with_handle(&handle)?;
        let newest = entries.iter().rev().map(|(_, entry)| entry).find(|entry| changes_order(entry));
        let digest = commit("consignee/v1/commit/record", &[sealed]);
        Ok(match newest {
            Some(entry) if entry.commitments.first() == Some(&digest) && entry.revision == row.revision => {
                Ok(handle)
            }
            Some(entry) if entry.kind == EntryKind::Shred => {
                Err("was shredded and is there again: a store was rolled back")
            }
            Some(_) => Err(
                "is not the one its newest entry names: a store was rolled back; restore the newest backups",
            ),
            None => Err("has no entry in the ledger"),
        })
    }

    fn handle_of_row(&self, registry: &Registry, row: &SecretRow) -> Option<[u8; 16]> {
        let release = registry.release(row.generation)?;
        let context = row_context(registry, row);
        let key = if row.state == SecretState::Shredded {
            release.unwrap_evidence(&context, &row.wrapped).ok()?.handle_key
        } else {
            release.unwrap_secret(&context, release.suite, &row.wrapped).ok()?.1
        };
        Some(key.handle(&registry.own_key_id()))
    }

    /// The ledger's entries against what the stores hold: policy, parties, and orders that are gone.
    fn check_entries(
        &self,
        registry: &Registry,
        orders: &HashSet<[u8; 16]>,
        findings: &mut Vec<Finding>,
    ) -> Result<()> {
        let (mut policy, mut from, mut gone) = (None, 0, HashSet::new());
        let mut parties = std::collections::HashMap::new();
        let without_evidence =
            |entry: &Entry| entry.kind == EntryKind::Shred && entry.detail.first() == Some(&0);
        loop {
            let entries = self.ledger().entries(from, PAGE)?;
            if entries.is_empty() {
                break;
            }
            from += entries.len() as u64;
            for entry in entries {
                match entry.kind {
                    EntryKind::Policy => policy = Some(entry.policy),
                    EntryKind::Party | EntryKind::Revoke => {
                        parties.insert(entry.party, entry.kind);
                    }
                    EntryKind::Put if !orders.contains(&entry.handle) => {
                        gone.insert(entry.handle);
                    }
                    EntryKind::Shred if without_evidence(&entry) => {
                        gone.remove(&entry.handle);
                    }
                    _ => {}
                }
            }
        }
        if policy != Some(registry.policy()?.digest()) {
            let message = "the policy in force is not the ledger's newest: keys.db was rolled back; restore its newest backup";
            findings.push(Finding::new(Severity::Fault, "policy", message));
        }
        let fits = |kind: &EntryKind, state| (*kind == EntryKind::Revoke) == (state == PartyState::Revoked);
        let unfit = registry.parties.iter().filter(|party| {
            parties.remove(&registry.party_key_id(party.number)).is_none_or(|kind| !fits(&kind, party.state))
        });
        if unfit.count() > 0 || !parties.is_empty() {
            let message = "a party is not what its newest entry says: keys.db was rolled back; restore its newest backup";
            findings.push(Finding::new(Severity::Fault, "parties", message));
        }
        if !gone.is_empty() {
            let message = format!(
                "{} orders have an entry and are not stored: a put that crashed, or rows removed",
                gone.len()
            );
            findings.push(Finding::new(Severity::Warning, "orders", message));
        }
        Ok(())
    }
}

fn changes_order(entry: &Entry) -> bool {
    matches!(entry.kind, EntryKind::Put | EntryKind::Update | EntryKind::Reseal | EntryKind::Shred)
}

/// Orders with the same fault are one finding.
#[derive(Default)]
struct Faults(Vec<(&'static str, u64)>);

impl Faults {
    fn count(&mut self, fault: &'static str) {
        self.add(fault, 1);
    }

    fn add(&mut self, fault: &'static str, orders: u64) {
        match self.0.iter_mut().find(|(known, _)| *known == fault) {
            Some((_, count)) => *count += orders,
            None if orders > 0 => self.0.push((fault, orders)),
            None => {}
        }
    }

    fn total(&self) -> u64 {
        self.0.iter().map(|(_, count)| count).sum()
    }

    fn into_findings(self) -> impl Iterator<Item = Finding> {
        let plural = |count| if count == 1 { "1 order".to_owned() } else { format!("{count} orders, each") };
        self.0.into_iter().map(move |(fault, count)| {
            Finding::new(Severity::Fault, "orders", format!("{}: {fault}", plural(count)))
        })
    }
}
