use consignee::Row;

#[derive(Row)]
struct Item {
    sku: String,
    weight: f64,
}

#[derive(Row)]
struct Empty {}

fn main() {}
