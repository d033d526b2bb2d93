//! The shopper's slip: `ledger slip`, `who-saw --slip`, and the shop's answer, `who-saw --answer`.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use consignee::{Disclosures, Slip, SlipAnswer, SlipLedger, Vault, tlog::TrustPolicy};
use qrcode::{EcLevel, QrCode, render::svg};
use serde_json::json;

use crate::{
    args::{LedgerSlip, WhoSaw},
    failure::{FAILED, Failure},
    input,
    party_key::{check_new, write_new_private},
    publish::LONGEST,
    screen::Screen,
    show, who_saw,
};

/// Width of a module of the QR code, in pixels of the SVG.
const MODULE: u32 = 4;

pub(crate) fn make(args: &LedgerSlip, screen: &mut Screen) -> Result<(), Failure> {
    args.output.iter().chain(&args.qr).try_for_each(|path| check_new(path))?;
    let trust = args.policy.as_ref().map(|path| policy(path)).transpose()?;
    let vault = args.key.unlock(&args.vault)?;
    let slip = vault.slip(&args.order, args.log.as_deref(), trust.as_ref())?;
    let (text, vouched) = (slip.to_text(), slip.verify()?);
    if let Some(path) = &args.output {
        write_new_private(path, text.as_bytes())?;
    }
    if let Some(path) = &args.qr {
        write_new_private(path, qr(&text)?.as_bytes())?;
    }
    if args.json {
        let witnesses: Vec<_> = vouched
            .witnesses
            .iter()
            .map(|(name, time)| json!({ "name": name, "time": show::time(*time) }))
            .collect();
        screen.json(&json!({
            "slip": text.trim_end(), "record_id": slip.record_id().to_string(), "ledger": slip.place().ledger,
            "index": slip.place().index, "size": slip.size(), "witnesses": witnesses,
        }))?;
    } else if args.output.is_none() && args.qr.is_none() {
        write!(screen, "{}", *text)?;
    } else {
        let seen = show::counted_as(vouched.witnesses.len() as u64, "witness", "witnesses");
        writeln!(
            screen,
            "wrote the slip, of {} bytes and with {seen}: give it to the shopper, and keep no copy",
            text.len()
        )?;
    }
    Ok(())
}

/// Low error correction: the line has check digits, and the code is large enough as it is.
fn qr(text: &str) -> Result<String, Failure> {
    let code = QrCode::with_error_correction_level(text.trim_end(), EcLevel::L)
        .map_err(|_| Failure::new(FAILED, "the slip does not fit into a QR code"))?;
    Ok(code.render::<svg::Color<'_>>().module_dimensions(MODULE, MODULE).build())
}

fn policy(path: &Path) -> Result<TrustPolicy, Failure> {
    TrustPolicy::parse(&input::bytes(path, LONGEST)?).map_err(|e| Failure::of(path, &e))
}

pub(crate) fn read(
    file: &Path,
    folder: &Path,
    trust: Option<&PathBuf>,
    as_json: bool,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let slip = Slip::parse(&input::text(file)?).map_err(|e| Failure::of(file, &e))?;
    let trust = trust.map(|path| policy(path)).transpose()?;
    slip.verify().map_err(|e| Failure::of(file, &e))?;
    let found = slip.who_saw(folder, trust.as_ref())?;
    if as_json {
        return tell_programs(&slip, &found, screen);
    }
    writeln!(screen, "the slip is good: this order was put at {}", show::time_in_words(slip.put_at()))?;
    who_saw::print_entries(&found.entries, slip.order_no(), screen)?;
    for ledger in &found.ledgers {
        tell_ledger(ledger, screen)?;
    }
    match (found.is_complete, found.continues_slip) {
        (true, _) => writeln!(
            screen,
            "Complete up to these checkpoints, and the same history as when the slip was made."
        )?,
        (false, continues) => {
            writeln!(screen, "NO COMPLETENESS: this is what the shop told. It may have left entries out.")?;
            let size = slip.size();
            match continues {
                true => writeln!(screen, "It is the same history as when the slip was made.")?,
                false => writeln!(
                    screen,
                    "Nor is it shown that it is the same history as when the slip was made: ask the shop for an answer with --since {size}."
                )?,
            }
        }
    }
    Ok(writeln!(screen, "Not shown: {}.", Disclosures::NOT_SHOWN)?)
}

fn tell_ledger(ledger: &SlipLedger, screen: &mut Screen) -> Result<(), Failure> {
    let SlipLedger { checkpoint, vouched, witnessed, backdated, .. } = ledger;
    let size = show::counted_as(checkpoint.size, "entry", "entries");
    write!(screen, "{}: {size}, root {}; ", show::clean(&checkpoint.origin), show::hex(&checkpoint.root))?;
    let names: Vec<_> = vouched.witnesses.iter().map(|(name, _)| show::clean(name)).collect();
    match (vouched.is_witnessed, *witnessed) {
        (false, _) => writeln!(screen, "no witness: the shop's word only")?,
        (true, seen) if seen < checkpoint.size => {
            writeln!(
                screen,
                "{} saw the first {seen}, the others are the shop's word only",
                names.join(", ")
            )?;
        }
        (true, _) => writeln!(screen, "seen by {}", names.join(", "))?,
    }
    for entry in backdated {
        let (time, after) = (show::time_in_words(entry.time), show::time_in_words(entry.after));
        writeln!(
            screen,
            "BACKDATED: entry {} says {time}, and follows what was there at {after}",
            entry.index
        )?;
    }
    Ok(())
}

fn tell_programs(slip: &Slip, found: &SlipAnswer, screen: &mut Screen) -> Result<(), Failure> {
    for entry in &found.entries {
        screen.json(&entry.to_json(slip.record_id()))?;
    }
    let ledger = |ledger: &SlipLedger| {
        let SlipLedger { ledger, checkpoint, vouched, witnessed, backdated, .. } = ledger;
        let witnesses: Vec<_> = vouched
            .witnesses
            .iter()
            .map(|(name, time)| json!({ "name": name, "time": show::time(*time) }))
            .collect();
        json!({
            "ledger": ledger, "origin": checkpoint.origin, "size": checkpoint.size, "root": show::hex(&checkpoint.root),
            "witnesses": witnesses, "witnessed": witnessed,
            "backdated": backdated.iter().map(|entry| entry.index).collect::<Vec<_>>(),
        })
    };
    screen.json(&json!({
        "record_id": slip.record_id().to_string(),
        "order_no": slip.order_no(),
        "entries": found.entries.len(),
        "disclosures": found.entries.iter().filter(|entry| entry.is_disclosure()).count(),
        "complete": found.is_complete,
        "continues_slip": found.continues_slip,
        "ledgers": found.ledgers.iter().map(ledger).collect::<Vec<_>>(),
        "not_shown": Disclosures::NOT_SHOWN,
    }))?;
    Ok(())
}

pub(crate) fn answer(
    vault: &Vault,
    order: &str,
    (to, log): (&Path, &Path),
    args: &WhoSaw,
    screen: &mut Screen,
) -> Result<(), Failure> {
    check_new(to)?;
    let answer = vault.answer(order, log, args.names, args.since)?;
    answer.write(to)?;
    let entries = answer.entries;
    if args.json {
        return Ok(screen.json(&json!({ "entries": entries, "names": args.names, "since": args.since }))?);
    }
    let (count, to) = (show::counted_as(entries as u64, "entry", "entries"), to.display());
    Ok(writeln!(
        screen,
        "wrote {count} with proofs into {to}: it shows no completeness; the published entries do"
    )?)
}
