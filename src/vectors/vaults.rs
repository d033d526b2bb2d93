//! The vaults of the vectors: key stores written out item by item, with fixed keys and nonces.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{Vector, array, fixed, hex, list, number, unhex};
use crate::{
    keys::{KeyKind, RegistryKey, VaultId, WrapContext, party_key_id},
    policy::{PartId, Policy},
    registry::Registry,
    store::Item,
    suite::{SealRng, Secret, Suite, wrap},
};

/// A policy with all nine types, a facet by each mask, an index and retired numbers.
pub(super) const POLICY: &str = r#"
version = 1
retired = [9, 16]
field.order_no = { id = 1, type = "text" }
field.placed_at = { id = 2, type = "timestamp" }
field."consignee.name" = { id = 3, type = "text", facets = { masked = { id = 13, mask = "name" } } }
field."consignee.address" = { id = 5, type = "address", facets = { city = { id = 15, mask = "city" } } }
field.items = { id = 6, type = "list" }
field.amount = { id = 7, type = "money" }
field.note = { id = 8, type = "text" }
field."extra.gift" = { id = 20, type = "bool" }
field."extra.grams" = { id = 21, type = "integer" }
field."extra.seal" = { id = 22, type = "bytes" }
field."extra.meta" = { id = 23, type = "json" }
field."extra.card" = { id = 300, type = "text", facets = { last4 = { id = 25, mask = "last4" } } }
[field."consignee.phone"]
id = 4
type = "text"
facets = { masked = { id = 14, mask = "phone" } }
index = { normalise = "phone:CN", expect = 1_000_000_000 }
[role.platform.operation]
open = ["order_no", "placed_at", "consignee.name", "consignee.phone", "consignee.address", "items", "amount", "note",
    "extra.gift", "extra.grams", "extra.seal", "extra.meta", "extra.card"]
[role.support.after_sale]
open = ["consignee.name:masked", "consignee.phone:masked", "consignee.address:city", "extra.card:last4"]
search = ["consignee.phone"]
[role.supplier.fulfilment]
open = ["items"]
lines = { items = "supplier" }
expires = "36525d"
"#;

/// A vault of the vectors: everything it holds, and its key store.
pub(super) struct World {
    pub(super) name: String,
    pub(super) suite: Suite,
    pub(super) vault: VaultId,
    pub(super) root: [u8; 32],
    pub(super) policy: Arc<Policy>,
    pub(super) registry: Registry,
    pub(super) items: Vec<Item>,
    wraps: Vec<Json>,
}

pub(super) const OPERATOR: u32 = 1;
pub(super) const DESK: u32 = 2;

