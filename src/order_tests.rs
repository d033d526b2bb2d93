//! Orders in several writing systems there and back, and every refusal.

use super::*;
use crate::{
    value::{Value, decode_padded, encode_padded},
    view::{Record, RecordField},
};
use consignee_policy::{self as policy, FieldType};
use proptest::{collection::vec, option, prelude::*};
use serde_json::Value as Json;

const DESIGN: &str = r#"{"order_no":"10248","placed_at":"1996-07-04T00:00:00Z",
 "consignee":{"name":"Paul Henriot","phone":"26.47.15.10",
   "address":{"lines":["59 rue de l-Abbaye"],"city":"Reims","region":"","postal_code":"51100","country":"France"}},
 "items":[{"sku":"NW-011","title":"Queso Cabrales","quantity":12,"unit_price":"14.00","supplier":"Las Cabras"}],
 "amount":{"value":"472.38","currency":"USD"},"note":"","extra":{}}"#;

const CHINESE: &str = r#"{"order_no":"订单-2026-０００１","placed_at":"2026-01-31T20:15:30.250+08:00",
 "consignee":{"name":"欧阳 修","phone":"138 1234 5678",
   "address":{"lines":["人民南路四段 1 号","3 栋 2 单元 𠮷"],"city":"成都市","region":"四川省","postal_code":"610041","country":"中国"}},
 "items":[{"sku":"茶-1","title":"碧潭飘雪 (100 克)","quantity":2,"unit_price":"88","supplier":"青城茶业"},
          {"sku":"茶-2","title":"盖碗","quantity":-1,"unit_price":"0.50","supplier":"景德镇"}],
 "amount":{"value":"176.00","currency":"CNY"},"note":"请放门口\n谢谢",
 "extra":{"coupons":[{"code":"春","used":true},{"code":"夏","left":3,"used":false}],"due":"2026-02-01T00:00:00Z",
   "gift":true,"invoice_to":{"lines":[],"city":"成都市","region":"","postal_code":"","country":"中国"},"mark":"AP8=",
   "points":-9223372036854775808,"raw":{"a":[1,2.5,null,"字"]},"tax":{"value":"-1.00","currency":"CNY"}}}"#;

const ARABIC_HINDI: &str = r#"{"order_no":"ط/٧٧","placed_at":"2025-12-01T09:00:00+05:30",
 "consignee":{"name":"محمد علي","phone":"+971 50 123 4567",
   "address":{"lines":["शांति नगर","e\u0301tage 3"],"city":"मुंबई","region":"महाराष्ट्र","postal_code":"400001","country":"भारत"}},
 "items":[],"amount":{"value":"0","currency":"INR"},"note":"\"اتصل\" \\ قبل 👩‍🚀","extra":{"channel":"موقع"}}"#;

fn policy() -> Policy {
    let mut text = "version = 1\n[field.order_no]\nid = 1\ntype = \"text\"\n".to_owned();
    for (id, (name, ty)) in [
        ("channel", "text"),
        ("gift", "bool"),
        ("points", "integer"),
        ("tax", "money"),
        ("due", "timestamp"),
        ("invoice_to", "address"),
        ("coupons", "list"),
        ("mark", "bytes"),
        ("raw", "json"),
    ]
    .into_iter()
    .enumerate()
    {
        text.push_str(&format!("[field.\"extra.{name}\"]\nid = {}\ntype = \"{ty}\"\n", id + 20));
    }
    text.push_str("[role.platform.operation]\nopen = [\"order_no\"]\n");
    Policy::parse(&text).unwrap()
}

fn error(json: &str) -> Error {
    Order::from_json(json, &policy()).unwrap_err()
}

/// The order of the design with one node in the place of another.
fn with(pointer: &str, node: Json) -> String {
    let mut json: Json = serde_json::from_str(DESIGN).unwrap();
    *json.pointer_mut(pointer).unwrap() = node;
    json.to_string()
}

/// The order of the design with a key more.
fn with_key(pointer: &str, key: &str, node: Json) -> String {
    let mut json: Json = serde_json::from_str(DESIGN).unwrap();
    json.pointer_mut(pointer).unwrap().as_object_mut().unwrap().insert(key.into(), node);
    json.to_string()
}

