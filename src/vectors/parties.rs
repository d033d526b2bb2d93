//! Vectors of keyrings and bundles.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use super::{
    Vector, array, derive, fixed, hex, list, number,
    party_keys::{self, CARD, in_base64, verifying},
    records::{EMPTY, FULL},
    text, unhex,
    vaults::{DESK, OPERATOR, World},
};
use crate::{
    Kem, Order, Party, PublicKey, Result, VaultCard,
    alias::{Alias, AliasKey},
    keys::{KeyKind, RecordId, Ticket},
    ledger::EntryPlace,
    party::{Address, Contents, Issue, Kind, PackedCopy, seal_with},
    policy::PartId,
    record::{self, Content, Place, Record, Workspace},
    suite::{SealRng, Secret, SigningKey, digest, seal_to},
    view::NamedPart,
};

const SUPPLIER: u32 = 3;
pub(super) const ISSUED: u64 = 1_790_000_300;
const PUT_AT: u64 = 1_790_000_200;

/// A vault that shares with one of its parties.
pub(super) struct Shop<'a> {
    pub(super) world: &'a World,
    pub(super) party: u32,
    kem: Kem,
    pub(super) private: String,
    pub(super) public: PublicKey,
}

impl<'a> Shop<'a> {
    pub(super) fn new(world: &'a World, party: u32, kem: Kem) -> Self {
        let (private, public) = party_keys::key(kem, &format!("party {party} {}", kem.name()));
        Self { world, party, kem, private, public }
    }

    /// Name, role, purpose and value for `lines` of the party, as the world has it.
    fn who(&self) -> [&'static str; 4] {
        match self.party {
            OPERATOR => ["Shop", "platform", "operation", ""],
            DESK => ["Desk", "support", "after_sale", ""],
            _ => ["Yixing Teapots", "supplier", "fulfilment", "Yixing"],
        }
    }

    fn issuing_seed(&self) -> [u8; 32] {
        self.world.key(KeyKind::Issuing, 0, 0)
    }

    pub(super) fn origin(&self) -> String {
        format!("consignee/{}/1", hex(self.world.vault.0))
    }

    pub(super) fn card(&self) -> String {
        let ledger = verifying(&self.world.key(KeyKind::Ledger, 0, 0));
        let bytes =
            party_keys::card(self.world.vault.0, verifying(&self.issuing_seed()), ledger, &self.origin());
        in_base64(CARD, &bytes)
    }

    pub(super) fn key_id(&self) -> [u8; 16] {
        self.public.key_id(self.world.vault, self.party)
    }

    pub(super) fn permitted(&self) -> Vec<PartId> {
        let [_, role, purpose, _] = self.who();
        self.world.policy.access(role, purpose).unwrap().open.clone()
    }

    /// What goes into the envelope of either.
    fn inputs(&self, purpose: &str) -> Json {
        let [party, role, _, lines] = self.who();
        let mut rng = SealRng::from_seed(self.seed(purpose));
        json!({
            "kem": self.kem.number(), "vault_id": hex(self.world.vault.0), "party_number": self.party,
            "public_key": hex(STANDARD.decode(base64_of(&self.public.to_text())).unwrap()),
            "party_key_id": hex(self.key_id()), "policy_digest": hex(self.world.policy.digest()),
            "origin": self.origin(), "issuing_seed": hex(self.issuing_seed()), "issued": ISSUED,
            "party": party, "role": role, "lines": lines, "encapsulation_randomness": hex(match self.kem {
                Kem::X25519 => rng.array::<32>().to_vec(),
                Kem::XWing => rng.array::<64>().to_vec(),
            }),
        })
    }

    fn seed(&self, purpose: &str) -> [u8; 32] {
        fixed(&format!("{purpose} for party {} {} of {}", self.party, self.kem.name(), self.world.name))
    }

    fn keyring_inputs(&self) -> Json {
        let mut inputs = self.inputs("keyring");
        let parts = self.permitted().into_iter().map(|id| {
            let part = self.world.policy.part(id).unwrap();
            json!({ "part": id.get(), "type": part.ty.tag(), "name": part.name })
        });
        let key = |id: &PartId| json!({ "part": id.get(), "key": hex(self.world.key(KeyKind::Field, id.get().into(), 1)) });
        let keys: Vec<_> = self.permitted().iter().map(key).collect();
        inputs["parts"] = parts.collect();
        inputs["epochs"] = json!([{ "epoch": 1, "suite": self.world.suite.number(), "keys": keys }]);
        inputs
    }

    /// The keyring as the vault makes it.
    fn keyring(&self) -> Vec<u8> {
        let [party, role, ..] = self.who();
        let named = |id: PartId| {
            let part = self.world.policy.part(id).unwrap();
            NamedPart { id, name: part.name.to_owned(), ty: part.ty }
        };
        let parts: Vec<_> = self.permitted().into_iter().map(named).collect();
        let epochs = &self.world.registry.epochs;
        let issue = Issue { issued: ISSUED, party, role, parts: &parts, epochs };
        self.seal(Kind::Keyring, "keyring", issue.encode().unwrap())
    }

