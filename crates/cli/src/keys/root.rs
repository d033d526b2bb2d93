//! `keys root`: changes the root key of a vault.

use std::io::Write;

use crate::{
    args::KeysRoot,
    failure::{Failure, complain},
    screen::Screen,
};

pub(crate) fn change_root(args: &KeysRoot, screen: &mut Screen) -> Result<(), Failure> {
    let source = args.new.source()?;
    // Before a key is made or asked for.
    let vault = args.key.unlock(&args.vault)?;
    let new = source.new_key(&args.vault)?;
    vault.change_root(&*new.provider).inspect_err(|_| {
        // It may be in force, or come to be: the next unlocking tells.
        complain("keep both root keys until one of them has unlocked the vault");
        if let Some(path) = &new.made {
            complain(&format!("the new key file {} was made and is kept", path.display()));
        }
    })?;
    writeln!(screen, "changed the root key of {}", args.vault.display())?;
    if let Some(path) = &new.made {
        writeln!(
            screen,
            "made the key file {}: without it nobody opens the vault; keep a copy apart from the vault's backups",
            path.display()
        )?;
    }
    writeln!(
        screen,
        "the old root key opens the vault no more. Copies of keys.db from before still open under it: keep it as long as you keep \
         such backups, as safe as the new one. Programs that have the vault unlocked must unlock it again"
    )?;
    Ok(())
}
