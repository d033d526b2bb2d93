//! Clearing proofs: that a party was never given a field of an order, from whole ledgers.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::Path,
};

use consignee_policy::{PartId, Policy};

use super::{
    ClearJson, Kind, Statement,
    bundle::{LOG, Writer, wrong},
    digits,
    material::Material,
    prove::{EvidenceSources, finish, parties, statement},
    verify::{Proven, ProvenLedger, check_party, no_party_entry, no_put, opens_order},
};
use crate::{
    error::{Error, ErrorKind, Result},
    handles::HandleOf,
    keys::HandleKey,
    ledger::{Entry, EntryKind, EntryPlace},
    publish::Published,
    suite::Secret,
    tlog::TrustPolicy,
    vault::Vault,
    who_saw::NamedPart,
};

/// Places that are named of those by which a party was given something.
const NAMED: usize = 100;

/// Whether a clearing proof could be made.
#[derive(Debug)]
pub enum Clearing {
    /// It was written, and shows this.
    Cleared(Box<Proven>),
    /// There is none: by these entries the party was given the field, a facet of it or a search hit on it.
    Given(Vec<EntryPlace>),
}

/// Who was never given what.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cleared {
    /// Name of the party.
    pub party: String,
    /// Its role.
    pub role: String,
    /// The field.
    pub field: String,
    /// The field and its facets, by every policy that was in force.
    pub parts: Vec<NamedPart>,
    /// Times of the first and last entry of the ledgers, seconds since 1970.
    pub times: Option<(u64, u64)>,
    /// Entries of former ledgers that were lost: of these nothing is proven.
    pub lost: Vec<LostEntries>,
    /// How many entries are dated more than five minutes before one that they follow.
    pub backdated: u64,
}

/// Entries that a ledger had, and that are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostEntries {
    /// Number of the ledger.
    pub ledger: u32,
    /// Index of the first that is gone.
    pub from: u64,
    /// How many entries the ledger had when it was last known.
    pub size: u64,
}

impl Vault {
    /// Writes, into a new folder, the proof that a party was never given a field of an order, its facets, or a search hit on it; or says
    /// by which entries it was. The proof has the whole ledgers, as they are for auditors. `order` is its number.
    ///
    /// # Errors
    /// `Input` for a field that no policy has had; otherwise as for [`Vault::prove`].
    pub fn clear(
        &self,
        party: &str,
        order: &str,
        field: &str,
        sources: &EvidenceSources<'_>,
        to: &Path,
    ) -> Result<Clearing> {
        self.registry_that_signs()?;
        let (registry, known) = self.order_for_evidence(order)?;
        let number = registry.party(party)?.number;
        let policies: BTreeMap<[u8; 32], Policy> = registry
            .policies
            .iter()
            .map(|accepted| (accepted.policy.digest(), (*accepted.policy).clone()))
            .collect();
        let parts = parts_of(&policies, field);
        if parts.is_empty() {
            return Err(Error::input("field", "no policy of the vault has had a field of this name")
                .with_hint("name the field, not a facet of it"));
        }
        let of_party = parties(&registry, |id| {
            registry.party_openings().any(|opening| opening.party.number == number && opening.key_id() == *id)
        });
        let found = self.order_entries(&registry, &known.handle_key)?.entries;
        let given = found.iter().filter(|(_, (entry, whose))| {
            matches!(whose, HandleOf::Party(id) if of_party.contains_key(id)) && gives(entry, &parts)
        });
        let given: Vec<EntryPlace> = given.map(|(place, _)| *place).collect();
        if !given.is_empty() {
            return Ok(Clearing::Given(given));
        }
        let mut writer = Writer::new(to)?;
        let copied = writer.root().join(LOG);
        let logs = self.logs_for_evidence(&registry, sources, &copied)?;
        for (number, log) in &logs {
            let copy = Published::ledger(&copied, *number);
            if sources.log.is_some() {
                log.published.copy_to(&copy)?;
            }
            copy.remove_lock()?;
            for path in checkpoint_paths(*number) {
                if writer.root().join(&path).exists() {
                    writer.add_written(&path)?;
                }
            }
        }
        let material = Material {
            vault: registry.vault,
            order_no: order.to_owned(),
            record_id: known.record_id,
            handle_key: HandleKey::new(Secret::new(*known.handle_key.expose())),
            parties: of_party,
            policies,
            entries: BTreeMap::new(),
        };
        let clear = ClearJson {
            party: party.to_owned(),
            field: field.to_owned(),
            parts: parts.keys().map(|part| part.get()).collect(),
        };
        let mut statement = statement(&registry, Kind::Clear, &logs);
        // What is cleared is the whole log, up to its newest checkpoint; the quorum may have seen less of it.
        for (stated, log) in statement.ledgers.iter_mut().zip(logs.values()) {
            let newest = log.published.checkpoint()?;
            (stated.size, stated.root) = (newest.checkpoint().size, digits(&newest.checkpoint().root));
        }
        statement.clear = Some(clear);
        finish(writer, &registry, (&statement, &material), &logs, sources.witnesses)
            .map(|proven| Clearing::Cleared(Box::new(proven)))
    }
}

