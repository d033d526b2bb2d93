//! A shop's answer to a shopper: the order's entries with their proofs, in a folder. It shows nothing of other orders, and nothing of
//! what it leaves out.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::Path,
};

use super::{
    Slip, SlipAnswer, SlipLedger,
    openings::{NameOpening, files, read},
    read::note_commitment,
};
use crate::{
    error::{Error, ErrorKind, Result},
    handles::{HandleOf, Handles, OrderEntries, find_entries},
    ledger::{Entry, EntryKind, EntryPlace},
    publish::Published,
    text::hex,
    tlog::{Proof, TrustPolicy, WitnessRequest, is_consistent, leaf_hash},
    vault::Vault,
};

/// A shop's answer to the shopper of one order: the entries, each with its proof, and what opens them. Files below one folder.
///
/// It shows no completeness: the shop may have left entries out.
pub struct Answer {
    files: BTreeMap<String, Vec<u8>>,
    /// Number of the order's entries in it.
    pub entries: usize,
}

impl Answer {
    /// Writes it into a folder, which must not be there yet.
    ///
    /// # Errors
    /// `Exists`, `Storage`.
    pub fn write(&self, folder: &Path) -> Result<()> {
        if folder.exists() {
            return Err(Error::new(ErrorKind::Exists, "the folder for the answer is there already"));
        }
        let written = self.files.iter().try_for_each(|(name, bytes)| {
            let path = folder.join(name);
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(path, bytes)
        });
        written.map_err(|_| Error::new(ErrorKind::Storage, "the answer cannot be written"))
    }
}

impl Vault {
    /// The answer to an order's shopper, with proofs from the ledgers published in the folder `log`. Of parties it has the roles; with
    /// `with_names` also the names, which may be persons'. `since` is the size that the shopper's slip states ([`Slip::size`]): with it
    /// the answer proves that the ledger continues the slip's.
    ///
    /// Leaves out that the vault compared the order for a search that did not find it: nobody learnt anything by that. Makes no entry.
    ///
    /// # Errors
    /// As for [`Vault::who_saw`]; `NotFound` where an entry is not published yet; `Input` for a `since` that the ledger does not have.
    pub fn answer(&self, order: &str, log: &Path, with_names: bool, since: Option<u64>) -> Result<Answer> {
        let (registry, known) = self.known_order(order)?;
        let OrderEntries { entries, .. } = self.order_entries(&registry, &known.handle_key)?;
        let put = self.put_entry(&registry, &known.handle_key)?.map(|(place, _)| place);
        let mut hits = Handles::outside(registry.own_key_id(), &known.handle_key);
        let searches = entries.values().filter(|(entry, _)| entry.kind == EntryKind::Search);
        searches.for_each(|(entry, _)| hits.add_query(entry));
        let is_told = |(entry, whose): &(Entry, HandleOf)| {
            !matches!(whose, HandleOf::Query(_)) || hits.whose(entry).is_some()
        };
        let told: BTreeMap<_, _> = entries.into_iter().filter(|(_, entry)| is_told(entry)).collect();
        let ids: BTreeSet<_> = told.values().map(|(entry, _)| entry.party).collect();
        let mut all: BTreeMap<EntryPlace, Entry> = BTreeMap::new();
        self.ledger().scan_all(|place, entry| {
            if entry.kind == EntryKind::Party && ids.contains(&entry.party) {
                all.insert(place, entry);
            }
        })?;
        let count = told.len();
        all.extend(told.into_iter().map(|(place, (entry, _))| (place, entry)));

        let mut files = BTreeMap::new();
        let unpublished = |e: Error| e.with_hint("ledger publish publishes what the answer needs");
        let published: BTreeMap<u32, Published> =
            all.keys().map(|place| (place.ledger, Published::ledger(log, place.ledger))).collect();
        let provers = published.iter().map(|(number, log)| Ok((*number, log.prover()?)));
        let provers = provers.collect::<Result<BTreeMap<_, _>>>().map_err(unpublished)?;
        for (place, entry) in &all {
            let bytes = entry.encode()?;
            let Some(prover) = provers.get(&place.ledger) else { continue };
            let proof = prover.prove(place.index).map_err(unpublished)?;
            proof.check_entry(&bytes)?;
            let name = format!("entries/{}-{:010}", place.ledger, place.index);
            files.insert(format!("{name}.tlog-proof"), proof.to_string().into_bytes());
            files.insert(format!("{name}.entry"), bytes);
        }
        if let (Some(size), Some(place)) = (since, put) {
            let request = Published::ledger(log, place.ledger).request(size)?;
            files.insert(format!("consistency/{}", place.ledger), request.to_string().into_bytes());
        }
        if with_names {
            for opening in registry.party_openings().filter(|opening| ids.contains(&opening.key_id())) {
                let json = serde_json::to_vec_pretty(&NameOpening::of(&opening))
                    .map_err(|_| Error::new(ErrorKind::Damaged, "a party's name cannot be written"))?;
                files.insert(format!("parties/{}.json", hex(&opening.key_id())), json);
            }
        }
        let digests: BTreeSet<_> = all.values().map(|entry| entry.policy).collect();
        for accepted in
            registry.policies.iter().filter(|accepted| digests.contains(&accepted.policy.digest()))
        {
            let name = format!("policies/{}", hex(&accepted.policy.digest()));
            files.insert(name, accepted.policy.canonical().to_vec());
        }
        Ok(Answer { files, entries: count })
    }
}

