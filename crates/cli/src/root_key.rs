//! Where the root key comes from: a key file, a passphrase, or the person at the terminal.

use std::{
    env,
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal},
    path::{Path, PathBuf},
};

use clap::Args;
use consignee::{KeyFile, Passphrase, RootKeyProvider, Vault};

use crate::failure::{FAILED, Failure, said_by};

const KEY_FILE: &str = "CONSIGNEE_KEY_FILE";
const PASSPHRASE: &str = "CONSIGNEE_PASSPHRASE";
/// Longest passphrase that is read from a descriptor, in bytes.
const LONGEST: u64 = 4096;

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
}

enum Source {
    File(PathBuf),
    Descriptor(u32),
    Environment(String),
    Terminal,
}

/// The provider for a new vault.
pub(crate) struct NewKey {
    pub(crate) provider: Box<dyn RootKeyProvider>,
    /// The key file, if this call made it.
    pub(crate) made: Option<PathBuf>,
}

impl KeyArgs {
    /// Unlocks the vault in a folder.
    pub(crate) fn unlock(&self, folder: &Path) -> Result<Vault, Failure> {
        Ok(Vault::unlock(folder, &*self.provider_for(folder)?)?)
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

    /// Whether a root key can be had without asking anybody.
    pub(crate) fn is_given(&self) -> Result<bool, Failure> {
        Ok(!matches!(self.source()?, None | Some(Source::Terminal)))
    }

    /// The provider for a vault that is somewhere.
    pub(crate) fn provider(&self) -> Result<Box<dyn RootKeyProvider>, Failure> {
        match self.required_source()? {
            Source::File(path) => Ok(Box::new(KeyFile::read(&path)?)),
            Source::Terminal => Ok(Box::new(Passphrase::new(ask("Passphrase: ")?))),
            source => given_passphrase(source),
        }
    }

    /// The root key of a vault that is to be made at `folder`. A key file is made if it is not there.
    pub(crate) fn new_key(&self, folder: &Path) -> Result<NewKey, Failure> {
        let provider: Box<dyn RootKeyProvider> = match self.required_source()? {
            Source::File(path) if path.symlink_metadata().is_err() => {
                if lies_in(&path, folder) {
                    return Err(Failure::usage(
                        "the key file lies inside the vault (move it where the vault's backups do not take it along)",
                    ));
                }
                let key = KeyFile::create(&path)?;
                return Ok(NewKey { provider: Box::new(key), made: Some(path) });
            }
            Source::File(path) => Box::new(KeyFile::read(&path)?),
            Source::Terminal => {
                let passphrase = ask("Passphrase of the new vault: ")?;
                if ask("The same again: ")? != passphrase {
                    return Err(Failure::usage("the two passphrases differ; nothing was made"));
                }
                Box::new(Passphrase::new(passphrase))
            }
            source => given_passphrase(source)?,
        };
        Ok(NewKey { provider, made: None })
    }

    fn required_source(&self) -> Result<Source, Failure> {
        self.source()?.ok_or_else(|| {
            Failure::usage(
                "no root key: give --key-file FILE, --passphrase-fd N, CONSIGNEE_KEY_FILE or CONSIGNEE_PASSPHRASE \
                 (there is no terminal to ask at)",
            )
        })
    }

    /// Options before environment, environment before questions.
    fn source(&self) -> Result<Option<Source>, Failure> {
        let given = |name| env::var_os(name).filter(|value| !value.is_empty());
        if let Some(path) = &self.key_file {
            return Ok(Some(Source::File(path.clone())));
        }
        if let Some(number) = self.passphrase_fd {
            return Ok(Some(Source::Descriptor(number)));
        }
        if let Some(path) = given(KEY_FILE) {
            return Ok(Some(Source::File(path.into())));
        }
        if let Some(passphrase) = given(PASSPHRASE) {
            let text = passphrase.into_string();
            let text = text.map_err(|_| Failure::usage(format!("{PASSPHRASE} is not text in UTF-8")))?;
            return Ok(Some(Source::Environment(text)));
        }
        // Both, so that a program that only lends its terminal as one of them is not kept waiting.
        let someone_is_there = io::stdin().is_terminal() && io::stderr().is_terminal();
        Ok(someone_is_there.then_some(Source::Terminal))
    }
}

fn given_passphrase(source: Source) -> Result<Box<dyn RootKeyProvider>, Failure> {
    let passphrase = match source {
        Source::Environment(text) => text,
        Source::Descriptor(0) => first_line(io::stdin().lock())?,
        Source::Descriptor(number) => {
            let unreadable = |e| Failure::usage(format!("--passphrase-fd {number}: {}", said_by(&e)));
            first_line(BufReader::new(File::open(format!("/dev/fd/{number}")).map_err(unreadable)?))?
        }
        Source::File(_) | Source::Terminal => String::new(),
    };
    if passphrase.is_empty() {
        return Err(Failure::usage("the passphrase is empty"));
    }
    Ok(Box::new(Passphrase::new(passphrase)))
}

fn first_line(reader: impl BufRead) -> Result<String, Failure> {
    let mut line = String::new();
    let read = reader.take(LONGEST).read_line(&mut line);
    read.map_err(|e| Failure::usage(format!("--passphrase-fd: {}", said_by(&e))))?;
    line.truncate(line.trim_end_matches(['\n', '\r']).len());
    Ok(line)
}

fn ask(prompt: &str) -> Result<String, Failure> {
    rpassword::prompt_password(prompt)
        .map_err(|_| Failure::usage("no passphrase could be read from the terminal"))
}

/// Whether a path that is yet to be made would lie in a folder that is yet to be made.
fn lies_in(path: &Path, folder: &Path) -> bool {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    whole(path).starts_with(whole(folder))
}
