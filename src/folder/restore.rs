//! A vault made anew from a backup. Its ledger is closed as lost and another one follows it: what the lost time had entered nobody
//! knows, and two ledgers that begin alike and go on differently would clear whoever saw something.

use std::{
    fmt,
    fs::{self, File},
    io,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use super::{
    LEDGER,
    backup::{storage, sync},
    build, check_location,
    manifest::{Copied, Manifest, Moment, Part, damaged},
    open_plain, open_stores, unopened,
};
use crate::{
    error::{Error, ErrorKind, Result},
    keys::RootKeyProvider,
    ledger::{Entry, EntryKind, KeptCheckpoint, Ledger, LedgerNote, LedgerState, now},
    observe::{Operation, Watch},
    registry::FormerLedger,
    store::sqlite::{self, LOCK, create_file, create_folder, create_ledger, former_ledger},
    suite::Secret,
    vault::Vault,
};

/// Where the three sets of a backup are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSets {
    /// Sealed orders and the ledger.
    pub records: PathBuf,
    /// The orders' secrets.
    pub secrets: PathBuf,
    /// Keys, policies and parties.
    pub keys: PathBuf,
}

impl BackupSets {
    /// As [`Vault::backup`] made them, below one folder.
    pub fn below(folder: &Path) -> Self {
        let set = |part: Part| folder.join(part.name());
        Self { records: set(Part::Records), secrets: set(Part::Secrets), keys: set(Part::Keys) }
    }

    fn of(&self, part: Part) -> &Path {
        match part {
            Part::Records => &self.records,
            Part::Secrets => &self.secrets,
            Part::Keys => &self.keys,
        }
    }
}

/// A vault that was restored, and what became of its ledger.
#[non_exhaustive]
pub struct Restored {
    /// The vault, unlocked.
    pub vault: Vault,
    /// When the backup was taken, seconds since 1970.
    pub taken_at: u64,
    /// The ledger that came back and was closed.
    pub closed: LedgerNote,
    /// The last that is known: the same, or what was given, where that is more or of a later ledger.
    pub known: LedgerNote,
}

impl fmt::Debug for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Restored")
            .field("taken_at", &self.taken_at)
            .field("closed", &self.closed)
            .field("known", &self.known)
            .finish_non_exhaustive()
    }
}

impl Vault {
    /// Makes a vault in a new folder from the three sets of one backup. It appears whole or not at all.
    ///
    /// The ledger is never continued: it is closed as lost, kept, and read wherever entries are sought; another one begins with an
    /// entry of that. `last_known` is what was noted last, outside of the vault, of it or of a later one. Serial numbers go on 2^24
    /// later for each ledger that is closed, so that an alias from the time that is lost is no other order's.
    ///
    /// # What must be done again
    /// The vault is as it was at the backup: parties revoked since then open again, orders shredded since then are back, an older
    /// policy may be in force. Nothing inside of it can tell.
    ///
    /// # Errors
    /// `Exists` if there is something at `to` already, `NotFound` if what it is to be in, or a set, is not there, `Conflict` for sets
    /// of different backups, `Damaged` for a set that is not whole or not as it was made, and for a ledger that is not the one which
    /// was noted, `Input` for a note of a ledger over a hundred restores away, `RootKey`, `NewerFormat`, `Storage`.
    pub fn restore(
        sets: &BackupSets,
        to: &Path,
        root: &dyn RootKeyProvider,
        last_known: Option<LedgerNote>,
    ) -> Result<Restored> {
        let known = last_known.map_or(LastKnown::Nothing, LastKnown::Noted);
        Watch::uncounted(Operation::Restore, 0).one(restore(sets, to, root, known))
    }

