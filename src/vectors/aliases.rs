//! Vectors of aliases and of root keys.

use argon2::{Algorithm, Argon2, Params, Version};
use serde_json::{Value as Json, json};

use super::{Vector, derive, fixed, hex, text, vaults::World};
use crate::{
    alias::{AliasKey, MAX_PARTY, MAX_SERIAL},
    keys::{KeyKind, VaultId},
    suite::{Secret, Suite, commit},
};

pub(super) fn generate(world: &World) -> Vec<Vector> {
    let mut vectors = Vec::new();
    aliases(world, &mut vectors);
    root_keys(world, &mut vectors);
    vectors
}

fn aliases(world: &World, vectors: &mut Vec<Vector>) {
    let key = world.key(KeyKind::Alias, 0, 0);
    let aliases = AliasKey::new(world.vault, &Secret::new(key)).unwrap();
    let digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let numerals = |alias: &str| -> Vec<usize> {
        alias.chars().filter(|c| *c != '-').map(|c| digits.find(c).unwrap()).collect()
    };
    let mut add = |name: &str, rule: &str, expect: &str, comment: &str, alias: &str, more: Json| {
        let mut vector = json!({
            "comment": comment, "of": "alias", "rules": [rule], "expect": expect, "alias_key": hex(key),
            "vault_id": hex(world.vault.0), "alias": alias,
        });
        more.as_object().unwrap().iter().for_each(|(key, value)| vector[key] = value.clone());
        vectors.push((format!("alias-{name}"), vector));
    };
    let meaning = |party: u32, serial: u64| {
        let text = aliases.alias(party, serial).unwrap().to_string();
        let block = u64::from(party) << 42 | serial << 6;
        let plain: Vec<u64> = (0..12).rev().map(|at| block >> (5 * at) & 31).collect();
        let shown = numerals(&text);
        let more = json!({
            "party": party, "serial": serial, "block": hex(block.to_be_bytes()), "plain_numerals": plain,
            "cipher_numerals": shown[..12], "check_numeral": shown[12],
        });
        (text, more)
    };
    for (name, party, serial) in [("good", 3, 10_248), ("least", 0, 0), ("most", MAX_PARTY, MAX_SERIAL)] {
        let (text, more) = meaning(party, serial);
        add(name, "F21", "opens", "Party and order serial.", &text, more);
    }
    let (good, more) = meaning(3, 10_248);
    let as_typed = good.to_lowercase().replace('-', "").replace('0', "o").replace('1', "l");
    add(
        "as-typed",
        "F45",
        "opens",
        "The same in small letters, without hyphens, o for 0 and l for 1.",
        &as_typed,
        more,
    );
    let swap = |text: &str, a: usize, b: usize| {
        let mut chars: Vec<char> = text.chars().collect();
        chars.swap(a, b);
        chars.into_iter().collect::<String>()
    };
    let other = if good.ends_with('0') { "2" } else { "0" };
    add(
        "wrong-check",
        "F21",
        "input",
        "Another check character.",
        &(good[..15].to_owned() + other),
        json!({}),
    );
    let at = (0..3).find(|at| good.as_bytes()[*at] != good.as_bytes()[at + 1]).unwrap();
    add("swap", "F21", "input", "Two neighbours changed places.", &swap(&good, at, at + 1), json!({}));
    add("short", "F45", "input", "12 characters.", &good[..14], json!({}));
    add("long", "F45", "input", "14 characters.", &(good.clone() + "0"), json!({}));
    add(
        "foreign-character",
        "F45",
        "input",
        "A U, which is no digit of this base.",
        &(String::from("U") + &good[1..]),
        json!({}),
    );
    let foreign = AliasKey::new(VaultId(fixed("another vault")), &Secret::new(key)).unwrap();
    let made_up = foreign.alias(3, 10_248).unwrap().to_string();
    add(
        "of-another-vault",
        "F21",
        "not found",
        "Its check character fits; the last six bits under this vault's id are not zero.",
        &made_up,
        json!({}),
    );
}

fn root_keys(world: &World, vectors: &mut Vec<Vector>) {
    let key: [u8; 32] = fixed("key file");
    let sum = &commit("consignee/v1/key-file", &[&key])[..4];
    let line = format!("consignee-root-v1:{}-{}\n", hex(key), hex(sum));
    let mut add = |name: &str, expect: &str, comment: &str, line: String, more: Json| {
        let mut vector =
            json!({ "comment": comment, "of": "key file", "rules": ["F25"], "expect": expect, "text": line });
        more.as_object().unwrap().iter().for_each(|(key, value)| vector[key] = value.clone());
        vectors.push((format!("key-file-{name}"), vector));
    };
    let data: [u8; 40] = [9; 40][..].try_into().unwrap();
    let wrapped = derive::wrap_with(Suite::Aes256Gcm, &key, fixed("key file nonce"), &data, &[5; 32]);
    let more = json!({
        "key": hex(key), "checksum": hex(sum), "associated_data": hex(data), "wrapped": hex(&wrapped), "unwrapped": hex([5; 32]),
    });
    add("good", "opens", "A key file, and a wrap under its key.", line.clone(), more);
    let last = if line.ends_with("0\n") { "1\n" } else { "0\n" };
    add(
        "wrong-checksum",
        "root key",
        "The last digit is another.",
        line[..line.len() - 2].to_owned() + last,
        json!({}),
    );
    add("cut", "root key", "The last digit is missing.", line[..line.len() - 2].to_owned() + "\n", json!({}));
    add("newer", "root key", "v2.", line.replace("v1", "v2"), json!({}));
    add(
        "not-hexadecimal",
        "root key",
        "A plus sign for the first digit.",
        format!("consignee-root-v1:+{}", &line[19..]),
        json!({}),
    );

    let salt: [u8; 16] = fixed("salt");
    for (name, memory, passes, lanes) in [
        ("good", 19 * 1024, 2, 1),
        ("too-little-memory", 19 * 1024 - 1, 2, 1),
        ("too-much-memory", 4 * 1024 * 1024 + 1, 2, 1),
        ("1-pass", 19 * 1024, 1, 1),
        ("17-passes", 19 * 1024, 17, 1),
        ("no-lane", 19 * 1024, 2, 0),
        ("17-lanes", 19 * 1024, 2, 17),
    ] {
        let numbers: [u32; 3] = [memory, passes, lanes];
        let parameters = [&[2], salt.as_slice(), &numbers.map(u32::to_le_bytes).concat()].concat();
        let mut vector = json!({
            "comment": "Argon2id parameters as they stand in the vault's item.", "of": "passphrase", "rules": ["F11"],
            "expect": if name == "good" { "opens" } else { "root key" }, "passphrase": "correct horse battery staple é",
            "parameters": hex(&parameters),
        });
        if name == "good" {
            let params = Params::new(memory, passes, lanes, Some(32)).unwrap();
            let mut key = [0; 32];
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            argon2.hash_password_into(text(&vector["passphrase"]).as_bytes(), &salt, &mut key).unwrap();
            let data = [b"consignee/v1/wrap".as_slice(), &world.vault.0, &[4; 10], &parameters].concat();
            let wrapped =
                derive::wrap_with(Suite::Aes256Gcm, &key, fixed("passphrase nonce"), &data, &[5; 32]);
            vector["key"] = hex(key).into();
            vector["associated_data"] = hex(data).into();
            vector["wrapped"] = hex(wrapped).into();
            vector["unwrapped"] = hex([5; 32]).into();
        }
        vectors.push((format!("passphrase-{name}"), vector));
    }
}
