//! `ledger show`: the entries, as the ledger has them.

use std::{collections::HashMap, io::Write, sync::Arc};

use consignee::{Entry, EntryKind, EntryPlace, Peek, Suite, policy::Policy};
use serde_json::{Value as Json, json};

use crate::{
    args::LedgerShow,
    failure::{FAILED, Failure},
    screen::Screen,
    show,
    table::Table,
};

/// Entries read at a time, and rows of one table on a terminal.
const PAGE: usize = 500;

pub(crate) fn show(args: &LedgerShow, screen: &mut Screen) -> Result<(), Failure> {
    let peek = Peek::read(&args.vault)?;
    let peek = match args.ledger {
        Some(number) => peek.in_ledger(number)?,
        None => peek,
    };
    let names = Names::of(&peek, peek.policy().ok(), screen);
    // Read first: entries that are appended meanwhile have another root.
    let state = peek.ledger_state()?;
    let mut from = 0;
    while from < state.size {
        let left = usize::try_from(state.size - from).unwrap_or(PAGE);
        let entries = peek.ledger_entries(from, PAGE.min(left))?;
        if entries.is_empty() {
            return Err(Failure::new(FAILED, "entries are missing (doctor checks the vault)"));
        }
        let mut table = names.new_table(from == 0 || screen.is_terminal());
        for (entry, index) in entries.iter().zip(from..) {
            let place = EntryPlace { ledger: peek.ledger_number(), index };
            if args.json {
                screen.json(&names.json(place, entry))?;
            } else {
                names.row(&mut table, place, entry);
            }
        }
        if !args.json {
            table.print(screen)?;
        }
        from += entries.len() as u64;
    }
    if args.json {
        screen.json(
            &json!({ "ledger": peek.ledger_number(), "size": state.size, "root": show::hex(&state.root) }),
        )?;
    } else {
        let entries = show::counted_as(state.size, "entry", "entries");
        writeln!(screen, "{entries}; root {}", show::hex(&state.root))?;
    }
    Ok(())
}

/// Width from which on each column of a listing has one line's room on a terminal.
const WIDE: u16 = 140;

/// Names for the numbers in entries. None of them is authenticated.
pub(crate) struct Names {
    parties: HashMap<[u8; 16], String>,
    policy: Option<Arc<Policy>>,
    is_narrow: bool,
}

impl Names {
    pub(crate) fn of(peek: &Peek, policy: Option<Arc<Policy>>, screen: &Screen) -> Self {
        let is_narrow = screen.is_terminal() && screen.width() < WIDE;
        Self { parties: peek.party_names().into_iter().collect(), policy, is_narrow }
    }

    /// A table of entries. On a narrow terminal some columns share one, for want of room.
    pub(crate) fn new_table(&self, with_headings: bool) -> Table {
        let headings = match self.is_narrow {
            true => ["entry", "time", "type, order", "party, purpose", "what"].as_slice(),
            false => &["entry", "time", "type", "party", "purpose", "order", "what"],
        };
        let none = &[""; 7][..headings.len()];
        Table::new(if with_headings { headings } else { none }).unbroken(&[0, 2])
    }

    /// A row for people: the order by the beginning of its handle.
    pub(crate) fn row(&self, table: &mut Table, place: EntryPlace, entry: &Entry) {
        let parts: Vec<String> = entry.parts.iter().map(|part| self.part(part.get())).collect();
        let what = joined([in_words(entry), parts.join(", ")], ": ");
        let what = joined([what, asked_by(entry)], "; ");
        let order = match entry.handle {
            [0, ..] if entry.handle == [0; 16] => String::new(),
            handle => show::hex(handle.get(..4).unwrap_or_default()),
        };
        let (kind, party) = (entry.kind.name().to_owned(), self.party(entry));
        let mut cells = vec![place.to_string(), show::time_in_words(entry.time)];
        if self.is_narrow {
            cells.extend([joined([kind, order], "\n"), joined([party, entry.purpose.clone()], "\n")]);
        } else {
            cells.extend([kind, party, entry.purpose.clone(), order]);
        }
        cells.push(what);
        table.row(cells.into_iter().map(Into::into).collect());
    }