    /// The same, where what is known last is the checkpoint that [`Vault::keep_checkpoint`] kept outside of the vault. After it, the
    /// vault is kept by that file as before: `keep_checkpoint` moves it on to the new ledger.
    ///
    /// # Errors
    /// As for [`Vault::restore`], and `CannotOpen` for a checkpoint that was not signed by the key in the backup: of another vault,
    /// altered, or signed by a key that the vault has had since the backup only.
    pub fn restore_with_checkpoint(
        sets: &BackupSets,
        to: &Path,
        root: &dyn RootKeyProvider,
        kept: &KeptCheckpoint,
    ) -> Result<Restored> {
        Watch::uncounted(Operation::Restore, 0).one(restore(sets, to, root, LastKnown::Kept(kept)))
    }
}

/// What is known last of the vault's ledgers, outside of it.
enum LastKnown<'a> {
    Nothing,
    Noted(LedgerNote),
    Kept(&'a KeptCheckpoint),
}

impl LastKnown<'_> {
    /// A note, by whoever restores; a checkpoint is believed only if the vault signed it.
    fn of(&self, vault: &Vault) -> Result<Option<LedgerNote>> {
        match self {
            Self::Nothing => Ok(None),
            Self::Noted(note) => Ok(Some(*note)),
            Self::Kept(kept) => {
                let registry = vault.registry()?;
                let key = registry.checkpoint_key(registry.ledger_number());
                let key = key.map_err(|_| unchecked("the backup has no key that signs the ledger"))?;
                kept.note(&registry.ledgers_name(), key.public().public())
                    .map(Some)
                    .map_err(|e| unchecked(&e.to_string()))
            }
        }
    }
}

fn unchecked(why: &str) -> Error {
    Error::new(ErrorKind::CannotOpen, format!("the checkpoint cannot be checked by this backup: {why}"))
        .with_hint("if the checkpoint is this vault's, take a newer backup, or give its size and root as what was noted last")
}

fn restore(
    sets: &BackupSets,
    to: &Path,
    root: &dyn RootKeyProvider,
    last_known: LastKnown<'_>,
) -> Result<Restored> {
    check_location(to, root)?;
    let manifests = Part::ALL.map(|part| Manifest::read(sets.of(part), part));
    let [records, secrets, keys] = manifests;
    let manifests = [records?, secrets?, keys?];
    let moment = same_moment(&manifests)?;
    let (root, known) = build(to, |building| {
        storage(create_folder(building))?;
        storage(create_file(&building.join(LOCK)))?;
        for (manifest, _) in &manifests {
            let set = sets.of(manifest.part);
            manifest.files.iter().try_for_each(|file| bring(manifest.part, file, set, building))?;
        }
        let vault = Vault::resume_in(open_stores(building)?, root)?;
        check_origin(&vault, &manifests)?;
        let known = last_of(&vault, moment.ledger, last_known.of(&vault)?)?;
        let entry = close(&vault, moment.ledger, known)?;
        let root = vault.root();
        drop(vault);
        succeed(building, moment.ledger.ledger..=known.ledger, entry)?;
        Ok((root, known))
    })?;
    let vault = Vault::with_root(sqlite::open(to).map_err(unopened)?, root)?.at(to);
    Ok(Restored { vault, taken_at: moment.taken_at, closed: moment.ledger, known })
}

type Read = (Manifest, [u8; 32]);

fn same_moment(manifests: &[Read; 3]) -> Result<Moment> {
    let [(records, _), (secrets, _), (keys, _)] = manifests;
    if secrets.moment == records.moment && keys.moment == records.moment {
        return Ok(records.moment);
    }
    let message = "the sets are not of one backup: an order's record, secret and keys must be of one moment";
    Err(Error::new(ErrorKind::Conflict, message)
        .with_hint("the line `backup` of their manifests tells which belong together"))
}

