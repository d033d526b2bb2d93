//! Secrets under Valgrind's memcheck: marked as undefined, so that every jump and every address which depends on one is reported
//! (after A. Langley's ctgrind). `run` builds and runs this; docs/threat-model.md says what was found.
//!
//! Without an argument: the steps that must not be reported. With the name of another: one that must be.

mod memcheck;

use std::{
    hint::black_box,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use consignee::{Suite, constant_time as doors};
use fpe::ff1::{FF1, FlexibleNumeralString};
use memcheck::{is_secret, mark_public, mark_secret};

const SUITES: [Suite; 2] = [Suite::Aes256Gcm, Suite::ChaCha20Poly1305];
/// Two whole blocks of AES and a part of one, a whole block of ChaCha20 and a part of one.
const LENGTHS: [usize; 3] = [0, 40, 100];

fn secret(fill: u8) -> [u8; 32] {
    let mut key = [fill; 32];
    mark_secret(&mut key);
    key
}

/// What of it leaves the library anyway: a ciphertext, a tag, a decision.
fn public<T>(mut value: T) -> T {
    mark_public(&mut value);
    value
}

static DECISIONS: AtomicU32 = AtomicU32::new(0);

/// For a step that acts inside on what it decides: Valgrind reports that one jump, decisions.supp names it, and `run` counts
/// whether there were as many as here.
fn decides<T>(step: impl FnOnce() -> T) -> T {
    DECISIONS.fetch_add(1, Relaxed);
    step()
}

fn sealing_and_opening() {
    for suite in SUITES {
        for length in LENGTHS {
            let mut buffer = vec![7; length];
            mark_secret(&mut buffer);
            let mut tag = doors::seal(suite, secret(1), b"data", &mut buffer).unwrap();
            assert!(is_secret(&tag) && is_secret(&buffer));
            mark_public(&mut tag);
            mark_public(buffer.as_mut_slice());
            // Wrong in the first byte, in the last one, and right.
            for (at, bit) in [(0, 1), (15, 1), (0, 0)] {
                let (mut tag, mut buffer) = (tag, buffer.clone());
                tag[at] ^= bit;
                let opened = decides(|| doors::open(suite, secret(1), b"data", &mut buffer, &tag));
                assert_eq!(public(opened), bit == 0);
                assert_eq!(length > 0 && is_secret(&buffer), length > 0 && bit == 0);
            }
        }
    }
}

fn deriving_of_nine_keys() {
    for suite in SUITES {
        let made = doors::derive(suite, secret(1), &[[9; 12]; 9]);
        assert!(made.iter().all(|key| is_secret(key)));
    }
}

fn drawing_an_order_secret_and_making_a_data_key() {
    for suite in SUITES {
        assert!(is_secret(&doors::data_key(suite, secret(1), secret(2)).unwrap()));
    }
}

fn wrapping_and_unwrapping() {
    for suite in SUITES {
        let wrapped = public(doors::wrap(suite, secret(1), secret(2), b"place", &secret(3)).unwrap());
        for (at, bit) in [(24, 1), (56, 1), (71, 1), (0, 0)] {
            let mut wrapped = wrapped;
            wrapped[at] ^= bit;
            let mut key = [0; 32];
            let opened = decides(|| doors::unwrap(suite, secret(1), b"place", &wrapped, &mut key));
            assert_eq!((public(opened), is_secret(&key)), (bit == 0, bit == 0));
        }
    }
}

fn naming_of_orders_and_queries() {
    let mut text = *b"13812345678";
    mark_secret(&mut text);
    let (id, handle, query, tag) = doors::names(secret(1), &as_text(text)).unwrap();
    // A tag has fewer bits than its number.
    assert!(is_secret(&id) && is_secret(&handle) && is_secret(&query) && is_secret(&tag.to_le_bytes()[..1]));
}

/// Bytes to a text without a look at them.
fn as_text(bytes: [u8; 11]) -> String {
    // SAFETY: they are ASCII.
    unsafe { String::from_utf8_unchecked(bytes.to_vec()) }
}

fn committing_to_secrets() {
    for suite in SUITES {
        let (order, field) = doors::commitments(suite, secret(1), secret(2)).unwrap();
        assert!(is_secret(&order) && is_secret(&field));
    }
}

fn checking_of_registry_tags() {
    let tag = public(doors::registry_tag(secret(1), b"policy"));
    for (at, bit) in [(6, 1), (37, 1), (0, 0)] {
        let mut item = [b"policy".as_slice(), &tag].concat();
        item[at] ^= bit;
        let authentic = decides(|| doors::registry_item(secret(1), &item));
        assert_eq!(public(authentic), bit == 0);
    }
}

fn comparing_of_fingerprints() {
    let mut values = *b"values";
    mark_secret(&mut values);
    let right = public(doors::fingerprint(secret(1), secret(2), &values));
    for (at, bit) in [(0, 1), (15, 1), (0, 0)] {
        let mut stored = right;
        stored[at] ^= bit;
        let same = public(doors::same_fingerprint(secret(1), secret(2), &values, &stored));
        assert_eq!(same, bit == 0);
    }
    assert!(!doors::same_fingerprint(secret(1), secret(2), &values, &[]));
}

fn making_and_resolving_of_aliases() {
    let alias = public(doors::alias(secret(1), 3, 10_248).unwrap());
    assert_eq!(public(decides(|| doors::resolve(secret(1), &alias))), Some((3, 10_248)));
    let another_vaults = doors::alias([2; 32], 3, 10_248).unwrap();
    assert_eq!(public(decides(|| doors::resolve(secret(1), &another_vaults))), None);
}

fn writing_and_reading_of_key_files() {
    let line = doors::key_file(secret(0xa5)).unwrap();
    let digits = 18..82;
    assert!(is_secret(&line[digits.clone()]) && is_secret(&line[83..91]));
    // The file shows where its digits begin and end; and its checksum is one of them, made of the key.
    let mut line = public_copy(&line);
    mark_secret(&mut line[digits]);
    assert!(is_secret(&decides(|| decides(|| doors::read_key_file(&line))).unwrap()));
    line[90] ^= 1;
    assert!(decides(|| decides(|| doors::read_key_file(&line))).is_none());
}

fn public_copy(bytes: &[u8]) -> Vec<u8> {
    let mut copy = bytes.to_vec();
    mark_public(copy.as_mut_slice());
    copy
}

// What must be reported. The first two are leaks made for it, which show that the marks work; the others are the library's.

fn a_comparison_that_stops_at_the_first_difference() {
    // Each byte by itself: the compiler makes one comparison without a jump of 32 that are taken together.
    for (one, other) in secret(1).iter().zip(&[1; 32]) {
        if black_box(one) != black_box(other) {
            return;
        }
    }
}

fn a_table_that_is_looked_up_by_a_key() {
    let table: Vec<u8> = (0..=255).collect();
    black_box(table[usize::from(secret(1)[0])]);
}

/// Why the library has numerals of its own.
fn an_alias_with_the_big_integers_of_fpe() {
    let ff1 = FF1::<aes::Aes256>::new(&secret(1), 32).unwrap();
    let numerals = FlexibleNumeralString::from(vec![1; 12]);
    black_box(ff1.encrypt(&[1; 16], &numerals).unwrap());
}

fn deriving_from_a_passphrase() {
    let mut text = *b"passphrase.";
    mark_secret(&mut text);
    black_box(doors::passphrase(&as_text(text)));
}

fn comparing_of_forms_in_a_search() {
    let mut text = *b"13812345678";
    mark_secret(&mut text);
    black_box(doors::same_form(&as_text(text), "13812345678"));
}

macro_rules! named {
    ($($step:ident),* $(,)?) => { &[$((stringify!($step), $step)),*] };
}

type Steps = &'static [(&'static str, fn())];

