//! Writing evidence: what the ledgers have of an order, with all that opens it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use consignee_policy::PartId;

use super::{
    ENTRIES, FORMAT, Kind, LedgerJson, ORDER, README, STATEMENT, Statement, VERSION,
    bundle::{Writer, cannot_write},
    digits,
    material::{
        About, Material, OpeningJson, OrderJson, PartJson, PartyJson, SecretText, commitment_of_parts,
    },
    plaintext, readme,
    verify::{Evidence, Proven},
};
use crate::{
    error::{Error, ErrorKind, Result},
    handles::{HandleOf, KnownOrder},
    ledger::{Entry, EntryKind, EntryPlace, now},
    opener::unlock,
    party::{RevealedBundle, SignedRequest},
    publish::Published,
    record::Record,
    registry::Registry,
    suite::{Secret, commit, digest},
    tlog::{SignedCheckpoint, TrustPolicy, VerifierKey},
    vault::Vault,
};

/// What evidence is made from, beside the vault.
#[derive(Debug, Default)]
pub struct EvidenceSources<'a> {
    /// Where the vault's ledgers are published. Without it they are published anew for this evidence, without a cosignature.
    pub log: Option<&'a Path>,
    /// Witnesses and quorum, by which the reader is told to verify.
    pub witnesses: Option<&'a TrustPolicy>,
    /// What parties revealed of the bundles that they got: opens the entries of those copies.
    pub revealed: &'a [RevealedBundle],
    /// Requests that parties signed.
    pub requests: &'a [SignedRequest],
    /// Leaves closed what was opened in the vault: what opens that entry are tickets of the stored record.
    pub without_tickets: bool,
    /// Adds the field keys of what is opened, so that the reader sees the values. Whoever gets such a key opens that part of every
    /// record and copy of its epoch of which he has a ticket.
    pub reveal_plaintext: bool,
}

/// A ledger as published, with its key and the checkpoint that proofs are under.
pub(super) struct Log {
    pub(super) key: VerifierKey,
    pub(super) published: Published,
    checkpoint: SignedCheckpoint,
}

impl Vault {
    /// Writes evidence of an order into a new folder: each entry that the ledgers have of it with its proof, what opens its handles
    /// and commitments, parties, grants, policies and requests, and a README. [`Evidence`] verifies it. `order` is its number.
    ///
    /// Opens nothing of the order, and gives away what is needed to check an entry: the tickets of what was disclosed. With the
    /// field keys, which stay here, these open those parts; so give the folder to whom it is meant for. An update or [`Vault::reseal`]
    /// afterwards makes tickets of the stored record useless for the newer one.
    ///
    /// # Errors
    /// `NotFound`, `Shredded` where the evidence was destroyed; `Exists` for a folder that is there; `Input` for an alias in place of
    /// the number; `Damaged`, `CannotOpen` or `NotPermitted` for a published ledger that is not this vault's, is incomplete, or has too
    /// few cosignatures; `RolledBack` for one that lacks entries of the order; `Storage`.
    pub fn prove(&self, order: &str, sources: &EvidenceSources<'_>, to: &Path) -> Result<Proven> {
        self.registry_that_signs()?;
        let (registry, known) = self.order_for_evidence(order)?;
        let mut writer = Writer::new(to)?;
        let material = self.material(&registry, &known, order, sources.reveal_plaintext)?;
        let temporary = writer.root().join("log");
        let logs = self.logs_for_evidence(&registry, sources, &temporary)?;
        write_entries(&mut writer, &material, &logs)?;
        write_openings(&mut writer, &registry, &known, &material, sources)?;
        let missing_requests = write_requests(&mut writer, &material, sources.requests)?;
        writer.add(ENTRIES, material.in_words()?.as_bytes())?;
        if sources.log.is_none() {
            fs::remove_dir_all(&temporary).map_err(|_| cannot_write())?;
        }
        let plaintext = sources.reveal_plaintext;
        let statement = Statement { missing_requests, plaintext, ..statement(&registry, Kind::Prove, &logs) };
        finish(writer, &registry, (&statement, &material), &logs, sources.witnesses)
    }

    /// The order by its number: what is proven names it.
    pub(super) fn order_for_evidence(&self, order: &str) -> Result<(std::sync::Arc<Registry>, KnownOrder)> {
        let (registry, known) = self.known_order(order)?;
        if known.found.by_number {
            return Ok((registry, known));
        }
        Err(Error::input("order", "evidence is of an order by its number, not by an alias"))
    }

