//! `demo`: the story of a leak, on sample orders in a temporary vault. What it prints is what the library answers.

mod shop;
mod sights;
mod thief;

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::Arc,
    time::Instant,
};

use consignee::{Alias, EntryPlace, Error, Peek, ShredMode};

use crate::{
    alias,
    failure::Failure,
    ledger::Names,
    policy,
    screen::Screen,
    show,
    table::{Shown, Table},
};
use shop::{AGENT, BOOKS, COURIER, POTTER, Shop, TEA_HOUSE};

/// Rows of the ledger that are shown.
const LATEST: u64 = 6;

pub(crate) fn run(screen: &mut Screen) -> Result<(), Failure> {
    let begun = Instant::now();
    writeln!(
        screen,
        "Fraudsters called shoppers and quoted their name, goods, address and order number. Many lost money,"
    )?;
    writeln!(
        screen,
        "and nobody could prove which link of the chain had leaked. This is such a chain with consignee.\n"
    )?;

    let shop = Shop::open()?;
    let sealed = shop.fill()?;
    screen.headline("1  The orders are sealed field by field")?;
    writeln!(screen, "{sealed}\n")?;

    let mut courier_alias = None;
    for (number, supplier) in [(0, POTTER), (1, TEA_HOUSE)] {
        let order = shop.order_no(number);
        screen.headline(&format!("{}  Who sees what of order {order}", number + 2))?;
        let sight = sights::side_by_side(&shop, order, supplier)?;
        courier_alias = courier_alias.or(Some(sight.courier_alias));
        sight.table.draw(screen)?;
        writeln!(screen)?;
    }
    let order = shop.order_no(0);
    screen.headline("4  What a thief of the whole vault has")?;
    thief::look(&shop, order, screen)?;

    screen.headline("5  What is refused")?;
    refusals(&shop, order, screen)?;

    search(&shop, screen)?;

    screen.headline("6  The ledger: no opening without an entry, and no order named in it")?;
    latest_entries(&shop, screen)?;

    if let Some(alias) = courier_alias {
        leak(&shop, &alias, screen)?;
    }
    screen.headline("8  The shopper wants to be forgotten")?;
    forget(&shop, order, screen)?;
    let seconds = begun.elapsed().as_secs_f64();
    writeln!(screen, "All of this took {seconds:.2} s; the temporary vault is removed.")?;
    Ok(shop.close()?)
}

/// What was asked of the library, and its own words; the exit status is that of a command.
struct Answers(Table);

impl Answers {
    fn new() -> Self {
        Self(Table::new(&["who", "wants", "answer", "exit"]).unbroken(&[0, 1, 3]))
    }

    fn add<T>(&mut self, who: &str, wants: &str, answer: Result<T, Error>) {
        let (answer, status) = match answer {
            Ok(_) => ("opened".into(), 0),
            Err(e) => (Shown::bad(e.to_string()), e.kind().exit_status()),
        };
        self.0.row(vec![who.into(), wants.into(), answer, status.to_string().into()]);
    }

    fn draw(self, screen: &mut Screen) -> io::Result<()> {
        self.0.draw(screen)
    }
}

fn refusals(shop: &Shop, order: &str, screen: &mut Screen) -> io::Result<()> {
    let vault = &shop.vault;
    let part = |party: &str, purpose: &str, part: &str| {
        vault.open(party, purpose, order).and_then(|view| view.get(part).map(drop))
    };
    let mut answers = Answers::new();
    answers.add(COURIER, "items, for delivery", part(COURIER, "delivery", "items"));
    answers.add(AGENT, "the whole phone, for after_sale", part(AGENT, "after_sale", "consignee.phone"));
    answers.add(BOOKS, "the address, for accounting", part(BOOKS, "accounting", "consignee.address"));
    answers.add(COURIER, "anything, for accounting", part(COURIER, "accounting", "amount"));
    answers.add("a thief", "it all, with another key", thief::unlock(shop));
    answers.draw(screen)
}