    fn seal(&self, kind: Kind, purpose: &str, payload: Zeroizing<Vec<u8>>) -> Vec<u8> {
        let card = VaultCard::parse(&self.card()).unwrap();
        let policy = self.world.policy.digest();
        let to =
            Address { card: &card, origin: &card.origin, party: self.key_id(), key: &self.public, policy };
        let issuing = SigningKey::new(&Secret::new(self.issuing_seed()));
        seal_with(kind, &to, &issuing, payload, &mut SealRng::from_seed(self.seed(purpose))).unwrap()
    }

    /// Copies of these orders, each ending after so many seconds from its put, and the bundle when the last ends.
    pub(super) fn bundle_inputs(&self, orders: &[&str]) -> Json {
        let mut inputs = self.inputs("bundle");
        let [.., purpose, lines] = self.who();
        let permitted = self.permitted();
        let expires =
            self.world.policy.access(self.who()[1], purpose).unwrap().expires.map_or(0, |end| PUT_AT + end);
        let alias_key =
            AliasKey::new(self.world.vault, &Secret::new(self.world.key(KeyKind::Alias, 0, 0))).unwrap();
        let copies = (0..).zip(orders).map(|(at, json): (u64, _)| {
            let order = Order::from_json(json, &self.world.policy).unwrap();
            let mut rng = SealRng::from_seed(self.seed(&format!("copy {at}")));
            let (os, n1, n2) = (rng.array::<32>(), rng.array::<10>(), rng.array::<12>());
            let mut parts = self.world.parts(&order);
            parts.retain(|part| permitted.iter().any(|id| part["part"] == id.get()));
            json!({
                "index": 40 + at, "revision": 1 + at, "expires": expires,
                "alias": alias_key.alias(self.party, 10_248 + at).unwrap().to_string(),
                "id_key": hex(self.world.key(KeyKind::Id, 0, 0)),
                "order_record_id": hex(self.world.registry.id_key.record_id(&order.order_no).0),
                "sealing": {
                    "suite": self.world.suite.number(), "vault_id": hex(self.world.vault.0), "revision": 0, "epoch": 1,
                    "policy_digest": hex(self.world.policy.digest()), "n1": hex(n1), "n2": hex(n2),
                    "order_secret": hex(os), "parts": parts,
                },
            })
        });
        inputs["copies"] = copies.collect();
        inputs["lines"] = lines.into();
        inputs["purpose"] = purpose.into();
        inputs["expires"] = expires.into();
        inputs["permitted"] = permitted.iter().map(|id| id.get()).collect();
        inputs
    }

    /// The bundle as the vault makes it of them.
    pub(super) fn bundle(&self, inputs: &Json) -> Vec<u8> {
        let copies: Vec<_> =
            (0..).zip(list(&inputs["copies"])).map(|(at, copy)| self.pack(at, copy)).collect();
        let [party, role, purpose, _] = self.who();
        let permitted = self.permitted();
        let (issued, expires) = (ISSUED, number(&inputs["expires"]));
        let contents =
            Contents { issued, expires, party, role, purpose, permitted: &permitted, copies: &copies };
        self.seal(Kind::Bundle, "bundle", contents.encode().unwrap())
    }

    fn pack(&self, at: u64, copy: &Json) -> PackedCopy {
        let record_id =
            self.world.registry.id_key.copy_id(&self.key_id(), RecordId(array(&copy["order_record_id"])));
        let place = Place {
            vault: self.world.vault,
            record_id,
            revision: 0,
            policy: record::policy_id(&self.world.policy.digest()),
        };
        let encoded = |part: &Json| {
            let mut bytes = unhex(&part["encoded"]);
            bytes.resize(super::padded_len(bytes[0], bytes.len()), 0);
            (PartId::new(number(&part["part"])).unwrap(), bytes)
        };
        let parts: Vec<_> = list(&copy["sealing"]["parts"]).iter().map(encoded).collect();
        let contents = parts.iter().map(|(id, bytes)| (*id, Content::Encoded(bytes)));
        let mut rng = SealRng::from_seed(self.seed(&format!("copy {at}")));
        let mut space = Workspace::default();
        let epoch = &self.world.registry.epochs[0];
        let sealed = record::seal(&mut space, &mut rng, &place, epoch, contents).unwrap();
        let ids: Vec<_> = parts.iter().map(|(id, _)| *id).collect();
        let mut secrets = Vec::new();
        sealed.secret.ticket_parts(record_id, ids.iter().copied(), &mut secrets);
        PackedCopy {
            record: space.record().to_vec(),
            ticket: Ticket::received(
                record_id,
                EntryPlace { ledger: 1, index: number(&copy["index"]) },
                ids,
                secrets,
            ),
            revision: number(&copy["revision"]),
            expires: number(&copy["expires"]),
            alias: Alias::parse(text(&copy["alias"])).unwrap(),
        }
    }

