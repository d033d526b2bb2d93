//! The closed set of values a field can have, their bytes and their JSON.
//!
//! A value is what is sealed; so nothing here prints content through `Debug`, and no error repeats any.

mod codec;
mod decimal;
mod field;
mod json;
mod list;
mod node;
mod plain;
mod timestamp;
mod wipe;

pub(crate) use codec::{MAX_VALUE, decode_padded, encode, encode_padded};
pub use decimal::{Decimal, Money};
pub use field::{CellOf, FieldOf, types};
pub(crate) use json::{address, integer, money, object, parsed, text};
pub use list::{Cell, CellRef, Cells, List, Row, Rows};
pub(crate) use node::{Node, Object, Path};
pub(crate) use plain::Plain;
pub use timestamp::Timestamp;

use crate::error::{Error, ErrorKind, Result};
use consignee_policy::FieldType;
use std::fmt;

/// Gives types `Debug` that prints their name and no content.
macro_rules! opaque_debug {
    ($($type:ident),+) => { $(
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($type), "(..)"))
            }
        }
    )+ };
}
pub(crate) use opaque_debug;

/// The value of one field of an order, owned.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// Text.
    Text(String),
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// An amount and its currency.
    Money(Money),
    /// A point in time, with the text it was given as.
    Timestamp(Timestamp),
    /// A postal address.
    Address(Address),
    /// Rows under named columns, such as the items of an order.
    List(List),
    /// Bytes.
    Bytes(Vec<u8>),
    /// JSON, as text.
    Json(String),
}

/// The value of one field of an order, borrowed from where it lives.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum ValueRef<'a> {
    /// Text.
    Text(&'a str),
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// An amount and its currency.
    Money(Money),
    /// A point in time.
    Timestamp(Timestamp),
    /// A postal address.
    Address(&'a Address),
    /// Rows under named columns.
    List(&'a dyn Rows),
    /// Bytes.
    Bytes(&'a [u8]),
    /// JSON, as text.
    Json(&'a str),
}

/// A postal address. What a country does not use stays empty.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// Company, street, house, floor: as they are written, at most 255 lines.
    pub lines: Vec<String>,
    /// City or town.
    pub city: String,
    /// Province, state or county.
    pub region: String,
    /// Postal code.
    pub postal_code: String,
    /// Country, as the shop writes it.
    pub country: String,
}

opaque_debug!(Address);

/// Most lines of an address (F17).
pub(crate) const MAX_LINES: usize = 255;

impl Value {
    /// The same value, borrowed.
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Text(text) => ValueRef::Text(text),
            Self::Bool(yes) => ValueRef::Bool(*yes),
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Money(money) => ValueRef::Money(*money),
            Self::Timestamp(time) => ValueRef::Timestamp(*time),
            Self::Address(address) => ValueRef::Address(address),
            Self::List(list) => ValueRef::List(list),
            Self::Bytes(bytes) => ValueRef::Bytes(bytes),
            Self::Json(text) => ValueRef::Json(text),
        }
    }

    /// The type a policy must give a field for it to have this value.
    pub fn field_type(&self) -> FieldType {
        self.as_ref().field_type()
    }
}

impl ValueRef<'_> {
    /// The same value, owned.
    ///
    /// # Errors
    /// As for [`List::new`], for a list.
    pub fn to_value(self) -> Result<Value> {
        Ok(match self {
            Self::Text(text) => Value::Text(text.to_owned()),
            Self::Bool(yes) => Value::Bool(yes),
            Self::Integer(number) => Value::Integer(number),
            Self::Money(money) => Value::Money(money),
            Self::Timestamp(time) => Value::Timestamp(time),
            Self::Address(address) => Value::Address(address.clone()),
            Self::List(rows) => Value::List(List::copied(rows)?),
            Self::Bytes(bytes) => Value::Bytes(bytes.to_owned()),
            Self::Json(text) => Value::Json(text.to_owned()),
        })
    }

    /// The type a policy must give a field for it to have this value.
    pub fn field_type(self) -> FieldType {
        match self {
            Self::Text(_) => FieldType::Text,
            Self::Bool(_) => FieldType::Bool,
            Self::Integer(_) => FieldType::Integer,
            Self::Money(_) => FieldType::Money,
            Self::Timestamp(_) => FieldType::Timestamp,
            Self::Address(_) => FieldType::Address,
            Self::List(_) => FieldType::List,
            Self::Bytes(_) => FieldType::Bytes,
            Self::Json(_) => FieldType::Json,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl fmt::Debug for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(..)",
            Self::Bool(_) => "Bool(..)",
            Self::Integer(_) => "Integer(..)",
            Self::Money(_) => "Money(..)",
            Self::Timestamp(_) => "Timestamp(..)",
            Self::Address(_) => "Address(..)",
            Self::List(_) => "List(..)",
            Self::Bytes(_) => "Bytes(..)",
            Self::Json(_) => "Json(..)",
        })
    }
}

