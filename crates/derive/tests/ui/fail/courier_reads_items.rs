//! The promise: a program that reads what its role may not open does not compile.
use consignee::{Item, OrderForCourier};

fn items(seen: &OrderForCourier) -> &[Item] {
    &seen.items
}

fn main() {}
