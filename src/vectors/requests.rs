//! Vectors of signed requests, and of what a party reveals of a bundle.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value as Json, json};

use super::{
    Vector, array, derive, fixed, hex, list, number,
    parties::{self, ISSUED, Shop, add_group_order, base64_of},
    party_keys,
    records::{EMPTY, FULL},
    text, unhex,
    vaults::{DESK, World},
};
use crate::{
    Alias, Kem, PublicKey, Result, RevealedBundle, SignedRequest, VaultCard,
    alias::AliasKey,
    error::{Error, ErrorKind},
    keys::KeyKind,
    policy::PartId,
    suite::{Secret, SigningKey, commit, digest},
};

pub(super) fn generate(worlds: &[World]) -> Vec<Vector> {
    let mut vectors = Vec::new();
    good(worlds, &mut vectors);
    bad(worlds, &mut vectors);
    revealed(&worlds[0], &mut vectors);
    vectors
}

/// What goes into a request; no parts are all.
fn inputs(shop: &Shop<'_>, purpose: &str, parts: &[PartId]) -> Json {
    let public = STANDARD.decode(base64_of(&shop.public.to_text())).unwrap();
    let alias_key =
        AliasKey::new(shop.world.vault, &Secret::new(shop.world.key(KeyKind::Alias, 0, 0))).unwrap();
    let alias = |serial| alias_key.alias(shop.party, serial).unwrap().to_string();
    json!({
        "vault_id": hex(shop.world.vault.0), "public_key": hex(&public), "key_digest": hex(digest(&public)),
        "origin": shop.origin(), "time": ISSUED, "nonce": hex(fixed::<16>("nonce of a request")),
        "purpose": purpose, "parts": parts.iter().map(|part| part.get()).collect::<Vec<_>>(),
        "aliases": [alias(10_248), alias(10_249)],
        "signing_seed": hex(seed(&shop.private)), "party_number": shop.party, "party_key_id": hex(shop.key_id()),
    })
}

/// The last 32 bytes of a private key's text.
fn seed(private: &str) -> [u8; 32] {
    let digits = private.split_once(':').unwrap().1.split_once('-').unwrap().0;
    *unhex(&json!(digits)).last_chunk().unwrap()
}

/// All before the signature, by section 14.
fn unsigned(inputs: &Json) -> Vec<u8> {
    let mut out =
        [b"CNSR".as_slice(), &[1], &unhex(&inputs["vault_id"]), &unhex(&inputs["key_digest"])].concat();
    out.extend([derive::str8(&inputs["origin"]), derive::le(&inputs["time"], 8)].concat());
    out.extend([unhex(&inputs["nonce"]), derive::str8(&inputs["purpose"])].concat());
    out.extend(derive::counted(&inputs["parts"], 1));
    list(&inputs["parts"]).iter().for_each(|part| out.extend(derive::le(part, 2)));
    out.extend(derive::counted(&inputs["aliases"], 4));
    list(&inputs["aliases"]).iter().for_each(|alias| out.extend(text(alias).as_bytes()));
    out
}

fn message(unsigned: &[u8]) -> Vec<u8> {
    [b"consignee/v1/request".as_slice(), &digest(unsigned)].concat()
}

fn signed(seed: &[u8; 32], unsigned: &[u8]) -> Vec<u8> {
    let signature = SigningKey::new(&Secret::new(*seed)).sign(&message(unsigned));
    [unsigned, &signature].concat()
}

fn vector(shop: &Shop<'_>, of: &str, comment: &str, rule: &str, expect: &str) -> Json {
    json!({
        "comment": comment, "of": of, "rules": [rule], "expect": expect,
        "public_key": shop.public.to_text(), "card": shop.card(),
    })
}

fn intermediate(inputs: &Json, file: &[u8]) -> Json {
    let unsigned = unsigned(inputs);
    json!({
        "unsigned": hex(&unsigned), "digest": hex(digest(&unsigned)), "signed": hex(message(&unsigned)),
        "signature": hex(file.last_chunk::<64>().unwrap()), "hash": hex(commit("consignee/v1/commit/request", &[file])),
    })
}

fn good(worlds: &[World], vectors: &mut Vec<Vector>) {
    for (name, world, kem, all, comment) in [
        ("parts", &worlds[0], Kem::X25519, false, "Two orders, two parts of the purpose, a key with X25519."),
        (
            "all-parts",
            &worlds[1],
            Kem::XWing,
            true,
            "Two orders, all that the purpose opens, a key with X-Wing.",
        ),
    ] {
        let shop = Shop::new(world, DESK, kem);
        let parts = shop.permitted();
        let inputs = inputs(&shop, "after_sale", if all { &[] } else { &parts[..2] });
        let file = signed(&array(&inputs["signing_seed"]), &unsigned(&inputs));
        let mut vector = vector(&shop, "request", comment, "F115", "opens");
        vector["rules"] = json!(["F115", "F116"]);
        vector["key"] = shop.private.clone().into();
        vector["intermediate"] = intermediate(&inputs, &file);
        vector["inputs"] = inputs;
        vector["file"] = hex(file).into();
        vectors.push((format!("request-{name}"), vector));
    }
}

