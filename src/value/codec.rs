//! The bytes of a value: `docs/format.md`, section 5, rules F14 to F17.
//!
//! This is the only file that knows bincode. It gives integers, bounded reading and the two traits; the form is written out
//! by hand, because what it derives spends 4 bytes on a tag and 8 on a length. It reads only what an AEAD has authenticated.

use super::list::{self, MAX_ROWS};
use super::{Address, Cell, CellRef, Decimal, List, MAX_LINES, Money, Rows, Timestamp, Value, ValueRef};
use super::{expected, json, too_large};
use crate::error::{Error, ErrorKind, Result};
use bincode::{
    BorrowDecode, Encode,
    config::{Configuration, Fixint, Limit, LittleEndian},
    de::{
        BorrowDecoder, Decode,
        read::{BorrowReader, Reader},
    },
    enc::{Encoder, write::Writer},
    error::{DecodeError, EncodeError},
};
use consignee_policy::FieldType;

/// Most bytes of an encoded value, before and after padding (F17); a multiple of every step of the padding.
pub(crate) const MAX_VALUE: usize = 1_048_576;

const CONFIG: Configuration<LittleEndian, Fixint, Limit<MAX_VALUE>> =
    bincode::config::standard().with_little_endian().with_fixed_int_encoding().with_limit::<MAX_VALUE>();

/// The offset that stands for "Z".
const ZULU: i16 = i16::MIN;

/// Appends the encoded value. Nothing is appended on an error.
///
/// # Errors
/// `Limit` beyond what F17 allows; `Input` for json that is not JSON and for rows no list can have.
pub(crate) fn encode(value: ValueRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    check(value)?;
    let start = out.len();
    let writer = Bounded { out, room: MAX_VALUE };
    bincode::encode_into_writer(Wire(value), writer, CONFIG).map_err(|_| {
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
pub(crate) fn decode_padded(bytes: &[u8], ty: FieldType) -> Result<Value> {
    decode_exact(bytes, ty)
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

fn decode_exact(bytes: &[u8], ty: FieldType) -> Option<Value> {
    if bytes.len() > MAX_VALUE || bytes.first() != Some(&ty.tag()) {
        return None;
    }
    let (Decoded(value), n) = bincode::borrow_decode_from_slice(bytes, CONFIG).ok()?;
    let (encoded, padding) = bytes.split_at_checked(n)?;
    if bytes.len() != padded_len(ty, n) || padding.iter().any(|byte| *byte != 0) {
        return None;
    }
    let mut same = Same { rest: encoded };
    bincode::encode_into_writer(Wire(value.as_ref()), &mut same, CONFIG).ok()?;
    same.rest.is_empty().then_some(value)
}

/// Appends, up to a limit: bincode's own limit is for reading only.
struct Bounded<'a> {
    out: &'a mut Vec<u8>,
    room: usize,
}

impl Writer for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.room = self.room.checked_sub(bytes.len()).ok_or(EncodeError::UnexpectedEnd)?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }
}

/// Compares what is written with what is there (F14), without a second buffer of plaintext.
struct Same<'a> {
    rest: &'a [u8],
}

impl Writer for Same<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.rest = self.rest.strip_prefix(bytes).ok_or(EncodeError::UnexpectedEnd)?;
        Ok(())
    }
}

struct Wire<'a>(ValueRef<'a>);

impl Encode for Wire<'_> {
    fn encode<E: Encoder>(&self, e: &mut E) -> Result<(), EncodeError> {
        self.0.field_type().tag().encode(e)?;
        match self.0 {
            ValueRef::Text(text) | ValueRef::Json(text) => put_bytes(text.as_bytes(), e),
            ValueRef::Bytes(bytes) => put_bytes(bytes, e),
            ValueRef::Bool(yes) => u8::from(yes).encode(e),
            ValueRef::Integer(number) => number.encode(e),
            ValueRef::Money(money) => {
                put_decimal(money.amount(), e)?;
                e.writer().write(money.currency().as_bytes())
            }
            ValueRef::Timestamp(time) => {
                time.seconds().encode(e)?;
                time.nanoseconds().encode(e)?;
                time.offset().unwrap_or(ZULU).encode(e)?;
                time.fraction_digits().encode(e)
            }
            ValueRef::Address(address) => {
                put_u8(address.lines.len(), e)?;
                address.lines.iter().try_for_each(|line| put_bytes(line.as_bytes(), e))?;
                [&address.city, &address.region, &address.postal_code, &address.country]
                    .into_iter()
                    .try_for_each(|text| put_bytes(text.as_bytes(), e))
            }
            ValueRef::List(rows) => put_rows(rows, e),
        }
    }
}

fn put_rows<E: Encoder>(rows: &dyn Rows, e: &mut E) -> Result<(), EncodeError> {
    let columns = rows.column_count();
    put_u8(columns, e)?;
    for column in 0..columns {
        let name = rows.column_name(column).as_bytes();
        put_u8(name.len(), e)?;
        e.writer().write(name)?;
    }
    put_u32(rows.row_count(), e)?;
    for row in 0..rows.row_count() {
        for column in 0..columns {
            match rows.cell(row, column) {
                CellRef::Absent => 0u8.encode(e)?,
                CellRef::Text(text) => {
                    1u8.encode(e)?;
                    put_bytes(text.as_bytes(), e)?;
                }
                CellRef::Bool(yes) => [2, u8::from(yes)].encode(e)?,
                CellRef::Integer(number) => {
                    3u8.encode(e)?;
                    number.encode(e)?;
                }
                CellRef::Decimal(number) => {
                    4u8.encode(e)?;
                    put_decimal(number, e)?;
                }
            }
        }
    }
    Ok(())
}

