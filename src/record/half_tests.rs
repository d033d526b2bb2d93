//! Whoever has all of one half of the keys computes nothing that has to do with the other half, nor with other records.

use std::collections::HashSet;

use consignee_policy::{FieldType, PartId};

use super::{format::Associated, *};
use crate::{
    keys::{EpochKeys, FieldKey, Halves, OrderSecret, RecordId, VaultId},
    suite::{SealRng, Secret, Suite, TAG, open_in_place},
    value::ValueRef,
};

const SEALINGS: usize = 1_000;
const PARTS: [u16; 3] = [4, 8, 14];

fn part(number: u16) -> PartId {
    PartId::new(number).unwrap()
}

fn epoch(suite: Suite, rng: &mut SealRng) -> EpochKeys {
    let keys = PARTS.map(|number| (part(number), FieldKey::new(suite, rng.secret()).into()));
    EpochKeys::new(1, suite, keys.to_vec(), Vec::new())
}

struct OneSealing {
    record: Vec<u8>,
    id: RecordId,
    secret: OrderSecret,
}

impl OneSealing {
    /// The same short values in each, so that equal keys would show as equal ciphertext.
    fn new(rng: &mut SealRng, vault: VaultId, id: RecordId, keys: &EpochKeys) -> Self {
        let place = Place { vault, record_id: id, revision: 1, policy: [3; 16] };
        let contents = PARTS.map(|number| (part(number), Content::Value(ValueRef::Text("13812345678"))));
        let mut space = Workspace::default();
        let secret = seal(&mut space, rng, &place, keys, contents.into_iter()).unwrap().secret;
        Self { record: space.record().to_vec(), id, secret }
    }

    fn parsed(&self) -> Record<'_> {
        Record::parse(&self.record).unwrap()
    }

    /// T[f].
    fn ticket(&self, part: PartId) -> [u8; 32] {
        *self.secret.ticket_part(self.id, part).expose()
    }

    /// A[f].
    fn field_half(&self, keys: &EpochKeys, part: PartId) -> [u8; 32] {
        let nothing = Secret::new([0; 32]);
        *keys.get(part).unwrap().data_key(&self.parsed().header.n1, &nothing).expose()
    }

    /// A[f], T[f] and DEK[f].
    fn halves_and_key(&self, keys: &EpochKeys, part: PartId) -> [[u8; 32]; 3] {
        let (half, ticket) = (self.field_half(keys, part), self.ticket(part));
        [half, ticket, xor(half, ticket)]
    }

    fn opens(&self, part: PartId, key: [u8; 32]) -> bool {
        let record = self.parsed();
        let (_, ciphertext) = record.parts().find(|(of, _)| *of == part).unwrap();
        let (plain, tag) = ciphertext.split_last_chunk::<TAG>().unwrap();
        let (mut associated, mut buffer) = (Associated::new(record.bound()), plain.to_vec());
        let header = record.header;
        let key = Secret::new(key);
        open_in_place(header.suite, &key, &record.n2, associated.of(part), &mut buffer, tag).is_ok()
    }
}

fn xor(one: [u8; 32], other: [u8; 32]) -> [u8; 32] {
    std::array::from_fn(|at| one[at] ^ other[at])
}

/// A thousand sealings: different orders, updates of one of them, and the same record ids in a second vault.
fn sealings(suite: Suite) -> (Vec<OneSealing>, EpochKeys, EpochKeys) {
    let mut rng = SealRng::from_seed([suite.number() + 10; 32]);
    let (keys, others) = (epoch(suite, &mut rng), epoch(suite, &mut rng));
    let id = |n: usize| {
        let mut id = [9; 16];
        id[..8].copy_from_slice(&(n as u64).to_le_bytes());
        RecordId(id)
    };
    let one = |at: usize| match at {
        0..600 => OneSealing::new(&mut rng, VaultId([1; 16]), id(at), &keys),
        600..800 => OneSealing::new(&mut rng, VaultId([1; 16]), id(0), &keys),
        _ => OneSealing::new(&mut rng, VaultId([2; 16]), id(at - 800), &others),
    };
    ((0..SEALINGS).map(one).collect(), keys, others)
}

const SUITES: [Suite; 2] = [Suite::Aes256Gcm, Suite::ChaCha20Poly1305];

#[test]
fn no_half_key_and_no_ciphertext_has_a_block_in_common_with_another() {
    for suite in SUITES {
        let (all, keys, others) = sealings(suite);
        let mut seen = HashSet::new();
        let mut is_new = |sealing: &OneSealing, keys: &EpochKeys| {
            let parts = PARTS.map(part).into_iter();
            let made: Vec<u8> = parts.flat_map(|part| sealing.halves_and_key(keys, part)).flatten().collect();
            let sealed = sealing.parsed().parts().flat_map(|(_, ciphertext)| ciphertext).copied();
            let blocks: Vec<u8> = made.into_iter().chain(sealed).collect();
            let (blocks, rest) = blocks.as_chunks::<16>();
            assert!(rest.is_empty() && blocks.len() == 3 * (6 + 3));
            blocks.iter().all(|block| seen.insert(*block))
        };
        for (at, sealing) in all.iter().enumerate() {
            assert!(is_new(sealing, if at < 800 { &keys } else { &others }), "sealing {at}");
        }
        // From one state of the generator, for one order: everything is the same.
        let again =
            OneSealing::new(&mut SealRng::from_seed([0; 32]), VaultId([1; 16]), RecordId([7; 16]), &keys);
        let twin =
            OneSealing::new(&mut SealRng::from_seed([0; 32]), VaultId([1; 16]), RecordId([7; 16]), &keys);
        assert!(is_new(&again, &keys) && !is_new(&twin, &keys));
    }
}