/// Copies a file of a set, and refuses one that is not what its manifest says.
fn bring(part: Part, file: &Copied, set: &Path, building: &Path) -> Result<()> {
    let missing = || damaged(part, &format!("{} is missing or no plain file", file.name));
    let mut from: File = open_plain(&set.join(&file.name)).ok_or_else(missing)?;
    // What was appended is not copied: a file without an end would fill the disk.
    let mut from = io::Read::take(&mut from, file.size.saturating_add(1));
    let mut to = storage(create_file(&building.join(&file.name)))?;
    let copied = storage(Copied::read(&file.name, &mut from, &mut to))?;
    storage(to.sync_all())?;
    if copied == *file { Ok(()) } else { Err(damaged(part, &format!("{} was cut or altered", file.name))) }
}

/// Refuses manifests that this vault did not make, and a ledger that is not the one they name.
fn check_origin(vault: &Vault, manifests: &[Read; 3]) -> Result<()> {
    let registry = vault.registry()?;
    for (manifest, tag) in manifests {
        let Moment { vault: id, ledger, .. } = manifest.moment;
        let made = Secret::new(registry.backup_tag(&manifest.text())).equals(tag);
        if !made || id != registry.vault.0 || ledger.ledger != registry.ledger_number() {
            return Err(damaged(manifest.part, "its manifest is not the one that the vault made"));
        }
    }
    if vault.ledger().verify()? == manifests[0].0.moment.ledger.state {
        Ok(())
    } else {
        Err(damaged(Part::Records, "its ledger is not the one that the manifest names"))
    }
}

/// The last that is known of the vault's ledgers: what came back, or what was noted, which must not contradict it.
fn last_of(vault: &Vault, closed: LedgerNote, noted: Option<LedgerNote>) -> Result<LedgerNote> {
    let Some(noted) = noted else { return Ok(closed) };
    if noted.ledger > closed.ledger.saturating_add(MOST_LOST) {
        return Err(Error::input(
            "last_known",
            "the vault was not restored that often: look at the ledger's number",
        ));
    }
    if vault.ledger().contradicts(&noted)? {
        let message = "the backup's ledger did not have this root when it had this size: the note is of another ledger, or the \
                       ledger was rewritten";
        return Err(Error::new(ErrorKind::Damaged, message)
            .with_hint("compare it with what else was noted; take another backup if it was rewritten"));
    }
    let is_later = (noted.ledger, noted.state.size) > (closed.ledger, closed.state.size);
    Ok(if is_later { noted } else { closed })
}

/// Restores of which nothing came back.
const MOST_LOST: u32 = 100;

/// Closes the ledger that came back, and those after it of which something was noted and nothing came back. Returns the entry with
/// which the next one begins.
fn close(vault: &Vault, closed: LedgerNote, known: LedgerNote) -> Result<Entry> {
    let registry = vault.registry()?;
    let root = vault.root();
    let mut changes = registry.change(&*root.key, &root.parameters);
    let mut entry = Entry::new(EntryKind::Lost, registry.own_key_id(), registry.policy()?.digest());
    for number in closed.ledger..=known.ledger {
        let closed = if number == closed.ledger { closed.state } else { LedgerState::empty() };
        let known = if number == known.ledger { known.state } else { closed };
        let former = FormerLedger { closed, known, closed_at: now() };
        changes.add_former(number, &former)?;
        entry.detail = former.lost_detail();
    }
    vault.inner().stores.keys.write_items(&changes.unannounced())?;
    vault.skip_lost_numbers(&registry, known.ledger - closed.ledger + 1)?;
    Ok(entry)
}

/// Puts the closed ledgers, of these numbers, where former ones are, and begins another with the entry.
fn succeed(building: &Path, closed: RangeInclusive<u32>, entry: Entry) -> Result<()> {
    let present = building.join(LEDGER);
    for number in closed {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        storage(fs::rename(&present, building.join(former_ledger(number))))?;
        create_ledger(&present)?;
    }
    let stores = sqlite::open(building).map_err(unopened)?;
    Ledger::new(&stores).append(vec![entry])?;
    drop(stores);
    storage(sync(building))
}
