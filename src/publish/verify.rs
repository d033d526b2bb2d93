//! What published files prove, without any secret.

use serde_json::{Value as Json, json};

#[cfg(feature = "sqlite")]
use super::PAGE;
use super::{Edge, Published, folder::take_entry};
use crate::{
    error::{Error, ErrorKind, Result},
    ledger::Entry,
    text::{hex, time},
    tlog::{Bundle, Checkpoint, Hash, SignedCheckpoint, Tile, Tiles, TrustPolicy, Vouched, leaf_hash},
};
#[cfg(feature = "sqlite")]
use crate::{ledger::LedgerState, store::LedgerStore};

/// Seconds by which an entry may be dated before one that stands before it: clocks are set.
const TOLERANCE: u64 = 300;
/// Backdated entries that are named; more are counted.
const NAMED: usize = 100;

/// An entry that says it was made before something that it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backdated {
    /// Index of the entry.
    pub index: u64,
    /// Its time, seconds since 1970.
    pub time: u64,
    /// The latest time that was there before it: of an entry, or of a witness that saw the log without it.
    pub after: u64,
}

/// A log that is whole, and hashes to its checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The checkpoint up to which it was verified.
    pub checkpoint: Checkpoint,
    /// Who stands behind it, and how many of its first entries the witnesses' quorum has seen: all of them, or those of an earlier
    /// checkpoint. The others are the operator's word only, as all are where the policy asks for no witness.
    pub vouched: Vouched,
    /// Number of the first entries that the quorum has seen; 0 where the policy asks for none.
    pub witnessed: u64,
    /// Whether the entries were there; else their hashes alone were verified.
    pub has_entries: bool,
    /// Times of the first and the last entry, seconds since 1970.
    pub times: Option<(u64, u64)>,
    /// Entries that are dated more than five minutes before what they follow: the clock was set back, or somebody dated them back. At
    /// most 100 of them.
    pub backdated: Vec<Backdated>,
    /// How many there are.
    pub backdated_count: u64,
}

impl Verified {
    /// As JSON: what was verified, who witnessed it, and what is dated back.
    pub fn to_json(&self) -> Json {
        let Self { checkpoint, vouched, times, .. } = self;
        let witness = |(name, seen): &(String, u64)| json!({ "name": name, "time": time(*seen) });
        let backdated = |entry: &Backdated| json!({ "entry": entry.index, "time": time(entry.time), "after": time(entry.after) });
        json!({
            "origin": checkpoint.origin, "size": checkpoint.size, "root": hex(&checkpoint.root),
            "entries_verified": self.has_entries,
            "witnesses": vouched.witnesses.iter().map(witness).collect::<Vec<_>>(), "witnessed": self.witnessed,
            "first": times.map(|(first, _)| time(first)), "last": times.map(|(_, last)| time(last)),
            "backdated": self.backdated.iter().map(backdated).collect::<Vec<_>>(),
            "backdated_count": self.backdated_count,
        })
    }
}

