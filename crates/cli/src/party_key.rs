//! The party's side: its private key, and whom it trusts.

use std::{
    env,
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use consignee::{Kem, Party, PartyKey, Passphrase, VaultCard, public_path, trust_path};

use crate::{
    args::{KemName, PartyKeygen, PartyTrust},
    failure::{FAILED, Failure, said_by},
    input,
    root_key::{ask, first_line_of},
    screen::{Screen, says_yes, someone_is_there},
    table::Table,
};

const PASSPHRASE: &str = "CONSIGNEE_KEY_PASSPHRASE";
const OPTION: &str = "--key-passphrase-fd";

/// The options of every command that needs a party's private key.
#[derive(Args, Debug)]
pub(crate) struct PartyKeyArgs {
    /// The party's private key, as party keygen made it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Reads the passphrase of a locked key from the first line of this open file descriptor [env: CONSIGNEE_KEY_PASSPHRASE holds one
    /// itself]
    #[arg(long, value_name = "N")]
    key_passphrase_fd: Option<u32>,
}

impl PartyKeyArgs {
    pub(crate) fn open(&self) -> Result<Party, Failure> {
        let passphrase = match PartyKey::is_locked(&self.key).map_err(|e| self.said(&e))? {
            false => None,
            true => Some(match given_passphrase(self.key_passphrase_fd)? {
                Some(passphrase) => passphrase,
                None if someone_is_there() => Passphrase::new(ask("Passphrase of the key: ")?),
                None => {
                    return Err(Failure::usage(format!(
                        "the key is locked: give {OPTION} N or {PASSPHRASE} (there is no terminal to ask at)"
                    )));
                }
            }),
        };
        Party::open(&self.key, passphrase.as_ref()).map_err(|e| self.said(&e))
    }

    fn said(&self, e: &consignee::Error) -> Failure {
        Failure::of(&self.key, e)
    }
}

fn given_passphrase(descriptor: Option<u32>) -> Result<Option<Passphrase>, Failure> {
    let given = match descriptor {
        Some(number) => Some(first_line_of(number, OPTION)?),
        None => env::var(PASSPHRASE).ok().filter(|text| !text.is_empty()),
    };
    if given.as_deref() == Some("") {
        return Err(Failure::usage("the passphrase is empty"));
    }
    Ok(given.map(Passphrase::new))
}

pub(crate) fn generate(args: &PartyKeygen, screen: &mut Screen) -> Result<(), Failure> {
    let public = public_path(&args.output);
    if public.symlink_metadata().is_ok() {
        return Err(exists(&public));
    }
    let passphrase = given_passphrase(args.key_passphrase_fd)?;
    let key = PartyKey::generate(match args.kem {
        KemName::XWing => Kem::XWing,
        KemName::X25519 => Kem::X25519,
    })?;
    key.write(&args.output, passphrase.as_ref()).map_err(|e| Failure::of(&args.output, &e))?;
    write_new(&public, key.public().to_text().as_bytes())?;
    let locked = if passphrase.is_some() { ", locked by the passphrase" } else { "" };
    writeln!(
        screen,
        "made the private key {}{locked}: it stays on this machine; keep a copy apart",
        args.output.display()
    )?;
    writeln!(screen, "made {}: send it to the shop", public.display())?;
    writeln!(screen, "fingerprint {}: read it out to the shop by telephone", key.public().fingerprint())?;
    Ok(())
}

pub(crate) fn trust(args: &PartyTrust, screen: &mut Screen) -> Result<(), Failure> {
    let mut party = args.key.open()?;
    let Some(file) = &args.card else {
        return Ok(pins(&party).print(screen)?);
    };
    let card = VaultCard::parse(&input::text(file)?)?;
    if args.remove {
        let was = party.distrust(&card);
        party.save()?;
        let said = if was { "not trusted any more" } else { "that vault was not trusted" };
        return Ok(writeln!(screen, "{said}")?);
    }
    compare(&card, args.fingerprint.as_deref())?;
    let fingerprint = card.fingerprint();
    let other = party.trusted().any(|known| known.is_of(&card) && *known != card);
    party.trust(card);
    party.save()?;
    if other {
        writeln!(screen, "this vault had another card before: that one is not trusted any more")?;
    }
    writeln!(screen, "trusted from now on, in {}: {fingerprint}", trust_path(&args.key.key).display())?;
    Ok(())
}

/// Before anything is pinned: whoever passes off a card of his own counts on nobody's looking.
fn compare(card: &VaultCard, read_out: Option<&str>) -> Result<(), Failure> {
    match read_out {
        Some(read_out) => Ok(card.compare(read_out)?),
        None if someone_is_there() => {
            let question =
                format!("fingerprint {}\nIs it what the shop reads out by telephone?", card.fingerprint());
            if says_yes(&question)? { Ok(()) } else { Err(Failure::new(FAILED, "not trusted")) }
        }
        None => Err(Failure::usage(
            "give what the shop reads out by telephone as --fingerprint (there is no terminal to ask at)",
        )),
    }
}

fn pins(party: &Party) -> Table {
    let mut table = Table::new(&["trusted card", "vault"]);
    for card in party.trusted() {
        table.row(vec![card.fingerprint().to_string().into(), card.origin().into()]);
    }
    table
}

/// Writes a file that must not be there yet.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write_with(OpenOptions::new(), path, bytes)
}

/// The same, for its owner alone.
pub(crate) fn write_new_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    write_with(options, path, bytes)
}

fn write_with(mut options: OpenOptions, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |e: io::Error| match e.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => Failure::new(FAILED, format!("{}: {}", path.display(), said_by(&e))),
    };
    let mut file = options.write(true).create_new(true).open(path).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)
}

/// Refuses a file that is there already, before anything is entered for it.
pub(crate) fn check_new(path: &Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_ok() { Err(exists(path)) } else { Ok(()) }
}

fn exists(path: &Path) -> Failure {
    Failure::new(
        FAILED,
        format!("{}: there is a file of this name already; it stays as it is", path.display()),
    )
}
