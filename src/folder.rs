//! A vault in a folder, on SQLite.

mod check;

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use consignee_policy::Policy;

use crate::{
    admin::Setup,
    doctor::{Finding, Severity},
    error::{Error, ErrorKind, Result},
    key_list::{Inventory, KeyList, inventory, list},
    keys::{RecordId, RootKeyProvider},
    ledger::{Entry, Ledger, LedgerState},
    observe::{Operation, Watch},
    registry::{KnownParty, Registry, Unauthenticated},
    scopes::Scopes,
    store::{RecordSummary, Stores, sqlite},
    vault::Vault,
};

/// The copy of the policy for people to read. Never enforced.
const POLICY_COPY: &str = "policy.toml";

impl Vault {
    /// Makes a vault in a new folder (mode 0700). It appears whole or not at all.
    ///
    /// # Errors
    /// `Exists` if there is something at `folder` already, `NotFound` if what it is to be in is not there, `RootKey` if the key lies in
    /// it, `Input` for a policy with mistakes, `Storage`.
    pub fn create(folder: &Path, root: &dyn RootKeyProvider, setup: &Setup<'_>) -> Result<Self> {
        Watch::uncounted(Operation::Create, 0).one(Self::create_folder(folder, root, setup))
    }

    fn create_folder(folder: &Path, root: &dyn RootKeyProvider, setup: &Setup<'_>) -> Result<Self> {
        if folder.symlink_metadata().is_ok() {
            return Err(Error::new(ErrorKind::Exists, "there is something at this path already"));
        }
        if !parent_of(folder).is_dir() {
            let message = "the folder in which the vault is to be made is not there";
            return Err(Error::new(ErrorKind::NotFound, message).with_hint("make it first"));
        }
        check_location(folder, root)?;
        let building = building_path(folder)?;
        let built = sqlite::create(&building).map_err(unopened).and_then(|stores| {
            let vault = Self::begin_in(stores, root, setup)?;
            write_copy(&building, &setup.policy)?;
            Ok(vault.root())
        });
        let moved = built.and_then(|root| {
            let renamed = fs::rename(&building, folder).and_then(|()| sync_parent(folder));
            renamed.map_err(|_| Error::new(ErrorKind::Storage, "the folder cannot be made"))?;
            Ok(root)
        });
        if moved.is_err() {
            let _nothing_there = fs::remove_dir_all(&building);
        }
        let root = moved?;
        Self::with_root(sqlite::open(folder).map_err(unopened)?, root)
    }

    /// Unlocks the vault in a folder. Waits for the root key (a passphrase takes about a second) and, if the last writer
    /// crashed, for the settling of what it left.
    ///
    /// # Errors
    /// `NotFound` if there is no vault, `RootKey` for a wrong key or one that lies in the vault's folder, `Damaged`,
    /// `NewerFormat`, `Storage`; where one file is at fault, the message begins with its name.
    pub fn unlock(folder: &Path, root: &dyn RootKeyProvider) -> Result<Self> {
        let unlock = || {
            check_location(folder, root)?;
            Self::resume_in(open_stores(folder)?, root)
        };
        Watch::uncounted(Operation::Unlock, 0).one(unlock())
    }

    /// Writes the copy of the policy that people read, after it was applied.
    ///
    /// # Errors
    /// `Storage`.
    pub fn write_policy_copy(&self, folder: &Path, text: &str) -> Result<()> {
        write_copy(folder, text)
    }

    /// Whether the copy of the policy in the folder is the policy in force.
    ///
    /// # Errors
    /// `Storage`, `Damaged`.
    pub fn check_policy_copy(&self, folder: &Path) -> Result<Finding> {
        let in_force = self.policy()?.digest();
        let same = read_copy(folder)
            .and_then(|text| crate::admin::parse_policy(&text).ok())
            .is_some_and(|p| p.digest() == in_force);
        Ok(if same {
            Finding::new(Severity::Fine, "policy", "policy.toml is the policy in force")
        } else {
            Finding::new(
                Severity::Warning,
                "policy",
                "policy.toml is not the policy in force: only policy apply changes that",
            )
        })
    }
}

/// What a vault's folder shows to somebody without the root key. Nothing of it is authenticated.
pub struct Peek {
    stores: Stores,
    known: Unauthenticated,
}

impl Peek {
    /// Reads a vault's folder.
    ///
    /// # Errors
    /// `NotFound`, `Damaged`, `NewerFormat`, `Storage`.
    pub fn read(folder: &Path) -> Result<Self> {
        let stores = open_stores(folder)?;
        let known = Registry::peek(stores.keys.items()?)?;
        Ok(Self { stores, known })
    }

    /// Who may open what, as the folder says.
    ///
    /// # Errors
    /// `Damaged` if there is no policy.
    pub fn scopes(&self) -> Result<Scopes> {
        let accepted = self.known.policies.last();
        let accepted = accepted.ok_or_else(|| Error::new(ErrorKind::Damaged, "the vault has no policy"))?;
        let ledger = Ledger::new(Arc::clone(&self.stores.ledger));
        Ok(Scopes::of_vault(
            accepted,
            ledger.policy_index(&accepted.policy.digest())?,
            &self.known.parties,
            self.stores.orders.count_records()?,
            false,
        ))
    }

    /// The policy in force, as the folder says.
    ///
    /// # Errors
    /// `Damaged` if there is no policy.
    pub fn policy(&self) -> Result<Arc<Policy>> {
        let accepted = self.known.policies.last().map(|accepted| Arc::clone(&accepted.policy));
        accepted.ok_or_else(|| Error::new(ErrorKind::Damaged, "the vault has no policy"))
    }

