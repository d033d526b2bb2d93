//! Vectors of the shopper's slip.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value as Json, json};

use super::{
    Vector, derive, fixed, hex, leaf_hash, list, number, party_keys, party_keys::in_base64, text, unhex,
    vaults::World,
};
use crate::{
    Result, Slip,
    suite::{Secret, SigningKey, commit},
    tlog::root_through,
};

fn line(bytes: &[u8]) -> String {
    in_base64(("consignee-slip-v1:", "consignee/v1/slip"), bytes)
}

fn seeds() -> [[u8; 32]; 3] {
    ["a ledger key", "witness one", "witness two"].map(fixed)
}

/// What is chosen of a slip; the rest follows.
fn inputs(world: &World) -> Json {
    let [ledger, one, two] = seeds();
    let (index, size) = (700, 1_000);
    let hashes = (0..).map(|at| fixed::<32>(&format!("hash {at}")));
    let proof = (0..64).map(|count| hashes.clone().take(count).collect::<Vec<_>>());
    let proof = proof.into_iter().find(|proof| root_through(proof, [0; 32], index, size).is_some()).unwrap();
    let witness =
        |name: &str, seed: [u8; 32], time: u64| json!({ "name": name, "seed": hex(seed), "time": time });
    json!({
        "vault_id": hex(world.vault.0), "name": "", "ledger": 2, "ledger_seed": hex(ledger), "hk": hex(fixed::<32>("a handle key")),
        "record_id": hex(fixed::<16>("a record id")), "order_no": "SO-1001", "time": 1_790_000_300, "revision": 1,
        "policy": hex(world.policy.digest()), "parts": [1, 2, 300],
        "record": hex(fixed::<32>("commitment record")), "os": hex(fixed::<32>("commitment os")),
        "index": index, "size": size, "proof": proof.iter().map(hex).collect::<Vec<_>>(), "threshold": 1,
        "witnesses": [witness("witness.example/1", one, 1_790_000_360), witness("witness.example/2", two, 1_790_000_420)],
    })
}

/// Put entry, leaf hash, root and checkpoint, by section 16.
fn intermediate(inputs: &Json) -> Json {
    let vault: [u8; 16] = unhex(&inputs["vault_id"]).try_into().unwrap();
    let (own, hk) = (derive::key_id(&vault, 0), unhex(&inputs["hk"]));
    let mac = crate::suite::Mac::new(&Secret::new(hk.clone().try_into().unwrap()));
    let handle = mac.id(&[b"consignee/v1/handle", &own]);
    let order = commit(
        "consignee/v1/commit/order",
        &[&hk, &unhex(&inputs["record_id"]), text(&inputs["order_no"]).as_bytes()],
    );
    let parts: Vec<u8> = list(&inputs["parts"]).iter().flat_map(|part| derive::le(part, 2)).collect();
    let pieces: [&[u8]; 16] = [
        b"cns1\x07",
        &derive::le(&inputs["time"], 8),
        &handle,
        &own,
        &derive::le(&inputs["revision"], 4),
        &[0],
        &unhex(&inputs["policy"]),
        &derive::counted(&inputs["parts"], 1),
        &parts,
        &[3],
        &unhex(&inputs["record"]),
        &unhex(&inputs["os"]),
        &order,
        &[0; 32],
        &[0; 2],
        &[],
    ];
    let entry = pieces.concat();
    let proof: Vec<[u8; 32]> =
        list(&inputs["proof"]).iter().map(|hash| unhex(hash).try_into().unwrap()).collect();
    let root = root_through(&proof, leaf_hash(&entry), number(&inputs["index"]), number(&inputs["size"]))
        .unwrap_or_default();
    let name = match text(&inputs["name"]) {
        "" => format!("consignee/{}", hex(vault)),
        name => name.to_owned(),
    };
    let checkpoint = format!("{name}/{}\n{}\n{}\n", inputs["ledger"], inputs["size"], STANDARD.encode(root));
    json!({ "put_entry": hex(&entry), "leaf": hex(leaf_hash(&entry)), "root": hex(root), "checkpoint": checkpoint })
}

