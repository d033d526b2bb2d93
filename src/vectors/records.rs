//! Vectors of sealed records and their secret rows.

use serde_json::{Value as Json, json};

use super::{
    Vector, derive, fixed, hex,
    vaults::{DESK, World},
};
use crate::{
    Order,
    index::Query,
    keys::{Evidence, HandleKey, KeyKind, ReleaseKey},
    policy::PartId,
    sealer::{Plan, RowPlan, SealedOrder, Sealing},
    store::{SecretRow, SecretState, Tag},
    suite::{SealRng, Secret},
    value::{ValueRef, encode},
    view::{Record as _, mask},
};

/// Every type, every mask.
pub(super) const FULL: &str = r#"{"order_no":"10248","placed_at":"1996-07-04T08:00:00.50+08:00",
    "consignee":{"name":"王小明","phone":"+86 138-1234-5678","address":{"lines":["中山路 1 号",""],"city":"南京",
        "region":"","postal_code":"210000","country":"CN"}},
    "items":[{"sku":"T-1","title":"Teapot","quantity":1,"unit_price":"88.00","supplier":"Yixing"},
        {"sku":"C-9","title":"Cup","quantity":-2,"unit_price":"0.5","supplier":"Jingdezhen"}],
    "amount":{"value":"-472.38","currency":"CNY"},"note":"ring twice",
    "extra":{"gift":true,"grams":-9223372036854775808,"seal":"AP8A/w==","meta":{"a":[1,2.5,null]},"card":"1234567890"}}"#;

/// Empty values with their empty facets, and no `extra` at all.
pub(super) const EMPTY: &str = r#"{"order_no":"X","placed_at":"0001-01-01T00:00:00Z",
    "consignee":{"name":"","phone":"","address":{"lines":[],"city":"","country":""}},
    "items":[],"amount":{"value":"0","currency":"XXX"},"note":"","extra":{}}"#;

/// Values that take each way of padding, and short ones that masks hide whole.
const LONG: &str = r#"{"order_no":"SO-1","placed_at":"9999-12-31T23:59:59.999999999-23:59",
    "consignee":{"name":"P","phone":"123","address":{"lines":["59 rue de l-Abbaye"],"city":"Reims","country":"France"}},
    "items":[{"sku":"NW-011","title":"Queso Cabrales","quantity":12,"unit_price":"14.00","supplier":"Las Cabras"}],
    "amount":{"value":"999999999999999999","currency":"EUR"},"note":"NOTE","extra":{"card":"1234567"}}"#;

/// One sealing, and what went into it.
struct Case {
    order_no: String,
    seed: [u8; 32],
    sealed: SealedOrder,
    parts: Vec<Json>,
}

const PUT_AT: u64 = 1_790_000_200;

impl World {
    fn case(&self, name: &str, json: &str) -> Case {
        self.case_of_revision(1, name, json)
    }

    fn case_of_revision(&self, revision: u32, name: &str, json: &str) -> Case {
        let order = Order::from_json(json, &self.policy).unwrap();
        let plan = Plan::of::<Order>(&self.policy).unwrap();
        let seed = fixed(&format!("{} {name}", self.name));
        let mut rng = SealRng::from_seed(seed);
        let mut sealing = Sealing::new(&self.registry, &plan, &mut rng, 1).unwrap();
        let number = (order.order_no.as_str(), self.registry.id_key.record_id(&order.order_no));
        let row = RowPlan { serial: 10_248, put_at: PUT_AT, policy: 0, revision, closed: false };
        let sealed = sealing.seal(&order, number, row, None).unwrap();
        let parts = self.parts(&order);
        Case { order_no: order.order_no.clone(), seed, sealed, parts }
    }

