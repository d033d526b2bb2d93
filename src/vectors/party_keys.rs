//! Vectors of the texts that vault and parties give each other first: private keys, public keys, cards.

use std::fs;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value as Json, json};

use super::{Vector, derive, fixed, hex, text, unhex};
use crate::{
    Kem, PartyKey, Passphrase, PublicKey, Result, VaultCard,
    suite::{Secret, SigningKey, Suite, commit, public_of},
};

/// Prefix and label of a text.
pub(super) type Line = (&'static str, &'static str);
const PRIVATE: Line = ("consignee-party-v1:", "consignee/v1/party-key");
const LOCKED: Line = ("consignee-party-locked-v1:", "consignee/v1/party-locked");
const PUBLIC: Line = ("consignee-party-pub-v1:", "consignee/v1/party-pub");
pub(super) const CARD: Line = ("consignee-vault-card-v1:", "consignee/v1/vault-card");

fn check_of(line: Line, bytes: &[u8]) -> String {
    hex(&commit(line.1, &[bytes])[..4])
}

fn in_digits(line: Line, bytes: &[u8]) -> String {
    format!("{}{}-{}\n", line.0, hex(bytes), check_of(line, bytes))
}

pub(super) fn in_base64(line: Line, bytes: &[u8]) -> String {
    format!("{}{}-{}\n", line.0, STANDARD.encode(bytes), check_of(line, bytes))
}

/// The first 100 bits, as section 14 writes them.
fn fingerprint(line: Line, bytes: &[u8]) -> String {
    let hash = commit("consignee/v1/fingerprint", &[line.1.as_bytes(), bytes]);
    let bits: String = hash.iter().map(|byte| format!("{byte:08b}")).collect();
    let digit = |at: usize| {
        let value = usize::from_str_radix(&bits[5 * at..][..5], 2).unwrap();
        char::from(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"[value])
    };
    let group = |group: usize| (4 * group..4 * group + 4).map(digit).collect::<String>();
    (0..5).map(group).collect::<Vec<_>>().join("-")
}

/// The two secrets of a private key.
fn secrets(name: &str) -> ([u8; 32], [u8; 32]) {
    (fixed(&format!("{name} opening")), fixed(&format!("{name} signing")))
}

fn private_bytes(kem: Kem, name: &str) -> Vec<u8> {
    let (opening, signing) = secrets(name);
    [kem.number().to_le_bytes().as_slice(), &opening, &signing].concat()
}

fn public_bytes(kem: Kem, name: &str) -> Vec<u8> {
    let (opening, signing) = secrets(name);
    let opening = public_of(kem, &Secret::new(opening)).unwrap();
    [kem.number().to_le_bytes().as_slice(), &opening, &verifying(&signing)].concat()
}

pub(super) fn verifying(seed: &[u8; 32]) -> [u8; 32] {
    SigningKey::new(&Secret::new(*seed)).public()
}

/// Text of a private key, and the public one.
pub(super) fn key(kem: Kem, name: &str) -> (String, PublicKey) {
    let public = PublicKey::parse(&in_base64(PUBLIC, &public_bytes(kem, name))).unwrap();
    (in_digits(PRIVATE, &private_bytes(kem, name)), public)
}

/// Reads a private key's text.
pub(super) fn read(text: &str, passphrase: Option<&str>) -> Result<PartyKey> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("party.key");
    fs::write(&path, text).unwrap();
    #[cfg(unix)]
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    PartyKey::read(&path, passphrase.map(Passphrase::new).as_ref())
}

const KEMS: [(Kem, &str); 2] = [(Kem::X25519, "x25519"), (Kem::XWing, "x-wing")];

pub(super) fn generate() -> Vec<Vector> {
    let mut vectors = Vec::new();
    private_keys(&mut vectors);
    locked_keys(&mut vectors);
    public_keys(&mut vectors);
    cards(&mut vectors);
    vectors
}

fn vector(of: &str, comment: &str, expect: &str, text: &str) -> Json {
    json!({ "comment": comment, "of": of, "rules": ["F99"], "expect": expect, "text": text })
}

