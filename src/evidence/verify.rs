//! Verifying an evidence folder, without the vault and without any secret but what is in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use consignee_policy::{PartId, Policy};

use super::{
    ENTRIES, FORMAT, Kind, ORDER, README, STATEMENT, Statement, VERSION,
    bundle::{Folder, LOG, wrong},
    clear::{self, Cleared},
    digits, from_digits,
    material::{
        About, Material, Opening, OpeningJson, OrderJson, PartyJson, ProvenEntry, commitment_of_parts,
    },
    plaintext,
    prove::{commit_record, name_of},
};
use crate::{
    error::{Error, ErrorKind, Result},
    keys::VaultId,
    ledger::{Entry, EntryKind, EntryPlace},
    party::{RevealedBundle, SignedRequest},
    suite::Secret,
    tlog::{Checkpoint, Proof, TrustPolicy, Vouched},
    value::Value,
    who_saw::NamedPart,
};

/// An evidence folder that somebody handed over.
pub struct Evidence {
    folder: Folder,
    statement: Statement,
    vault: VaultId,
}

/// A ledger up to a checkpoint, and who stands behind it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ProvenLedger {
    /// Its number.
    pub ledger: u32,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The log's key, and the witnesses.
    pub vouched: Vouched,
    /// How many of its first entries the quorum has seen; 0 where none is asked for.
    pub witnessed: u64,
}

/// What an evidence folder shows.
#[derive(Clone)]
#[non_exhaustive]
pub struct Proven {
    /// The order's number.
    pub order_no: String,
    /// When the folder was made, by the shop's clock: seconds since 1970.
    pub made: u64,
    /// The ledgers, oldest first.
    pub ledgers: Vec<ProvenLedger>,
    /// The entries of the order; none in a clearing proof.
    pub entries: Vec<ProvenEntry>,
    /// Of a clearing proof, whom it clears of what.
    pub cleared: Option<Cleared>,
}

// Without the order's number.
impl std::fmt::Debug for Proven {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { made, ledgers, entries, cleared, .. } = self;
        let mut shown = f.debug_struct("Proven");
        shown
            .field("made", made)
            .field("ledgers", ledgers)
            .field("entries", entries)
            .field("cleared", cleared);
        shown.finish_non_exhaustive()
    }
}

impl Proven {
    /// Whether a quorum of witnesses has seen each ledger whole. If not, it is the shop's word only.
    pub fn is_witnessed(&self) -> bool {
        self.ledgers.iter().all(|l| l.vouched.is_witnessed && l.witnessed >= l.checkpoint.size)
    }
}

impl Evidence {
    /// Reads a folder, and hashes all files that its manifest lists. Follows no link, and reads at most 65,536 files.
    ///
    /// # Errors
    /// `NotFound` with the name of a file that is missing, `Damaged` with that of one that was altered or does not belong there,
    /// `NewerFormat`, `Limit`, `Storage`.
    pub fn open(folder: &Path) -> Result<Self> {
        let folder = Folder::open(folder)?;
        let statement: Statement = folder.read_json(STATEMENT)?;
        if statement.format == FORMAT && statement.version > VERSION {
            return Err(Error::new(ErrorKind::NewerFormat, "the evidence is of a newer version")
                .with_hint("update this program"));
        }
        let vault = from_digits(&statement.vault).map(VaultId);
        let is_one = statement.format == FORMAT
            && statement.version == VERSION
            && (statement.kind == Kind::Clear) == statement.clear.is_some();
        let Some(vault) = vault.filter(|_| is_one) else {
            return Err(wrong(STATEMENT, "does not follow its format"));
        };
        let origin = |number: u32| format!("consignee/{}/{number}", statement.vault);
        let in_order = |(ledger, number): (&super::LedgerJson, u32)| {
            ledger.ledger == number && ledger.origin == origin(number)
        };
        if statement.ledgers.is_empty() || !statement.ledgers.iter().zip(1..).all(in_order) {
            return Err(wrong(STATEMENT, "does not name the vault's ledgers from the first on"));
        }
        Ok(Self { folder, statement, vault })
    }

