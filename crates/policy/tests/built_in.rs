//! The default policy, what is asked of a policy, and its warnings.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use consignee_policy::{
    DEFAULT_POLICY, FieldType, Mask, Normaliser, PartId, Policy, SEARCHES_A_DAY, SEARCHES_AN_HOUR,
};

/// The example of the design, with the fields it leaves out.
const EXAMPLE: &str = r#"version = 1
[field.order_no]
id = 1                                     # stable number, never reused; removed ones go to retired = [..]; at most 96 parts
type = "text"
[field.placed_at]
id = 2
type = "timestamp"
[field."consignee.name"]
id = 3
type = "text"
facets = { masked = { id = 13, mask = "name" } }
[field."consignee.phone"]
id = 4
type = "text"
facets = { masked = { id = 14, mask = "phone" } }
index = { normalise = "phone:CN", expect = 1_000_000_000 }
[field."consignee.address"]
id = 5
type = "address"
[field.items]
id = 6
type = "list"
[field.amount]
id = 7
type = "money"
[field.note]
id = 8
type = "text"
[role.courier.delivery]
open = ["consignee.name", "consignee.phone", "consignee.address"]
expires = "30d"                            # counted from put; enforced when a ticket is made
[role.supplier.fulfilment]
open = ["items"]
lines = { items = "supplier" }             # only elements whose property "supplier" is this party
[role.support.after_sale]
open = ["placed_at", "items", "consignee.name:masked", "consignee.phone:masked"]
search = ["consignee.phone"]
[role.support.call_back]
open = ["consignee.phone"]
expires = "7d"
[role.finance.accounting]
open = ["order_no", "placed_at", "amount"]
[role.platform.operation]
open = ["order_no", "placed_at", "consignee.name", "consignee.phone", "consignee.address", "items", "amount", "note"]
"#;

/// Vaults keep this digest in ledgers and records: a change of it is a change of the format or of the default policy.
const DIGEST: &str = "ec0b0a077607198de2677eeb970357c58f8c99ffca908fef3a86d64c034d8da6";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn id(number: u16) -> PartId {
    PartId::new(number).unwrap()
}

fn numbers(parts: &[PartId]) -> Vec<u16> {
    parts.iter().map(|part| part.get()).collect()
}

#[test]
fn the_example_of_the_design_is_the_default_policy() {
    let example = Policy::parse(EXAMPLE).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(example, Policy::built_in());
    assert_eq!(Policy::parse(DEFAULT_POLICY), Ok(Policy::built_in()));
}

#[test]
fn the_digest_is_pinned() {
    assert_eq!(hex(&Policy::built_in().digest()), DIGEST);
}

#[test]
fn parts_are_found_by_number_and_name() {
    let policy = Policy::built_in();
    let all: Vec<(u16, &str)> = policy.parts().map(|part| (part.id.get(), part.name)).collect();
    assert_eq!(
        all,
        [
            (1, "order_no"),
            (2, "placed_at"),
            (3, "consignee.name"),
            (4, "consignee.phone"),
            (5, "consignee.address"),
            (6, "items"),
            (7, "amount"),
            (8, "note"),
            (13, "consignee.name:masked"),
            (14, "consignee.phone:masked"),
        ]
    );
    for part in policy.parts() {
        assert_eq!(policy.part(part.id), Some(part));
        assert_eq!(policy.part_named(part.name), Some(part));
    }
    let masked = policy.part(id(14)).unwrap();
    assert_eq!((masked.ty, masked.field.ty), (FieldType::Text, FieldType::Text));
    assert_eq!(masked.facet.map(|facet| facet.mask), Some(Mask::Phone));
    assert_eq!(policy.part(id(9)), None);
    assert_eq!(policy.part_named("consignee.phone:city"), None);
    assert_eq!(PartId::new(0), None);

    let phone = policy.field("consignee.phone").unwrap();
    let index = phone.index.unwrap();
    assert_eq!((index.normaliser, index.expect), (Normaliser::Phone(*b"CN"), 1_000_000_000));
    assert_eq!(index.normaliser.to_string(), "phone:CN");
    assert_eq!(index.bits(), 28);
    assert_eq!(policy.field("consignee.phone:masked"), None);
}

