//! Ledgers as static files that anybody's programs read (C2SP tlog-tiles), and what such files prove without any secret.

mod all;
mod cosigned;
mod edge;
mod folder;
#[cfg(fuzzing)]
#[allow(missing_docs, unreachable_pub, clippy::expect_used)]
pub mod fuzzing;
mod succession;
mod verify;
mod write;

use std::path::Path;

pub use all::{VerifiedLedger, verify_published};
use edge::Edge;
pub use folder::Published;
use folder::{CHECKPOINT, COSIGNED};
pub use succession::Succession;
#[cfg(feature = "sqlite")]
pub(crate) use verify::verify_store;
pub use verify::{Backdated, Verified};
use write::Writer;

use crate::{
    error::{Error, ErrorKind, Result},
    ledger::LedgerState,
    store::LedgerStore,
    tlog::{
        Bundle, Checkpoint, Hash, NoteKey, Proof, SignedCheckpoint, Tile, TileHashes, Tiles as _,
        VerifierKey, WitnessRequest, consistency_proof, inclusion_proof, is_consistent, leaf_hash, root_of,
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
        Ok(self.ledger_state()?.checkpoint(&key).sign(&key))
    }

    /// Publishes what the ledgers have beyond what is published in the folder already: hash tiles and checkpoint into `public`, for
    /// everybody; entries into `audit`, for auditors. A vault's second ledger goes below `ledger-2`, and so on. What was published is
    /// compared first, the checkpoint written last: a publication that was cut off is repeated.
    /// A checkpoint with cosignatures is kept as `checkpoint.cosigned` when a newer one takes its place, unless that has more of them.
    ///
    /// Take a backup after the first call: a vault restored from one before it has other keys that sign, and begins another log.
    ///
    /// One publisher at a time writes into a log; others wait. `public` may be read by everybody (0755, files 0644), `audit` by the
    /// group too (0750, files 0640), less what the umask takes away.
    ///
    /// # Errors
    /// `RolledBack` where more is published than the ledger has; `Damaged` or `CannotOpen` where what is published is another log, or
    /// was altered; `Input` for a folder inside the vault's; `Storage`.
    pub fn publish(&self, folder: &Path) -> Result<Vec<Publication>> {
        self.ledger().check_open()?;
        self.check_outside(folder)?;
        let (registry, _) = self.registry_that_signs()?;
        let mut published = Vec::new();
        for (ledger, store) in self.ledger().numbered() {
            let key = registry.checkpoint_key(ledger)?;
            let to = Published::ledger(folder, ledger);
            let is_present = ledger == registry.ledger_number();
            let (before, checkpoint) = publish(store, &key, &to, is_present)?;
            published.push(Publication { ledger, before, checkpoint });
        }
        Ok(published)
    }

    /// What is published must not go along with the vault's backups and permissions, nor lie where its files are counted.
    fn check_outside(&self, folder: &Path) -> Result<()> {
        let vault = self.inner().folder.get().and_then(|vault| vault.canonicalize().ok());
        let there = std::path::absolute(folder).ok();
        let there =
            there.as_deref().and_then(|folder| folder.ancestors().find_map(|part| part.canonicalize().ok()));
        match (vault, there) {
            (Some(vault), Some(there)) if there.starts_with(&vault) => {
                Err(Error::input("folder", "the ledger is not published into the vault's own folder"))
            }
            _ => Ok(()),
        }
    }
}

/// Publishes one ledger. A former one may have come back shorter than it was published: that stays as it is.
pub(crate) fn publish(
    store: &dyn LedgerStore,
    key: &NoteKey,
    to: &Published,
    is_present: bool,
) -> Result<(u64, SignedCheckpoint)> {
    // What is another log is not written into, not even a lock.
    to.own_checkpoint(key.public())?;
    let writer = Writer::of(to)?;
    let state = LedgerState::from(&store.head()?);
    let published = to.own_checkpoint(key.public())?;
    let before = published.as_ref().map_or(0, |signed| signed.checkpoint().size);
    if let Some(signed) = published.as_ref().filter(|_| before >= state.size) {
        if before > state.size && is_present {
            let message = format!("{before} entries are published, and the ledger has {}", state.size);
            return Err(Error::new(ErrorKind::RolledBack, message).with_hint(
                "the vault is older than what it published: back it up and restore it, with the published checkpoint as the last known",
            ));
        }
        return if to.continues(&state.checkpoint(key), signed.checkpoint())? {
            Ok((before, signed.clone()))
        } else {
            Err(other_log(state.size))
        };
    }
    let edge = continue_log(store, (to, &writer), published.as_ref(), state)?;
    let signed = state.checkpoint(key).sign(key);
    if let Some(cosigned) = published.filter(|signed| signed.note().signatures().len() > 1) {
        let signatures = |signed: &SignedCheckpoint| signed.note().signatures().len();
        if to.cosigned()?.is_none_or(|kept| signatures(&kept) <= signatures(&cosigned)) {
            writer.checkpoint(COSIGNED, &cosigned)?;
        }
    }
    writer.checkpoint(CHECKPOINT, &signed)?;
    for level in Tile::levels(edge.size()) {
        // The tile that was at the edge before.
        let index = before >> (8 * (u32::from(level) + 1));
        if index < edge.size() >> (8 * (u32::from(level) + 1)) {
            writer.remove_partial(Tile { level, index, width: 256 });
        }
    }
    Ok((before, signed))
}

