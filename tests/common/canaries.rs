//! Canaries: values that nobody writes by chance, and the search for them in every form in which they could be written.
#![allow(dead_code, missing_docs, clippy::unwrap_used, unreachable_pub)]

use std::{cell::OnceCell, collections::BTreeSet, fmt::Write};

/// What is searched for: each form with the name of what it is a form of.
#[derive(Default)]
pub struct Canaries {
    forms: Vec<(Vec<u8>, String)>,
    /// Texts too short to be looked for among random bytes.
    short: Vec<(Vec<u8>, String)>,
    /// The forms by their first two bytes.
    heads: OnceCell<Vec<Vec<usize>>>,
}

/// Forms below this many bytes occur by chance.
const SHORTEST: usize = 6;

impl Canaries {
    pub fn add(&mut self, what: &str, form: impl Into<Vec<u8>>) {
        let form = form.into();
        if form.len() >= SHORTEST {
            self.heads = OnceCell::new();
            self.forms.push((form, what.to_owned()));
        }
    }

    /// Raw, reversed, hexadecimal, base64 wherever it begins, and as a list of numbers.
    pub fn bytes(mut self, what: &str, bytes: &[u8]) -> Self {
        assert!(bytes.len() >= SHORTEST, "{what} is too short to be found");
        self.add(what, bytes);
        self.add(what, bytes.iter().rev().copied().collect::<Vec<_>>());
        let hex = bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        });
        self.add(what, hex.to_uppercase());
        self.add(what, hex);
        self.add(what, format!("{bytes:?}").trim_matches(['[', ']']));
        for before in 0..3 {
            let text = base64(bytes, before);
            self.add(what, text.replace('+', "-").replace('/', "_"));
            self.add(what, text);
        }
        self
    }

    /// A text's bytes in UTF-8 and UTF-16, escaped, in capitals and small letters, its letters and digits alone, its digits alone.
    pub fn text(self, what: &str, text: &str) -> Self {
        let mut with = self.bytes(what, text.as_bytes());
        let utf16: Vec<[u8; 2]> = text.encode_utf16().map(u16::to_be_bytes).collect();
        with.add(what, utf16.concat());
        with.add(what, utf16.iter().map(|[high, low]| [*low, *high]).collect::<Vec<_>>().concat());
        let escaped = |c: char| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) };
        let bare: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        for form in [text.to_owned(), text.chars().map(escaped).collect(), bare, digits] {
            with.add(what, form.to_lowercase());
            with.add(what, form.to_uppercase());
            with.add(what, form.chars().rev().collect::<String>());
            with.add(what, form);
        }
        with
    }

    /// A text of four bytes or more, and its hash without a key, whole or cut. Of a text below six bytes itself only the longer forms:
    /// [`Self::short`] are left to be looked for where nothing is by chance.
    pub fn with_hash(self, what: &str, text: &str, hash: &[u8]) -> Self {
        let mut with = self.bytes(what, &hash[..8]);
        if text.len() >= SHORTEST {
            return with.text(what, text);
        }
        let utf16: Vec<[u8; 2]> = text.encode_utf16().map(u16::to_be_bytes).collect();
        with.add(what, utf16.concat());
        with.add(what, utf16.iter().map(|[high, low]| [*low, *high]).collect::<Vec<_>>().concat());
        let hex = text.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        with.add(what, hex.to_uppercase());
        with.add(what, hex);
        with.short.push((text.as_bytes().to_vec(), what.to_owned()));
        with
    }

    /// What of the texts below six bytes stands in these bytes, of which none is random.
    pub fn short_in(&self, bytes: &[u8]) -> BTreeSet<&str> {
        let stands = |form: &[u8]| bytes.windows(form.len()).any(|window| window == form);
        self.short.iter().filter(|(form, _)| stands(form)).map(|(_, what)| what.as_str()).collect()
    }

    /// A whole number: its digits, and its eight bytes either way.
    pub fn number(mut self, what: &str, number: i64) -> Self {
        self.add(what, number.to_string());
        self.add(what, number.to_le_bytes());
        self.add(what, number.to_be_bytes());
        self
    }

    /// What of it stands in these bytes.
    pub fn seen_in(&self, bytes: impl AsRef<[u8]>) -> BTreeSet<&str> {
        let heads = self.heads.get_or_init(|| {
            let mut heads = vec![Vec::new(); 1 << 16];
            self.forms.iter().enumerate().for_each(|(at, (form, _))| heads[head(form)].push(at));
            heads
        });
        let bytes = bytes.as_ref();
        let mut seen = BTreeSet::new();
        for at in 0..bytes.len().saturating_sub(SHORTEST - 1) {
            for (form, what) in heads[head(&bytes[at..])].iter().map(|form| &self.forms[*form]) {
                if bytes[at..].starts_with(form) {
                    seen.insert(what.as_str());
                }
            }
        }
        seen
    }

    #[track_caller]
    pub fn none_in(&self, bytes: impl AsRef<[u8]>, place: &str) {
        let (bytes, seen) = (bytes.as_ref(), self.seen_in(&bytes));
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(2_000)]);
        assert!(seen.is_empty(), "{place} has {seen:?}: {shown}");
    }
}

fn head(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

/// The base64 digits that these bytes decide alone, when this many others stand before them.
fn base64(bytes: &[u8], before: usize) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bit = |at: usize| (bytes[at / 8] >> (7 - at % 8)) & 1;
    let first = (6 - before * 8 % 6) % 6;
    let starts = (first..).step_by(6).take_while(|start| start + 6 <= bytes.len() * 8);
    let digit = |start: usize| (start..start + 6).fold(0, |sum, at| sum << 1 | usize::from(bit(at)));
    starts.map(|start| char::from(DIGITS[digit(start)])).collect()
}

