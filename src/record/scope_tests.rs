//! Scopes are proven by keys, below the policy check: for every role, purpose and part, whoever has all of one half and
//! every wrong piece of the other opens nothing by real decryption, and a role's keyring opens its own parts and no others.

use std::sync::Arc;

use consignee_policy::{PartId, Policy};

use super::*;
use crate::keys::Halves;
use crate::{
    error::ErrorKind,
    keys::{EpochKeys, FieldKey, Keyring, OrderSecret, RecordId, Ticket, VaultId},
    order::Order,
    sealer::Plan,
    suite::{SealRng, Suite},
};

const EPOCH: u32 = 1;
const ID: RecordId = RecordId([7; 16]);

/// One sealed order with every key that exists, to be handed out piece by piece.
struct World {
    policy: Policy,
    suite: Suite,
    keys: Vec<(PartId, Arc<FieldKey>)>,
    record: Vec<u8>,
    secret: OrderSecret,
    /// The secret of another sealing of the same order.
    other: OrderSecret,
}

impl World {
    fn new(policy: Policy, suite: Suite) -> Self {
        let mut rng = SealRng::from_seed([suite.number(); 32]);
        let key = |id| (id, Arc::new(FieldKey::new(suite, rng.secret())));
        let keys: Vec<_> = policy.parts().map(|part| part.id).map(key).collect();
        let epoch = EpochKeys::new(EPOCH, suite, keys.clone(), Vec::new());
        let order = order(&policy);
        let plan = Plan::of::<Order>(&policy).unwrap();
        let place = Place {
            vault: VaultId([1; 16]),
            record_id: ID,
            revision: 1,
            policy: policy_id(&policy.digest()),
        };
        let mut space = Workspace::default();
        let mut seal =
            || seal(&mut space, &mut rng, &place, &epoch, plan.contents(&order, "SO-1")).unwrap().secret;
        let (other, secret) = (seal(), seal());
        let record = space.record().to_vec();
        Self { policy, suite, keys, record, secret, other }
    }

    fn parts(&self) -> impl Iterator<Item = PartId> {
        self.policy.parts().map(|part| part.id)
    }

    fn key(&self, part: PartId) -> Arc<FieldKey> {
        self.keys.iter().find(|(id, _)| *id == part).map(|(_, key)| Arc::clone(key)).unwrap()
    }

    /// Whether `part` opens with these keys, each filed under the part it is tried for, and this ticket part.
    fn opens(&self, part: PartId, key: Arc<FieldKey>, secret: &OrderSecret, ticket_of: PartId) -> bool {
        let epoch = Arc::new(EpochKeys::new(EPOCH, self.suite, vec![(part, key)], Vec::new()));
        let keyring = Keyring::of(&[epoch], &[part]);
        let ticket = Ticket::unlogged(ID, vec![part], vec![secret.ticket_part(ID, ticket_of)]);
        let record = Record::parse(&self.record).unwrap();
        let type_of = |part| self.policy.part(part).map(|part| part.ty);
        let (mut space, halves) = (Plaintext::default(), Halves::default());
        let opened = open(&mut space, &record, (&keyring, halves.of(0)), &ticket, type_of);
        match opened {
            Ok(values) => values.filter(Result::is_ok).count() == 1,
            Err(e) => {
                assert_eq!(e.kind(), &ErrorKind::CannotOpen);
                false
            }
        }
    }
}

/// An order with a value for every part of the policies below.
fn order(policy: &Policy) -> Order {
    let json = r#"{"order_no":"SO-1","placed_at":"2026-11-11T20:14:05+08:00",
        "consignee":{"name":"王小明","phone":"13812345678","address":{"lines":["中山路 1 号"],"city":"南京","country":"CN"}},
        "items":[{"sku":"T-1","title":"Teapot","quantity":1,"unit_price":"88.00","supplier":"Yixing"}],
        "amount":{"value":"88.00","currency":"CNY"},"note":"ring twice"}"#;
    Order::from_json(json, policy).unwrap()
}

fn worlds() -> impl Iterator<Item = World> {
    let with_city = consignee_policy::DEFAULT_POLICY.replace(
        "type = \"address\"\n",
        "type = \"address\"\nfacets = { city = { id = 15, mask = \"city\" } }\n",
    ) + "[role.planner.routes]\nopen = [\"consignee.address:city\"]\n";
    let policies = [Policy::built_in(), Policy::parse(&with_city).unwrap()];
    let suites = [Suite::Aes256Gcm, Suite::ChaCha20Poly1305];
    policies.into_iter().flat_map(move |policy| suites.map(|suite| World::new(policy.clone(), suite)))
}

