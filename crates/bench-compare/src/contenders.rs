//! What is measured: each contender seals the reference order and opens it, with all its keys in this process.

#[cfg(feature = "aws")]
mod aws_db_esdk;
#[cfg(feature = "aws")]
mod aws_esdk;
mod consignee;
mod floor;
mod per_field;
mod role_files;
mod tink;

use crate::{Result, order::Reference};
use per_field::PerField;

/// What is measured of a contender. One without parts that open alone opens the whole where a courier's fields are asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Op {
    /// All of an order.
    Seal,
    /// A courier's three fields, with what opens them in hand.
    OpenCourier,
    /// All fields.
    OpenAll,
    /// Unwraps the order's secret, makes the courier's ticket and opens its three fields.
    Disclose,
}

impl Op {
    pub(crate) const ALL: [Self; 4] = [Self::Seal, Self::OpenCourier, Self::OpenAll, Self::Disclose];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::OpenCourier => "open_courier",
            Self::OpenAll => "open_all",
            Self::Disclose => "disclose",
        }
    }

    /// What the floor does for it.
    pub(crate) fn of_floor(self) -> Self {
        match self {
            Self::Disclose => Self::OpenCourier,
            other => other,
        }
    }
}

/// What a sealed order takes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Bytes {
    pub(crate) order: usize,
    /// The wrapped secret, kept apart from the order.
    pub(crate) secret: usize,
}

pub(crate) trait Contender {
    fn name(&self) -> &'static str;

    fn bytes(&self) -> Bytes;

    /// Seals and opens: what is opened must be what was sealed.
    fn check(&mut self, order: &Reference) -> Result<()>;

    /// Does this once, and says for how many orders; none if it has no such operation.
    fn run(&mut self, op: Op) -> Result<usize>;
}

/// All of them, the floor first.
pub(crate) fn all(order: &Reference) -> Result<Vec<Box<dyn Contender>>> {
    let mut all: Vec<Box<dyn Contender>> = vec![Box::new(floor::Parts::new()?)];
    for row in consignee::ROWS {
        all.push(Box::new(consignee::Sealed::new(row, order)?));
    }
    all.push(Box::new(PerField::of(tink::Keyset::new(order)?)?));
    all.push(Box::new(role_files::Files::new(order)?));
    #[cfg(feature = "aws")]
    for signed in [false, true] {
        all.push(Box::new(PerField::of(aws_esdk::Messages::new(order, signed)?)?));
        all.push(Box::new(aws_db_esdk::Item::new(order, signed)?));
    }
    Ok(all)
}

/// What the bytes of an opening must be.
fn same(opened: &[u8], sealed: &str) -> Result<()> {
    if opened == sealed.as_bytes() { Ok(()) } else { Err("opened something else than was sealed".into()) }
}
