use consignee::Record;

#[derive(Record)]
struct Order {
    note: String,
}

#[derive(Record)]
#[record(within = "consignee")]
struct Consignee {
    #[record(skip)]
    name: String,
}

fn main() {}
