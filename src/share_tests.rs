//! What is inside bundles and keyrings, for those who have every key of one side.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use super::*;
use crate::{
    Kem, Keyring, Order, Party, PartyKey, Setup, Suite, Vault,
    keys::{self, Ticket},
    ledger::EntryPlace,
    opener::unlock,
    party::open_envelope,
    policy::Policy,
    store::SecretRow,
    suite::Secret,
};

const PLACE: EntryPlace = EntryPlace { ledger: 1, index: 0 };
const MONTH: u64 = 30 * 86_400;

struct Courier {
    party: Party,
    keyring: Keyring,
}

fn shop(suite: Suite) -> Vault {
    let vault = Vault::in_memory(&Setup { suite, ..Setup::default() }).unwrap();
    let json = r#"{"order_no":"SO-1","placed_at":"2026-11-11T20:14:05+08:00","consignee":{"name":"Wang Xiaoming",
        "phone":"13812345678","address":{"lines":["1 Zhongshan Road"],"city":"Nanjing","country":"CN"}},
        "items":[],"amount":{"value":"88.00","currency":"CNY"}}"#;
    vault.put(&Order::from_json(json, &Policy::built_in()).unwrap()).unwrap();
    vault
}

fn courier(vault: &Vault, name: &str) -> Courier {
    let mut party = Party::new(PartyKey::generate(Kem::X25519).unwrap());
    vault.add_party_with_key(name, "courier", None, party.key().public()).unwrap();
    party.trust(vault.card().unwrap());
    let keyring = party.keyring(&vault.issue_keyring(name).unwrap()).unwrap();
    Courier { party, keyring }
}

fn bundle(vault: &Vault, name: &str) -> Vec<u8> {
    vault.share(name, "delivery", &["SO-1"], None).unwrap().bundle.unwrap()
}

fn payload(vault: &Vault, courier: &Courier, kind: Kind, file: &[u8]) -> Zeroizing<Vec<u8>> {
    open_envelope(kind, file, &vault.card().unwrap(), courier.party.key()).unwrap()
}

/// The bytes at which runs of this length in one are runs of the other, too.
fn shared_runs(one: &[u8], other: &[u8], length: usize) -> Vec<usize> {
    let known: BTreeSet<&[u8]> = other.windows(length).collect();
    (0..=one.len() - length).filter(|at| known.contains(&one[*at..at + length])).collect()
}

/// Takes a range out of what may be shared.
fn without(runs: Vec<usize>, allowed: &[std::ops::Range<usize>], length: usize) -> Vec<usize> {
    let inside = |at: usize| allowed.iter().any(|range| range.start <= at && at + length <= range.end);
    runs.into_iter().filter(|at| !inside(*at)).collect()
}

/// Two couriers are given the same order, and compare every byte of what they have: as it was sent, and with all their keys.
#[test]
fn two_parties_share_no_value_but_what_is_the_vaults_and_what_both_may_see() {
    const RUN: usize = 6;
    for suite in [Suite::Aes256Gcm, Suite::ChaCha20Poly1305] {
        let vault = shop(suite);
        let (one, other) = (courier(&vault, "SF Express"), courier(&vault, "Yunda"));
        let origin = vault.card().unwrap().origin().len() + 2;
        // Magic, format, KEM, vault id; digest of the policy, origin. Between them is the key id.
        let outside = [0..23, 39..39 + 32 + 1 + origin];
        let of_first = bundle(&vault, "SF Express");
        let of_other = bundle(&vault, "Yunda");
        let runs = without(shared_runs(&of_first, &of_other, RUN), &outside, RUN);
        assert_eq!(runs, Vec::<usize>::new(), "as they were sent");
        let keyrings = [("SF Express", &one), ("Yunda", &other)].map(|(name, courier)| {
            let file = vault.issue_keyring(name).unwrap();
            (payload(&vault, courier, Kind::Keyring, &file), file)
        });
        let runs = without(shared_runs(&keyrings[0].1, &keyrings[1].1, RUN), &outside, RUN);
        assert_eq!(runs, Vec::<usize>::new(), "keyrings as they were sent");

        // Unsealed. Before the copies: times, role, purpose, parts. Then index, revision, end, alias, length; record; tickets.
        let opened = [(&one, &of_first), (&other, &of_other)];
        let opened = opened.map(|(courier, file)| payload(&vault, courier, Kind::Bundle, file));
        let [(at, record), (_, theirs)] = [&opened[0], &opened[1]].map(|payload| record_of(payload));
        let header = |at: usize| {
            // Magic, format, suite, vault id; revision, epoch, policy; directory. Left out: record id, N1, N2.
            [at..at + 22, at + 38..at + 62, at + 72..at + 88]
        };
        let before_copies = 0..at - 4 - 16;
        let length = at - 4..at;
        let allowed: Vec<_> = header(at).into_iter().chain([before_copies, length]).collect();
        let runs = without(shared_runs(&opened[0], &opened[1], RUN), &allowed, RUN);
        // Across the borders of these there is nothing that both have by chance.
        let crossing =
            |start: &usize| allowed.iter().any(|range| range.start < start + RUN && *start < range.end);
        let inside: Vec<_> = runs.into_iter().filter(|start| !crossing(start)).collect();
        assert_eq!(inside, Vec::<usize>::new(), "unsealed");
        assert_ne!(
            (record[22..38].to_vec(), record[62..72].to_vec()),
            (theirs[22..38].to_vec(), theirs[62..72].to_vec())
        );
        assert_eq!(record.len(), theirs.len(), "padded lengths are those of the same values");
    }
}