/// The default policy, and further fields of each type.
pub fn policy() -> String {
    let further = [
        ("extra.mail", 20, "text", "index = { normalise = \"upper\", expect = 1_000_000 }"),
        ("extra.token", 21, "bytes", ""),
        ("extra.data", 22, "json", ""),
        ("extra.points", 23, "integer", ""),
        ("extra.paid", 24, "money", ""),
        ("extra.seen", 25, "timestamp", ""),
        ("extra.from", 26, "address", ""),
        ("extra.parcels", 27, "list", ""),
    ];
    let tables: String = further
        .iter()
        .map(|(name, id, ty, rest)| format!("[field.\"{name}\"]\nid = {id}\ntype = \"{ty}\"\n{rest}\n"))
        .collect();
    let names: String = further.iter().map(|(name, ..)| format!("\"{name}\", ")).collect();
    let default = include_str!("../../crates/policy/src/default.toml");
    let platform = default.replacen("    \"note\",\n", &format!("    \"note\", {names}\n"), 1);
    let policy = platform.replacen("[role.courier", &format!("{tables}[role.courier"), 1);
    policy.replacen("search = [\"consignee.phone\"]", "search = [\"consignee.phone\", \"extra.mail\"]", 1)
}

/// Number of the order that has a canary in every field.
pub const NUMBER: &str = "SO-Uhu-90210771";
pub const PHONE: &str = "13870917263";
pub const MAIL: &str = "Bekassine@example.org";

/// Its texts, as (field, text).
const TEXTS: [(&str, &str); 24] = [
    ("order_no", NUMBER),
    ("placed_at", "2031-07-19T03:14:15.926535+05:45"),
    ("placed_at", "2031-07-19"),
    ("name", "Zaunkönig Adalbert"),
    ("phone", PHONE),
    ("lines", "Rohrdommelgasse 77"),
    ("lines", "Hinterhaus Wiedehopf"),
    ("city", "Sprosserstadt"),
    ("region", "Girlitzgau"),
    ("postal_code", "PLZ-90817"),
    ("country", "Pirolien"),
    ("sku", "Sku-Dompfaff-1"),
    ("title", "Kanne Eisvogel"),
    ("supplier", "Haus Nachtigall"),
    ("unit_price", "7351946.28"),
    ("amount", "29407785.12"),
    ("note", "Bitte beim Steinkauz abgeben"),
    ("extra.mail", MAIL),
    ("extra.data", "Trauerschnaepper"),
    ("extra.data", "schluessel_ziegenmelker"),
    ("extra.paid", "81930475.66"),
    ("extra.seen", "2029-02-03T04:05:06.070809Z"),
    ("extra.from", "Goldammerweg 12"),
    ("extra.parcels", "Paket Wasseramsel"),
];
const TOKEN: &[u8] = b"\x8f\x11\xc4\xe2\x07\x5a\x9b\xfe\x33\xd8\x60\xa1\x7c\x42\xee\x19";

/// The order with a canary in every field, under a number that is one, too.
pub fn json(order_no: &str) -> String {
    let text = |at: usize| TEXTS[at].1;
    let from = format!(r#"{{"lines":["{}"],"city":"{}","country":"{}"}}"#, text(22), text(7), text(10));
    format!(
        r#"{{"order_no":"{order_no}","placed_at":"{}","consignee":{{"name":"{}","phone":"{PHONE}","address":{{"lines":["{}","{}"],"city":"{}","region":"{}","postal_code":"{}","country":"{}"}}}},"#,
        text(1),
        text(3),
        text(5),
        text(6),
        text(7),
        text(8),
        text(9),
        text(10)
    ) + &format!(
        r#""items":[{{"sku":"{}","title":"{}","quantity":81726354,"unit_price":"{}","supplier":"{}"}}],"amount":{{"value":"{}","currency":"CNY"}},"note":"{}","#,
        text(11),
        text(12),
        text(14),
        text(13),
        text(15),
        text(16)
    ) + &format!(
        r#""extra":{{"mail":"{MAIL}","token":"{}","data":{{"{}":"{}"}},"points":550912873461,"paid":{{"value":"{}","currency":"EUR"}},"seen":"{}","from":{from},"parcels":[{{"label":"{}","grams":70615243}}]}}}}"#,
        base64_whole(TOKEN),
        text(19),
        text(18),
        text(20),
        text(21),
        text(23)
    )
}

/// With padding, as bytes stand in the order's JSON.
fn base64_whole(bytes: &[u8]) -> String {
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().next_multiple_of(3), 0);
    let mut text = base64(&padded, 0);
    let left = padded.len() - bytes.len();
    text.truncate(text.len() - left);
    text + &"=".repeat(left)
}

/// What must not be seen of that order by whoever may not.
pub fn of_order() -> Canaries {
    let texts = TEXTS.iter().fold(Canaries::default(), |all, (what, text)| all.text(what, text));
    // Points in time and amounts as the numbers that they are sealed as.
    texts
        .bytes("extra.token", TOKEN)
        .number("extra.points", 550_912_873_461)
        .number("quantity", 81_726_354)
        .number("extra.parcels", 70_615_243)
        .number("unit_price", 735_194_628)
        .number("amount", 2_940_778_512)
        .number("extra.paid", 8_193_047_566)
        .number("placed_at", 1_942_176_555)
        .number("extra.seen", 1_864_785_906)
}

/// Fields of which something is seen.
pub fn fields() -> BTreeSet<&'static str> {
    TEXTS.iter().map(|(what, _)| *what).chain(["extra.token", "extra.points", "quantity"]).collect()
}