impl World {
    pub(super) fn new(suite: Suite) -> Self {
        let name = format!("vault-suite-{}", suite.number());
        let (vault, root) = (VaultId(fixed(&format!("{name} id"))), fixed(&format!("{name} root key")));
        let policy = Arc::new(Policy::parse(POLICY).unwrap());
        let mut items =
            vec![Item { kind: 100, id: 0, generation: 0, body: [&[1], &vault.0[..], &[1]].concat() }];
        let mut wraps = Vec::new();
        let single = [KeyKind::Id, KeyKind::Alias, KeyKind::Registry, KeyKind::Query];
        let single = single.map(|kind| (kind, 0, 0, None));
        let release = [(KeyKind::Release, 0, 1, Some(suite))];
        let field = |part: PartId| (KeyKind::Field, u32::from(part.get()), 1, Some(suite));
        let fields: Vec<_> = policy.parts().map(|part| field(part.id)).collect();
        let indexed = policy.fields().iter().filter(|field| field.index.is_some());
        let indexes: Vec<_> =
            indexed.map(|field| (KeyKind::Index, u32::from(field.id.get()), 1, Some(suite))).collect();
        for (kind, id, generation, suite) in single.into_iter().chain(release).chain(fields).chain(indexes) {
            let context = WrapContext { vault, kind, id, generation, suite };
            let place = format!("{name} key {} {id} {generation}", kind as u8);
            let key: [u8; 32] = fixed(&place);
            let data = context.associated_data(&[1]);
            let mut rng = SealRng::from_seed(fixed(&format!("{place} nonce")));
            let wrapped = wrap(Suite::Aes256Gcm, &Secret::new(root), &mut rng, &data, &key).unwrap();
            wraps.push(json!({
                "kind": kind as u8, "id": id, "generation": generation, "suite": suite.map_or(0, Suite::number),
                "key": hex(key), "associated_data": hex(&data), "nonce": hex(&wrapped[..24]),
                "wrapped": hex(&wrapped),
            }));
            let body = [&[suite.map_or(0, Suite::number)], wrapped.as_slice()].concat();
            items.push(Item { kind: kind as u8, id, generation, body });
        }
        let applied_at: u64 = 1_790_000_000;
        let accepted = [&applied_at.to_le_bytes()[..], &[1], policy.canonical()].concat();
        items.push(Item { kind: 32, id: 0, generation: 0, body: accepted });
        items.push(party(OPERATOR, "Shop", "platform", None));
        items.push(party(DESK, "Desk", "support", None));
        items.push(party(3, "Yixing Teapots", "supplier", Some("Yixing")));
        let registry_key = fixed(&format!("{name} key 8 0 0"));
        let items = sealed(vault, &registry_key, items);
        let root_key = crate::RootKeyProvider::unlock(&crate::KeyFile::from_bytes(root), &[1]).unwrap();
        let registry = Registry::load(items.clone(), &*root_key).unwrap();
        Self { name, suite, vault, root, policy, registry, items, wraps }
    }

    /// A key of this vault.
    pub(super) fn key(&self, kind: KeyKind, id: u32, generation: u32) -> [u8; 32] {
        fixed(&format!("{} key {} {id} {generation}", self.name, kind as u8))
    }

    pub(super) fn party_key_id(&self, number: u32) -> [u8; 16] {
        party_key_id(self.vault, number, &[])
    }

    fn vector(&self) -> Vector {
        let ids: Vec<_> =
            (0..=3).map(|n| json!({ "number": n, "key_id": hex(self.party_key_id(n)) })).collect();
        let seal = self.items.iter().find(|item| item.kind == 40).unwrap();
        let tags: Vec<u8> =
            tagged(&self.items).flat_map(|item| item.body[item.body.len() - 32..].to_vec()).collect();
        let vector = json!({
            "comment": "A whole key store under a key file; the vectors of records name it.",
            "of": "vault", "rules": ["F10", "F39", "F40", "F41", "F42"], "expect": "opens",
            "root_key": hex(self.root), "vault_id": hex(self.vault.0), "parameters": "01",
            "suite": self.suite.number(), "keys": self.wraps,
            "policy": hex(self.policy.canonical()), "policy_digest": hex(self.policy.digest()),
            "parties": ids, "all_tags": hex(tags), "seal": hex(&seal.body), "items": items_json(&self.items),
        });
        (self.name.clone(), vector)
    }
}

fn party(number: u32, name: &str, role: &str, lines: Option<&str>) -> Item {
    let salt: [u8; 32] = fixed(&format!("salt of party {number}"));
    let mut party = json!({
        "number": number, "name": name, "role": role, "state": "active", "added_at": 1_790_000_100, "salt": salt,
    });
    if let Some(lines) = lines {
        party["as"] = lines.into();
    }
    Item { kind: 33, id: number, generation: 0, body: party.to_string().into_bytes() }
}

/// Items in their order, each with its tag, and the seal over all tags.
fn sealed(vault: VaultId, key: &[u8; 32], items: Vec<Item>) -> Vec<Item> {
    let key = RegistryKey::new(&Secret::new(*key));
    let mut items: Vec<_> = items
        .into_iter()
        .map(|mut item| {
            if item.kind != 100 {
                let tag = key.tag(vault, item.kind, item.id, item.generation, &item.body);
                item.body.extend_from_slice(&tag);
            }
            item
        })
        .collect();
    items.sort_by_key(|item| (item.kind, item.id, item.generation));
    seal_again(vault, &key, &mut items);
    items
}

