//! Vectors of ledger entries and of the tree.

use serde_json::{Value as Json, json};

use super::{Vector, fixed, frontier, hex, leaf_hash, tree_root, vaults::World};
use crate::{
    ledger::{Entry, EntryKind},
    policy::PartId,
    suite::commit,
};

fn entry_json(entry: &Entry) -> Json {
    json!({
        "type": entry.kind.number(), "time": entry.time, "handle": hex(entry.handle), "party": hex(entry.party),
        "revision": entry.revision, "purpose": entry.purpose, "policy": hex(entry.policy),
        "parts": entry.parts.iter().map(|part| part.get()).collect::<Vec<_>>(),
        "commitments": entry.commitments.iter().map(hex).collect::<Vec<_>>(),
        "request": hex(entry.request), "detail": hex(&entry.detail),
    })
}

pub(super) fn generate(world: &World) -> Vec<Vector> {
    let mut vectors = Vec::new();
    let of = |kind, party| Entry {
        time: 1_790_000_300,
        ..Entry::new(kind, world.party_key_id(party), world.policy.digest())
    };
    let part = |number| PartId::new(number).unwrap();
    let disclosure = Entry {
        handle: fixed("a handle"),
        revision: 1,
        purpose: "fulfilment".to_owned(),
        parts: vec![part(3), part(6), part(300)],
        commitments: vec![fixed("a commitment")],
        ..of(EntryKind::Disclosure, 3)
    };
    let salt: [u8; 32] = fixed("salt of party 3");
    let party = Entry {
        commitments: vec![commit(
            "consignee/v1/commit/party",
            &[&salt, b"supplier", b"Yixing Teapots", b"Yixing"],
        )],
        detail: [b"\x08supplier\x01".as_slice(), &world.party_key_id(3)].concat(),
        ..of(EntryKind::Party, 3)
    };
    let epoch = Entry {
        parts: vec![part(1)],
        commitments: vec![[7; 32]],
        detail: vec![1, 0, 0, 0, 1],
        ..of(EntryKind::Epoch, 0)
    };
    let policy = Entry { detail: vec![1], ..of(EntryKind::Policy, 0) };
    let denied =
        Entry { purpose: "after_sale".to_owned(), detail: vec![2, 3, 0, 0, 0], ..of(EntryKind::Denied, 2) };
    let good = disclosure.encode().unwrap();
    let mut all = Vec::new();
    for (name, entry) in [
        ("epoch", epoch),
        ("policy", policy),
        ("party", party),
        ("disclosure", disclosure),
        ("denied", denied),
    ] {
        let bytes = entry.encode().unwrap();
        let mut vector = json!({
            "comment": format!("An entry of type {name}."), "of": "entry", "rules": ["F36"], "expect": "opens",
            "fields": entry_json(&entry), "entry": hex(&bytes), "leaf": hex(leaf_hash(&bytes)),
        });
        if name == "party" {
            vector["commitment_inputs"] = json!({
                "salt": hex(salt), "role": "supplier", "name": "Yixing Teapots", "lines": "Yixing",
            });
        }
        vectors.push((format!("entry-{name}"), vector));
        all.push(bytes);
    }
    let leaves: Vec<_> = all.iter().map(|entry| leaf_hash(entry)).collect();
    let roots: Vec<_> = (0..=leaves.len()).map(|size| hex(tree_root(&leaves[..size]))).collect();
    let mut ledger = |name: &str, expect: &str, comment: &str, frontier: Vec<[u8; 32]>, roots: &[String]| {
        let vector = json!({
            "comment": comment, "of": "ledger", "rules": ["F38"], "expect": expect, "size": all.len(),
            "entries": all.iter().map(hex).collect::<Vec<_>>(), "frontier": frontier.iter().map(hex).collect::<Vec<_>>(),
            "roots": roots,
        });
        vectors.push((format!("ledger-{name}"), vector));
    };
    let heads = frontier(&leaves);
    ledger(
        "good",
        "opens",
        "Entries, the head they give, and the root at each size from 0 on.",
        heads.clone(),
        &roots,
    );
    let mut other = heads;
    other[0][0] ^= 1;
    ledger("other-head", "damaged", "A head that these entries do not give.", other, &[]);
    let mut bad = |name: &str, rule: &str, expect: &str, comment: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        let mut vector = json!({
            "comment": comment, "of": "entry", "rules": [rule], "expect": expect, "entry": hex(&bytes),
            "leaf": hex(leaf_hash(&bytes)),
        });
        if let Ok(entry) = Entry::decode(&bytes) {
            vector["fields"] = entry_json(&entry);
        }
        vectors.push((format!("entry-{name}"), vector));
    };
    let parts = 4 + 1 + 8 + 16 + 16 + 4 + 1 + 10 + 32 + 1;
    bad("magic", "F36", "damaged", "Another magic.", &|bytes| bytes[3] = b'2');
    bad("type-0", "F36", "damaged", "Type 0.", &|bytes| bytes[4] = 0);
    bad("type-16", "F19", "opens", "Type 16: kept, and hashed as any other.", &|bytes| bytes[4] = 16);
    bad("detail-of-none", "F78", "opens", "A disclosure with a detail, which has none: kept.", &|bytes| {
        let at = bytes.len() - 2;
        bytes.splice(at.., [3, 0, 1, 2, 3]);
    });
    bad("cut", "F36", "damaged", "The last byte is missing.", &|bytes| bytes.truncate(bytes.len() - 1));
    bad("longer", "F36", "damaged", "A byte follows.", &|bytes| bytes.push(0));
    bad("too-long", "F36", "damaged", "4,097 bytes, by its detail.", &|bytes| {
        let detail = 4_097 - bytes.len();
        let at = bytes.len() - 2;
        bytes.splice(at.., u16::try_from(detail).unwrap().to_le_bytes());
        bytes.resize(4_097, 0);
    });
    bad("purpose-not-utf-8", "F36", "damaged", "The purpose begins with ff.", &|bytes| bytes[50] = 0xff);
    bad("parts-descending", "F37", "damaged", "Parts 6, 3, 300.", &|bytes| bytes.swap(parts, parts + 2));
    bad("part-twice", "F37", "damaged", "Parts 3, 3, 300.", &|bytes| bytes[parts + 2] = 3);
    bad("part-0", "F37", "damaged", "Parts 0, 6, 300.", &|bytes| bytes[parts] = 0);
    vectors
}