/// The order of the design without a key.
fn without(pointer: &str, key: &str) -> String {
    let mut json: Json = serde_json::from_str(DESIGN).unwrap();
    json.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(key).unwrap();
    json.to_string()
}

#[test]
fn orders_come_back_from_their_json() {
    for text in [DESIGN, CHINESE, ARABIC_HINDI] {
        let order = Order::from_json(text, &policy()).unwrap();
        let json = order.to_json();
        assert_eq!(json, serde_json::from_str::<Json>(text).unwrap());
        assert!(Order::from_json(&json.to_string(), &policy()).unwrap() == order);
    }
}

/// Fields whose names are alike, or like the keys of an order's JSON.
const ALIKE: [&str; 12] = [
    "amount.value",
    "consignee",
    "consignee.address.city",
    "consignee.email",
    "consignee.email.checked",
    "extra",
    "extra.a.b",
    "extra.consignee",
    "extra.extra",
    "extra.gift",
    "gift",
    "items.count",
];

fn policy_of_alike() -> Policy {
    let mut text = policy::DEFAULT_POLICY.to_owned();
    for (id, name) in (30..).zip(ALIKE) {
        text.push_str(&format!("[field.\"{name}\"]\nid = {id}\ntype = \"text\"\n"));
    }
    Policy::parse(&text).unwrap()
}

proptest! {
    #[test]
    fn every_further_field_comes_back_from_the_orders_json(values in vec(option::of(".{0,3}"), ALIKE.len())) {
        let policy = policy_of_alike();
        let mut order = Order::from_json(DESIGN, &policy).unwrap();
        let values = ALIKE.iter().zip(values);
        order.extra = values.filter_map(|(name, value)| Some((name.to_string(), Value::Text(value?)))).collect();
        let back = Order::from_json(&order.to_json().to_string(), &policy).unwrap();
        prop_assert!(back == order);
    }
}