impl Published {
    /// Verifies the log: signatures, that all tiles and entries hash to the checkpoint, and that every entry has its form. `visit`
    /// gets every entry with its index and bytes, before it is known whether the whole is good.
    ///
    /// # Errors
    /// `CannotOpen`, and `NotPermitted` for too few witnesses, as [`TrustPolicy::check`] says; `NotFound` for a file that is missing;
    /// `Damaged` with the index of the first entry at fault; those of `visit`.
    pub fn verify(
        &self,
        trust: &TrustPolicy,
        mut visit: impl FnMut(u64, &Entry, &[u8]) -> Result<()>,
    ) -> Result<Verified> {
        let newest = self.checkpoint()?;
        let marks = Marks::of(trust, newest, || self.cosigned())?;
        let size = marks.newest.checkpoint().size;
        let mut walk = Walk::new(&marks);
        let has_entries = self.has_entries() || size == 0;
        for bundle in Bundle::of_log(0, size) {
            let tile = Tile { level: 0, index: bundle.index, width: bundle.width };
            let hashes = at_entry(self.tile(tile), bundle.first())?;
            if has_entries {
                let bytes = at_entry(self.bundle_bytes(bundle), bundle.first())?;
                // Entry by entry: a length that was altered is told where it stands, not where the bundle ends.
                let mut rest = bytes.as_slice();
                for (hash, index) in hashes.iter().zip(bundle.first()..) {
                    let entry =
                        take_entry(&mut rest).ok_or_else(|| fault(index, "is cut off, or missing"))?;
                    let found = leaf_hash(entry);
                    if found != *hash {
                        return Err(fault(index, &format!("does not hash to what {tile} has in its place")));
                    }
                    walk.entry(index, entry, &mut visit)?;
                    walk.leaf(found, |tile, hashes| self.compare(tile, hashes))?;
                }
                if !rest.is_empty() {
                    let behind = bundle.first() + hashes.len() as u64;
                    return Err(fault(behind, &format!("has no place in {bundle}")));
                }
            } else {
                hashes
                    .iter()
                    .try_for_each(|hash| walk.leaf(*hash, |tile, hashes| self.compare(tile, hashes)))?;
            }
        }
        walk.edge.partial().try_for_each(|(tile, hashes)| self.compare(tile, hashes))?;
        walk.finish(marks, has_entries)
    }

    /// A tile must be what the entries below it give.
    fn compare(&self, tile: Tile, hashes: &[Hash]) -> Result<()> {
        // Level 0 is what the entries were compared with.
        if tile.level == 0 {
            return Ok(());
        }
        let span = 8 * u32::from(tile.level);
        let first = (tile.index * 256) << span;
        let published = at_entry((&self).tile(tile), first)?;
        match published.iter().zip(hashes).position(|(published, hash)| published != hash) {
            None => Ok(()),
            Some(at) => {
                let index = first + ((at as u64) << span);
                Err(fault(
                    index,
                    &format!("and those after it do not hash to what {tile} has in their place"),
                ))
            }
        }
    }
}

#[cfg(feature = "sqlite")]
/// Verifies a vault's own ledger, in its store, up to a checkpoint that somebody kept.
pub(crate) fn verify_store(
    store: &dyn LedgerStore,
    trust: &TrustPolicy,
    checkpoint: SignedCheckpoint,
) -> Result<Verified> {
    let marks = Marks::of(trust, checkpoint, || Ok(None))?;
    let size = marks.newest.checkpoint().size;
    let head = LedgerState::from(&store.head()?);
    if head.size < size {
        let message = format!("the checkpoint has {size} entries, and the ledger has {}", head.size);
        return Err(Error::new(ErrorKind::RolledBack, message));
    }
    let mut walk = Walk::new(&marks);
    while walk.edge.size() < size {
        let from = walk.edge.size();
        let rows = store.entries(from, PAGE.min(usize::try_from(size - from).unwrap_or(PAGE)))?;
        if rows.is_empty() {
            return Err(fault(from, "is missing"));
        }
        for (row, index) in rows.iter().zip(from..) {
            walk.entry(index, &row.bytes, &mut |_, _, _| Ok(()))?;
            walk.leaf(leaf_hash(&row.bytes), |_, _| Ok(()))?;
        }
    }
    walk.finish(marks, true)
}

/// The checkpoints that are to be met on the way.
struct Marks {
    newest: SignedCheckpoint,
    vouched: Vouched,
    /// An earlier one that the quorum has cosigned, where it has not cosigned the newest.
    cosigned: Option<SignedCheckpoint>,
}

