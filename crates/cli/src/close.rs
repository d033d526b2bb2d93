//! `close`: ends the life of an order.

use std::io::Write;

use crate::{
    args::Close,
    failure::{FAILED, Failure, complain},
    input::Names,
    screen::Screen,
};

pub(crate) fn run(args: &Close, screen: &mut Screen) -> Result<(), Failure> {
    let vault = args.key.unlock(&args.vault)?;
    let mut names = Names::of(vec![args.order.clone()]);
    let mut worst = None;
    while let Some(name) = names.next()? {
        let order = name.text.map_err(|reason| Failure::new(FAILED, reason));
        match order.and_then(|order| Ok(vault.close(&order)?)) {
            Ok(id) => writeln!(screen, "closed record {id}: it is not shared any more")?,
            Err(failure) => {
                screen.flush()?;
                complain(&format!("{}: {failure}", name.label));
                worst = Some(Failure::reported(failure.status()));
            }
        }
    }
    worst.map_or(Ok(()), Err)
}