#[test]
fn a_further_field_stands_by_its_whole_name_or_nested() {
    let policy = policy_of_alike();
    let extra = |json: &str| Order::from_json(json, &policy).map(|order| order.extra.to_json());
    let nested = with_key("/consignee", "email", "a@b".into());
    assert_eq!(extra(&nested).unwrap(), json!({ "consignee.email": "a@b" }));
    assert_eq!(extra(&with_key("", "consignee.email", "a@b".into())).unwrap(), extra(&nested).unwrap());
    let below = with_key("/extra", "a", json!({ "b": "x" }));
    assert_eq!(extra(&below).unwrap(), json!({ "extra.a.b": "x" }));
    assert_eq!(extra(&with_key("", "extra.a.b", "x".into())).unwrap(), extra(&below).unwrap());
    let both = with_key("/extra", "gift", "x".into()).replacen('{', r#"{"gift":"y","#, 1);
    assert_eq!(extra(&both).unwrap(), json!({ "extra.gift": "x", "gift": "y" }));

    let twice = with_key("/extra", "gift", "x".into()).replacen('{', r#"{"extra.gift":"Secret","#, 1);
    assert_eq!(extra(&twice).unwrap_err().to_string(), "extra.gift: stands twice");
    for key in
        ["consignee.phone", "consignee.address", ".gift", ".consignee.email", "extra.", "consignee.Secret"]
    {
        let refused = extra(&with_key("", key, "Secret".into())).unwrap_err().to_string();
        assert!(refused.starts_with("has an unknown key; known are order_no, "), "{refused}");
    }
    // Its own fields come first, whatever stands in `extra`: such an order cannot be sealed.
    let mut order = Order::from_json(DESIGN, &policy).unwrap();
    order.extra.set("note", Value::Text("other".into()));
    assert_eq!(order.to_json()["note"], "");
}

#[test]
fn an_order_is_read_as_it_says() {
    let order = Order::from_json(DESIGN, &Policy::built_in()).unwrap();
    assert_eq!((order.order_no.as_str(), order.placed_at.seconds()), ("10248", 836_438_400));
    assert_eq!(
        (order.consignee.name.as_str(), order.consignee.phone.as_str()),
        ("Paul Henriot", "26.47.15.10")
    );
    assert_eq!(order.consignee.address.lines, ["59 rue de l-Abbaye"]);
    assert_eq!(order.items[0].quantity, 12);
    assert_eq!(order.items[0].unit_price.to_string(), "14.00");
    assert_eq!((order.amount.amount().to_string().as_str(), order.amount.currency()), ("472.38", "USD"));
    assert!(order.note.is_empty() && order.extra.is_empty());
}

#[test]
fn every_field_can_be_sealed_and_is_of_the_type_of_the_policy() {
    let policy = Policy::built_in();
    let order = Order::from_json(CHINESE, &self::policy()).unwrap();
    for (index, RecordField { name, ty }) in Order::FIELDS.iter().enumerate() {
        let value = order.field(index).unwrap();
        assert_eq!((value.field_type(), *ty), (*ty, policy.field(name).unwrap().ty), "{name}");
        let mut bytes = Vec::new();
        encode_padded(value, &mut bytes).unwrap();
        let back = decode_padded(&bytes, value.field_type()).unwrap().to_value();
        assert_eq!(back.to_json(), value.to_json(), "{name}");
    }
    assert!(order.field(Order::FIELDS.len()).is_none());
    let types = order.extra.iter().map(|(_, value)| value.field_type()).collect::<Vec<_>>();
    use FieldType::*;
    assert_eq!(types, [List, Timestamp, Bool, Address, Bytes, Integer, Json, Money]);
}

#[test]
fn the_items_of_no_lines_keep_their_columns() {
    let order = Order::from_json(ARABIC_HINDI, &policy()).unwrap();
    let mut bytes = Vec::new();
    encode_padded(order.field(5).unwrap(), &mut bytes).unwrap();
    let Value::List(list) = decode_padded(&bytes, FieldType::List).unwrap().to_value() else {
        panic!("a list")
    };
    assert_eq!(list.columns(), Item::COLUMNS);
    assert!(list.rows().is_empty());
}

#[test]
fn what_may_be_left_out_is_empty() {
    for (pointer, key) in
        [("", "note"), ("", "extra"), ("/consignee/address", "region"), ("/consignee/address", "postal_code")]
    {
        let order = Order::from_json(&without(pointer, key), &policy()).unwrap();
        let mut expected: Json = serde_json::from_str(DESIGN).unwrap();
        if key == "postal_code" {
            expected["consignee"]["address"]["postal_code"] = "".into();
        }
        assert_eq!(order.to_json(), expected, "{key}");
    }
}

#[test]
fn what_is_required_is_named() {
    for (pointer, key, path) in [
        ("", "order_no", "order_no"),
        ("", "placed_at", "placed_at"),
        ("", "consignee", "consignee"),
        ("", "items", "items"),
        ("", "amount", "amount"),
        ("/consignee", "name", "consignee.name"),
        ("/consignee", "phone", "consignee.phone"),
        ("/consignee", "address", "consignee.address"),
        ("/consignee/address", "lines", "consignee.address.lines"),
        ("/consignee/address", "city", "consignee.address.city"),
        ("/consignee/address", "country", "consignee.address.country"),
        ("/items/0", "sku", "items[0].sku"),
        ("/items/0", "title", "items[0].title"),
        ("/items/0", "quantity", "items[0].quantity"),
        ("/items/0", "unit_price", "items[0].unit_price"),
        ("/items/0", "supplier", "items[0].supplier"),
        ("/amount", "value", "amount.value"),
        ("/amount", "currency", "amount.currency"),
    ] {
        let error = error(&without(pointer, key));
        assert_eq!(error.kind(), &ErrorKind::Input { line: None, field: Some(path.into()) });
        assert_eq!(error.to_string(), format!("{path}: is missing"));
    }
}

#[test]
fn an_unknown_key_is_refused_and_not_repeated() {
    for (pointer, message) in [
        ("", "has an unknown key; known are order_no, placed_at, consignee, items, amount, note, extra"),
        ("/consignee", "consignee: has an unknown key; known are name, phone, address"),
        (
            "/consignee/address",
            "consignee.address: has an unknown key; known are lines, city, region, postal_code, country",
        ),
        ("/items/0", "items[0]: has an unknown key; known are sku, title, quantity, unit_price, supplier"),
        ("/amount", "amount: has an unknown key; known are value, currency"),
        (
            "/extra",
            "extra: has a key that the policy does not know (declare it there as field \"extra.NAME\")",
        ),
    ] {
        assert_eq!(error(&with_key(pointer, "Secret", "Secret".into())).to_string(), message);
    }
}

#[test]
fn a_wrong_type_is_named_by_its_path() {
    for (pointer, node, message) in [
        ("", json!([]), "expected an object"),
        ("/order_no", json!(10248), "order_no: expected text"),
        ("/consignee", json!("Secret"), "consignee: expected an object"),
        ("/consignee/phone", json!(26), "consignee.phone: expected text"),
        ("/consignee/address", json!("Secret"), "consignee.address: expected an object"),
        ("/consignee/address/lines", json!("Secret"), "consignee.address.lines: expected an array of texts"),
        ("/consignee/address/lines/0", json!(7), "consignee.address.lines[0]: expected text"),
        ("/consignee/address/region", json!(null), "consignee.address.region: expected text"),
        ("/items", json!({}), "items: expected an array of objects"),
        ("/items/0", json!("Secret"), "items[0]: expected an object"),
        ("/items/0/sku", json!(1), "items[0].sku: expected text"),
        ("/items/0/title", json!(null), "items[0].title: expected text"),
        ("/items/0/quantity", json!("12"), "items[0].quantity: expected an integer"),
        ("/items/0/quantity", json!(12.5), "items[0].quantity: expected an integer"),
        ("/items/0/quantity", json!(u64::MAX), "items[0].quantity: expected an integer"),
        ("/items/0/supplier", json!(["Secret"]), "items[0].supplier: expected text"),
        ("/amount", json!("472.38"), "amount: expected an object"),
        ("/note", json!(null), "note: expected text"),
        ("/extra", json!([]), "extra: expected an object"),
        ("/extra", json!({ "gift": "Secret" }), "extra.gift: expected true or false"),
    ] {
        assert_eq!(error(&with(pointer, node)).to_string(), message, "{pointer}");
    }
    for (pointer, node, path, expected) in [
        ("/placed_at", json!("1996-07-04"), "placed_at", Timestamp::EXPECTED),
        ("/items/0/unit_price", json!(14.0), "items[0].unit_price", Decimal::EXPECTED),
        ("/items/0/unit_price", json!("1e3"), "items[0].unit_price", Decimal::EXPECTED),
        ("/amount/value", json!("+1"), "amount.value", Decimal::EXPECTED),
        ("/amount/currency", json!("usd"), "amount.currency", Money::EXPECTED_CURRENCY),
        ("/amount/currency", json!(840), "amount.currency", Money::EXPECTED_CURRENCY),
    ] {
        assert_eq!(error(&with(pointer, node)).to_string(), format!("{path}: {expected}"));
    }
}

#[test]
fn an_order_number_is_whole_and_short() {
    for order_no in ["1", "a b", "#10248", "订单", &"x".repeat(128)] {
        let order = Order::from_json(&with("/order_no", order_no.into()), &policy()).unwrap();
        assert_eq!(order.order_no, order_no);
    }
    for order_no in
        ["", " ", " 1", "1 ", "1\n", "\u{a0}1", "1\u{3000}", "a\tb", "a\0b", "a\u{85}b", &"x".repeat(129)]
    {
        let error = error(&with("/order_no", order_no.into()));
        assert!(error.to_string().starts_with("order_no: expected 1 to 128 bytes of text, "), "{error}");
    }
}

#[test]
fn limits_hold_before_anything_is_built() {
    let long = format!("{}{}", DESIGN, " ".repeat(Order::MAX_JSON - DESIGN.len()));
    assert!(Order::from_json(&long, &policy()).is_ok());
    let too_long = error(&(long + " "));
    assert_eq!(
        (too_long.kind(), too_long.to_string().as_str()),
        (&ErrorKind::Limit, "an order's JSON text is longer than 2 MiB")
    );

    let text = error(&with("/items/0/title", "x".repeat(65_537).into()));
    assert_eq!(
        (text.kind(), text.to_string().as_str()),
        (&ErrorKind::Limit, "items[0].title: the text is longer than 65,536 bytes")
    );
    assert!(Order::from_json(&with("/note", "x".repeat(65_536).into()), &policy()).is_ok());
    let lines = error(&with("/consignee/address/lines", vec![""; 256].into()));
    assert_eq!(lines.kind(), &ErrorKind::Limit);
    let deep = error(&format!(r#"{{"extra":{{"raw":{}"#, "[".repeat(100_000)));
    assert_eq!(deep.kind(), &ErrorKind::Limit);
}

#[test]
fn what_is_not_json_is_named_by_line_and_column() {
    for (text, message) in [
        ("{\"order_no\":\n Secret}", "not JSON, at line 2, column 2"),
        ("{\"order_no\":\"Secret\"", "the JSON text ends too early, at line 1, column 20"),
        (
            "{\"note\":\"Secret\",\"note\":\"Secret\"}",
            "a JSON object has one key twice, at line 1, column 33",
        ),
    ] {
        let error = error(text);
        assert_eq!(error.to_string(), message);
        assert_eq!(error.at_line(7).to_string(), format!("line 7: {message}"));
    }
}

#[test]
fn debug_prints_no_content() {
    let order = Order::from_json(CHINESE, &policy()).unwrap();
    assert_eq!(
        format!("{order:?} {:?} {:?}", order.consignee, order.items),
        "Order(..) Consignee(..) [Item(..), Item(..)]"
    );
}

/// Set CONSIGNEE_ORDERS to a file of one order in JSON on each line to read all of them.
#[test]
fn a_file_of_orders_comes_back() {
    let Some(path) = std::env::var_os("CONSIGNEE_ORDERS") else { return };
    for (number, line) in std::fs::read_to_string(path).unwrap().lines().enumerate() {
        let order = Order::from_json(line, &Policy::built_in()).unwrap();
        assert_eq!(order.to_json(), serde_json::from_str::<Json>(line).unwrap(), "line {}", number + 1);
    }
}

#[test]
fn what_comes_from_outside_is_read_as_the_built_in_order_where_the_policy_has_it() {
    let policy = Policy::built_in();
    let json = r#"{"order_no":"SO-1","placed_at":"2026-11-11T20:14:05+08:00","consignee":{"name":"x","phone":"1",
        "address":{"lines":[],"city":"y","country":"z"}},
        "items":[{"sku":"T-1","title":"Teapot","quantity":1,"unit_price":"88.00","supplier":"Yixing"}],
        "amount":{"value":"88.00","currency":"CNY"}}"#;
    let read = Fields::from_order_json(json, &policy).unwrap();
    assert!(read == Fields::of(&Order::from_json(json, &policy).unwrap()).unwrap());
    let Some(crate::Value::List(items)) = read.get("items") else { panic!("a list") };
    assert!(matches!(items.rows()[0][3], crate::Cell::Decimal(_)), "not a text, as without the type");
    let lines = r#"{"items":[{"sku":"T-1","title":"Teapot","quantity":1,"unit_price":"88.00","supplier":"Yixing"}],"note":null}"#;
    let patch = Patch::from_order_json(lines, &policy).unwrap();
    assert_eq!(patch.names().collect::<Vec<_>>(), ["items", "note"]);
    let wrong = lines.replace(r#""88.00""#, r#""SECRET""#);
    let refused = Patch::from_order_json(&wrong, &policy).map(drop).unwrap_err().to_string();
    assert!(refused.contains("items[0].unit_price") && !refused.contains("SECRET"), "{refused}");

    let own = policy::DEFAULT_POLICY.replace("placed_at", "ordered_at");
    let own = Policy::parse(&own).unwrap();
    let read =
        Fields::from_order_json(r#"{"order_no":"SO-1","items":[{"unit_price":"88.00"}]}"#, &own).unwrap();
    let Some(crate::Value::List(items)) = read.get("items") else { panic!("a list") };
    assert!(matches!(items.rows()[0][0], crate::Cell::Text(_)));
}
