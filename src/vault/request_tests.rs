//! Requests at other times than now, and as parties with programs of their own would write them.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::{Alias, Kem, Order, Party, PartyKey, Setup, policy::Policy, suite::digest};

const NOW: u64 = 1_790_000_000;

struct Asker {
    vault: Vault,
    party: Party,
    alias: Alias,
}

fn asker() -> Asker {
    let vault = Vault::in_memory(&Setup::default()).unwrap();
    let json = r#"{"order_no":"SO-1","placed_at":"2026-11-11T20:14:05+08:00","consignee":{"name":"Wang Xiaoming",
        "phone":"13812345678","address":{"lines":["1 Zhongshan Road"],"city":"Nanjing","country":"CN"}},
        "items":[],"amount":{"value":"88.00","currency":"CNY"}}"#;
    vault.put(&Order::from_json(json, &Policy::built_in()).unwrap()).unwrap();
    let mut party = Party::new(PartyKey::generate(Kem::X25519).unwrap());
    vault.add_party_with_key("SF Express", "courier", None, party.key().public()).unwrap();
    party.trust(vault.card().unwrap());
    let alias = vault.open("SF Express", "delivery", "SO-1").unwrap().alias().clone();
    Asker { vault, party, alias }
}

impl Asker {
    fn signed_at(&self, time: u64) -> SignedRequest {
        let asked = ("delivery", &[][..], std::slice::from_ref(&self.alias));
        self.party.request_at(&self.vault.card().unwrap(), asked, (time, [7; 16])).unwrap()
    }

    fn taken_at(&self, request: &SignedRequest, now: u64) -> Option<ErrorKind> {
        self.vault.share_request_at(request.as_bytes(), None, now).err().map(|e| e.kind().clone())
    }

    fn taken(&self, bytes: &[u8]) -> Option<ErrorKind> {
        self.vault.share_request(bytes, None).err().map(|e| e.kind().clone())
    }

    /// What a program of the party's signs, whatever it is.
    fn sign(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let message = [b"consignee/v1/request".as_slice(), &digest(&bytes)].concat();
        bytes.extend_from_slice(&self.party.key().sign(&message));
        bytes
    }
}

#[test]
fn a_request_is_good_for_a_day_and_five_minutes_ahead() {
    for (signed, refused) in [
        (NOW, None),
        (NOW - GOOD_FOR, None),
        (NOW - GOOD_FOR - 1, Some(ErrorKind::Expired)),
        (0, Some(ErrorKind::Expired)),
        (NOW + AHEAD, None),
        (NOW + AHEAD + 1, Some(ErrorKind::Expired)),
        (u64::MAX, Some(ErrorKind::Expired)),
    ] {
        let asker = asker();
        assert_eq!(asker.taken_at(&asker.signed_at(signed), NOW), refused, "signed at {signed}");
    }
}

/// Sent again at each moment at which its time is right.
#[test]
fn a_request_is_not_taken_again_as_long_as_it_is_good() {
    let asker = asker();
    let request = asker.signed_at(NOW);
    assert_eq!(asker.taken_at(&request, NOW - AHEAD), None);
    for later in [0, 1, AHEAD, GOOD_FOR / 2, GOOD_FOR - 1, GOOD_FOR] {
        assert_eq!(asker.taken_at(&request, NOW + later), Some(ErrorKind::Exists), "{later} seconds later");
    }
    assert_eq!(asker.taken_at(&request, NOW + GOOD_FOR + 1), Some(ErrorKind::Expired));
    // By a vault whose clock was set back.
    assert_eq!(asker.taken_at(&request, NOW - AHEAD), Some(ErrorKind::Exists));
    // Another one that says the same is another one.
    let card = asker.vault.card().unwrap();
    let asked = ("delivery", &[][..], std::slice::from_ref(&asker.alias));
    let again = asker.party.request_at(&card, asked, (NOW, [8; 16])).unwrap();
    assert!(again.hash() != request.hash() && asker.taken_at(&again, NOW).is_none());
}

