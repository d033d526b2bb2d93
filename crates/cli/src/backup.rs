//! `backup` and `restore`.

use std::{io::Write, path::Path};

use consignee::{BackupSets, KeptCheckpoint, LedgerNote, Restored, Vault};

use crate::{
    args::{Backup, Restore},
    doctor,
    failure::{FAILED, Failure},
    screen::Screen,
    show,
};

pub(crate) fn backup(args: &Backup, screen: &mut Screen) -> Result<(), Failure> {
    let vault = args.key.unlock(&args.vault)?;
    let note = vault.backup(&args.to)?;
    let made = args.to.display();
    writeln!(screen, "made {made}: records, secrets and keys, each to be kept where the others are not")?;
    writeln!(screen, "note elsewhere, for a restore: --last-known {note}")?;
    Ok(())
}

pub(crate) fn restore(args: &Restore, screen: &mut Screen) -> Result<(), Failure> {
    let shown = args.vault.display();
    // Before a passphrase is asked for.
    if args.vault.symlink_metadata().is_ok() {
        let message = format!("{shown}: there is something here already; nothing was changed");
        return Err(Failure::new(FAILED, message));
    }
    let root = args.key.provider()?;
    let restored = match args.key.checkpoint().filter(|_| args.last_known.is_none()) {
        None => Vault::restore(&sets(args), &args.vault, &*root, args.last_known)?,
        Some(file) => {
            let kept = KeptCheckpoint::read(&file).map_err(|e| Failure::of(&file, &e))?;
            Vault::restore_with_checkpoint(&sets(args), &args.vault, &*root, &kept)?
        }
    };
    tell(&restored, &args.vault, screen)?;
    drop(restored);
    doctor::examine(&args.vault, &*root, &args.key, screen)
}

fn sets(args: &Restore) -> BackupSets {
    match (&args.records, &args.secrets, &args.keys) {
        (Some(records), Some(secrets), Some(keys)) => {
            BackupSets { records: records.clone(), secrets: secrets.clone(), keys: keys.clone() }
        }
        // Where one of them was left out, clap has seen to it that there is --from.
        _ => BackupSets::below(args.from.as_deref().unwrap_or(Path::new("."))),
    }
}

fn tell(restored: &Restored, folder: &Path, screen: &mut Screen) -> Result<(), Failure> {
    let Restored { vault, taken_at, closed, known, .. } = restored;
    let entries = |note: &LedgerNote| show::counted_as(note.state.size, "entry", "entries");
    let (number, present) = (closed.ledger, vault.ledger_number()?);
    writeln!(screen, "made {} as it was at {}", folder.display(), show::time_in_words(*taken_at))?;
    writeln!(
        screen,
        "ledger {number} came back with {} and is closed; ledger {present} follows",
        entries(closed)
    )?;
    if known != closed {
        writeln!(screen, "the last that is known is ledger {} with {}", known.ledger, entries(known))?;
    }
    writeln!(screen, "what was entered after the backup is lost, and nobody knows what it said")?;
    writeln!(
        screen,
        "do again what was done since: revoke parties, exchange party keys, close, shred and change orders, apply policies, put \
         orders, rotate and destroy keys, rewrap, change the root key"
    )?;
    Ok(())
}
