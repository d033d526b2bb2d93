use consignee::Record;

#[derive(Record)]
struct Order {
    order_no: String,
    #[record(nested)]
    consignee: Consignee,
}

struct Consignee;
struct ConsigneeForCourier;
struct ConsigneeForPlatform;
struct ConsigneeForSupportAfterSale;
struct ConsigneeForSupportCallBack;

fn main() {}
