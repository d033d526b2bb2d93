//! Every mistake of a policy is reported where it stands. In a row, `^` stands before the place, or before each of several;
//! the texts beside it are parts of the messages, in the same order.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use consignee_policy::{MAX_PARTS, Policy};

/// Valid by itself; rows go on from here.
const BASE: &str = r#"version = 1
retired = [90, 91]
[field.order_no]
id = 1
type = "text"
[field."consignee.phone"]
id = 4
type = "text"
facets = { masked = { id = 14, mask = "phone" } }
index = { normalise = "phone:CN", expect = 1_000 }
[field.items]
id = 6
type = "list"
"#;

/// Positions of the marks, counted without the library: line and column in characters, from 1.
fn unmark(marked: &str) -> (String, Vec<(usize, usize)>) {
    let (mut text, mut places, mut line, mut column) = (String::new(), Vec::new(), 1, 1);
    for c in marked.chars() {
        match c {
            '^' => places.push((line, column)),
            '\n' => {
                text.push(c);
                (line, column) = (line + 1, 1);
            }
            _ => {
                text.push(c);
                column += 1;
            }
        }
    }
    (text, places)
}

fn assert_mistakes(marked: &str, messages: &[&str]) {
    let (text, places) = unmark(marked);
    let errors = Policy::parse(&text).expect_err(marked);
    let found: Vec<_> = errors.as_slice().iter().map(|e| (e.line, e.column)).collect();
    assert_eq!(found, places, "\n{marked}\n{errors}");
    assert_eq!(messages.len(), places.len(), "\n{marked}\n{errors}");
    for (error, message) in errors.as_slice().iter().zip(messages) {
        assert!(error.message.contains(message), "\n{marked}\n{error}\nlacks: {message}");
    }
}

/// Rows go below a valid policy.
fn assert_below(rows: &[(&str, &str)]) {
    Policy::parse(BASE).expect("the base is valid");
    for (marked, message) in rows {
        assert_mistakes(&format!("{BASE}{marked}"), &[message]);
    }
}

#[test]
fn of_the_text() {
    assert_mistakes("version = 1\n[field.order_no^\nid = 1\n", &["not TOML"]);
    assert_mistakes("version = 1\n^version = 1\n", &["duplicate key"]);
    let long = format!("{BASE}#{}", "x".repeat(65_536));
    let errors = Policy::parse(&long).expect_err("too long");
    assert_eq!(
        errors.to_string(),
        "line 1, column 1: the text is longer than 65536 bytes; a policy is not: shorten it"
    );
}

#[test]
fn of_the_top() {
    let order_no = "[field.order_no]\nid = 1\ntype = \"text\"\n";
    assert_mistakes(&format!("^{order_no}"), &["`version` is missing"]);
    assert_mistakes(&format!("version = ^2\nnews = 1\n{order_no}"), &["reads version 1 only"]);
    assert_mistakes(
        &format!("version = ^\"1\"\n{order_no}"),
        &["`version` is a string; write a whole number"],
    );
    assert_mistakes(&format!("version = ^-1\n{order_no}"), &["not negative"]);
    assert_mistakes("^version = 1\n", &["no field `order_no`"]);
    assert_mistakes(
        "version = 1\n[field.order_no]\nid = 1\ntype = ^\"integer\"\n",
        &["`order_no` is of type integer"],
    );
    assert_mistakes(
        &format!("version = 1\n^roles = 1\n{order_no}"),
        &["unknown key `roles`; a policy has version"],
    );
    assert_mistakes(&format!("version = 1\nrole = ^1\n{order_no}"), &["`role` is an integer; write a table"]);
    assert_mistakes(
        &format!("version = 1\nretired = ^1\n{order_no}"),
        &["`retired` is an integer; write a list"],
    );
    assert_mistakes(
        &format!("version = 1\nretired = [^0, 5, ^5]\n{order_no}"),
        &["0 is not", "5 is retired twice"],
    );
    assert_mistakes(
        &format!("version = 1\nretired = [^1.5, ^65536]\n{order_no}"),
        &["is a float", "65536 is not"],
    );
}

