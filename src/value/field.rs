//! Rust types that hold the values of a field, or the cells of a list: what `#[derive(Record)]` and `#[derive(Row)]` go by.

use super::{Address, Cell, CellRef, Decimal, List, Money, Row, Timestamp, Value, ValueRef};
use crate::error::{Error, ErrorKind, Result};

/// The types of the policy as types of Rust, for [`FieldOf`] to name.
pub mod types {
    macro_rules! types {
        ($($(#[$doc:meta])* $name:ident),+ $(,)?) => { $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy)]
            pub enum $name {}
        )+ };
    }
    types! {
        /// `text`
        Text,
        /// `bool`
        Bool,
        /// `integer`
        Integer,
        /// `money`
        Money,
        /// `timestamp`
        Timestamp,
        /// `address`
        Address,
        /// `list`
        List,
        /// `bytes`
        Bytes,
        /// `json`
        Json,
    }
}

/// A Rust type that holds the value of a field which the policy gives the type `Type`.
///
/// | policy | Rust |
/// |---|---|
/// | `text`, `json` | `String` |
/// | `bool` | `bool` |
/// | `integer` | `i8` to `i64`, `u8` to `u32` |
/// | `money`, `timestamp`, `address` | [`Money`], [`Timestamp`], [`Address`] |
/// | `list` | `Vec` of a type with `#[derive(Row)]`, [`List`] |
/// | `bytes` | `Vec<u8>` |
///
/// and `Option` of each, for a field that an order may lack. A type of your own joins by implementing this.
#[diagnostic::on_unimplemented(
    message = "the policy gives this field the type `{Type}`, which `{Self}` does not hold",
    label = "not of this type",
    note = "text, json: String; bool: bool; integer: i64 and smaller; money: Money; timestamp: Timestamp; address: Address; \
            list: Vec of a type with #[derive(Row)]; bytes: Vec<u8>; or an Option of it, or your own implementation of FieldOf"
)]
pub trait FieldOf<Type>: Sized {
    /// Of a list, the columns that its rows have, where the type says so: a policy's `lines` must name one of them.
    const COLUMNS: Option<&'static [&'static str]> = None;

    /// The value, borrowed; `None` where the order has none.
    fn to_value(&self) -> Option<ValueRef<'_>>;

    /// From an opened value; `None` where the order has none.
    ///
    /// # Errors
    /// `Absent` where it has none and must have one; `PolicyMismatch` for a value of another type; `Limit` for a number that
    /// does not fit.
    fn from_value(value: Option<Value>) -> Result<Self>;
}

impl<Type, T: FieldOf<Type>> FieldOf<Type> for Option<T> {
    const COLUMNS: Option<&'static [&'static str]> = T::COLUMNS;

    #[inline]
    fn to_value(&self) -> Option<ValueRef<'_>> {
        self.as_ref()?.to_value()
    }

    fn from_value(value: Option<Value>) -> Result<Self> {
        value.map(|value| T::from_value(Some(value))).transpose()
    }
}

/// What `get` makes of the value that must be there.
fn required<T>(value: Option<Value>, get: impl FnOnce(Value) -> Option<T>) -> Result<T> {
    let value = value.ok_or_else(|| Error::new(ErrorKind::Absent, "the order has no value for this part"))?;
    get(value).ok_or_else(|| Error::new(ErrorKind::PolicyMismatch, "the order's value is of another type"))
}

macro_rules! fields {
    ($($type:ident holds $rust:ty: $value:ident => $borrowed:expr, $variant:ident),+ $(,)?) => { $(
        impl FieldOf<types::$type> for $rust {
            #[inline]
            fn to_value(&self) -> Option<ValueRef<'_>> {
                let $value = self;
                Some(ValueRef::$variant($borrowed))
            }

            fn from_value(value: Option<Value>) -> Result<Self> {
                required(value, |value| if let Value::$variant(value) = value { Some(value) } else { None })
            }
        }
    )+ };
}

fields! {
    Text holds String: text => text, Text,
    Json holds String: text => text, Json,
    Bool holds bool: yes => *yes, Bool,
    Money holds Money: money => *money, Money,
    Timestamp holds Timestamp: time => *time, Timestamp,
    Address holds Address: address => address, Address,
    List holds List: list => list, List,
    Bytes holds Vec<u8>: bytes => bytes, Bytes,
}