    /// An envelope by section 14, whatever is in it.
    fn envelope(&self, outside: &[u8], payload: &[u8]) -> Vec<u8> {
        self.envelope_to(&self.public, outside, payload)
    }

    fn envelope_to(&self, key: &PublicKey, outside: &[u8], payload: &[u8]) -> Vec<u8> {
        let mut buffer = payload.to_vec();
        let mut rng = SealRng::from_seed(self.seed("a bad one"));
        let (enc, tag) = seal_to((key.kem(), key.opening()), outside, &mut buffer, &mut rng).unwrap();
        let length = u32::try_from(buffer.len() + 16).unwrap().to_le_bytes();
        self.signed([outside, &enc, &length, &buffer, &tag].concat())
    }

    fn signed(&self, bytes: Vec<u8>) -> Vec<u8> {
        sign(&self.issuing_seed(), bytes)
    }
}

pub(super) fn base64_of(text: &str) -> &str {
    text.split_once(':').unwrap().1.split_once('-').unwrap().0
}

fn sign(seed: &[u8; 32], mut bytes: Vec<u8>) -> Vec<u8> {
    let signature = SigningKey::new(&Secret::new(*seed)).sign(&message(&bytes));
    bytes.extend(signature);
    bytes
}

fn message(bytes: &[u8]) -> Vec<u8> {
    [b"consignee/v1/file".as_slice(), &digest(bytes)].concat()
}

/// What is on the way to a file, computed from the inputs alone but for the sealing.
fn intermediate(magic: &[u8; 4], inputs: &Json, file: &[u8]) -> Json {
    let outside = derive::outside(magic, inputs);
    let copies: Vec<_> = inputs
        .get("copies")
        .map_or(&[][..], |copies| list(copies))
        .iter()
        .map(|copy| derive::copy(inputs, copy))
        .collect();
    let payload = match inputs.get("copies") {
        Some(_) => derive::bundle(inputs, &copies),
        None => derive::keyring(inputs),
    };
    let encapsulated = Kem::from_number(number(&inputs["kem"])).unwrap().encapsulated_len();
    let (signed, signature) = file.split_last_chunk::<64>().unwrap();
    assert_eq!(&signed[..outside.len()], outside);
    let rest = &signed[outside.len()..];
    let (enc, rest) = rest.split_at(encapsulated);
    assert_eq!(rest.len(), 4 + payload.len() + 16);
    let mut made = json!({
        "outside": hex(&outside), "payload": hex(&payload), "encapsulated_key": hex(enc), "ciphertext": hex(&rest[4..]),
        "digest": hex(digest(signed)), "signed": hex(message(signed)), "signature": hex(signature),
    });
    if !copies.is_empty() {
        made["copies"] = copies.into();
    }
    made
}

pub(super) fn generate(worlds: &[World]) -> Vec<Vector> {
    let mut vectors = Vec::new();
    good(worlds, &mut vectors);
    envelopes(worlds, &mut vectors);
    keyrings(&worlds[0], &mut vectors);
    bundles(worlds, &mut vectors);
    copies(&worlds[0], &mut vectors);
    vectors
}

fn vector(shop: &Shop<'_>, of: &str, comment: &str, rules: &[&str], expect: &str) -> Json {
    json!({
        "comment": comment, "of": of, "rules": rules, "expect": expect, "key": shop.private, "cards": [shop.card()],
        "clock": ISSUED + 100,
    })
}