/// A stolen keyring of everything, and the secrets of all sealings but one.
#[test]
fn all_field_keys_and_the_tickets_of_999_other_sealings_do_not_open_one() {
    for suite in SUITES {
        let (all, keys, _) = sealings(suite);
        let (target, others) = all.split_first().unwrap();
        for part in PARTS.map(part) {
            let half = target.field_half(&keys, part);
            assert!(target.opens(part, xor(half, target.ticket(part))));
            assert!(!target.opens(part, half));
            for other in others {
                // What the other sealing gave out, and what its secret would give for this record.
                for ticket in [other.ticket(part), *other.secret.ticket_part(target.id, part).expose()] {
                    assert!(!target.opens(part, xor(half, ticket)));
                }
            }
        }
    }
}

/// All tickets of all records, this one's too, and no field key.
#[test]
fn the_tickets_of_1000_sealings_do_not_open_one_of_them_without_its_field_key() {
    for suite in SUITES {
        let (all, keys, _) = sealings(suite);
        let target = &all[0];
        for own in PARTS.map(part) {
            let ticket = target.ticket(own);
            assert!(target.opens(own, xor(ticket, target.field_half(&keys, own))));
            assert!(!target.opens(own, ticket));
            for other in &all {
                for wrong in PARTS.map(part) {
                    assert!(!target.opens(own, other.ticket(wrong)));
                    assert!(!target.opens(own, xor(ticket, other.ticket(wrong))));
                }
            }
        }
    }
}

/// Orders that are sealed and opened together, their parts not all the same, have the data keys that each would have alone.
#[test]
fn what_is_derived_together_is_what_is_derived_alone() {
    for suite in SUITES {
        let mut rng = SealRng::from_seed([suite.number() + 20; 32]);
        let keys = epoch(suite, &mut rng);
        let mut space = Workspace::default();
        space.expect(70);
        let mut sealed = Vec::new();
        for n in 0..70u8 {
            let (vault, record_id) = (VaultId([1; 16]), RecordId([n; 16]));
            let place = Place { vault, record_id, revision: 1, policy: [3; 16] };
            // The first of each batch lacks a part, so that it is derived alone for the others.
            let skip = usize::from(n % 32 == 0);
            let parts = PARTS.into_iter().skip(skip);
            let contents = parts.map(|number| (part(number), Content::Value(ValueRef::Text("13812345678"))));
            let secret = seal(&mut space, &mut rng, &place, &keys, contents).unwrap().secret;
            sealed.push(OneSealing { record: space.record().to_vec(), id: record_id, secret });
        }
        let mut halves = Halves::default();
        for (first, some) in sealed.chunks(Halves::AT_ONCE).enumerate() {
            let n1s = some.iter().map(|sealing| sealing.parsed().header.n1);
            halves.derive(&keys, PARTS.into_iter().map(part).skip(first), n1s);
            for (at, sealing) in some.iter().enumerate() {
                let record = sealing.parsed();
                for (part, _) in record.parts() {
                    let alone = xor(sealing.field_half(&keys, part), sealing.ticket(part));
                    assert!(sealing.opens(part, alone), "sealed under the key that it has alone");
                    let ticket = sealing.secret.ticket_part(sealing.id, part);
                    let together = keys.data_key(halves.of(at), &record.header.n1, part, &ticket).unwrap();
                    assert_eq!(*together.expose(), alone);
                    // Of another place nothing is taken.
                    let other = keys.data_key(halves.of(at + 1), &record.header.n1, part, &ticket).unwrap();
                    assert_eq!(*other.expose(), alone);
                }
            }
        }
    }
}

/// Sealing and opening leave no part of a data key, nor of the halves that it is made of, on the stack.
#[cfg(target_os = "linux")]
#[cfg_attr(debug_assertions, ignore = "unoptimised code copies whatever it moves; run with --release")]
#[test]
fn sealing_and_opening_a_record_leave_no_copy_of_a_data_key() {
    use crate::suite::tests::{halves, left_on_stack};

    for suite in SUITES {
        let mut rng = SealRng::from_seed([suite.number() + 30; 32]);
        let keys = epoch(suite, &mut rng);
        let work = || {
            let sealing = OneSealing::new(&mut rng, VaultId([1; 16]), RecordId([7; 16]), &keys);
            let (record, secret) = (sealing.parsed(), &sealing.secret);
            check_directory(&record, &keys, secret).unwrap();
            let (none, mut space) = (Halves::default(), Plaintext::default());
            let parts = PARTS.map(part);
            let ty = |_| Some(FieldType::Text);
            let count = |opened: Vec<Reopened<'_>>| Ok(opened.len());
            let opened = open_to_seal(&mut space, &record, (&keys, none.of(0)), (secret, &parts), ty, count);
            assert_eq!(opened.unwrap(), PARTS.len());
            sealing
        };
        let sought = |sealing: &OneSealing| {
            let of_parts = PARTS.map(|number| sealing.halves_and_key(&keys, part(number)));
            of_parts.concat().iter().flat_map(halves).collect()
        };
        assert_eq!(left_on_stack(work, sought), [0; 6 * PARTS.len()], "{suite:?}");
    }
}