fn bytes(inputs: &Json) -> Vec<u8> {
    let checkpoint = intermediate(inputs)["checkpoint"].as_str().unwrap().to_owned();
    let key = |seed: &Json| SigningKey::new(&Secret::new(unhex(seed).try_into().unwrap()));
    let ledger = key(&inputs["ledger_seed"]);
    let mut out =
        [b"CNSL\x01".as_slice(), &unhex(&inputs["vault_id"]), &derive::str8(&inputs["name"])].concat();
    out.extend([derive::le(&inputs["ledger"], 4), ledger.public().to_vec(), unhex(&inputs["hk"])].concat());
    out.extend([unhex(&inputs["record_id"]), derive::str8(&inputs["order_no"])].concat());
    out.extend(
        [derive::le(&inputs["time"], 8), derive::le(&inputs["revision"], 4), unhex(&inputs["policy"])]
            .concat(),
    );
    out.extend(derive::counted(&inputs["parts"], 1));
    list(&inputs["parts"]).iter().for_each(|part| out.extend(derive::le(part, 2)));
    out.extend([unhex(&inputs["record"]), unhex(&inputs["os"])].concat());
    out.extend([derive::le(&inputs["index"], 8), derive::le(&inputs["size"], 8)].concat());
    out.extend(derive::counted(&inputs["proof"], 1));
    list(&inputs["proof"]).iter().for_each(|hash| out.extend(unhex(hash)));
    out.extend(ledger.sign(checkpoint.as_bytes()));
    out.extend([derive::le(&inputs["threshold"], 1), derive::counted(&inputs["witnesses"], 1)].concat());
    for witness in list(&inputs["witnesses"]) {
        let key = key(&witness["seed"]);
        let text = format!("cosignature/v1\ntime {}\n{checkpoint}", witness["time"]);
        out.extend(
            [derive::str8(&witness["name"]), key.public().to_vec(), derive::le(&witness["time"], 8)].concat(),
        );
        out.extend(key.sign(text.as_bytes()));
    }
    out
}

