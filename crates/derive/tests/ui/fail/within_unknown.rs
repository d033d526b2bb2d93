use consignee::Record;

#[derive(Record)]
#[record(within = "buyer")]
struct Buyer {
    name: String,
}

fn main() {}