impl Slip {
    pub(super) fn in_answer(&self, folder: &Path, trust: Option<&TrustPolicy>) -> Result<SlipAnswer> {
        let mut ledgers: BTreeMap<u32, SlipLedger> = BTreeMap::new();
        let (mut entries, mut committed) = (BTreeMap::new(), HashMap::new());
        for (file, bytes) in files(&folder.join("entries"))? {
            let Some(name) = file.strip_suffix(".entry") else { continue };
            let at_fault = |e: Error| Error::new(e.kind().clone(), format!("entries/{name}: {e}"));
            let place = place(name)
                .ok_or_else(|| at_fault(Error::new(ErrorKind::Damaged, "it is not named LEDGER-INDEX")))?;
            let proof = read(&folder.join("entries").join(format!("{name}.tlog-proof"))).map_err(at_fault)?;
            let proof = Proof::parse(&proof).map_err(at_fault)?;
            self.check_proof(&proof, place, &bytes, trust, &mut ledgers).map_err(at_fault)?;
            let entry = Entry::decode(&bytes).map_err(at_fault)?;
            note_commitment(&entry, &mut committed);
            entries.insert(place, entry);
        }
        let scan = |visit: &mut dyn FnMut(EntryPlace, &Entry)| {
            entries.iter().for_each(|(place, entry)| visit(*place, entry));
            Ok(())
        };
        let found = find_entries(|| Handles::outside(self.own_key_id(), &self.handle_key), scan)?;
        let is_foreign = |(place, entry): &(&EntryPlace, &Entry)| {
            entry.kind != EntryKind::Party && !found.entries.contains_key(place)
        };
        if let Some((place, _)) = entries.iter().find(is_foreign) {
            return Err(Error::new(
                ErrorKind::Damaged,
                format!("entry {place} of the answer is not of this order"),
            ));
        }
        let continues = self.check_consistency(folder, &ledgers)?;
        self.answer_of(folder, found, ledgers.into_values().collect(), &committed, (false, continues))
    }

    /// The proof of one entry. All of a ledger are under one checkpoint, so that they cannot be of two histories.
    fn check_proof(
        &self,
        proof: &Proof,
        place: EntryPlace,
        entry: &[u8],
        trust: Option<&TrustPolicy>,
        ledgers: &mut BTreeMap<u32, SlipLedger>,
    ) -> Result<()> {
        let damaged = |message| Err(Error::new(ErrorKind::Damaged, message));
        let vouched = proof.verify(entry, &self.trust_in(place.ledger, trust)?)?;
        if proof.index != place.index {
            return damaged("the proof is of another index");
        }
        if place == self.place() && leaf_hash(entry) != leaf_hash(&self.put_entry().encode()?) {
            return Err(self.other_history());
        }
        let checkpoint = proof.checkpoint.checkpoint().clone();
        let witnessed = if vouched.is_witnessed { checkpoint.size } else { 0 };
        let ledger = place.ledger;
        let known = ledgers.entry(ledger).or_insert_with(|| SlipLedger {
            ledger,
            checkpoint: checkpoint.clone(),
            vouched,
            witnessed,
            backdated: Vec::new(),
        });
        if known.checkpoint != checkpoint {
            return damaged("the proof is under another checkpoint than those before it");
        }
        Ok(())
    }

    /// Whether the answer proves that its ledger continues the slip's.
    fn check_consistency(&self, folder: &Path, ledgers: &BTreeMap<u32, SlipLedger>) -> Result<bool> {
        let Some(SlipLedger { checkpoint, .. }) = ledgers.get(&self.ledger) else { return Ok(false) };
        if checkpoint.size < self.size {
            return Err(self.shorter(checkpoint.size));
        }
        let root = self.root()?;
        if checkpoint.size == self.size {
            return if checkpoint.root == root { Ok(true) } else { Err(self.other_history()) };
        }
        let bytes = match read(&folder.join("consistency").join(self.ledger.to_string())) {
            Err(e) if *e.kind() == ErrorKind::NotFound => return Ok(false),
            bytes => bytes?,
        };
        let request = WitnessRequest::parse(&bytes)?;
        let is_continued =
            is_consistent(&request.proof, (self.size, &root), (checkpoint.size, &checkpoint.root));
        // The proof is of the slip's size or of none: one for another slip says nothing of this one.
        if request.old != self.size || request.checkpoint.checkpoint() != checkpoint {
            return Ok(false);
        }
        if is_continued { Ok(true) } else { Err(self.other_history()) }
    }
}

/// Ledger and index by the name of a file.
fn place(name: &str) -> Option<EntryPlace> {
    let (ledger, index) = name.split_once('-')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(ledger) && digits(index)).then_some(())?;
    Some(EntryPlace { ledger: ledger.parse().ok().filter(|number| *number > 0)?, index: index.parse().ok()? })
}
