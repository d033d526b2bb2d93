//! Own types, in modules of their own, with everything that the attributes can say.
#![deny(missing_docs, warnings)]

mod people {
    use consignee::{Address, Record};

    #[derive(Record)]
    #[record(policy = "tests/policies/shop.toml", within = "consignee", view_derive(Clone))]
    pub struct Consignee {
        pub name: String,
        pub phone: String,
        #[record(name = "address")]
        pub to: Option<Address>,
    }
}

use consignee::{Decimal, Fields, Money, Record, RoleView, Row, Timestamp};

#[derive(Record)]
#[record(policy = "tests/policies/shop.toml", view_derive(Clone))]
struct Order {
    order_no: String,
    placed_at: Timestamp,
    #[record(nested)]
    consignee: Option<people::Consignee>,
    items: Vec<Item>,
    #[record(name = "amount")]
    total: Money,
    note: Option<String>,
    r#type: String,
    #[record(more)]
    extra: Fields,
    #[record(skip)]
    cache: u32,
}

#[derive(Row, Clone)]
struct Item {
    sku: String,
    quantity: i64,
    unit_price: Decimal,
    #[row(name = "supplier")]
    by: Option<String>,
    #[row(skip)]
    _cache: (),
}

fn label(seen: &OrderForCourier) -> Option<(&str, Option<bool>)> {
    Some((&seen.consignee.as_ref()?.name, seen.extra_gift))
}

fn books(seen: OrderForFinance) -> (String, Timestamp, Money, String) {
    let OrderForFinance { order_no, placed_at, total, r#type } = seen;
    (order_no, placed_at, total, r#type)
}

fn masked(seen: OrderForSupportAfterSale) -> Option<String> {
    let people::ConsigneeForSupportAfterSale { name_masked, phone_masked } = seen.consignee?;
    name_masked.or(phone_masked)
}

fn email(seen: OrderForSupportCallBack) -> Option<String> {
    seen.consignee?.email
}

fn city(seen: OrderForSupplier) -> Option<String> {
    seen.consignee?.to_city
}

fn main() {
    let _ = (label, books, masked, email, city);
    assert_eq!((OrderForCourier::ROLE, OrderForCourier::PURPOSE), ("courier", "delivery"));
    let names: Vec<_> = Order::FIELDS.iter().map(|field| field.name).collect();
    assert_eq!(
        names,
        ["order_no", "placed_at", "consignee.name", "consignee.phone", "consignee.address", "items", "amount", "note", "type"]
    );
    let _ = |order: Order| order.cache;
}