#[test]
fn of_fields() {
    assert_below(&[
        ("[field.note]\nid = ^0\ntype = \"text\"", "0 is not a part number"),
        ("[field.note]\nid = ^65536\ntype = \"text\"", "65536 is not a part number"),
        ("[field.note]\nid = ^4\ntype = \"text\"", "number 4 is that of `consignee.phone` already"),
        ("[field.note]\nid = ^14\ntype = \"text\"", "number 14 is that of `consignee.phone:masked` already"),
        ("[field.note]\nid = ^91\ntype = \"text\"", "number 91 is retired"),
        ("[field.^note]\ntype = \"text\"", "`note` has no `id`; add a number"),
        ("[field.^note]\nid = 8", "`note` has no `type`; add one of text"),
        ("[field.note]\nid = 8\ntype = ^\"string\"", "`string` is no `type`; write one of text"),
        ("[field.note]\nid = 8\ntype = ^3", "`type` is an integer; write text in quotes"),
        ("[field.note]\nid = 8\ntype = \"text\"\n^mask = \"name\"", "unknown key `mask`; a field has id"),
        ("[field.note]\nid = 8\ntype = \"text\"\n^retired = [9]", "`retired` belongs to the top"),
        ("[field]\nnote = ^8", "`note` is an integer; write [field.NAME]"),
        ("[field.^Note]\nid = 8\ntype = \"text\"", "`Note` is not a field's name"),
        ("[field.^\"a..b\"]\nid = 8\ntype = \"text\"", "not a field's name"),
        ("[field.^\"\"]\nid = 8\ntype = \"text\"", "not a field's name"),
        ("[field.^\"a.9\"]\nid = 8\ntype = \"text\"", "not a field's name"),
        ("[field.consignee.^name]\nid = 8\ntype = \"text\"", "[field.\"consignee.name\"]"),
        ("[field.^\"a\\u001b[2J\"]\nid = 8\ntype = \"text\"", "`a\\u{1b}[2J` is not a field's name"),
    ]);
    let longest = "a".repeat(64);
    Policy::parse(&format!("{BASE}[field.{longest}]\nid = 8\ntype = \"text\""))
        .expect("64 bytes are allowed");
    assert_mistakes(&format!("{BASE}[field.^{longest}a]\nid = 8\ntype = \"text\""), &["at most 64 bytes"]);
}

#[test]
fn of_facets() {
    let row = |facets: &str| format!("{BASE}[field.note]\nid = 8\ntype = \"text\"\nfacets = {facets}\n");
    for (marked, message) in [
        ("{ short = { id = ^8, mask = \"name\" } }", "number 8 is that of `note` already"),
        (
            "{ a = { id = 9, mask = \"name\" }, b = { id = ^9, mask = \"name\" } }",
            "number 9 is that of `note:a` already",
        ),
        ("{ short = { id = ^90, mask = \"name\" } }", "number 90 is retired"),
        (
            "{ short = { id = 9, mask = ^\"city\" } }",
            "mask `city` is for fields of type address; `note` is of type text",
        ),
        ("{ short = { id = 9, mask = ^\"stars\" } }", "`stars` is no `mask`; write one of name, phone"),
        ("{ ^short = { id = 9 } }", "`short` has no `mask`"),
        ("{ ^short = { mask = \"name\" } }", "`short` has no `id`"),
        ("{ short = { id = 9, mask = \"name\", ^kind = 1 } }", "unknown key `kind`; a facet has id, mask"),
        ("{ ^\"a.b\" = { id = 9, mask = \"name\" } }", "`a.b` is not a facet's name"),
        ("{ short = ^9 }", "`short` is an integer; write { id = …, mask = … }"),
        ("^[9]", "`facets` is an array; write a table"),
    ] {
        assert_mistakes(&row(marked), &[message]);
    }
    assert_below(&[(
        "[field.at]\nid = 8\ntype = \"timestamp\"\nfacets = { day = { id = 9, mask = ^\"last4\" } }",
        "mask `last4` is for fields of type text",
    )]);
}

