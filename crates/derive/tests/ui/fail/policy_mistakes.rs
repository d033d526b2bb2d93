use consignee::Record;

#[derive(Record)]
#[record(policy = "tests/policies/mistakes.toml")]
struct Order {
    order_no: String,
}

fn main() {}