#[test]
fn bits_are_one_below_the_logarithm() {
    for (expect, bits) in [(8, 2), (15, 2), (16, 3), (1_000, 8), (1_024, 9), (u64::MAX, 62)] {
        let text = format!(
            "version = 1\nfield.order_no = {{ id = 1, type = \"text\", index = {{ normalise = \"exact\", expect = {expect} }} }}"
        );
        let policy = Policy::parse(&text).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(policy.field("order_no").unwrap().index.unwrap().bits(), bits, "{expect}");
    }
}

#[test]
fn accesses_are_found_by_role_and_purpose() {
    let policy = Policy::built_in();
    assert_eq!(policy.roles().collect::<Vec<_>>(), ["courier", "finance", "platform", "supplier", "support"]);
    assert_eq!(policy.purposes("support").collect::<Vec<_>>(), ["after_sale", "call_back"]);
    assert_eq!(policy.purposes("police").count(), 0);

    let delivery = policy.access("courier", "delivery").unwrap();
    assert_eq!(numbers(&delivery.open), [3, 4, 5]);
    assert_eq!(delivery.expires, Some(30 * 86_400));
    assert!(delivery.opens(id(4)) && !delivery.opens(id(14)) && !delivery.opens(id(6)));

    let fulfilment = policy.access("supplier", "fulfilment").unwrap();
    assert_eq!(fulfilment.lines_of(id(6)), Some("supplier"));
    assert_eq!(policy.access("platform", "operation").unwrap().lines_of(id(6)), None);

    let after_sale = policy.access("support", "after_sale").unwrap();
    assert_eq!(numbers(&after_sale.open), [2, 6, 13, 14]);
    assert!(after_sale.searches(id(4)) && !after_sale.opens(id(4)));
    assert_eq!(after_sale.expires, None);

    for (role, purpose) in
        [("courier", "after_sale"), ("courier", ""), ("", "delivery"), ("Courier", "delivery")]
    {
        assert_eq!(policy.access(role, purpose), None);
    }
}

#[test]
fn a_keyring_holds_the_union_and_nothing_that_is_only_searched() {
    let policy = Policy::built_in();
    assert_eq!(numbers(&policy.role_parts("support")), [2, 4, 6, 13, 14]);
    assert_eq!(numbers(&policy.role_parts("platform")), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(policy.role_parts("police"), []);

    let without_call_back = EXAMPLE.replace("[role.support.call_back]", "[role.caller.call_back]");
    let policy = Policy::parse(&without_call_back).unwrap();
    assert_eq!(numbers(&policy.role_parts("support")), [2, 6, 13, 14]);
}

#[test]
fn warnings_name_what_is_worth_a_second_look() {
    let guess = "support opens consignee.phone:masked and may search by consignee.phone: it can find the whole value by \
                 trying. Of 11 digits the mask shows 7, which leaves 10,000 candidates: 34 days at the default budget of \
                 60 searches an hour and 300 a day";
    assert_eq!(Policy::built_in().warnings(), [guess]);

    let quiet = EXAMPLE.replace("search = [\"consignee.phone\"]\n", "");
    assert_eq!(Policy::parse(&quiet).unwrap().warnings(), [""; 0]);

    let unread = quiet.replace(", \"note\"]", "]");
    assert_eq!(
        Policy::parse(&unread).unwrap().warnings(),
        ["nobody opens note: list it in a table, or do without it"]
    );

    let address = "type = \"address\"\n";
    let with_city =
        quiet.replace(address, &format!("{address}facets = {{ city = {{ id = 15, mask = \"city\" }} }}\n"));
    assert_eq!(
        Policy::parse(&with_city).unwrap().warnings(),
        ["nobody opens consignee.address:city: list it in a table, or do without it"]
    );

    let mighty = quiet.replace("role.platform.operation", "role.finance.operation");
    assert_eq!(
        Policy::parse(&mighty).unwrap().warnings(),
        ["finance opens every field: a leak there is a leak of the whole order"]
    );

    // The search may be for another purpose than the facet.
    let apart = quiet.replace(
        "[role.support.call_back]",
        "[role.support.find]\nsearch = [\"consignee.phone\"]\n[role.support.call_back]",
    );
    assert_eq!(Policy::parse(&apart).unwrap().warnings(), [guess]);

    let name = quiet
        .replace(
            "mask = \"name\" } }",
            "mask = \"name\" } }\nindex = { normalise = \"upper\", expect = 1000 }",
        )
        .replace(
            "[role.support.call_back]",
            "[role.support.find]\nsearch = [\"consignee.name\"]\n[role.support.call_back]",
        );
    let warnings = Policy::parse(&name).unwrap().warnings();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].ends_with("300 a day; likely values are tried first"), "{}", warnings[0]);
}

