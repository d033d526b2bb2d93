//! Put an order in, let a courier and a supplier open what is theirs, shred it.
//!
//! Leaves out: a vault in a folder (`Vault::create`), where the root key comes from, and what to do about errors.
#![allow(clippy::print_stdout)]

use consignee::{Order, Setup, ShredMode, Vault};

fn main() -> Result<(), consignee::Error> {
    let vault = Vault::in_memory(&Setup::default())?;
    vault.add_party("SF Express", "courier", None)?;
    vault.add_party("Yixing Pottery", "supplier", Some("Yixing"))?;

    let json = r#"{"order_no":"SO-1001","placed_at":"2026-11-11T20:14:05+08:00",
        "consignee":{"name":"王小明","phone":"13812345678",
          "address":{"lines":["中山路 1 号"],"city":"南京","country":"CN"}},
        "items":[{"sku":"T-1","title":"Teapot","quantity":1,"unit_price":"88.00","supplier":"Yixing"}],
        "amount":{"value":"88.00","currency":"CNY"}}"#;
    vault.put(&Order::from_json(json, &*vault.policy()?)?)?;

    println!("{:#}", vault.open("SF Express", "delivery", "SO-1001")?.to_json());
    println!("{:#}", vault.open("Yixing Pottery", "fulfilment", "SO-1001")?.to_json());

    vault.shred("SO-1001", "the customer asked for it", ShredMode::KeepEvidence)?;
    if let Err(refused) = vault.open("SF Express", "delivery", "SO-1001") {
        println!("after shredding: {refused}");
    }
    Ok(())
}
