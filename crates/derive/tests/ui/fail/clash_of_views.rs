use consignee::Record;

#[derive(Record)]
#[record(policy = "tests/policies/clashes.toml")]
struct Order {
    order_no: String,
    phone: String,
    phone_masked: String,
}

fn main() {}