/// Where the only record of a bundle is, and its bytes.
fn record_of(payload: &[u8]) -> (usize, &[u8]) {
    let at = payload.windows(4).position(|bytes| bytes == b"CNSR").unwrap();
    let length = u32::from_le_bytes(payload[at - 4..at].try_into().unwrap()) as usize;
    (at, &payload[at..at + length])
}

fn opens(vault: &Vault, sealed: &[u8], ticket: &Ticket) -> Result<usize> {
    let registry = vault.registry().unwrap();
    let policy = registry.policy().unwrap();
    let all: Vec<PartId> = policy.parts().map(|part| part.id).collect();
    let keyring = keys::Keyring::of(&registry.epochs, &all);
    let (mut space, halves) = (Plaintext::default(), Halves::default());
    let record = Record::parse(sealed).unwrap();
    let type_of = |part| policy.part(part).map(|part| part.ty);
    Ok(record::open(&mut space, &record, (&keyring, halves.of(0)), ticket, type_of)?.count())
}

/// Somebody has all field keys, the database, and a bundle with the ticket of an order's copy: the stored order does not open by it,
/// nor the copy by what opens the stored order.
#[test]
fn the_ticket_of_a_copy_opens_the_copy_alone() {
    let vault = shop(Suite::Aes256Gcm);
    let courier = courier(&vault, "SF Express");
    let unsealed = payload(&vault, &courier, Kind::Bundle, &bundle(&vault, "SF Express"));
    let (at, copy) = record_of(&unsealed);
    let parts = || Record::parse(copy).unwrap().parts().map(|(part, _)| part).collect::<Vec<_>>();
    let secrets = || {
        let (secrets, _) = unsealed[at + copy.len()..].as_chunks::<32>();
        secrets.iter().map(|secret| Secret::new(*secret)).collect::<Vec<_>>()
    };
    let stored = vault.sealed("SO-1").unwrap();
    let [copy_id, stored_id] = [copy, &stored].map(|sealed| Record::parse(sealed).unwrap().header.record_id);
    let of_copy = |id| Ticket::received(id, PLACE, parts(), secrets());
    assert_eq!(opens(&vault, copy, &of_copy(copy_id)).unwrap(), 3);
    assert!(opens(&vault, &stored, &of_copy(copy_id)).is_err(), "it names another record");
    assert!(opens(&vault, &stored, &of_copy(stored_id)).is_err(), "whatever it names");

    let registry = vault.registry().unwrap();
    let row: SecretRow = vault.look_up(&registry, "SO-1").unwrap().rows.remove(0);
    let (secret, _) = unlock(&registry, &Record::parse(&stored).unwrap(), &row).unwrap();
    let mut of_stored = Vec::new();
    secret.ticket_parts(stored_id, parts().into_iter(), &mut of_stored);
    let ticket = Ticket::received(stored_id, PLACE, parts(), of_stored);
    assert_eq!(opens(&vault, &stored, &ticket).unwrap(), 3);
    let mut of_stored = Vec::new();
    secret.ticket_parts(copy_id, parts().into_iter(), &mut of_stored);
    assert!(opens(&vault, copy, &Ticket::received(copy_id, PLACE, parts(), of_stored)).is_err());
}

