//! `keys`: rotation, and what keys there are.

mod root;

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use consignee::{KeyAge, KeyList, OwnTables, PartyState, Peek, Suite};
use indicatif::{ProgressBar, ProgressStyle};

pub(crate) use root::change_root;

use crate::{
    args::{KeysDestroy, KeysInventory, KeysList, KeysReseal, KeysRewrap, KeysRotate},
    failure::{FAILED, Failure},
    screen::{Screen, says_yes, someone_is_there},
    show,
    table::{Shown, Table},
};

pub(crate) fn rotate(args: &KeysRotate, screen: &mut Screen) -> Result<(), Failure> {
    let vault = args.key.unlock(&args.vault)?;
    let epoch = vault.rotate(args.suite.and_then(Suite::from_number))?;
    writeln!(screen, "epoch {epoch} seals from now on; all else opens as before")?;
    writeln!(screen, "keys reseal moves orders to it, keys destroy then ends an older epoch")?;
    let parties = vault.parties()?;
    let holders = parties.iter().filter(|party| party.state == PartyState::Active && !party.keys.is_empty());
    let names: Vec<_> = holders.map(|party| party.name.as_str()).collect();
    if !names.is_empty() {
        writeln!(
            screen,
            "what is shared from now on needs a new keyring (keyring issue): {}",
            names.join(", ")
        )?;
    }
    Ok(())
}

pub(crate) fn list(args: &KeysList, screen: &mut Screen) -> Result<(), Failure> {
    let listed = match args.key.is_given()? {
        true => args.key.unlock(&args.vault)?.keys()?,
        false => Peek::read(&args.vault)?.keys()?,
    };
    if args.json {
        return json(serde_json::to_string_pretty(&listed), screen);
    }
    if screen.is_terminal() && !listed.authenticated {
        writeln!(screen, "read without the root key: not authenticated")?;
    }
    Ok(table(&listed).print(screen)?)
}

fn table(listed: &KeyList) -> Table {
    let mut table = Table::new(&["key", "number", "state", "suite", "orders", "sealings", "made", "look at"]);
    let ages = listed.epochs.iter().map(|age| ("epoch", age));
    for (kind, age) in ages.chain(listed.release_keys.iter().map(|age| ("release key", age))) {
        table.row(row(kind, age));
    }
    table
}

fn row(kind: &str, age: &KeyAge) -> Vec<Shown> {
    let since = age.destroyed.or(age.retired).map(|time| format!(" since {}", show::time_in_words(time)));
    vec![
        kind.into(),
        age.number.to_string().into(),
        format!("{}{}", age.state, since.unwrap_or_default()).into(),
        Suite::from_number(age.suite).map_or("?", Suite::name).into(),
        age.orders.to_string().into(),
        age.sealings.map(|sealings| sealings.to_string()).unwrap_or_default().into(),
        age.made.map(show::time_in_words).unwrap_or_default().into(),
        age.warnings.join("\n").into(),
    ]
}

fn json(text: serde_json::Result<String>, screen: &mut Screen) -> Result<(), Failure> {
    Ok(writeln!(screen, "{}", text.map_err(io::Error::from)?)?)
}

pub(crate) fn rewrap(args: &KeysRewrap, screen: &mut Screen) -> Result<(), Failure> {
    let vault = args.key.unlock(&args.vault)?;
    let rows = vault.keys()?.release_keys.iter().map(|age| age.orders).sum();
    let mut progress = Progress::over(rows, "row");
    let done = vault.rewrap(own_tables(args.own_tables_moved), |moved| progress.show(moved));
    progress.bar.finish_and_clear();
    let done = done?;
    let moved = show::counted(done.moved, "row");
    writeln!(screen, "{moved} moved to release key {}", done.generation)?;
    for old in &done.destroyed {
        writeln!(
            screen,
            "release key {old} destroyed: an old copy of secrets.db opens with an old copy of keys.db only"
        )?;
    }
    for id in &done.final_shreds {
        writeln!(
            screen,
            "record {id}: its shredding is final, where no backup of keys.db from before is kept"
        )?;
    }
    writeln!(screen, "make new backups of secrets.db and keys.db: none from before opens with one from now")?;
    Ok(())
}

