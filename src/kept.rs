//! A vault is held to a checkpoint that is kept outside of it: whoever copies an older vault back finds that it gives nothing.

use std::path::{Path, PathBuf};

use crate::{
    error::{Error, ErrorKind, Result},
    ledger::{KeptCheckpoint, Signs, create_kept},
    vault::Vault,
};

impl Vault {
    /// Compares the ledger with a checkpoint that is kept outside of the vault, on another disk or machine, and keeps that file up to
    /// date from then on, for this vault and its clones. [`Vault::write_checkpoint`] makes it.
    ///
    /// Where the ledger does not go on from the checkpoint (the vault was copied back from an older copy, or its ledger rewritten),
    /// this is `RolledBack`, and from then on so is every call that would append to the ledger, which is every opening, change and
    /// search. What only reads works: [`Vault::backup`], [`Vault::doctor`], [`Vault::ledger_entries`]. A vault that is restored with the
    /// checkpoint (`Vault::restore_with_checkpoint`) works again.
    ///
    /// The file is written after an append when the last writing was a second ago or more, and when the last clone is dropped; that
    /// append waits for it, too. To have it written now, call this again. Reads the entries since the checkpoint, whatever the
    /// ledger's length. Several processes keep one file together.
    ///
    /// # A file that cannot be written keeps nobody from appending
    /// Nor does one that is taken away later: [`Vault::stats`] counts it, [`Vault::doctor`] warns, and it is tried again a second later.
    ///
    /// # Errors
    /// `RolledBack`; `NotFound` without the file, which is never made anew in silence: taking it away would be the way round; `Input`
    /// for one inside of the vault; `CannotOpen` for a checkpoint that this vault did not sign; `Damaged`, `NewerFormat`, `Limit`.
    /// `Storage` and `Locked` also where it was compared and cannot be written now: it is tried again after later appends.
    pub fn keep_checkpoint(&self, file: &Path) -> Result<()> {
        let kept = KeptCheckpoint::read(file)?;
        let file = self.outside(file)?;
        let registry = self.registry()?;
        let name = registry.ledgers_name();
        let key = match registry.checkpoint_key(registry.ledger_number()) {
            Err(e) if *e.kind() == ErrorKind::NotFound => {
                kept.ledger_of(&name)?;
                let message = "the vault has no key that signs its ledger, and a checkpoint was kept outside: it was rolled back";
                return Err(self.ledger().refuse(
                    message.to_owned(),
                    "nothing more is appended: restore the newest backup, with this checkpoint",
                ));
            }
            key => key?,
        };
        let known = registry.former.iter().map(|former| former.known).collect();
        self.ledger().keep(file, Signs { name, key, known })
    }

    /// Writes the present checkpoint to a file outside of the vault, mode 0600, for [`Vault::keep_checkpoint`]. The first call makes
    /// the vault's keys that sign: make a backup after it, for an older one cannot check what they signed. Waits for one disk sync,
    /// the first for three.
    ///
    /// # Errors
    /// `Exists` if there is something of this name, `Input` for a file inside of the vault, `RolledBack`, `RootKey`, `Locked`, `Storage`.
    pub fn write_checkpoint(&self, file: &Path) -> Result<()> {
        self.ledger().check_open()?;
        let file = self.outside(file)?;
        let (registry, _) = self.registry_that_signs()?;
        let key = registry.checkpoint_key(registry.ledger_number())?;
        create_kept(&file, &self.ledger().kept_now(&key)?)
    }

    /// The file by its whole path, wherever the process goes. Whoever copies the vault's folder, or puts it back, must not have it with
    /// it.
    fn outside(&self, file: &Path) -> Result<PathBuf> {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let missing = |_| Error::new(ErrorKind::NotFound, "the folder of the checkpoint's file is not there");
        let folder = folder.canonicalize().map_err(missing)?;
        if self.inner().folder.get().is_some_and(|vault| folder.starts_with(vault)) {
            return Err(Error::input("checkpoint", "its file lies inside the vault")
                .with_hint("keep it where no copy of the vault goes: on another disk or machine"));
        }
        Ok(folder.join(file.file_name().unwrap_or_default()))
    }
}
