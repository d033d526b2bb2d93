//! What a newer policy changes: rows of an edit to one policy and the lines that must be told of it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use consignee_policy::{Diff, Policy, What};

const OLD: &str = r#"version = 1
retired = [9]
[field.order_no]
id = 1
type = "text"
index = { normalise = "exact", expect = 1000 }
[field.phone]
id = 4
type = "text"
facets = { masked = { id = 14, mask = "phone" } }
index = { normalise = "digits", expect = 1000 }
[field.items]
id = 6
type = "list"
[field.note]
id = 8
type = "text"
[role.courier.delivery]
open = ["phone"]
expires = "30d"
[role.supplier.pick]
open = ["items"]
lines = { items = "supplier" }
[role.support.answer]
open = ["phone:masked"]
search = ["phone"]
"#;

fn diff(old: &str, new: &str) -> Diff {
    let parse = |text: &str| Policy::parse(text).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    parse(old).diff(&parse(new))
}

/// The old policy with texts replaced, each of which must be there.
fn edited(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(OLD.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "nothing to edit: {from}");
        text.replacen(from, to, 1)
    })
}

fn assert_told(edits: &[(&str, &str)], there: &str, back: &str) {
    let new = edited(edits);
    assert_eq!(diff(OLD, &new).to_string(), there);
    assert_eq!(diff(&new, OLD).to_string(), back);
}

#[test]
fn nothing() {
    let same = diff(OLD, &edited(&[("version = 1", "# The same.\nversion = 1")]));
    assert!(same.is_empty() && !same.anyone_gains());
    assert_eq!(same.to_string(), "");
}

#[test]
fn a_part_opened() {
    let edits = [("open = [\"phone\"]", "open = [\"phone\", \"note\"]")];
    assert_told(&edits, "+ courier/delivery opens note, for 30d", "- courier/delivery opens note, for 30d");
    let told = diff(OLD, &edited(&edits));
    assert!(told.anyone_gains() && told.losses().is_empty());
    assert_eq!(
        told.gains()[0].what,
        What::Opens { part: "note".to_owned(), lines: None, expires: Some(30 * 86_400) }
    );
}

#[test]
fn a_facet_replaced_by_its_whole_field() {
    assert_told(
        &[("open = [\"phone:masked\"]", "open = [\"phone\"]")],
        "+ support/answer opens phone\n- support/answer opens phone:masked",
        "+ support/answer opens phone:masked\n- support/answer opens phone",
    );
}

#[test]
fn a_table_added() {
    assert_told(
        &[(
            "[role.supplier.pick]",
            "[role.courier.returns]\nopen = [\"items\", \"order_no\"]\nlines = { items = \"by\" }\nsearch = [\"order_no\"]\nexpires = \"90m\"\n[role.supplier.pick]",
        )],
        "+ courier/returns opens order_no, for 90m\n\
         + courier/returns opens items, only lines whose by is its own, for 90m\n\
         + courier/returns searches by order_no",
        "- courier/returns opens order_no, for 90m\n\
         - courier/returns opens items, only lines whose by is its own, for 90m\n\
         - courier/returns searches by order_no",
    );
}

#[test]
fn another_expiry() {
    assert_told(
        &[("expires = \"30d\"", "expires = \"36h\"")],
        "- courier/delivery opens for 36h (before: for 30d)",
        "+ courier/delivery opens for 30d (before: for 36h)",
    );
    assert_told(
        &[("expires = \"30d\"\n", "")],
        "+ courier/delivery opens without end (before: for 30d)",
        "- courier/delivery opens for 30d (before: without end)",
    );
}

#[test]
fn another_rule_for_lines() {
    assert_told(
        &[("lines = { items = \"supplier\" }\n", "")],
        "+ supplier/pick opens all lines of items (before: lines whose supplier is its own)",
        "- supplier/pick opens lines whose supplier is its own of items (before: all lines)",
    );
    // Other lines are a gain both ways: nobody can tell from the policy which are more.
    assert_told(
        &[("items = \"supplier\"", "items = \"depot\"")],
        "+ supplier/pick opens lines whose depot is its own of items (before: lines whose supplier is its own)",
        "+ supplier/pick opens lines whose supplier is its own of items (before: lines whose depot is its own)",
    );
}

#[test]
fn a_search_allowed() {
    assert_told(
        &[("search = [\"phone\"]", "search = [\"phone\", \"order_no\"]")],
        "+ support/answer searches by order_no",
        "- support/answer searches by order_no",
    );
}