fn good(worlds: &[World], vectors: &mut Vec<Vector>) {
    let mut own_lines: Json = serde_json::from_str(FULL).unwrap();
    own_lines["items"].as_array_mut().unwrap().retain(|item| item["supplier"] == "Yixing");
    let own_lines = own_lines.to_string();
    type Case<'a> = (&'a str, &'a World, u32, Kem, &'a [&'a str], &'a str);
    let cases: [Case<'_>; 4] = [
        ("x25519", &worlds[0], DESK, Kem::X25519, &[FULL, EMPTY], "Facets"),
        (
            "all-types",
            &worlds[0],
            OPERATOR,
            Kem::X25519,
            &[FULL],
            "A value of each type, the order number among them",
        ),
        ("suite-2", &worlds[1], SUPPLIER, Kem::X25519, &[&own_lines], "A supplier's own lines, with an end"),
        ("x-wing", &worlds[1], DESK, Kem::XWing, &[FULL], "Facets"),
    ];
    for (name, world, party, kem, orders, what) in cases {
        let shop = Shop::new(world, party, kem);
        let suite = world.suite.number();
        let comment = format!("A keyring, KEM {}, epoch of suite {suite}.", kem.name());
        let mut keyring = vector(&shop, "keyring", &comment, &["F102"], "opens");
        let (inputs, file) = (shop.keyring_inputs(), shop.keyring());
        keyring["intermediate"] = intermediate(b"CNSK", &inputs, &file);
        keyring["inputs"] = inputs;
        keyring["file"] = hex(&file).into();
        vectors.push((format!("keyring-{name}"), keyring));

        let comment = format!("{what}: a bundle, KEM {}, records of suite {suite}.", kem.name());
        let inputs = shop.bundle_inputs(orders);
        let bundle = shop.bundle(&inputs);
        let mut vector = vector(&shop, "bundle", &comment, &["F104", "F107"], "opens");
        vector["keyring"] = hex(&file).into();
        vector["orders"] = printed(&inputs);
        vector["intermediate"] = intermediate(b"CNSB", &inputs, &bundle);
        vector["inputs"] = inputs;
        vector["file"] = hex(&bundle).into();
        vectors.push((format!("bundle-{name}"), vector));
    }
}

/// What `read --json` prints of each copy.
fn printed(inputs: &Json) -> Json {
    let order = |copy: &Json| {
        let parts = list(&copy["sealing"]["parts"]).iter();
        let fields: serde_json::Map<_, _> =
            parts.map(|part| (text(&part["name"]).to_owned(), part["value"].clone())).collect();
        json!({
            "order": fields.get("order_no").unwrap_or(&copy["alias"]), "alias": copy["alias"],
            "revision": copy["revision"], "party": inputs["party"], "role": inputs["role"],
            "purpose": inputs["purpose"], "fields": fields,
        })
    };
    list(&inputs["copies"]).iter().map(order).collect()
}

/// What a reader must find in the outside and the signature, before it decapsulates.
fn envelopes(worlds: &[World], vectors: &mut Vec<Vector>) {
    let shop = Shop::new(&worlds[0], DESK, Kem::X25519);
    let (keyring, inputs) = (shop.keyring(), shop.keyring_inputs());
    let (outside, payload) = (derive::outside(b"CNSK", &inputs), derive::keyring(&inputs));
    let mut add = |name: &str, rule: &str, comment: &str, expect: &str, file: &[u8]| {
        let mut vector = vector(&shop, "keyring", comment, &[rule], expect);
        vector["file"] = hex(file).into();
        vectors.push((format!("envelope-{name}"), vector));
    };
    let altered = |at: usize, byte: u8| {
        let mut outside = outside.clone();
        outside[at] = byte;
        shop.envelope(&outside, &payload)
    };
    add("magic", "F100", "The magic is CNSB, a bundle's.", "damaged", &altered(3, b'B'));
    add("format-0", "F100", "Format 0.", "damaged", &altered(4, 0));
    add("format-2", "F100", "Format 2.", "newer format", &altered(4, 2));
    add(
        "newer-kem",
        "F100",
        "KEM 0x0021, which has no number in section 14.",
        "newer format",
        &altered(5, 0x21),
    );
    let origin = 4 + 1 + 2 + 16 + 16 + 32 + 1;
    add("space-in-origin", "F100", "An origin with a space.", "damaged", &altered(origin, b' '));
    let inputs_of = |origin: &str| {
        let mut inputs = inputs.clone();
        inputs["origin"] = origin.into();
        shop.envelope(&derive::outside(b"CNSK", &inputs), &payload)
    };
    let without_origin = inputs_of("");
    let other_origin = inputs_of("consignee/other/1");
    add("without-origin", "F100", "No origin.", "damaged", &without_origin);
    add("cut", "F100", "The last byte is missing.", "damaged", &keyring[..keyring.len() - 1]);
    add("longer", "F100", "A byte follows the signature.", "damaged", &[&keyring[..], &[0]].concat());
    let tagless = shop.signed([&outside, &keyring[outside.len()..][..32], &[15, 0, 0, 0], &[0; 15]].concat());
    add("without-a-tag", "F100", "15 bytes of ciphertext and tag.", "damaged", &tagless);

    let last = keyring.len() - 1;
    let flipped = |at: usize| {
        let mut file = keyring.clone();
        file[at] ^= 1;
        file
    };
    add("signature-altered", "F101", "A bit of the signature.", "cannot open", &flipped(last - 40));
    add("digest-altered", "F101", "A bit of the policy's digest.", "cannot open", &flipped(4 + 1 + 2 + 32));
    let before = &keyring[..keyring.len() - 64];
    let forged = sign(&fixed("a forger's issuing key"), before.to_vec());
    add("other-signature", "F101", "Signed by another key than that of the card.", "cannot open", &forged);
    let mut malleable = keyring.clone();
    add_group_order(&mut malleable[last - 31..]);
    let comment =
        "S of the signature is greater by the order of the group, which the equation does not tell.";
    add("malleable", "F101", comment, "cannot open", &malleable);
    let stranger = party_keys::key(Kem::X25519, "a stranger").1;
    let comment = "Sealed to another key, and signed soundly.";
    add("other-key", "F101", comment, "cannot open", &shop.envelope_to(&stranger, &outside, &payload));
    let mut unbound = before.to_vec();
    unbound[4 + 1 + 2 + 16] ^= 1;
    let comment = "Another party's key id in the outside, which is HPKE's info, and signed soundly.";
    add("other-party", "F101", comment, "cannot open", &shop.signed(unbound));
    let mut zero = before.to_vec();
    zero[outside.len()..][..32].fill(0);
    let comment = "An encapsulated key of small order, and signed soundly.";
    add("zero-encapsulated-key", "F101", comment, "cannot open", &shop.signed(zero));
    let x_wing = Shop::new(&worlds[0], DESK, Kem::XWing);
    let comment = "Sealed to an X-Wing key, and signed soundly; the party's is an X25519 key.";
    add("other-kem", "F101", comment, "cannot open", &x_wing.keyring());
    let comment = "Another origin than the card's: a vault may go on with another ledger under its card.";
    add("other-origin", "F101", comment, "opens", &other_origin);

    let mut unpinned = vector(&shop, "keyring", "The vault's card is not pinned.", &["F101"], "not found");
    unpinned["cards"] = json!([]);
    unpinned["file"] = hex(&keyring).into();
    vectors.push(("envelope-not-pinned".to_owned(), unpinned));
    let other = Shop::new(&worlds[1], DESK, Kem::X25519);
    let comment = "The card that is pinned is another vault's.";
    let mut another = vector(&shop, "keyring", comment, &["F101"], "not found");
    another["cards"] = json!([other.card()]);
    another["file"] = hex(&keyring).into();
    vectors.push(("envelope-other-card".to_owned(), another));
    texts(&shop, &keyring, vectors);
}