    /// The order's entries, and those that they need.
    fn material(&self, registry: &Registry, known: &KnownOrder, order: &str, all: bool) -> Result<Material> {
        let found = self.order_entries(registry, &known.handle_key)?.entries;
        let (mut ids, mut digests, mut queries) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (entry, whose) in found.values() {
            digests.insert(entry.policy);
            match whose {
                HandleOf::Vault => {}
                HandleOf::Party(id) => drop(ids.insert(*id)),
                HandleOf::Query(id) => {
                    ids.insert(*id);
                    queries.insert(entry.handle);
                }
            }
        }
        let parties = parties(registry, |party| ids.contains(party));
        let known_policies = registry.policies.iter().map(|accepted| &*accepted.policy);
        let policies = known_policies.filter(|policy| all || digests.contains(&policy.digest()));
        let policies = policies.map(|policy| (policy.digest(), policy.clone())).collect();
        // A search that found the order is among its entries, and names its query.
        let query_of = |entry: &Entry| Some(known.handle_key.handle(entry.detail.first_chunk()?));
        let mut entries: BTreeMap<EntryPlace, Entry> = BTreeMap::new();
        for (place, (entry, _)) in found {
            if entry.kind == EntryKind::Search {
                query_of(&entry).map(|handle| queries.remove(&handle));
            }
            entries.insert(place, entry);
        }
        self.ledger().scan_all(|place, entry| {
            let is_needed = match entry.kind {
                EntryKind::Epoch => all,
                EntryKind::Policy => digests.contains(&entry.policy),
                EntryKind::Party | EntryKind::Grant | EntryKind::Revoke => parties.contains_key(&entry.party),
                EntryKind::Search => query_of(&entry).is_some_and(|handle| queries.remove(&handle)),
                _ => false,
            };
            if is_needed {
                entries.entry(place).or_insert(entry);
            }
        })?;
        let (vault, record_id, order_no) = (registry.vault, known.record_id, order.to_owned());
        let handle_key = crate::keys::HandleKey::new(Secret::new(*known.handle_key.expose()));
        Ok(Material { vault, order_no, record_id, handle_key, parties, policies, entries })
    }

    /// The vault's ledgers as published; verified to be its own and whole.
    pub(super) fn logs_for_evidence(
        &self,
        registry: &Registry,
        sources: &EvidenceSources<'_>,
        otherwise: &Path,
    ) -> Result<BTreeMap<u32, Log>> {
        let folder = match sources.log {
            Some(folder) => folder,
            None => {
                self.publish(otherwise)?;
                otherwise
            }
        };
        let mut logs = BTreeMap::new();
        for (number, _) in self.ledger().numbered() {
            let key = registry.checkpoint_key(number)?.public().clone();
            let published = Published::ledger(folder, number);
            if !published.is_there() {
                let message = format!("ledger {number} of the vault is not published there");
                return Err(Error::new(ErrorKind::NotFound, message).with_hint("ledger publish adds it"));
            }
            if sources.log.is_some() {
                published.verify(&TrustPolicy::log_only(key.clone()), |_, _, _| Ok(()))?;
            }
            let checkpoint = witnessed(&published, &key, sources.witnesses)?;
            logs.insert(number, Log { key, published, checkpoint });
        }
        Ok(logs)
    }
}

/// The newest checkpoint; where witnesses are asked for, the newest that their quorum has cosigned.
fn witnessed(
    published: &Published,
    key: &VerifierKey,
    witnesses: Option<&TrustPolicy>,
) -> Result<SignedCheckpoint> {
    let newest = published.checkpoint()?;
    let Some(trust) = witnesses.map(|policy| policy.for_log(key.clone())) else { return Ok(newest) };
    let Err(too_few) = trust.check(&newest) else { return Ok(newest) };
    match published.cosigned()? {
        Some(earlier) if trust.check(&earlier).is_ok() => Ok(earlier),
        _ => {
            Err(too_few
                .with_hint("let the witnesses cosign the published checkpoint, and add what they sign"))
        }
    }
}

/// Each key id of the parties of whom one is wanted, with what opens it.
pub(super) fn parties(
    registry: &Registry,
    is_wanted: impl Fn(&[u8; 16]) -> bool,
) -> BTreeMap<[u8; 16], PartyJson> {
    let wanted = |number| {
        let its = registry.party_openings().filter(move |opening| opening.party.number == number);
        its.map(|opening| opening.key_id()).any(|id| is_wanted(&id))
    };
    let numbers: BTreeSet<u32> =
        registry.parties.iter().map(|party| party.number).filter(|number| wanted(*number)).collect();
    let openings = registry.party_openings().filter(|opening| numbers.contains(&opening.party.number));
    openings.map(|opening| (opening.key_id(), PartyJson::of(&opening))).collect()
}

