//! `ledger publish`, `ledger verify` and `ledger proof`.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use consignee::{
    Backdated, KeptCheckpoint, Peek, Published, Succession, VaultCard, Verified,
    tlog::{SignedCheckpoint, TrustPolicy, VerifierKey},
};
use serde_json::json;

use crate::{
    args::{LedgerCheckpoint, LedgerProof, LedgerPublish, LedgerVerify},
    failure::{FAILED, Failure},
    input,
    party_key::{check_new, write_new},
    screen::Screen,
    show,
};

/// Most bytes of a policy, a checkpoint, a proof or a key that is given.
pub(crate) const LONGEST: u64 = 1 << 20;

pub(crate) fn publish(args: &LedgerPublish, screen: &mut Screen) -> Result<(), Failure> {
    let vault = args.key.unlock(&args.vault)?;
    for publication in vault.publish(&args.to)? {
        let checkpoint = publication.checkpoint.checkpoint();
        let (number, new) = (publication.ledger, checkpoint.size.saturating_sub(publication.before));
        let key = vault.ledger_key(number)?.to_string();
        if args.json {
            screen.json(&json!({
                "ledger": number, "origin": checkpoint.origin, "size": checkpoint.size, "new": new,
                "root": show::hex(&checkpoint.root), "key": key,
            }))?;
        } else {
            let size = show::counted_as(checkpoint.size, "entry", "entries");
            writeln!(screen, "ledger {number}: {size} published, {new} of them new")?;
            writeln!(screen, "its public key: {key}")?;
        }
    }
    if !args.json {
        let to = args.to.display();
        writeln!(screen, "{to}/public is for everybody, {to}/audit for auditors")?;
    }
    Ok(())
}

pub(crate) fn checkpoint(args: &LedgerCheckpoint, screen: &mut Screen) -> Result<(), Failure> {
    let Some(file) = &args.output else {
        write!(screen, "{}", args.key.unlock(&args.vault)?.checkpoint()?)?;
        return Ok(());
    };
    check_new(file)?;
    // Not held to a checkpoint: this may be the first, or take the place of one that was lost.
    let vault = args.key.unlock_only(&args.vault)?;
    vault.write_checkpoint(file).map_err(|e| Failure::of(file, &e))?;
    let size = show::counted_as(vault.ledger_state()?.size, "entry", "entries");
    writeln!(
        screen,
        "made {} of {size}: give it as --checkpoint wherever the vault is unlocked",
        file.display()
    )?;
    Ok(())
}

/// The public key of one ledger, or the card of all that a vault has.
pub(crate) enum LogKey {
    One(VerifierKey),
    Card(VaultCard),
}

impl LogKey {
    /// A key, or a file with a key or a card.
    pub(crate) fn of(given: &str) -> Result<Self, Failure> {
        if let Ok(key) = VerifierKey::parse(given) {
            return Ok(Self::One(key));
        }
        let path = Path::new(given);
        let text = input::text(path).map_err(|_| {
            Failure::usage(format!(
                "{given}: it is no public key of a ledger, and no file with one or with a card"
            ))
        })?;
        let card = || VaultCard::parse(&text).map(Self::Card);
        VerifierKey::parse(&text).map(Self::One).or_else(|_| card()).map_err(|_| {
            Failure::usage(format!("{given}: it holds no public key of a ledger, and no card of a vault"))
        })
    }

    /// The key of the ledger of this name; `None` where it is of another one.
    pub(crate) fn of_origin(&self, origin: &str) -> Result<Option<VerifierKey>, Failure> {
        match self {
            Self::One(key) => Ok(Some(key.clone()).filter(|key| key.name() == origin)),
            Self::Card(card) => {
                let number =
                    origin.strip_prefix(card.origin()).and_then(|rest| rest.strip_prefix('/')?.parse().ok());
                Ok(number
                    .map(|number| card.ledger_key(number))
                    .transpose()?
                    .filter(|key| key.name() == origin))
            }
        }
    }
}