    /// Names of the ledgers that it is about, from the vault's first on.
    pub fn origins(&self) -> impl Iterator<Item = &str> {
        self.statement.ledgers.iter().map(|ledger| ledger.origin.as_str())
    }

    /// Whom the folder itself says is to be trusted: its maker's word.
    ///
    /// # Errors
    /// `NotFound`, `Damaged`.
    pub fn own_trust(&self) -> Result<Vec<TrustPolicy>> {
        let trust = |ledger: &super::LedgerJson| {
            let path = format!("trust/{}.policy", ledger.ledger);
            let policy = TrustPolicy::parse(&self.folder.read(&path)?).map_err(|e| e.in_file(&path))?;
            match policy.logs() {
                [log] if log.name() == ledger.origin => Ok(policy),
                _ => Err(wrong(&path, "is not of this ledger")),
            }
        };
        self.statement.ledgers.iter().map(trust).collect()
    }

    /// Verifies everything, by these trust policies: one for each ledger, or one for several. Reads a clearing proof's ledgers whole;
    /// its memory does not grow with them.
    ///
    /// # Errors
    /// `Damaged` for the first thing that does not hold, with its file or entry; `CannotOpen` for what another key signed; `NotPermitted`
    /// where too few witnesses cosigned, or where the party was given the field; `NotFound`, `Storage`.
    pub fn verify(&self, trust: &[TrustPolicy]) -> Result<Proven> {
        let named = self.own_trust()?;
        // The keys in the folder are no others than those that the verifier knows.
        for (ledger, own) in self.statement.ledgers.iter().zip(&named) {
            let known = trust_for(trust, &ledger.origin)?.logs();
            if own.logs().iter().any(|log| !known.contains(log)) {
                let message = format!("trust/{}.policy names another key than the ledger's", ledger.ledger);
                return Err(Error::new(ErrorKind::CannotOpen, message));
            }
        }
        // All of a vault's ledgers have one key, and each its name: the last one signs.
        named
            .last()
            .and_then(|own| own.logs().first())
            .map_or(Ok(()), |key| self.folder.check_signed(key))?;
        let mut material = self.material()?;
        let (ledgers, entries, cleared) = match &self.statement.clear {
            Some(claim) => {
                let (ledgers, cleared) =
                    clear::check(self.folder.root(), &material, claim, &self.statement, |origin| {
                        trust_for(trust, origin)
                    })?;
                (ledgers, Vec::new(), Some(cleared))
            }
            None => {
                let (ledgers, entries) = self.check_entries(&mut material, trust)?;
                (ledgers, entries, None)
            }
        };
        self.check_files(&material)?;
        Ok(Proven { order_no: material.order_no, made: self.statement.made, ledgers, entries, cleared })
    }

    fn material(&self) -> Result<Material> {
        let order: OrderJson = self.folder.read_json(ORDER)?;
        let mut parties = BTreeMap::new();
        for name in self.folder.names("parties", ".json") {
            let path = format!("parties/{name}.json");
            let party: PartyJson = self.folder.read_json(&path)?;
            let id = party.key_id(self.vault);
            if digits(&id) != name {
                return Err(wrong(&path, "is of another key id"));
            }
            parties.insert(id, party);
        }
        let mut policies = BTreeMap::new();
        for name in self.folder.names("policies", ".policy") {
            let path = format!("policies/{name}.policy");
            let policy = Policy::from_canonical(&self.folder.read(&path)?)
                .map_err(|_| wrong(&path, "is no policy"))?;
            if digits(&policy.digest()) != name {
                return Err(wrong(&path, "is another policy"));
            }
            policies.insert(policy.digest(), policy);
        }
        Ok(Material {
            vault: self.vault,
            record_id: order.record_id()?,
            handle_key: order.handle_key(),
            order_no: order.order_no,
            parties,
            policies,
            entries: BTreeMap::new(),
        })
    }