/// S + L of an Ed25519 signature, little endian; L is RFC 8032's.
pub(super) fn add_group_order(s: &mut [u8]) {
    let order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let mut carry = 0;
    for (byte, add) in s.iter_mut().zip(unhex(&json!(order))) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        [*byte, _] = sum.to_le_bytes();
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
}

fn texts(shop: &Shop<'_>, keyring: &[u8], vectors: &mut Vec<Vector>) {
    let base64 = STANDARD.encode(keyring);
    let broken: String = base64
        .as_bytes()
        .chunks(64)
        .map(|line| str::from_utf8(line).unwrap().to_owned() + " \r\n\t")
        .collect();
    let mut add = |name: &str, comment: &str, expect: &str, text: &str| {
        let mut vector = vector(shop, "keyring", comment, &["F100"], expect);
        vector["text"] = text.into();
        vectors.push((format!("envelope-base64{name}"), vector));
    };
    add("", "In base64, with white space in it.", "opens", &broken);
    add("-cut", "The last four digits are missing.", "damaged", &base64[..base64.len() - 4]);
    add("-padding", "Two padding characters where none belong.", "damaged", &format!("{base64}=="));
    add("-alphabet", "A digit of the alphabet for addresses.", "damaged", &format!("-{}", &base64[1..]));
}