/// Checkpoints of a copied log, below the evidence folder.
fn checkpoint_paths(ledger: u32) -> [String; 2] {
    let folder = if ledger == 1 { LOG.to_owned() } else { format!("{LOG}/ledger-{ledger}") };
    ["checkpoint", "checkpoint.cosigned"].map(|file| format!("{folder}/public/{file}"))
}

/// The field of this name and its facets, by all these policies: numbers stay, names may change.
fn parts_of(policies: &BTreeMap<[u8; 32], Policy>, field: &str) -> BTreeMap<PartId, String> {
    let all = || policies.values().flat_map(Policy::parts);
    let fields: HashSet<PartId> =
        all().filter(|part| part.field.name == field).map(|part| part.field.id).collect();
    let its = all().filter(|part| fields.contains(&part.field.id));
    its.map(|part| (part.id, part.name.to_owned())).collect()
}

/// Whether an entry with a party's handle gives it one of these parts; of an entry that is not understood, it may.
fn gives(entry: &Entry, parts: &BTreeMap<PartId, String>) -> bool {
    match entry.kind {
        EntryKind::Search | EntryKind::Disclosure => entry.parts.iter().any(|part| parts.contains_key(part)),
        _ => true,
    }
}

/// Reads the copied ledgers whole.
pub(super) fn check<'t>(
    root: &Path,
    material: &Material,
    claim: &ClearJson,
    statement: &Statement,
    trust: impl Fn(&str) -> Result<&'t TrustPolicy>,
) -> Result<(Vec<ProvenLedger>, Cleared)> {
    let parts = parts_of(&material.policies, &claim.field);
    if !parts.keys().map(|part| part.get()).eq(claim.parts.iter().copied()) {
        return Err(wrong("statement.json", "does not name the field and all of its facets"));
    }
    let mut search = Search::new(material, claim, &parts)?;
    let (mut ledgers, mut lost, mut times, mut backdated) = (Vec::new(), Vec::new(), None, 0);
    for stated in &statement.ledgers {
        let log = Published::ledger(&root.join(LOG), stated.ledger);
        let in_ledger = |e: Error| e.with_prefix(&format!("log of ledger {}: ", stated.ledger));
        let verified = log
            .verify(trust(&stated.origin)?, |index, entry, _| {
                search.visit(EntryPlace { ledger: stated.ledger, index }, entry)
            })
            .map_err(in_ledger)?;
        let checkpoint = verified.checkpoint;
        let same = (&checkpoint.origin, checkpoint.size, digits(&checkpoint.root))
            == (&stated.origin, stated.size, stated.root.clone());
        if !same || !verified.has_entries {
            return Err(wrong("statement.json", "is of other ledgers than those in log"));
        }
        if stated.ledger < u32::try_from(statement.ledgers.len()).unwrap_or(u32::MAX) {
            let next = Published::ledger(&root.join(LOG), stated.ledger + 1);
            lost.extend(succession(stated.ledger, &log, checkpoint.size, &next)?);
        }
        if let Some((first, last)) = verified.times {
            times = Some((times.map_or(first, |(earliest, _)| earliest), last));
        }
        backdated += verified.backdated_count;
        ledgers.push(ProvenLedger {
            ledger: stated.ledger,
            checkpoint,
            vouched: verified.vouched,
            witnessed: verified.witnessed,
        });
    }
    let role = search.finish(!lost.is_empty())?.to_owned();
    let parts = parts.into_iter().map(|(id, name)| NamedPart { id, name: Some(name) }).collect();
    let (party, field) = (claim.party.clone(), claim.field.clone());
    Ok((ledgers, Cleared { party, role, field, parts, times, lost, backdated }))
}