/// What a good private key is made of.
fn add_pieces(vector: &mut Json, kem: Kem, name: &str) {
    let (opening, signing) = secrets(name);
    vector["bytes"] = hex(private_bytes(kem, name)).into();
    vector["kem"] = kem.number().into();
    vector["opening_key"] = hex(opening).into();
    vector["signing_seed"] = hex(signing).into();
    vector["public"] = hex(public_bytes(kem, name)).into();
}

fn private_keys(vectors: &mut Vec<Vector>) {
    let mut add = |name: &str, vector: Json| vectors.push((format!("party-key-{name}"), vector));
    for (kem, name) in KEMS {
        let comment = format!("A private key of a party, {}.", kem.name());
        let mut good = vector("party key", &comment, "opens", &key(kem, name).0);
        add_pieces(&mut good, kem, name);
        add(name, good);
    }
    let bytes = private_bytes(Kem::X25519, "x25519");
    let good = in_digits(PRIVATE, &bytes);
    let digits = good.strip_prefix(PRIVATE.0).unwrap();
    let capitals = format!("{}{} \r\n", PRIVATE.0, digits.trim_end().to_uppercase());
    let mut as_typed =
        vector("party key", "Digits in capitals, and white space at the end.", "opens", &capitals);
    add_pieces(&mut as_typed, Kem::X25519, "x25519");
    add("capitals", as_typed);
    let mut bad = |name: &str, comment: &str, expect: &str, text: &str| {
        add(name, vector("party key", comment, expect, text));
    };
    let wrong = good.replacen(&digits[..1], if digits.starts_with('2') { "3" } else { "2" }, 1);
    bad("wrong-checksum", "The checksum is of other bytes.", "damaged", &wrong);
    bad("cut", "The last digit is missing.", "damaged", &good[..good.len() - 2]);
    let short = in_digits(PRIVATE, &bytes[..65]);
    bad("short", "65 bytes, with their checksum.", "damaged", &short);
    let newer = in_digits(PRIVATE, &[&[0x21, 0], &bytes[2..]].concat());
    bad("newer-kem", "KEM 0x0021, which has no number in section 14.", "newer format", &newer);
    bad(
        "of-the-public",
        "A public key's line.",
        "damaged",
        &in_base64(PUBLIC, &public_bytes(Kem::X25519, "x25519")),
    );
}

const PASSPHRASE: &str = "five rändom words of mine ";

fn locked_keys(vectors: &mut Vec<Vector>) {
    let mut add = |name: &str, comment: &str, expect: &str, text: &str, passphrase: &str, more: Json| {
        let mut vector = vector("party key", comment, expect, text);
        vector["passphrase"] = passphrase.into();
        more.as_object().unwrap().iter().for_each(|(key, value)| vector[key] = value.clone());
        vectors.push((format!("party-key-locked{name}"), vector));
    };
    let salt: [u8; 16] = fixed("salt of a locked key");
    let (memory, passes, lanes) = (19_456_u32, 2_u32, 1_u32);
    let parameters = |memory: u32| {
        let numbers = [memory, passes, lanes].map(u32::to_le_bytes).concat();
        [&[2], salt.as_slice(), &numbers].concat()
    };
    let params = Params::new(memory, passes, lanes, None).unwrap();
    let mut root = [0; 32];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into(PASSPHRASE.as_bytes(), &salt, &mut root).unwrap();
    let given = parameters(memory);
    let data = [LOCKED.1.as_bytes(), &given].concat();
    let plain = private_bytes(Kem::X25519, "x25519");
    let wrap = |plain: &[u8]| {
        derive::wrap_with(Suite::Aes256Gcm, &root, fixed("nonce of a locked key"), &data, plain)
    };
    let wrapped = wrap(&plain);
    let good = in_digits(LOCKED, &[given.as_slice(), &wrapped].concat());
    let mut more = json!({
        "parameters": hex(&given), "key": hex(root), "associated_data": hex(&data), "nonce": hex(&wrapped[..24]),
        "wrapped": hex(&wrapped),
    });
    add_pieces(&mut more, Kem::X25519, "x25519");
    add("", "A private key under a passphrase.", "opens", &good, PASSPHRASE, more);
    let mut bad = |name: &str, comment: &str, expect: &str, text: &str, passphrase: &str| {
        add(name, comment, expect, text, passphrase, json!({}));
    };
    bad("-other-passphrase", "Another passphrase.", "cannot open", &good, "five random words of mine");
    let little = in_digits(LOCKED, &[parameters(19_455), wrapped.clone()].concat());
    bad("-too-little-memory", "19,455 KiB of memory.", "root key", &little, PASSPHRASE);
    let cut = in_digits(LOCKED, &given[..28]);
    bad("-cut", "28 bytes, with their checksum.", "damaged", &cut, PASSPHRASE);
    let short = in_digits(LOCKED, &[given.as_slice(), &wrap(&plain[..65])].concat());
    bad("-short", "The wrap of 65 bytes.", "damaged", &short, PASSPHRASE);
}