/// Tickets in another order, of chosen parts, or of another copy: the shop's own signature is under them.
#[test]
fn tickets_in_other_places_open_nothing() {
    let vault = shop(Suite::Aes256Gcm);
    let mut courier = courier(&vault, "SF Express");
    let unsealed = payload(&vault, &courier, Kind::Bundle, &bundle(&vault, "SF Express"));
    let again = payload(&vault, &courier, Kind::Bundle, &bundle(&vault, "SF Express"));
    let (at, copy) = record_of(&unsealed);
    let tickets = at + copy.len();
    let mut swapped = unsealed.to_vec();
    swapped[tickets..tickets + 64].rotate_left(32);
    let mut others = unsealed.to_vec();
    others[tickets..].copy_from_slice(&again[again.len() - 96..]);
    let mut one_chosen = unsealed.to_vec();
    one_chosen[tickets..tickets + 32].fill(0);
    for (what, forged, opened) in [
        ("whole", unsealed.to_vec(), 1),
        ("swapped", swapped, 0),
        ("another's", others, 0),
        ("chosen", one_chosen, 0),
    ] {
        let file = signed(&vault, forged);
        let read = courier.party.read(&courier.keyring, &file).unwrap();
        assert_eq!(read.views(&courier.keyring).filter(Result::is_ok).count(), opened, "{what}");
    }
}

/// What a shop that runs other code can send: this payload, for the first party.
fn signed(vault: &Vault, payload: Vec<u8>) -> Vec<u8> {
    let registry = vault.registry().unwrap();
    let (card, issuing) = registry.issuer().unwrap();
    let party = &registry.parties[0];
    let policy = registry.policy().unwrap().digest();
    let to = Address {
        card: &card,
        origin: &registry.ledger_origin(),
        party: party.key_id(registry.vault),
        key: party.key().unwrap(),
        policy,
    };
    seal(Kind::Bundle, &to, issuing, Zeroizing::new(payload)).unwrap()
}

/// A stored record in a bundle that the shop itself signed: no ticket of one leaves the vault, so none is taken from outside.
#[test]
fn a_stored_record_in_a_bundle_is_refused() {
    let vault = shop(Suite::Aes256Gcm);
    let mut courier = courier(&vault, "SF Express");
    let unsealed = payload(&vault, &courier, Kind::Bundle, &bundle(&vault, "SF Express"));
    let (at, _) = record_of(&unsealed);
    let mut revised = unsealed.to_vec();
    revised[at + 38] = 1;
    let refused = courier.party.read(&courier.keyring, &signed(&vault, revised)).unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::Damaged);
}

/// The clock of the party's machine is set back, so that what is over is read again.
#[test]
fn a_clock_that_was_set_back_opens_no_bundle_that_is_over() {
    let vault = shop(Suite::Aes256Gcm);
    let mut courier = courier(&vault, "SF Express");
    let file = bundle(&vault, "SF Express");
    let now = now();
    let mut read = |clock| {
        let read = courier.party.read_at(&courier.keyring, &file, clock);
        read.map(|bundle| bundle.views(&courier.keyring).filter(Result::is_ok).count())
            .map_err(|e| e.kind().clone())
    };
    assert_eq!(read(now), Ok(1));
    assert_eq!(read(now + MONTH + 10), Err(ErrorKind::Expired));
    assert_eq!(read(now), Err(ErrorKind::Expired), "the latest time that was seen counts");
    // Also a time that only the shop has told: of a bundle that was made after the party's clock.
    let mut set_back = self::courier(&vault, "Yunda");
    let issued = set_back.party.read_at(&set_back.keyring, &bundle(&vault, "Yunda"), now - MONTH).unwrap();
    assert!(issued.issued_at() >= now);
}

/// The signature is checked before anything is decapsulated: what is said of a file with a wrong one has nothing to do with the key
/// it is sealed to.
#[test]
fn a_wrong_signature_is_told_before_anything_is_decapsulated() {
    let vault = shop(Suite::Aes256Gcm);
    let courier = courier(&vault, "SF Express");
    let card = vault.card().unwrap();
    let mut file = bundle(&vault, "SF Express");
    let stranger = PartyKey::generate(Kem::X25519).unwrap();
    let said = |file: &[u8], key: &PartyKey| {
        open_envelope(Kind::Bundle, file, &card, key).map(drop).unwrap_err().to_string()
    };
    assert!(said(&file, &stranger).contains("sealed to another key"));
    let last = file.len() - 1;
    file[last] ^= 1;
    for key in [&stranger, courier.party.key()] {
        assert!(said(&file, key).contains("not signed by the vault"), "{}", said(&file, key));
    }
}
