//! What a slip finds: in the audit folder, completely; in a shop's answer, as far as the shop tells.

use std::{collections::HashMap, path::Path};

use super::{Slip, openings};
use crate::{
    error::{Error, ErrorKind, Result},
    handles::{FoundEntries, Handles, find_entries},
    ledger::{Entry, EntryKind, EntryPlace, LedgerState, push_leaf},
    publish::{Backdated, Published},
    store::LedgerHead,
    tlog::{Checkpoint, TrustPolicy, Vouched, leaf_hash},
    who_saw::{Names, OrderEntry},
};

/// What a slip found of its order.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SlipAnswer {
    /// Every entry of the order, the oldest first. Of parties the role is known, the name where the shop opened it.
    pub entries: Vec<OrderEntry>,
    /// The ledgers that were read, oldest first, with the checkpoints up to which they were verified.
    pub ledgers: Vec<SlipLedger>,
    /// Whether every entry of these ledgers was read, so that the order has no other up to their checkpoints. Of a shop's answer never:
    /// it may have left some out.
    pub is_complete: bool,
    /// Whether it was shown that the ledger continues the one that the slip was given from. Where it was not (an answer without a proof
    /// of it), the shop may show the shopper another history than others.
    pub continues_slip: bool,
}

/// A ledger that a slip was read against.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SlipLedger {
    /// Its number.
    pub ledger: u32,
    /// Up to which the entries are in it.
    pub checkpoint: Checkpoint,
    /// Who stands behind it.
    pub vouched: Vouched,
    /// How many of the first entries the witnesses' quorum has seen; those after them are the shop's word only.
    pub witnessed: u64,
    /// Entries that are dated more than five minutes before what they follow, as [`Verified`](crate::Verified) has them. Of an answer
    /// none can be told.
    pub backdated: Vec<Backdated>,
}

impl Slip {
    /// Who saw the order, by a folder: that of the published ledgers with their entries (`public` and `audit`), which gives all up to
    /// their checkpoints; or a shop's [`Answer`](crate::Answer), which gives what the shop told. `trust` replaces the slip's witnesses.
    ///
    /// All is verified under the slip's key. Reads every entry of every ledger twice or more.
    ///
    /// # What it does not show
    /// - Of an answer: whether the shop left entries out. Of published ledgers: what came after their checkpoints.
    /// - What a party passed on, openings by a changed program that holds the root key, and what was done with the same order under
    ///   another handle key (put a second time).
    ///
    /// # Errors
    /// Those of [`Slip::verify`]; `NotFound` where neither is there, or a file is missing; `Damaged` for a ledger that does not continue
    /// the slip's, for a file or entry at fault, and for entries of other orders in an answer; `RolledBack` for a ledger shorter than the
    /// slip's; `CannotOpen` for another log; `NotPermitted` for too few witnesses; `Conflict` where the folder was written to meanwhile;
    /// `Limit`, `Storage`.
    pub fn who_saw(&self, folder: &Path, trust: Option<&TrustPolicy>) -> Result<SlipAnswer> {
        self.verify()?;
        let ledgers: Vec<_> = Published::ledgers(folder).collect();
        if ledgers.iter().any(|(_, log)| log.has_entries()) {
            return self.in_ledgers(folder, &ledgers, trust);
        }
        if folder.join("entries").is_dir() {
            return self.in_answer(folder, trust);
        }
        Err(Error::new(ErrorKind::NotFound, "there are no published entries and no answer of a shop here")
            .with_hint("name the folder that has public and audit in it, or the answer's with entries in it"))
    }

    /// The given trust, or the slip's, for the ledger of this number.
    pub(super) fn trust_in(&self, ledger: u32, given: Option<&TrustPolicy>) -> Result<TrustPolicy> {
        match given {
            Some(policy) => policy.of_log(self.log_key(ledger)?),
            None => self.trust(ledger),
        }
    }

