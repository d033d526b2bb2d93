//! A vault in a folder, on SQLite.

mod backup;
mod check;
mod manifest;
mod restore;

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use consignee_policy::Policy;

pub use restore::{BackupSets, Restored};

use crate::{
    admin::Setup,
    custody,
    doctor::{Finding, Severity},
    error::{Error, ErrorKind, Result},
    key_list::{Inventory, KeyList, inventory, list},
    keys::{RecordId, RootKeyProvider},
    ledger::{Entry, Ledger, LedgerState},
    observe::{Operation, Watch},
    publish::{self, Verified},
    registry::{KnownParty, Registry, Unauthenticated},
    scopes::Scopes,
    store::{RecordSummary, Stores, sqlite},
    tlog::{SignedCheckpoint, TrustPolicy},
    vault::Vault,
};

/// The copy of the policy for people to read. Never enforced.
const POLICY_COPY: &str = "policy.toml";
/// The database of the present ledger.
const LEDGER: &str = "ledger.db";

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
        check_location(folder, root)?;
        let root = build(folder, |building| {
            let stores = sqlite::create(building).map_err(unopened)?;
            let vault = Self::begin_in(stores, root, setup)?;
            write_copy(building, &setup.policy)?;
            Ok(vault.root())
        })?;
        Ok(Self::with_root(sqlite::open(folder).map_err(unopened)?, root)?.at(folder))
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
            Ok(Self::resume_in(open_stores(folder)?, root)?.at(folder))
        };
        Watch::uncounted(Operation::Unlock, 0).one(unlock())
    }

    /// Knows where its files are, wherever the process goes.
    fn at(self, folder: &Path) -> Self {
        let _set_once = self.inner().folder.set(folder.canonicalize().unwrap_or_else(|_| folder.to_owned()));
        self
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
        let ledger = Ledger::new(&self.stores);
        Ok(Scopes::of_vault(
            accepted,
            ledger.policy_place(&accepted.policy.digest())?,
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

    /// Number of the ledger that it shows: the present one, unless another was chosen.
    pub fn ledger_number(&self) -> u32 {
        Ledger::new(&self.stores).number()
    }

    /// Shows the ledger of this number in place of the present one: those before it were closed when the vault was restored.
    ///
    /// # Errors
    /// `NotFound` for a number that no ledger has.
    pub fn in_ledger(mut self, number: u32) -> Result<Self> {
        let present = self.ledger_number();
        if number == 0 || number > present {
            let message = "the vault has no ledger of this number";
            return Err(Error::new(ErrorKind::NotFound, message).with_hint(format!("it has 1 to {present}")));
        }
        let before = usize::try_from(number - 1).unwrap_or(usize::MAX);
        if let Some(former) = self.stores.former.get(before).cloned() {
            self.stores.ledger = former;
            self.stores.former.truncate(before);
        }
        Ok(self)
    }

    /// Size and root of the ledger.
    ///
    /// # Errors
    /// `Storage`.
    pub fn ledger_state(&self) -> Result<LedgerState> {
        Ledger::new(&self.stores).state()
    }

    /// Entries of the ledger from index `from` on, at most `limit`.
    ///
    /// # Errors
    /// `Storage`, `Damaged`, `NewerFormat`.
    pub fn ledger_entries(&self, from: u64, limit: usize) -> Result<Vec<Entry>> {
        Ledger::new(&self.stores).entries(from, limit)
    }

    /// Verifies the ledger that it shows up to a checkpoint that was kept elsewhere. Needs no secret; reads all entries.
    ///
    /// # Errors
    /// `CannotOpen`, and `NotPermitted` for too few witnesses, as [`TrustPolicy::check`] says; `RolledBack` where the ledger has fewer
    /// entries; `Damaged` with the index of the first entry at fault; `Storage`.
    pub fn verify_ledger(&self, trust: &TrustPolicy, checkpoint: SignedCheckpoint) -> Result<Verified> {
        publish::verify_store(&*self.stores.ledger, trust, checkpoint)
    }

    /// Names of parties by their key id, as entries of the ledger name them; the vault itself is `vault`.
    pub fn party_names(&self) -> Vec<([u8; 16], String)> {
        let vault = self.known.vault;
        let own = (crate::keys::party_key_id(vault, crate::keys::VAULT_PARTY, &[]), "vault".to_owned());
        let ids = |party: &'_ KnownParty| party.key_ids(vault).collect::<Vec<_>>();
        let named = |party: &KnownParty| ids(party).into_iter().map(|id| (id, party.name.clone())).collect();
        let parties = self.known.parties.iter().flat_map::<Vec<_>, _>(named);
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
        Some(file) => error.in_file(&file),
        None => error,
    }
}

fn check_location(folder: &Path, root: &dyn RootKeyProvider) -> Result<()> {
    // A folder that is yet to be made has no canonical path; its parent has.
    let folder = folder.canonicalize().or_else(|_| {
        parent_of(folder).canonicalize().map(|parent| parent.join(folder.file_name().unwrap_or_default()))
    });
    folder.map_or(Ok(()), |folder| custody::check_location(&folder, root))
}

/// Makes the new name durable.
fn sync_parent(folder: &Path) -> io::Result<()> {
    fs::File::open(parent_of(folder))?.sync_all()
}

/// Has a folder made beside its place and moved there: it appears whole or not at all.
fn build<T>(folder: &Path, make: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    if folder.symlink_metadata().is_ok() {
        return Err(Error::new(ErrorKind::Exists, "there is something at this path already"));
    }
    if !parent_of(folder).is_dir() {
        let message = "the folder in which it is to be made is not there";
        return Err(Error::new(ErrorKind::NotFound, message).with_hint("make it first"));
    }
    let building = building_path(folder)?;
    let moved = make(&building).and_then(|made| {
        let renamed = fs::rename(&building, folder).and_then(|()| sync_parent(folder));
        renamed.map_err(|_| Error::new(ErrorKind::Storage, "the folder cannot be made"))?;
        Ok(made)
    });
    if moved.is_err() {
        let _nothing_there = fs::remove_dir_all(&building);
    }
    moved
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

/// The copy, if it is a plain file.
fn read_copy(folder: &Path) -> Option<String> {
    const LONGEST: u64 = 1024 * 1024; // more than a policy may have
    let mut text = String::new();
    open_plain(&folder.join(POLICY_COPY))?.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

/// A plain file: a pipe would keep its reader waiting, and a device may have no end.
fn open_plain(path: &Path) -> Option<fs::File> {
    path.symlink_metadata().ok().filter(fs::Metadata::is_file)?;
    fs::File::open(path).ok()
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