    pub(super) fn parts(&self, order: &Order) -> Vec<Json> {
        let value = |name: &str| -> Option<ValueRef<'_>> {
            match Order::FIELDS.iter().position(|known| known.name == name) {
                Some(at) => order.field(at),
                None => order.extra.get(name).map(|value| value.as_ref()),
            }
        };
        let part = |part: crate::policy::Part<'_>| {
            let whole = value(&part.field.name)?;
            let mut shown = String::new();
            let value = match part.facet {
                None => whole,
                Some(facet) => {
                    assert!(mask::apply(facet.mask, whole, &mut shown));
                    ValueRef::Text(&shown)
                }
            };
            let mut encoded = Vec::new();
            encode(value, &mut encoded).unwrap();
            let id = part.id.get();
            Some(json!({
                "part": id, "name": part.name, "type": part.ty.name(), "facet": part.facet.is_some(),
                "value": value.to_json(), "encoded": hex(encoded),
                "field_key": hex(self.key(KeyKind::Field, id.into(), 1)),
            }))
        };
        self.policy.parts().filter_map(part).collect()
    }

    fn release(&self) -> ReleaseKey {
        ReleaseKey::new(1, self.suite, Secret::new(self.key(KeyKind::Release, 0, 1)))
    }

    /// The tags of an order, and what the ledger calls a search of the support desk for the same value.
    fn searched(&self, case: &Case) -> Vec<Json> {
        let epoch = &self.registry.epochs[0];
        let of_tag = |tag: &Tag| {
            let field = PartId::new(tag.field).unwrap();
            let part = self.policy.part(field).unwrap();
            let index = part.field.index.unwrap();
            let text = case.parts.iter().find(|known| known["part"] == tag.field).unwrap()["value"].clone();
            let query = Query::new(&self.policy, part.name, text.as_str().unwrap()).unwrap();
            assert!(crate::index::tag(epoch, field, &index, text.as_str().unwrap()) == Some(*tag));
            json!({
                "field": tag.field, "normaliser": index.normaliser.number(), "bits": index.bits(),
                "country": String::from_utf8(index.normaliser.country().to_vec()).unwrap(), "text": text,
                "tag": tag.value, "query": hex(query.name(&self.registry, &self.party_key_id(DESK))),
            })
        };
        case.sealed.tags.iter().map(of_tag).collect()
    }

    fn good(&self, name: &str, comment: &str, rules: &[&str], json: &str) -> Vector {
        let case = self.case(name, json);
        // What the sealing drew, in its order: OS, N1, N2, HK.
        let mut rng = SealRng::from_seed(case.seed);
        let (os, n1, n2) = (rng.array::<32>(), rng.array::<10>(), rng.array::<12>());
        let (hk, nonce) = (rng.array::<32>(), &case.sealed.secret.wrapped[..24]);
        let inputs = json!({
            "suite": self.suite.number(), "vault_id": hex(self.vault.0), "order_no": case.order_no, "revision": 1,
            "epoch": 1, "policy_digest": hex(self.policy.digest()), "n1": hex(n1), "n2": hex(n2),
            "id_key": hex(self.key(KeyKind::Id, 0, 0)), "order_secret": hex(os), "handle_key": hex(hk),
            "own_key_id": hex(self.party_key_id(0)), "party_key_id": hex(self.party_key_id(3)), "lines": "Yixing",
            "parts": case.parts,
            "row": {
                "suite": self.suite.number(), "generation": 1, "put_at": PUT_AT, "serial": 10_248, "policy": 0,
                "release_key": hex(self.key(KeyKind::Release, 0, 1)), "nonce": hex(nonce),
            },
        });
        let vector = json!({
            "comment": comment, "of": "record", "rules": rules, "expect": "opens",
            "vault": self.name, "order_no": case.order_no, "inputs": inputs, "intermediate": derive::sealing(&inputs),
            "record": hex(&case.sealed.record), "rows": [row_json(&case.sealed.secret)],
            "searched": self.searched(&case),
        });
        (format!("record-{name}-suite-{}", self.suite.number()), vector)
    }

    /// A record, its row, and one thing changed.
    fn bad(
        &self,
        name: &str,
        rule: &str,
        expect: &str,
        comment: &str,
        change: impl FnOnce(&mut SealedOrder),
    ) -> Vector {
        let mut case = self.case("full", FULL);
        let id = case.sealed.record_id;
        change(&mut case.sealed);
        let vector = json!({
            "comment": comment, "of": "record", "rules": [rule], "expect": expect, "vault": self.name,
            "order_no": case.order_no, "stored_under": hex(id.0), "record": hex(&case.sealed.record),
            "rows": [row_json(&case.sealed.secret)],
        });
        (format!("record-{name}"), vector)
    }
}

