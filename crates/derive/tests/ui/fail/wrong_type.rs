use consignee::Record;

#[derive(Record)]
struct Order {
    order_no: String,
    placed_at: String,
    amount: Option<f64>,
    note: std::borrow::Cow<'static, str>,
}

fn main() {}
