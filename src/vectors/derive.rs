//! Every intermediate value of a sealing, computed from the inputs that a vector states. Compared with the file's own.

use aes::{
    Aes256Enc, Block,
    cipher::{BlockCipherEncrypt, KeyInit as _},
};
use hmac::{Hmac, Mac as _};
use serde_json::{Value as Json, json};
use sha2::Sha256;

use super::{array, hex, list, padded_len, suite, text, unhex};
use crate::suite::{Kdf, SealRng, Secret, Suite, commit, digest_id, seal_in_place, wrap};

/// L and C of the key derivation of suite 1 (section 2); nothing for suite 2.
fn subkeys(suite: Suite, key: &[u8; 32]) -> Json {
    if suite != Suite::Aes256Gcm {
        return Json::Null;
    }
    let mut l = Block::default();
    Aes256Enc::new(key.into()).encrypt_block(&mut l);
    let value = u128::from_be_bytes(l.0);
    let c = (value << 1) ^ if value >> 127 == 1 { 0x87 } else { 0 };
    json!({ "L": hex(l), "C": hex(c.to_be_bytes()) })
}

fn mac(key: &[u8], inputs: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256>>::new_from_slice(key).unwrap();
    inputs.iter().for_each(|input| mac.update(input));
    mac.finalize().into_bytes().into()
}

pub(super) fn le(node: &Json, width: usize) -> Vec<u8> {
    node.as_u64().unwrap().to_le_bytes()[..width].to_vec()
}

fn lp(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_le_bytes(), bytes].concat()
}

/// A record sealed by sections 2 and 3, and what the ledger commits to of it.
pub(super) struct Sealed {
    pub(super) header: Vec<u8>,
    pub(super) directory: Vec<u8>,
    pub(super) head: Vec<u8>,
    pub(super) record: Vec<u8>,
    pub(super) parts: Vec<Json>,
    /// What the commitment of a disclosure of all parts is over.
    pub(super) disclosed: Vec<u8>,
    canonical: Vec<u8>,
    fks: Vec<Json>,
}

pub(super) fn sealed(inputs: &Json, record_id: &[u8]) -> Sealed {
    let suite_of_epoch = suite(&inputs["suite"]).unwrap();
    let vault: [u8; 16] = array(&inputs["vault_id"]);
    let [n1, n2] = ["n1", "n2"].map(|name| unhex(&inputs[name]));
    let os: [u8; 32] = array(&inputs["order_secret"]);
    let header = [
        b"CNSR".as_slice(),
        &[1, suite_of_epoch.number()],
        &vault,
        record_id,
        &le(&inputs["revision"], 4),
        &le(&inputs["epoch"], 4),
        &unhex(&inputs["policy_digest"])[..16],
        &n1,
    ]
    .concat();
    let parts = list(&inputs["parts"]);
    let mut directory = le(&parts.len().into(), 1);
    for part in parts {
        directory.extend(le(&part["part"], 2));
        directory.extend(le(&(padded(part).len() + 16).into(), 3));
    }

    let secret = Kdf::new(suite_of_epoch, &os);
    let (mut body, mut derived, mut canonical, mut disclosed, mut fks) =
        (vec![], vec![], vec![], vec![], vec![]);
    for part in parts {
        let f = le(&part["part"], 2);
        let field_key: [u8; 32] = array(&part["field_key"]);
        let input = |head: &[u8], f: &[u8]| [head, f, &[0, 0]].concat().try_into().unwrap();
        let ticket = secret.derive(&input(&record_id[..8], &f));
        let half = Kdf::new(suite_of_epoch, &field_key).derive(&input(&n1, &[]));
        let key: Vec<u8> = half.expose().iter().zip(ticket.expose()).map(|(a, t)| a ^ t).collect();
        let key = Secret::new(key.try_into().unwrap());
        let mut data = [header.as_slice(), &directory, &f].concat();
        data.resize(data.len().next_multiple_of(64), 0);
        let plain = padded(part);
        let mut ciphertext = plain.clone();
        let nonce = n2.as_slice().try_into().unwrap();
        let tag = seal_in_place(suite_of_epoch, &key, nonce, &data, &mut ciphertext).unwrap();
        ciphertext.extend(tag);
        body.extend_from_slice(&ciphertext);
        if !part["facet"].as_bool().unwrap() {
            canonical.extend_from_slice(&f);
            canonical.extend(lp(&unhex(&part["encoded"])));
        }
        disclosed.extend([f.as_slice(), ticket.expose(), &lp(&ciphertext)].concat());
        let epoch = le(&inputs["epoch"], 4);
        let fk =
            commit("consignee/v1/commit/fk", &[&vault, &epoch, &f, &[suite_of_epoch.number()], &field_key]);
        fks.push(json!({ "part": part["part"], "commitment": hex(fk) }));
        derived.push(json!({
            "part": part["part"], "A": hex(half.expose()), "T": hex(ticket.expose()), "DEK": hex(key.expose()),
            "field_key_subkeys": subkeys(suite_of_epoch, &field_key), "associated_data": hex(&data),
            "padded": hex(&plain), "ciphertext": hex(&ciphertext),
        }));
    }
    let head = [header.as_slice(), &directory, &n2].concat();
    let record = [head.as_slice(), &body].concat();
    Sealed { header, directory, head, record, parts: derived, disclosed, canonical, fks }
}