#[test]
fn what_is_signed_soundly_and_does_not_follow_the_format_is_refused() {
    let asker = asker();
    let good = asker.signed_at(now());
    let unsigned = &good.as_bytes()[..good.as_bytes().len() - 64];
    let origin = 4 + 1 + 16 + 32;
    let purpose = origin + 1 + usize::from(unsigned[origin]) + 8 + 16;
    let parts = purpose + 1 + "delivery".len();
    let altered = |at: usize, byte: u8| {
        let mut bytes = unsigned.to_vec();
        bytes[at] = byte;
        bytes
    };
    let cut = |from: usize, to: usize, with: &[u8]| [&unsigned[..from], with, &unsigned[to..]].concat();
    let end = unsigned.len();
    let small = asker.alias.to_string().to_lowercase();
    assert_ne!(small, asker.alias.to_string());
    for (what, bytes, kind) in [
        ("the magic of a bundle", altered(3, b'B'), ErrorKind::Damaged),
        ("format 0", altered(4, 0), ErrorKind::Damaged),
        ("format 2", altered(4, 2), ErrorKind::NewerFormat),
        ("a space in the origin", altered(origin + 1, b' '), ErrorKind::Damaged),
        ("no purpose", cut(purpose, parts, &[0]), ErrorKind::Damaged),
        ("a purpose that is no UTF-8", altered(purpose + 1, 0xff), ErrorKind::Damaged),
        ("part 0", cut(parts, parts + 1, &[1, 0, 0]), ErrorKind::Damaged),
        ("a part twice", cut(parts, parts + 1, &[2, 3, 0, 3, 0]), ErrorKind::Damaged),
        ("no alias", cut(parts + 1, end, &[0, 0, 0, 0]), ErrorKind::Damaged),
        ("more aliases than bytes", altered(parts + 1, 2), ErrorKind::Damaged),
        ("fewer aliases than bytes", cut(parts + 1, parts + 5, &[1, 0, 0, 0, b'x']), ErrorKind::Damaged),
        ("65,537 aliases", cut(parts + 1, end, &65_537_u32.to_le_bytes()), ErrorKind::Damaged),
        ("an alias in small letters", cut(end - 16, end, small.as_bytes()), ErrorKind::Damaged),
        ("bytes left over", [unsigned, &[0]].concat(), ErrorKind::Damaged),
        (
            "another vault's id",
            altered(5, unsigned[5] ^ 1),
            ErrorKind::Input { line: None, field: Some("request".into()) },
        ),
        (
            "another origin",
            altered(origin + 1, b'X'),
            ErrorKind::Input { line: None, field: Some("request".into()) },
        ),
        ("another key", altered(5 + 16, unsigned[5 + 16] ^ 1), ErrorKind::NotFound),
    ] {
        assert_eq!(asker.taken(&asker.sign(bytes)), Some(kind), "{what}");
    }
    assert_eq!(asker.taken(good.as_bytes()), None, "it was sound all the time");
}

/// Requests that are too old to be taken are not kept for ever.
#[test]
fn requests_that_were_taken_are_forgotten_when_they_are_no_longer_good() {
    let asker = asker();
    let card = asker.vault.card().unwrap();
    let keys = &asker.vault.inner().stores.keys;
    let signed = |time, nonce: u128| {
        let asked = ("delivery", &[][..], std::slice::from_ref(&asker.alias));
        asker.party.request_at(&card, asked, (time, nonce.to_le_bytes())).unwrap()
    };
    let that = |time, clears: bool| {
        let mut requests = (0..).map(|nonce| signed(time, nonce));
        requests.find(|request| clears_up(&request.hash()) == clears).unwrap()
    };
    let is_kept =
        |request: &SignedRequest| !keys.spend(account_of(&request.hash()), NOW, &[(u64::MAX, 1)]).unwrap();
    let first = that(NOW, false);
    assert_eq!(asker.taken_at(&first, NOW), None);
    assert_eq!(asker.taken_at(&that(NOW + REMEMBERED - 1, true), NOW + REMEMBERED - 1), None);
    assert!(is_kept(&first));
    assert_eq!(asker.taken_at(&that(NOW + REMEMBERED, true), NOW + REMEMBERED), None);
    assert!(!is_kept(&first));
}
