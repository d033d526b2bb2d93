//! Types of one's own through a vault with a policy of its own: what goes in comes out, each role gets its own, and a program
//! that was built against another policy is told so.
#![allow(clippy::unwrap_used)]

use consignee::{
    Address, Decimal, EntryKind, Error, ErrorKind, ExistingOrders, Fields, Money, Opened, Order as BuiltIn,
    Patch, Record, Row, Setup, StoredOrder, Timestamp, Value, Vault,
    policy::{DEFAULT_POLICY, PartId},
};

const POLICY: &str = include_str!("policies/shop.toml");

#[derive(Record, Clone, PartialEq)]
#[record(policy = "tests/policies/shop.toml", view_derive(serde::Serialize))]
struct Order {
    order_no: String,
    placed_at: Timestamp,
    #[record(nested)]
    consignee: Consignee,
    items: Vec<Item>,
    #[record(name = "amount")]
    total: Money,
    note: Option<String>,
    #[record(more)]
    extra: Fields,
    #[record(skip)]
    cache: u32,
}

#[derive(Record, Clone, PartialEq)]
#[record(policy = "tests/policies/shop.toml", within = "consignee", view_derive(serde::Serialize))]
struct Consignee {
    name: String,
    #[record(name = "phone")]
    mobile: Option<String>,
    address: Address,
}

#[derive(Row, Clone, PartialEq, serde::Serialize)]
struct Item {
    sku: String,
    quantity: u16,
    unit_price: Decimal,
    #[row(name = "supplier")]
    by: Option<String>,
}

/// The same orders, where they may be fetched from the shop.
#[derive(Record)]
#[record(policy = "tests/policies/shop.toml")]
struct Fetched {
    order_no: String,
    #[record(nested)]
    consignee: Option<Consignee>,
    note: Option<String>,
}

fn item(sku: &str, by: Option<&str>) -> Item {
    Item {
        sku: sku.into(),
        quantity: 2,
        unit_price: Decimal::new(850, 2).unwrap(),
        by: by.map(str::to_owned),
    }
}

fn order(order_no: &str) -> Order {
    Order {
        order_no: order_no.into(),
        placed_at: "2026-11-11T20:14:05+08:00".parse().unwrap(),
        consignee: Consignee {
            name: "王小明".into(),
            mobile: Some("13812345678".into()),
            address: Address { city: "南京".into(), ..Address::default() },
        },
        items: vec![item("T-1", Some("Yixing")), item("T-2", None), item("T-3", Some("Dehua"))],
        total: Money::new(Decimal::new(5100, 2).unwrap(), "CNY").unwrap(),
        note: None,
        extra: Fields::new()
            .with("extra.gift", Value::Bool(true))
            .with("consignee.email", Value::Text("ming@example.cn".into())),
        cache: 0,
    }
}

fn vault(policy: &str) -> Vault {
    let vault = Vault::in_memory(&Setup { policy: policy.into(), ..Setup::default() }).unwrap();
    for (name, role) in
        [("SF Express", "courier"), ("agent 17", "support"), ("clerk", "finance"), ("shop", "platform")]
    {
        vault.add_party(name, role, None).unwrap();
    }
    vault.add_party("Yixing Ltd", "supplier", Some("Yixing")).unwrap();
    vault
}

/// A vault whose policy is ours but for one text in the place of another.
fn vault_with(from: &str, to: &str) -> Vault {
    assert!(POLICY.contains(from), "{from}");
    vault(&POLICY.replace(from, to))
}

fn kind<T>(result: Result<T, Error>) -> ErrorKind {
    result.err().unwrap().kind().clone()
}

/// Names of the parts that the newest disclosure entered.
fn entered(vault: &Vault) -> Vec<String> {
    let entries = vault.ledger_entries(0, 1000).unwrap();
    let newest = entries.iter().rfind(|entry| entry.kind == EntryKind::Disclosure).unwrap();
    let policy = vault.policy().unwrap();
    let name = |id: &PartId| policy.part(*id).unwrap().name.to_owned();
    newest.parts.iter().map(name).collect()
}

