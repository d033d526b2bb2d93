//! `list` and `inspect`: what stored orders show from outside.

use std::{
    fs::File,
    io::{Read, Write},
    path::Path,
};

use consignee::{
    Inspection, Peek, RecordId,
    policy::{PartId, Policy},
};

use crate::{
    args::{Inspect, VaultOnly},
    failure::{Failure, complain},
    input::Names,
    screen::Screen,
    show,
    table::Table,
};

/// Rows read at a time, and rows of one table on a terminal.
const PAGE: usize = 500;
/// A byte more than the longest record, so that a longer file is seen to be none.
const LONGEST_RECORD: u64 = 16_777_217;

pub(crate) fn list(args: &VaultOnly, screen: &mut Screen) -> Result<(), Failure> {
    const HEADINGS: [&str; 4] = ["record", "put", "revision", "bytes"];
    let peek = Peek::read(&args.vault)?;
    let mut after = None;
    loop {
        let page = peek.list(after, PAGE)?;
        if page.is_empty() && after.is_some() {
            return Ok(());
        }
        let with_headings = after.is_none() || screen.is_terminal();
        let mut table = Table::new(if with_headings { &HEADINGS } else { &[""; 4] });
        for record in &page {
            let cells = [record.revision.to_string(), record.size.to_string()];
            let [revision, size] = cells.map(Into::into);
            table.row(vec![show::hex(&record.id).into(), show::day(record.put_day).into(), revision, size]);
        }
        table.print(screen)?;
        match page.last() {
            Some(last) => after = Some(RecordId::from(last.id)),
            None => return Ok(()),
        }
    }
}

pub(crate) fn run(args: &Inspect, screen: &mut Screen) -> Result<(), Failure> {
    if let Some(path) = &args.file {
        return print(&consignee::inspect(&read(path)?)?, None, screen);
    }
    let (Some(folder), Some(order)) = (&args.vault, &args.order) else {
        return Err(Failure::usage("give a VAULT and an ORDER, or --file FILE"));
    };
    let vault = args.key.unlock(folder)?;
    let policy = vault.policy()?;
    let mut names = Names::of(vec![order.clone()]);
    let mut worst = None;
    while let Some(name) = names.next()? {
        let text = name.text.map_err(|reason| Failure::new(crate::failure::FAILED, reason));
        let record = text.and_then(|order| Ok(consignee::inspect(&vault.sealed(&order)?)?));
        match record {
            Ok(inspection) => print(&inspection, Some(&policy), screen)?,
            Err(failure) => {
                complain(&format!("{}: {failure}", name.label));
                worst = Some(Failure::reported(failure.status()));
            }
        }
    }
    worst.map_or(Ok(()), Err)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = match path.to_str() {
        Some("-") => std::io::stdin().take(LONGEST_RECORD).read_to_end(&mut bytes),
        _ => File::open(path).and_then(|file| file.take(LONGEST_RECORD).read_to_end(&mut bytes)),
    };
    read.map_err(|e| Failure::file(path, &e))?;
    Ok(bytes)
}

fn print(inspection: &Inspection, policy: Option<&Policy>, screen: &mut Screen) -> Result<(), Failure> {
    writeln!(screen, "header and directory, as the record has them: not authenticated")?;
    let mut header = Table::new(&["", ""]);
    let suite = format!("{} ({})", inspection.suite.number(), inspection.suite.name());
    for (name, value) in [
        ("record", inspection.record_id.to_string()),
        ("vault", show::hex(&inspection.vault_id)),
        ("suite", suite),
        ("revision", inspection.revision.to_string()),
        ("epoch", inspection.epoch.to_string()),
        ("sealed under policy", show::hex(&inspection.policy)),
        ("bytes", inspection.size.to_string()),
    ] {
        header.row(vec![name.into(), value.into()]);
    }
    header.print(screen)?;
    let mut directory = Table::new(&["part", "name in the policy in force", "bytes"]);
    for (number, size) in &inspection.parts {
        let name = PartId::new(*number).and_then(|id| Some(policy?.part(id)?.name));
        let cells = [number.to_string(), name.unwrap_or_default().to_owned(), size.to_string()];
        directory.row(cells.into_iter().map(Into::into).collect());
    }
    Ok(directory.print(screen)?)
}
