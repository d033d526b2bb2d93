//! `read`: a bundle, on the party's own machine.

use std::io::Write;

use crate::{
    args::Read,
    failure::{FAILED, Failure, NOT_PERMITTED, complain},
    input, open,
    screen::Screen,
    show,
};

/// More than a keyring or a bundle has in base64 with line breaks.
pub(crate) const LONGEST: u64 = 100 << 20;

pub(crate) fn run(args: &Read, screen: &mut Screen) -> Result<(), Failure> {
    let mut party = args.key.open()?;
    let keyring = party.keyring(&input::bytes(&args.keyring, LONGEST)?);
    let keyring = keyring.map_err(|e| Failure::of(&args.keyring, &e))?;
    let bundle = party.read(&keyring, &input::bytes(&args.bundle, LONGEST)?);
    // Also where the bundle is refused: the time that was seen counts.
    party.save()?;
    let bundle = bundle.map_err(|e| Failure::of(&args.bundle, &e))?;
    if !args.json {
        let until = bundle.expires_at().map(|end| format!(", to be read until {}", show::time_in_words(end)));
        let (party, role) = (show::clean(bundle.party()), show::clean(bundle.role()));
        writeln!(
            screen,
            "{} for {party} as {role}, for {}; made {}{}",
            show::counted(bundle.len() as u64, "order"),
            show::clean(bundle.purpose()),
            show::time_in_words(bundle.issued_at()),
            until.unwrap_or_default()
        )?;
        writeln!(screen)?;
    }
    let (mut opened, mut failed, mut all_refused) = (0u64, 0u64, true);
    for (number, view) in (1..).zip(bundle.views(&keyring)) {
        match view {
            Ok(view) if args.json => screen.json(&view.to_json())?,
            Ok(view) => open::print(&view, screen)?,
            Err(e) => {
                let fault = Failure::from(e);
                failed += 1;
                all_refused &= fault.status() == NOT_PERMITTED;
                screen.flush()?;
                complain(&format!("order {number} of the bundle: {fault}"));
                continue;
            }
        }
        opened += 1;
    }
    match (opened, failed) {
        (_, 0) => Ok(()),
        (0, _) if all_refused => Err(Failure::reported(NOT_PERMITTED)),
        _ => Err(Failure::reported(FAILED)),
    }
}
