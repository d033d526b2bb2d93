use consignee::{Fields, Record, Row};

#[derive(Record)]
#[record(polcy = "policy.toml")]
struct A {
    order_no: String,
    #[record(rename = "note")]
    remark: String,
}

#[derive(Record)]
#[record(policy)]
struct B {
    order_no: String,
}

#[derive(Record)]
struct C {
    order_no: String,
    #[record(skip, name = "note")]
    note: String,
    #[record(more, nested)]
    extra: Fields,
    #[record(name = "amount", name = "total")]
    amount: consignee::Money,
}

#[derive(Record)]
#[record(view_derive(Debug))]
struct D {
    order_no: String,
}

#[derive(Row)]
#[row(policy = "policy.toml")]
struct E {
    #[row(nested)]
    sku: String,
    #[row(skip, name = "title")]
    title: String,
}

fn main() {}
