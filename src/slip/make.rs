//! Making a slip.

use std::{cell::RefCell, collections::HashMap, path::Path};

use super::{PutEntry, Slip, WitnessSignature};
use crate::{
    error::{Error, ErrorKind, Result},
    handles::KnownOrder,
    ledger::{Entry, EntryPlace, LedgerState},
    publish::Published,
    registry::Registry,
    store::LedgerStore,
    tlog::{Hash, Hashes, Proof, SignedCheckpoint, TrustPolicy, inclusion_proof, leaf_hash, node_hash},
    vault::Vault,
};

/// Entries read at a time.
const PAGE: usize = 4096;

impl Vault {
    /// The slip of an order, for its shopper. `log` is the folder into which the vault is published: the proof costs a few reads of
    /// tiles there, under the newest checkpoint that has the entry and that `trust` takes. Without it the whole ledger is hashed, and
    /// signed by the vault alone. Of the witnesses whose quorum `trust` asks for, those are taken that fit.
    ///
    /// Makes no entry: a slip shows nothing of what the order says, and whoever holds the vault could compute all that it shows.
    ///
    /// # Errors
    /// `NotFound` for an order that is not there, or whose put is not published yet; `Input` where it is called by an alias, as the slip
    /// has its number; `Shredded` where the evidence was destroyed; `NotPermitted` for too few witnesses; `Limit` where even the fewest
    /// of them do not fit into 2,048 bytes; `CannotOpen`, `Damaged`, `RootKey`, `Storage`.
    pub fn slip(&self, order: &str, log: Option<&Path>, trust: Option<&TrustPolicy>) -> Result<Slip> {
        self.ledger_key(1)?; // makes the keys that sign, if there are none yet
        let (registry, KnownOrder { record_id, handle_key, found }) = self.known_order(order)?;
        if !found.by_number {
            return Err(Error::input("order", "a slip names its order by the number: an alias does not do"));
        }
        let (place, entry) = self.put_entry(&registry, &handle_key)?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the ledger has no entry that put this order")
                .with_hint("run doctor")
        })?;
        let key = registry.checkpoint_key(place.ledger)?.public().clone();
        let trust = match trust {
            Some(policy) => policy.of_log(key.clone())?,
            None => TrustPolicy::log_only(key.clone()),
        };
        let proof = match log {
            Some(folder) => published_proof(&Published::ledger(folder, place.ledger), place.index, &trust)?,
            None => self.own_proof(&registry, place)?,
        };
        let signed = &proof.checkpoint;
        trust.check(signed)?;
        let log_signature = signed.note().bytes_by(&key).and_then(|bytes| bytes.try_into().ok());
        let slip = Slip {
            vault: registry.vault,
            name: registry.ledgers_name(),
            ledger: place.ledger,
            log_key: key.public(),
            handle_key,
            record_id,
            order_no: order.to_owned().into(),
            put: PutEntry::of(&entry)?,
            index: place.index,
            size: signed.checkpoint().size,
            proof: proof.hashes.clone(),
            log_signature: log_signature.ok_or_else(not_as_put)?,
            threshold: 0,
            witnesses: Vec::new(),
        };
        if slip.put_entry() != entry || slip.root()? != signed.checkpoint().root {
            return Err(not_as_put());
        }
        let slip = slip.with_witnesses(signed, &trust)?;
        slip.verify()?;
        Ok(slip)
    }

    /// A proof from the ledger's own entries, under a checkpoint that is made for it.
    fn own_proof(&self, registry: &Registry, place: EntryPlace) -> Result<Proof> {
        let numbered = self.ledger().numbered().find(|(ledger, _)| *ledger == place.ledger);
        let (_, store) = numbered.ok_or_else(not_as_put)?;
        let state = LedgerState::from(&store.head()?);
        let size = state.size;
        let key = registry.checkpoint_key(place.ledger)?;
        let checkpoint = state.checkpoint(&key).sign(&key);
        let wanted = Wanted::default();
        inclusion_proof(&wanted, place.index, size)?;
        let hashes = inclusion_proof(&hash(store, size, wanted)?, place.index, size)?;
        Ok(Proof { extra: Vec::new(), index: place.index, hashes, checkpoint })
    }
}

/// The proof under the newest checkpoint that has the entry and that is trusted: the newest of all, or the newest that was cosigned.
fn published_proof(log: &Published, index: u64, trust: &TrustPolicy) -> Result<Proof> {
    let newest = log.checkpoint()?;
    let not_yet = || {
        Error::new(ErrorKind::NotFound, "the order's put is not in the published log yet")
            .with_hint("ledger publish publishes it")
    };
    if newest.checkpoint().size <= index {
        return Err(not_yet());
    }
    let checkpoint = match trust.check(&newest) {
        Err(e) if *e.kind() == ErrorKind::NotPermitted => {
            let has_it = |earlier: &SignedCheckpoint| earlier.checkpoint().size > index;
            let earlier = log.cosigned()?.filter(has_it);
            earlier
                .ok_or_else(|| e.with_hint("let the witnesses cosign what is published, and repeat this"))?
        }
        checked => checked.map(|_| newest)?,
    };
    log.prover_under(checkpoint).prove(index)
}