/// The witnesses of a policy file, for one log; without a file, none are asked for.
pub(crate) fn trust(policy: Option<&PathBuf>, log: VerifierKey) -> Result<TrustPolicy, Failure> {
    let Some(path) = policy else { return Ok(TrustPolicy::log_only(log)) };
    let policy = TrustPolicy::parse(&input::bytes(path, LONGEST)?).map_err(|e| Failure::of(path, &e))?;
    policy.of_log(log).map_err(|e| Failure::of(path, &e))
}

pub(crate) fn verify(args: &LedgerVerify, screen: &mut Screen) -> Result<(), Failure> {
    let key = LogKey::of(&args.key)?;
    let of_checkpoint = |signed: &SignedCheckpoint| {
        let origin = &signed.checkpoint().origin;
        let log = key.of_origin(origin)?.ok_or_else(|| {
            Failure::new(FAILED, format!("the checkpoint is of {}, and the key is not", show::clean(origin)))
        })?;
        trust(args.policy.as_ref(), log)
    };
    if args.folder.join("ledger.db").exists() {
        let Some(path) = &args.checkpoint else {
            return Err(Failure::usage(
                "a vault is verified against a checkpoint that was kept elsewhere: --checkpoint FILE",
            ));
        };
        let bytes = input::bytes(path, LONGEST)?;
        // In either form.
        let kept = KeptCheckpoint::parse(&bytes).map(|kept| kept.signed().clone());
        let checkpoint =
            kept.or_else(|_| SignedCheckpoint::parse(&bytes)).map_err(|e| Failure::of(path, &e))?;
        let trust = of_checkpoint(&checkpoint)?;
        let number = checkpoint.checkpoint().origin.rsplit('/').next().and_then(|number| number.parse().ok());
        let peek = Peek::read(&args.folder)?.in_ledger(number.unwrap_or(1))?;
        return tell(&peek.verify_ledger(&trust, checkpoint)?, args.json, screen);
    }
    let ledgers: Vec<_> = Published::ledgers(&args.folder).collect();
    if ledgers.is_empty() {
        return Err(Failure::new(
            FAILED,
            format!("{}: there is no published ledger here", args.folder.display()),
        ));
    }
    if let Some(number) = Published::missing(&args.folder) {
        let message = format!("ledger {number} is missing, and a later one of the vault is published");
        return Err(Failure::new(FAILED, message));
    }
    let kept = args.checkpoint.as_ref().map(|path| {
        SignedCheckpoint::parse(&input::bytes(path, LONGEST)?).map_err(|e| Failure::of(path, &e))
    });
    let mut kept = kept.transpose()?;
    let (mut verified, mut before) = (0, None);
    for (number, ledger) in &ledgers {
        let in_ledger = |e: &consignee::Error| {
            Failure::new(e.kind().exit_status().min(FAILED), format!("ledger {number}: {e}"))
        };
        let checkpoint = ledger.checkpoint().map_err(|e| in_ledger(&e))?;
        let log = key.of_origin(&checkpoint.checkpoint().origin)?;
        if log.is_none() && matches!(key, LogKey::One(_)) && ledgers.len() > 1 {
            continue;
        }
        let trust = of_checkpoint(&checkpoint)?;
        let is_of_it =
            |kept: &mut SignedCheckpoint| kept.checkpoint().origin == checkpoint.checkpoint().origin;
        if let (Some(kept), Some(log)) = (kept.take_if(is_of_it), &log) {
            ledger.check_kept(&kept, log).map_err(|e| in_ledger(&e))?;
        }
        let found = ledger.verify(&trust, |_, _, _| Ok(())).map_err(|e| in_ledger(&e))?;
        tell(&found, args.json, screen)?;
        if let Some(before) = before.replace(ledger).filter(|_| found.has_entries) {
            let succession = ledger.check_succession(before).map_err(|e| in_ledger(&e))?;
            succession.map_or(Ok(()), |found| tell_succession(*number, &found, args.json, screen))?;
        }
        verified += 1;
    }
    if kept.is_some() {
        return Err(Failure::new(FAILED, "the checkpoint that was kept is of none of the ledgers here"));
    }
    match verified {
        0 => Err(Failure::new(FAILED, "none of the ledgers here is the one with this key")),
        _ => Ok(()),
    }
}

