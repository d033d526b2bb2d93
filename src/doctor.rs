//! Compares what a vault's stores hold with each other and with the ledger.

mod checks;

use std::collections::HashMap;

use checks::{Missing, check_clock, of_file};
use consignee_policy::PartId;

use crate::{
    custody::is_root_change,
    error::{ErrorKind, Result},
    ledger::{Entry, EntryKind, EntryPlace},
    observe::Operation,
    opener::unlock,
    record::Record,
    registry::{PartyState, Registry},
    rotation::rotation_of,
    sealer::record_commitment,
    store::{RecordRow, SecretRow, SecretState},
    vault::Vault,
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
    /// Checks everything against everything: what the stores say of their files, hashes of the ledger, keys and parties against
    /// their entries, each order's newest entry against the stores, what is left over, the clock. Changes nothing but what a crashed
    /// writer left to settle. Reads the whole vault, the ledger twice or more; waits for another writer at most 10 seconds, and
    /// other writers wait for it. What each finding means and what to do: `docs/operations.md`.
    ///
    /// # Errors
    /// `Storage`, `Locked`. What is wrong with the vault's content is a finding, not an error.
    pub fn doctor(&self) -> Result<Vec<Finding>> {
        let watch = self.watch(Operation::Doctor, 0);
        let mut findings = watch.one(self.check_stores())?;
        if findings.is_empty() {
            findings.push(Finding::new(Severity::Fine, "files", "the stores find their own data sound"));
            match self.check_content(&mut findings) {
                // Such as no engine notices: a row that is gone, a column of another type.
                Err(e) if *e.kind() == ErrorKind::Damaged => {
                    findings.push(Finding::new(Severity::Fault, "files", e.to_string()));
                }
                checked => watch.one(checked)?,
            }
        }
        watch.failed(findings.iter().filter(|finding| finding.severity == Severity::Fault).count());
        Ok(findings)
    }

    fn check_content(&self, findings: &mut Vec<Finding>) -> Result<()> {
        let _writer = self.settled()?;
        let registry = self.registry()?;
        findings.push(Finding::new(Severity::Fine, "keys", "all keys, policies and parties are authentic"));
        findings.extend(self.check_ledgers(&registry));
        findings.extend(self.check_kept());
        findings.extend(self.check_keys(&registry)?);
        let mut recorded = Recorded::default();
        let scanned = self.ledger().scan_all(|place, entry| recorded.add(place, &entry));
        scanned.map_err(|e| e.in_file("ledger.db"))?;
        recorded.check_registry(&registry, findings);
        findings.extend(check_clock(recorded.newest_time));
        self.check_orders(&registry, &mut recorded, findings)?;
        findings.extend(self.check_leftovers()?);
        let gone = |order: &&([u8; 16], &Newest)| !order.1.seen && !order.1.without_evidence;
        let orders = recorded.orders.iter().map(|(handle, newest)| (*handle, newest));
        let gone: Vec<_> = orders.filter(|order| gone(&order)).map(|(handle, _)| handle).collect();
        if !gone.is_empty() {
            let message = format!(
                "{} orders have an entry and neither secret nor record{}: their rows were removed, secrets.db and orders.db were \
                 both restored from before the put, or the program keeps these orders in tables of its own. Compare their number \
                 with those tables; restore the newest backups of both if it does not fit",
                gone.len(),
                recorded.entries_of(gone.iter()),
            );
            findings.push(Finding::new(Severity::Warning, "orders", message));
        }
        Ok(())
    }

    /// Each secret row against its record and the newest entry of its order.
    fn check_orders(
        &self,
        registry: &Registry,
        recorded: &mut Recorded,
        findings: &mut Vec<Finding>,
    ) -> Result<()> {
        let stores = &self.inner().stores;
        let (mut good, mut shredded, mut abandoned, mut untagged) = (0u64, 0u64, 0u64, 0u64);
        let (mut faults, mut serials) = (Faults::default(), HashMap::new());
        let mut missing = Missing::default();
        let indexed = registry.policy()?.fields().iter().filter(|field| field.index.is_some());
        let indexed: Vec<PartId> = indexed.map(|field| field.id).collect();
        let mut after = None;
        loop {
            let rows = of_file("secrets.db", stores.secrets.secrets_page(after.as_ref(), PAGE))?;
            let Some(last) = rows.last() else { break };
            after = Some((last.record_id, last.n1));
            let ids: Vec<_> = rows.iter().map(|row| row.record_id).collect();
            for (row, record) in rows.iter().zip(of_file("orders.db", stores.orders.records(&ids))?) {
                if *serials.entry(row.serial).or_insert(row.record_id) != row.record_id {
                    faults.count("has another's serial number, and so its aliases: keys.db was rolled back");
                }
                match record {
                    Some(_) if row.state == SecretState::Superseded => {}
                    Some(record) => match self.check_order(registry, recorded, row, &record.sealed) {
                        Ok(()) => {
                            good += 1;
                            untagged += u64::from(lacks_tag(&record, &indexed));
                        }
                        Err(fault) => faults.count(fault),
                    },
                    None => {
                        let key =
                            registry.handle_key(row).map(|key| (key.handle(&registry.own_key_id()), key));
                        let known = key.filter(|(handle, _)| recorded.seen(handle).is_some());
                        match (row.state, known) {
                            (SecretState::Shredded, Some(_)) => shredded += 1,
                            (SecretState::Shredded, None) if row.wrapped.is_empty() => shredded += 1,
                            (SecretState::Shredded, None) => {
                                faults.count("is marked shredded and does not open, or has no entry");
                            }
                            (_, Some((handle, key))) => missing.add(handle, key),
                            (_, None) => abandoned += 1,
                        }
                    }
                }
            }
        }
        if abandoned > 0 {
            let message = format!(
                "{abandoned} secrets of orders that never came to the ledger (a put crashed): harmless, and replaced when the \
                 order is put again"
            );
            findings.push(Finding::new(Severity::Fine, "leftovers", message));
        }
        findings.extend(self.check_missing(registry, recorded, missing)?);
        if untagged > 0 {
            let message = format!(
                "orders that have a field that is searched by and no tag of it: {untagged}, put before the policy had the index, or the \
                 field is empty or cannot be indexed. They are not found by it until they are updated"
            );
            findings.push(Finding::new(Severity::Fine, "search", message));
        }
        let records = of_file("orders.db", stores.orders.count_records())?;
        let secretless = records.saturating_sub(good + faults.total());
        faults.add("has no secret row: it cannot be opened; restore secrets.db", secretless);
        let message = format!("orders that fit their newest entry: {good}; shredded: {shredded}");
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
        let (secret, handle_key) = unlocked
            .map_err(|_| "does not fit its secret row: altered or rolled back; restore the newest backups")?;
        let newest =
            recorded.seen(&handle_key.handle(&registry.own_key_id())).ok_or("has no entry in the ledger")?;
        if newest.kind == EntryKind::Shred || newest.was_shredded {
            return Err("was shredded and is there again: a store was rolled back");
        }
        if newest.closed && !secret.closed {
            return Err(
                "was closed and is open: a store was rolled back, or closing was cut short; close it again",
            );
        }
        let digest = record_commitment(sealed);
        if newest.record == Some(digest) && newest.revision == row.revision {
            Ok(())
        } else {
            Err("is not the one its newest entry names: a store was rolled back; restore the newest backups")
        }
    }
}

