//! `share` and `keyring`: what is sent to parties.

use std::io::Write;

use consignee::{Shared, SharedOrder};
use serde_json::json;

use crate::{
    args::{KeyringIssue, Share},
    failure::{FAILED, Failure, NOT_PERMITTED, complain},
    input::{Name, Names},
    party_key::{check_new, write_new},
    screen::Screen,
    show,
};

/// More orders than a bundle has.
const MOST: usize = 65_537;

pub(crate) fn keyring(args: &KeyringIssue, screen: &mut Screen) -> Result<(), Failure> {
    check_new(&args.output)?;
    let vault = args.key.unlock(&args.vault)?;
    let keyring = vault.issue_keyring(&args.party)?;
    match args.base64 {
        true => write_new(&args.output, consignee::to_base64(&keyring).as_bytes())?,
        false => write_new(&args.output, &keyring)?,
    }
    let party = show::clean(&args.party);
    writeln!(screen, "wrote the keyring {}: send it to {party}", args.output.display())?;
    Ok(())
}

pub(crate) fn run(args: Share, screen: &mut Screen) -> Result<(), Failure> {
    check_new(&args.output)?;
    let vault = args.key.unlock(&args.vault)?;
    let names = Names::of(args.orders).batch(MOST)?;
    let orders: Vec<&str> = names.iter().filter_map(|name| name.text.as_deref().ok()).collect();
    if names.is_empty() {
        return Err(Failure::usage("no order was given"));
    }
    let shared = vault.share(&args.party, &args.purpose, &orders, args.valid)?;
    match (args.base64, &shared.bundle) {
        (true, _) => shared.to_base64().map(|text| write_new(&args.output, text.as_bytes())),
        (false, Some(bundle)) => Some(write_new(&args.output, bundle)),
        (false, None) => None,
    }
    .transpose()?;
    let Shared { orders, .. } = shared;
    let mut results = orders.into_iter();
    let (mut done, mut failed, mut all_refused) = (0u64, 0u64, true);
    for name in &names {
        let result = match &name.text {
            Err(reason) => Err(Failure::new(FAILED, *reason)),
            Ok(_) => {
                results.next().map_or_else(|| Err(Failure::new(FAILED, "there is no result")), |r| Ok(r?))
            }
        };
        match result {
            Ok(order) => {
                done += 1;
                if args.json {
                    tell(name, &order, screen)?;
                }
            }
            Err(fault) => {
                failed += 1;
                all_refused &= fault.status() == NOT_PERMITTED;
                screen.flush()?;
                complain(&format!("{}: {fault}", name.label));
            }
        }
    }
    if done > 0 && !args.json {
        let (orders, party) = (show::counted(done, "order"), show::clean(&args.party));
        writeln!(screen, "shared {orders} with {party} for {} in {}", args.purpose, args.output.display())?;
    }
    match (done, failed) {
        (_, 0) => Ok(()),
        (0, _) if all_refused => Err(Failure::reported(NOT_PERMITTED)),
        _ => Err(Failure::reported(FAILED)),
    }
}

fn tell(name: &Name, order: &SharedOrder, screen: &mut Screen) -> Result<(), Failure> {
    let alias = order.alias.to_string();
    // An order that came by standard input is told by its line, as elsewhere.
    let told = match name.line {
        Some(line) => json!({ "line": line, "alias": alias, "entry": order.ledger_index }),
        None => json!({ "order": name.label, "alias": alias, "entry": order.ledger_index }),
    };
    Ok(screen.json(&told)?)
}