pub(super) fn statement(registry: &Registry, kind: Kind, logs: &BTreeMap<u32, Log>) -> Statement {
    let ledger = |(number, log): (&u32, &Log)| {
        let checkpoint = log.checkpoint.checkpoint();
        let (origin, root) = (checkpoint.origin.clone(), digits(&checkpoint.root));
        LedgerJson { ledger: *number, origin, size: checkpoint.size, root }
    };
    Statement {
        format: FORMAT.to_owned(),
        version: VERSION,
        kind,
        vault: digits(&registry.vault.0),
        made: now(),
        ledgers: logs.iter().map(ledger).collect(),
        clear: None,
        plaintext: false,
        missing_requests: Vec::new(),
    }
}

fn write_entries(writer: &mut Writer, material: &Material, logs: &BTreeMap<u32, Log>) -> Result<()> {
    let provers =
        logs.iter().map(|(number, log)| (*number, log.published.prover_under(log.checkpoint.clone())));
    let provers: BTreeMap<u32, _> = provers.collect();
    for (place, entry) in &material.entries {
        let prover = provers.get(&place.ledger).filter(|prover| place.index < prover.size());
        let bytes = entry.encode()?;
        let proof = prover.ok_or_else(|| behind(*place))?.prove(place.index)?;
        proof.check_entry(&bytes)?;
        writer.add(&format!("entries/{}.entry", name_of(*place)), &bytes)?;
        writer.add(&format!("entries/{}.tlog-proof", name_of(*place)), proof.to_string().as_bytes())?;
    }
    Ok(())
}

fn behind(place: EntryPlace) -> Error {
    let message = format!("entry {place} is of the order, and behind the checkpoint");
    Error::new(ErrorKind::RolledBack, message)
        .with_hint("publish the ledger again, and where witnesses are asked for let them cosign it")
}

pub(super) fn name_of(place: EntryPlace) -> String {
    format!("{}-{}", place.ledger, place.index)
}

fn write_openings(
    writer: &mut Writer,
    registry: &Registry,
    known: &KnownOrder,
    material: &Material,
    sources: &EvidenceSources<'_>,
) -> Result<()> {
    let stored = known.found.newest().ok();
    let mut records = BTreeSet::new();
    let mut add_record = |writer: &mut Writer, sealed: &[u8]| {
        let name = format!("{}.record", digits(&digest(sealed)));
        if records.insert(name.clone()) {
            writer.add(&format!("records/{name}"), sealed)?;
        }
        Ok::<_, Error>(name)
    };
    let keys = |record: &[u8], parts: &[PartId]| match sources.reveal_plaintext {
        true => plaintext::field_keys(registry, record, parts.iter().copied()),
        false => Ok(Vec::new()),
    };
    for (place, about) in material.about()? {
        let Some(entry) = material.entries.get(&place).filter(|_| about != About::Context) else { continue };
        let no = |why: &str| OpeningJson::No { why: why.to_owned() };
        let name = name_of(place);
        let opening = match (entry.kind, about) {
            (EntryKind::Put | EntryKind::Update | EntryKind::Reseal, _) => match &stored {
                Some(stored) if entry.commitments.first() == Some(&commit_record(stored.record)) => {
                    OpeningJson::Record { record: add_record(writer, stored.record)? }
                }
                _ => no(
                    "the record of this revision is not there any more: the order was changed, sealed anew or shredded",
                ),
            },
            (EntryKind::Disclosure, About::Party(id)) if entry.detail.first() == Some(&1) => {
                match copy_of(entry, id, place, material, sources.revealed)? {
                    Some((lines, json, record)) => {
                        writer.add(&format!("revealed/{name}.json"), json.as_bytes())?;
                        let field_keys = keys(&record, &entry.parts)?;
                        OpeningJson::Copy { lines, revealed: format!("{name}.json"), field_keys }
                    }
                    None => no(
                        "a copy left the house: only the party has it, and nobody gave what it revealed of it",
                    ),
                }
            }
            (EntryKind::Disclosure, About::Party(_)) if sources.without_tickets => {
                no("it was opened in the vault; the tickets of the stored record were left in the vault")
            }
            (EntryKind::Disclosure, About::Party(id)) => {
                let opened = stored.as_ref().map(|stored| disclosed(registry, stored, entry, id, material));
                match opened.transpose()?.flatten() {
                    Some((lines, parts)) => {
                        let record = stored.map(|stored| stored.record).unwrap_or_default();
                        let field_keys = keys(record, &entry.parts)?;
                        OpeningJson::Disclosure {
                            lines,
                            record: add_record(writer, record)?,
                            parts,
                            field_keys,
                        }
                    }
                    None => no(
                        "the record that was opened is not there any more: the order was changed, sealed anew or shredded",
                    ),
                }
            }
            (EntryKind::Disclosure, _) => no(
                "the vault opened the order for itself; it is left closed so that no further ticket leaves the house",
            ),
            (EntryKind::Shred, _) => no("the reason of the shredding is left closed"),
            _ => no("it commits to nothing more than the entry says"),
        };
        writer.add_json(&format!("openings/{name}.json"), &opening)?;
    }
    Ok(())
}