    /// Of evidence: proofs first, then what each entry says, then what opens it.
    fn check_entries(
        &self,
        material: &mut Material,
        trust: &[TrustPolicy],
    ) -> Result<(Vec<ProvenLedger>, Vec<ProvenEntry>)> {
        let mut ledgers: BTreeMap<u32, ProvenLedger> = BTreeMap::new();
        for name in self.folder.names("entries", ".entry") {
            let path = format!("entries/{name}.tlog-proof");
            let place = place_of(name).ok_or_else(|| wrong(&path, "is named after no entry"))?;
            let bytes = self.folder.read(&format!("entries/{name}.entry"))?;
            let proof = Proof::parse(&self.folder.read(&path)?).map_err(|e| e.in_file(&path))?;
            let checkpoint = proof.checkpoint.checkpoint();
            let stated = self.statement.ledgers.iter().find(|ledger| ledger.ledger == place.ledger);
            let stated = stated.ok_or_else(|| wrong(&path, "is of a ledger that is not stated"))?;
            let same = (checkpoint.size, digits(&checkpoint.root)) == (stated.size, stated.root.clone());
            if proof.index != place.index || checkpoint.origin != stated.origin || !same {
                return Err(wrong(&path, "is of another entry, ledger or checkpoint"));
            }
            let vouched =
                proof.verify(&bytes, trust_for(trust, &stated.origin)?).map_err(|e| e.in_file(&path))?;
            let witnessed = if vouched.is_witnessed { stated.size } else { 0 };
            let checkpoint = checkpoint.clone();
            let ledger = ProvenLedger { ledger: place.ledger, checkpoint, vouched, witnessed };
            ledgers.entry(place.ledger).or_insert(ledger);
            let entry = Entry::decode(&bytes).map_err(|e| e.in_file(&path))?;
            material.entries.insert(place, entry);
        }
        let about = material.about()?;
        check_put(material)?;
        check_parties(material)?;
        let mut entries = Vec::new();
        for (place, about) in about {
            let Some(entry) = material.entries.get(&place) else { continue };
            if about != About::Context {
                entries.push(self.proven(material, place, entry, about)?);
            }
        }
        if self.folder.read(ENTRIES)? != material.in_words()?.as_bytes() {
            return Err(wrong(ENTRIES, "does not say what the entries say"));
        }
        Ok((ledgers.into_values().collect(), entries))
    }

    fn proven(
        &self,
        material: &Material,
        place: EntryPlace,
        entry: &Entry,
        about: About,
    ) -> Result<ProvenEntry> {
        if !material.policies.contains_key(&entry.policy) {
            let message = format!("policies/{}.policy is missing", digits(&entry.policy));
            return Err(Error::new(ErrorKind::NotFound, message));
        }
        let party = match about {
            About::Party(id) => material.parties.get(&id),
            _ => None,
        };
        let (opening, values) = self.opening(material, place, entry)?;
        Ok(ProvenEntry {
            place,
            parts: material.parts(entry),
            opening,
            values,
            requested: self.requested(place, entry, party)?,
            party: party.map(|party| (party.name.clone(), party.role.clone())),
            entry: entry.clone(),
        })
    }