fn row_json(row: &SecretRow) -> Json {
    json!({
        "record_id": hex(row.record_id), "n1": hex(row.n1), "revision": row.revision, "generation": row.generation,
        "state": row.state as u8, "put_at": row.put_at, "serial": row.serial, "policy": row.policy,
        "fingerprint": hex(&row.fingerprint), "wrapped": hex(&row.wrapped),
    })
}

fn splice(record: &mut [u8], at: usize, bytes: &[u8]) {
    record[at..at + bytes.len()].copy_from_slice(bytes);
}

/// Where the directory begins, and the length of an entry.
const DIRECTORY: usize = 73;
const ENTRY: usize = 5;

pub(super) fn generate(worlds: &[World]) -> Vec<Vector> {
    let mut vectors = Vec::new();
    let long = LONG.replace("NOTE", &"ring twice ".repeat(40));
    for world in worlds {
        vectors.push(world.good(
            "full",
            "A value of each type and a facet by each mask.",
            &["F14", "F16"],
            FULL,
        ));
        let comment = "Empty values with empty facets; the parts of `extra` are absent.";
        vectors.push(world.good("empty", comment, &["F5"], EMPTY));
        vectors.push(world.good("long", "Lengths that take each way of padding.", &["F15"], &long));
    }
    let world = &worlds[0];
    let mut bad = |name, rule, expect, comment, change: &dyn Fn(&mut SealedOrder)| {
        vectors.push(world.bad(name, rule, expect, comment, change));
    };
    bad("magic", "F1", "damaged", "Another magic.", &|o| o.record[0] = b'c');
    bad("format-0", "F1", "damaged", "Format 0.", &|o| o.record[4] = 0);
    bad("format-2", "F1", "newer format", "Format 2.", &|o| o.record[4] = 2);
    bad("suite-3", "F1", "newer format", "Suite 3.", &|o| o.record[5] = 3);
    bad("parts-swapped", "F2", "damaged", "The first two part numbers change places.", &|o| {
        splice(&mut o.record, DIRECTORY, &[2, 0]);
        splice(&mut o.record, DIRECTORY + ENTRY, &[1, 0]);
    });
    bad("part-twice", "F2", "damaged", "The second part has the number of the first.", &|o| {
        splice(&mut o.record, DIRECTORY + ENTRY, &[1, 0]);
    });
    bad("part-0", "F2", "damaged", "The first part has the number 0.", &|o| {
        splice(&mut o.record, DIRECTORY, &[0, 0])
    });
    bad(
        "length-15",
        "F3",
        "damaged",
        "The first part has 15 bytes, the second takes the rest of them.",
        &|o| {
            let length = |record: &[u8], at: usize| {
                u32::from_le_bytes([record[at], record[at + 1], record[at + 2], 0])
            };
            let both = length(&o.record, DIRECTORY + 2) + length(&o.record, DIRECTORY + ENTRY + 2);
            splice(&mut o.record, DIRECTORY + 2, &15u32.to_le_bytes()[..3]);
            splice(&mut o.record, DIRECTORY + ENTRY + 2, &(both - 15).to_le_bytes()[..3]);
        },
    );
    bad("length-too-large", "F3", "damaged", "The first part's length is 1,048,593.", &|o| {
        splice(&mut o.record, DIRECTORY + 2, &1_048_593u32.to_le_bytes()[..3]);
    });
    bad("cut", "F4", "damaged", "The last byte is missing.", &|o| o.record.truncate(o.record.len() - 1));
    bad("longer", "F4", "damaged", "A byte follows the last ciphertext.", &|o| o.record.push(0));
    bad("cut-in-header", "F4", "damaged", "Only 71 bytes.", &|o| o.record.truncate(71));
    bad("no-parts", "F22", "damaged", "A directory of no parts.", &|o| {
        o.record.truncate(DIRECTORY + 12);
        o.record[72] = 0;
    });
    bad("97-parts", "F22", "damaged", "A directory of 97 parts, each of 16 bytes.", &|o| {
        o.record.truncate(72);
        o.record.push(97);
        (1..=97u8).for_each(|part| o.record.extend([part, 0, 16, 0, 0]));
        o.record.extend([0; 12 + 97 * 16]);
    });
    bad("nonce-altered", "F6", "cannot open", "A bit of N2.", &|o| {
        let parts = usize::from(o.record[72]);
        o.record[DIRECTORY + ENTRY * parts] ^= 1;
    });
    bad(
        "directory-altered",
        "F6",
        "cannot open",
        "The last part has another number, ascending as before.",
        &|o| {
            let at =
                o.record.windows(2).skip(DIRECTORY).position(|pair| pair == [0x2c, 1]).unwrap() + DIRECTORY;
            splice(&mut o.record, at, &[0x2d, 1]);
        },
    );
    bad("ciphertext-altered", "F6", "cannot open", "A bit of the last tag.", &|o| {
        *o.record.last_mut().unwrap() ^= 1
    });
    bad("other-suite", "F8", "damaged", "The header says suite 2, the epoch's is 1.", &|o| o.record[5] = 2);
    bad("other-epoch", "F23", "cannot open", "Epoch 2, of which there are no field keys.", &|o| {
        o.record[42] = 2;
    });
    bad("other-vault", "F23", "cannot open", "Another vault id.", &|o| o.record[6] ^= 1);
    bad("filed-under-another-id", "F9", "cannot open", "The header names another record id.", &|o| {
        o.record[22] ^= 1
    });
    let other = world.case("other number", &FULL.replace("10248", "10249"));
    let vector = json!({
        "comment": "The record of order 10249, sealed soundly under the record id of 10248.",
        "of": "record", "rules": ["F9"], "expect": "damaged", "vault": world.name, "order_no": "10248",
        "record": hex(refiled(world, &other).0), "rows": [refiled(world, &other).1],
    });
    vectors.push(("record-of-another-number".to_owned(), vector));
    let mut inputs = world.good("full", "", &[], FULL).1["inputs"].clone();
    inputs["policy_digest"] = hex(fixed::<32>("a policy nobody accepted")).into();
    let case = world.case("full", FULL);
    let vector = json!({
        "comment": "Sealed soundly under a policy that the vault never accepted.", "of": "record", "rules": ["F60"],
        "expect": "damaged", "vault": world.name, "order_no": "10248", "stored_under": hex(case.sealed.record_id.0),
        "record": derive::sealing(&inputs)["record"], "rows": [row_json(&case.sealed.secret)],
    });
    vectors.push(("record-of-no-policy".to_owned(), vector));
    let copy = world.case_of_revision(0, "full", FULL).sealed;
    let vector = json!({
        "comment": "Revision 0 in record and row, sealed soundly.", "of": "record", "rules": ["F58"], "expect": "damaged",
        "vault": world.name, "order_no": "10248", "stored_under": hex(copy.record_id.0), "record": hex(&copy.record),
        "rows": [row_json(&copy.secret)],
    });
    vectors.push(("record-revision-0".to_owned(), vector));
    rows(world, &mut vectors);
    evidence(world, &mut vectors);
    row_bytes(world, &mut vectors);
    vectors
}

