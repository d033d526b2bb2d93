//! `put`: stores orders from lines of JSON.

use std::{
    io::{IsTerminal, Write},
    path::Path,
    time::{Duration, Instant},
};

use consignee::{Error, Fields, Put, Vault};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    args,
    failure::{FAILED, Failure, complain},
    input::Lines,
    screen::Screen,
    show,
};

/// Orders stored together: one disk sync per database for all of them.
const BATCH: usize = 1000;
/// Text held at most for a batch, so that long orders do not add up.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// What became of the lines.
#[derive(Default)]
struct Tally {
    stored: u64,
    unchanged: u64,
    failed: u64,
}

pub(crate) fn run(args: &args::Put, screen: &mut Screen) -> Result<(), Failure> {
    let lines = Lines::of(&args.file)?;
    let vault = args.key.unlock(&args.vault)?;
    let mut import = Import { vault, tally: Tally::default(), progress: Progress::over(&args.file) };
    let begun = Instant::now();
    let policy = import.vault.policy()?;
    let ended = import.all(lines, |text| Fields::from_order_json(text, &policy));
    import.progress.bar.finish_and_clear();
    let Tally { stored, unchanged, failed } = import.tally;
    if args.json {
        let summary = [("stored", stored), ("unchanged", unchanged), ("failed", failed)];
        let summary: Vec<String> =
            summary.iter().map(|(name, count)| format!("\"{name}\":{count}")).collect();
        writeln!(screen, "{{{}}}", summary.join(","))?;
    } else {
        let seconds = begun.elapsed().as_secs_f64();
        let [stored, unchanged, failed] = [stored, unchanged, failed].map(show::count);
        writeln!(screen, "{stored} stored, {unchanged} unchanged, {failed} failed, in {seconds:.1} s")?;
    }
    ended?;
    if failed > 0 { Err(Failure::reported(FAILED)) } else { Ok(()) }
}

struct Import {
    vault: Vault,
    tally: Tally,
    progress: Progress,
}

impl Import {
    fn all(&mut self, mut lines: Lines, read: impl Fn(&str) -> Result<Fields, Error>) -> Result<(), Failure> {
        let (mut orders, mut numbers, mut held) = (Vec::new(), Vec::new(), 0);
        let ended = loop {
            let line = match lines.next() {
                Ok(Some(line)) => line,
                Ok(None) => break Ok(()),
                Err(failure) => break Err(failure),
            };
            match line.text {
                Err(reason) => self.failed(line.number, reason),
                Ok(text) => match read(&text) {
                    Err(e) => self.failed(line.number, &e.to_string()),
                    Ok(order) => {
                        held += text.len();
                        orders.push(order);
                        numbers.push(line.number);
                    }
                },
            }
            if orders.len() >= BATCH || held >= BATCH_BYTES {
                self.store(&mut orders, &mut numbers)?;
                held = 0;
            }
            self.progress.show(lines.bytes(), &self.tally);
        };
        // What was read before reading failed is good.
        self.store(&mut orders, &mut numbers)?;
        ended
    }

    fn store(&mut self, orders: &mut Vec<Fields>, numbers: &mut Vec<u64>) -> Result<(), Failure> {
        let results = match self.vault.put_many(orders) {
            Ok(results) => results,
            Err(e) => {
                self.tally.failed += orders.len() as u64;
                let failure = Failure::from(e);
                if let (Some(first), Some(last)) = (numbers.first(), numbers.last()) {
                    let text =
                        format!("lines {first} to {last}: none of these is acknowledged; put the file again");
                    self.progress.aside(&text);
                }
                return Err(failure);
            }
        };
        for (number, result) in numbers.drain(..).zip(results) {
            match result {
                Ok(Put::Stored(_)) => self.tally.stored += 1,
                Ok(Put::Unchanged(_)) => self.tally.unchanged += 1,
                Err(e) => self.failed(number, &e.to_string()),
            }
        }
        orders.clear();
        Ok(())
    }

    fn failed(&mut self, number: u64, reason: &str) {
        self.tally.failed += 1;
        self.progress.aside(&format!("line {number}: {reason}"));
    }
}

/// A bar on standard error, if that is a terminal.
struct Progress {
    bar: ProgressBar,
    begun: Instant,
    shown: Instant,
}

impl Progress {
    fn over(file: &Path) -> Self {
        let size = file.metadata().ok().filter(|meta| meta.is_file()).map(|meta| meta.len());
        let bar = match size {
            _ if !std::io::stderr().is_terminal() => ProgressBar::hidden(),
            Some(size) => {
                ProgressBar::new(size).with_style(style("{wide_bar} {percent:>3}%  {msg}  {eta} left"))
            }
            None => ProgressBar::new_spinner().with_style(style("{spinner} {msg}")),
        };
        let now = Instant::now();
        Self { bar, begun: now, shown: now }
    }

    fn show(&mut self, bytes: u64, tally: &Tally) {
        if self.bar.is_hidden() || self.shown.elapsed() < Duration::from_millis(100) {
            return;
        }
        self.shown = Instant::now();
        let done = tally.stored + tally.unchanged;
        let rate = u128::from(done) * 1000 / self.begun.elapsed().as_millis().max(1);
        let rate = show::count(u64::try_from(rate).unwrap_or(u64::MAX));
        self.bar.set_position(bytes);
        self.bar.set_message(format!("{}  {rate}/s", show::counted(done, "order")));
    }

    /// Says something beside the bar.
    fn aside(&self, text: &str) {
        self.bar.suspend(|| complain(text));
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
