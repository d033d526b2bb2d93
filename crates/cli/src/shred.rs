//! `shred`: destroys the secret of an order.

use std::io::Write;

use consignee::ShredMode;

use crate::{
    args::Shred,
    failure::{FAILED, Failure, complain},
    input::Names,
    screen::{Screen, says_yes, someone_is_there},
    show,
};

pub(crate) fn run(args: &Shred, screen: &mut Screen) -> Result<(), Failure> {
    let asks = !args.yes;
    if asks && !someone_is_there() {
        return Err(Failure::usage(
            "shredding cannot be undone: confirm it with --yes where there is no terminal",
        ));
    }
    let vault = args.key.unlock(&args.vault)?;
    let mode = if args.with_evidence { ShredMode::WithEvidence } else { ShredMode::KeepEvidence };
    let mut names = Names::of(vec![args.order.clone()]);
    let (mut shredded, mut worst) = (0, None);
    while let Some(name) = names.next()? {
        let order = name.text.map_err(|reason| Failure::new(FAILED, reason));
        let done = order.and_then(|order| {
            // A number that is not there is said before it is asked for.
            vault.sealed(&order)?;
            if asks && !says_yes(&format!("Shred {}? Nobody will open it again.", show::clean(&name.label)))?
            {
                return Err(Failure::new(FAILED, "not shredded"));
            }
            Ok(vault.shred(&order, &args.reason, mode)?)
        });
        match done {
            Ok(id) => {
                shredded += 1;
                writeln!(screen, "shredded record {id}: nobody opens it any more")?;
            }
            Err(failure) => {
                complain(&format!("{}: {failure}", name.label));
                worst = Some(Failure::reported(failure.status()));
            }
        }
    }
    if shredded > 0 {
        let evidence = match mode {
            ShredMode::KeepEvidence => "what proves who saw it is kept",
            ShredMode::WithEvidence => "what proves who saw it is destroyed, too",
        };
        writeln!(screen, "{evidence}")?;
        writeln!(
            screen,
            "not final against old copies of secrets.db: whoever has one and the root key still opens the order"
        )?;
    }
    worst.map_or(Ok(()), Err)
}