/// Writes the tiles and bundles that a log of this state has beyond what is published.
fn continue_log(
    store: &dyn LedgerStore,
    (to, writer): (&Published, &Writer<'_>),
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
                None => edge.push(leaf, |tile, hashes| writer.tile(tile, hashes))?,
            }
            Bundle::push(&mut bundle, &row.bytes)?;
            index += 1;
            if index.is_multiple_of(256) {
                writer.bundle(Bundle { index: index / 256 - 1, width: 256 }, &bundle)?;
                bundle.clear();
            }
        }
    }
    if edge.root()? != state.root {
        return Err(other_log(before));
    }
    if !index.is_multiple_of(256) {
        let width = u16::try_from(index % 256).unwrap_or(0);
        writer.bundle(Bundle { index: index / 256, width }, &bundle)?;
    }
    edge.partial().try_for_each(|(tile, hashes)| writer.tile(tile, hashes))?;
    Ok(edge)
}

fn other_log(index: u64) -> Error {
    let message =
        format!("what is published is not how this ledger began: they differ at entry {index} or before it");
    Error::new(ErrorKind::Damaged, message)
        .with_hint("the ledger was rewritten or is another one: keep both, and look at doctor")
}

/// Makes proofs that entries are in a published log, under one checkpoint.
pub struct Prover<'a> {
    hashes: TileHashes<&'a Published>,
    checkpoint: SignedCheckpoint,
}

impl Prover<'_> {
    /// Number of the entries that the checkpoint counts.
    pub(crate) fn size(&self) -> u64 {
        self.checkpoint.checkpoint().size
    }

    /// Proof that the entry of this index is in the log.
    ///
    /// # Errors
    /// `Input` for an index that the checkpoint does not have; `NotFound`, `Damaged`, `Storage`.
    pub fn prove(&self, index: u64) -> Result<Proof> {
        let hashes = inclusion_proof(&self.hashes, index, self.size())?;
        Ok(Proof { extra: Vec::new(), index, hashes, checkpoint: self.checkpoint.clone() })
    }
}

impl Published {
    /// Proof that the entry of this index is in the log, under its newest checkpoint; reads a few tiles, whatever the log's size.
    ///
    /// # Errors
    /// `Input` for an index that the checkpoint does not have; `NotFound`, `Damaged`, `Storage`.
    pub fn prove(&self, index: u64) -> Result<Proof> {
        self.prover()?.prove(index)
    }

    /// Proofs of many entries under the newest checkpoint: each tile is read and hashed once.
    ///
    /// # Errors
    /// `NotFound`, `Damaged`, `Limit`, `Storage`.
    pub fn prover(&self) -> Result<Prover<'_>> {
        Ok(self.prover_under(self.checkpoint()?))
    }

    /// The same under a checkpoint of the log.
    pub(crate) fn prover_under(&self, checkpoint: SignedCheckpoint) -> Prover<'_> {
        Prover { hashes: TileHashes::new(self, checkpoint.checkpoint().size), checkpoint }
    }

    /// Copies what the newest checkpoint needs, entries too, and nothing that lies beside it.
    pub(crate) fn copy_to(&self, to: &Self) -> Result<()> {
        let checkpoint = self.checkpoint()?;
        let size = checkpoint.checkpoint().size;
        let writer = Writer::of(to)?;
        for bundle in Bundle::of_log(0, size) {
            writer.bundle(bundle, &self.bundle_bytes(bundle)?)?;
        }
        for tile in Tile::levels(size).flat_map(|level| Tile::of_level(level, 0, size)) {
            writer.tile(tile, &self.tile(tile)?)?;
        }
        if let Some(cosigned) = self.cosigned()? {
            writer.checkpoint(COSIGNED, &cosigned)?;
        }
        writer.checkpoint(CHECKPOINT, &checkpoint)
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

    /// Holds the log against a checkpoint of it that somebody kept. Both are to be verified by the log's key.
    ///
    /// # Errors
    /// `RolledBack` where the log has fewer entries now than were kept; `Damaged` where it has other ones: keep both checkpoints, they
    /// show that the log has two histories; `CannotOpen` where one of them is not signed by the key; `NotFound`, `Storage`.
    pub fn check_kept(&self, kept: &SignedCheckpoint, log: &VerifierKey) -> Result<()> {
        let newest = self.checkpoint()?;
        newest.check_log(log)?;
        kept.check_log(log)?;
        let (kept, newest) = (kept.checkpoint(), newest.checkpoint());
        if kept.size > newest.size {
            let message = format!(
                "{} entries are published, and the checkpoint that was kept has {}",
                newest.size, kept.size
            );
            return Err(Error::new(ErrorKind::RolledBack, message)
                .with_hint("entries were taken away: keep both checkpoints"));
        }
        if self.continues(kept, newest)? {
            return Ok(());
        }
        let message =
            format!("the log does not continue the {} entries of the checkpoint that was kept", kept.size);
        Err(Error::new(ErrorKind::Damaged, message)
            .with_hint("the log has two histories: keep both checkpoints, they prove it"))
    }

    /// Whether the log of the newest checkpoint begins as the one of an older one, by a proof that nobody can make of another.
    fn continues(&self, old: &Checkpoint, newest: &Checkpoint) -> Result<bool> {
        let proof = self.proof_between(old.size, newest.size)?;
        Ok(is_consistent(&proof, (old.size, &old.root), (newest.size, &newest.root)))
    }

    /// The ledgers of a vault that are published below a folder, by their numbers: all from 1 on without a gap.
    pub fn ledgers(folder: &Path) -> impl Iterator<Item = (u32, Self)> {
        (1..).map(|number| (number, Self::ledger(folder, number))).take_while(|(_, ledger)| ledger.is_there())
    }
}

#[cfg(test)]
mod tests;
