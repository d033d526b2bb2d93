use consignee::Record;

#[derive(Record)]
struct Order {
    order_no: String,
    #[record(nested)]
    consignee: Consignee,
}

// Another policy than that of the order.
#[derive(Record)]
#[record(policy = "tests/policies/shop.toml", within = "consignee")]
struct Consignee {
    name: String,
    email: String,
}

fn main() {}
