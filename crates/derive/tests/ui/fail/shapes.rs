use consignee::{Record, Row};

#[derive(Record)]
enum A {
    B,
}

#[derive(Record)]
struct C(String);

#[derive(Record)]
struct D;

#[derive(Record)]
struct E<'a, T> {
    order_no: &'a T,
}

#[derive(Record)]
union F {
    order_no: u32,
}

#[derive(Row)]
enum G {}

#[derive(Row)]
struct H<const N: usize> {
    sku: String,
}

fn main() {}
