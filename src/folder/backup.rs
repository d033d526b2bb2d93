//! A backup: three sets that are kept apart, of one moment.

use std::{fs::File, io, path::Path};

use super::{
    build,
    manifest::{Copied, MANIFEST, Manifest, Moment, Part},
    parent_of, read_copy, write_copy,
};
use crate::{
    error::{Error, ErrorKind, Result},
    ledger::{LedgerNote, now},
    observe::Operation,
    registry::Registry,
    sealer::no_randomness,
    store::sqlite::{Snapshot, create_file, create_folder, file_fault},
    suite::os_random,
    text::hex,
    vault::Vault,
};

/// A database at the moment of the backup, with its name.
type Fixed = (String, Snapshot);

impl Vault {
    /// Makes a backup in a new folder (mode 0700): `records` (sealed orders, ledger, the policy's copy), `secrets` and `keys`, each
    /// with a manifest. It appears whole or not at all. Returns what is to be noted elsewhere of the ledger, for a restore.
    ///
    /// All of it is of one moment. Other writers wait for that moment only, openings do not; reading and writing go on while it is
    /// copied. What is shredded meanwhile is wiped from the files when that is over: a shred then fails with `Locked`, and is
    /// finished by the next writer.
    ///
    /// # Keep the sets apart
    /// `secrets` with the root key opens what has been shredded since, as long as there is the `keys` of that time: none of the
    /// three belongs where one of the others is, and the root key in none of their places.
    ///
    /// # Errors
    /// `Exists` if there is something at `to` already, `NotFound` if what it is to be in is not there, `Input` for a path inside of
    /// the vault and for a vault that is in no folder, `Locked`, `Storage`.
    pub fn backup(&self, to: &Path) -> Result<LedgerNote> {
        self.watch(Operation::Backup, 0).one(self.back_up(to))
    }

    fn back_up(&self, to: &Path) -> Result<LedgerNote> {
        let folder = self.inner().folder.get().ok_or_else(|| {
            Error::input("vault", "it is in no folder: its stores have backups of their own")
        })?;
        if parent_of(to).canonicalize().is_ok_and(|parent| parent.starts_with(folder)) {
            return Err(Error::input("to", "a backup inside of the vault would be in the next one, too"));
        }
        build(to, |building| {
            let (registry, moment, databases) = self.fix(folder)?;
            storage(create_folder(building))?;
            for part in Part::ALL {
                let set = building.join(part.name());
                storage(create_folder(&set))?;
                let names = part.databases(moment.ledger.ledger);
                let mut files = Vec::new();
                for (name, snapshot) in databases.iter().filter(|(name, _)| names.contains(name)) {
                    files.push(copy(snapshot, &set, name)?);
                }
                if let Some(text) = read_copy(folder).filter(|_| part == Part::Records) {
                    write_copy(&set, &text)?;
                    files.push(storage(read_back(&set, super::POLICY_COPY))?);
                }
                storage(write_manifest(&set, &Manifest { part, moment, files }, &registry))?;
            }
            storage(sync(building))?;
            Ok(moment.ledger)
        })
    }

    /// What the vault is now, settled.
    fn fix(&self, folder: &Path) -> Result<(std::sync::Arc<Registry>, Moment, Vec<Fixed>)> {
        let _writer = self.settled()?;
        let registry = self.registry()?;
        let number = registry.ledger_number();
        let mut databases = Vec::new();
        for name in Part::ALL.into_iter().flat_map(|part| part.databases(number)) {
            let snapshot = Snapshot::of(&folder.join(&name)).map_err(|e| Error::from(e).in_file(&name))?;
            databases.push((name, snapshot));
        }
        let present = databases.iter().find(|(name, _)| name == super::LEDGER);
        let head = present.map(|(_, snapshot)| snapshot.ledger_head()).transpose()?;
        let state = head.as_ref().map(Into::into).ok_or_else(not_made)?;
        let mut backup = [0; 16];
        os_random(&mut backup).map_err(|_| no_randomness())?;
        let moment = Moment {
            vault: registry.vault.0,
            backup,
            taken_at: now(),
            ledger: LedgerNote { ledger: number, state },
        };
        Ok((registry, moment, databases))
    }
}

fn copy(snapshot: &Snapshot, set: &Path, name: &str) -> Result<Copied> {
    storage(create_file(&set.join(name)))?;
    snapshot.copy_to(&set.join(name)).map_err(|e| Error::from(e).in_file(name))?;
    storage(read_back(set, name))
}

/// What was written, by what the system has of it: a copy that cannot be read is none.
fn read_back(set: &Path, name: &str) -> io::Result<Copied> {
    let mut file = File::open(set.join(name))?;
    file.sync_all()?;
    Copied::read(name, &mut file, io::sink())
}

fn write_manifest(set: &Path, manifest: &Manifest, registry: &Registry) -> io::Result<()> {
    let text = manifest.text();
    let tag = hex(&registry.backup_tag(&text));
    let mut file = create_file(&set.join(MANIFEST))?;
    io::Write::write_all(&mut file, format!("{text}tag {tag}\n").as_bytes())?;
    file.sync_all()?;
    sync(set)
}

/// Makes the names in a folder durable.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

pub(super) fn storage<T>(done: io::Result<T>) -> Result<T> {
    done.map_err(|e| file_fault(&e).into())
}

fn not_made() -> Error {
    Error::new(ErrorKind::Storage, "the files cannot be written or read")
}