/// How the next ledger succeeds this one: it begins with what was last known of it, and names what was lost.
fn succession(number: u32, log: &Published, size: u64, next: &Published) -> Result<Option<LostEntries>> {
    let wrong = || {
        let message =
            format!("ledger {} does not begin with the loss of ledger {number} as it is here", number + 1);
        Error::new(ErrorKind::Damaged, message)
    };
    let next_size = next.checkpoint()?.checkpoint().size;
    if next_size == 0 {
        return Err(wrong());
    }
    let first = Entry::decode(&next.entry(0, next_size)?)?;
    let detail = first.detail.split_first_chunk::<8>().filter(|_| first.kind == EntryKind::Lost);
    let (known, root) = detail.ok_or_else(wrong)?;
    let known = u64::from_le_bytes(*known);
    if known > size {
        return Ok(Some(LostEntries { ledger: number, from: size, size: known }));
    }
    if log.root_at(known)?.as_slice() == root { Ok(None) } else { Err(wrong()) }
}

/// What is sought in the entries: anything by which the party was given the field, and what would hide that.
struct Search<'a> {
    material: &'a Material,
    claim: &'a ClearJson,
    parts: &'a BTreeMap<PartId, String>,
    role: &'a str,
    own_handle: [u8; 16],
    commitment: [u8; 32],
    handles: HashMap<[u8; 16], [u8; 16]>,
    shown: BTreeSet<[u8; 16]>,
    given: Vec<EntryPlace>,
    is_put: bool,
}

impl<'a> Search<'a> {
    fn new(
        material: &'a Material,
        claim: &'a ClearJson,
        parts: &'a BTreeMap<PartId, String>,
    ) -> Result<Self> {
        let Some(any) = material.parties.values().next() else {
            return Err(Error::new(
                ErrorKind::NotFound,
                "parties/ is missing: nothing says who the party is",
            ));
        };
        let one =
            |party: &super::material::PartyJson| party.number == any.number && party.name == claim.party;
        if !material.parties.values().all(one) {
            return Err(wrong("parties", "are not those of the party that is cleared"));
        }
        let handle = |id: &[u8; 16]| (material.handle_key.handle(id), *id);
        Ok(Self {
            material,
            claim,
            parts,
            role: &any.role,
            own_handle: material.handle_key.handle(&material.own()),
            commitment: material.order_commitment(),
            handles: material.parties.keys().map(handle).collect(),
            shown: BTreeSet::new(),
            given: Vec::new(),
            is_put: false,
        })
    }

    fn visit(&mut self, place: EntryPlace, entry: &Entry) -> Result<()> {
        if entry.handle == self.own_handle {
            self.is_put |= opens_order(entry, &self.commitment, place)?;
        }
        if self.handles.contains_key(&entry.handle) && gives(entry, self.parts) && self.given.len() < NAMED {
            self.given.push(place);
        }
        // A policy that is left out could call the field by another number.
        if entry.policy != [0; 32] && !self.material.policies.contains_key(&entry.policy) {
            let message = format!("entry {place}: policies/{}.policy is missing", digits(&entry.policy));
            return Err(Error::new(ErrorKind::NotFound, message));
        }
        if entry.kind == EntryKind::Party {
            self.check_key_ids(place, entry)?;
        }
        Ok(())
    }

    /// A key id of the party that is left out would hide what it was given under it.
    fn check_key_ids(&mut self, place: EntryPlace, entry: &Entry) -> Result<()> {
        let ids = || entry.listed_key_ids().chain([&entry.party]);
        let is_its_own = |id: &[u8; 16]| self.material.parties.contains_key(id);
        if !ids().any(is_its_own) {
            return Ok(());
        }
        if let Some(id) = ids().find(|id| !is_its_own(id)) {
            let message = format!(
                "entry {place}: the party has the key id {} too, and it is not in parties",
                digits(id)
            );
            return Err(Error::new(ErrorKind::Damaged, message));
        }
        check_party(self.material, place, entry)?;
        // All that it names: of a party that was added with a key, no entry of its own has the id without one.
        self.shown.extend(ids());
        Ok(())
    }

    /// The party's role, if it is cleared. Where entries were lost, those of its keys may be among them.
    fn finish(self, has_gap: bool) -> Result<&'a str> {
        if !self.given.is_empty() {
            let places: Vec<String> = self.given.iter().map(EntryPlace::to_string).collect();
            let (party, field) = (self.claim.party.escape_debug(), self.claim.field.escape_debug());
            let message = format!("{party} is not cleared: entries {} gave it {field}", places.join(", "));
            return Err(Error::new(ErrorKind::NotPermitted, message));
        }
        if !self.is_put {
            return Err(no_put());
        }
        let unshown = self.material.parties.keys().find(|id| !self.shown.contains(*id));
        match unshown.filter(|_| !has_gap || self.shown.is_empty()) {
            Some(id) => Err(no_party_entry(id)),
            None => Ok(self.role),
        }
    }
}