/// A policy whose support opens the facet and searches the field.
fn guessed(mask: &str, normalise: &str) -> Policy {
    let text = format!(
        "version = 1\n[field.order_no]\nid = 1\ntype = \"text\"\nfacets = {{ less = {{ id = 2, mask = \"{mask}\" }} }}\n\
         index = {{ normalise = \"{normalise}\", expect = 1000 }}\n[role.platform.operation]\nopen = [\"order_no\"]\n\
         [role.support.find]\nopen = [\"order_no:less\"]\nsearch = [\"order_no\"]\n"
    );
    Policy::parse(&text).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn a_warning_tells_what_is_left_to_guess() {
    assert_eq!((SEARCHES_AN_HOUR, SEARCHES_A_DAY), (60, 300));
    for (mask, normalisers, target, left) in [
        (
            "phone",
            ["exact", "upper", "digits", "phone:CN"].as_slice(),
            "the whole value",
            "10,000 candidates: 34 days",
        ),
        ("phone", &["last4"], "the last four characters", "the last 2, which leaves 100 candidates: 2 hours"),
        (
            "last4",
            &["exact", "upper", "digits", "phone:CN"],
            "the whole value",
            "10,000,000 candidates: 33,334 days",
        ),
        ("last4", &["last4"], "the last four characters", "From 8 characters on the mask shows them already"),
        (
            "name",
            &["exact", "upper", "digits", "phone:CN"],
            "the whole value",
            "300 a day; likely values are tried first",
        ),
        ("name", &["last4"], "the last four characters", "300 a day; likely values are tried first"),
    ] {
        for normalise in normalisers {
            let warnings = guessed(mask, normalise).warnings();
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            let can = format!("order_no: it can find {target} by trying. ");
            assert!(warnings[0].contains(&can) && warnings[0].contains(left), "{}", warnings[0]);
        }
    }
}

#[test]
fn an_index_shows_the_less_the_more_orders_there_are() {
    let policy = guessed("name", "upper");
    for (orders, identifies, words) in [
        (None, false, "(upper): 256 tags; a thief of the database sees which orders share one"),
        (Some(0), false, "no orders over 256 tags; nothing to see yet"),
        (Some(1), true, "1 order over 256 tags, by chance about 1 in 256 shares"),
        (Some(255), true, "255 orders over 256 tags, by chance about 1 in 1 shares"),
        (Some(256), false, "256 orders over 256 tags, about 1 to a tag by chance"),
        (Some(1_000_000), false, "1,000,000 orders over 256 tags, about 3,906 to a tag by chance"),
    ] {
        let leakage = policy.leakage(orders);
        assert_eq!(leakage.len(), 1);
        let index = &leakage[0];
        assert_eq!((index.field.as_str(), index.normaliser), ("order_no", Normaliser::Upper));
        assert_eq!(
            (index.expect, index.bits, index.orders, index.identifies),
            (1_000, 8, orders, identifies)
        );
        assert_eq!(index.searched_by, [("support".to_owned(), "find".to_owned())]);
        assert!(index.line.starts_with("index on order_no (upper): "), "{}", index.line);
        assert!(index.line.contains(words), "{}", index.line);
        assert!(index.line.ends_with("; support/find may search by it"), "{}", index.line);
    }
    let unsearched = DEFAULT_POLICY.replace("search = [\"consignee.phone\"]\n", "");
    let leakage = Policy::parse(&unsearched).unwrap().leakage(None);
    assert!(leakage[0].line.ends_with("; nobody may search by it"), "{}", leakage[0].line);
}