#[test]
fn an_order_comes_back_as_it_was_put() {
    let vault = vault(POLICY);
    let mut given = order("SO-1");
    vault.put(&given).unwrap();
    let mut back: Opened<Order> = vault.get("shop", "operation", "SO-1").unwrap();
    // What is more comes in the order of the policy's numbers.
    assert_eq!(
        back.extra.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        ["consignee.email", "extra.gift"]
    );
    back.value.extra = given.extra.clone();
    assert!(back.value == given && back.revision == 1 && back.order == "SO-1");

    given.note = Some(String::new());
    given.consignee.mobile = None;
    given.order_no = "SO-2".into();
    given.cache = 7;
    vault.put(&given).unwrap();
    let back: Opened<Order> = vault.get("shop", "operation", "SO-2").unwrap();
    assert_eq!((back.note.as_deref(), &back.consignee.mobile, back.cache), (Some(""), &None, 0));
}

#[test]
fn each_view_has_what_its_table_opens() {
    let vault = vault(POLICY);
    vault.put(&order("SO-1")).unwrap();

    let seen: Opened<OrderForCourier> = vault.open_as("SF Express", "SO-1").unwrap();
    let OrderForCourier { consignee: ConsigneeForCourier { name, mobile, address }, extra_gift } = seen.value;
    assert_eq!(
        (name.as_str(), mobile.as_deref(), address.city.as_str()),
        ("王小明", Some("13812345678"), "南京")
    );
    assert_eq!(extra_gift, Some(true));
    assert_eq!(entered(&vault), ["consignee.name", "consignee.phone", "consignee.address", "extra.gift"]);

    let seen: Opened<OrderForSupplier> = vault.open_as("Yixing Ltd", "SO-1").unwrap();
    let OrderForSupplier { consignee: ConsigneeForSupplier { address_city }, items } = seen.value;
    assert!(items == [item("T-1", Some("Yixing"))]);
    assert_eq!(address_city.as_deref(), Some("南京"));

    let seen: Opened<OrderForSupportAfterSale> = vault.open_as("agent 17", "SO-1").unwrap();
    let OrderForSupportAfterSale { placed_at, consignee, items, note } = seen.value;
    let ConsigneeForSupportAfterSale { name_masked, mobile_masked } = consignee;
    assert_eq!((placed_at, items.len(), note), (order("").placed_at, 3, None));
    assert_eq!((name_masked.as_deref(), mobile_masked.as_deref()), (Some("王**"), Some("138****5678")));

    let seen: Opened<OrderForSupportCallBack> = vault.open_as("agent 17", "SO-1").unwrap();
    let OrderForSupportCallBack { consignee: ConsigneeForSupportCallBack { mobile, email } } = seen.value;
    assert_eq!((mobile.as_deref(), email.as_deref()), (Some("13812345678"), Some("ming@example.cn")));

    let seen: Opened<OrderForFinance> = vault.open_as("clerk", "SO-1").unwrap();
    let OrderForFinance { order_no, placed_at: _, total, r#type } = seen.value;
    assert!(order_no == "SO-1" && total == order("").total && r#type.is_none());

    let seen: Opened<OrderForPlatform> = vault.open_as("shop", "SO-1").unwrap();
    assert_eq!((seen.consignee.email.as_deref(), seen.extra_points), (Some("ming@example.cn"), None));
}

#[test]
fn a_view_goes_out_as_json_and_prints_nothing() {
    let vault = vault(POLICY);
    vault.put(&order("SO-1")).unwrap();
    let seen: Opened<OrderForSupplier> = vault.open_as("Yixing Ltd", "SO-1").unwrap();
    let json = r#"{"consignee":{"address_city":"南京"},"items":[{"sku":"T-1","quantity":2,"unit_price":"8.50","by":"Yixing"}]}"#;
    assert_eq!(serde_json::to_string(&*seen).unwrap(), json);
    let seen: Opened<OrderForFinance> = vault.open_as("clerk", "SO-1").unwrap();
    assert_eq!(
        serde_json::to_string(&*seen).unwrap(),
        r#"{"order_no":"SO-1","placed_at":"2026-11-11T20:14:05+08:00","total":{"value":"51.00","currency":"CNY"},"type":null}"#
    );
    assert_eq!(
        format!("{seen:?}"),
        "Opened { value: OrderForFinance(..), revision: 1, ledger_index: 9, .. }"
    );
}

#[test]
fn a_party_of_another_role_gets_no_view() {
    let vault = vault(POLICY);
    vault.put(&order("SO-1")).unwrap();
    assert_eq!(kind(vault.open_as::<OrderForFinance>("SF Express", "SO-1")), ErrorKind::NotPermitted);
    assert_eq!(kind(vault.open_as::<OrderForPlatform>("agent 17", "SO-1")), ErrorKind::NotPermitted);
    assert_eq!(kind(vault.get::<Order>("clerk", "accounting", "SO-1")), ErrorKind::PolicyMismatch);
}

#[test]
fn a_whole_patch_clears_what_the_record_has_not_if_its_type_keeps_more() {
    let vault = vault(POLICY);
    vault.put(&order("SO-1")).unwrap();
    let mut fetched: Opened<Fetched> = vault.get("shop", "operation", "SO-1").unwrap();
    fetched.value.note = Some("by the door".into());
    vault.update("SO-1", 1, Patch::whole(&fetched.value).unwrap()).unwrap();
    let mut whole: Opened<Order> = vault.get("shop", "operation", "SO-1").unwrap();
    assert_eq!(
        (whole.items.len(), whole.extra.iter().len()),
        (3, 2),
        "what Fetched does not know is left alone"
    );
    whole.value.extra.remove("consignee.email").unwrap();
    vault.update("SO-1", 2, Patch::whole(&whole.value).unwrap()).unwrap();
    let again: Opened<Order> = vault.get("shop", "operation", "SO-1").unwrap();
    assert!(again.value == whole.value && again.extra.get("consignee.email").is_none());
}

#[test]
fn a_nested_type_may_be_optional() {
    let vault = vault(POLICY);
    vault.put(&Fetched { order_no: "SO-1".into(), consignee: None, note: None }).unwrap();
    let consignee = Some(order("").consignee);
    vault.put(&Fetched { order_no: "SO-2".into(), consignee, note: None }).unwrap();
    let seen = vault.open_many_as::<FetchedForCourier>("SF Express", &["SO-1", "SO-2"]).unwrap();
    let names = seen.into_iter().map(|seen| seen.unwrap().value.consignee.map(|consignee| consignee.name));
    assert_eq!(names.collect::<Vec<_>>(), [None, Some("王小明".into())]);
    let back: Opened<Fetched> = vault.get("shop", "operation", "SO-1").unwrap();
    assert!(back.consignee.is_none() && back.note.is_none() && back.order_no == "SO-1");
    // A field that must be there is said to be missing, by its name.
    let absent = vault.open_as::<OrderForFinance>("clerk", "SO-1").unwrap_err();
    assert_eq!((absent.kind(), absent.to_string().contains("placed_at")), (&ErrorKind::Absent, true));
}

#[test]
fn views_open_from_tables_of_ones_own() {
    let vault = vault(POLICY);
    let sealed = vault.sealer().seal(&order("SO-1")).unwrap();
    vault.sealer().log(std::slice::from_ref(&sealed)).unwrap();
    let stored = [StoredOrder { record: &sealed.record, secret: &sealed.secret }];
    let seen = vault.opener().open_many_as::<OrderForSupportCallBack>("agent 17", &stored).unwrap();
    let seen = seen.into_iter().next().unwrap().unwrap();
    assert_eq!(seen.consignee.mobile.as_deref(), Some("13812345678"));
    assert_eq!(entered(&vault), ["consignee.phone", "consignee.email"]);
}

#[test]
fn a_view_of_another_policy_opens_nothing() {
    for (from, to) in [
        ("id = 3\n", "id = 33\n"),
        ("id = 20\ntype = \"bool\"", "id = 20\ntype = \"text\""),
        ("address\", \"extra.gift\"]", "address\"]"),
        ("extra.gift", "extra.present"),
    ] {
        let vault = vault_with(from, to);
        vault.put(&Order { extra: Fields::new(), ..order("SO-1") }).unwrap();
        let before = vault.ledger_state().unwrap().size;
        let refused = vault.open_as::<OrderForCourier>("SF Express", "SO-1");
        assert_eq!(
            (kind(refused), vault.ledger_state().unwrap().size),
            (ErrorKind::PolicyMismatch, before),
            "{to}"
        );
        assert_eq!(kind(vault.check_view::<OrderForCourier>()), ErrorKind::PolicyMismatch, "{to}");
        vault.check_view::<OrderForFinance>().unwrap();
        // What does not concern a view does not hinder it.
        assert!(vault.open_as::<OrderForFinance>("clerk", "SO-1").is_ok(), "{to}");
    }
}

#[test]
fn a_record_of_another_policy_is_not_put() {
    for (from, to) in [("id = 7\ntype = \"money\"", "id = 7\ntype = \"text\""), ("note", "remark")] {
        let vault = vault_with(from, to);
        assert_eq!(kind(vault.put(&order("SO-1"))), ErrorKind::PolicyMismatch, "{to}");
        assert_eq!(kind(vault.check_record::<Order>()), ErrorKind::PolicyMismatch, "{to}");
    }
}

#[test]
fn a_policy_that_gives_more_is_not() {
    let vault = vault(POLICY);
    vault.put(&order("SO-1")).unwrap();
    let more = POLICY.replacen(
        "\"consignee.address\", \"extra.gift\"]",
        "\"consignee.address\", \"extra.gift\", \"items\"]",
        1,
    );
    vault.apply_policy(&more, ExistingOrders::Yes).unwrap();
    vault.check_view::<OrderForCourier>().unwrap();
    vault.check_record::<Order>().unwrap();
    vault.open("SF Express", "delivery", "SO-1").unwrap();
    assert_eq!(entered(&vault).len(), 5);
    vault.open_as::<OrderForCourier>("SF Express", "SO-1").unwrap();
    assert_eq!(entered(&vault), ["consignee.name", "consignee.phone", "consignee.address", "extra.gift"]);
}

#[test]
fn orders_from_before_a_field_and_a_grant_lack_it() {
    let old = POLICY
        .replacen(", \"extra.gift\"]", "]", 1)
        .replacen("facets = { masked = { id = 14, mask = \"phone\" } }\n", "", 1)
        .replacen(", \"consignee.phone:masked\"]", "]", 1);
    let vault = vault(&old);
    vault.put(&order("SO-1")).unwrap();
    vault.apply_policy(POLICY, ExistingOrders::No).unwrap();
    vault.put(&order("SO-2")).unwrap();
    let gifts = vault.open_many_as::<OrderForCourier>("SF Express", &["SO-1", "SO-2"]).unwrap();
    let gifts: Vec<_> = gifts.into_iter().map(|seen| seen.unwrap().extra_gift).collect();
    assert_eq!(gifts, [None, Some(true)]);
    let masked = vault.open_many_as::<OrderForSupportAfterSale>("agent 17", &["SO-1", "SO-2"]).unwrap();
    let masked: Vec<_> = masked.into_iter().map(|seen| seen.unwrap().value.consignee.mobile_masked).collect();
    assert_eq!(masked, [None, Some("138****5678".into())]);
}

#[test]
fn the_built_in_order_has_views_of_its_own() {
    let vault = vault(DEFAULT_POLICY);
    let json = r#"{"order_no":"SO-1","placed_at":"2026-11-11T20:14:05+08:00",
        "consignee":{"name":"王小明","phone":"13812345678","address":{"lines":[],"city":"南京","country":"CN"}},
        "items":[{"sku":"T-1","title":"Teapot","quantity":1,"unit_price":"88.00","supplier":"Yixing"}],
        "amount":{"value":"88.00","currency":"CNY"}}"#;
    let given = BuiltIn::from_json(json, &vault.policy().unwrap()).unwrap();
    vault.put(&given).unwrap();
    let back: Opened<BuiltIn> = vault.get("shop", "operation", "SO-1").unwrap();
    assert!(back.value == given);
    let seen: Opened<consignee::OrderForSupplier> = vault.open_as("Yixing Ltd", "SO-1").unwrap();
    assert_eq!(
        serde_json::to_value(&*seen).unwrap(),
        serde_json::json!({ "items": given.to_json()["items"] })
    );
    let seen: Opened<consignee::OrderForCourier> = vault.open_as("SF Express", "SO-1").unwrap();
    assert!(seen.consignee.address == given.consignee.address);
    let names: Vec<_> = BuiltIn::FIELDS.iter().map(|field| field.name).collect();
    assert_eq!(
        names,
        [
            "order_no",
            "placed_at",
            "consignee.name",
            "consignee.phone",
            "consignee.address",
            "items",
            "amount",
            "note"
        ]
    );
}
