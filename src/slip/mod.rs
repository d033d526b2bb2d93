//! The shopper's slip: with it the shopper finds and verifies every disclosure of the one order later, without the shop's keys.

mod answer;
mod format;
mod make;
mod openings;
mod read;
#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use read::{SlipAnswer, SlipLedger};
use zeroize::Zeroizing;

use crate::{
    error::{Error, ErrorKind, Result},
    keys::{HandleKey, RecordId, VAULT_PARTY, VaultId, party_key_id},
    ledger::{Entry, EntryKind, EntryPlace},
    tlog::{
        Checkpoint, Hash, SignedCheckpoint, TrustPolicy, VerifierKey, Vouched, leaf_hash, root_through,
        to_base64,
    },
};

/// What a shopper is given at checkout: the order's handle key and number, its put entry, the proof that it is in the ledger, and whom
/// to trust.
///
/// **A secret of the shopper.** Whoever holds it and the published entries sees which roles opened the order, when and why; nothing of
/// what the order says, and nothing of other orders. Wiped on drop.
///
/// It is one line of text, at most [`Slip::LONGEST`] bytes. Nothing is in it twice: the put entry is made again from the handle key,
/// the root from entry and proof, and the signatures are over the checkpoint that this gives. So whatever is altered, they do not fit.
pub struct Slip {
    vault: VaultId,
    /// Name of the vault's ledgers in the world.
    name: String,
    ledger: u32,
    log_key: [u8; 32],
    handle_key: HandleKey,
    record_id: RecordId,
    order_no: Zeroizing<String>,
    put: PutEntry,
    index: u64,
    size: u64,
    proof: Vec<Hash>,
    log_signature: [u8; 64],
    /// How many of the witnesses must have cosigned; 0 where there are none.
    threshold: u8,
    witnesses: Vec<WitnessSignature>,
}

/// What a put entry says beside what the slip's other fields give.
struct PutEntry {
    time: u64,
    revision: u32,
    policy: [u8; 32],
    parts: Vec<consignee_policy::PartId>,
    record: [u8; 32],
    os: [u8; 32],
}

/// A witness, and its signature of the slip's checkpoint.
#[derive(Clone)]
struct WitnessSignature {
    name: String,
    public: [u8; 32],
    time: u64,
    signature: [u8; 64],
}

impl Slip {
    /// Most bytes of its text, with the newline at its end.
    pub const LONGEST: usize = 2048;

    /// The order's number.
    pub fn order_no(&self) -> &str {
        &self.order_no
    }

    /// The order, as the shop's stores know it.
    pub fn record_id(&self) -> RecordId {
        self.record_id
    }

    /// When the order was put, by its entry; seconds since 1970.
    pub fn put_at(&self) -> u64 {
        self.put.time
    }

    /// Where its put entry stands.
    pub fn place(&self) -> EntryPlace {
        EntryPlace { ledger: self.ledger, index: self.index }
    }

    /// Number of entries that the ledger had when the slip was made.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Public key of the vault's ledger of this number: one key for all, under the name of each.
    ///
    /// # Errors
    /// `Input` where the slip has a name or key that is none.
    pub fn log_key(&self, ledger: u32) -> Result<VerifierKey> {
        VerifierKey::of_log(&format!("{}/{ledger}", self.name), self.log_key)
    }

    /// Whom the slip trusts: the ledger of this number, and the witnesses that cosigned the slip's checkpoint.
    ///
    /// # Errors
    /// `Damaged` or `Input` where the slip has names or keys that are none.
    pub fn trust(&self, ledger: u32) -> Result<TrustPolicy> {
        let log = self.log_key(ledger)?;
        if self.witnesses.is_empty() {
            return Ok(TrustPolicy::log_only(log));
        }
        let (mut lines, mut names) = (format!("log {log}\n"), String::new());
        for (witness, at) in self.witnesses.iter().zip(0..) {
            lines += &format!("witness w{at} {}\n", witness.key()?);
            names += &format!(" w{at}");
        }
        lines += &format!("group quorum-of-slip {}{names}\nquorum quorum-of-slip\n", self.threshold);
        TrustPolicy::parse(lines.as_bytes())
    }

    /// Verifies the slip by itself: this order, under this number and handle key, was put in the ledger, which its key signed and its
    /// witnesses have seen.
    ///
    /// # Errors
    /// `Damaged`, `CannotOpen` or `Input` where anything of it was altered; `NotPermitted` for too few witnesses.
    pub fn verify(&self) -> Result<Vouched> {
        self.trust(self.ledger)?.check(&self.checkpoint()?)
    }

    /// The entry that put the order.
    fn put_entry(&self) -> Entry {
        let own = self.own_key_id();
        let order = self.handle_key.order_commitment(self.record_id, &self.order_no);
        Entry {
            time: self.put.time,
            handle: self.handle_key.handle(&own),
            revision: self.put.revision,
            parts: self.put.parts.clone(),
            commitments: vec![self.put.record, self.put.os, order],
            ..Entry::new(EntryKind::Put, own, self.put.policy)
        }
    }

    /// Key id of the vault itself.
    fn own_key_id(&self) -> [u8; 16] {
        party_key_id(self.vault, VAULT_PARTY, &[])
    }

    /// Root of the ledger that the put entry and its proof give.
    fn root(&self) -> Result<Hash> {
        let leaf = leaf_hash(&self.put_entry().encode()?);
        root_through(&self.proof, leaf, self.index, self.size)
            .ok_or_else(|| Error::new(ErrorKind::Damaged, "the slip's proof is not one of its entry"))
    }

    /// The checkpoint with all signatures that the slip has of it, unchecked.
    fn checkpoint(&self) -> Result<SignedCheckpoint> {
        self.checkpoint_signed_by(&self.witnesses)
    }

    fn checkpoint_signed_by(&self, witnesses: &[WitnessSignature]) -> Result<SignedCheckpoint> {
        let log = self.log_key(self.ledger)?;
        let checkpoint = Checkpoint { origin: log.name().to_owned(), size: self.size, root: self.root()? };
        let line = |key: &VerifierKey, signature: &[u8]| {
            format!("— {} {}\n", key.name(), to_base64(&[key.id().as_slice(), signature].concat()))
        };
        let mut note = format!("{checkpoint}\n{}", line(&log, &self.log_signature));
        for witness in witnesses {
            let signature = [witness.time.to_be_bytes().as_slice(), &witness.signature].concat();
            note += &line(&witness.key()?, &signature);
        }
        SignedCheckpoint::parse(note.as_bytes())
    }
}

impl WitnessSignature {
    fn key(&self) -> Result<VerifierKey> {
        VerifierKey::of_witness(&self.name, self.public)
    }
}

/// For the fuzz target.
#[cfg(fuzzing)]
pub mod fuzzing {
    /// A slip's bytes, without the check digits that would keep them from being looked at.
    pub fn slip(bytes: &[u8]) {
        if let Ok(slip) = super::Slip::from_bytes(bytes) {
            assert!(*slip.to_bytes() == bytes);
            let _checked = slip.verify();
        }
        let _parsed = std::str::from_utf8(bytes).map(super::Slip::parse);
    }
}
