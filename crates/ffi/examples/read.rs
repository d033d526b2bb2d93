//! What benches/beside-rust compares C with: a courier reads a bundle, by the library's own call.
//!
//! `read KEY KEYRING BUNDLE ROUNDS` prints the nanoseconds for an order of its fastest round.

use std::{error::Error, path::Path, time::Instant};

use consignee::{Bundle, Keyring, Party, Value, View};

/// Orders opened at once.
const BATCH: usize = 1000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [key, keyring, bundle, rounds] = arguments.as_slice() else {
        return Err("usage: read KEY KEYRING BUNDLE ROUNDS".into());
    };
    let mut party = Party::open(Path::new(key), None)?;
    let keyring = party.keyring(&std::fs::read(keyring)?)?;
    let bundle = party.read(&keyring, &std::fs::read(bundle)?)?;
    let mut best = f64::INFINITY;
    let mut letters = 0;
    for _ in 0..rounds.parse()? {
        let begun = Instant::now();
        letters = read(&bundle, &keyring)?;
        best = best.min(begun.elapsed().as_secs_f64());
    }
    let nanoseconds = best * 1e9 / f64::from(u32::try_from(bundle.len())?);
    #[allow(clippy::print_stdout)]
    {
        println!("{nanoseconds:.1} {letters}");
    }
    Ok(())
}

/// Bytes of name, phone and city of all orders.
fn read(bundle: &Bundle, keyring: &Keyring) -> Result<usize, consignee::Error> {
    let mut letters = 0;
    for first in (0..bundle.len()).step_by(BATCH) {
        let batch: Vec<_> = bundle.views_of(first..first + BATCH, keyring).collect::<Result<_, _>>()?;
        for view in &batch {
            letters += letters_of(view)?;
        }
    }
    Ok(letters)
}

fn letters_of(view: &View) -> Result<usize, consignee::Error> {
    let city = match view.get("consignee.address")? {
        Value::Address(address) => address.city.len(),
        _ => 0,
    };
    Ok(view.text("consignee.name")?.len() + view.text("consignee.phone")?.len() + city)
}
