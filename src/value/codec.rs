//! The bytes of a value: `docs/format.md`, section 5, rules F14 to F17. Writing; [`Plain`](super::plain::Plain) reads.

use super::list;
use super::plain::Plain;
use super::{Address, CellRef, Decimal, MAX_LINES, Rows, ValueRef};
use super::{expected, json, too_large};
use crate::error::{Error, ErrorKind, Result};
use consignee_policy::FieldType;

/// Most bytes of an encoded value, before and after padding (F17); a multiple of every step of the padding.
pub(crate) const MAX_VALUE: usize = 1_048_576;

/// The offset that stands for "Z".
pub(super) const ZULU: i16 = i16::MIN;

/// Appends the encoded value. Nothing is appended on an error.
///
/// # Errors
/// `Limit` beyond what F17 allows; `Input` for json that is not JSON and for rows no list can have.
pub(crate) fn encode(value: ValueRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    check(value)?;
    let start = out.len();
    let mut writer = Writer { out, end: start + MAX_VALUE };
    let written = writer.value(value);
    written.ok_or_else(|| {
        out.truncate(start);
        too_large("a value is longer than 1,048,576 bytes")
    })
}

/// Appends the encoded value and its padding. Nothing is appended on an error.
///
/// # Errors
/// Those of [`encode`].
pub(crate) fn encode_padded(value: ValueRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let start = out.len();
    encode(value, out)?;
    let padded = padded_len(value.field_type(), out.len() - start);
    out.resize(start + padded, 0);
    Ok(())
}

/// The value of this type that these bytes are, padding included.
///
/// # Errors
/// `Damaged` for any other bytes than [`encode_padded`] writes for a value of this type.
pub(crate) fn decode_padded(bytes: &[u8], ty: FieldType) -> Result<Plain<'_>> {
    Plain::read(bytes, ty)
        .ok_or_else(|| Error::new(ErrorKind::Damaged, "a value's bytes do not follow the format"))
}

/// P(n): the length to which an encoded value of n bytes is padded.
///
/// Above 256 bytes Padmé (Nikitin et al., PETS 2019): E = floor(log2 n), S = floor(log2 E) + 1, z = E − S, and n is rounded
/// up to a multiple of 2^z: lengths tell O(log log n) bits, for at most 12 % more bytes.
pub(crate) fn padded_len(ty: FieldType, n: usize) -> usize {
    match ty {
        FieldType::Bool | FieldType::Integer | FieldType::Money | FieldType::Timestamp => n,
        FieldType::Text | FieldType::Address | FieldType::List | FieldType::Bytes | FieldType::Json => {
            match n {
                0..=32 => 32,
                33..=256 => n.next_multiple_of(16),
                _ => {
                    let e = n.ilog2();
                    let s = e.ilog2() + 1;
                    n.next_multiple_of(1 << (e - s))
                }
            }
        }
    }
}

/// Refuses what [`decode_padded`] would refuse and what lengths of one byte cannot say.
fn check(value: ValueRef<'_>) -> Result<()> {
    match value {
        ValueRef::Address(address) if address.lines.len() > MAX_LINES => {
            Err(too_large("an address has more than 255 lines"))
        }
        ValueRef::List(rows) => list::check(rows),
        ValueRef::Json(text) if !json::is_json(text) => {
            Err(expected("expected JSON text, nested at most 64 deep"))
        }
        _ => Ok(()),
    }
}

/// Appends up to a limit. What it gives is `None` where the limit, or a length of the format, does not hold the value.
struct Writer<'a> {
    out: &'a mut Vec<u8>,
    end: usize,
}

impl Writer<'_> {
    fn value(&mut self, value: ValueRef<'_>) -> Option<()> {
        let tag = value.field_type().tag();
        match value {
            ValueRef::Text(text) | ValueRef::Json(text) => self.tagged(tag, text.as_bytes()),
            ValueRef::Bytes(bytes) => self.tagged(tag, bytes),
            ValueRef::Bool(yes) => self.put(&[tag, u8::from(yes)]),
            ValueRef::Integer(number) => self.integer(tag, number),
            ValueRef::Money(money) => {
                self.decimal(tag, money.amount())?;
                self.put(money.currency().as_bytes())
            }
            ValueRef::Timestamp(time) => {
                self.integer(tag, time.seconds())?;
                self.put(&time.nanoseconds().to_le_bytes())?;
                self.put(&time.offset().unwrap_or(ZULU).to_le_bytes())?;
                self.put(&[time.fraction_digits()])
            }
            ValueRef::Address(address) => {
                let Address { lines, city, region, postal_code, country } = address;
                self.put(&[tag, u8::try_from(lines.len()).ok()?])?;
                let others = [city, region, postal_code, country];
                lines.iter().chain(others).try_for_each(|text| self.bytes(text.as_bytes()))
            }
            ValueRef::List(rows) => {
                self.put(&[tag])?;
                self.rows(rows)
            }
        }
    }

    fn rows(&mut self, rows: &dyn Rows) -> Option<()> {
        let (columns, count) = (rows.column_count(), rows.row_count());
        self.put(&[u8::try_from(columns).ok()?])?;
        for column in 0..columns {
            let name = rows.column_name(column).as_bytes();
            self.put(&[u8::try_from(name.len()).ok()?])?;
            self.put(name)?;
        }
        self.put(&u32::try_from(count).ok()?.to_le_bytes())?;
        (0..count).try_for_each(|row| (0..columns).try_for_each(|column| self.cell(rows.cell(row, column))))
    }

    fn cell(&mut self, cell: CellRef<'_>) -> Option<()> {
        match cell {
            CellRef::Absent => self.put(&[0]),
            CellRef::Text(text) => self.tagged(1, text.as_bytes()),
            CellRef::Bool(yes) => self.put(&[2, u8::from(yes)]),
            CellRef::Integer(number) => self.integer(3, number),
            CellRef::Decimal(number) => self.decimal(4, number),
        }
    }

    /// A tag or kind, and bytes after their length.
    fn tagged(&mut self, tag: u8, bytes: &[u8]) -> Option<()> {
        let [l0, l1, l2, l3] = u32::try_from(bytes.len()).ok()?.to_le_bytes();
        self.put(&[tag, l0, l1, l2, l3])?;
        self.put(bytes)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Option<()> {
        self.put(&u32::try_from(bytes.len()).ok()?.to_le_bytes())?;
        self.put(bytes)
    }

    fn integer(&mut self, tag: u8, number: i64) -> Option<()> {
        let [n0, n1, n2, n3, n4, n5, n6, n7] = number.to_le_bytes();
        self.put(&[tag, n0, n1, n2, n3, n4, n5, n6, n7])
    }

    fn decimal(&mut self, tag: u8, number: Decimal) -> Option<()> {
        self.integer(tag, number.digits())?;
        self.put(&[number.scale()])
    }

    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        if self.end - self.out.len() < bytes.len() {
            return None;
        }
        self.out.extend_from_slice(bytes);
        Some(())
    }
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