#[test]
fn of_indexes() {
    let row = |index: &str| format!("{BASE}[field.note]\nid = 8\ntype = \"text\"\n{index}\n");
    for (marked, message) in [
        ("index = { normalise = \"exact\", expect = ^7 }", "`expect` is 7"),
        ("index = { normalise = \"exact\", expect = ^\"8\" }", "`expect` is a string; write a whole number"),
        ("index = { normalise = ^\"lower\", expect = 8 }", "`lower` is no `normalise`; write one of exact"),
        ("index = { normalise = ^\"phone:cn\", expect = 8 }", "`phone:cn` is no `normalise`"),
        ("index = { normalise = ^\"phone:CHN\", expect = 8 }", "`phone:CHN` is no `normalise`"),
        ("index = { normalise = ^\"phone:\", expect = 8 }", "`phone:` is no `normalise`"),
        (
            "index = { normalise = ^\"phone:ZZ\", expect = 8 }",
            "`phone:ZZ` names no country with a calling code",
        ),
        ("index = { normalise = ^\"phone:UK\", expect = 8 }", "the United Kingdom is GB: write phone:GB"),
        ("^index = { normalise = \"exact\" }", "`index` has no `expect`"),
        ("^index = { expect = 8 }", "`index` has no `normalise`"),
        ("index = { normalise = \"exact\", expect = 8, ^bits = 3 }", "unknown key `bits`"),
        ("index = ^true", "`index` is a boolean"),
    ] {
        assert_mistakes(&row(marked), &[message]);
    }
    assert_below(&[(
        "[field.amount]\nid = 8\ntype = \"money\"\n^index = { normalise = \"exact\", expect = 8 }",
        "only text fields have an index; `amount` is of type money",
    )]);
}

#[test]
fn of_roles_and_purposes() {
    assert_below(&[
        ("[role.courier]\n^open = [\"items\"]", "`open` belongs to a purpose"),
        ("[role.^courier]", "role `courier` has no purpose"),
        ("[role.^Courier.delivery]\nopen = [\"items\"]", "`Courier` is not a role's name"),
        ("[role.courier.^after-sale]\nopen = [\"items\"]", "`after-sale` is not a purpose's name"),
        ("[role.^_a.delivery]\nopen = [\"items\"]", "`_a` is not a role's name"),
        (
            "[role.^Courier.a]\nopen = [\"items\"]\n[role.Courier.b]\nopen = [\"items\"]",
            "`Courier` is not a role's name",
        ),
        ("[role.courier.^delivery]", "role `courier` opens nothing for purpose `delivery`"),
        ("[role.courier.^delivery]\nopen = []", "opens nothing"),
        ("[role.courier.^delivery]\nexpires = \"30d\"\nsearch = []", "opens nothing"),
        ("[role.courier.delivery]\nopen = ^\"items\"", "`open` is a string; write a list"),
        ("[role.courier.delivery]\nopen = [^6]", "`open` is an integer; write text in quotes"),
        (
            "[role.courier.delivery]\nopen = [\"items\"]\n^expire = \"30d\"",
            "unknown key `expire`; a role's purpose has open",
        ),
        ("[role]\ncourier = { delivery = ^\"items\" }", "`delivery` is a string"),
    ]);
    let longest = "a".repeat(32);
    Policy::parse(&format!("{BASE}[role.{longest}.{longest}]\nopen = [\"items\"]"))
        .expect("32 bytes are allowed");
    assert_mistakes(&format!("{BASE}[role.^{longest}a.a]\nopen = [\"items\"]"), &["at most 32 bytes"]);
}

