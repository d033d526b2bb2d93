use consignee::Record;

#[derive(Record)]
#[record(policy = "tests/policies/shpo.toml")]
struct Order {
    order_no: String,
}

fn main() {}
