//! `init`: makes a vault.

use std::{borrow::Cow, io::Write};

use consignee::{Setup, Suite, Vault};

use crate::{
    args::Init,
    failure::{FAILED, Failure},
    input, policy,
    screen::Screen,
};

pub(crate) fn run(args: &Init, screen: &mut Screen) -> Result<(), Failure> {
    let shown = args.vault.display();
    // Before a key is made or a passphrase asked for.
    if args.vault.symlink_metadata().is_ok() {
        return Err(Failure::new(
            FAILED,
            format!("{shown}: there is something here already; nothing was changed"),
        ));
    }
    let mut setup = Setup { suite: Suite::from_number(args.suite).unwrap_or_default(), ..Setup::default() };
    if let Some(path) = &args.policy {
        let text = input::text(path)?;
        policy::parsed(path, &text)?;
        setup.policy = Cow::Owned(text);
    }
    if args.key.names_checkpoint() {
        return Err(Failure::usage(
            "a new vault has no checkpoint yet: ledger checkpoint VAULT -o FILE makes one",
        ));
    }
    let key = args.key.new_key(&args.vault)?;
    let vault = Vault::create(&args.vault, &*key.provider, &setup).inspect_err(|_| {
        // No vault was made, so the new key opens nothing.
        if let Some(path) = &key.made {
            let _still_there = std::fs::remove_file(path);
        }
    })?;
    writeln!(
        screen,
        "made {shown}, sealing with {}, policy {}",
        setup.suite.name(),
        policy::short(&*vault.policy()?)
    )?;
    if let Some(path) = &key.made {
        writeln!(
            screen,
            "made the key file {}: without it nobody opens the vault; keep a copy apart from the vault's backups",
            path.display()
        )?;
    }
    Ok(())
}