fn seal_again(vault: VaultId, key: &RegistryKey, items: &mut Vec<Item>) {
    items.retain(|item| item.kind != 40);
    let tags: Vec<u8> = tagged(items).flat_map(|item| item.body[item.body.len() - 32..].to_vec()).collect();
    let at = items.partition_point(|item| item.kind < 40);
    items.insert(at, Item { kind: 40, id: 0, generation: 0, body: key.tag(vault, 40, 0, 0, &tags).to_vec() });
}

fn tagged(items: &[Item]) -> impl Iterator<Item = &Item> {
    items.iter().filter(|item| item.kind != 40 && item.kind != 100)
}

pub(super) fn items_json(items: &[Item]) -> Vec<Json> {
    let item = |item: &Item| json!({ "kind": item.kind, "id": item.id, "generation": item.generation, "body": hex(&item.body) });
    items.iter().map(item).collect()
}

pub(super) fn items_of(vector: &Json) -> Vec<Item> {
    let item = |item: &Json| Item {
        kind: number(&item["kind"]),
        id: number(&item["id"]),
        generation: number(&item["generation"]),
        body: unhex(&item["body"]),
    };
    list(&vector["items"]).iter().map(item).collect()
}

pub(super) fn root_of(vector: &Json) -> [u8; 32] {
    array(&vector["root_key"])
}

