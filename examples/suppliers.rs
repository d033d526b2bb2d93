//! Two suppliers of one order: each sees its own lines, under an alias of its own.
//!
//! Shows: `lines` in the policy, the party's value for it, aliases, and a leaked alias that names the link.
//!
//! What **keys** enforce: a supplier's role has field keys for `items` and for nothing else, so name, telephone number, address
//! and amount are closed to it whatever the code does. What the vault's **code** enforces: that of `items` only the party's own
//! lines come out. The stored list is one part; whoever holds the vault's keys and runs other code opens all of it.
//!
//! Leaves out: sending a supplier its lines as a file sealed for it, which this version cannot do yet.
#![allow(clippy::print_stdout)]

use consignee::{ErrorKind, Opened, Order, OrderForSupplier, Setup, Vault};

fn main() -> Result<(), consignee::Error> {
    // The default policy: [role.supplier.fulfilment] open = ["items"], lines = { items = "supplier" }
    let vault = Vault::in_memory(&Setup::default())?;
    vault.add_party("Yixing Pottery", "supplier", Some("Yixing"))?;
    vault.add_party("Dehua Porcelain", "supplier", Some("Dehua"))?;
    vault.add_party("newcomer", "supplier", None)?;

    let json = r#"{"order_no":"SO-1001","placed_at":"2026-11-11T20:14:05+08:00",
        "consignee":{"name":"王小明","phone":"13812345678","address":{"lines":["中山路 1 号"],"city":"南京","country":"CN"}},
        "items":[{"sku":"T-1","title":"Teapot","quantity":1,"unit_price":"88.00","supplier":"Yixing"},
                 {"sku":"C-7","title":"Cup","quantity":4,"unit_price":"12.50","supplier":"Dehua"}],
        "amount":{"value":"138.00","currency":"CNY"}}"#;
    vault.put(&Order::from_json(json, &*vault.policy()?)?)?;

    let mut aliases = Vec::new();
    for (party, sku) in [("Yixing Pottery", "T-1"), ("Dehua Porcelain", "C-7")] {
        let seen: Opened<OrderForSupplier> = vault.open_as(party, "SO-1001")?;
        assert!(seen.items.len() == 1 && seen.items[0].sku == sku);
        println!("{party} sees {} of {}", seen.items[0].title, seen.alias);
        aliases.push(seen.alias.to_string());
    }
    assert_ne!(aliases[0], aliases[1], "two suppliers cannot tell by their numbers that it is one order");

    // What the role has no key for is no field of the type (`seen.consignee` does not compile), and no part of an untyped view.
    let seen = vault.open("Dehua Porcelain", "fulfilment", &aliases[1])?;
    assert!(seen.get("consignee.phone").is_err_and(|e| *e.kind() == ErrorKind::NotPermitted));

    // A party without a value for `lines` sees no line at all, rather than all of them.
    let refused = vault.open("newcomer", "fulfilment", "SO-1001").err();
    assert!(refused.as_ref().is_some_and(|e| *e.kind() == ErrorKind::NotPermitted));

    // Another supplier's alias opens the order for whoever may open it anyhow: his own lines, nothing of the other's.
    let seen: Opened<OrderForSupplier> = vault.open_as("Dehua Porcelain", &aliases[0])?;
    assert_eq!(seen.items[0].sku, "C-7");

    // A fraudster quotes a number. It says who had it, and the ledger that he did see the order.
    let leak = vault.resolve_alias(&aliases[0])?;
    assert_eq!((leak.party.name.as_str(), leak.order_no.as_deref()), ("Yixing Pottery", Some("SO-1001")));
    println!(
        "{} leaked from {}, which saw it {} time(s)",
        aliases[0],
        leak.party.name,
        leak.seen.map_or(0, |seen| seen.len())
    );
    Ok(())
}
