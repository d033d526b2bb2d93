//! Compares what a vault's stores hold with each other and with the ledger.

use std::collections::HashMap;

use crate::{
    error::Result,
    ledger::{Entry, EntryKind},
    opener::unlock,
    record::Record,
    registry::{PartyState, Registry},
    sealer::record_commitment,
    store::{SecretRow, SecretState},
    vault::{MOST_SEALINGS, SEALINGS, Vault},
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

/// Rows read at a time. A record can have 16 MiB.
const PAGE: usize = 64;

impl Vault {
    /// Checks everything against everything: hashes of the ledger, keys and parties against their entries, each order's
    /// newest entry against the stores. Changes nothing but what a crashed writer left to settle. Reads the whole vault; waits for another
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
            Ok(state) => {
                let root: String = state.root.iter().map(|byte| format!("{byte:02x}")).collect();
                let message = format!("{} entries give the ledger's root, {root}", state.size);
                Finding::new(Severity::Fine, "ledger", message)
            }
            Err(fault) => Finding::new(Severity::Fault, "ledger", fault.to_string()),
        });
        findings.extend(self.check_limits(&registry)?);
        let mut recorded = Recorded::default();
        self.ledger().scan(0, |_, entry| recorded.add(&entry))?;
        recorded.check_registry(&registry, &mut findings);
        self.check_orders(&registry, &mut recorded, &mut findings)?;
        let gone = recorded.orders.values().filter(|order| !order.seen && !order.without_evidence).count();
        if gone > 0 {
            let message = format!(
                "{gone} orders have an entry and are not stored: a put that crashed, or rows removed"
            );
            findings.push(Finding::new(Severity::Warning, "orders", message));
        }
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

    /// Each secret row against its record and the newest entry of its order.
    fn check_orders(
        &self,
        registry: &Registry,
        recorded: &mut Recorded,
        findings: &mut Vec<Finding>,
    ) -> Result<()> {
        let stores = &self.inner().stores;
        let (mut good, mut shredded, mut recordless, mut abandoned) = (0u64, 0u64, 0u64, Vec::new());
        let (mut faults, mut serials) = (Faults::default(), HashMap::new());
        let mut after = None;
        loop {
            let rows = stores.secrets.secrets_page(after.as_ref(), PAGE)?;
            let Some(last) = rows.last() else { break };
            after = Some((last.record_id, last.n1));
            let ids: Vec<_> = rows.iter().map(|row| row.record_id).collect();
            for (row, record) in rows.iter().zip(stores.orders.records(&ids)?) {
                if *serials.entry(row.serial).or_insert(row.record_id) != row.record_id {
                    faults.count("has another's serial number, and so its aliases: keys.db was rolled back");
                }
                match record {
                    Some(_) if row.state == SecretState::Superseded => {}
                    Some(record) => match self.check_order(registry, recorded, row, &record.sealed) {
                        Ok(()) => good += 1,
                        Err(fault) => faults.count(fault),
                    },
                    None => {
                        let known =
                            self.handle_of_row(registry, row).and_then(|handle| recorded.seen(&handle));
                        match (row.state, known) {
                            (SecretState::Shredded, Some(_)) => shredded += 1,
                            (SecretState::Shredded, None) if row.wrapped.is_empty() => shredded += 1,
                            (SecretState::Shredded, None) => {
                                faults.count("is marked shredded and does not open, or has no entry");
                            }
                            (_, Some(_)) => recordless += 1,
                            (_, None) => abandoned.push((row.record_id, row.n1)),
                        }
                    }
                }
            }
        }
        if !abandoned.is_empty() {
            let message = format!(
                "{} secrets of orders that never came to the ledger (a put crashed)",
                abandoned.len()
            );
            findings.push(Finding::new(Severity::Fine, "leftovers", message));
        }
        if recordless > 0 {
            let message = format!(
                "{recordless} orders have an entry and a secret but no record: a put that crashed before it was acknowledged, or \
                 orders.db lost them; restore its newest backup. Their secrets are kept"
            );
            findings.push(Finding::new(Severity::Warning, "orders", message));
        }
        let secretless = stores.orders.count_records()?.saturating_sub(good + faults.total());
        faults.add("has no secret row: it cannot be opened; restore secrets.db", secretless);
        let message = format!("{good} orders fit their newest entry, {shredded} are shredded");
        findings.push(Finding::new(Severity::Fine, "orders", message));
        findings.extend(faults.into_findings());
        Ok(())
    }

    fn check_order(
        &self,
        registry: &Registry,
        recorded: &mut Recorded,
        row: &SecretRow,
        sealed: &[u8],
    ) -> Result<(), &'static str> {
        if row.state == SecretState::Shredded {
            return Err("is marked shredded and its record is there");
        }
        let record = Record::parse(sealed).map_err(|_| "does not follow its format; restore orders.db")?;
        let unlocked = unlock(registry, &record, row);
        let (_, handle_key) = unlocked
            .map_err(|_| "does not fit its secret row: altered or rolled back; restore the newest backups")?;
        let newest =
            recorded.seen(&handle_key.handle(&registry.own_key_id())).ok_or("has no entry in the ledger")?;
        if newest.kind == EntryKind::Shred {
            return Err("was shredded and is there again: a store was rolled back");
        }
        let digest = record_commitment(sealed);
        if newest.record == Some(digest) && newest.revision == row.revision {
            Ok(())
        } else {
            Err("is not the one its newest entry names: a store was rolled back; restore the newest backups")
        }
    }

    fn handle_of_row(&self, registry: &Registry, row: &SecretRow) -> Option<[u8; 16]> {
        let release = registry.release(row.generation)?;
        let context = registry.row_context(row);
        let key = if row.state == SecretState::Shredded {
            release.unwrap_evidence(&context, &row.wrapped).ok()?.handle_key
        } else {
            release.unwrap_secret(&context, release.suite, &row.wrapped).ok()?.1
        };
        Some(key.handle(&registry.own_key_id()))
    }
}

