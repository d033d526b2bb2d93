//! A whole file of real orders, in and out by every role, and none of it in the files of the vault.
//!
//! The file is named by CONSIGNEE_ORDERS. It is not part of this repository.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    path::Path,
};

use common::Shop;
use serde_json::{Value as Json, json};

#[test]
fn real_orders_go_in_and_come_out() {
    let Some(file) = std::env::var_os("CONSIGNEE_ORDERS").filter(|file| !file.is_empty()) else {
        common::loudly(
            "real_orders_go_in_and_come_out was NOT RUN: it needs CONSIGNEE_ORDERS=path to a file of orders",
        );
        return;
    };
    let text = std::fs::read_to_string(&file).unwrap();
    let orders: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!orders.is_empty());
    let shop = Shop::new();
    let run = shop.run(&["put", "v", Path::new(&file).to_str().unwrap(), "--json"]).exits(0);
    assert_eq!(run.out, format!("{{\"stored\":{},\"unchanged\":0,\"failed\":0}}\n", orders.len()));
    let needles = needles(&orders);
    nothing_is_in_the_files(&shop, &needles);
    shop.staff();

    let all = Opened { shop: &shop, orders: &orders };
    all.compare("books", "accounting", |order, fields| {
        assert_eq!(
            *fields,
            json!({
                "order_no": order["order_no"], "placed_at": order["placed_at"], "amount": order["amount"],
            })
        );
    });
    all.compare("Swift", "delivery", |order, fields| {
        let person = &order["consignee"];
        assert_eq!(*fields, json!({
            "consignee.name": person["name"], "consignee.phone": person["phone"], "consignee.address": person["address"],
        }));
    });
    all.compare("agent 17", "after_sale", |order, fields| {
        let keys: BTreeSet<&str> = fields.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            BTreeSet::from(["placed_at", "items", "consignee.name:masked", "consignee.phone:masked"])
        );
        assert_eq!([&fields["placed_at"], &fields["items"]], [&order["placed_at"], &order["items"]]);
        let (name, phone) =
            (order["consignee"]["name"].as_str().unwrap(), order["consignee"]["phone"].as_str().unwrap());
        let masked = fields["consignee.name:masked"].as_str().unwrap();
        assert_eq!(
            (masked.chars().next(), masked.trim_end_matches('*').chars().count()),
            (name.chars().next(), 1)
        );
        let digits = phone.chars().filter(char::is_ascii_digit).count();
        let masked = fields["consignee.phone:masked"].as_str().unwrap();
        let shown = masked.chars().filter(char::is_ascii_digit).count();
        assert!(shown <= if digits >= 11 { 7 } else { 2 } && masked.contains('*'));
    });

    let lines = |order: &Json| order["items"].as_array().unwrap().clone();
    let suppliers: BTreeSet<String> =
        orders.iter().flat_map(lines).map(|line| line["supplier"].as_str().unwrap().to_owned()).collect();
    for supplier in &suppliers {
        let party = format!("{supplier} (party)");
        shop.run(&["party", "add", "v", &party, "--role", "supplier", "--as", supplier]).exits(0);
        all.compare(&party, "fulfilment", |order, fields| {
            let own: Vec<Json> =
                lines(order).into_iter().filter(|line| line["supplier"] == **supplier).collect();
            assert_eq!(*fields, json!({ "items": own }));
        });
    }
    shop.run(&["doctor", "v"]).exits(0);
    // The names of parties are in the vault in clear, and this file has a cake that is called like its supplier.
    let not_a_party = |needle: &&str| !suppliers.iter().any(|supplier| supplier.contains(*needle));
    nothing_is_in_the_files(&shop, &needles.into_iter().filter(not_a_party).collect());
    assert!(suppliers.len() > 1);
}

struct Opened<'a> {
    shop: &'a Shop,
    orders: &'a [Json],
}

impl Opened<'_> {
    /// Opens all orders as one party and compares each with what was put.
    fn compare(&self, party: &str, purpose: &str, same: impl Fn(&Json, &Json)) {
        let numbers: Vec<&str> =
            self.orders.iter().map(|order| order["order_no"].as_str().unwrap()).collect();
        let arguments = ["open", "v", "--party", party, "--purpose", purpose, "--json", "-"];
        let run = self.shop.run_with(&arguments, numbers.join("\n").as_bytes()).exits(0);
        let views = run.json();
        assert_eq!(views.len(), self.orders.len());
        let mut aliases = HashSet::new();
        for (view, order) in views.iter().zip(self.orders) {
            assert_eq!(view["order"], order["order_no"]);
            assert!(aliases.insert(view["alias"].as_str().unwrap().to_owned()));
            same(order, &view["fields"]);
        }
    }
}

/// Shortest text that is searched for. Files of this size are mostly random bytes, in which a given text of 4 bytes occurs
/// by chance about once in 4 GB, and shorter ones or many of them soon; real order numbers here have 5.
const SHORTEST: usize = 5;

/// Names, phones, streets, titles and order numbers.
fn needles(orders: &[Json]) -> BTreeSet<&str> {
    let mut needles = BTreeSet::new();
    for order in orders {
        let person = &order["consignee"];
        let streets = person["address"]["lines"].as_array().unwrap();
        let titles = order["items"].as_array().unwrap().iter().map(|line| &line["title"]);
        let texts =
            [&order["order_no"], &person["name"], &person["phone"]].into_iter().chain(streets).chain(titles);
        needles.extend(texts.map(|text| text.as_str().unwrap()).filter(|text| text.len() >= SHORTEST));
    }
    assert!(needles.len() > orders.len());
    needles
}

fn nothing_is_in_the_files(shop: &Shop, needles: &BTreeSet<&str>) {
    let mut searched = 0;
    for entry in std::fs::read_dir(shop.path("v")).unwrap() {
        let entry = entry.unwrap();
        let bytes = std::fs::read(entry.path()).unwrap();
        searched += usize::from(bytes.len() > 4096);
        assert_eq!(found(&bytes, needles), None, "in {:?}", entry.file_name());
    }
    assert!(searched >= 4, "{searched} files");
    let planted = [[0xAA; 99].as_slice(), needles.first().unwrap().as_bytes(), &[0xAA; 99]].concat();
    assert!(found(&planted, needles).is_some(), "the search finds what is there");
}

fn found<'a>(bytes: &[u8], needles: &BTreeSet<&'a str>) -> Option<&'a str> {
    // By their first bytes, so that the bytes are gone through once.
    let mut by_start: HashMap<&[u8], Vec<&'a str>> = HashMap::new();
    for needle in needles {
        by_start.entry(&needle.as_bytes()[..SHORTEST]).or_default().push(needle);
    }
    (0..bytes.len().saturating_sub(SHORTEST - 1)).find_map(|at| {
        let candidates = by_start.get(&bytes[at..at + SHORTEST])?;
        // The end of a longer number is none of the orders' own: parties are written with the second in which they were added.
        let ends_a_number = |needle: &str| {
            let is_number = needle.bytes().all(|byte| byte.is_ascii_digit());
            is_number && at > 0 && bytes[at - 1].is_ascii_digit()
        };
        let is_there = |needle: &&&str| bytes[at..].starts_with(needle.as_bytes()) && !ends_a_number(needle);
        candidates.iter().find(is_there).copied()
    })
}