    fn in_ledgers(
        &self,
        folder: &Path,
        ledgers: &[(u32, Published)],
        trust: Option<&TrustPolicy>,
    ) -> Result<SlipAnswer> {
        if ledgers.iter().all(|(number, _)| *number != self.ledger) {
            let message = format!("ledger {}, which the slip is of, is not here", self.ledger);
            return Err(Error::new(ErrorKind::NotFound, message));
        }
        let (mut read, mut committed) = (Vec::new(), HashMap::new());
        let mut as_then = LedgerHead::default();
        let scan = |visit: &mut dyn FnMut(EntryPlace, &Entry)| {
            let mut again = Vec::new();
            for (ledger, log) in ledgers {
                let ledger = *ledger;
                let verified = log.verify(&self.trust_in(ledger, trust)?, |index, entry, bytes| {
                    if ledger == self.ledger && index == as_then.size && index < self.size {
                        push_leaf(&mut as_then, leaf_hash(bytes));
                    }
                    note_commitment(entry, &mut committed);
                    visit(EntryPlace { ledger, index }, entry);
                    Ok(())
                });
                let verified = verified.map_err(|e| in_ledger(ledger, e))?;
                if !verified.has_entries {
                    return Err(Error::new(
                        ErrorKind::NotFound,
                        format!("the entries of ledger {ledger} are not here"),
                    ));
                }
                again.push(SlipLedger {
                    ledger,
                    checkpoint: verified.checkpoint,
                    vouched: verified.vouched,
                    witnessed: verified.witnessed,
                    backdated: verified.backdated,
                });
            }
            let same = |(a, b): (&SlipLedger, &SlipLedger)| a.checkpoint == b.checkpoint;
            if !read.is_empty() && !read.iter().zip(&again).all(same) {
                return Err(Error::new(ErrorKind::Conflict, "more was published while it was read")
                    .with_hint("repeat it"));
            }
            read = again;
            Ok(())
        };
        let found = find_entries(|| Handles::outside(self.own_key_id(), &self.handle_key), scan)?;
        self.check_continued(&as_then)?;
        self.answer_of(folder, found, read, &committed, (true, true))
    }

    /// The ledger must have had the slip's root when it had the slip's size.
    fn check_continued(&self, as_then: &LedgerHead) -> Result<()> {
        let LedgerState { size, root } = LedgerState::from(as_then);
        match size == self.size {
            false => Err(self.shorter(size)),
            true if root == self.root()? => Ok(()),
            true => Err(self.other_history()),
        }
    }

    pub(super) fn shorter(&self, size: u64) -> Error {
        let message =
            format!("the ledger has {size} entries here, and had {} when the slip was made", self.size);
        Error::new(ErrorKind::RolledBack, message)
            .with_hint("ask for the newer one; keep both if there is none")
    }

    pub(super) fn other_history(&self) -> Error {
        let message = format!(
            "the ledger's first {} entries are not those that it had when the slip was made: this is another history",
            self.size
        );
        Error::new(ErrorKind::Damaged, message)
            .with_hint("keep both: slip and checkpoint, each signed with the ledger's key, prove it")
    }

    pub(super) fn answer_of(
        &self,
        folder: &Path,
        found: FoundEntries,
        ledgers: Vec<SlipLedger>,
        committed: &HashMap<[u8; 16], [u8; 32]>,
        (is_complete, continues_slip): (bool, bool),
    ) -> Result<SlipAnswer> {
        let opened = openings::names(folder, self.vault, committed)?;
        let policies = openings::policies(folder)?;
        let parties = opened.iter().map(|(id, of)| (*id, (of.name.as_str(), of.role.as_str()))).collect();
        let policies = policies.iter().map(|(digest, policy)| (*digest, policy)).collect();
        let names = Names { own: self.own_key_id(), parties, roles: found.roles, policies };
        let named = |(place, (entry, whose))| names.named(place, entry, whose);
        let entries = found.entries.into_iter().map(named).collect();
        Ok(SlipAnswer { entries, ledgers, is_complete, continues_slip })
    }
}

/// What a party's entry commits to, by its key id.
pub(super) fn note_commitment(entry: &Entry, committed: &mut HashMap<[u8; 16], [u8; 32]>) {
    if let (EntryKind::Party, [commitment]) = (entry.kind, entry.commitments.as_slice()) {
        committed.insert(entry.party, *commitment);
    }
}

fn in_ledger(ledger: u32, e: Error) -> Error {
    Error::new(e.kind().clone(), format!("ledger {ledger}: {e}")).with_hint(e.hint().to_owned())
}
