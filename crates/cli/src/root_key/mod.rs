//! Where the root key comes from: a key file, a passphrase, a token, or the person at the terminal.

mod secret;
#[cfg(feature = "pkcs11")]
mod token;

use std::{
    io,
    path::{Path, PathBuf},
};

use clap::Args;
use consignee::{ErrorKind, KeyFile, Passphrase, RootKeyProvider, Vault};
use secret::{Secret, variable};
pub(crate) use secret::{ask, first_line_of};

use crate::failure::{FAILED, Failure, complain};

const KEY_FILE: &str = "CONSIGNEE_KEY_FILE";
const PASSPHRASE: &str = "CONSIGNEE_PASSPHRASE";
const CHECKPOINT: &str = "CONSIGNEE_CHECKPOINT";

/// The options of every command that needs the root key.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Root key")]
pub(crate) struct KeyArgs {
    /// Key file [env: CONSIGNEE_KEY_FILE]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Reads the passphrase from the first line of this open file descriptor [env: CONSIGNEE_PASSPHRASE holds one itself]
    #[arg(long, value_name = "N", conflicts_with = "key_file")]
    passphrase_fd: Option<u32>,
    #[cfg(feature = "pkcs11")]
    #[command(flatten)]
    token: token::TokenArgs,
    /// Checkpoint kept outside of the vault (ledger checkpoint -o FILE): nothing is opened or changed in a vault that does not go on from
    /// it [env: CONSIGNEE_CHECKPOINT]
    #[arg(long, value_name = "FILE", help_heading = "Ledger")]
    checkpoint: Option<PathBuf>,
}

/// The options of the root key that a vault changes to.
#[derive(Args, Debug)]
#[command(next_help_heading = "New root key")]
pub(crate) struct NewKeyArgs {
    /// Key file; made if it is not there
    #[arg(long, value_name = "FILE")]
    new_key_file: Option<PathBuf>,
    /// Asks for a new passphrase at the terminal
    #[arg(long, conflicts_with_all = ["new_key_file", "new_passphrase_fd"])]
    new_passphrase: bool,
    /// Reads the new passphrase from the first line of this open file descriptor
    #[arg(long, value_name = "N", conflicts_with = "new_key_file")]
    new_passphrase_fd: Option<u32>,
    #[cfg(feature = "pkcs11")]
    #[command(flatten)]
    token: token::NewTokenArgs,
}

/// Where a root key is to be had.
pub(crate) enum Source {
    File(PathBuf),
    Passphrase(Secret),
    #[cfg(feature = "pkcs11")]
    Token(token::Token),
}

/// The provider for a new vault, or for one that changes to it.
pub(crate) struct NewKey {
    pub(crate) provider: Box<dyn RootKeyProvider>,
    /// The key file, if this call made it.
    pub(crate) made: Option<PathBuf>,
}

impl KeyArgs {
    /// Unlocks the vault in a folder, and holds it to the checkpoint that is kept outside, if one is.
    pub(crate) fn unlock(&self, folder: &Path) -> Result<Vault, Failure> {
        let vault = self.unlock_only(folder)?;
        self.keep(&vault)?;
        Ok(vault)
    }

    /// Unlocks the vault in a folder.
    pub(crate) fn unlock_only(&self, folder: &Path) -> Result<Vault, Failure> {
        Ok(Vault::unlock(folder, &*self.provider_for(folder)?)?)
    }

    /// The checkpoint that is kept outside of the vault, if one is.
    pub(crate) fn checkpoint(&self) -> Option<PathBuf> {
        self.checkpoint.clone().or_else(|| variable(CHECKPOINT).map(PathBuf::from))
    }

    /// Whether the option for it was given.
    pub(crate) fn names_checkpoint(&self) -> bool {
        self.checkpoint.is_some()
    }

    /// Holds a vault to the checkpoint that is kept outside. That it was rolled back is said by what it then refuses: reading, and a
    /// backup, lead out of it.
    pub(crate) fn keep(&self, vault: &Vault) -> Result<(), Failure> {
        let Some(file) = self.checkpoint() else { return Ok(()) };
        let Err(e) = vault.keep_checkpoint(&file) else { return Ok(()) };
        let fault = Failure::of(&file, &e);
        let is_kept = vault.stats().is_ok_and(|stats| stats.kept_checkpoint.is_some());
        match e.kind() {
            ErrorKind::RolledBack => Ok(()),
            // It was compared, which is what counts.
            _ if is_kept => {
                complain(&format!("warning: {fault}"));
                Ok(())
            }
            _ => Err(fault),
        }
    }

    /// The provider for the vault in a folder.
    pub(crate) fn provider_for(&self, folder: &Path) -> Result<Box<dyn RootKeyProvider>, Failure> {
        // Before anybody types a passphrase for it.
        let absent =
            folder.metadata().map_or_else(|e| e.kind() == io::ErrorKind::NotFound, |meta| !meta.is_dir());
        if absent {
            return Err(Failure::new(
                FAILED,
                format!("{}: there is no vault here (init makes one)", folder.display()),
            ));
        }
        self.provider()
    }