/// What the ledger says in the end, by one reading of all entries: the store's own index of handles is not hashed.
#[derive(Default)]
struct Recorded {
    orders: HashMap<[u8; 16], Newest>,
    /// Digest and whether it reaches existing orders, in the order of acceptance.
    policies: Vec<([u8; 32], bool)>,
    parties: HashMap<[u8; 16], EntryKind>,
}

/// The newest entry that changed an order.
struct Newest {
    kind: EntryKind,
    revision: u32,
    record: Option<[u8; 32]>,
    /// Shredded with its evidence: nothing in the stores has its handle any more.
    without_evidence: bool,
    /// Whether the stores have the order.
    seen: bool,
}

impl Recorded {
    fn add(&mut self, entry: &Entry) {
        match entry.kind {
            EntryKind::Policy => self.policies.push((entry.policy, entry.detail.first() == Some(&1))),
            EntryKind::Party | EntryKind::Revoke => {
                self.parties.insert(entry.party, entry.kind);
            }
            EntryKind::Put | EntryKind::Update | EntryKind::Reseal | EntryKind::Shred => {
                let shred = entry.kind == EntryKind::Shred;
                let newest = Newest {
                    kind: entry.kind,
                    revision: entry.revision,
                    record: entry.commitments.first().copied(),
                    without_evidence: shred && entry.detail.first() == Some(&0),
                    seen: false,
                };
                self.orders.insert(entry.handle, newest);
            }
            _ => {}
        }
    }

    /// Marks an order as stored, and gives its newest entry.
    fn seen(&mut self, handle: &[u8; 16]) -> Option<&Newest> {
        let newest = self.orders.get_mut(handle)?;
        newest.seen = true;
        Some(newest)
    }

    /// The policies and parties in force against their entries.
    fn check_registry(&self, registry: &Registry, findings: &mut Vec<Finding>) {
        let mut rolled_back = |check, what| {
            let message = format!("{what}: keys.db was rolled back; restore its newest backup");
            findings.push(Finding::new(Severity::Fault, check, message));
        };
        let in_force =
            registry.policies.iter().map(|accepted| (accepted.policy.digest(), accepted.existing_orders));
        if !in_force.eq(self.policies.iter().copied()) {
            rolled_back("policy", "the policies accepted are not those the ledger names");
        }
        let fits = |kind: &EntryKind, state| (*kind == EntryKind::Revoke) == (state == PartyState::Revoked);
        let fit = registry.parties.iter().all(|party| {
            let entered = self.parties.get(&registry.party_key_id(party.number));
            entered.is_some_and(|kind| fits(kind, party.state))
        });
        if !fit || self.parties.len() != registry.parties.len() {
            rolled_back("parties", "a party is not what its newest entry says");
        }
    }
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
