//! `find`: orders that have a value, as a party may search for it.

use std::io::{self, Write};

use consignee::{EntryPlace, Error, ErrorKind, Hits, Vault};
use serde_json::json;

use crate::{
    args::Find,
    failure::{FAILED, Failure, NOT_PERMITTED, complain},
    input::Names,
    screen::Screen,
    show,
    table::Table,
};

pub(crate) fn run(args: &Find, screen: &mut Screen) -> Result<(), Failure> {
    let by_line = args.sought == "-";
    // The value that was asked for is no matter for messages, even where its user typed it.
    let field = if by_line { "" } else { field_and_value(&args.sought)?.0 };
    let vault = args.key.unlock(&args.vault)?;
    let mut names = Names::of(vec![args.sought.clone()]);
    let mut printer = Printer { args, by_line, has_headings: false };
    let (mut answered, mut statuses) = (0u64, Vec::new());
    while let Some(name) = names.next()? {
        let label = if by_line { name.label } else { field.to_owned() };
        let text = name.text.map_err(Failure::usage);
        match text.and_then(|text| search(&vault, args, &text)) {
            Ok(Ok(hits)) => {
                answered += 1;
                printer.print(&hits, name.line, screen)?;
                screen.flush()?;
                if hits.unreadable > 0 {
                    let orders = show::counted(hits.unreadable as u64, "order");
                    complain(&format!(
                        "{label}: {orders} that may have this value cannot be opened (doctor says why)"
                    ));
                    statuses.push(FAILED);
                } else if hits.hits.is_empty() {
                    complain(&format!("{label}: no order has this value"));
                }
            }
            Ok(Err(e)) if !is_of_this_search(e.kind()) => return Err(e.into()),
            Ok(Err(e)) => statuses.push(refused(&label, &e.into())),
            Err(fault) => statuses.push(refused(&label, &fault)),
        }
    }
    match (answered, statuses.as_slice()) {
        (0, []) => Err(Failure::usage("nothing was asked for")),
        (_, []) => Ok(()),
        (0, [only]) if !by_line => Err(Failure::reported(*only)),
        (0, all) if all.iter().all(|status| *status == NOT_PERMITTED) => {
            Err(Failure::reported(NOT_PERMITTED))
        }
        _ => Err(Failure::reported(FAILED)),
    }
}

fn search(vault: &Vault, args: &Find, text: &str) -> Result<Result<Hits, Error>, Failure> {
    let (field, value) = field_and_value(text)?;
    Ok(vault.find(&args.party, &args.purpose, field, value))
}

/// Says that a search failed; gives its exit status.
fn refused(label: &str, fault: &Failure) -> u8 {
    let text = fault.to_string();
    // A fault of the field names it already.
    let is_named = text.starts_with(&format!("{label}: "));
    complain(&if is_named { text } else { format!("{label}: {text}") });
    fault.status()
}

fn field_and_value(text: &str) -> Result<(&str, &str), Failure> {
    text.split_once('=').ok_or_else(|| Failure::usage("expected FIELD=VALUE, such as consignee.phone=..."))
}

/// Whether the next search may fare better.
fn is_of_this_search(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotPermitted | ErrorKind::Limit | ErrorKind::Input { .. })
}

struct Printer<'a> {
    args: &'a Find,
    by_line: bool,
    has_headings: bool,
}

impl Printer<'_> {
    /// The hits of one search, before the next is made: each has its entry already.
    fn print(&mut self, hits: &Hits, line: Option<u64>, screen: &mut Screen) -> io::Result<()> {
        if self.args.aliases {
            return hits.hits.iter().try_for_each(|hit| writeln!(screen, "{}", hit.alias));
        }
        if self.args.json {
            return hits.hits.iter().try_for_each(|hit| {
                let mut json = json!({
                    "alias": hit.alias.to_string(), "revision": hit.revision, "ledger": hit.ledger,
                    "ledger_index": hit.ledger_index,
                });
                if let Some(line) = line {
                    json["line"] = line.into();
                }
                screen.json(&json)
            });
        }
        if hits.hits.is_empty() {
            return Ok(());
        }
        let first = usize::from(!self.by_line);
        let headings = ["line", "alias", "revision", "entry"];
        let with_headings = !self.has_headings || screen.is_terminal();
        self.has_headings = true;
        let mut table = Table::new(if with_headings { &headings[first..] } else { &[""; 4][first..] });
        for hit in &hits.hits {
            let entry = EntryPlace { ledger: hit.ledger, index: hit.ledger_index };
            let cells = [hit.alias.to_string(), hit.revision.to_string(), entry.to_string()];
            let cells = line.map(|line| line.to_string()).into_iter().chain(cells);
            table.row(cells.map(Into::into).collect());
        }
        table.print(screen)
    }
}