/// Whether search does not find the order by one of its fields.
fn lacks_tag(record: &RecordRow, indexed: &[PartId]) -> bool {
    let tagged = |part: PartId| record.tags.iter().any(|tag| tag.field == part.get());
    Record::parse(&record.sealed)
        .is_ok_and(|parsed| parsed.parts().any(|(part, _)| indexed.contains(&part) && !tagged(part)))
}

/// What the ledger says in the end, by one reading of all entries: the store's own index of handles is not hashed.
#[derive(Default)]
struct Recorded {
    orders: HashMap<[u8; 16], Newest>,
    /// Digest and whether it reaches existing orders, in the order of acceptance.
    policies: Vec<([u8; 32], bool)>,
    parties: HashMap<[u8; 16], EntryKind>,
    /// Epochs and release keys that were begun or destroyed, by kind and number: whether they are there.
    keys: HashMap<(u8, u32), bool>,
    /// The greatest time of an entry, seconds since 1970.
    newest_time: u64,
    /// Commitments of the newest change of the root key, if there was one.
    root: Option<Vec<[u8; 32]>>,
}

/// The newest entry that changed an order.
struct Newest {
    place: EntryPlace,
    kind: EntryKind,
    revision: u32,
    record: Option<[u8; 32]>,
    /// Shredded with its evidence: nothing in the stores has its handle any more.
    without_evidence: bool,
    /// An entry says that it was closed.
    closed: bool,
    /// An earlier entry says that it was shredded.
    was_shredded: bool,
    /// Whether the stores have the order.
    seen: bool,
}

