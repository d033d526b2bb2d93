//! Values as opening gives them: checked, and borrowed from the decrypted bytes. Reads only what an AEAD has authenticated.
//!
//! There is one encoding of each value (F14): every length and number has one width, and whatever a value does not keep is
//! refused. So no value is encoded again to see whether its bytes were the ones.

use consignee_policy::FieldType;

use super::codec::{MAX_VALUE, ZULU, padded_len};
use super::list::{MAX_COLUMNS, MAX_ROWS};
use super::{Address, Cell, CellRef, Decimal, List, Money, Timestamp, Value, json};

/// A value, borrowed from its encoding.
#[derive(Clone, Copy)]
pub(crate) enum Plain<'a> {
    Text(&'a str),
    Bool(bool),
    Integer(i64),
    Money(Money),
    Timestamp(Timestamp),
    Address(PlainAddress<'a>),
    List(PlainList<'a>),
    Bytes(&'a [u8]),
    Json(&'a str),
}

/// An address, borrowed from its encoding.
#[derive(Clone, Copy)]
pub(crate) struct PlainAddress<'a> {
    lines: u8,
    /// The lines, each with its length. Invariant: they can be read.
    encoded: Reader<'a>,
    city: &'a str,
    region: &'a str,
    postal_code: &'a str,
    country: &'a str,
}

/// A list, borrowed from its encoding.
#[derive(Clone, Copy)]
pub(crate) struct PlainList<'a> {
    columns: usize,
    rows: usize,
    /// Names and cells. Invariant: they can be read.
    names: Reader<'a>,
    cells: Reader<'a>,
}

impl<'a> Plain<'a> {
    /// The value of this type that these bytes are, padding included; `None` for all others.
    pub(super) fn read(bytes: &'a [u8], ty: FieldType) -> Option<Self> {
        let mut reader = Reader { rest: bytes };
        if bytes.len() > MAX_VALUE || reader.u8()? != ty.tag() {
            return None;
        }
        let value = match ty {
            FieldType::Text => Self::Text(reader.text()?),
            FieldType::Bool => Self::Bool(reader.bool()?),
            FieldType::Integer => Self::Integer(reader.i64()?),
            FieldType::Money => {
                let amount = reader.decimal()?;
                Self::Money(Money::checked(amount, reader.array()?)?)
            }
            FieldType::Timestamp => {
                let (seconds, nanoseconds) = (reader.i64()?, u32::from_le_bytes(reader.array()?));
                let offset = Some(i16::from_le_bytes(reader.array()?)).filter(|minutes| *minutes != ZULU);
                Self::Timestamp(Timestamp::new(seconds, nanoseconds, offset, reader.u8()?)?)
            }
            FieldType::Address => Self::Address(reader.address()?),
            FieldType::List => Self::List(reader.list()?),
            FieldType::Bytes => Self::Bytes(reader.bytes()?),
            FieldType::Json => Self::Json(Some(reader.text()?).filter(|text| json::is_json(text))?),
        };
        let padding = reader.rest;
        let is_padded = bytes.len() == padded_len(ty, bytes.len() - padding.len());
        (is_padded && padding.iter().all(|byte| *byte == 0)).then_some(value)
    }

    /// The same value, owned.
    pub(crate) fn to_value(self) -> Value {
        match self {
            Self::Text(text) => Value::Text(text.to_owned()),
            Self::Bool(yes) => Value::Bool(yes),
            Self::Integer(number) => Value::Integer(number),
            Self::Money(money) => Value::Money(money),
            Self::Timestamp(time) => Value::Timestamp(time),
            Self::Address(address) => Value::Address(address.to_address()),
            Self::List(list) => Value::List(list.to_list()),
            Self::Bytes(bytes) => Value::Bytes(bytes.to_owned()),
            Self::Json(text) => Value::Json(text.to_owned()),
        }
    }
}

impl PlainAddress<'_> {
    fn to_address(self) -> Address {
        let mut encoded = self.encoded;
        Address {
            lines: (0..self.lines).map_while(|_| Some(encoded.text()?.to_owned())).collect(),
            city: self.city.to_owned(),
            region: self.region.to_owned(),
            postal_code: self.postal_code.to_owned(),
            country: self.country.to_owned(),
        }
    }
}

impl PlainList<'_> {
    fn to_list(self) -> List {
        let Self { columns, rows, mut names, mut cells } = self;
        let names = (0..columns).map_while(|_| Some(names.name()?.to_owned())).collect();
        let mut row = || (0..columns).map_while(|_| Some(cells.cell()?.to_cell())).collect::<Vec<Cell>>();
        List::checked(names, (0..rows).map(|_| row()).collect())
    }
}

/// What is left to read. Each step gives `None` where the bytes do not follow the format.
#[derive(Clone, Copy)]
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn address(&mut self) -> Option<PlainAddress<'a>> {
        let lines = self.u8()?;
        let encoded = *self;
        for _ in 0..lines {
            self.text()?;
        }
        let (city, region, postal_code, country) = (self.text()?, self.text()?, self.text()?, self.text()?);
        Some(PlainAddress { lines, encoded, city, region, postal_code, country })
    }

    fn list(&mut self) -> Option<PlainList<'a>> {
        let columns = usize::from(self.u8()?);
        if columns > MAX_COLUMNS {
            return None;
        }
        let names = *self;
        let mut seen = [""; MAX_COLUMNS];
        for column in 0..columns {
            let name = self.name()?;
            let (before, here) = seen.split_at_mut(column);
            if before.contains(&name) {
                return None;
            }
            *here.first_mut()? = name;
        }
        let rows = self.length()?;
        // A cell takes at least a byte. Without this check, or with rows of no cells, four bytes could ask for gigabytes (F32).
        if rows > MAX_ROWS || (columns == 0 && rows > 0) || self.rest.len() < rows * columns {
            return None;
        }
        let cells = *self;
        for _ in 0..rows * columns {
            self.cell()?;
        }
        Some(PlainList { columns, rows, names, cells })
    }

    fn cell(&mut self) -> Option<CellRef<'a>> {
        Some(match self.u8()? {
            0 => CellRef::Absent,
            1 => CellRef::Text(self.text()?),
            2 => CellRef::Bool(self.bool()?),
            3 => CellRef::Integer(self.i64()?),
            4 => CellRef::Decimal(self.decimal()?),
            _ => return None,
        })
    }

    fn name(&mut self) -> Option<&'a str> {
        let length = self.u8()?;
        str::from_utf8(self.take(length.into())?).ok()
    }

    fn text(&mut self) -> Option<&'a str> {
        str::from_utf8(self.bytes()?).ok()
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        self.take(length)
    }

    fn decimal(&mut self) -> Option<Decimal> {
        Decimal::checked(self.i64()?, self.u8()?)
    }

    fn bool(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.array()?)).ok()
    }

    fn i64(&mut self) -> Option<i64> {
        Some(i64::from_le_bytes(self.array()?))
    }

    fn u8(&mut self) -> Option<u8> {
        Some(self.array::<1>()?[0])
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.rest.split_first_chunk::<N>()?;
        self.rest = tail;
        Some(*head)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.rest.split_at_checked(length)?;
        self.rest = tail;
        Some(head)
    }
}