/// The parts of a case sealed anew under the record id of order 10248.
fn refiled(world: &World, case: &Case) -> (Vec<u8>, Json) {
    let mut inputs = world.good("full", "", &[], FULL).1["inputs"].clone();
    inputs["parts"] = case.parts.clone().into();
    let sealed = world.case("full", FULL).sealed;
    let made = derive::sealing(&inputs);
    (super::unhex(&made["record"]), row_json(&sealed.secret))
}

fn rows(world: &World, vectors: &mut Vec<Vector>) {
    let mut bad = |name: &str, rule, expect, comment, change: &dyn Fn(&mut SealedOrder)| {
        let (_, vector) = world.bad(name, rule, expect, comment, change);
        vectors.push((format!("row-{name}"), vector));
    };
    bad("of-another-sealing", "F12", "rolled back", "There is a row for the order, with another N1.", &|o| {
        o.secret.n1[0] ^= 1
    });
    bad("superseded", "F12", "rolled back", "The row is superseded.", &|o| {
        o.secret.state = SecretState::Superseded
    });
    bad("other-revision", "F13", "rolled back", "The row's revision is 2, the record's 1.", &|o| {
        o.secret.revision = 2
    });
    bad("shredded", "F24", "shredded", "The row is shredded; the record is still there.", &|o| {
        o.secret.state = SecretState::Shredded;
        (o.secret.fingerprint, o.secret.wrapped) = (Vec::new(), Vec::new());
    });
    bad("put-time-altered", "F26", "cannot open", "The put time is a second later.", &|o| {
        o.secret.put_at += 1
    });
    bad("serial-altered", "F26", "cannot open", "The serial is the next one.", &|o| o.secret.serial += 1);
    bad("policy-altered", "F26", "cannot open", "The order was put under the next policy.", &|o| {
        o.secret.policy += 1
    });
    bad("wrap-altered", "F26", "cannot open", "A bit of the wrapped secret.", &|o| o.secret.wrapped[40] ^= 1);
    bad("wrap-cut", "F26", "cannot open", "The wrap's last byte is missing.", &|o| {
        o.secret.wrapped.pop();
    });
    bad(
        "of-another-generation",
        "F26",
        "cannot open",
        "A generation of which there is no release key.",
        &|o| o.secret.generation = 2,
    );
    let (_, mut vector) = world.bad("state-5", "F24", "damaged", "State 5.", |_| ());
    vector["rows"][0]["state"] = 5.into();
    vectors.push(("row-state-5".to_owned(), vector));
}

