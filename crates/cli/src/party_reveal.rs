//! `party reveal`: what of a bundle is handed to whoever is to check what was disclosed.

use std::io::Write;

use crate::{
    args::PartyReveal,
    failure::Failure,
    input,
    party_key::{check_new, write_new_private},
    party_request::aliases,
    read::LONGEST,
    screen::Screen,
    show,
};

pub(crate) fn run(args: PartyReveal, screen: &mut Screen) -> Result<(), Failure> {
    check_new(&args.output)?;
    let only = aliases(args.aliases)?;
    let party = args.key.open()?;
    let revealed = party.reveal(&input::bytes(&args.bundle, LONGEST)?);
    let mut revealed = revealed.map_err(|e| Failure::of(&args.bundle, &e))?;
    if !only.is_empty() {
        revealed = revealed.select(&only)?;
    }
    write_new_private(&args.output, revealed.to_json()?.as_bytes())?;
    let (file, orders) = (args.output.display(), show::counted(revealed.copies().len() as u64, "order"));
    writeln!(screen, "wrote {file}: the copies of {orders} with their tickets, as the bundle has them")?;
    writeln!(
        screen,
        "no value can be read in it by itself; whoever has the keyring, too, reads these copies, and no others"
    )?;
    Ok(())
}
