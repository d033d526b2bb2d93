use consignee::Record;

#[derive(Record)]
struct Order {
    order_no: String,
    items: Vec<Item>,
}

struct Item {
    sku: String,
}

fn main() {}