pub(super) fn commit_record(sealed: &[u8]) -> [u8; 32] {
    commit("consignee/v1/commit/record", &[sealed])
}

/// What the entry of an opening in the vault commits to, if the record that was opened is still the stored one.
fn disclosed(
    registry: &Registry,
    stored: &crate::opener::StoredOrder<'_>,
    entry: &Entry,
    id: [u8; 16],
    material: &Material,
) -> Result<Option<(String, Vec<PartJson>)>> {
    let record = Record::parse(stored.record)?;
    let Ok((secret, _)) = unlock(registry, &record, stored.secret) else { return Ok(None) };
    let mut secrets = Vec::new();
    secret.ticket_parts(record.header.record_id, entry.parts.iter().copied(), &mut secrets);
    let tickets: Vec<(PartId, Secret<32>)> = entry.parts.iter().copied().zip(secrets).collect();
    let own_lines = material.parties.get(&id).and_then(|party| party.lines.as_deref());
    for lines in [Some(""), own_lines].into_iter().flatten() {
        let found = commitment_of_parts(id, lines, stored.record, &tickets);
        if found.is_ok_and(|found| entry.commitments == [found]) {
            let part = |(part, t): (PartId, _)| PartJson { part: part.get(), t: SecretText(t) };
            return Ok(Some((lines.to_owned(), tickets.into_iter().map(part).collect())));
        }
    }
    Ok(None)
}

/// Of what the parties revealed, the copy of this entry.
fn copy_of(
    entry: &Entry,
    id: [u8; 16],
    place: EntryPlace,
    material: &Material,
    revealed: &[RevealedBundle],
) -> Result<Option<(String, String, Vec<u8>)>> {
    let own_lines = material.parties.get(&id).and_then(|party| party.lines.as_deref());
    for bundle in
        revealed.iter().filter(|bundle| *bundle.party() == id && *bundle.vault() == material.vault.0)
    {
        for copy in bundle.copies().iter().filter(|copy| copy.place() == place) {
            for lines in [Some(""), own_lines].into_iter().flatten() {
                if entry.commitments == [bundle.commitment(copy, lines)?] {
                    return Ok(Some((lines.to_owned(), bundle.json_of(copy)?, copy.record().to_vec())));
                }
            }
        }
    }
    Ok(None)
}

/// Writes the requests that entries name; gives the hashes of those that are not given.
fn write_requests(
    writer: &mut Writer,
    material: &Material,
    requests: &[SignedRequest],
) -> Result<Vec<String>> {
    let named: BTreeSet<[u8; 32]> =
        material.entries.values().map(|entry| entry.request).filter(|hash| *hash != [0; 32]).collect();
    let mut missing = Vec::new();
    for hash in named {
        match requests.iter().find(|request| request.hash() == hash) {
            Some(request) => {
                writer.add(&format!("requests/{}.request", digits(&hash)), request.as_bytes())?;
            }
            None => missing.push(digits(&hash)),
        }
    }
    Ok(missing)
}

/// Writes what every folder has, signs it, and verifies it as its reader will.
pub(super) fn finish(
    mut writer: Writer,
    registry: &Registry,
    (statement, material): (&Statement, &Material),
    logs: &BTreeMap<u32, Log>,
    witnesses: Option<&TrustPolicy>,
) -> Result<Proven> {
    let order = OrderJson::of(&material.order_no, material.record_id, &material.handle_key);
    writer.add_json(ORDER, &order)?;
    for (id, party) in &material.parties {
        writer.add_json(&format!("parties/{}.json", digits(id)), party)?;
    }
    for (digest, policy) in &material.policies {
        writer.add(&format!("policies/{}.policy", digits(digest)), policy.canonical())?;
    }
    let mut trusted = Vec::new();
    for (number, log) in logs {
        let only = || TrustPolicy::log_only(log.key.clone());
        let trust = witnesses.map_or_else(only, |policy| policy.for_log(log.key.clone()));
        writer.add(&format!("trust/{number}.policy"), trust.to_string().as_bytes())?;
        trusted.push(trust);
    }
    writer.add_json(STATEMENT, statement)?;
    writer.add(README, readme::text(statement, &material.order_no).as_bytes())?;
    writer.seal(&registry.checkpoint_key(registry.ledger_number())?)?;
    let proven = Evidence::open(writer.root())?.verify(&trusted)?;
    writer.keep();
    Ok(proven)
}
