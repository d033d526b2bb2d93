//! Ledgers as static files that anybody's programs read (C2SP tlog-tiles), and what such files prove without any secret.

mod edge;
mod folder;
mod verify;

use std::path::Path;

use edge::Edge;
pub use folder::Published;
use folder::{CHECKPOINT, COSIGNED};
#[cfg(feature = "sqlite")]
pub(crate) use verify::verify_store;
pub use verify::{Backdated, Verified};

use crate::{
    error::{Error, ErrorKind, Result},
    ledger::LedgerState,
    store::LedgerStore,
    tlog::{
        Bundle, Checkpoint, Hash, NoteKey, Proof, SignedCheckpoint, Tile, TileHashes, Tiles as _,
        VerifierKey, WitnessRequest, consistency_proof, inclusion_proof, leaf_hash, root_of,
    },
    vault::Vault,
};

/// Entries read at a time.
const PAGE: usize = 4096;

/// What publishing one ledger did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Publication {
    /// Number of the ledger.
    pub ledger: u32,
    /// Entries that were published before.
    pub before: u64,
    /// The checkpoint that is published now.
    pub checkpoint: SignedCheckpoint,
}

impl Vault {
    /// Public key of the ledger of this number, with its name: what a verifier must know. The first call makes the vault's keys that
    /// sign, and waits for two disk syncs.
    ///
    /// # Errors
    /// `RootKey`, `Locked`, `Storage`.
    pub fn ledger_key(&self, ledger: u32) -> Result<VerifierKey> {
        Ok(self.registry_that_signs()?.0.checkpoint_key(ledger)?.public().clone())
    }

    /// The present ledger, signed.
    ///
    /// # Errors
    /// As for [`Vault::ledger_key`]; `RolledBack` where [`Vault::keep_checkpoint`] has found that the ledger does not go on from an
    /// earlier one.
    pub fn checkpoint(&self) -> Result<SignedCheckpoint> {
        self.ledger().check_open()?;
        let (registry, _) = self.registry_that_signs()?;
        let key = registry.checkpoint_key(registry.ledger_number())?;
        Ok(of_state(&key, self.ledger_state()?).sign(&key))
    }

    /// Publishes what the ledgers have beyond what is published in the folder already: hash tiles and checkpoint into `public`, for
    /// everybody; entries into `audit`, for auditors. A vault's second ledger goes below `ledger-2`, and so on. What was published is
    /// compared first, the checkpoint written last: a publication that was cut off is repeated.
    /// A checkpoint with cosignatures is kept as `checkpoint.cosigned` when a newer one takes its place.
    ///
    /// # Errors
    /// `RolledBack` where more is published than the ledger has; `Damaged` or `CannotOpen` where what is published is another log, or
    /// was altered; `Storage`.
    pub fn publish(&self, folder: &Path) -> Result<Vec<Publication>> {
        self.ledger().check_open()?;
        let (registry, _) = self.registry_that_signs()?;
        let mut published = Vec::new();
        for (ledger, store) in self.ledger().numbered() {
            let key = registry.checkpoint_key(ledger)?;
            let to = Published::ledger(folder, ledger);
            let is_present = ledger == registry.ledger_number();
            if let Some((before, checkpoint)) = publish(store, &key, &to, is_present)? {
                published.push(Publication { ledger, before, checkpoint });
            }
        }
        Ok(published)
    }
}

fn of_state(key: &NoteKey, state: LedgerState) -> Checkpoint {
    Checkpoint { origin: key.public().name().to_owned(), size: state.size, root: state.root }
}

/// Publishes one ledger. A former one may have come back shorter than it was published: that stays as it is.
fn publish(
    store: &dyn LedgerStore,
    key: &NoteKey,
    to: &Published,
    is_present: bool,
) -> Result<Option<(u64, SignedCheckpoint)>> {
    let state = LedgerState::from(&store.head()?);
    let published = to.own_checkpoint(key.public())?;
    let before = published.as_ref().map_or(0, |signed| signed.checkpoint().size);
    if before > state.size {
        if !is_present {
            return Ok(None);
        }
        let message = format!("{before} entries are published, and the ledger has {}", state.size);
        return Err(Error::new(ErrorKind::RolledBack, message).with_hint(
            "the vault is older than what it published: back it up and restore it, with the published checkpoint as the last known",
        ));
    }
    if let Some(signed) = published.as_ref().filter(|_| before == state.size) {
        return if signed.checkpoint().root == state.root {
            Ok(published.map(|signed| (before, signed)))
        } else {
            Err(other_log(before))
        };
    }
    to.make()?;
    let edge = continue_log(store, to, published.as_ref(), state)?;
    let signed = of_state(key, state).sign(key);
    if let Some(cosigned) = published.filter(|signed| signed.note().signatures().len() > 1) {
        to.write_checkpoint(COSIGNED, &cosigned)?;
    }
    to.write_checkpoint(CHECKPOINT, &signed)?;
    for level in Tile::levels(edge.size()) {
        // The tile that was at the edge before.
        let index = before >> (8 * (u32::from(level) + 1));
        if index < edge.size() >> (8 * (u32::from(level) + 1)) {
            to.remove_partial(Tile { level, index, width: 256 });
        }
    }
    Ok(Some((before, signed)))
}

