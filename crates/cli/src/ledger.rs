//! `ledger show`: the entries, as the ledger has them.

use std::{collections::HashMap, sync::Arc};

use consignee::{Entry, Peek, policy::Policy};
use serde_json::{Value as Json, json};

use crate::{args::LedgerShow, failure::Failure, screen::Screen, show, table::Table};

/// Entries read at a time, and rows of one table on a terminal.
const PAGE: usize = 500;

pub(crate) fn show(args: &LedgerShow, screen: &mut Screen) -> Result<(), Failure> {
    let peek = Peek::read(&args.vault)?;
    let names = Names::of(&peek, peek.policy().ok());
    let mut from = 0;
    loop {
        let entries = peek.ledger_entries(from, PAGE)?;
        if entries.is_empty() && from > 0 {
            return Ok(());
        }
        let mut table = new_table(from == 0 || screen.is_terminal());
        for (entry, index) in entries.iter().zip(from..) {
            if args.json {
                screen.json(&names.json(index, entry))?;
            } else {
                names.row(&mut table, index, entry);
            }
        }
        if !args.json {
            table.print(screen)?;
        }
        if entries.is_empty() {
            return Ok(());
        }
        from += entries.len() as u64;
    }
}

pub(crate) fn new_table(with_headings: bool) -> Table {
    const HEADINGS: [&str; 7] = ["entry", "time", "type", "party", "purpose", "order", "parts"];
    Table::new(if with_headings { &HEADINGS } else { &[""; 7] }).unbroken(&[0, 2])
}

/// Names for the numbers in entries. None of them is authenticated.
pub(crate) struct Names {
    parties: HashMap<[u8; 16], String>,
    policy: Option<Arc<Policy>>,
}

impl Names {
    pub(crate) fn of(peek: &Peek, policy: Option<Arc<Policy>>) -> Self {
        Self { parties: peek.party_names().into_iter().collect(), policy }
    }

    /// A row for people: the order by the beginning of its handle.
    pub(crate) fn row(&self, table: &mut Table, index: u64, entry: &Entry) {
        let parts: Vec<String> = entry.parts.iter().map(|part| self.part(part.get())).collect();
        let order = match entry.handle {
            [0, ..] if entry.handle == [0; 16] => String::new(),
            handle => show::hex(handle.get(..4).unwrap_or_default()),
        };
        table.row(vec![
            index.to_string().into(),
            show::time_in_words(entry.time).into(),
            entry.kind.name().into(),
            self.party(entry).into(),
            entry.purpose.as_str().into(),
            order.into(),
            parts.join(", ").into(),
        ]);
    }

    fn json(&self, index: u64, entry: &Entry) -> Json {
        let part = |number: u16| json!({ "number": number, "name": self.name_of(number) });
        json!({
            "index": index,
            "time": show::time(entry.time),
            "type": entry.kind.name(),
            "party": self.party(entry),
            "party_key_id": show::hex(&entry.party),
            "handle": (entry.handle != [0; 16]).then(|| show::hex(&entry.handle)),
            "purpose": entry.purpose,
            "parts": entry.parts.iter().map(|id| part(id.get())).collect::<Vec<_>>(),
            "commitments": entry.commitments.iter().map(|hash| show::hex(hash)).collect::<Vec<_>>(),
            "policy": show::hex(&entry.policy),
            "revision": entry.revision,
            "detail": show::hex(&entry.detail),
        })
    }

    /// The party's name, or its key id where the vault has none for it.
    fn party(&self, entry: &Entry) -> String {
        self.parties.get(&entry.party).cloned().unwrap_or_else(|| show::hex(&entry.party))
    }

    fn part(&self, number: u16) -> String {
        self.name_of(number).map_or_else(|| number.to_string(), str::to_owned)
    }

    fn name_of(&self, number: u16) -> Option<&str> {
        let id = consignee::policy::PartId::new(number)?;
        Some(self.policy.as_ref()?.part(id)?.name)
    }
}