/// The subtrees that a proof needs, with their hashes once these are known.
#[derive(Default)]
struct Wanted(RefCell<HashMap<(u32, u64), Hash>>);

impl Hashes for Wanted {
    fn hash(&self, level: u32, index: u64) -> Result<Hash> {
        Ok(*self.0.borrow_mut().entry((level, index)).or_insert([0; 32]))
    }
}

/// Hashes the first `size` entries for what is wanted of them: their memory does not grow with the ledger.
fn hash(store: &dyn LedgerStore, size: u64, wanted: Wanted) -> Result<Wanted> {
    let mut found = wanted.0.into_inner();
    // The complete subtree of each level that waits for its right sibling.
    let mut left: Vec<Option<Hash>> = Vec::new();
    let mut next = 0;
    while next < size {
        let rows = store.entries(next, PAGE.min(usize::try_from(size - next).unwrap_or(PAGE)))?;
        if rows.is_empty() {
            return Err(Error::new(ErrorKind::Damaged, format!("entry {next} of the ledger is missing")));
        }
        for row in rows {
            let mut hash = leaf_hash(&row.bytes);
            for level in 0u32.. {
                if let Some(wanted) = found.get_mut(&(level, next >> level)) {
                    *wanted = hash;
                }
                let at = usize::try_from(level).unwrap_or(0);
                if left.len() == at {
                    left.push(None);
                }
                let Some(waiting) = left.get_mut(at) else { break };
                match waiting.take() {
                    Some(sibling) => hash = node_hash(&sibling, &hash),
                    None => {
                        *waiting = Some(hash);
                        break;
                    }
                }
            }
            next += 1;
        }
    }
    Ok(Wanted(RefCell::new(found)))
}

impl PutEntry {
    fn of(entry: &Entry) -> Result<Self> {
        let [record, os, _] = *entry.commitments.as_slice() else { return Err(not_as_put()) };
        let Entry { time, revision, policy, ref parts, .. } = *entry;
        Ok(Self { time, revision, policy, parts: parts.clone(), record, os })
    }
}

impl Slip {
    /// Takes the signatures of the quorum's witnesses, without as many as must go for the text to fit.
    pub(super) fn with_witnesses(mut self, signed: &SignedCheckpoint, trust: &TrustPolicy) -> Result<Self> {
        let (threshold, keys) = match trust.flat_quorum() {
            Some((threshold, keys)) => (threshold, keys),
            // Groups of groups: all that are taken must have signed.
            None => (usize::MAX, trust.witnesses().map(|(_, key)| key).collect()),
        };
        for key in keys {
            let Some(bytes) = signed.note().bytes_by(key) else { continue };
            let Some((time, signature)) = bytes.split_first_chunk() else { continue };
            let signature: [u8; 64] = signature.try_into().map_err(|_| not_as_put())?;
            let time = u64::from_be_bytes(*time);
            self.witnesses.push(WitnessSignature {
                name: key.name().to_owned(),
                public: key.public(),
                time,
                signature,
            });
        }
        if !trust.asks_for_witnesses() {
            self.witnesses.clear();
        }
        while self.to_text().len() > Self::LONGEST {
            let all = self.witnesses.clone();
            let without = |at: usize| {
                let mut fewer = all.clone();
                fewer.remove(at);
                fewer
            };
            let is_enough = |fewer: &Vec<WitnessSignature>| self.vouched_by(fewer, trust).is_ok();
            let fewer = (0..all.len()).rev().map(without).find(is_enough);
            self.witnesses = fewer.ok_or_else(|| {
                Error::new(ErrorKind::Limit, "a slip has at most 2,048 bytes, and this one would have more")
                    .with_hint("name fewer witnesses, or such with shorter names")
            })?;
        }
        self.threshold = u8::try_from(threshold.min(self.witnesses.len())).unwrap_or(u8::MAX);
        Ok(self)
    }

    /// Whether the policy would take the slip's checkpoint with these signatures alone.
    fn vouched_by(&self, witnesses: &[WitnessSignature], trust: &TrustPolicy) -> Result<()> {
        trust.check(&self.checkpoint_signed_by(witnesses)?).map(drop)
    }
}

fn not_as_put() -> Error {
    Error::new(ErrorKind::Damaged, "the order's put entry is not what its keys and the ledger give")
        .with_hint("run doctor")
}