fn tell_succession(number: u32, found: &Succession, json: bool, screen: &mut Screen) -> Result<(), Failure> {
    let (known, lost, unknown) = (found.known, found.lost(), found.unknown());
    if json {
        screen.json(&json!({
            "ledger": number, "succeeds": number - 1, "known_size": known.size, "known_root": show::hex(&known.root),
            "lost": lost, "unknown_to_the_restore": unknown,
        }))?;
        return Ok(());
    }
    let entries = show::counted_as(known.size, "entry", "entries");
    writeln!(screen, "ledger {number} succeeds ledger {}, of which {entries} were known", number - 1)?;
    if lost > 0 {
        let entries = show::counted_as(lost, "entry", "entries");
        writeln!(screen, "LOST: {entries} of those are not published; nobody can show what they said")?;
    }
    if unknown > 0 {
        let entries = show::counted_as(unknown, "entry", "entries");
        writeln!(screen, "{entries} published beyond those: the restore was not told of them; they stand")?;
    }
    Ok(())
}

fn tell(found: &Verified, json: bool, screen: &mut Screen) -> Result<(), Failure> {
    let Verified { checkpoint, vouched, times, .. } = found;
    let (origin, size) = (show::clean(&checkpoint.origin), checkpoint.size);
    if json {
        screen.json(&found.to_json())?;
        return Ok(());
    }
    writeln!(
        screen,
        "{origin}: {}; root {}",
        show::counted_as(size, "entry", "entries"),
        show::hex(&checkpoint.root)
    )?;
    match found.has_entries {
        true => writeln!(screen, "signed by its key; every entry is there and hashes to the root")?,
        false => {
            writeln!(screen, "signed by its key; the tree hashes to the root. The entries are not here")?
        }
    }
    for (name, time) in &vouched.witnesses {
        writeln!(screen, "seen by {} at {}", show::clean(name), show::time_in_words(*time))?;
    }
    match (vouched.is_witnessed, found.witnessed) {
        (false, _) => writeln!(screen, "no witness was asked for: this is the shop's word only")?,
        (true, seen) if seen < size => {
            writeln!(
                screen,
                "the witnesses have seen the first {seen}; those after them are the shop's word only"
            )?;
        }
        (true, _) => writeln!(screen, "enough witnesses have seen all of it")?,
    }
    if let Some((first, last)) = times {
        writeln!(screen, "from {} to {}", show::time_in_words(*first), show::time_in_words(*last))?;
    }
    for Backdated { index, time, after } in &found.backdated {
        let (time, after) = (show::time_in_words(*time), show::time_in_words(*after));
        writeln!(screen, "BACKDATED: entry {index} says {time}, and follows what was there at {after}")?;
    }
    if found.backdated_count > 0 {
        let entries = show::counted_as(found.backdated_count, "entry", "entries");
        writeln!(screen, "{entries} dated back: the clock was set back, or somebody dated them so")?;
    }
    Ok(())
}

pub(crate) fn proof(args: &LedgerProof, screen: &mut Screen) -> Result<(), Failure> {
    let proof = Published::ledger(&args.folder, args.ledger).prove(args.index)?;
    hand_out(&proof.to_string(), args.output.as_ref(), screen)
}

/// Into a new file, or to standard output.
pub(crate) fn hand_out(text: &str, output: Option<&PathBuf>, screen: &mut Screen) -> Result<(), Failure> {
    match output {
        Some(path) => {
            check_new(path)?;
            write_new(path, text.as_bytes())
        }
        None => Ok(write!(screen, "{text}")?),
    }
}