fn bad(worlds: &[World], vectors: &mut Vec<Vector>) {
    let shop = Shop::new(&worlds[0], DESK, Kem::X25519);
    let good = inputs(&shop, "after_sale", &shop.permitted()[..2]);
    let (seed, whole) = (array(&good["signing_seed"]), unsigned(&good));
    let file = signed(&seed, &whole);
    let mut add = |name: &str, rule: &str, comment: &str, expect: &str, file: &[u8]| {
        let mut vector = vector(&shop, "request", comment, rule, expect);
        vector["file"] = hex(file).into();
        vectors.push((format!("request-{name}"), vector));
    };
    let changed = |change: &dyn Fn(&mut Json)| {
        let mut inputs = good.clone();
        change(&mut inputs);
        signed(&seed, &unsigned(&inputs))
    };
    let altered = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        signed(&seed, &bytes)
    };
    let mut bad = |name: &str, comment: &str, file: &[u8]| add(name, "F115", comment, "damaged", file);
    bad("magic", "The magic is CNSB, a bundle's.", &altered(3, b'B'));
    bad("format-0", "Format 0.", &altered(4, 0));
    bad("space-in-origin", "An origin with a space.", &changed(&|i| i["origin"] = "an origin".into()));
    bad("without-origin", "No origin.", &changed(&|i| i["origin"] = "".into()));
    bad("without-purpose", "No purpose.", &changed(&|i| i["purpose"] = "".into()));
    bad("part-twice", "The second part is the first.", &changed(&|i| i["parts"][1] = i["parts"][0].clone()));
    bad("part-0", "The first part has the number 0.", &changed(&|i| i["parts"][0] = 0.into()));
    bad("without-orders", "No aliases.", &changed(&|i| i["aliases"] = json!([])));
    let small = text(&good["aliases"][1]).to_lowercase();
    bad(
        "alias-in-small-letters",
        "An alias in small letters.",
        &changed(&|i| i["aliases"][1] = small.clone().into()),
    );
    let count = whole.len() - 2 * 16 - 4;
    let many = [&whole[..count], &65_536_u32.to_le_bytes(), &whole[count + 4..]].concat();
    bad("more-aliases-than-bytes", "65,536 aliases, of which there are two.", &signed(&seed, &many));
    bad("cut", "The last byte is missing.", &file[..file.len() - 1]);
    bad("longer", "A byte follows the signature.", &[&file[..], &[0]].concat());
    add("format-2", "F115", "Format 2.", "newer format", &altered(4, 2));

    let flip = |at: usize| {
        let mut bytes = file.clone();
        bytes[at] ^= 1;
        bytes
    };
    let last = file.len() - 1;
    add("signature-altered", "F116", "A bit of the signature.", "cannot open", &flip(last - 40));
    add("nonce-altered", "F116", "A bit of the nonce.", "cannot open", &flip(whole.len() - 36 - 5 - 11 - 3));
    let forger = SigningKey::new(&Secret::new(fixed("a forger's key")));
    let forged = [whole.as_slice(), &forger.sign(&message(&whole))].concat();
    add("other-signature", "F116", "Signed by another key than the one it names.", "cannot open", &forged);
    let mut malleable = file.clone();
    add_group_order(&mut malleable[last - 31..]);
    let comment =
        "S of the signature is greater by the order of the group, which the equation does not tell.";
    add("malleable", "F116", comment, "cannot open", &malleable);
    let file_label = [b"consignee/v1/file".as_slice(), &digest(&whole)].concat();
    let signature = SigningKey::new(&Secret::new(seed)).sign(&file_label);
    let comment = "Signed as an envelope is.";
    add("label", "F116", comment, "cannot open", &[whole.as_slice(), &signature].concat());
    let stranger = party_keys::key(Kem::X25519, "a stranger");
    let other = changed(&|i| {
        i["key_digest"] =
            hex(digest(STANDARD.decode(base64_of(&stranger.1.to_text())).unwrap().as_slice())).into()
    });
    add("other-key", "F116", "It names a key that no party has.", "not found", &other);
    let vault = changed(&|i| i["vault_id"] = hex(fixed::<16>("another vault")).into());
    add("other-vault", "F116", "It is made to another vault.", "input", &vault);
    let origin = changed(&|i| i["origin"] = "consignee/other".into());
    add("other-origin", "F116", "It is made to the ledgers of another name.", "input", &origin);
    let base64 = STANDARD.encode(&file);
    let mut text_form = vector(&shop, "request", "In base64, in two lines.", "F115", "opens");
    text_form["text"] = format!("{}\n{}\n", &base64[..100], &base64[100..]).into();
    vectors.push(("request-base64".to_owned(), text_form));
}