/// Keyrings that are signed and sealed, and do not follow their format; and an older one.
fn keyrings(world: &World, vectors: &mut Vec<Vector>) {
    let shop = Shop::new(world, DESK, Kem::X25519);
    let good = shop.keyring_inputs();
    let file = |change: &dyn Fn(&mut Json)| {
        let mut inputs = good.clone();
        change(&mut inputs);
        shop.envelope(&derive::outside(b"CNSK", &inputs), &derive::keyring(&inputs))
    };
    let mut add = |name: &str, rule: &str, comment: &str, expect: &str, file: Vec<u8>| {
        let mut vector = vector(&shop, "keyring", comment, &[rule], expect);
        vector["file"] = hex(&file).into();
        vectors.push((format!("keyring-{name}"), vector));
    };
    let mut bad = |name: &str, comment: &str, change: &dyn Fn(&mut Json)| {
        add(name, "F102", comment, "damaged", file(change));
    };
    bad("without-parts", "No parts, and no keys.", &|i| {
        i["parts"] = json!([]);
        i["epochs"][0]["keys"] = json!([]);
    });
    bad("part-0", "The first part has the number 0.", &|i| i["parts"][0]["part"] = 0.into());
    bad("part-twice", "The second part has the number of the first.", &|i| {
        i["parts"][1]["part"] = i["parts"][0]["part"].clone();
    });
    bad("unknown-type", "A part of type 10.", &|i| i["parts"][0]["type"] = 10.into());
    bad("without-epochs", "No epochs.", &|i| i["epochs"] = json!([]));
    bad("epoch-twice", "An epoch stands twice.", &|i| {
        let epoch = i["epochs"][0].clone();
        i["epochs"].as_array_mut().unwrap().push(epoch);
    });
    bad("key-of-no-part", "A key of a part that is not named.", &|i| {
        i["epochs"][0]["keys"][3]["part"] = 26.into()
    });
    bad("key-twice", "Two keys of one part.", &|i| {
        i["epochs"][0]["keys"][1]["part"] = i["epochs"][0]["keys"][0]["part"].clone();
    });
    add(
        "suite-3",
        "F102",
        "An epoch of suite 3.",
        "newer format",
        file(&|i| i["epochs"][0]["suite"] = 3.into()),
    );
    let (outside, payload) = (derive::outside(b"CNSK", &good), derive::keyring(&good));
    let cut = shop.envelope(&outside, &payload[..payload.len() - 1]);
    add("cut", "F102", "The last byte of the last key is missing.", "damaged", cut);
    let longer = shop.envelope(&outside, &[payload.as_slice(), &[0]].concat());
    add("longer", "F102", "A byte follows the last key.", "damaged", longer);
    let mut name = payload.clone();
    name[9] = 0xff;
    add(
        "name-not-utf-8",
        "F102",
        "The party's name is not UTF-8.",
        "damaged",
        shop.envelope(&outside, &name),
    );

    let two = file(&|i| {
        let mut epoch = i["epochs"][0].clone();
        (epoch["epoch"], epoch["suite"]) = (3.into(), 2.into());
        epoch["keys"].as_array_mut().unwrap().pop();
        i["epochs"].as_array_mut().unwrap().push(epoch);
    });
    let comment = "Two epochs, of two suites; the later one has no key of the last part.";
    add("two-epochs", "F102", comment, "opens", two);
    for (name, issued, expect) in [("older", ISSUED - 1, "rolled back"), ("as-old", ISSUED, "opens")] {
        let comment = format!(
            "Issued {} before the one that was taken before.",
            ["a second", "no second"][usize::from(issued == ISSUED)]
        );
        let mut vector = vector(&shop, "keyring", &comment, &["F103"], expect);
        vector["file"] = hex(file(&|i| i["issued"] = issued.into())).into();
        vector["taken_before"] = hex(shop.keyring()).into();
        vectors.push((format!("keyring-{name}"), vector));
    }
}