/// What may be searched for has its entry like what is opened.
fn search(shop: &Shop, screen: &mut Screen) -> Result<(), Failure> {
    let phone = shop.orders.first().map_or("", |order| &order.consignee.phone);
    let found = shop.vault.find(AGENT, "after_sale", "consignee.phone", phone)?.hits;
    let aliases: Vec<String> = found.iter().map(|hit| hit.alias.to_string()).collect();
    let (count, aliases) = (show::counted(found.len() as u64, "order"), aliases.join(", "));
    writeln!(
        screen,
        "{AGENT} searches for the phone number that a caller gives, and finds {count}: {aliases}\n"
    )?;
    Ok(())
}

fn latest_entries(shop: &Shop, screen: &mut Screen) -> Result<(), Failure> {
    let peek = Peek::read(&shop.folder)?;
    let state = peek.ledger_state()?;
    let from = state.size.saturating_sub(LATEST);
    let names = Names::of(&peek, Some(Arc::clone(&shop.vault.policy()?)), screen);
    let mut table = names.new_table(true);
    let entries = peek.ledger_entries(from, usize::try_from(LATEST).unwrap_or(usize::MAX))?;
    for (entry, index) in entries.iter().zip(from..) {
        names.row(&mut table, EntryPlace { ledger: peek.ledger_number(), index }, entry);
    }
    table.draw(screen)?;
    let all = peek.ledger_entries(0, usize::try_from(state.size).unwrap_or(usize::MAX))?;
    let mut kinds = BTreeMap::new();
    all.iter().for_each(|entry| *kinds.entry(entry.kind.name()).or_insert(0u64) += 1);
    let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    writeln!(screen, "{} in all: {}", show::counted_as(state.size, "entry", "entries"), kinds.join(", "))?;
    writeln!(screen, "Their Merkle root is {}\n", show::hex(&state.root))?;
    Ok(())
}

/// A fraudster quotes what one link was shown.
fn leak(shop: &Shop, quoted: &Alias, screen: &mut Screen) -> Result<(), Failure> {
    screen.headline(&format!("7  A fraudster quotes order number {quoted}"))?;
    alias::table(&shop.vault.resolve_alias(&quoted.to_string())?).draw(screen)?;
    let revoked = shop.vault.revoke_party(COURIER)?.name;
    writeln!(screen, "The shop revokes {revoked}.")?;
    let mut answers = Answers::new();
    let next = shop.order_no(2);
    answers.add(&revoked, &format!("order {next}"), shop.vault.open(&revoked, "delivery", next));
    if let Some(alias) = sights::invented().map(|alias| alias.to_string()) {
        answers.add("somebody", &format!("to blame {alias}"), shop.vault.resolve_alias(&alias));
    }
    answers.draw(screen)?;
    writeln!(screen)?;
    Ok(())
}

fn forget(shop: &Shop, order: &str, screen: &mut Screen) -> Result<(), Failure> {
    let vault = &shop.vault;
    let agents_alias = vault.open(AGENT, "after_sale", order)?.alias().to_string();
    let record = vault.shred(order, "the shopper asked for it", ShredMode::KeepEvidence)?;
    writeln!(screen, "Its secret is destroyed: record {record} is shredded.")?;
    let mut answers = Answers::new();
    for (party, purpose) in [(AGENT, "after_sale"), (BOOKS, "accounting")] {
        answers.add(party, &format!("order {order}"), vault.open(party, purpose, order));
    }
    answers.draw(screen)?;
    let seen = vault.resolve_alias(&agents_alias)?.seen.map_or(0, |seen| seen.len() as u64);
    let openings = show::counted(seen, "opening");
    writeln!(screen, "Who saw it can still be proved: the ledger has {openings} by {AGENT}.\n")?;
    Ok(())
}

/// Faults of the temporary folder.
fn folder_failed(e: &io::Error) -> Failure {
    Failure::new(crate::failure::FAILED, format!("the temporary folder: {}", crate::failure::said_by(e)))
}

/// The policy, as people call it.
fn called(shop: &Shop) -> Result<String, Failure> {
    Ok(policy::short(&*shop.vault.policy()?))
}