#[test]
fn of_what_is_opened_and_searched() {
    let row = |keys: &str| format!("{BASE}[role.courier.delivery]\n{keys}\n");
    for (marked, message) in [
        ("open = [^\"item\"]", "there is no field `item`; correct the name"),
        ("open = [^\"items:short\"]", "field `items` has no facets; declare `short` there"),
        (
            "open = [^\"consignee.phone:mask\"]",
            "field `consignee.phone` has no facet `mask`; it has `masked`",
        ),
        ("open = [^\"phone:masked\"]", "there is no field `phone`"),
        ("open = [^\"*\"]", "there are no wildcards"),
        ("open = [^\"consignee.*\"]", "there are no wildcards"),
        ("open = [\"items\", ^\"items\"]", "`items` is twice in `open`"),
        (
            "open = [^\"consignee.phone:masked\", \"consignee.phone\"]",
            "beside its whole field `consignee.phone`",
        ),
        ("open = [\"items\"]\nlines = { ^order_no = \"x\" }", "`order_no` is not a list"),
        ("open = [\"order_no\"]\nlines = { ^items = \"supplier\" }", "`items` is not opened here"),
        ("open = [\"items\"]\nlines = { ^item = \"supplier\" }", "there is no field `item`"),
        ("open = [\"items\"]\nlines = { items = ^\"\" }", "a property is letters"),
        ("open = [\"items\"]\nlines = { items = ^\"a b\" }", "a property is letters"),
        ("open = [\"items\"]\nlines = { items = ^1 }", "`items` is an integer; write text"),
        ("open = [\"items\"]\nlines = ^[\"items\"]", "`lines` is an array"),
        ("search = [^\"order_no\"]", "`order_no` cannot be searched: it has no index"),
        (
            "search = [^\"consignee.phone:masked\"]",
            "is a facet; a search is by a whole field: `consignee.phone`",
        ),
        ("search = [\"consignee.phone\", ^\"consignee.phone\"]", "`consignee.phone` is twice in `search`"),
        ("search = [^\"phone\"]", "there is no field `phone`"),
        ("search = [^\"*\"]", "there are no wildcards"),
    ] {
        assert_mistakes(&row(marked), &[message]);
    }
    Policy::parse(&row("search = [\"consignee.phone\"]")).expect("a search needs nothing opened");
}

#[test]
fn of_expiry() {
    let row =
        |expires: &str| format!("{BASE}[role.courier.delivery]\nopen = [\"items\"]\nexpires = {expires}\n");
    for (marked, message) in [
        ("^30", "`expires` is an integer; write text in quotes"),
        ("^\"30\"", "such as \"30d\""),
        ("^\"d\"", "such as \"30d\""),
        ("^\"\"", "such as \"30d\""),
        ("^\"+1d\"", "such as \"30d\""),
        ("^\"1.5d\"", "such as \"30d\""),
        ("^\"1w\"", "such as \"30d\""),
        ("^\"1日\"", "such as \"30d\""),
        ("^\"0d\"", "from 1 second to 100 years"),
        ("^\"36526d\"", "from 1 second to 100 years"),
        ("^\"99999999999999999999999d\"", "from 1 second to 100 years"),
    ] {
        assert_mistakes(&row(marked), &[message]);
    }
    for (text, seconds) in
        [("30d", 2_592_000), ("12h", 43_200), ("90m", 5_400), ("1s", 1), ("36525d", 3_155_760_000)]
    {
        let policy = Policy::parse(&row(&format!("\"{text}\""))).expect(text);
        assert_eq!(policy.access("courier", "delivery").unwrap().expires, Some(seconds));
    }
}

#[test]
fn of_size() {
    let field = |id: usize, mark: &str| format!("[field.{mark}f{id}]\nid = {id}\ntype = \"text\"\n");
    // The base has four parts, one of them a facet.
    let most: String = (100..100 + MAX_PARTS - 4).map(|id| field(id, "")).collect();
    Policy::parse(&format!("{BASE}{most}")).expect("96 parts are allowed");
    assert_mistakes(&format!("{BASE}{most}{}{}", field(300, "^"), field(301, "")), &["at most 96 parts"]);

    let table = |n: usize, mark: &str| format!("[role.courier.{mark}p{n}]\nopen = [\"items\"]\n");
    let most: String = (0..256).map(|n| table(n, "")).collect();
    Policy::parse(&format!("{BASE}{most}")).expect("256 tables are allowed");
    assert_mistakes(&format!("{BASE}{most}{}", table(256, "^")), &["at most 256 tables"]);
}

