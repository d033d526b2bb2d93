use consignee::Record;

struct Cache;

#[derive(Record)]
struct Order {
    order_no: String,
    #[record(skip)]
    cache: Cache,
}

fn main() {}
