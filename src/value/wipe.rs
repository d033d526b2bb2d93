//! Wiping of values that are done with.

use super::{Address, Cell, List, Value};
use zeroize::Zeroize;

/// Overwrites what the value says, and leaves an empty one of the same type.
impl Zeroize for Value {
    fn zeroize(&mut self) {
        match self {
            Self::Text(text) | Self::Json(text) => wipe(text),
            Self::Bytes(bytes) => {
                bytes.as_mut_slice().zeroize();
                bytes.clear();
            }
            Self::Address(address) => address.zeroize(),
            Self::List(list) => list.zeroize(),
            Self::Bool(yes) => yes.zeroize(),
            Self::Integer(number) => number.zeroize(),
            Self::Money(money) => money.amount.digits.zeroize(),
            Self::Timestamp(time) => {
                time.seconds.zeroize();
                time.nanoseconds.zeroize();
            }
        }
    }
}

impl Zeroize for Address {
    fn zeroize(&mut self) {
        let Self { lines, city, region, postal_code, country } = self;
        lines.iter_mut().chain([city, region, postal_code, country]).for_each(wipe);
        lines.clear();
    }
}

impl Zeroize for List {
    fn zeroize(&mut self) {
        for cell in self.rows.iter_mut().flatten() {
            match cell {
                Cell::Text(text) => wipe(text),
                Cell::Bool(yes) => yes.zeroize(),
                Cell::Integer(number) => number.zeroize(),
                Cell::Decimal(number) => number.digits.zeroize(),
                Cell::Absent => {}
            }
        }
        self.rows.clear();
    }
}

/// At once: `String`'s own wiping goes byte by byte, and over the spare capacity, which what was opened has none of.
fn wipe(text: &mut String) {
    text.as_mut_str().zeroize();
    text.clear();
}