#[test]
fn all_are_reported_at_once_in_the_order_of_the_text() {
    assert_mistakes(
        r#"version = 1
^colour = 1
[field.order_no]
id = 1
type = ^"txt"
[field.note]
id = ^1
type = "text"
[role.courier.delivery]
open = ["note", ^"name"]
expires = ^"soon"
[role.support.after_sale]
open = ["note"]
search = [^"note"]
"#,
        &["unknown key", "`txt` is no `type`", "number 1", "no field `name`", "`expires` is", "has no index"],
    );
}

#[test]
fn one_mistake_does_not_cause_another() {
    // An unreadable type says nothing of masks, indexes and lists; an unreadable `open` nothing of emptiness.
    assert_mistakes(
        r#"version = 1
[field.order_no]
id = ^"1"
type = ^"txt"
facets = { end = { id = 2, mask = "last4" } }
index = { normalise = ^"low", expect = 8 }
[role.courier.delivery]
open = ^3
lines = { order_no = "x" }
[role.support.after_sale]
open = ["order_no:end"]
search = ["order_no"]
"#,
        &["`id` is a string", "`txt`", "`low`", "`open` is"],
    );
    // A name without quotes is understood, so that what refers to it is not reported too.
    assert_mistakes(
        &format!(
            "{BASE}[field.a.^b]\nid = 8\ntype = \"text\"\n[field.a.c.^d]\nid = 9\ntype = \"text\"\n[role.x.y]\nopen = [\"a.b\", \"a.c.d\"]\n"
        ),
        &["[field.\"a.b\"]", "[field.\"a.c.d\"]"],
    );
}

#[test]
fn columns_are_counted_in_characters_and_lines_by_newlines() {
    let text = "version = 1\r\n[field.order_no] # 订单号\r\nid = 1\r\ntype = \"text\"\r\n[role.a.b]\r\nopen = [\"订单\", \"é\"]\r\n";
    let errors = Policy::parse(text).expect_err("unknown fields");
    let lines: Vec<String> = errors.to_string().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("line 6, column 9: there is no field `订单`"), "{}", lines[0]);
    assert!(lines[1].starts_with("line 6, column 15: there is no field `é`"), "{}", lines[1]);
}

#[test]
fn any_text_is_read_or_refused_with_a_place_inside_it() {
    let text = consignee_policy::DEFAULT_POLICY;
    for (at, _) in text.char_indices().step_by(3) {
        let (before, after) = text.split_at(at);
        let mut rest = after.chars();
        rest.next();
        for altered in
            [before.to_owned(), format!("{before}{}", rest.as_str()), format!("{before}\"[{after}")]
        {
            if let Err(errors) = Policy::parse(&altered) {
                assert!(!errors.as_slice().is_empty());
                for error in errors.as_slice() {
                    assert!(error.line <= altered.lines().count() + 1 && error.column > 0, "{error}");
                }
            }
        }
    }
}

#[test]
fn deep_and_odd_texts_are_refused() {
    let deep = [
        format!("version = {}", "[".repeat(30_000)),
        format!("version = {}", "{a=".repeat(20_000)),
        format!("version = 1\n[field.{}x]\nid = 1", "a.".repeat(30_000)),
        format!("version = 1\n[role.{}x]\nopen = []", "a.".repeat(30_000)),
        format!("version = 1\nfield.{}x = 1", "a.".repeat(30_000)),
        "\u{feff}version = 2".to_owned(),
        "version = 1\0".to_owned(),
    ];
    for text in deep {
        assert!(Policy::parse(&text).is_err());
    }
}
