//! `who-saw`: all that the ledgers have of an order.

use std::io::{self, Write};

use consignee::{Disclosures, LedgerNote, NamedPart, OrderEntry, Vault, Way, Who};

use crate::{
    args::WhoSaw,
    failure::{FAILED, Failure, complain},
    input::Names,
    screen::Screen,
    show, slip,
    table::Table,
};

/// Width from which on each column has one line's room on a terminal.
const WIDE: u16 = 120;

pub(crate) fn run(args: &WhoSaw, screen: &mut Screen) -> Result<(), Failure> {
    if let Some(file) = &args.slip {
        return slip::read(file, &args.vault, args.policy.as_ref(), args.json, screen);
    }
    let vault = args.key.unlock(&args.vault)?;
    let order = args.order.clone().unwrap_or_default();
    if let (Some(to), Some(log)) = (&args.answer, &args.log) {
        return slip::answer(&vault, &order, (to, log), args, screen);
    }
    let mut names = Names::of(vec![order]);
    let mut worst = None;
    while let Some(name) = names.next()? {
        let told = match name.text {
            Ok(order) => tell(&vault, &order, &name.label, args.json, screen),
            Err(reason) => Err(Failure::new(FAILED, reason)),
        };
        if let Err(failure) = told {
            screen.flush()?;
            complain(&format!("{}: {failure}", name.label));
            worst = Some(Failure::reported(failure.status()));
        }
    }
    worst.map_or(Ok(()), Err)
}

fn tell(vault: &Vault, order: &str, label: &str, as_json: bool, screen: &mut Screen) -> Result<(), Failure> {
    let told = vault.who_saw(order)?;
    if as_json {
        told.entries.iter().try_for_each(|entry| screen.json(&entry.to_json(told.record_id)))?;
        return Ok(screen.json(&told.to_json())?);
    }
    Ok(print(&told, label, screen)?)
}

/// Those who saw it first, then what the vault did with it.
fn print(told: &Disclosures, label: &str, screen: &mut Screen) -> io::Result<()> {
    print_entries(&told.entries, label, screen)?;
    let ledgers = told.ledgers.iter().map(LedgerNote::to_string).collect::<Vec<_>>().join(", ");
    writeln!(
        screen,
        "Ledgers read from their first entry on, with size and root: {ledgers}. Not shown: {}.",
        Disclosures::NOT_SHOWN
    )
}

pub(crate) fn print_entries(entries: &[OrderEntry], label: &str, screen: &mut Screen) -> io::Result<()> {
    let (seen, own): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| entry.is_disclosure());
    screen.headline(&format!("who saw order {}", show::clean(label)))?;
    if seen.is_empty() {
        writeln!(screen, "nobody")?;
    } else {
        sights(&seen, screen.is_terminal() && screen.width() < WIDE).print(screen)?;
    }
    if !own.is_empty() {
        screen.headline("what the vault did with it")?;
        deeds(&own).print(screen)?;
    }
    Ok(())
}

/// What parties saw. On a narrow terminal some columns share one, for want of room.
fn sights(entries: &[&OrderEntry], is_narrow: bool) -> Table {
    let headings = match is_narrow {
        true => ["time", "who", "why, how", "parts", "entry"].as_slice(),
        false => &["time", "who", "role", "why", "parts", "how", "entry"],
    };
    let mut table = Table::new(headings).unbroken(&[headings.len() - 1]);
    for told in entries {
        let (time, (who, role)) = (show::time_in_words(told.entry.time), in_words(&told.who));
        let (why, how, parts) = (told.entry.purpose.clone(), how(told), parts_in_words(told));
        let place = told.place.to_string();
        let cells = match is_narrow {
            true => vec![time, format!("{who}\n{role}"), format!("{why}\n{how}"), parts, place],
            false => vec![time, who, role, why, parts, how, place],
        };
        table.row(cells.into_iter().map(Into::into).collect());
    }
    table
}

/// What the vault did itself.
fn deeds(entries: &[&OrderEntry]) -> Table {
    let mut table = Table::new(&["time", "what", "why", "parts", "entry"]).unbroken(&[4]);
    for told in entries {
        let time = show::time_in_words(told.entry.time);
        let why = told.entry.purpose.clone();
        let parts = match told.way {
            // All that the order has: the names would hide the rest.
            Way::Put | Way::Update | Way::Reseal => show::counted(told.parts.len() as u64, "part"),
            _ => parts_in_words(told),
        };
        table.row([time, how(told), why, parts, told.place.to_string()].map(Into::into).into());
    }
    table
}

fn parts_in_words(told: &OrderEntry) -> String {
    told.parts.iter().map(part_in_words).collect::<Vec<_>>().join(", ")
}

fn part_in_words(part: &NamedPart) -> String {
    part.name.clone().unwrap_or_else(|| format!("part {}", part.id))
}

/// Name and role.
fn in_words(who: &Who) -> (String, String) {
    match who {
        Who::Party { key_id, name, role, .. } => {
            let unknown = || format!("unknown party {}", show::hex(key_id));
            (name.clone().unwrap_or_else(unknown), role.clone().unwrap_or_default())
        }
        _ => ("vault".to_owned(), String::new()),
    }
}

fn how(told: &OrderEntry) -> String {
    let revision = told.entry.revision;
    match &told.way {
        Way::Opened => format!("opened in the vault, revision {revision}"),
        Way::Copied { ends: None, .. } => format!("copy sent out, without an end, revision {revision}"),
        Way::Copied { ends: Some(end), .. } => {
            format!("copy sent out, until {}, revision {revision}", show::time_in_words(*end))
        }
        Way::Found => "found it by the value of this part".to_owned(),
        Way::Compared { searcher, .. } => format!("compared with a search of {}", in_words(searcher).0),
        Way::Shred { evidence_kept: true, .. } => "shred, evidence kept".to_owned(),
        Way::Shred { .. } => "shred, evidence destroyed".to_owned(),
        Way::Unknown => format!("{}, not interpreted", told.entry.kind.name()),
        way => format!("{}, revision {revision}", way.name()),
    }
}