/// Bundles that are signed and sealed, and do not follow their format or are over.
fn bundles(worlds: &[World], vectors: &mut Vec<Vector>) {
    let shop = Shop::new(&worlds[0], DESK, Kem::X25519);
    let good = shop.bundle_inputs(&[FULL]);
    let made = [derive::copy(&good, &good["copies"][0])];
    let outside = derive::outside(b"CNSB", &good);
    let of = |inputs: &Json| shop.envelope(&outside, &derive::bundle(inputs, &made));
    let changed = |change: &dyn Fn(&mut Json)| {
        let mut inputs = good.clone();
        change(&mut inputs);
        of(&inputs)
    };
    let mut add = |name: &str, rule: &str, comment: &str, expect: &str, file: &[u8], more: Json| {
        let mut vector = vector(&shop, "bundle", comment, &[rule], expect);
        vector["keyring"] = hex(shop.keyring()).into();
        vector["file"] = hex(file).into();
        more.as_object().unwrap().iter().for_each(|(key, value)| vector[key] = value.clone());
        vectors.push((format!("bundle-{name}"), vector));
    };
    let mut bad =
        |name: &str, comment: &str, file: &[u8]| add(name, "F104", comment, "damaged", file, json!({}));
    bad("without-copies", "No copies.", &changed(&|i| i["copies"] = json!([])));
    bad(
        "part-twice",
        "The second part that the purpose opens is the first.",
        &changed(&|i| {
            i["permitted"][1] = i["permitted"][0].clone();
        }),
    );
    bad("part-0", "The purpose opens a part of the number 0.", &changed(&|i| i["permitted"][0] = 0.into()));
    let alias = text(&good["copies"][0]["alias"]).to_owned();
    let with_alias = |alias: &str| changed(&|i| i["copies"][0]["alias"] = alias.into());
    bad("alias-in-small-letters", "The alias in small letters.", &with_alias(&alias.to_lowercase()));
    let moved = format!("{}-{}", &alias[..3], alias.replace('-', "")[3..].to_owned() + "--");
    bad("alias-hyphens", "The alias with its hyphens elsewhere.", &with_alias(&moved[..16]));
    let check = if alias.ends_with('0') { "1" } else { "0" };
    bad(
        "alias-check",
        "The alias with another check character.",
        &with_alias(&format!("{}{check}", &alias[..15])),
    );
    let payload = derive::bundle(&good, &made);
    let cut = |bytes: usize| shop.envelope(&outside, &payload[..payload.len() - bytes]);
    bad("ticket-cut", "The last byte of the last ticket is missing.", &cut(1));
    bad("ticket-missing", "The ticket of the last part is missing.", &cut(32));
    bad(
        "longer",
        "A byte follows the last ticket.",
        &shop.envelope(&outside, &[&payload[..], &[0]].concat()),
    );
    let count = payload.len() - 8 - 4 - 8 - 16 - 4 - unhex(&made[0]["record"]).len() - 32 * 4 - 4;
    let mut many = payload.clone();
    many[count..count + 4].copy_from_slice(&65_536_u32.to_le_bytes());
    bad("more-copies-than-bytes", "65,536 copies, of which there is one.", &shop.envelope(&outside, &many));

    for (name, issued, expires, clock, expect, comment) in [
        ("last-second", ISSUED, ISSUED + 100, ISSUED + 100, "opens", "Read in its last second."),
        ("expired", ISSUED, ISSUED + 99, ISSUED + 100, "expired", "Read a second after its end."),
        (
            "expired-when-issued",
            ISSUED,
            ISSUED - 1,
            ISSUED - 10,
            "expired",
            "Its end is before its issue; the clock goes after.",
        ),
    ] {
        let file = changed(&|i| (i["issued"], i["expires"]) = (issued.into(), expires.into()));
        add(name, "F106", comment, expect, &file, json!({ "clock": clock }));
    }
    let file = changed(&|i| i["expires"] = (ISSUED + 50).into());
    let more = json!({ "clock": ISSUED + 10, "keyring_clock": ISSUED + 51 });
    let comment = "The clock was set back behind the end, which it had passed when the keyring was taken.";
    add("clock-set-back", "F106", comment, "expired", &file, more);
    let file = changed(&|i| i["copies"][0]["expires"] = (ISSUED + 99).into());
    add("copy-expired", "F106", "The copy has ended, the bundle has not.", "expired", &file, json!({}));
    let file = changed(&|i| i["expires"] = (ISSUED - 10).into());
    let comment = "The clock is behind; the keyring was issued after the end.";
    add(
        "end-before-the-keyring",
        "F106",
        comment,
        "expired",
        &file,
        json!({ "clock": ISSUED - 20, "keyring_clock": ISSUED - 20 }),
    );

    let other = Shop::new(&worlds[1], DESK, Kem::X25519);
    assert!(other.private == shop.private);
    let more = json!({ "keyring": hex(other.keyring()), "cards": [shop.card(), other.card()] });
    add(
        "other-vaults-keyring",
        "F105",
        "The keyring is of another vault that is trusted.",
        "cannot open",
        &of(&good),
        more,
    );
}

/// Bundles of one copy that is not to be opened.
fn copies(world: &World, vectors: &mut Vec<Vector>) {
    let shop = Shop::new(world, DESK, Kem::X25519);
    let good = shop.bundle_inputs(&[FULL]);
    let outside = derive::outside(b"CNSB", &good);
    let keyring = |change: &dyn Fn(&mut Json)| {
        let mut inputs = shop.keyring_inputs();
        change(&mut inputs);
        hex(shop.envelope(&derive::outside(b"CNSK", &inputs), &derive::keyring(&inputs)))
    };
    let mut add = |name: &str, rule: &str, comment: &str, expect: &str, made: Json, keyring: String| {
        let mut vector = vector(&shop, "bundle", comment, &[rule], expect);
        vector["keyring"] = keyring.into();
        vector["file"] = hex(shop.envelope(&outside, &derive::bundle(&good, &[made]))).into();
        vectors.push((format!("copy-{name}"), vector));
    };
    let whole = || derive::copy(&good, &good["copies"][0]);
    let sealed_with = |change: &dyn Fn(&mut Json)| {
        let mut inputs = good["copies"][0].clone();
        change(&mut inputs["sealing"]);
        derive::copy(&good, &inputs)
    };
    let altered = |at: usize, byte: u8| {
        let mut made = whole();
        let mut record = unhex(&made["record"]);
        record[at] = byte;
        made["record"] = hex(record).into();
        made
    };
    let same = || hex(shop.keyring());
    let revision = sealed_with(&|s| s["revision"] = 1.into());
    add("revision-1", "F104", "Sealed soundly under revision 1.", "damaged", revision, same());
    let vault = sealed_with(&|s| s["vault_id"] = hex(fixed::<16>("another vault")).into());
    add("other-vault", "F104", "Sealed soundly for another vault.", "damaged", vault, same());
    add("format-2", "F104", "A record of format 2.", "newer format", altered(4, 2), same());
    add("part-0", "F104", "The record's first part has the number 0.", "damaged", altered(73, 0), same());
    let last = unhex(&whole()["record"]).len() - 1;
    let bit = unhex(&whole()["record"])[last] ^ 1;
    add(
        "altered",
        "F107",
        "A bit of the last tag: no part is shown.",
        "cannot open",
        altered(last, bit),
        same(),
    );
    let mut swapped = whole();
    let (a, b) = (swapped["parts"][0]["T"].clone(), swapped["parts"][1]["T"].clone());
    (swapped["parts"][0]["T"], swapped["parts"][1]["T"]) = (b, a);
    add("tickets-swapped", "F107", "The tickets of two parts change places.", "cannot open", swapped, same());
    let no_epoch = keyring(&|i| i["epochs"][0]["epoch"] = 2.into());
    add("epoch-missing", "F105", "The keyring has no keys of the epoch.", "cannot open", whole(), no_epoch);
    let no_part = keyring(&|i| {
        i["epochs"][0]["keys"].as_array_mut().unwrap().pop();
    });
    add("part-missing", "F105", "The keyring has no key of the last part.", "cannot open", whole(), no_part);
    let other_suite = keyring(&|i| i["epochs"][0]["suite"] = 2.into());
    add(
        "other-suite",
        "F107",
        "The keyring says suite 2 of the epoch, the record 1.",
        "damaged",
        whole(),
        other_suite,
    );
    let retyped = keyring(&|i| i["parts"][0]["type"] = 8.into());
    add("other-type", "F107", "The keyring says bytes of a part that is text.", "damaged", whole(), retyped);
    let padding = sealed_with(&|s| {
        let longer = text(&s["parts"][0]["encoded"]).to_owned() + "01";
        s["parts"][0]["encoded"] = longer.into();
    });
    add("padding", "F107", "A byte that is not zero in the padding of a value.", "damaged", padding, same());
}