fn revealed(world: &World, vectors: &mut Vec<Vector>) {
    let shop = Shop::new(world, DESK, Kem::X25519);
    let inputs = shop.bundle_inputs(&[FULL, EMPTY]);
    let bundle = shop.bundle(&inputs);
    let pinned = json!({ "key": shop.private, "cards": [shop.card()] });
    let revealed = parties::party(&pinned).unwrap().reveal(&bundle).unwrap();
    let commitments =
        list(&inputs["copies"]).iter().map(|copy| derive::copy(&inputs, copy)["commitment"].clone());
    let json = revealed.to_json().unwrap();
    let mut good =
        vector(&shop, "revealed", "Two copies, one with an order of empty values.", "F124", "opens");
    good["key"] = shop.private.clone().into();
    good["bundle"] = hex(&bundle).into();
    good["lines"] = inputs["lines"].clone();
    good["commitments"] = commitments.collect();
    good["text"] = json.clone().into();
    vectors.push(("revealed-good".to_owned(), good));

    let whole: Json = serde_json::from_str(&json).unwrap();
    let mut add = |name: &str, comment: &str, expect: &str, text: String| {
        let mut vector = vector(&shop, "revealed", comment, "F124", expect);
        vector["text"] = text.into();
        vectors.push((format!("revealed-{name}"), vector));
    };
    let with = |path: &str, value: Json| {
        let mut changed = whole.clone();
        *changed.pointer_mut(path).unwrap() = value;
        changed.to_string()
    };
    add("version-2", "Version 2.", "newer format", with("/version", 2.into()));
    add("version-0", "Version 0.", "damaged", with("/version", 0.into()));
    add("other-format", "Another format.", "damaged", with("/format", "consignee-other".into()));
    add("without-copies", "No copies.", "damaged", with("/copies", json!([])));
    add("other-vault", "The records are of another vault.", "damaged", with("/vault", hex([0; 16]).into()));
    add("ticket-missing", "A copy without tickets.", "damaged", with("/copies/0/tickets", json!([])));
    add(
        "ticket-short",
        "A ticket of 31 bytes.",
        "damaged",
        with("/copies/0/tickets/0/t", STANDARD.encode([1; 31]).into()),
    );
    add(
        "other-part",
        "A ticket of a part that the record has not.",
        "damaged",
        with("/copies/0/tickets/0/part", 999.into()),
    );
    let mut more = whole.clone();
    more["copies"][0]["note"] = "".into();
    add("more", "A name that the format has not.", "damaged", more.to_string());
    add("cut", "The last character is missing.", "damaged", json[..json.len() - 1].to_owned());
}

fn file(vector: &Json) -> Vec<u8> {
    vector.get("text").map_or_else(|| unhex(&vector["file"]), |text| text.as_str().unwrap().into())
}

/// What a vault makes of it that has this card, and a party with this key.
pub(super) fn check_request(vector: &Json) -> Result<()> {
    let key = PublicKey::parse(text(&vector["public_key"]))?;
    let request = SignedRequest::parse(&file(vector))?;
    if !request.is_to(&VaultCard::parse(text(&vector["card"]))?) {
        return Err(Error::input("request", "is made to another vault"));
    }
    if !request.is_of(&key) {
        return Err(Error::new(ErrorKind::NotFound, "no party has the key"));
    }
    request.verify(&key)?;
    if let Some(inputs) = vector.get("inputs") {
        let file = file(vector);
        assert_eq!(file, signed(&array(&inputs["signing_seed"]), &unsigned(inputs)));
        assert_eq!(intermediate(inputs, &file), vector["intermediate"]);
        assert_eq!(hex(request.hash()), text(&vector["intermediate"]["hash"]));
        let numbers: Vec<_> = request.parts().iter().map(|part| u64::from(part.get())).collect();
        assert_eq!(json!(numbers), inputs["parts"]);
        let aliases: Vec<_> = request.aliases().iter().map(Alias::to_string).collect();
        assert_eq!(json!(aliases), inputs["aliases"]);
        assert_eq!((request.purpose(), request.time()), (text(&inputs["purpose"]), number(&inputs["time"])));
        // And the party makes the same bytes of it.
        let party = parties::party(&json!({ "key": vector["key"], "cards": [vector["card"]] }))?;
        let card = VaultCard::parse(text(&vector["card"]))?;
        let asked = (request.purpose(), request.parts(), request.aliases());
        let again = party.request_at(&card, asked, (request.time(), array(&inputs["nonce"])))?;
        assert_eq!(again, request);
    }
    Ok(())
}

pub(super) fn check_revealed(vector: &Json) -> Result<()> {
    let revealed = RevealedBundle::from_json(text(&vector["text"]))?;
    assert_eq!(revealed.to_json()?, text(&vector["text"]));
    let party = parties::party(&json!({ "key": vector["key"], "cards": [vector["card"]] }))?;
    assert_eq!(party.reveal(&unhex(&vector["bundle"]))?.to_json()?, revealed.to_json()?);
    let commitments = list(&vector["commitments"]);
    assert_eq!(revealed.copies().len(), commitments.len());
    for (copy, stated) in revealed.copies().iter().zip(commitments) {
        assert_eq!(hex(revealed.commitment(copy, text(&vector["lines"]))?), text(stated));
    }
    Ok(())
}