/// A key of small order: of Ed25519 the point (0, 1), of X25519 that of order 4.
fn of_small_order() -> [u8; 32] {
    let mut point = [0; 32];
    point[0] = 1;
    point
}

/// y = 2, which no point of the curve has.
fn no_point() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = 2;
    bytes
}

fn public_keys(vectors: &mut Vec<Vector>) {
    let mut add = |name: &str, vector: Json| vectors.push((format!("public-key-{name}"), vector));
    for (kem, name) in KEMS {
        let bytes = public_bytes(kem, name);
        let comment = format!("A public key of a party, {}.", kem.name());
        let mut good = vector("public key", &comment, "opens", &in_base64(PUBLIC, &bytes));
        good["bytes"] = hex(&bytes).into();
        good["kem"] = kem.number().into();
        good["fingerprint"] = fingerprint(PUBLIC, &bytes).into();
        good["vault_id"] = hex(fixed::<16>("vault-suite-1 id")).into();
        good["party"] = 7.into();
        let id = crate::suite::digest_id(&[
            b"consignee/v1/party",
            &fixed::<16>("vault-suite-1 id"),
            &7_u32.to_le_bytes(),
            &bytes,
        ]);
        good["party_key_id"] = hex(id).into();
        add(name, good);
    }
    let bytes = public_bytes(Kem::X25519, "x25519");
    let good = in_base64(PUBLIC, &bytes);
    let mut bad = |name: &str, comment: &str, expect: &str, text: &str| {
        add(name, vector("public key", comment, expect, text));
    };
    let other = bytes.iter().map(|byte| byte ^ 1).collect::<Vec<_>>();
    let wrong = format!("{}{}-{}\n", PUBLIC.0, STANDARD.encode(&other), check_of(PUBLIC, &bytes));
    bad("wrong-checksum", "The checksum is of other bytes.", "input", &wrong);
    bad("cut", "The last digit is missing.", "input", &good[..good.len() - 2]);
    bad("short", "65 bytes, with their checksum.", "input", &in_base64(PUBLIC, &bytes[..65]));
    let renumbered = |kem: u16| in_base64(PUBLIC, &[&kem.to_le_bytes(), &bytes[2..]].concat());
    bad("newer-kem", "KEM 0x0021, which has no number in section 14.", "newer format", &renumbered(0x21));
    bad("other-kem", "An X25519 key under the number of X-Wing.", "input", &renumbered(0x647a));
    let signing = |point: [u8; 32]| in_base64(PUBLIC, &[&bytes[..34], &point].concat());
    bad("small-order", "An Ed25519 key of small order.", "input", &signing(of_small_order()));
    bad("no-point", "An Ed25519 key that is no point.", "input", &signing(no_point()));
    let opening = [&bytes[..2], &of_small_order(), &bytes[34..]].concat();
    bad("small-order-x25519", "An X25519 key of small order.", "input", &in_base64(PUBLIC, &opening));
    let mut unreduced = public_bytes(Kem::XWing, "x-wing");
    unreduced[2..4].fill(0xff);
    let comment = "An ML-KEM key whose first coefficient is not reduced.";
    bad("not-reduced", comment, "input", &in_base64(PUBLIC, &unreduced));
    let padded = in_base64(PUBLIC, &public_bytes(Kem::XWing, "x-wing"));
    let unpadded = padded.replace('=', "");
    assert!(unpadded != padded);
    bad("without-padding", "Base64 without its padding.", "input", &unpadded);
    bad("of-a-card", "A line of a card.", "input", &in_base64(CARD, &bytes));
}

