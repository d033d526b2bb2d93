//! Custody: changing the root key of a vault, and where one may lie.

use std::path::Path;

use crate::{
    error::{Error, ErrorKind, Result},
    keys::RootKeyProvider,
    ledger::{Entry, EntryKind, Ledger},
    observe::Operation,
    registry::{Registry, announces_root},
    store::{LOCK_WAIT, StoreError, Stores},
    vault::{Root, Vault},
};

/// Detail of the entry: kind 0 (the root key), no numbers.
const DETAIL: [u8; 9] = [0; 9];

impl Vault {
    /// Changes the root key of the vault to another one, of whatever kind: every key is wrapped anew, in one step that is announced,
    /// entered in the ledger and finished as all changes are. Orders are not touched, and the keys that they are under stay the
    /// same. The old root key is not asked any more: a vault that is unlocked can be changed away from a token that is lost.
    ///
    /// From then on the new root key alone opens the vault. This vault and its clones go on; other processes that unlocked it get
    /// `RootKey` at their next call, and must unlock it again. Waits for both root keys, five disk syncs and, at most 10 seconds,
    /// for another writer.
    ///
    /// # An error does not say which of the two opens
    /// What was announced before a failure is finished later if the ledger has its entry, and dropped if not; each says so. Keep
    /// both until the vault was unlocked with one.
    ///
    /// # Copies
    /// A copy of `keys.db` from before opens under the old root key, for as long as there is one of both. Where that key is known to
    /// others, rotate the keys in the vault, too.
    ///
    /// # Errors
    /// `RootKey` where the new one cannot be used, does not unwrap again what it wraps, or lies in the vault's folder, or where the
    /// root key was changed by another process; `Locked` also where it is done and the old wraps cannot be wiped from the file,
    /// because somebody reads it, as the message says; `Storage`.
    pub fn change_root(&self, new: &dyn RootKeyProvider) -> Result<()> {
        self.watch(Operation::ChangeRoot, 0).one(self.change_root_to(new))
    }

    /// Refuses the root key in force. What an earlier change to it has left in the file is wiped all the same.
    fn refuse_same(&self, new: &dyn RootKeyProvider) -> Result<()> {
        let root = self.root();
        let Ok(candidate) = new.unlock(&root.parameters) else { return Ok(()) };
        if Registry::load(self.inner().stores.keys.items()?, &*candidate).is_err() {
            return Ok(());
        }
        self.inner().stores.keys.wipe_removed(LOCK_WAIT)?;
        Err(already_has())
    }

    fn change_root_to(&self, new: &dyn RootKeyProvider) -> Result<()> {
        // Before anything is made for it, on a token perhaps.
        self.registry()?;
        if let Some(folder) = self.inner().folder.get() {
            check_location(folder, new)?;
        }
        self.refuse_same(new)?;
        let parameters = new.new_parameters()?;
        let next = Root { key: new.unlock(&parameters)?.into(), parameters };
        let _writer = self.writer()?;
        let (registry, root) = (self.registry()?, self.root());
        let mut changes = registry.change(&*root.key, &root.parameters);
        let commitment = changes.change_root(&*next.key, &next.parameters)?;
        let mut entry = Entry::new(EntryKind::Rotation, registry.own_key_id(), registry.policy()?.digest());
        entry.commitments = vec![commitment];
        entry.detail = DETAIL.to_vec();
        self.expect_root(next);
        self.enter_change(changes, vec![entry])?;
        self.registry()?;
        self.inner().stores.keys.wipe_removed(LOCK_WAIT).map_err(unwiped)
    }
}

/// Whoever exchanges a root key that has got out must not be told that it was done when it was not.
fn already_has() -> Error {
    Error::new(ErrorKind::Exists, "the vault has this root key already: nothing was changed")
        .with_hint("if the key may have got out, give another one")
}

fn unwiped(fault: StoreError) -> Error {
    match fault {
        StoreError::Locked => {
            let message =
                "the root key was changed, but keys under the old one are still in the file keys.db";
            Error::new(ErrorKind::Locked, message)
                .with_hint("end what reads it, such as a backup, and change to the same root key once more")
        }
        fault => fault.into(),
    }
}

/// Whether an entry is of a change of the root key.
pub(crate) fn is_root_change(entry: &Entry) -> bool {
    entry.kind == EntryKind::Rotation && entry.detail.first() == Some(&DETAIL[0])
}

/// Whoever copies the folder must not have the key with it.
pub(crate) fn check_location(folder: &Path, root: &dyn RootKeyProvider) -> Result<()> {
    let key = root.location().and_then(|path| path.canonicalize().ok());
    if key.is_some_and(|key| key.starts_with(folder)) {
        return Err(Error::root_key("the key file lies inside the vault")
            .with_hint("move it where the vault's backups do not take it along"));
    }
    Ok(())
}

/// The error of an unlocking, saying so if the vault had another root key before or is about to get one.
pub(crate) fn explained(e: Error, stores: &Stores) -> Error {
    if !e.is_of_other_root_key() {
        return e;
    }
    let announced = stores.keys.items().is_ok_and(|items| announces_root(&items));
    if announced {
        return e.with_further_hint(
            "a change of the root key was cut short: unlock it with the old one once, which finishes the change or drops it",
        );
    }
    match Ledger::new(stores).newest_of_vault(is_root_change) {
        Ok(Some(place)) => e.with_further_hint(&format!(
            "the root key was changed (entry {place} of the ledger): the one from before opens no more"
        )),
        _ => e,
    }
}