    fn json(&self, place: EntryPlace, entry: &Entry) -> Json {
        let part = |number: u16| json!({ "number": number, "name": self.name_of(number) });
        json!({
            "ledger": place.ledger,
            "index": place.index,
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
            "request": (entry.request != [0; 32]).then(|| show::hex(&entry.request)),
            "detail": Detail::of(entry).map(|detail| detail.json()),
            "detail_bytes": show::hex(&entry.detail),
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

/// The beginning of the hash of the request that the party signed, where it did.
fn asked_by(entry: &Entry) -> String {
    match entry.request {
        hash if hash == [0; 32] => String::new(),
        hash => format!("request {}", show::hex(hash.get(..4).unwrap_or_default())),
    }
}

/// Both, or the one that is not empty.
fn joined(texts: [String; 2], between: &str) -> String {
    let texts: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).collect();
    texts.join(between)
}

/// What an entry records beside what all entries have. Of kinds that this version does not make, nothing.
enum Detail<'a> {
    Policy {
        reaches_existing_orders: bool,
    },
    Epoch {
        epoch: u32,
        suite: u8,
    },
    Party {
        role: &'a str,
    },
    /// The query under a key: one party's searches for one value have the same.
    Search {
        query: &'a [u8],
    },
    Denied {
        reason: &'static str,
        count: u32,
    },
    Shred {
        evidence_kept: bool,
    },
    /// What was disclosed is a copy, in a bundle: it left the house.
    Copy {
        expires: u64,
    },
    /// The epochs whose field keys a keyring has.
    Grant {
        epochs: Vec<u32>,
    },
    /// One generation of a key followed another; 0 before the first. The root key has none: 0 and 0.
    Rotation {
        key: &'static str,
        old: u32,
        new: u32,
        public: &'a [u8],
    },
    /// The last that is known of the ledger before this one.
    Lost {
        size: u64,
        root: &'a [u8],
    },
}

impl<'a> Detail<'a> {
    /// The detail's layout is that of docs/format.md, section 8.
    fn of(entry: &'a Entry) -> Option<Self> {
        let detail = entry.detail.as_slice();
        match (entry.kind, detail) {
            (EntryKind::Policy, [existing]) => Some(Self::Policy { reaches_existing_orders: *existing == 1 }),
            (EntryKind::Epoch, [a, b, c, d, suite]) => {
                Some(Self::Epoch { epoch: u32::from_le_bytes([*a, *b, *c, *d]), suite: *suite })
            }
            (EntryKind::Party, [len, rest @ ..]) => {
                let role = rest.get(..usize::from(*len))?;
                Some(Self::Party { role: std::str::from_utf8(role).ok()? })
            }
            (EntryKind::Search, query) if query.len() == 32 => Some(Self::Search { query }),
            (EntryKind::Denied, [reason, a, b, c, d]) => {
                let reason = match reason {
                    1 => "not permitted",
                    2 => "expired",
                    3 => "revoked",
                    4 => "searches used up",
                    _ => "of a later version",
                };
                Some(Self::Denied { reason, count: u32::from_le_bytes([*a, *b, *c, *d]) })
            }
            (EntryKind::Shred, [kept]) => Some(Self::Shred { evidence_kept: *kept == 1 }),
            (EntryKind::Disclosure, [1, end @ ..]) => {
                Some(Self::Copy { expires: u64::from_le_bytes(end.try_into().ok()?) })
            }
            (EntryKind::Grant, epochs) => {
                let (epochs, rest) = epochs.as_chunks();
                let epochs = epochs.iter().map(|epoch| u32::from_le_bytes(*epoch)).collect();
                rest.is_empty().then_some(Self::Grant { epochs })
            }
            (EntryKind::Rotation, [kind, a, b, c, d, e, f, g, h, public @ ..]) => {
                let key = match kind {
                    0 => "root key",
                    1 => "epoch",
                    3 => "release key",
                    6 => "issuing key",
                    7 => "ledger key",
                    _ => return None,
                };
                let (old, new) = (u32::from_le_bytes([*a, *b, *c, *d]), u32::from_le_bytes([*e, *f, *g, *h]));
                Some(Self::Rotation { key, old, new, public })
            }
            (EntryKind::Lost, detail) => {
                let (size, root) = detail.split_first_chunk()?;
                (root.len() == 32).then(|| Self::Lost { size: u64::from_le_bytes(*size), root })
            }
            _ => None,
        }
    }

    fn json(&self) -> Json {
        match self {
            Self::Policy { reaches_existing_orders } => json!({ "existing_orders": reaches_existing_orders }),
            Self::Epoch { epoch, suite } => json!({ "epoch": epoch, "suite": suite }),
            Self::Party { role } => json!({ "role": role }),
            Self::Search { query } => json!({ "query": show::hex(query) }),
            Self::Denied { reason, count } => json!({ "reason": reason, "count": count }),
            Self::Shred { evidence_kept } => json!({ "evidence_kept": evidence_kept }),
            Self::Copy { expires } => json!({ "copy": true, "expires": (*expires > 0).then_some(expires) }),
            Self::Grant { epochs } => json!({ "epochs": epochs }),
            Self::Rotation { key, old, new, public } => {
                json!({ "key": key, "old": old, "new": new, "public": show::hex(public) })
            }
            Self::Lost { size, root } => json!({ "size": size, "root": show::hex(root) }),
        }
    }
}

/// The detail for people, who also want to know the revision that an order got.
fn in_words(entry: &Entry) -> String {
    let Some(detail) = Detail::of(entry) else {
        return match entry.kind {
            EntryKind::Update | EntryKind::Reseal => format!("revision {}", entry.revision),
            _ => show::hex(&entry.detail),
        };
    };
    match detail {
        Detail::Policy { reaches_existing_orders } => {
            let digest: String = show::hex(&entry.policy).chars().take(16).collect();
            let reach = if reaches_existing_orders { "existing orders too" } else { "new orders only" };
            format!("{digest}, for {reach}")
        }
        Detail::Epoch { epoch, suite } => {
            let suite = Suite::from_number(suite).map_or("suite of a later version", Suite::name);
            format!("epoch {epoch}, {suite}")
        }
        Detail::Party { role } => format!("as {role}"),
        Detail::Search { query } => format!("query {}", show::hex(query.get(..4).unwrap_or_default())),
        Detail::Denied { reason, count } => format!("{reason}, {}", show::counted(count.into(), "time")),
        Detail::Grant { epochs } => {
            let epochs: Vec<String> = epochs.iter().map(u32::to_string).collect();
            format!("keyring of epoch {}", epochs.join(", "))
        }
        Detail::Copy { expires: 0 } => "a copy, without an end".to_owned(),
        Detail::Copy { expires } => format!("a copy, until {}", show::time_in_words(expires)),
        Detail::Rotation { key, old: 0, new: 0, .. } => format!("{key} changed"),
        Detail::Rotation { key, old, new: 0, .. } => format!("{key} {old} destroyed"),
        Detail::Rotation { key, old: 0, .. } => format!("{key} made"),
        Detail::Rotation { key, old, new, .. } => format!("{key} {old} followed by {new}"),
        Detail::Shred { evidence_kept } => {
            if evidence_kept { "evidence kept" } else { "evidence destroyed" }.to_owned()
        }
        Detail::Lost { size, root } => {
            let entries = show::counted_as(size, "entry", "entries");
            format!("the ledger before this one, last known with {entries} and root {}", show::hex(root))
        }
    }
}