fn evidence(world: &World, vectors: &mut Vec<Vector>) {
    let sealed = world.case("full", FULL).sealed;
    let row = SecretRow { state: SecretState::Shredded, fingerprint: Vec::new(), ..sealed.secret };
    let context = world.registry.row_context(&row);
    let mut rng = SealRng::from_seed(fixed("evidence"));
    let handle_key = HandleKey::draw(&mut SealRng::from_seed(fixed("evidence handle key")));
    let reason = "erasure request, Art. 17".to_owned();
    let commitment = handle_key.reason_commitment(context.record_id, &reason);
    let wrapped = world
        .release()
        .wrap_evidence(&mut rng, &context, &Evidence { handle_key, reason: reason.clone() })
        .unwrap();
    let hk: [u8; 32] = SealRng::from_seed(fixed("evidence handle key")).array();
    let release_key = world.key(KeyKind::Release, 0, 1);
    let mut data = [
        b"consignee/v1/evidence".as_slice(),
        &world.vault.0,
        &row.record_id,
        &row.n1,
        &row.revision.to_le_bytes(),
        &row.generation.to_le_bytes(),
        &row.put_at.to_le_bytes(),
        &row.serial.to_le_bytes(),
        &row.policy.to_le_bytes(),
    ]
    .concat();
    data.resize(128, 0);
    let mut add = |name: &str, expect: &str, comment: &str, wrapped: &[u8], more: Json| {
        let shredded = SecretRow { wrapped: wrapped.to_vec(), ..row.clone() };
        let mut vector = json!({
            "comment": comment, "of": "evidence", "rules": ["F27"], "expect": expect,
            "vault_id": hex(world.vault.0), "suite": world.suite.number(), "release_key": hex(release_key),
            "row": row_json(&shredded),
        });
        more.as_object().unwrap().iter().for_each(|(key, value)| vector[key] = value.clone());
        vectors.push((format!("evidence-{name}"), vector));
    };
    let own = world.party_key_id(0);
    let more = json!({
        "handle_key": hex(hk), "reason": reason, "associated_data": hex(&data), "reason_commitment": hex(commitment),
        "own_key_id": hex(own), "nonce": hex(&wrapped[..24]),
    });
    add("good", "opens", "What is left of a shredded order.", &wrapped, more);
    let secret_label = world.case("full", FULL).sealed.secret.wrapped;
    add(
        "of-a-secret",
        "cannot open",
        "The wrap of a living secret in a shredded row.",
        &secret_label,
        json!({}),
    );
    let made =
        |plain: &[u8]| derive::wrap_with(world.suite, &release_key, fixed("evidence bad"), &data, plain);
    add("short", "cannot open", "31 bytes where the handle key has 32.", &made(&hk[..31]), json!({}));
    let not_text = made(&[&hk[..], &[0xff]].concat());
    add("reason-not-utf-8", "cannot open", "The reason is not UTF-8.", &not_text, json!({}));
}