/// An error about a value whose place the caller may know.
fn expected(message: &'static str) -> Error {
    Error::new(ErrorKind::Input { line: None, field: None }, message)
}

/// The error of a value that is larger than the format takes.
fn too_large(message: &'static str) -> Error {
    Error::new(ErrorKind::Limit, message)
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    pub(crate) fn decimal() -> impl Strategy<Value = Decimal> {
        (-999_999_999_999_999_999..=999_999_999_999_999_999i64, 0..=18u8)
            .prop_map(|(digits, scale)| Decimal::new(digits, scale).unwrap())
    }

    pub(crate) fn timestamp() -> impl Strategy<Value = Timestamp> {
        let offset = prop_oneof![Just(None), (-1439..=1439i16).prop_map(Some)];
        // Local time stays within the years 0002 to 9998 whatever the offset.
        (-62_100_000_000..253_300_000_000i64, 0..1_000_000_000u32, offset, 0..=9u8).prop_map(
            |(seconds, nanoseconds, offset, digits)| {
                let unit = 10u32.pow(9 - u32::from(digits));
                Timestamp::new(seconds, nanoseconds / unit * unit, offset, digits).unwrap()
            },
        )
    }

    pub(crate) fn cell() -> impl Strategy<Value = Cell> {
        prop_oneof![
            Just(Cell::Absent),
            ".{0,40}".prop_map(Cell::Text),
            any::<bool>().prop_map(Cell::Bool),
            any::<i64>().prop_map(Cell::Integer),
            decimal().prop_map(Cell::Decimal),
        ]
    }

    fn list() -> impl Strategy<Value = List> {
        (0..6usize, 0..8usize).prop_flat_map(|(columns, rows)| {
            let names = (0..columns).map(|i| format!("列{i}")).collect::<Vec<_>>();
            let rows = if columns == 0 { 0 } else { rows };
            vec(vec(cell(), columns), rows).prop_map(move |rows| List::new(names.clone(), rows).unwrap())
        })
    }

    fn address() -> impl Strategy<Value = Address> {
        (vec(".{0,30}", 0..5), ".{0,20}", ".{0,20}", ".{0,10}", ".{0,20}").prop_map(
            |(lines, city, region, postal_code, country)| Address {
                lines,
                city,
                region,
                postal_code,
                country,
            },
        )
    }

    pub(crate) fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            ".{0,400}".prop_map(Value::Text),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Integer),
            (decimal(), "[A-Z]{3}").prop_map(|(a, c)| Value::Money(Money::new(a, &c).unwrap())),
            timestamp().prop_map(Value::Timestamp),
            address().prop_map(Value::Address),
            list().prop_map(Value::List),
            vec(any::<u8>(), 0..600).prop_map(Value::Bytes),
            vec(".{0,20}", 0..4).prop_map(|texts| Value::Json(serde_json::json!({ "a": texts }).to_string())),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn debug_prints_the_type_and_no_content(value in samples::value()) {
            prop_assert_eq!(format!("{value:?}"), format!("{:?}(..)", value.field_type()));
        }
    }

    #[test]
    fn debug_of_the_parts_prints_no_content() {
        let money = Money::new(Decimal::new(47_238, 2).unwrap(), "USD").unwrap();
        let address = Address { city: "Reims".into(), ..Address::default() };
        let list = List::new(vec!["sku".into()], vec![vec![Cell::Text("NW-011".into())]]).unwrap();
        let printed = format!("{:?} {money:?} {address:?} {list:?} {:?}", money.amount(), list.rows());
        assert_eq!(printed, "Decimal(..) Money(..) Address(..) List(..) [[Text(..)]]");
        let time: Timestamp = "1996-07-04T00:00:00Z".parse().unwrap();
        assert_eq!(format!("{time:?}"), "Timestamp(..)");
    }
}