pub(crate) fn reseal(args: &KeysReseal, screen: &mut Screen) -> Result<(), Failure> {
    let vault = args.key.unlock(&args.vault)?;
    let of_epoch = vault.keys()?.epochs.into_iter().find(|age| age.number == args.from);
    let mut progress = Progress::over(of_epoch.map_or(0, |age| age.orders), "order");
    let begun = Instant::now();
    let done = vault.reseal(args.from, |done| progress.show(done.orders + done.failed));
    progress.bar.finish_and_clear();
    let done = done?;
    let (orders, failed) = (show::count(done.orders), show::count(done.failed));
    let seconds = begun.elapsed().as_secs_f64();
    writeln!(screen, "{orders} sealed anew, {failed} failed, in {seconds:.1} s")?;
    if done.failed == 0 {
        return Ok(());
    }
    Err(Failure::new(FAILED, "orders that do not open are left as they were: run doctor"))
}

pub(crate) fn destroy(args: &KeysDestroy, screen: &mut Screen) -> Result<(), Failure> {
    let asks = !args.yes;
    if asks && !someone_is_there() {
        return Err(Failure::usage(
            "destroying keys cannot be undone: confirm it with --yes where there is no terminal",
        ));
    }
    let vault = args.key.unlock(&args.vault)?;
    let question = format!("Destroy epoch {}? What is sealed under it opens for nobody.", args.epoch);
    if asks && !says_yes(&question)? {
        return Err(Failure::new(FAILED, "not destroyed"));
    }
    vault.destroy_epoch(args.epoch, own_tables(args.own_tables_moved))?;
    writeln!(screen, "epoch {} destroyed: what was sealed under it opens for nobody", args.epoch)?;
    writeln!(
        screen,
        "backups of orders.db from before its orders were sealed anew are worth nothing any more"
    )?;
    Ok(())
}

pub(crate) fn inventory(args: &KeysInventory, screen: &mut Screen) -> Result<(), Failure> {
    let inventory = Peek::read(&args.vault)?.inventory()?;
    if args.json {
        return json(serde_json::to_string_pretty(&inventory), screen);
    }
    writeln!(screen, "read without the root key: not authenticated")?;
    let mut table = Table::new(&["id", "key", "purpose", "state", "made", "uses", "holders"]);
    for key in inventory.keys {
        table.row(vec![
            key.id.into(),
            key.kind.into(),
            key.purpose.into(),
            key.state.into(),
            key.made.map(show::time_in_words).unwrap_or_default().into(),
            key.uses.map(|uses| uses.to_string()).unwrap_or_default().into(),
            key.holders.join("\n").into(),
        ]);
    }
    Ok(table.print(screen)?)
}

fn own_tables(moved: bool) -> OwnTables {
    if moved { OwnTables::Moved } else { OwnTables::None }
}

/// A bar on standard error, if that is a terminal.
struct Progress {
    bar: ProgressBar,
    thing: &'static str,
    begun: Instant,
    shown: Instant,
}

impl Progress {
    fn over(all: u64, thing: &'static str) -> Self {
        let template = "{wide_bar} {percent:>3}%  {msg}  {eta} left";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = match io::stderr().is_terminal() {
            true => ProgressBar::new(all).with_style(style),
            false => ProgressBar::hidden(),
        };
        let now = Instant::now();
        Self { bar, thing, begun: now, shown: now }
    }

    fn show(&mut self, done: u64) {
        if self.bar.is_hidden() || self.shown.elapsed() < Duration::from_millis(100) {
            return;
        }
        self.shown = Instant::now();
        let rate = u128::from(done) * 1000 / self.begun.elapsed().as_millis().max(1);
        let rate = show::count(u64::try_from(rate).unwrap_or(u64::MAX));
        self.bar.set_position(done);
        self.bar.set_message(format!("{}  {rate}/s", show::counted(done, self.thing)));
    }
}