    fn opening(
        &self,
        material: &Material,
        place: EntryPlace,
        entry: &Entry,
    ) -> Result<(Opening, Vec<(NamedPart, Value)>)> {
        let path = format!("openings/{}.json", name_of(place));
        let record = |name: &str| {
            let sealed = self.folder.read(&format!("records/{name}"))?;
            let of_order = crate::record::Record::parse(&sealed).is_ok_and(|record| {
                record.header.vault == material.vault && record.header.record_id == material.record_id
            });
            if of_order { Ok(sealed) } else { Err(wrong(&path, "is of the record of another order")) }
        };
        let (found, values) = match self.folder.read_json(&path)? {
            OpeningJson::No { why } => return Ok((Opening::Closed(why), Vec::new())),
            OpeningJson::Record { record: name } => (commit_record(&record(&name)?), Vec::new()),
            OpeningJson::Disclosure { lines, record: name, parts, field_keys } => {
                let part = |part: super::material::PartJson| Some((PartId::new(part.part)?, part.t.0));
                let parts: Option<Vec<_>> = parts.into_iter().map(part).collect();
                let parts = parts.ok_or_else(|| wrong(&path, "has a part that is none"))?;
                if !parts.iter().map(|(part, _)| *part).eq(entry.parts.iter().copied()) {
                    return Err(wrong(&path, "is of other parts than the entry"));
                }
                let record = record(&name)?;
                let commitment = commitment_of_parts(entry.party, &lines, &record, &parts)?;
                (commitment, plaintext::open(material, (place, &record), parts.into_iter(), field_keys)?)
            }
            OpeningJson::Copy { lines, revealed, field_keys } => {
                let bytes = self.folder.read(&format!("revealed/{revealed}"))?;
                let text = std::str::from_utf8(&bytes).map_err(|_| wrong(&path, "is no text"))?;
                let bundle = RevealedBundle::from_json(text).map_err(|e| e.in_file(&path))?;
                let copy = bundle.copies().iter().find(|copy| copy.place() == place);
                let its_own = *bundle.vault() == material.vault.0 && *bundle.party() == entry.party;
                let copy = copy.filter(|_| its_own).ok_or_else(|| wrong(&path, "is of another copy"))?;
                if !copy.parts().eq(entry.parts.iter().copied()) {
                    return Err(wrong(&path, "is of other parts than the entry"));
                }
                let tickets = copy.tickets().map(|(part, secret)| (part, Secret::new(*secret.expose())));
                let values = plaintext::open(material, (place, copy.record()), tickets, field_keys)?;
                (bundle.commitment(copy, &lines)?, values)
            }
        };
        if entry.commitments.first() == Some(&found) {
            Ok((Opening::Holds, values))
        } else {
            Err(wrong(&path, &format!("does not open what entry {place} commits to")))
        }
    }

    fn requested(&self, place: EntryPlace, entry: &Entry, party: Option<&PartyJson>) -> Result<Option<bool>> {
        if entry.request == [0; 32] {
            return Ok(None);
        }
        let hash = digits(&entry.request);
        let path = format!("requests/{hash}.request");
        if self.statement.missing_requests.contains(&hash) && !self.folder.has(&path) {
            return Ok(Some(false));
        }
        let request = SignedRequest::parse(&self.folder.read(&path)?).map_err(|e| e.in_file(&path))?;
        let whose = party.and_then(|party| Some((party.number, party.public_key.as_ref()?)));
        let (number, key) = whose.ok_or_else(|| wrong(&path, "is of a party without a key"))?;
        let checked = request.check_entry(entry, number, key);
        checked.map_err(|_| wrong(&path, &format!("is not what entry {place} was made for")))?;
        Ok(Some(true))
    }

    /// The folder has what this version checks, and nothing that nobody looked at.
    fn check_files(&self, material: &Material) -> Result<()> {
        let mut known = BTreeSet::from([STATEMENT, ORDER, README].map(str::to_owned));
        known.extend(self.statement.ledgers.iter().map(|ledger| format!("trust/{}.policy", ledger.ledger)));
        known.extend(material.parties.keys().map(|id| format!("parties/{}.json", digits(id))));
        known.extend(material.policies.keys().map(|digest| format!("policies/{}.policy", digits(digest))));
        if self.statement.kind == Kind::Prove {
            known.insert(ENTRIES.to_owned());
        }
        for (place, entry) in &material.entries {
            let name = name_of(*place);
            let files = ["entries/.entry", "entries/.tlog-proof", "openings/.json", "revealed/.json"];
            known.extend(files.map(|file| file.replace("/.", &format!("/{name}."))));
            known.insert(format!("requests/{}.request", digits(&entry.request)));
        }
        let is_known =
            |path: &str| known.contains(path) || path.starts_with("records/") || is_checkpoint(path);
        match self.folder.paths().find(|path| !is_known(path)) {
            Some(path) => Err(wrong(path, "has no place in such a folder")),
            None => Ok(()),
        }
    }
}

