use consignee::{Fields, Record};

#[derive(Record)]
struct Order {
    order_no: String,
    #[record(more)]
    extra: Vec<String>,
}

#[derive(Record)]
#[record(within = "consignee")]
struct Consignee {
    name: String,
    #[record(more)]
    extra: Fields,
}

fn main() {}