pub(super) fn generate(world: &World) -> Vec<Vector> {
    let good = inputs(world);
    let whole = bytes(&good);
    let mut vectors = Vec::new();
    let mut opens = |name: &str, comment: &str, inputs: &Json| {
        let vector = json!({
            "comment": comment, "of": "slip", "rules": ["F150", "F151"], "expect": "opens",
            "inputs": inputs, "intermediate": intermediate(inputs), "text": line(&bytes(inputs)),
        });
        vectors.push((format!("slip-{name}"), vector));
    };
    let changed = |change: &dyn Fn(&mut Json)| {
        let mut inputs = good.clone();
        change(&mut inputs);
        inputs
    };
    opens("good", "Two witnesses, of which one is enough.", &good);
    let alone = changed(&|i| (i["witnesses"], i["threshold"]) = (json!([]), 0.into()));
    opens("without-witnesses", "No witness.", &alone);
    opens(
        "named",
        "Ledgers of a name of their own.",
        &changed(&|i| i["name"] = "shop.example/ledger".into()),
    );

    let mut bad = |name: &str, rule: &str, comment: &str, expect: &str, text: String| {
        let vector =
            json!({ "comment": comment, "of": "slip", "rules": [rule], "expect": expect, "text": text });
        vectors.push((format!("slip-{name}"), vector));
    };
    let altered = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        line(&bytes)
    };
    let with = |change: &dyn Fn(&mut Json)| line(&bytes(&changed(change)));
    let mut damaged = |name: &str, comment: &str, text: String| bad(name, "F150", comment, "damaged", text);
    damaged("magic", "The magic is CNSB, a bundle's.", altered(3, b'B'));
    damaged("format-0", "Format 0.", altered(4, 0));
    let default = format!("consignee/{}", hex(world.vault.0));
    damaged(
        "name-spelt-out",
        "The name that is left out stands there.",
        with(&|i| i["name"] = default.clone().into()),
    );
    damaged("ledger-0", "Ledger 0.", with(&|i| i["ledger"] = 0.into()));
    damaged("without-number", "No order number.", with(&|i| i["order_no"] = "".into()));
    damaged(
        "long-number",
        "An order number of 129 bytes.",
        with(&|i| i["order_no"] = "9".repeat(129).into()),
    );
    damaged("part-0", "The first part has the number 0.", with(&|i| i["parts"][0] = 0.into()));
    damaged("part-twice", "The second part is the first.", with(&|i| i["parts"][1] = 1.into()));
    damaged("threshold-3", "Three of two witnesses.", with(&|i| i["threshold"] = 3.into()));
    damaged("threshold-0", "None of two witnesses.", with(&|i| i["threshold"] = 0.into()));
    damaged("cut", "The last byte is missing.", line(&whole[..whole.len() - 1]));
    damaged("longer", "A byte follows.", line(&[whole.as_slice(), &[0]].concat()));
    let wrong_check = line(&whole).replace("-", "-f");
    damaged(
        "checksum",
        "Check digits of another slip.",
        format!("{}\n", &wrong_check[..wrong_check.len() - 2]),
    );
    bad("format-2", "F150", "Format 2.", "newer format", altered(4, 2));
    let long = |i: &mut Json| i["witnesses"][0]["name"] = "w".repeat(255).into();
    let many = with(&|i| {
        long(i);
        i["witnesses"] = json!(vec![i["witnesses"][0].clone(); 3]);
    });
    bad("too-long", "F150", "More than 2,048 bytes.", "limit", many);

    let hash = |i: &mut Json| i["proof"].as_array_mut().unwrap().push(hex([7; 32]).into());
    bad("proof-longer", "F151", "A hash more than index and size need.", "damaged", with(&hash));
    // The signature stands before the witnesses.
    let witnesses = 2 * (1 + 17 + 32 + 8 + 64);
    let at = whole.len() - witnesses - 2 - 64;
    bad(
        "signature-altered",
        "F151",
        "A bit of the ledger's signature.",
        "cannot open",
        altered(at + 20, whole[at + 20] ^ 1),
    );
    let last = whole.len() - 40;
    bad(
        "cosignature-altered",
        "F151",
        "A bit of a cosignature.",
        "cannot open",
        altered(last, whole[last] ^ 1),
    );
    let hk = 4 + 1 + 16 + 1 + 4 + 32;
    bad("other-handle-key", "F151", "A bit of HK.", "cannot open", altered(hk, whole[hk] ^ 1));
    let order_no = hk + 32 + 16 + 1;
    bad("other-number", "F151", "Another order number.", "cannot open", altered(order_no, b'T'));
    let index = at - 1 - 32 * list(&good["proof"]).len() - 16;
    bad(
        "other-index",
        "F151",
        "The index of the entry's neighbour.",
        "cannot open",
        altered(index, whole[index] ^ 1),
    );
    vectors
}

pub(super) fn check(vector: &Json) -> Result<()> {
    let slip = Slip::parse(text(&vector["text"]))?;
    let vouched = slip.verify()?;
    if let Some(inputs) = vector.get("inputs") {
        assert_eq!(intermediate(inputs), vector["intermediate"]);
        assert_eq!(*slip.to_text(), *text(&vector["text"]));
        assert_eq!(slip.order_no(), text(&inputs["order_no"]));
        assert_eq!(vouched.witnesses.len(), list(&inputs["witnesses"]).len());
        assert_eq!(
            vouched.log.public(),
            party_keys::verifying(&unhex(&inputs["ledger_seed"]).try_into().unwrap())
        );
    }
    Ok(())
}
