//! Made-up orders, as many as wanted: the same number gives the same order, on every machine. And the reference order, by which
//! speed is measured: always of the same lengths.
// Tests, examples and benches include this file, and each uses some of it.
#![allow(dead_code)]

use std::fmt::Write;

const FAMILY: [&str; 12] =
    ["王", "李", "张", "刘", "陈", "Hansen", "Henriot", "Pontes", "O'Neil", "Müller", "Sato", "Okafor"];
const GIVEN: [&str; 12] =
    ["小明", "芳", "伟", "秀英", "建国", "Paul", "Mario", "Ada", "Ingrid", "José", "Yuki", "Ngozi"];
const STREETS: [&str; 8] = [
    "汉口路",
    "中山北路",
    "59 rue de l'Abbaye",
    "Rua do Paço",
    "Obere Straße",
    "Fauntleroy Circus",
    "3-2 Jingumae",
    "Broad Street",
];
const CITIES: [(&str, &str, &str); 8] = [
    ("南京", "江苏", "CN"),
    ("上海", "上海", "CN"),
    ("Reims", "", "FR"),
    ("Rio de Janeiro", "RJ", "BR"),
    ("Hamburg", "", "DE"),
    ("London", "", "GB"),
    ("東京", "東京都", "JP"),
    ("Lagos", "LA", "NG"),
];
const GOODS: [(&str, &str, &str); 8] = [
    ("TP-01", "Teapot, red clay, 240 ml", "Yixing"),
    ("CP-04", "Cup, porcelain", "Dehua"),
    ("QC-11", "Queso Cabrales", "Las Cabras"),
    ("JC-41", "Clam Chowder", "New England Seafood"),
    ("LS-02", "电饭煲 4L", "苏宁供应商"),
    ("BK-77", "Wool blanket, grey", "Woll & Co"),
    ("PH-90", "Phone case", "Shenzhen 88"),
    ("TE-05", "龙井茶 250 g", "Hangzhou Tea"),
];

/// One order of the built-in form, as a line of JSON without a newline.
pub(crate) fn order_json(number: u64) -> String {
    let mut random = SplitMix(number);
    let name = format!("{}{}", random.of(&FAMILY), random.of(&GIVEN));
    // One customer in three orders again.
    let customer = SplitMix(number - number % 3).next();
    let phone = format!("1{:010}", 3_000_000_000 + customer % 6_999_999_999);
    let (city, region, country) = random.of(&CITIES);
    let (street, house) = (random.of(&STREETS), random.below(300) + 1);
    let (mut items, mut cents) = (String::new(), 0);
    for _ in 0..=random.below(3) {
        let (sku, title, supplier) = random.of(&GOODS);
        let (quantity, price) = (random.below(5) + 1, random.below(20_000) + 100);
        cents += quantity * price;
        let comma = if items.is_empty() { "" } else { "," };
        let price = money(price);
        let _infallible = write!(
            items,
            r#"{comma}{{"sku":"{sku}","title":"{title}","quantity":{quantity},"unit_price":"{price}","supplier":"{supplier}"}}"#
        );
    }
    let note = if random.below(4) == 0 { "please ring twice, the bell is weak" } else { "" };
    let (day, hour, minute) = (number / 86_400 % 28 + 1, random.below(24), random.below(60));
    format!(
        r#"{{"order_no":"{}","placed_at":"2026-11-{day:02}T{hour:02}:{minute:02}:{:02}+08:00","consignee":{{"name":"{name}","phone":"{phone}","address":{{"lines":["{street} {house}"],"city":"{city}","region":"{region}","postal_code":"{:06}","country":"{country}"}}}},"items":[{items}],"amount":{{"value":"{}","currency":"CNY"}},"note":"{note}"}}"#,
        order_no(number),
        number % 60,
        random.below(1_000_000),
        money(cents)
    )
}

/// Its number.
pub(crate) fn order_no(number: u64) -> String {
    format!("20261111{number:010}")
}

/// The reference order under a number of its own: 8 fields, about 370 bytes of text without the syntax of JSON.
pub(crate) fn reference_json(number: u64) -> String {
    format!(
        r#"{{"order_no":"2026111100{number:06}","placed_at":"2026-11-11T20:14:05+08:00","consignee":{{"name":"Wang Xiaoming","phone":"138{number:08}","address":{{"lines":["1 Zhongshan Road, Flat 502"],"city":"Nanjing","region":"Jiangsu","postal_code":"210000","country":"CN"}}}},"items":[{{"sku":"T-1","title":"Teapot","quantity":1,"unit_price":"88.00","supplier":"Yixing"}},{{"sku":"T-2","title":"Cup","quantity":4,"unit_price":"12.50","supplier":"Dehua"}}],"amount":{{"value":"138.00","currency":"CNY"}},"note":""}}"#
    )
}

/// Lengths of its padded values, in the order of [`REFERENCE_PARTS`].
pub(crate) const REFERENCE_LENGTHS: [usize; 8] = [32, 24, 32, 32, 96, 160, 13, 32];

/// Its parts, ascending by number.
pub(crate) const REFERENCE_PARTS: [&str; 8] = [
    "order_no",
    "placed_at",
    "consignee.name",
    "consignee.phone",
    "consignee.address",
    "items",
    "amount",
    "note",
];

/// Those of them that a courier opens: the third to the fifth.
pub(crate) const COURIERS_PARTS: [&str; 3] = ["consignee.name", "consignee.phone", "consignee.address"];

/// The policy of the reference order: a built-in one without its facets and indexes.
pub(crate) fn reference_policy(built_in: &str) -> String {
    let kept = |line: &&str| {
        !line.starts_with("facets") && !line.starts_with("index") && !line.starts_with("search")
    };
    let lines: Vec<&str> = built_in.lines().filter(kept).collect();
    lines.join("\n").replace(", \"consignee.name:masked\", \"consignee.phone:masked\"", "")
}

fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap_or(0)]
    }
}