impl Recorded {
    fn add(&mut self, place: EntryPlace, entry: &Entry) {
        self.newest_time = self.newest_time.max(entry.time);
        match entry.kind {
            EntryKind::Policy => self.policies.push((entry.policy, entry.detail.first() == Some(&1))),
            EntryKind::Party => {
                // A party with a new key has a new id, and names those before it.
                for id in entry.listed_key_ids() {
                    self.parties.remove(id);
                }
                self.parties.insert(entry.party, entry.kind);
            }
            EntryKind::Close => {
                if let Some(order) = self.orders.get_mut(&entry.handle) {
                    order.closed = true;
                }
            }
            EntryKind::Revoke => {
                self.parties.insert(entry.party, entry.kind);
            }
            EntryKind::Rotation if is_root_change(entry) => self.root = Some(entry.commitments.clone()),
            EntryKind::Rotation => {
                if let Some((kind, old, new)) = rotation_of(&entry.detail) {
                    // 0 is what takes the place of one that is destroyed.
                    self.keys.insert((kind, if new == 0 { old } else { new }), new != 0);
                }
            }
            EntryKind::Put | EntryKind::Update | EntryKind::Reseal | EntryKind::Shred => {
                let shred = entry.kind == EntryKind::Shred;
                let before = self.orders.get(&entry.handle);
                let newest = Newest {
                    place,
                    kind: entry.kind,
                    revision: entry.revision,
                    record: entry.commitments.first().copied(),
                    without_evidence: shred && entry.detail.first() == Some(&0),
                    closed: before.is_some_and(|before| before.closed),
                    was_shredded: before
                        .is_some_and(|before| before.was_shredded || before.kind == EntryKind::Shred),
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

    /// Where to look in the ledger for the newest entries of these orders, as a text to put behind the orders.
    fn entries_of<'a>(&self, handles: impl Iterator<Item = &'a [u8; 16]>) -> String {
        const SHOWN: usize = 5;
        let mut places: Vec<EntryPlace> =
            handles.filter_map(|handle| self.orders.get(handle)).map(|newest| newest.place).collect();
        places.sort_unstable();
        let shown: Vec<String> = places.iter().take(SHOWN).map(EntryPlace::to_string).collect();
        let more = if places.len() > SHOWN { ", …" } else { "" };
        format!(" (entries {}{more} of the ledger)", shown.join(", "))
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
        let there = |(kind, number): (u8, u32)| match kind {
            1 => Some(registry.epoch(number).is_some()),
            3 => Some(registry.release(number).is_some()),
            _ => None,
        };
        if self.keys.iter().any(|(key, entered)| there(*key).is_some_and(|there| there != *entered)) {
            rolled_back("keys", "the epochs and release keys are not those the ledger names");
        }
        let fits = |kind: &EntryKind, state| (*kind == EntryKind::Revoke) == (state == PartyState::Revoked);
        let fit = registry.parties.iter().all(|party| {
            let entered = self.parties.get(&party.key_id(registry.vault));
            entered.is_some_and(|kind| fits(kind, party.state))
        });
        if !fit || self.parties.len() != registry.parties.len() {
            rolled_back("parties", "a party is not what its newest entry says");
        }
        let in_force = registry.root_commitment().ok();
        if self.root.as_ref().is_some_and(|entered| entered.first().copied() != in_force) {
            rolled_back("keys", "the root key is not the one that the ledger's newest change of it names");
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