#[test]
fn every_part_opens_with_its_two_halves() {
    for world in worlds() {
        assert!(world.parts().all(|part| world.opens(part, world.key(part), &world.secret, part)));
    }
}

#[test]
fn all_tickets_and_every_field_key_but_its_own_open_nothing() {
    for world in worlds() {
        for part in world.parts() {
            for wrong in world.parts().filter(|wrong| *wrong != part) {
                for ticket_of in world.parts() {
                    assert!(
                        !world.opens(part, world.key(wrong), &world.secret, ticket_of),
                        "{part} by the key of {wrong}"
                    );
                }
            }
        }
    }
}

#[test]
fn all_field_keys_and_every_ticket_but_its_own_open_nothing() {
    for world in worlds() {
        for part in world.parts() {
            for key_of in world.parts() {
                for wrong in world.parts().filter(|wrong| *wrong != part) {
                    assert!(
                        !world.opens(part, world.key(key_of), &world.secret, wrong),
                        "{part} by the ticket of {wrong}"
                    );
                }
                assert!(
                    !world.opens(part, world.key(key_of), &world.other, part),
                    "{part} by another sealing's ticket"
                );
            }
        }
    }
}

#[test]
fn a_roles_keyring_with_everybodys_tickets_opens_the_roles_parts_and_no_others() {
    for world in worlds() {
        let epoch = [Arc::new(EpochKeys::new(EPOCH, world.suite, world.keys.clone(), Vec::new()))];
        let record = Record::parse(&world.record).unwrap();
        for role in world.policy.roles() {
            let own = world.policy.role_parts(role);
            let keyring = Keyring::of(&epoch, &own);
            for part in world.parts() {
                let ticket = Ticket::unlogged(ID, vec![part], vec![world.secret.ticket_part(ID, part)]);
                let type_of = |part| world.policy.part(part).map(|part| part.ty);
                let (mut space, halves) = (Plaintext::default(), Halves::default());
                let opened = open(&mut space, &record, (&keyring, halves.of(0)), &ticket, type_of);
                assert_eq!(opened.is_ok(), own.contains(&part), "{role} and {part}");
                if !own.contains(&part) {
                    // Not for want of a lookup: none of the keys it does hold opens the part.
                    assert!(own.iter().all(|held| !world.opens(part, world.key(*held), &world.secret, part)));
                }
            }
        }
    }
}

#[test]
fn a_purposes_ticket_with_all_field_keys_opens_the_purposes_parts_and_no_others() {
    for world in worlds() {
        for access in world.policy.accesses() {
            for part in world.parts() {
                let own = access.open.iter().any(|of| world.opens(part, world.key(part), &world.secret, *of));
                assert_eq!(own, access.opens(part), "{}/{} and {part}", access.role, access.purpose);
            }
        }
    }
}

/// Two links pool what they are given, in hope of a part that neither may open: every pair of roles and purposes, and all of them.
#[test]
fn keyrings_and_tickets_that_are_pooled_open_what_their_owners_may_and_no_more() {
    for world in worlds() {
        let parts: Vec<_> = world.parts().collect();
        let mut fits = Vec::new();
        for part in &parts {
            for key_of in &parts {
                for ticket_of in &parts {
                    if world.opens(*part, world.key(*key_of), &world.secret, *ticket_of) {
                        fits.push((*part, *key_of, *ticket_of));
                    }
                }
            }
        }
        let tables = world.policy.accesses();
        let pairs = (0..tables.len()).flat_map(|one| (0..one).map(move |other| vec![one, other]));
        for pool in pairs.chain([(0..tables.len()).collect()]) {
            let pool: Vec<_> = pool.into_iter().map(|at| &tables[at]).collect();
            let has_key =
                |part: &PartId| pool.iter().any(|t| world.policy.role_parts(&t.role).contains(part));
            let has_ticket = |part: &PartId| pool.iter().any(|table| table.opens(*part));
            for part in &parts {
                let opens =
                    fits.iter().any(|(of, key, ticket)| of == part && has_key(key) && has_ticket(ticket));
                assert_eq!(opens, pool.iter().any(|table| table.opens(*part)), "{part}");
            }
        }
    }
}