fn put_bytes<E: Encoder>(bytes: &[u8], e: &mut E) -> Result<(), EncodeError> {
    put_u32(bytes.len(), e)?;
    e.writer().write(bytes)
}

fn put_decimal<E: Encoder>(number: Decimal, e: &mut E) -> Result<(), EncodeError> {
    number.digits().encode(e)?;
    number.scale().encode(e)
}

fn put_u8<E: Encoder>(n: usize, e: &mut E) -> Result<(), EncodeError> {
    u8::try_from(n).map_err(|_| EncodeError::UnexpectedEnd)?.encode(e)
}

fn put_u32<E: Encoder>(n: usize, e: &mut E) -> Result<(), EncodeError> {
    u32::try_from(n).map_err(|_| EncodeError::UnexpectedEnd)?.encode(e)
}

struct Decoded(Value);

impl<'de, C> BorrowDecode<'de, C> for Decoded {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(d: &mut D) -> Result<Self, DecodeError> {
        let ty = FieldType::from_tag(u8::decode(d)?).ok_or(INVALID)?;
        Ok(Self(match ty {
            FieldType::Text => Value::Text(get_text(d)?),
            FieldType::Bool => Value::Bool(get_bool(d)?),
            FieldType::Integer => Value::Integer(i64::decode(d)?),
            FieldType::Money => {
                let amount = get_decimal(d)?;
                let currency = <[u8; 3]>::try_from(get_slice(3, d)?).map_err(|_| INVALID)?;
                Value::Money(Money::checked(amount, currency).ok_or(INVALID)?)
            }
            FieldType::Timestamp => {
                let (seconds, nanoseconds) = (i64::decode(d)?, u32::decode(d)?);
                let offset = Some(i16::decode(d)?).filter(|minutes| *minutes != ZULU);
                let time = Timestamp::new(seconds, nanoseconds, offset, u8::decode(d)?);
                Value::Timestamp(time.ok_or(INVALID)?)
            }
            FieldType::Address => {
                let lines = u8::decode(d)?;
                Value::Address(Address {
                    lines: (0..lines).map(|_| get_text(d)).collect::<Result<_, _>>()?,
                    city: get_text(d)?,
                    region: get_text(d)?,
                    postal_code: get_text(d)?,
                    country: get_text(d)?,
                })
            }
            FieldType::List => Value::List(get_list(d)?),
            FieldType::Bytes => Value::Bytes(get_bytes(d)?.to_vec()),
            FieldType::Json => {
                Value::Json(Some(get_text(d)?).filter(|text| json::is_json(text)).ok_or(INVALID)?)
            }
        }))
    }
}

const INVALID: DecodeError = DecodeError::Other("not a value");

fn get_list<'de, D: BorrowDecoder<'de>>(d: &mut D) -> Result<List, DecodeError> {
    let columns = usize::from(u8::decode(d)?);
    let mut names = Vec::with_capacity(columns);
    for _ in 0..columns {
        let length = u8::decode(d)?;
        names.push(as_text(get_slice(length.into(), d)?)?);
    }
    let rows = get_length(d)?;
    // A cell takes at least a byte. Without this check, or with rows of no cells, four bytes could ask for gigabytes.
    if rows > MAX_ROWS || (columns == 0 && rows > 0) || d.reader().peek_read(rows * columns).is_none() {
        return Err(INVALID);
    }
    let rows = (0..rows).map(|_| (0..columns).map(|_| get_cell(d)).collect()).collect::<Result<_, _>>()?;
    List::new(names, rows).map_err(|_| INVALID)
}

fn get_cell<'de, D: BorrowDecoder<'de>>(d: &mut D) -> Result<Cell, DecodeError> {
    Ok(match u8::decode(d)? {
        0 => Cell::Absent,
        1 => Cell::Text(get_text(d)?),
        2 => Cell::Bool(get_bool(d)?),
        3 => Cell::Integer(i64::decode(d)?),
        4 => Cell::Decimal(get_decimal(d)?),
        _ => return Err(INVALID),
    })
}

fn get_bool<'de, D: BorrowDecoder<'de>>(d: &mut D) -> Result<bool, DecodeError> {
    match u8::decode(d)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(INVALID),
    }
}

fn get_decimal<'de, D: BorrowDecoder<'de>>(d: &mut D) -> Result<Decimal, DecodeError> {
    Decimal::checked(i64::decode(d)?, u8::decode(d)?).ok_or(INVALID)
}

fn get_text<'de, D: BorrowDecoder<'de>>(d: &mut D) -> Result<String, DecodeError> {
    as_text(get_bytes(d)?)
}

fn as_text(bytes: &[u8]) -> Result<String, DecodeError> {
    str::from_utf8(bytes).map(str::to_owned).map_err(|_| INVALID)
}

fn get_bytes<'de, D: BorrowDecoder<'de>>(d: &mut D) -> Result<&'de [u8], DecodeError> {
    let length = get_length(d)?;
    get_slice(length, d)
}

fn get_length<'de, D: BorrowDecoder<'de>>(d: &mut D) -> Result<usize, DecodeError> {
    usize::try_from(u32::decode(d)?).map_err(|_| INVALID)
}

fn get_slice<'de, D: BorrowDecoder<'de>>(length: usize, d: &mut D) -> Result<&'de [u8], DecodeError> {
    d.claim_bytes_read(length)?;
    d.borrow_reader().take_bytes(length)
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