impl<T: Row> FieldOf<types::List> for Vec<T> {
    const COLUMNS: Option<&'static [&'static str]> = Some(T::COLUMNS);

    #[inline]
    fn to_value(&self) -> Option<ValueRef<'_>> {
        Some(ValueRef::List(self))
    }

    fn from_value(value: Option<Value>) -> Result<Self> {
        let list = required(value, |value| if let Value::List(list) = value { Some(list) } else { None })?;
        list.into_rows()
    }
}

/// A Rust type that holds one cell of a list.
///
/// Text `String`, yes or no `bool`, whole numbers `i8` to `i64` and `u8` to `u32`, decimal numbers [`Decimal`], and `Option` of
/// each for a cell that a row may lack.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not hold a cell of a list",
    label = "no type of a cell",
    note = "String, bool, i64 and smaller, Decimal, or an Option of it, or your own implementation of CellOf"
)]
pub trait CellOf: Sized {
    /// The cell, borrowed.
    fn to_cell(&self) -> CellRef<'_>;

    /// From an opened cell.
    ///
    /// # Errors
    /// `Absent` where the row has none and must have one; `PolicyMismatch` for a cell of another type; `Limit` for a number that
    /// does not fit.
    fn from_cell(cell: Cell) -> Result<Self>;
}

impl<T: CellOf> CellOf for Option<T> {
    #[inline]
    fn to_cell(&self) -> CellRef<'_> {
        self.as_ref().map_or(CellRef::Absent, T::to_cell)
    }

    fn from_cell(cell: Cell) -> Result<Self> {
        if cell == Cell::Absent { Ok(None) } else { T::from_cell(cell).map(Some) }
    }
}

fn wrong_cell(cell: &Cell) -> Error {
    match cell {
        Cell::Absent => Error::new(ErrorKind::Absent, "a row of the list has no value in this column"),
        _ => Error::new(ErrorKind::PolicyMismatch, "a cell of the list is of another type"),
    }
}

impl CellOf for String {
    #[inline]
    fn to_cell(&self) -> CellRef<'_> {
        CellRef::Text(self)
    }

    fn from_cell(cell: Cell) -> Result<Self> {
        if let Cell::Text(text) = cell { Ok(text) } else { Err(wrong_cell(&cell)) }
    }
}

impl CellOf for bool {
    #[inline]
    fn to_cell(&self) -> CellRef<'_> {
        CellRef::Bool(*self)
    }

    fn from_cell(cell: Cell) -> Result<Self> {
        if let Cell::Bool(yes) = cell { Ok(yes) } else { Err(wrong_cell(&cell)) }
    }
}

impl CellOf for Decimal {
    #[inline]
    fn to_cell(&self) -> CellRef<'_> {
        CellRef::Decimal(*self)
    }

    /// A text that is a decimal number is one, too: lists that came as JSON have no other way to say so.
    fn from_cell(cell: Cell) -> Result<Self> {
        match &cell {
            Cell::Decimal(number) => Ok(*number),
            Cell::Text(text) => Self::parse(text).ok_or_else(|| wrong_cell(&cell)),
            _ => Err(wrong_cell(&cell)),
        }
    }
}

macro_rules! integers {
    ($($rust:ty),+) => { $(
        impl FieldOf<types::Integer> for $rust {
            #[inline]
            fn to_value(&self) -> Option<ValueRef<'_>> {
                Some(ValueRef::Integer((*self).into()))
            }

            fn from_value(value: Option<Value>) -> Result<Self> {
                required(value, |value| if let Value::Integer(number) = value { Some(number) } else { None })?
                    .try_into()
                    .map_err(|_| does_not_fit())
            }
        }

        impl CellOf for $rust {
            #[inline]
            fn to_cell(&self) -> CellRef<'_> {
                CellRef::Integer((*self).into())
            }

            fn from_cell(cell: Cell) -> Result<Self> {
                let Cell::Integer(number) = cell else { return Err(wrong_cell(&cell)) };
                number.try_into().map_err(|_| does_not_fit())
            }
        }
    )+ };
}

integers!(i64, i32, i16, i8, u32, u16, u8);

fn does_not_fit() -> Error {
    Error::new(ErrorKind::Limit, "a number of the order does not fit the program's type")
}