/// A party that has pinned the vector's cards.
pub(super) fn party(vector: &Json) -> Result<Party> {
    let mut party = Party::new(party_keys::read(text(&vector["key"]), None)?);
    for card in list(&vector["cards"]) {
        party.trust(VaultCard::parse(text(card))?);
    }
    Ok(party)
}

fn file(vector: &Json) -> Vec<u8> {
    vector.get("text").map_or_else(|| unhex(&vector["file"]), |text| text.as_str().unwrap().into())
}

/// A good file is what its inputs give.
fn check_file(magic: &[u8; 4], vector: &Json) {
    let Some(inputs) = vector.get("inputs") else { return };
    let file = unhex(&vector["file"]);
    let made = intermediate(magic, inputs, &file);
    assert_eq!(made, vector["intermediate"]);
    let signature = sign(&array(&inputs["issuing_seed"]), file[..file.len() - 64].to_vec());
    assert_eq!(hex(signature), hex(&file));
}

pub(super) fn check_keyring(vector: &Json) -> Result<()> {
    let (mut party, clock) = (party(vector)?, number(&vector["clock"]));
    if let Some(before) = vector.get("taken_before") {
        party.keyring_at(&unhex(before), clock)?;
    }
    let keyring = party.keyring_at(&file(vector), clock)?;
    check_file(b"CNSK", vector);
    if let Some(inputs) = vector.get("inputs") {
        assert_eq!((keyring.party(), keyring.role()), (text(&inputs["party"]), text(&inputs["role"])));
        let names: Vec<_> = list(&inputs["parts"]).iter().map(|part| text(&part["name"])).collect();
        assert_eq!(keyring.parts().collect::<Vec<_>>(), names);
    }
    Ok(())
}

pub(super) fn check_bundle(vector: &Json) -> Result<()> {
    let mut party = party(vector)?;
    let clock = number(&vector["clock"]);
    let taken = vector.get("keyring_clock").map_or(clock, number);
    let keyring = party.keyring_at(&unhex(&vector["keyring"]), taken).expect("the keyring is a good one");
    let bundle = party.read_at(&keyring, &file(vector), clock)?;
    let orders = bundle.views(&keyring).map(|view| Ok(view?.to_json())).collect::<Result<Vec<_>>>()?;
    check_file(b"CNSB", vector);
    if let Some(inputs) = vector.get("inputs") {
        assert_eq!(json!(orders), vector["orders"]);
        let (issued, expires): (u64, u64) = (number(&inputs["issued"]), number(&inputs["expires"]));
        assert_eq!((bundle.issued_at(), bundle.expires_at().unwrap_or(0)), (issued, expires));
        for (copy, made) in list(&inputs["copies"]).iter().zip(list(&vector["intermediate"]["copies"])) {
            let bytes = unhex(&made["record"]);
            let record = Record::parse(&bytes)?;
            assert_eq!(
                (hex(record.header.record_id.0), record.header.revision),
                (text(&made["record_id"]).to_owned(), 0)
            );
            assert_eq!(record.parts().count(), list(&copy["sealing"]["parts"]).len());
        }
    }
    Ok(())
}