/// Writes the tiles and bundles that a log of this state has beyond what is published.
fn continue_log(
    store: &dyn LedgerStore,
    to: &Published,
    published: Option<&SignedCheckpoint>,
    state: LedgerState,
) -> Result<Edge> {
    let (before, root) = published
        .map_or((0, crate::tlog::EMPTY_ROOT), |signed| (signed.checkpoint().size, signed.checkpoint().root));
    let mut edge = Edge::read(&to, before)?;
    // The leaves at the edge, which the bundle that is written anew must hash to.
    let known = edge.leaves().to_vec();
    if edge.root()? != root {
        return Err(Error::new(
            ErrorKind::Damaged,
            "the published tiles do not give the published checkpoint",
        )
        .with_hint("somebody altered them: publish into a new folder, and keep this one"));
    }
    let mut bundle = Vec::new();
    let mut index = before - known.len() as u64;
    let first = index;
    while index < state.size {
        let limit = PAGE.min(usize::try_from(state.size - index).unwrap_or(PAGE));
        let rows = store.entries(index, limit)?;
        if rows.is_empty() {
            return Err(Error::new(ErrorKind::Damaged, format!("entry {index} of the ledger is missing")));
        }
        for row in rows {
            let leaf = leaf_hash(&row.bytes);
            match usize::try_from(index - first).ok().and_then(|at| known.get(at)) {
                Some(hash) if *hash != leaf => return Err(other_log(index)),
                Some(_) => {}
                None => edge.push(leaf, |tile, hashes| to.write_tile(tile, hashes))?,
            }
            Bundle::push(&mut bundle, &row.bytes)?;
            index += 1;
            if index % 256 == 0 {
                to.write_bundle(Bundle { index: index / 256 - 1, width: 256 }, &bundle)?;
                bundle.clear();
            }
        }
    }
    if edge.root()? != state.root {
        return Err(other_log(before));
    }
    if index % 256 > 0 {
        let width = u16::try_from(index % 256).unwrap_or(0);
        to.write_bundle(Bundle { index: index / 256, width }, &bundle)?;
    }
    edge.partial().try_for_each(|(tile, hashes)| to.write_tile(tile, hashes))?;
    Ok(edge)
}

fn other_log(index: u64) -> Error {
    let message =
        format!("what is published is not how this ledger began: they differ at entry {index} or before it");
    Error::new(ErrorKind::Damaged, message)
        .with_hint("the ledger was rewritten or is another one: keep both, and look at doctor")
}

impl Published {
    /// Proof that the entry of this index is in the log, under its newest checkpoint; reads a few tiles, whatever the log's size.
    ///
    /// # Errors
    /// `Input` for an index that the checkpoint does not have; `NotFound`, `Damaged`, `Storage`.
    pub fn prove(&self, index: u64) -> Result<Proof> {
        self.prove_under(index, self.checkpoint()?)
    }

    /// The same under a checkpoint of the log.
    pub(crate) fn prove_under(&self, index: u64, checkpoint: SignedCheckpoint) -> Result<Proof> {
        let size = checkpoint.checkpoint().size;
        let hashes = inclusion_proof(&TileHashes::new(self, size), index, size)?;
        Ok(Proof { extra: Vec::new(), index, hashes, checkpoint })
    }

    /// Copies what the newest checkpoint needs, entries too, and nothing that lies beside it.
    pub(crate) fn copy_to(&self, to: &Self) -> Result<()> {
        let checkpoint = self.checkpoint()?;
        let size = checkpoint.checkpoint().size;
        to.make()?;
        for bundle in Bundle::of_log(0, size) {
            to.write_bundle(bundle, &self.bundle_bytes(bundle)?)?;
        }
        for tile in Tile::levels(size).flat_map(|level| Tile::of_level(level, 0, size)) {
            to.write_tile(tile, &self.tile(tile)?)?;
        }
        if let Some(cosigned) = self.cosigned()? {
            to.write_checkpoint(COSIGNED, &cosigned)?;
        }
        to.write_checkpoint(CHECKPOINT, &checkpoint)
    }

    /// Root of the tree of the first `size` entries.
    pub(crate) fn root_at(&self, size: u64) -> Result<Hash> {
        root_of(&TileHashes::new(self, size), size)
    }

    /// What a witness is asked that has seen the log's first `old` entries.
    ///
    /// # Errors
    /// `Input` if the checkpoint has fewer; `NotFound`, `Damaged`, `Storage`.
    pub fn request(&self, old: u64) -> Result<WitnessRequest> {
        let checkpoint = self.checkpoint()?;
        let proof = self.proof_between(old, checkpoint.checkpoint().size)?;
        Ok(WitnessRequest { old, proof, checkpoint })
    }

    /// Proof that the log's first `size` entries begin with its first `old`.
    ///
    /// # Errors
    /// `Input` if `old` is more; `NotFound` where the log has fewer than `size`, `Damaged`, `Storage`.
    pub fn proof_between(&self, old: u64, size: u64) -> Result<Vec<Hash>> {
        consistency_proof(&TileHashes::new(self, size), old, size)
    }

    /// The ledgers of a vault that are published below a folder, by their numbers: all from 1 on without a gap.
    pub fn ledgers(folder: &Path) -> impl Iterator<Item = (u32, Self)> {
        (1..).map(|number| (number, Self::ledger(folder, number))).take_while(|(_, ledger)| ledger.is_there())
    }
}

#[cfg(test)]
mod tests;
