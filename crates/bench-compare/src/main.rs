//! Sealing and opening of the reference order: `consignee`, its floor and its peers, in one process, round by round.
//!
//! README.md says how to read what it prints.

mod contenders;
#[path = "../../../benches/common/floor.rs"]
mod floor;
mod machine;
mod measure;
mod options;
mod order;
#[path = "../../../tests/common/orders.rs"]
mod orders;
mod report;
mod statistics;

use std::{env, error::Error, fs};

use options::Options;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let options = Options::parse(env::args().skip(1))?;
    let order = order::Reference::order()?;
    let mut contenders = contenders::all(&order)?;
    for contender in &mut contenders {
        eprintln!("{}: opens what it sealed?", contender.name());
        contender.check(&order).map_err(|wrong| format!("{}: {wrong}", contender.name()))?;
    }
    let rows = measure::measure(&mut contenders, options.rounds)?;
    if options.json {
        println!("{}", report::json(&rows));
    } else {
        println!("{}", report::text(&rows, options.rounds));
    }
    if let Some(file) = &options.markdown {
        let page = fs::read_to_string(file)?;
        let page = report::replace(&page, &options.label, &report::markdown(&rows, options.rounds))?;
        let page = report::replace(&page, "gives", &report::gives())?;
        fs::write(file, page)?;
    }
    Ok(())
}