    /// Every key, what it is for and who holds it by the policy, as the folder says. Reads all records.
    ///
    /// # Errors
    /// `Damaged` if there is no policy, `Storage`.
    pub fn inventory(&self) -> Result<Inventory> {
        inventory(&self.stores, &self.known)
    }

    /// The epochs and the generations of the release key, as the folder says. Reads all records.
    ///
    /// # Errors
    /// `Storage`.
    pub fn keys(&self) -> Result<KeyList> {
        list(&self.stores, &self.known.key_records, false)
    }

    /// The parties, as the folder says.
    pub fn parties(&self) -> &[KnownParty] {
        &self.known.parties
    }

    /// A page of stored orders above `after`, at most `limit`, ascending by id.
    ///
    /// # Errors
    /// `Storage`.
    pub fn list(&self, after: Option<RecordId>, limit: usize) -> Result<Vec<RecordSummary>> {
        Ok(self.stores.orders.page(after.map(|id| id.0).as_ref(), limit)?)
    }

    /// Size and root of the ledger.
    ///
    /// # Errors
    /// `Storage`.
    pub fn ledger_state(&self) -> Result<LedgerState> {
        Ledger::new(Arc::clone(&self.stores.ledger)).state()
    }

    /// Entries of the ledger from index `from` on, at most `limit`.
    ///
    /// # Errors
    /// `Storage`, `Damaged`, `NewerFormat`.
    pub fn ledger_entries(&self, from: u64, limit: usize) -> Result<Vec<Entry>> {
        Ledger::new(Arc::clone(&self.stores.ledger)).entries(from, limit)
    }

    /// Names of parties by their key id, as entries of the ledger name them; the vault itself is `vault`.
    pub fn party_names(&self) -> Vec<([u8; 16], String)> {
        let key_id = |number| crate::keys::party_key_id(self.known.vault, number, &[]);
        let own = (key_id(crate::keys::VAULT_PARTY), "vault".to_owned());
        let parties = self.known.parties.iter().map(|party| (key_id(party.number), party.name.clone()));
        std::iter::once(own).chain(parties).collect()
    }
}

fn open_stores(folder: &Path) -> Result<Stores> {
    let mut missing = Vec::new();
    for file in sqlite::FILES {
        match folder.join(file).symlink_metadata() {
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                let message = "this user may not read what is at this path";
                return Err(Error::new(ErrorKind::Storage, message).with_hint("run it as the vault's owner"));
            }
            Err(_) => missing.push(file),
            Ok(_) => {}
        }
    }
    if missing.len() == sqlite::FILES.len() {
        return Err(
            Error::new(ErrorKind::NotFound, "there is no vault at this path").with_hint("init makes one")
        );
    }
    if !missing.is_empty() {
        let message = format!("{} of the vault is missing", missing.join(", "));
        return Err(Error::new(ErrorKind::Damaged, message).with_hint("restore it from its newest backup"));
    }
    sqlite::open(folder).map_err(unopened)
}

fn unopened(sqlite::OpenError { file, fault }: sqlite::OpenError) -> Error {
    let error = Error::from(fault);
    match file {
        Some(file) => error.in_file(file),
        None => error,
    }
}

/// Whoever copies the folder must not have the key with it.
fn check_location(folder: &Path, root: &dyn RootKeyProvider) -> Result<()> {
    let Some(key) = root.location().and_then(|path| path.canonicalize().ok()) else { return Ok(()) };
    // A folder that is yet to be made has no canonical path; its parent has.
    let folder = folder.canonicalize().or_else(|_| {
        parent_of(folder).canonicalize().map(|parent| parent.join(folder.file_name().unwrap_or_default()))
    });
    if folder.is_ok_and(|folder| key.starts_with(folder)) {
        let hint = "move it where the vault's backups do not take it along";
        return Err(Error::new(ErrorKind::RootKey, "the key file lies inside the vault").with_hint(hint));
    }
    Ok(())
}

/// Makes the new name durable.
fn sync_parent(folder: &Path) -> io::Result<()> {
    fs::File::open(parent_of(folder))?.sync_all()
}

/// The folder that a folder is in, or is to be in.
fn parent_of(folder: &Path) -> &Path {
    folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn building_path(folder: &Path) -> Result<PathBuf> {
    let mut random = [0; 8];
    crate::suite::os_random(&mut random).map_err(|_| crate::sealer::no_randomness())?;
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(format!(".making-{:016x}", u64::from_le_bytes(random)));
    Ok(folder.with_file_name(name))
}

/// The copy, if it is a plain file: a pipe would keep its reader waiting, and a device may have no end.
fn read_copy(folder: &Path) -> Option<String> {
    const LONGEST: u64 = 1024 * 1024; // more than a policy may have
    let path = folder.join(POLICY_COPY);
    if !path.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
        return None;
    }
    let mut text = String::new();
    fs::File::open(path).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Replaces the copy in one step, mode 0600.
fn write_copy(folder: &Path, text: &str) -> Result<()> {
    let new = folder.join(format!("{POLICY_COPY}.new"));
    // What a crash left; or a link or pipe, which is not to be written through.
    let _nothing_there = fs::remove_file(&new);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(&new)
        .and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()))
        .and_then(|()| fs::rename(&new, folder.join(POLICY_COPY)))
        .map_err(|_| {
            Error::new(ErrorKind::Storage, "the copy of the policy cannot be written")
                .with_hint("policy.toml must be a plain file or nothing, and the disk have space")
        })
}
