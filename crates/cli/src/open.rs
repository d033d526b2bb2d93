//! `open`: what a party sees of orders for a purpose.

use std::io::{self, Write};

use consignee::{EntryPlace, View};

use crate::{
    args::Open,
    failure::{FAILED, Failure, NOT_PERMITTED, complain},
    input::Names,
    screen::Screen,
    show,
    table::Table,
};

/// Orders opened together: one disk sync of the ledger for all of them.
const BATCH: usize = 256;

pub(crate) fn run(args: Open, screen: &mut Screen) -> Result<(), Failure> {
    let vault = args.key.unlock(&args.vault)?;
    let mut names = Names::of(args.orders);
    let (mut opened, mut failed, mut all_refused) = (0u64, 0u64, true);
    loop {
        let batch = names.batch(BATCH)?;
        if batch.is_empty() {
            break;
        }
        let orders: Vec<&str> = batch.iter().filter_map(|name| name.text.as_deref().ok()).collect();
        let mut views = vault.open_many(&args.party, &args.purpose, &orders)?.into_iter();
        for name in &batch {
            let fault = match &name.text {
                Err(reason) => Failure::new(FAILED, *reason),
                Ok(_) => match views.next() {
                    Some(Ok(view)) => {
                        opened += 1;
                        if args.json {
                            screen.json(&view.to_json())?
                        } else {
                            print(&view, screen)?
                        }
                        continue;
                    }
                    Some(Err(e)) => e.into(),
                    None => Failure::new(FAILED, "there is no result"),
                },
            };
            failed += 1;
            all_refused &= fault.status() == NOT_PERMITTED;
            // In their place among the orders that opened, should both go to one terminal.
            screen.flush()?;
            complain(&format!("{}: {fault}", name.label));
        }
    }
    match (opened, failed) {
        (0, 0) => Err(Failure::usage("no order was given")),
        (_, 0) => Ok(()),
        (0, _) if all_refused => Err(Failure::reported(NOT_PERMITTED)),
        _ => Err(Failure::reported(FAILED)),
    }
}

pub(crate) fn print(view: &View, screen: &mut Screen) -> io::Result<()> {
    screen.headline(&format!("order {}", show::clean(&view.order())))?;
    let entry = EntryPlace { ledger: view.ledger(), index: view.ledger_index() };
    writeln!(screen, "alias {}, revision {}, entry {entry} of the ledger", view.alias(), view.revision())?;
    let party = show::clean(view.party());
    writeln!(screen, "opened by {party} as {} for {}", view.role(), view.purpose())?;
    let mut table = Table::new(&["", ""]);
    for (part, value) in view.parts() {
        table.row(vec![part.into(), show::value(value).into()]);
    }
    if table.len() == 0 {
        writeln!(screen, "the order has no value for any of the parts")?;
    } else {
        table.print(screen)?;
    }
    writeln!(screen)
}
