//! Prints made-up orders, one JSON object to a line, for trying things out at size; the same ones every time.
//!
//!     cargo run --release --example orders -- 1000000 > orders.jsonl

#[path = "../tests/common/orders.rs"]
mod orders;

use std::io::{self, BufWriter, Write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count: u64 = std::env::args().nth(1).as_deref().unwrap_or("10").parse()?;
    let mut out = BufWriter::new(io::stdout().lock());
    for number in 0..count {
        writeln!(out, "{}", orders::order_json(number))?;
    }
    Ok(out.flush()?)
}