#[test]
fn fields_and_facets_added() {
    let new = edited(&[
        ("[field.note]", "[field.gift]\nid = 20\ntype = \"bool\"\n[field.note]"),
        ("masked = {", "end = { id = 21, mask = \"last4\" }, masked = {"),
    ]);
    assert_eq!(
        diff(OLD, &new).to_string(),
        "~ gift (number 20) is new; orders sealed before do not have it\n\
         ~ phone:end (number 21) is new; orders sealed before do not have it"
    );
    assert_eq!(
        diff(&new, OLD).to_string(),
        "! gift is removed: its number 20 must be added to retired\n\
         ! phone:end is removed: its number 21 must be added to retired"
    );
}

#[test]
fn a_field_retired() {
    let note = "[field.note]\nid = 8\ntype = \"text\"\n";
    assert_told(
        &[(note, ""), ("retired = [9]", "retired = [9, 8]")],
        "~ note (number 8) is retired",
        "! number 8 is no longer retired: orders sealed long ago may hold it; put it back",
    );
    assert_told(
        &[(note, "")],
        "! note is removed: its number 8 must be added to retired",
        "~ note (number 8) is new; orders sealed before do not have it",
    );
    assert_told(
        &[("retired = [9]", "retired = [9, 10]")],
        "~ number 10, which was not in use, is retired",
        "! number 10 is no longer retired: orders sealed long ago may hold it; put it back",
    );
    // The same name with a new number is a new field.
    let again = edited(&[("retired = [9]", "retired = [9, 8]"), ("id = 8", "id = 18")]);
    assert!(diff(OLD, &again).incompatible().is_empty());
}

#[test]
fn a_number_that_means_something_else() {
    assert_told(
        &[("id = 8\ntype = \"text\"", "id = 8\ntype = \"json\"")],
        "! note (number 8) was text and is now json: retire the number and take a new one",
        "! note (number 8) was json and is now text: retire the number and take a new one",
    );
    assert_told(
        &[("mask = \"phone\"", "mask = \"last4\"")],
        "! phone:masked (number 14) has another mask: retire the number and take a new one",
        "! phone:masked (number 14) has another mask: retire the number and take a new one",
    );
    assert_told(
        &[("[field.note]", "[field.remark]")],
        "! number 8 was note and is now remark: give that a number of its own",
        "! number 8 was remark and is now note: give that a number of its own",
    );
}

/// Two numbers exchanged: who opened the one opens the other, though its table did not change.
#[test]
fn gains_are_told_by_number_and_name() {
    let new = edited(&[
        ("[field.phone]", "[field.x]"),
        ("[field.note]", "[field.phone]"),
        ("[field.x]", "[field.note]"),
        ("open = [\"phone:masked\"]\nsearch = [\"phone\"]", "open = [\"note:masked\"]\nsearch = [\"note\"]"),
    ]);
    let told = diff(OLD, &new);
    assert_eq!(told.incompatible().len(), 3, "{told}");
    let gains: Vec<String> = told.gains().iter().map(ToString::to_string).collect();
    assert_eq!(
        gains,
        [
            "courier/delivery opens phone, for 30d",
            "support/answer opens note:masked",
            "support/answer searches by note"
        ]
    );
}

#[test]
fn an_index_changed() {
    let index = "index = { normalise = \"exact\", expect = 1000 }\n";
    assert_told(&[(index, "")], "~ order_no loses its index", "~ order_no gets an index");
    assert_told(
        &[("expect = 1000", "expect = 2000")],
        "~ order_no gets another index",
        "~ order_no gets another index",
    );
}

/// What a diff calls a gain is one, for every pair of a role's purpose and a part.
#[test]
fn no_gain_is_left_out() {
    let built_in = consignee_policy::DEFAULT_POLICY;
    let policy = Policy::built_in();
    for access in policy.accesses() {
        for part in policy.parts().filter(|part| !access.opens(part.id)) {
            let beside = |id| policy.part(id).is_some_and(|other| other.field.id == part.field.id);
            if access.open.iter().any(|id| beside(*id)) {
                continue;
            }
            let header = format!("[role.{}.{}]\n", access.role, access.purpose);
            let at = built_in.find(&header).expect("the table") + header.len();
            let at = at + built_in[at..].find("open = [").expect("its open") + "open = [".len();
            let new = format!("{}\"{}\", {}", &built_in[..at], part.name, &built_in[at..]);
            let told = diff(built_in, &new);
            assert_eq!(told.gains().len(), 1, "{told}");
            assert!(told.losses().is_empty() && told.others().is_empty() && told.incompatible().is_empty());
            let line = format!("{}/{} opens {}", access.role, access.purpose, part.name);
            assert!(told.gains()[0].to_string().starts_with(&line), "{told}");
        }
    }
}
