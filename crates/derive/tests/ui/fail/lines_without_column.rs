use consignee::{Record, Row};

#[derive(Record)]
struct Order {
    order_no: String,
    items: Option<Vec<Item>>,
}

#[derive(Row)]
struct Item {
    sku: String,
    by: String,
}

fn main() {}