const CLEAN: Steps = named![
    sealing_and_opening,
    deriving_of_nine_keys,
    drawing_an_order_secret_and_making_a_data_key,
    wrapping_and_unwrapping,
    naming_of_orders_and_queries,
    committing_to_secrets,
    checking_of_registry_tags,
    comparing_of_fingerprints,
    making_and_resolving_of_aliases,
    writing_and_reading_of_key_files,
];

const REPORTED: Steps = named![
    a_comparison_that_stops_at_the_first_difference,
    a_table_that_is_looked_up_by_a_key,
    an_alias_with_the_big_integers_of_fpe,
    deriving_from_a_passphrase,
    comparing_of_forms_in_a_search,
];

fn main() {
    assert!(memcheck::running(), "outside of Valgrind nothing is checked");
    match std::env::args().nth(1).as_deref() {
        None => {
            for (name, step) in CLEAN {
                let before = memcheck::reports();
                step();
                println!("{name}: {} reports", memcheck::reports() - before);
            }
            println!("decisions: {}", DECISIONS.load(Relaxed));
        }
        Some("--reported") => REPORTED.iter().for_each(|(name, _)| println!("{name}")),
        Some("--processor") => {
            let features = [
                ("aes", is_x86_feature_detected!("aes")),
                ("pclmulqdq", is_x86_feature_detected!("pclmulqdq")),
                ("avx2", is_x86_feature_detected!("avx2")),
                ("vaes", is_x86_feature_detected!("vaes")),
                ("avx512f", is_x86_feature_detected!("avx512f")),
                ("sha", is_x86_feature_detected!("sha")),
            ];
            let names =
                |has: bool| features.iter().filter(move |f| f.1 == has).map(|f| f.0).collect::<Vec<_>>();
            println!("with {}; without {}", names(true).join(", "), names(false).join(", "));
        }
        Some(name) => REPORTED.iter().find(|step| step.0 == name).expect("a step of --reported").1(),
    }
}