pub(super) fn generate(worlds: &[World]) -> Vec<Vector> {
    let mut vectors: Vec<_> = worlds.iter().map(World::vector).collect();
    let world = &worlds[0];
    let mut bad = |name: &str, rule: &str, expect: &str, comment: &str, items: Vec<Item>, root: [u8; 32]| {
        let vector = json!({
            "comment": comment, "of": "vault", "rules": [rule], "expect": expect,
            "root_key": hex(root), "items": items_json(&items),
        });
        vectors.push((format!("vault-{name}"), vector));
    };
    let at =
        |items: &[Item], kind: u8, id: u32| items.iter().position(|i| i.kind == kind && i.id == id).unwrap();
    let good = || world.items.clone();
    // Strips the tags, changes the items as one who has the registry key could, and tags them again.
    let forged = |change: &dyn Fn(&mut Vec<Item>)| {
        let mut items = good();
        items.retain(|item| item.kind != 40);
        items
            .iter_mut()
            .filter(|item| item.kind != 100)
            .for_each(|item| item.body.truncate(item.body.len() - 32));
        change(&mut items);
        sealed(world.vault, &world.key(KeyKind::Registry, 0, 0), items)
    };

    bad("wrong-root-key", "F10", "root key", "Another root key.", good(), fixed("another root key"));
    let swapped = forged(&|items| {
        let (phone, masked) = (at(items, 1, 4), at(items, 1, 14));
        let body = items[phone].body.clone();
        items[phone].body = std::mem::replace(&mut items[masked].body, body);
    });
    bad(
        "keys-swapped",
        "F10",
        "root key",
        "The field keys of parts 4 and 14 change places; tags are right.",
        swapped,
        world.root,
    );
    let parameters = forged(&|items| {
        let vault = at(items, 100, 0);
        items[vault].body[1] ^= 1;
    });
    bad(
        "id-altered",
        "F10",
        "root key",
        "Another vault id; it is in the associated data of every wrap.",
        parameters,
        world.root,
    );
    let mut items = good();
    let desk = at(&items, 33, DESK);
    let body = String::from_utf8_lossy(&items[desk].body[..items[desk].body.len() - 32])
        .replace("support", "platfor");
    items[desk].body.splice(..body.len(), body.into_bytes());
    bad("party-altered", "F39", "damaged", "A party has another role.", items, world.root);
    let mut items = good();
    let (phone, note) = (at(&items, 1, 4), at(&items, 1, 8));
    let body = items[phone].body.clone();
    items[phone].body = std::mem::replace(&mut items[note].body, body);
    seal_again(world.vault, &RegistryKey::new(&Secret::new(world.key(KeyKind::Registry, 0, 0))), &mut items);
    bad(
        "item-moved",
        "F39",
        "damaged",
        "Two items change places with their tags; the seal is right.",
        items,
        world.root,
    );
    let mut items = good();
    items.remove(at(&items, 33, 3));
    bad(
        "party-left-out",
        "F40",
        "damaged",
        "A party is left out, its tag with it; the seal is the old one.",
        items,
        world.root,
    );
    let mut items = good();
    items.retain(|item| item.kind != 40);
    bad("seal-missing", "F40", "damaged", "There is no seal.", items, world.root);
    let queryless = forged(&|items| items.retain(|item| item.kind != 9));
    bad(
        "query-key-missing",
        "F73",
        "damaged",
        "There is no query key; tags and seal are right.",
        queryless,
        world.root,
    );
    for (name, kind, comment) in [
        ("second-seal", 40, "A second seal, under id 1."),
        ("second-id", 100, "A second item of kind 100, under id 1."),
    ] {
        let mut items = good();
        let body = items[at(&items, kind, 0)].body.clone();
        items.push(Item { kind, id: 1, generation: 0, body });
        items.sort_by_key(|item| (item.kind, item.id, item.generation));
        bad(name, "F40", "damaged", comment, items, world.root);
    }
    let mut items = good();
    let vault = at(&items, 100, 0);
    items[vault].body[0] = 3;
    bad("layout-newer", "F41", "newer format", "Layout 3.", items, world.root);
    let mut items = good();
    items.retain(|item| item.kind != 100);
    bad("id-missing", "F41", "damaged", "There is no item of kind 100.", items, world.root);
    let former = |state: u8, sizes: [u64; 2], root: &[u8]| {
        let [closed, known] = sizes.map(u64::to_le_bytes);
        [&[state], closed.as_slice(), root, &known, root, &1_700_000_000u64.to_le_bytes()].concat()
    };
    for (name, id, body, outcome, comment) in [
        ("former-gap", 2, former(1, [3, 5], &[7; 32]), "damaged", "Ledger 2 was succeeded, ledger 1 not."),
        (
            "former-short",
            1,
            former(1, [3, 5], &[7; 31]),
            "damaged",
            "A root of a former ledger has 31 bytes.",
        ),
        ("former-without-state", 1, former(0, [3, 5], &[7; 32]), "damaged", "A former ledger of state 0."),
        (
            "former-grown",
            1,
            former(1, [5, 3], &[7; 32]),
            "damaged",
            "More came back of a ledger than was known.",
        ),
        ("former-newer", 1, former(2, [3, 5], &[7; 32]), "newer format", "A former ledger of state 2."),
    ] {
        let items = forged(&|items| {
            let layout = at(items, 100, 0);
            items[layout].body[0] = 2;
            items.push(Item { kind: 36, id, generation: 0, body: body.clone() });
            items.sort_by_key(|item| (item.kind, item.id, item.generation));
        });
        bad(name, "F93", outcome, comment, items, world.root);
    }
    let two_suites = forged(&|items| {
        let phone = at(items, 1, 4);
        let context = WrapContext {
            vault: world.vault,
            kind: KeyKind::Field,
            id: 4,
            generation: 1,
            suite: Some(Suite::ChaCha20Poly1305),
        };
        let data = context.associated_data(&[1]);
        let (mut rng, root) = (SealRng::from_seed([3; 32]), Secret::new(world.root));
        let wrapped = wrap(Suite::Aes256Gcm, &root, &mut rng, &data, &fixed::<32>("a key")).unwrap();
        items[phone].body = [&[2], wrapped.as_slice()].concat();
    });
    bad(
        "epoch-of-two-suites",
        "F42",
        "damaged",
        "One field key of the epoch is of suite 2, its wrap is right.",
        two_suites,
        world.root,
    );
    vectors
}
