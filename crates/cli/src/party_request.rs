//! `party request`: what a party asks a shop for, signed, on the party's own machine.

use std::io::Write;

use consignee::{Alias, Keyring, Party, VaultCard, policy::PartId, to_base64};

use crate::{
    args::PartyRequest,
    failure::Failure,
    input::{self, Names},
    party_key::{check_new, write_new},
    read::LONGEST,
    screen::Screen,
    show,
};

/// More orders than a request has.
const MOST: usize = 65_537;

pub(crate) fn run(args: PartyRequest, screen: &mut Screen) -> Result<(), Failure> {
    check_new(&args.output)?;
    let mut party = args.key.open()?;
    let keyring = match &args.keyring {
        None => None,
        Some(file) => {
            let taken = party.keyring(&input::bytes(file, LONGEST)?);
            party.save()?;
            Some(taken.map_err(|e| Failure::of(file, &e))?)
        }
    };
    let card = match (&args.card, &keyring) {
        (Some(file), _) => VaultCard::parse(&input::text(file)?).map_err(|e| Failure::of(file, &e))?,
        (None, Some(keyring)) => party.card_of(keyring).cloned().ok_or_else(none_trusted)?,
        (None, None) => only_one(&party)?,
    };
    let parts =
        args.parts.iter().map(|part| number(part, keyring.as_ref())).collect::<Result<Vec<_>, _>>()?;
    let aliases = aliases(args.aliases)?;
    let request = party.request(&card, &args.purpose, &parts, &aliases)?;
    match args.base64 {
        true => write_new(&args.output, to_base64(request.as_bytes()).as_bytes())?,
        false => write_new(&args.output, request.as_bytes())?,
    }
    let (file, orders) = (args.output.display(), show::counted(aliases.len() as u64, "order"));
    writeln!(
        screen,
        "wrote the request {file} for {orders}: send it to the shop, which takes it within a day, once"
    )?;
    writeln!(screen, "the ledger's entries will have its hash: {}", show::hex(&request.hash()))?;
    Ok(())
}

/// The vault, where there is no choice.
fn only_one(party: &Party) -> Result<VaultCard, Failure> {
    let mut trusted = party.trusted();
    match (trusted.next(), trusted.next()) {
        (Some(card), None) => Ok(card.clone()),
        (None, _) => Err(none_trusted()),
        _ => Err(Failure::usage("more than one vault is trusted: say which by --card or --keyring")),
    }
}

fn none_trusted() -> Failure {
    Failure::usage(
        "no vault is trusted: compare its card's fingerprint by telephone, then party trust pins it",
    )
}

/// A part by its name, as the keyring has it, or by its number.
fn number(part: &str, keyring: Option<&Keyring>) -> Result<PartId, Failure> {
    if let Some(id) = keyring.and_then(|keyring| keyring.part(part)) {
        return Ok(id);
    }
    part.parse().ok().and_then(PartId::new).ok_or_else(|| {
        let hint = match keyring {
            Some(keyring) => format!("the keyring has {}", keyring.parts().collect::<Vec<_>>().join(", ")),
            None => "for parts by name, give --keyring".to_owned(),
        };
        Failure::usage(format!("no such part: {part} ({hint})"))
    })
}

/// Aliases as they were typed; all of them, or none is asked for.
pub(crate) fn aliases(given: Vec<String>) -> Result<Vec<Alias>, Failure> {
    let names = Names::of(given).batch(MOST)?;
    let alias = |name: &input::Name| {
        let text =
            name.text.as_deref().map_err(|reason| Failure::usage(format!("{}: {reason}", name.label)))?;
        let wrong = || {
            let message = "is no alias, or has a letter wrong: it is of the form XXXX-XXXX-XXXX-C";
            Failure::usage(format!("{}: {message}", name.label))
        };
        Alias::parse(text.trim()).ok_or_else(wrong)
    };
    names.iter().map(alias).collect()
}