impl Marks {
    fn of(
        trust: &TrustPolicy,
        newest: SignedCheckpoint,
        cosigned: impl FnOnce() -> Result<Option<SignedCheckpoint>>,
    ) -> Result<Self> {
        let too_few = match trust.check(&newest) {
            Ok(vouched) => return Ok(Self { newest, vouched, cosigned: None }),
            Err(e) if *e.kind() == ErrorKind::NotPermitted => e,
            Err(e) => return Err(e),
        };
        let Some(earlier) = cosigned()? else { return Err(too_few) };
        let vouched = trust.check(&earlier)?;
        let (earlier_one, newest_one) = (earlier.checkpoint(), newest.checkpoint());
        if earlier_one.origin != newest_one.origin || earlier_one.size > newest_one.size {
            let message =
                "the checkpoint that was cosigned is of another log, or of more entries than the newest";
            return Err(Error::new(ErrorKind::Damaged, message));
        }
        Ok(Self { newest, vouched, cosigned: Some(earlier) })
    }

    /// Size that the quorum has seen.
    fn witnessed(&self) -> u64 {
        match &self.cosigned {
            _ if !self.vouched.is_witnessed => 0,
            None => self.newest.checkpoint().size,
            Some(earlier) => earlier.checkpoint().size,
        }
    }
}

/// Entries on their way to the root.
struct Walk {
    edge: Edge,
    /// An earlier checkpoint: the tree must have had its root when it had its size. And when a witness saw it.
    earlier: Option<(Checkpoint, u64)>,
    newest_time: u64,
    times: Option<(u64, u64)>,
    backdated: Vec<Backdated>,
    backdated_count: u64,
}

impl Walk {
    fn new(marks: &Marks) -> Self {
        let seen = marks.vouched.witnesses.iter().map(|(_, time)| *time).max().unwrap_or(0);
        Self {
            edge: Edge::default(),
            earlier: marks.cosigned.as_ref().map(|signed| (signed.checkpoint().clone(), seen)),
            newest_time: 0,
            times: None,
            backdated: Vec::new(),
            backdated_count: 0,
        }
    }

    fn entry(
        &mut self,
        index: u64,
        bytes: &[u8],
        visit: &mut impl FnMut(u64, &Entry, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let entry =
            Entry::decode(bytes).map_err(|_| fault(index, "does not follow the format of entries"))?;
        if let Some((_, seen)) = self.earlier.as_ref().filter(|(earlier, _)| earlier.size == index) {
            self.newest_time = self.newest_time.max(*seen);
        }
        if entry.time.saturating_add(TOLERANCE) < self.newest_time {
            self.backdated_count += 1;
            if self.backdated.len() < NAMED {
                self.backdated.push(Backdated { index, time: entry.time, after: self.newest_time });
            }
        }
        self.newest_time = self.newest_time.max(entry.time);
        self.times = Some((self.times.map_or(entry.time, |(first, _)| first), entry.time));
        visit(index, &entry, bytes)
    }

    fn leaf(&mut self, hash: Hash, full: impl FnMut(Tile, &[Hash]) -> Result<()>) -> Result<()> {
        self.edge.push(hash, full)?;
        match &self.earlier {
            Some((earlier, _)) if earlier.size == self.edge.size() => check_root(&self.edge, earlier),
            _ => Ok(()),
        }
    }

    fn finish(self, marks: Marks, has_entries: bool) -> Result<Verified> {
        check_root(&self.edge, marks.newest.checkpoint())?;
        Ok(Verified {
            checkpoint: marks.newest.checkpoint().clone(),
            witnessed: marks.witnessed(),
            vouched: marks.vouched,
            has_entries,
            times: self.times,
            backdated: self.backdated,
            backdated_count: self.backdated_count,
        })
    }
}

fn check_root(edge: &Edge, checkpoint: &Checkpoint) -> Result<()> {
    if edge.root()? == checkpoint.root {
        return Ok(());
    }
    let message = format!(
        "the first {} entries do not hash to the checkpoint that was signed of them: this is another history",
        checkpoint.size
    );
    Err(Error::new(ErrorKind::Damaged, message))
}

fn fault(index: u64, what: &str) -> Error {
    Error::new(ErrorKind::Damaged, format!("entry {index} {what}"))
}

fn at_entry<T>(read: Result<T>, index: u64) -> Result<T> {
    read.map_err(|e| Error::new(e.kind().clone(), format!("at entry {index}: {e}")))
}