/// Bytes of a card.
pub(super) fn card(vault: [u8; 16], issuing: [u8; 32], ledger: [u8; 32], origin: &str) -> Vec<u8> {
    [&vault, issuing.as_slice(), &ledger, origin.as_bytes()].concat()
}

fn cards(vectors: &mut Vec<Vector>) {
    let (vault, origin) = (fixed("vault-suite-1 id"), "consignee/vectors/1");
    let keys = ["issuing", "ledger"].map(|name| verifying(&fixed(name)));
    let made = |issuing, ledger, origin: &str| in_base64(CARD, &card(vault, issuing, ledger, origin));
    let mut good = vector("card", "A card of a vault.", "opens", &made(keys[0], keys[1], origin));
    let bytes = card(vault, keys[0], keys[1], origin);
    good["bytes"] = hex(&bytes).into();
    good["vault_id"] = hex(vault).into();
    good["issuing_key"] = hex(keys[0]).into();
    good["ledger_key"] = hex(keys[1]).into();
    good["origin"] = origin.into();
    good["fingerprint"] = fingerprint(CARD, &bytes).into();
    vectors.push(("card-good".to_owned(), good));
    let mut bad = |name: &str, comment: &str, text: &str| {
        vectors.push((format!("card-{name}"), vector("card", comment, "input", text)));
    };
    bad("without-origin", "No origin.", &made(keys[0], keys[1], ""));
    bad("space-in-origin", "An origin with a space.", &made(keys[0], keys[1], "consignee vectors"));
    bad("plus-in-origin", "An origin with a plus sign.", &made(keys[0], keys[1], "consignee+vectors"));
    bad("long-origin", "An origin of 256 characters.", &made(keys[0], keys[1], &"o".repeat(256)));
    bad("small-order", "An issuing key of small order.", &made(of_small_order(), keys[1], origin));
    bad("no-point", "A ledger key that is no point.", &made(keys[0], no_point(), origin));
    bad("short", "79 bytes, with their checksum.", &in_base64(CARD, &bytes[..79]));
}

pub(super) fn check_private(vector: &Json) -> Result<()> {
    let read = read(text(&vector["text"]), vector.get("passphrase").map(text))?;
    let bytes = unhex(&vector["bytes"]);
    let pieces = [unhex(&vector["opening_key"]), unhex(&vector["signing_seed"])].concat();
    assert_eq!(
        (json!(read.public().kem().number()), &bytes[2..]),
        (vector["kem"].clone(), pieces.as_slice())
    );
    assert_eq!(read.public().to_text(), in_base64(PUBLIC, &unhex(&vector["public"])));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("again");
    read.write(&path, None)?;
    assert_eq!(fs::read_to_string(&path).unwrap(), in_digits(PRIVATE, &bytes));
    Ok(())
}

pub(super) fn check_public(vector: &Json) -> Result<()> {
    let key = PublicKey::parse(text(&vector["text"]))?;
    assert_eq!(key.to_text(), in_base64(PUBLIC, &unhex(&vector["bytes"])));
    assert_eq!(key.fingerprint().to_string(), text(&vector["fingerprint"]));
    let vault = crate::keys::VaultId(super::array(&vector["vault_id"]));
    assert_eq!(hex(key.key_id(vault, super::number(&vector["party"]))), text(&vector["party_key_id"]));
    Ok(())
}

pub(super) fn check_card(vector: &Json) -> Result<()> {
    let read = VaultCard::parse(text(&vector["text"]))?;
    assert_eq!(read.to_text(), in_base64(CARD, &unhex(&vector["bytes"])));
    assert_eq!(read.fingerprint().to_string(), text(&vector["fingerprint"]));
    assert_eq!(
        (hex(read.vault.0), hex(read.issuing)),
        (hex(unhex(&vector["vault_id"])), hex(unhex(&vector["issuing_key"])))
    );
    assert_eq!(
        (hex(read.ledger), read.origin()),
        (hex(unhex(&vector["ledger_key"])), text(&vector["origin"]))
    );
    Ok(())
}