fn padded(part: &Json) -> Vec<u8> {
    let mut bytes = unhex(&part["encoded"]);
    bytes.resize(padded_len(bytes[0], bytes.len()), 0);
    bytes
}

/// What sections 3, 4 and 8 make of the inputs of one sealing.
pub(super) fn sealing(inputs: &Json) -> Json {
    let suite_of_epoch = suite(&inputs["suite"]).unwrap();
    let [vault, own, party]: [[u8; 16]; 3] =
        ["vault_id", "own_key_id", "party_key_id"].map(|name| array(&inputs[name]));
    let [n1, id_key] = ["n1", "id_key"].map(|name| unhex(&inputs[name]));
    let [os, hk]: [[u8; 32]; 2] = ["order_secret", "handle_key"].map(|name| array(&inputs[name]));
    let order_no = text(&inputs["order_no"]).as_bytes();
    let record_id = mac(&id_key, &[b"consignee/v1/id", order_no])[..16].to_vec();
    let Sealed { header, directory, head, record, parts, disclosed, canonical, fks } =
        sealed(inputs, &record_id);

    let row = &inputs["row"];
    let row_suite = suite(&row["suite"]).unwrap();
    let mut data = [
        b"consignee/v1/secret".as_slice(),
        &vault,
        &record_id,
        &n1,
        &le(&inputs["revision"], 4),
        &le(&row["generation"], 4),
        &le(&row["put_at"], 8),
        &le(&row["serial"], 8),
        &le(&row["policy"], 4),
    ]
    .concat();
    data.resize(128, 0);
    let fingerprint = mac(&id_key, &[b"consignee/v1/same", &record_id, &os, &canonical]);
    json!({
        "record_id": hex(&record_id), "header": hex(&header), "directory": hex(&directory),
        "order_secret_subkeys": subkeys(suite_of_epoch, &os), "parts": parts, "record": hex(&record),
        "row": {
            "associated_data": hex(data), "plaintext": hex([os, hk].concat()),
            "wrap_subkeys": subkeys(row_suite, &array(&row["release_key"])),
            "canonical_values": hex(&canonical), "fingerprint": hex(&fingerprint[..16]),
        },
        "handles": {
            "vault": hex(&mac(&hk, &[b"consignee/v1/handle", &own])[..16]),
            "party": hex(&mac(&hk, &[b"consignee/v1/handle", &party])[..16]),
        },
        "commitments": {
            "fk": fks,
            "record": hex(commit("consignee/v1/commit/record", &[&record])),
            "os": hex(commit("consignee/v1/commit/os", &[&record_id, &n1, &os])),
            "order": hex(commit("consignee/v1/commit/order", &[&hk, &record_id, order_no])),
            "disclosure": hex(commit(
                "consignee/v1/commit/disclosure",
                &[&party, text(&inputs["lines"]).as_bytes(), &head, &disclosed],
            )),
        },
    })
}

