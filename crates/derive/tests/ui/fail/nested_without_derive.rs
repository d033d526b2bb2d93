use consignee::Record;

#[derive(Record)]
struct Order {
    order_no: String,
    #[record(nested)]
    consignee: Consignee,
}

struct Consignee;

fn main() {}
