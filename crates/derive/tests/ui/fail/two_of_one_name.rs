use consignee::{Fields, Record, Row};

#[derive(Record)]
struct Order {
    order_no: String,
    note: String,
    #[record(name = "note")]
    remark: String,
    #[record(nested)]
    consignee: Consignee,
    #[record(name = "consignee.phone")]
    phone: String,
    #[record(more)]
    extra: Fields,
    #[record(more)]
    others: Fields,
}

#[derive(Record)]
#[record(within = "consignee")]
struct Consignee {
    name: String,
}

#[derive(Row)]
struct Item {
    sku: String,
    #[row(name = "sku")]
    article: String,
}

fn main() {}
