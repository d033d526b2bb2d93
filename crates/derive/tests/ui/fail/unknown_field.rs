use consignee::{Money, Record};

#[derive(Record)]
struct Order {
    order_no: String,
    ammount: Money,
    colour: String,
    #[record(name = "notes")]
    remark: String,
    consignee: String,
}

#[derive(Record)]
#[record(within = "consignee")]
struct Consignee {
    phonne: String,
}

fn main() {}
