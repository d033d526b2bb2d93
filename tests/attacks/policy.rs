//! Policies: grants that were withheld, older policies, numbers used again.

use consignee::{
    Cell, ErrorKind, ExistingOrders, Fields, List, Setup, Value, Vault,
    policy::{DEFAULT_POLICY, Policy},
};

use crate::common::{self, Folder, order};

/// Two policies come and go so that a grant withheld from existing orders would reach them after all.
#[test]
fn a_grant_that_was_withheld_stays_withheld() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let name = |vault: &Vault| {
        let view = vault.open("ledger clerk", "accounting", "SO-1").unwrap();
        view.get("consignee.name").is_ok()
    };
    let old = DEFAULT_POLICY;
    let wide = old.replace(r#""placed_at", "amount"]"#, r#""placed_at", "amount", "consignee.name"]"#);
    let wide_and_longer = wide.replace(r#"expires = "7d""#, r#"expires = "8d""#);
    vault.apply_policy(&wide, ExistingOrders::No).unwrap();
    assert!(!name(&vault));
    vault.apply_policy(&wide_and_longer, ExistingOrders::Yes).unwrap();
    assert!(!name(&vault), "the yes was for something else");
    // Back to the first policy, and the grant again, withheld again.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    vault.apply_policy(old, ExistingOrders::No).unwrap();
    vault.apply_policy(&wide, ExistingOrders::No).unwrap();
    assert!(!name(&vault));
    vault.apply_policy(old, ExistingOrders::Yes).unwrap();
    vault.apply_policy(&wide, ExistingOrders::Yes).unwrap();
    assert!(name(&vault), "a yes for it reaches it");
}

/// A policy by which nobody gains gives nothing to orders from which something was withheld.
#[test]
fn lines_and_times_that_were_withheld_stay_withheld() {
    let text = |text: &str| Value::Text(text.into());
    let kept = |policy: &str, end: &str| Policy::parse(policy).unwrap().diff(&Policy::parse(end).unwrap());
    // Lines: all of a list from now on, not for old orders; then another list is cut.
    let lists = |lines: &str| {
        format!(
            "version = 1\n[field.order_no]\nid = 1\ntype = \"text\"\n[field.items]\nid = 2\ntype = \"list\"\n\
             [field.gifts]\nid = 3\ntype = \"list\"\n[role.supplier.fulfilment]\nopen = [\"items\", \"gifts\"]\n{lines}\n"
        )
    };
    let (own, all, other) =
        (lists("lines = { items = \"supplier\" }"), lists(""), lists("lines = { gifts = \"supplier\" }"));
    let vault = Vault::in_memory(&Setup { policy: own.into(), ..Setup::default() }).unwrap();
    vault.add_party("Yixing", "supplier", Some("Yixing")).unwrap();
    let rows = |names: &[&str]| {
        let rows = names.iter().map(|name| vec![Cell::Text((*name).into())]).collect();
        Value::List(List::new(vec!["supplier".into()], rows).unwrap())
    };
    let order = Fields::new().with("order_no", text("SO-1")).with("items", rows(&["Yixing", "Dehua"]));
    vault.put(&order.with("gifts", rows(&["Yixing"]))).unwrap();
    let seen = || vault.open("Yixing", "fulfilment", "SO-1").unwrap().to_json().to_string();
    for (policy, existing) in [(&all, ExistingOrders::No), (&other, ExistingOrders::Yes)] {
        vault.apply_policy(policy, existing).unwrap();
        assert!(seen().contains("Yixing") && !seen().contains("Dehua"));
    }
    assert!(!kept(&all, &other).anyone_gains());
    vault
        .apply_policy(&lists("lines = { items = \"supplier\", gifts = \"supplier\" }"), ExistingOrders::Yes)
        .unwrap();
    vault.apply_policy(&all, ExistingOrders::Yes).unwrap();
    assert!(seen().contains("Dehua"), "given for old orders, it reaches them");

    // Time: without an end from now on, not for old orders; then an end again, a later one than the first.
    let ends = |expires: &str| {
        let end = format!("\"consignee.address\"]\n{expires}");
        let policy = DEFAULT_POLICY.replace("\"consignee.address\"]\nexpires = \"30d\"", &end);
        Policy::parse(&policy).unwrap();
        policy
    };
    let vault =
        Vault::in_memory(&Setup { policy: ends("expires = \"1s\"").into(), ..Setup::default() }).unwrap();
    common::staffed(&vault);
    vault.put(&common::order("SO-1")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    assert!(!kept(&ends(""), &ends("expires = \"30d\"")).anyone_gains());
    for (end, existing) in [("", ExistingOrders::No), ("expires = \"30d\"", ExistingOrders::Yes)] {
        vault.apply_policy(&ends(end), existing).unwrap();
        let refused = vault.open("SF Express", "delivery", "SO-1").unwrap_err();
        assert_eq!(refused.kind(), &ErrorKind::Expired, "{end}");
    }
    vault.apply_policy(&ends("expires = \"60d\""), ExistingOrders::Yes).unwrap();
    assert!(
        vault.open("SF Express", "delivery", "SO-1").is_ok(),
        "a longer time, given for old orders, reaches them"
    );
}