fn is_checkpoint(path: &str) -> bool {
    path.strip_prefix(LOG)
        .is_some_and(|path| path.ends_with("/checkpoint") || path.ends_with("/checkpoint.cosigned"))
}

/// The policy that takes the log of this name.
fn trust_for<'a>(trust: &'a [TrustPolicy], origin: &str) -> Result<&'a TrustPolicy> {
    let takes = |policy: &&TrustPolicy| policy.logs().iter().any(|log| log.name() == origin);
    trust.iter().find(takes).ok_or_else(|| {
        let message = format!("the evidence is of {}, of which no key is given", origin.escape_debug());
        Error::new(ErrorKind::CannotOpen, message)
            .with_hint("it is of another vault, or give the key of each ledger: the vault's card")
    })
}

/// The order's own entries commit to its number, record id and handle key, and one of them is of its put.
fn check_put(material: &Material) -> Result<()> {
    let handle = material.handle_key.handle(&material.own());
    let mut is_put = false;
    for (place, entry) in material.entries.iter().filter(|(_, entry)| entry.handle == handle) {
        is_put |= opens_order(entry, &material.order_commitment(), *place)?;
    }
    if is_put { Ok(()) } else { Err(no_put()) }
}

/// Whether the entry is of a put; refuses one that commits to another order.
pub(super) fn opens_order(entry: &Entry, commitment: &[u8; 32], place: EntryPlace) -> Result<bool> {
    let seals = matches!(entry.kind, EntryKind::Put | EntryKind::Update | EntryKind::Reseal);
    if seals && entry.commitments.get(2) != Some(commitment) {
        let message = format!("entry {place} is not of this order number, or not of this handle key");
        return Err(Error::new(ErrorKind::Damaged, message));
    }
    Ok(entry.kind == EntryKind::Put)
}

pub(super) fn no_put() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "no entry of the order's put is there: nothing shows that the handle key is the order's",
    )
}

/// Each party's entries commit to what the folder says of it, and each party of whom something is told has one.
fn check_parties(material: &Material) -> Result<()> {
    let mut shown = BTreeSet::new();
    for (place, entry) in material.entries.iter().filter(|(_, entry)| entry.kind == EntryKind::Party) {
        check_party(material, *place, entry)?;
        shown.insert(entry.party);
    }
    let told = material.entries.values().filter(|entry| entry.kind != EntryKind::Party);
    match told.map(|entry| entry.party).find(|id| material.parties.contains_key(id) && !shown.contains(id)) {
        Some(id) => Err(no_party_entry(&id)),
        None => Ok(()),
    }
}

pub(super) fn no_party_entry(id: &[u8; 16]) -> Error {
    Error::new(ErrorKind::NotFound, format!("no entry says who party {} is", digits(id)))
}

pub(super) fn check_party(material: &Material, place: EntryPlace, entry: &Entry) -> Result<()> {
    let party = material.parties.get(&entry.party);
    let party =
        party.ok_or_else(|| wrong(&format!("parties/{}.json", digits(&entry.party)), "is missing"))?;
    if entry.commitments != [party.commitment()] {
        let path = format!("parties/{}.json", digits(&entry.party));
        return Err(wrong(&path, &format!("does not open what entry {place} commits to")));
    }
    Ok(())
}

/// The place that a file is named after: `LEDGER-INDEX`.
fn place_of(name: &str) -> Option<EntryPlace> {
    let (ledger, index) = name.split_once('-')?;
    let place = EntryPlace { ledger: ledger.parse().ok()?, index: index.parse().ok()? };
    (name_of(place) == name).then_some(place)
}