/// What section 14 makes of the inputs of a keyring or a bundle, up to the sealing.
pub(super) fn outside(magic: &[u8; 4], inputs: &Json) -> Vec<u8> {
    [
        magic.as_slice(),
        &[1],
        &le(&inputs["kem"], 2),
        &unhex(&inputs["vault_id"]),
        &unhex(&inputs["party_key_id"]),
        &unhex(&inputs["policy_digest"]),
        &str8(&inputs["origin"]),
    ]
    .concat()
}

pub(super) fn str8(node: &Json) -> Vec<u8> {
    let text = text(node).as_bytes();
    [&[u8::try_from(text.len()).unwrap()], text].concat()
}

pub(super) fn counted(list: &Json, width: usize) -> Vec<u8> {
    le(&list.as_array().unwrap().len().into(), width)
}

/// The payload of a keyring.
pub(super) fn keyring(inputs: &Json) -> Vec<u8> {
    let mut out = [le(&inputs["issued"], 8), str8(&inputs["party"]), str8(&inputs["role"])].concat();
    out.extend(counted(&inputs["parts"], 1));
    for part in list(&inputs["parts"]) {
        out.extend([le(&part["part"], 2), le(&part["type"], 1), str8(&part["name"])].concat());
    }
    out.extend(counted(&inputs["epochs"], 2));
    for epoch in list(&inputs["epochs"]) {
        out.extend([le(&epoch["epoch"], 4), le(&epoch["suite"], 1), counted(&epoch["keys"], 1)].concat());
        list(&epoch["keys"])
            .iter()
            .for_each(|key| out.extend([le(&key["part"], 2), unhex(&key["key"])].concat()));
    }
    out
}

/// A copy of a bundle: its record, and all on the way.
pub(super) fn copy(bundle: &Json, copy: &Json) -> Json {
    let (party, id_key) = (unhex(&bundle["party_key_id"]), unhex(&copy["id_key"]));
    let record_id =
        mac(&id_key, &[b"consignee/v1/copy", &party, &unhex(&copy["order_record_id"])])[..16].to_vec();
    let made = sealed(&copy["sealing"], &record_id);
    let commitment = commit(
        "consignee/v1/commit/disclosure",
        &[&party, text(&bundle["lines"]).as_bytes(), &made.head, &made.disclosed],
    );
    json!({
        "record_id": hex(record_id), "header": hex(made.header), "directory": hex(made.directory), "parts": made.parts,
        "record": hex(made.record), "commitment": hex(commitment),
    })
}

/// The payload of a bundle, of copies as `copy` makes them.
pub(super) fn bundle(inputs: &Json, made: &[Json]) -> Vec<u8> {
    let mut out = [le(&inputs["issued"], 8), le(&inputs["expires"], 8)].concat();
    ["party", "role", "purpose"].iter().for_each(|name| out.extend(str8(&inputs[*name])));
    out.extend(counted(&inputs["permitted"], 1));
    list(&inputs["permitted"]).iter().for_each(|part| out.extend(le(part, 2)));
    out.extend(counted(&inputs["copies"], 4));
    for (copy, made) in list(&inputs["copies"]).iter().zip(made) {
        out.extend([le(&copy["index"], 8), le(&copy["revision"], 4), le(&copy["expires"], 8)].concat());
        out.extend(text(&copy["alias"]).as_bytes());
        out.extend(lp(&unhex(&made["record"])));
        list(&made["parts"]).iter().for_each(|part| out.extend(unhex(&part["T"])));
    }
    out
}

/// Wraps with a nonce of the vector's choice: the generator's stream begins anew with the seed that gives it.
pub(super) fn wrap_with(
    suite: Suite,
    key: &[u8; 32],
    seed: [u8; 32],
    data: &[u8],
    plaintext: &[u8],
) -> Vec<u8> {
    wrap(suite, &Secret::new(*key), &mut SealRng::from_seed(seed), data, plaintext).unwrap()
}

/// Key id of a party without public keys.
pub(super) fn key_id(vault: &[u8; 16], party: u32) -> [u8; 16] {
    digest_id(&[b"consignee/v1/party", vault, &party.to_le_bytes()])
}