fn row_bytes(world: &World, vectors: &mut Vec<Vector>) {
    let row = SecretRow { changed_at: PUT_AT + 1, ..world.case("full", FULL).sealed.secret };
    let mut add = |name: &str, comment: &str, expect: &str, row: Option<&SecretRow>, bytes: &[u8]| {
        let mut vector = json!({
            "comment": comment, "of": "row bytes", "rules": ["F57"], "expect": expect, "bytes": hex(bytes),
        });
        if let Some(row) = row {
            vector["row"] = row_json(row);
            vector["row"]["changed_at"] = row.changed_at.into();
        }
        vectors.push((format!("row-bytes-{name}"), vector));
    };
    let good = row.to_bytes();
    add("current", "The secret row of order 10248.", "opens", Some(&row), &good);
    let mut evidence =
        SecretRow { state: SecretState::Shredded, fingerprint: Vec::new(), wrapped: vec![7; 1096], ..row };
    let longest = evidence.to_bytes();
    add(
        "longest",
        "Shredded, with the longest reason (not a real wrap).",
        "opens",
        Some(&evidence),
        &longest,
    );
    evidence.wrapped = vec![7; 1097];
    let longer = evidence.to_bytes();
    add("longer", "A wrapped evidence of 1,097 bytes.", "damaged", None, &longer);
    evidence.wrapped = Vec::new();
    let nothing = evidence.to_bytes();
    add("nothing-left", "Shredded with its evidence.", "opens", Some(&evidence), &nothing);
    let mut bad = |name: &str, comment: &str, expect: &str, at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        add(name, comment, expect, None, &bytes);
    };
    bad("magic", "The magic is CNSR, a record's.", "damaged", 3, b'R');
    bad("format-0", "Format 0.", "damaged", 4, 0);
    bad("format-2", "Format 2.", "newer format", 4, 2);
    bad("state-0", "State 0.", "damaged", 5, 0);
    bad("fingerprint-15", "A fingerprint of 15 bytes.", "damaged", 68, 15);
    bad("not-zero", "The last byte is not zero.", "damaged", 191, 1);
    add("cut", "The last byte is missing.", "damaged", None, &good[..191]);
    add("more", "192 zeros too many.", "damaged", None, &[&good[..], &[0; 192]].concat());
}
