//! Orders of a shop's own type, under a policy of its own: what each role sees is a type, made when the program is compiled.
//!
//! Shows: `#[derive(Record)]` with a nested struct, rows of a list, a renamed and an optional field, JSON in and out, the views,
//! and what happens when the policy in force is not the one the program was compiled with.
//!
//! Leaves out: a vault in a folder (`docs/adopting.md`), searching and changing (`backend.rs`), tables of your own
//! (`own_tables.rs`).
#![allow(clippy::print_stdout)]

use consignee::{
    Address, Decimal, ErrorKind, ExistingOrders, Money, Opened, Record, Row, Setup, Timestamp, Vault,
};

// The path begins where Cargo.toml is. Whoever edits the file builds this program anew.
#[derive(Record, serde::Deserialize)]
#[record(policy = "examples/own_record.toml", view_derive(serde::Serialize))]
struct GiftOrder {
    order_no: String,
    placed_at: Timestamp,
    // Its fields are `recipient.name` and so on in the policy.
    #[record(nested)]
    recipient: Recipient,
    lines: Vec<Line>,
    // The policy calls it `total`.
    #[record(name = "total")]
    price: Money,
    // An order may have none, which is not the same as an empty one.
    greeting: Option<String>,
}

#[derive(Record, serde::Deserialize)]
#[record(policy = "examples/own_record.toml", within = "recipient", view_derive(serde::Serialize))]
struct Recipient {
    name: String,
    phone: String,
    address: Address,
}

#[derive(Row, serde::Deserialize, serde::Serialize)]
struct Line {
    sku: String,
    quantity: u32,
    each: Decimal,
    // By this column the policy tells a workshop's own lines.
    made_by: String,
}

const POLICY: &str = include_str!("own_record.toml");

const CHECKOUT: &str = r#"{"order_no":"G-77","placed_at":"2026-11-11T20:14:05+08:00",
    "recipient":{"name":"王小明","phone":"13812345678","address":{"lines":["中山路 1 号"],"city":"南京","country":"CN"}},
    "lines":[{"sku":"T-1","quantity":1,"each":"88.00","made_by":"Yixing"},{"sku":"C-7","quantity":4,"each":"12.50","made_by":"Dehua"}],
    "price":{"value":"138.00","currency":"CNY"}}"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let vault = Vault::in_memory(&Setup { policy: POLICY.into(), ..Setup::default() })?;
    vault.add_party("SF Express", "courier", None)?;
    vault.add_party("Yixing Pottery", "workshop", Some("Yixing"))?;
    vault.add_party("agent 17", "support", None)?;
    vault.add_party("shop", "shop", None)?;

    let order: GiftOrder = serde_json::from_str(CHECKOUT)?;
    vault.put(&order)?;

    // The view of a role with one purpose is named after the role. It has no `lines`: `seen.lines` does not compile.
    let seen: Opened<GiftOrderForCourier> = vault.open_as("SF Express", "G-77")?;
    assert_eq!(seen.recipient.phone, "13812345678");
    println!("courier sees    {}", serde_json::to_string(&seen.value)?);

    // A workshop sees its own lines, the greeting if there is one, and of the address the city.
    let seen: Opened<GiftOrderForWorkshop> = vault.open_as("Yixing Pottery", "G-77")?;
    assert_eq!(seen.lines.iter().map(|line| line.sku.as_str()).collect::<Vec<_>>(), ["T-1"]);
    assert_eq!((seen.recipient.address_city.as_deref(), &seen.greeting), (Some("南京"), &None));
    println!("workshop sees   {}", serde_json::to_string(&seen.value)?);

    // A role with several purposes has a view for each.
    let seen: Opened<GiftOrderForSupportAfterSale> = vault.open_as("agent 17", "G-77")?;
    assert_eq!(seen.recipient.phone_masked.as_deref(), Some("138****5678"));
    println!("support sees    {}", serde_json::to_string(&seen.value)?);
    let seen: Opened<GiftOrderForSupportCallBack> = vault.open_as("agent 17", "G-77")?;
    assert_eq!(seen.recipient.phone, "13812345678");

    // The whole order, by a purpose that opens all its fields.
    let whole: Opened<GiftOrder> = vault.get("shop", "operation", "G-77")?;
    assert_eq!((whole.price.currency(), whole.recipient.address.city.as_str()), ("CNY", "南京"));
    assert_eq!(whole.lines.iter().map(|line| line.quantity).sum::<u32>(), 5);
    assert_eq!(whole.lines[1].each.to_string(), "12.50");
    assert_eq!(whole.placed_at.to_string(), order.placed_at.to_string());

    // A policy that gives more: this program goes on, and opens what it knows. So first apply, then roll the programs out.
    let more = POLICY.replace(
        r#""recipient.name", "recipient.phone", "#,
        r#""order_no", "recipient.name", "recipient.phone", "#,
    );
    assert_ne!(more, POLICY);
    vault.apply_policy(&more, ExistingOrders::Yes)?;
    vault.open_as::<GiftOrderForCourier>("SF Express", "G-77")?;

    // A policy that gives less: the view has a field that may not be opened any more, and says so before anything is opened.
    // So first roll out programs that do without it, then apply.
    let less = POLICY
        .replace(r#""recipient.name", "recipient.phone", "recipient.address"]"#, r#""recipient.name"]"#);
    assert_ne!(less, POLICY);
    vault.apply_policy(&less, ExistingOrders::Yes)?;
    let refused = vault.open_as::<GiftOrderForCourier>("SF Express", "G-77").err().ok_or("it is refused")?;
    assert_eq!(refused.kind(), &ErrorKind::PolicyMismatch);
    println!("after a policy that gives less: {refused}");
    Ok(())
}
