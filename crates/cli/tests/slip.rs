//! `ledger slip`, `who-saw --slip` and `who-saw --answer`.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::fs;

use common::{Shop, tells_nothing};

fn seen() -> Shop {
    let shop = Shop::staffed();
    shop.run(&["ledger", "publish", "v", "log"]).exits(0);
    shop.run(&["ledger", "slip", "v", "A-1", "--log", "log", "-o", "my.slip", "--qr", "my.svg"])
        .exits(0)
        .prints("with 0 witnesses: give it to the shopper, and keep no copy");
    shop.opened("Swift", "delivery", &["A-1", "A-2"]);
    shop.opened("agent 17", "after_sale", &["A-2"]);
    shop.run(&["ledger", "publish", "v", "log"]).exits(0);
    shop
}

#[test]
fn a_shopper_reads_who_saw_the_order_without_vault_and_key() {
    let shop = seen();
    let run = shop.run_without_key(&["who-saw", "--slip", "my.slip", "log"]).exits(0);
    tells_nothing(&run.out);
    let run = run
        .prints("the slip is good: this order was put at 20")
        .prints("who saw order A-1\n")
        .prints(
            "\tcourier\tdelivery\tconsignee.name, consignee.phone, consignee.address\topened in the vault",
        )
        .prints("no witness: the shop's word only")
        .prints("Complete up to these checkpoints, and the same history as when the slip was made.");
    assert!(!run.out.contains("support") && !run.out.contains("Swift"), "{}", run.out);
    let lines = shop.run_without_key(&["who-saw", "--slip", "my.slip", "log", "--json"]).exits(0).json();
    let last = lines.last().unwrap();
    assert_eq!((last["entries"].as_u64(), last["disclosures"].as_u64()), (Some(2), Some(1)));
    assert_eq!((last["complete"].as_bool(), last["order_no"].as_str()), (Some(true), Some("A-1")));
}

#[test]
fn the_shops_answer_says_that_it_shows_no_completeness() {
    let shop = seen();
    shop.run(&["who-saw", "v", "A-1", "--answer", "answer", "--log", "log", "--names"])
        .exits(0)
        .prints("wrote 2 entries");
    shop.run_without_key(&["who-saw", "--slip", "my.slip", "answer"])
        .exits(0)
        .prints("Swift\tcourier\tdelivery")
        .prints("NO COMPLETENESS")
        .prints("ask the shop for an answer with --since ");
    let slip = shop.run_without_key(&["who-saw", "--slip", "my.slip", "log", "--json"]).json();
    assert_eq!(slip.last().unwrap()["continues_slip"].as_bool(), Some(true));
    let text = fs::read_to_string(shop.path("my.slip")).unwrap();
    let size = consignee::Slip::parse(&text).unwrap().size().to_string();
    let run = ["who-saw", "v", "A-1", "--answer", "again", "--log", "log", "--since", &size];
    shop.run(&run).exits(0);
    shop.run(&run).exits(1).says("there is a file of this name already");
    shop.run_without_key(&["who-saw", "--slip", "my.slip", "again"])
        .exits(0)
        .prints("It is the same history as when the slip was made.");
    shop.run(&["who-saw", "v", "A-2", "--answer", "other", "--log", "log"]).exits(0);
    shop.run_without_key(&["who-saw", "--slip", "my.slip", "other"]).exits(1).says("not of this order");
}

#[test]
fn wrong_slips_and_wrong_use_are_told() {
    let shop = seen();
    shop.write("bad.slip", "consignee-slip-v1:AAAA-00000000\n");
    shop.run_without_key(&["who-saw", "--slip", "bad.slip", "log"])
        .exits(1)
        .says("bad.slip: ")
        .says("no slip");
    shop.run_without_key(&["who-saw", "--slip", "my.slip", "v"]).exits(1).says("no published entries");
    shop.run_without_key(&["who-saw", "--slip", "my.slip", "log", "A-1"]).exits(2);
    shop.run(&["who-saw", "v"]).exits(2);
    shop.run(&["ledger", "slip", "v", "A-9"]).exits(1).says("no such order");
    shop.put(&[common::order("A-3")]);
    shop.run(&["ledger", "slip", "v", "A-3", "--log", "log"]).exits(1).says("ledger publish publishes it");
    shop.run(&["ledger", "slip", "v", "A-1", "-o", "my.slip"]).exits(1).says("there is a file of this name");
    let line = shop.run(&["ledger", "slip", "v", "A-3"]).exits(0).out;
    assert!(line.starts_with("consignee-slip-v1:") && line.len() <= consignee::Slip::LONGEST);
}

/// The modules that the SVG draws, each as one pixel: `M x y h w v h H x V y` in a path.
fn pixels(svg: &str) -> (usize, Vec<bool>) {
    let width: usize = svg.split("width=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
    let path = svg.split(" d=\"").nth(1).unwrap().split('"').next().unwrap();
    let mut dark = vec![false; width * width];
    for square in path.split('M').skip(1) {
        let numbers = square.split(|c: char| !c.is_ascii_digit()).filter(|word| !word.is_empty());
        let numbers: Vec<usize> = numbers.map(|word| word.parse().unwrap()).collect();
        let [x, y, w, h, ..] = numbers[..] else { panic!("{square}") };
        (y..y + h).for_each(|y| dark[y * width + x..y * width + x + w].fill(true));
    }
    (width, dark)
}

#[test]
fn the_qr_code_reads_as_the_slip() {
    let shop = seen();
    let (width, dark) = pixels(&fs::read_to_string(shop.path("my.svg")).unwrap());
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(
            width,
            width,
            |x, y| {
                if dark[y * width + x] { 0 } else { 255 }
            },
        );
    let (_, text) = image.detect_grids()[0].decode().unwrap();
    assert_eq!(text, fs::read_to_string(shop.path("my.slip")).unwrap().trim_end());
    assert!(consignee::Slip::parse(&text).unwrap().verify().is_ok());
}
