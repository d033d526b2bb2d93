//! `share` and `keyring`: what is sent to parties.

use std::io::Write;

use consignee::{KnownParty, Shared, SharedOrder, SignedRequest, Vault};
use serde_json::json;

use crate::{
    args::{KeyringIssue, Share},
    failure::{FAILED, Failure, NOT_PERMITTED, complain},
    input::{self, Name, Names},
    party_key::{check_new, write_new},
    read::LONGEST,
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

pub(crate) fn run(mut args: Share, screen: &mut Screen) -> Result<(), Failure> {
    check_new(&args.output)?;
    let vault = args.key.unlock(&args.vault)?;
    let Wanted { names, party, purpose, request, shared } = match &args.request {
        Some(file) => {
            let bytes = input::bytes(file, LONGEST)?;
            Wanted::by_request(&vault, &bytes, args.valid).map_err(|e| Failure::of(file, &e))?
        }
        None => Wanted::by_shop(&vault, &mut args)?,
    };
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
                    tell(name, &order, request.as_deref(), screen)?;
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
        let (orders, party) = (show::counted(done, "order"), show::clean(&party));
        let (purpose, file) = (show::clean(&purpose), args.output.display());
        writeln!(screen, "shared {orders} with {party} for {purpose} in {file}")?;
        if let Some(hash) = request {
            writeln!(screen, "its entries have the request's hash, {hash}: keep the request")?;
        }
    }
    match (done, failed) {
        (_, 0) => Ok(()),
        (0, _) if all_refused => Err(Failure::reported(NOT_PERMITTED)),
        _ => Err(Failure::reported(FAILED)),
    }
}

/// What was to be shared, and what became of it.
struct Wanted {
    names: Vec<Name>,
    party: String,
    purpose: String,
    /// Hash of the request, in hexadecimal digits.
    request: Option<String>,
    shared: Shared,
}

impl Wanted {
    fn by_shop(vault: &Vault, args: &mut Share) -> Result<Self, Failure> {
        let names = Names::of(std::mem::take(&mut args.orders)).batch(MOST)?;
        let orders: Vec<&str> = names.iter().filter_map(|name| name.text.as_deref().ok()).collect();
        if names.is_empty() {
            return Err(Failure::usage("no order was given"));
        }
        let [party, purpose] =
            [&mut args.party, &mut args.purpose].map(|given| given.take().unwrap_or_default());
        let shared = vault.share(&party, &purpose, &orders, args.valid)?;
        Ok(Self { names, party, purpose, request: None, shared })
    }

    fn by_request(
        vault: &Vault,
        bytes: &[u8],
        valid: Option<std::time::Duration>,
    ) -> Result<Self, consignee::Error> {
        let request = SignedRequest::parse(bytes)?;
        let shared = vault.share_request(bytes, valid)?;
        let is_its = |party: &KnownParty| party.keys.iter().any(|key| request.is_of(key));
        let party = vault.parties()?.into_iter().find(is_its).map(|party| party.name).unwrap_or_default();
        // What came in a file may be secret from whoever reads the messages; its place is not.
        let name = |at: usize| Name {
            label: format!("order {at} of the request"),
            line: None,
            text: Ok(String::new()),
        };
        let names = (1..=request.aliases().len()).map(name).collect();
        let (purpose, hash) = (request.purpose().to_owned(), show::hex(&request.hash()));
        Ok(Self { names, party, purpose, request: Some(hash), shared })
    }
}

fn tell(name: &Name, order: &SharedOrder, request: Option<&str>, screen: &mut Screen) -> Result<(), Failure> {
    let alias = order.alias.to_string();
    // An order that came by standard input is told by its line, as elsewhere.
    let mut told = match name.line {
        Some(line) => json!({ "line": line, "alias": alias, "entry": order.ledger_index }),
        None => json!({ "order": name.label, "alias": alias, "entry": order.ledger_index }),
    };
    if let Some(hash) = request {
        // The party asked by the alias, which stands there already.
        told = json!({ "alias": alias, "entry": order.ledger_index, "request": hash });
    }
    Ok(screen.json(&told)?)
}