    /// The provider for a vault that is somewhere.
    pub(crate) fn provider(&self) -> Result<Box<dyn RootKeyProvider>, Failure> {
        match self.required_source()? {
            Source::File(path) => Ok(Box::new(KeyFile::read(&path)?)),
            Source::Passphrase(secret) => {
                Ok(Box::new(Passphrase::new(secret.read("passphrase", "Passphrase: ")?)))
            }
            #[cfg(feature = "pkcs11")]
            Source::Token(token) => Ok(Box::new(token.provider()?)),
        }
    }

    /// Whether a root key can be had without asking anybody.
    pub(crate) fn is_given(&self) -> Result<bool, Failure> {
        Ok(match self.source()? {
            None => false,
            Some(Source::File(_)) => true,
            Some(Source::Passphrase(secret)) => !secret.is_asked_for(),
            #[cfg(feature = "pkcs11")]
            Some(Source::Token(token)) => !token.is_asked_for(),
        })
    }

    /// The root key of a vault that is to be made at `folder`.
    pub(crate) fn new_key(&self, folder: &Path) -> Result<NewKey, Failure> {
        self.required_source()?.new_key(folder)
    }

    fn required_source(&self) -> Result<Source, Failure> {
        self.source()?.ok_or_else(|| {
            Failure::usage(
                "no root key: give --key-file FILE, --passphrase-fd N, CONSIGNEE_KEY_FILE or CONSIGNEE_PASSPHRASE, or a token \
                 (there is no terminal to ask at)",
            )
        })
    }

    /// Options before environment, environment before questions.
    fn source(&self) -> Result<Option<Source>, Failure> {
        if let Some(path) = &self.key_file {
            return Ok(Some(Source::File(path.clone())));
        }
        if let Some(secret) = Secret::of_option("--passphrase-fd", self.passphrase_fd) {
            return Ok(Some(Source::Passphrase(secret)));
        }
        #[cfg(feature = "pkcs11")]
        if let Some(token) = self.token.by_option()? {
            return Ok(Some(Source::Token(token)));
        }
        if let Some(path) = variable(KEY_FILE) {
            return Ok(Some(Source::File(path.into())));
        }
        if let Some(secret) = Secret::of_environment(PASSPHRASE)? {
            return Ok(Some(Source::Passphrase(secret)));
        }
        #[cfg(feature = "pkcs11")]
        if let Some(token) = self.token.by_environment()? {
            return Ok(Some(Source::Token(token)));
        }
        Ok(Secret::of_terminal().map(Source::Passphrase))
    }
}

impl NewKeyArgs {
    pub(crate) fn source(&self) -> Result<Source, Failure> {
        if let Some(path) = &self.new_key_file {
            return Ok(Source::File(path.clone()));
        }
        if let Some(secret) = Secret::of_option("--new-passphrase-fd", self.new_passphrase_fd) {
            return Ok(Source::Passphrase(secret));
        }
        if self.new_passphrase {
            let terminal = Secret::of_terminal().map(Source::Passphrase);
            return terminal.ok_or_else(|| {
                Failure::usage("there is no terminal to ask at: give --new-passphrase-fd N instead")
            });
        }
        #[cfg(feature = "pkcs11")]
        if let Some(token) = self.token.by_option()? {
            return Ok(Source::Token(token));
        }
        Err(Failure::usage(
            "say which root key is the new one: --new-key-file FILE, --new-passphrase, --new-passphrase-fd N or a token by \
             --new-pkcs11-token LABEL",
        ))
    }
}

impl Source {
    /// A root key for the vault at `folder`, which it does not have yet. A key file is made if it is not there.
    pub(crate) fn new_key(self, folder: &Path) -> Result<NewKey, Failure> {
        let provider: Box<dyn RootKeyProvider> = match self {
            Self::File(path) if path.symlink_metadata().is_err() => {
                if lies_in(&path, folder) {
                    return Err(Failure::usage(
                        "the key file lies inside the vault (move it where the vault's backups do not take it along)",
                    ));
                }
                let key = KeyFile::create(&path)?;
                return Ok(NewKey { provider: Box::new(key), made: Some(path) });
            }
            Self::File(path) => Box::new(KeyFile::read(&path)?),
            Self::Passphrase(secret) if secret.is_asked_for() => {
                let passphrase = ask("Passphrase for the vault: ")?;
                if ask("The same again: ")? != passphrase {
                    return Err(Failure::usage("the two passphrases differ; nothing was changed"));
                }
                Box::new(Passphrase::new(passphrase))
            }
            Self::Passphrase(secret) => Box::new(Passphrase::new(secret.read("passphrase", "Passphrase: ")?)),
            #[cfg(feature = "pkcs11")]
            Self::Token(token) => Box::new(token.provider()?),
        };
        Ok(NewKey { provider, made: None })
    }
}

/// Whether a path that is yet to be made would lie in a folder, which may be yet to be made, too.
fn lies_in(path: &Path, folder: &Path) -> bool {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    whole(path).starts_with(whole(folder))
}
