//! Opens every vector from the bytes of its file.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::{
    array, derive, folder, frontier, hex, leaf_hash, list, normalisers, number, padded_len, parties,
    party_keys, published, requests, slips, suite, text, unhex,
    vaults::{items_of, root_of},
};
use crate::{
    Error, ErrorKind, KeyFile, Order, Passphrase, Result, RootKeyProvider, Setup, ShredMode, Vault,
    alias::{Alias, AliasKey},
    keys::{RecordId, ReleaseKey, RowContext, VaultId},
    ledger::{Entry, EntryKind, Ledger},
    opener::unlock,
    policy::{CanonicalError, FieldType, Mask, PartId, Policy},
    record::Record,
    store::{LedgerHead, LedgerRow, Memory, RecordRow, SecretRow, SecretState, StoreError, Stores},
    suite::{Secret, Suite, commit, unwrap},
    value::{Address, ValueRef, decode_padded, encode, encode_padded},
    vault::SEALINGS,
    view::mask,
};

/// Sentences that no file can show, each with the reason.
const WITHOUT_VECTOR: &[(u32, &str)] = &[
    (
        7,
        "fresh bytes show only in two sealings: suite/tests.rs, and record/scope_tests.rs for what a second secret opens",
    ),
    (20, "what no entry holds: `no_entry_holds_a_value` below"),
    (44, "there are no items of other kinds"),
    (46, "which numbers a vault gave out is in its tables, not in the alias: tests/vault.rs"),
    (47, "2^32 sealings: `an_epoch_ends_at_its_limit` below"),
    (
        48,
        "one file has one failure; that two failures have one kind shows in those that expect `cannot open`",
    ),
    (49, "an order of steps leaves no trace in bytes; the layouts' own vectors have no keys that fit"),
    (50, "what a writer does after a failure: tests/crash_points.rs"),
    (53, "several policies and an update: tests/update.rs, tests/vault.rs, tests/attacks"),
    (54, "what a writer does after a failure: tests/crash_points.rs, tests/crash.rs, tests/update.rs"),
    (55, "what is gone after a day: tests/update.rs"),
    (56, "what a search does: tests/find.rs; `searched` of the good records has tags and queries"),
    (59, "a part that was cut out: tests/attacks"),
    (61, "refused as a whole: `a_record_altered_anywhere_does_not_open` in tests/attacks"),
    (62, "the files have one fault each; a shredded row beside a record: `row-shredded`"),
    (63, "an order without a row, or without a record: tests/vault.rs, tests/update.rs"),
    (64, "several rows of one order: tests/update.rs"),
    (65, "who may open is for policy and clock: tests/vault.rs"),
    (66, "who may open is for policy and clock: tests/vault.rs"),
    (67, "who may open is for policy and clock: tests/vault.rs"),
    (68, "what is left of a list: value/list.rs, tests/vault.rs"),
    (69, "what a search does: tests/find.rs"),
    (70, "what a search does: tests/find.rs"),
    (71, "what a search does: tests/find.rs"),
    (72, "what a search does: tests/find.rs"),
    (74, "one policy after another: crates/policy/tests/diff.rs, tests/vault.rs"),
    (75, "what is in force when a change fails: tests/crash_points.rs"),
    (76, "an order of reading leaves no trace in bytes: tests/threads.rs"),
    (77, "what stands beside the entries: tests/attacks, tests/doctor.rs"),
    (79, "what is left of a shredded order: tests/own_tables.rs"),
    (80, "what two generators of one state wrap: sealer_tests.rs"),
    (81, "the key is on the token only: keys/root/pkcs11.rs, tests/pkcs11.rs"),
    (82, "what a writer does, and after a failure: tests/custody.rs"),
    (
        83,
        "what a writer makes: store/contract.rs; `the_layout_is_raised_by_the_first_rotation_only` in tests/rotation.rs",
    ),
    (84, "bodies that no writer makes: registry/key_record.rs"),
    (85, "what a writer makes: tests/rotation.rs, tests/crash_points.rs"),
    (86, "what a writer refuses: tests/rotation.rs"),
    (
        87,
        "what is left in a file: store/sqlite/tests.rs; what a writer does after a failure: tests/crash_points.rs",
    ),
    (88, "what a writer makes: tests/rotation.rs"),
    (89, "what a writer does after a failure: tests/crash_points.rs, tests/rotation.rs"),
    (90, "what a writer makes: tests/rotation.rs"),
    (91, "what is read while keys change: tests/threads.rs"),
    (92, "what stands beside the entries: tests/doctor.rs"),
    (94, "what lies beside the items: tests/backup.rs"),
    (95, "several ledgers: tests/backup.rs"),
    (96, "several ledgers: tests/backup.rs"),
    (97, "sets of files: folder/manifest.rs, tests/backup.rs"),
    (98, "sets of files: tests/backup.rs"),
    (
        108,
        "what a writer does: `each_copy_is_a_disclosure_of_its_party_and_nothing_else_is_entered` in tests/attacks/sharing.rs",
    ),
    (
        109,
        "what leaves a vault: `a_stolen_database_and_a_couriers_machine_open_what_the_courier_was_given_and_no_more` in tests/attacks/sharing.rs",
    ),
    (110, "what a writer refuses: `a_key_belongs_to_one_party` in tests/attacks/sharing.rs"),
    (
        111,
        "what a writer does: `times_do_not_run_backwards_and_receipts_have_the_time_that_was_written` in src/ledger/group_tests.rs",
    ),
    (112, "no bytes of its own: the same test"),
    (
        113,
        "what a writer does: `who_comes_while_one_writes_is_written_together` in src/ledger/group_tests.rs",
    ),
    (
        114,
        "what a writer does: tests/group_commit.rs, `a_write_that_fails_fails_for_all_in_it_and_is_not_tried_again` in src/ledger/group_tests.rs",
    ),
    (117, "the time is for a clock: vault/request_tests.rs"),
    (
        118,
        "what was taken before: `a_request_is_taken_once_by_however_many_ask_at_a_time` in tests/attacks/requests.rs",
    ),
    (119, "who may ask is for the policy: tests/attacks/requests.rs"),
    (120, "what a writer enters: tests/attacks/requests.rs"),
    (121, "what a writer makes: tests/attacks/requests.rs"),
    (122, "whose alias it is only the vault knows: tests/attacks/requests.rs"),
    (
        123,
        "a request beside an entry: `an_entry_is_of_a_request_only_with_its_party_purpose_and_parts` in tests/attacks/requests.rs",
    ),
    (125, "which entries are an order's: who_saw_tests.rs, tests/who_saw.rs"),
    (126, "entries with a copied handle: `a_copied_handle_accuses_nobody` in who_saw_tests.rs"),
    (127, "several policies: tests/who_saw.rs"),
    (128, "what is left of a shredded order: tests/who_saw.rs"),
    (129, "an entry that is gone: tests/who_saw.rs"),
    (130, "a file outside of the vault: ledger/kept.rs"),
    (131, "a file outside of the vault: ledger/kept.rs, tests/kept.rs"),
    (132, "what a writer refuses: tests/kept.rs"),
    (133, "what a writer makes: tests/kept.rs"),
    (134, "sets of files: tests/kept.rs"),
    (135, "what a folder holds: evidence/tests.rs"),
    (136, "what a folder holds: evidence/tests.rs"),
    (137, "a statement beside ledgers: evidence/tests.rs"),
    (138, "keys that the reader was given: evidence/tests.rs, crates/cli/tests/evidence.rs"),
    (139, "proofs beside entries: evidence/tests.rs"),
    (140, "parties beside entries: evidence/tests.rs"),
    (141, "which entries are an order's: evidence/tests.rs"),
    (142, "an order beside entries: evidence/tests.rs"),
    (143, "openings beside entries: evidence/tests.rs"),
    (144, "what a writer writes: evidence/tests.rs"),
    (145, "whole ledgers: evidence/tests.rs, crates/cli/tests/evidence.rs"),
    (146, "parties beside whole ledgers: evidence/tests.rs"),
    (147, "policies beside whole ledgers: evidence/tests.rs"),
    (148, "entries beside a claim: evidence/tests.rs"),
    (149, "what is said of it: crates/cli/tests/evidence.rs"),
    (152, "what a writer takes into a slip: slip/tests.rs"),
    (153, "published ledgers, and their witnesses: slip/tests.rs"),
    (154, "a ledger that was rebuilt or cut: slip/tests.rs"),
    (155, "what is said of a ledger: slip/tests.rs"),
    (156, "a shop's answer: slip/tests.rs"),
    (157, "a shop's answer and what it proves: slip/tests.rs"),
    (158, "names in an answer: slip/tests.rs"),
    (159, "what a writer answers with: slip/tests.rs"),
    (160, "what a publisher does: publish/tests/publishing.rs, tests/ledger_published.rs"),
    (161, "what a publisher does, and after a crash: publish/tests/publishing.rs"),
    (162, "what a publisher keeps: publish/tests/cosigned.rs"),
    (163, "what is taken into a published log: publish/tests/cosigned.rs"),
    (168, "files that are not to be read: publish/tests/publishing.rs, publish/tests/cosigned.rs"),
    (170, "what is told of a good log: publish/tests/faults.rs"),
    (171, "several ledgers of a vault: tests/ledger_published.rs"),
    (172, "one log beside another: publish/tests/split.rs"),
    (173, "what a witness keeps: tests/ledger_published.rs"),
    (174, "what a witness does: tests/ledger_published.rs, publish/tests/split.rs"),
];

fn files() -> BTreeMap<String, Json> {
    let mut files = BTreeMap::new();
    for file in fs::read_dir(folder()).unwrap() {
        let path = file.unwrap().path();
        assert!(path.extension().is_some_and(|ending| ending == "json"), "{}", path.display());
        let vector = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        files.insert(path.file_stem().unwrap().to_str().unwrap().to_owned(), vector);
    }
    assert!(!files.is_empty(), "no vectors");
    files
}

#[test]
fn every_file_is_read_and_does_what_it_says() {
    let files = files();
    let mut wrong = Vec::new();
    for (name, vector) in &files {
        assert!(!text(&vector["comment"]).is_empty() && !list(&vector["rules"]).is_empty(), "{name}");
        let outcome = match text(&vector["of"]) {
            "vault" => vault(vector),
            "record" => record(vector, &files),
            "evidence" => evidence(vector),
            "row bytes" => row_bytes(vector),
            "value" => value(vector),
            "padding" => padding(vector),
            "mask" => masked(vector),
            "normaliser" => {
                normalisers::check(vector);
                Ok(())
            }
            "policy" => policy(vector),
            "entry" => entry(vector),
            "ledger" => ledger(vector),
            "alias" => alias(vector),
            "key file" => key_file(vector),
            "passphrase" => passphrase(vector),
            "party key" => party_keys::check_private(vector),
            "public key" => party_keys::check_public(vector),
            "card" => party_keys::check_card(vector),
            "keyring" => parties::check_keyring(vector),
            "bundle" => parties::check_bundle(vector),
            "request" => requests::check_request(vector),
            "revealed" => requests::check_revealed(vector),
            "slip" => slips::check(vector),
            "published" => published::check_published(vector),
            other => panic!("{name} is of {other}, which nothing here reads"),
        };
        let found = outcome.as_ref().map_or_else(|error| error.kind().name(), |()| "opens");
        let expected = text(&vector["expect"]);
        if found != expected {
            wrong.push(format!("{name}: {found}, expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Each numbered sentence of the format has a vector or a reason why not, and no vector cites one that is not there.
#[test]
fn every_sentence_has_its_vector() {
    let format = include_str!("../../docs/format.md");
    let numbers: Vec<u32> =
        format.split("**F").skip(1).filter_map(|rest| rest.split_once("**")?.0.parse().ok()).collect();
    let sentences: BTreeSet<u32> = numbers.iter().copied().collect();
    assert_eq!(numbers.len(), sentences.len(), "no number stands twice");
    let cited: BTreeSet<u32> = files()
        .values()
        .flat_map(|vector| list(&vector["rules"]).iter().map(|rule| text(rule)[1..].parse().unwrap()))
        .collect();
    let excused: BTreeSet<u32> = WITHOUT_VECTOR.iter().map(|(sentence, _)| *sentence).collect();
    assert!(cited.is_disjoint(&excused), "{:?} have vectors", cited.intersection(&excused));
    assert_eq!(&cited | &excused, sentences);
    assert_eq!(
        sentences.iter().copied().collect::<Vec<_>>(),
        (1..=sentences.last().copied().unwrap()).collect::<Vec<_>>()
    );
}

#[test]
fn an_epoch_ends_at_its_limit() {
    let (stores, vault) = resumed(&files()["vault-suite-1"]);
    let (vault, order) = (vault.unwrap(), |number: &str| {
        let json = super::records::FULL.replace("10248", number);
        Order::from_json(&json, &Policy::parse(super::vaults::POLICY).unwrap()).unwrap()
    });
    let warned = || {
        vault
            .doctor()
            .unwrap()
            .iter()
            .any(|finding| finding.check == "keys" && finding.message.contains("2^30"))
    };
    stores.keys.allot(SEALINGS + 1, (1 << 30) - 1).unwrap();
    assert!(!warned());
    stores.keys.allot(SEALINGS + 1, 1).unwrap();
    assert!(warned());
    stores.keys.allot(SEALINGS + 1, (1 << 32) - (1 << 30) - 256).unwrap();
    let last: Vec<_> = (0..256).map(|number| order(&number.to_string())).collect();
    assert!(vault.put_many(&last).unwrap().iter().all(Result::is_ok));
    assert_eq!(vault.put(&order("one more")).unwrap_err().kind(), &ErrorKind::Limit);
}

#[test]
fn no_entry_holds_a_value() {
    let setup = Setup { policy: super::vaults::POLICY.into(), ..Setup::default() };
    let vault = Vault::in_memory(&setup).unwrap();
    vault.add_party("Secret Courier", "platform", None).unwrap();
    let order = Order::from_json(super::records::FULL, &vault.policy().unwrap()).unwrap();
    vault.put(&order).unwrap();
    let view = vault.open("Secret Courier", "operation", "10248").unwrap();
    vault.shred("10248", "a secret reason", ShredMode::KeepEvidence).unwrap();
    let mut secrets = vec![b"Secret Courier".to_vec(), b"a secret reason".to_vec(), b"10248".to_vec()];
    for (_, value) in &view.values {
        secrets.push(vec![]);
        encode(value.as_ref(), secrets.last_mut().unwrap()).unwrap();
        secrets.extend(value.to_json().as_str().map(|text| text.as_bytes().to_vec()));
    }
    // Values of a byte or two stand in any bytes by chance.
    secrets.retain(|secret| secret.len() > 4);
    assert!(secrets.len() > 15);
    let entries = vault.ledger_entries(0, 100).unwrap();
    assert!(entries.iter().any(|entry| entry.kind == EntryKind::Shred) && entries.len() == 6);
    for entry in &entries {
        let bytes = entry.encode().unwrap();
        for secret in &secrets {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{}", entry.kind.name());
            let hash = Sha256::digest(secret);
            assert!(
                !bytes.windows(16).any(|window| *window == hash[..16]),
                "a hash in {}",
                entry.kind.name()
            );
        }
    }
}

fn resumed(vector: &Json) -> (Stores, Result<Vault>) {
    let stores = Memory::stores();
    stores.keys.write_items(&items_of(vector)).unwrap();
    let vault = Vault::resume(stores.clone(), &KeyFile::from_bytes(root_of(vector)));
    (stores, vault)
}

fn vault(vector: &Json) -> Result<()> {
    let vault = resumed(vector).1?;
    let root = Secret::new(root_of(vector));
    for wrap in list(&vector["keys"]) {
        let data = [
            b"consignee/v1/wrap".as_slice(),
            &unhex(&vector["vault_id"]),
            &[number(&wrap["kind"])],
            &number::<u32>(&wrap["id"]).to_le_bytes(),
            &number::<u32>(&wrap["generation"]).to_le_bytes(),
            &[number(&wrap["suite"])],
            &unhex(&vector["parameters"]),
        ]
        .concat();
        assert_eq!(hex(&data), text(&wrap["associated_data"]));
        let mut key = [0; 32];
        unwrap(Suite::Aes256Gcm, &root, &data, &unhex(&wrap["wrapped"]), &mut key).unwrap();
        assert_eq!(hex(key), text(&wrap["key"]));
        assert!(text(&wrap["wrapped"]).starts_with(text(&wrap["nonce"])));
    }
    assert_eq!(hex(vault.policy()?.digest()), text(&vector["policy_digest"]));
    for party in list(&vector["parties"]) {
        let id = derive::key_id(&array(&vector["vault_id"]), number(&party["number"]));
        assert_eq!(hex(id), text(&party["key_id"]));
    }
    Ok(())
}

fn damaged() -> Error {
    Error::from(StoreError::Damaged)
}

fn row(node: &Json) -> Result<SecretRow> {
    Ok(SecretRow {
        record_id: array(&node["record_id"]),
        n1: array(&node["n1"]),
        revision: number(&node["revision"]),
        generation: number(&node["generation"]),
        state: SecretState::from_number(number(&node["state"])).ok_or_else(damaged)?,
        put_at: number(&node["put_at"]),
        serial: number(&node["serial"]),
        policy: number(&node["policy"]),
        changed_at: 0,
        fingerprint: unhex(&node["fingerprint"]),
        wrapped: unhex(&node["wrapped"]),
    })
}

/// Puts the file's bytes into stores and opens them as two parties do; then compares everything on the way.
fn record(vector: &Json, files: &BTreeMap<String, Json>) -> Result<()> {
    let (stores, vault) = resumed(&files[text(&vector["vault"])]);
    let vault = vault?;
    let rows = list(&vector["rows"]).iter().map(row).collect::<Result<Vec<_>>>()?;
    let sealed = unhex(&vector["record"]);
    let id = rows[0].record_id;
    stores
        .orders
        .insert_records(&[RecordRow {
            id,
            revision: 1,
            put_day: 0,
            sealed: sealed.clone(),
            tags: Vec::new(),
        }])
        .unwrap();
    stores.secrets.insert_secrets(&rows).unwrap();
    let order_no = text(&vector["order_no"]);
    let whole = vault.open("Shop", "operation", order_no)?;
    let reduced = vault.open("Desk", "after_sale", order_no)?;

    let mut opened: Vec<_> = whole.values.iter().chain(&reduced.values).collect();
    opened.sort_by_key(|(part, _)| *part);
    let inputs = &vector["inputs"];
    let parts = list(&inputs["parts"]);
    assert_eq!(opened.len(), parts.len());
    for ((part, value), expected) in opened.into_iter().zip(parts) {
        let mut encoded = Vec::new();
        encode(value.as_ref(), &mut encoded)?;
        assert_eq!(json!(part.get()), expected["part"]);
        assert_eq!(hex(encoded), text(&expected["encoded"]));
        assert_eq!(value.field_type().name(), text(&expected["type"]));
        assert_eq!(value.to_json(), expected["value"]);
    }
    let intermediate = derive::sealing(inputs);
    assert_eq!(intermediate, vector["intermediate"]);
    assert_eq!(intermediate["record"], vector["record"]);
    assert_eq!(intermediate["record_id"], vector["rows"][0]["record_id"]);
    commitments(&vault, (&sealed, &rows[0]), inputs, &intermediate)?;
    let of_row = &intermediate["row"];
    assert_eq!(hex(&rows[0].fingerprint), text(&of_row["fingerprint"]));
    let (release, mut plain) = (Secret::new(array(&inputs["row"]["release_key"])), [0; 64]);
    let wrap_suite = suite(&inputs["row"]["suite"]).unwrap();
    unwrap(wrap_suite, &release, &unhex(&of_row["associated_data"]), &rows[0].wrapped, &mut plain).unwrap();
    assert_eq!(hex(plain), text(&of_row["plaintext"]));
    assert!(hex(&rows[0].wrapped).starts_with(text(&inputs["row"]["nonce"])));
    Ok(())
}

/// What the library commits to of this order, and calls it, beside what the vector derives.
fn commitments(
    vault: &Vault,
    (sealed, row): (&[u8], &SecretRow),
    inputs: &Json,
    derived: &Json,
) -> Result<()> {
    let (registry, record) = (vault.registry()?, Record::parse(sealed)?);
    let (secret, handle_key) = unlock(&registry, &record, row)?;
    let (id, known) = (RecordId(row.record_id), &derived["commitments"]);
    assert_eq!(hex(secret.commitment(id, &row.n1)), text(&known["os"]));
    assert_eq!(hex(handle_key.order_commitment(id, text(&inputs["order_no"]))), text(&known["order"]));
    for (whose, handle) in [("own_key_id", "vault"), ("party_key_id", "party")] {
        assert_eq!(hex(handle_key.handle(&array(&inputs[whose]))), text(&derived["handles"][handle]));
    }
    let epoch = registry.epoch(record.header.epoch).unwrap();
    for fk in list(&known["fk"]) {
        let part = PartId::new(number(&fk["part"])).unwrap();
        let commitment = epoch.get(part).unwrap().commitment(registry.vault, epoch.epoch, part, epoch.suite);
        assert_eq!(hex(commitment), text(&fk["commitment"]));
    }
    Ok(())
}

fn evidence(vector: &Json) -> Result<()> {
    let row = row(&vector["row"])?;
    let context = RowContext {
        vault: VaultId(array(&vector["vault_id"])),
        record_id: RecordId(row.record_id),
        n1: row.n1,
        revision: row.revision,
        generation: row.generation,
        put_at: row.put_at,
        serial: row.serial,
        policy: row.policy,
    };
    let key = Secret::new(array(&vector["release_key"]));
    let release = ReleaseKey::new(row.generation, suite(&vector["suite"]).unwrap(), key);
    let cannot_open = |_| Error::new(ErrorKind::CannotOpen, "the evidence does not open");
    let evidence = release.unwrap_evidence(&context, &row.wrapped).map_err(cannot_open)?;
    assert_eq!(evidence.reason, text(&vector["reason"]));
    let commitment = evidence.handle_key.reason_commitment(context.record_id, &evidence.reason);
    assert_eq!(hex(commitment), text(&vector["reason_commitment"]));
    let inputs: [&[u8]; 3] = [&unhex(&vector["handle_key"]), &row.record_id, evidence.reason.as_bytes()];
    assert_eq!(commitment, commit("consignee/v1/commit/reason", &inputs));
    Ok(())
}

fn row_bytes(vector: &Json) -> Result<()> {
    let bytes = unhex(&vector["bytes"]);
    let read = SecretRow::from_bytes(&bytes)?;
    let changed_at = number(&vector["row"]["changed_at"]);
    assert_eq!(read, SecretRow { changed_at, ..row(&vector["row"])? });
    assert_eq!(read.to_bytes(), bytes);
    Ok(())
}

fn value(vector: &Json) -> Result<()> {
    let tag =
        (1..=9).find(|tag| FieldType::from_tag(*tag).is_some_and(|ty| ty.name() == text(&vector["type"])));
    let bytes = unhex(&vector["padded"]);
    let value = decode_padded(&bytes, FieldType::from_tag(tag.unwrap()).unwrap())?.to_value();
    let mut again = Vec::new();
    encode_padded(value.as_ref(), &mut again)?;
    assert_eq!(again, bytes);
    assert_eq!(value.to_json(), vector["value"]);
    Ok(())
}

fn padding(vector: &Json) -> Result<()> {
    for pair in list(&vector["lengths"]) {
        let (length, expected): (usize, usize) = (number(&pair[0]), number(&pair[1]));
        assert_eq!(padded_len(1, length), expected);
        let Some(characters) = length.checked_sub(5) else { continue };
        let mut padded = Vec::new();
        encode_padded(ValueRef::Text(&"x".repeat(characters)), &mut padded)?;
        assert_eq!(padded.len(), expected, "{length}");
    }
    Ok(())
}

fn masked(vector: &Json) -> Result<()> {
    let mask = [Mask::Name, Mask::Phone, Mask::City, Mask::Last4]
        .into_iter()
        .find(|mask| json!(mask.number()) == vector["mask"]);
    for case in list(&vector["cases"]) {
        let address = Address { city: text(&case[0]).to_owned(), ..Address::default() };
        let value = match mask {
            Some(Mask::City) => ValueRef::Address(&address),
            _ => ValueRef::Text(text(&case[0])),
        };
        let mut out = String::new();
        assert!(mask::apply(mask.unwrap(), value, &mut out));
        assert_eq!(out, text(&case[1]));
    }
    Ok(())
}

fn policy(vector: &Json) -> Result<()> {
    let bytes = unhex(&vector["canonical"]);
    let policy = Policy::from_canonical(&bytes).map_err(|error| match error {
        CanonicalError::NewerVersion => Error::from(StoreError::Newer),
        _ => damaged(),
    })?;
    assert_eq!(policy.canonical(), bytes);
    assert_eq!(hex(policy.digest()), text(&vector["digest"]));
    Ok(())
}

fn entry(vector: &Json) -> Result<()> {
    let bytes = unhex(&vector["entry"]);
    assert_eq!(hex(single_root(&bytes)), text(&vector["leaf"]), "an entry is hashed before it is understood");
    let entry = Entry::decode(&bytes)?;
    assert_eq!(entry.encode()?, bytes);
    let fields = &vector["fields"];
    let parts: Vec<_> = entry.parts.iter().map(|part| part.get()).collect();
    let commitments: Vec<_> = entry.commitments.iter().map(hex).collect();
    assert_eq!(
        json!({
            "type": entry.kind.number(), "time": entry.time, "handle": hex(entry.handle), "party": hex(entry.party),
            "revision": entry.revision, "purpose": entry.purpose, "policy": hex(entry.policy), "parts": parts,
            "commitments": commitments, "request": hex(entry.request), "detail": hex(&entry.detail),
        }),
        *fields
    );
    if let Some(inputs) = vector.get("commitment_inputs") {
        let salt = unhex(&inputs["salt"]);
        let texts = ["role", "name", "lines"].map(|name| text(&inputs[name]).as_bytes());
        let made = commit("consignee/v1/commit/party", &[&salt, texts[0], texts[1], texts[2]]);
        assert_eq!(made, entry.commitments[0]);
    }
    Ok(())
}

/// A ledger that holds these entries, under this head.
fn stored(entries: &[Vec<u8>], frontier: Vec<[u8; 32]>) -> Ledger {
    let stores = Memory::stores();
    let head = LedgerHead { size: entries.len() as u64, frontier };
    let handle = |bytes: &Vec<u8>| Entry::decode(bytes).map_or([0; 16], |entry| entry.handle);
    let row = |bytes: &Vec<u8>| LedgerRow { handle: handle(bytes), bytes: bytes.clone() };
    stores.ledger.append(&mut |_| (entries.iter().map(row).collect(), head.clone())).unwrap();
    Ledger::new(&stores)
}

fn single_root(entry: &[u8]) -> [u8; 32] {
    let leaf = leaf_hash(entry);
    assert_eq!(stored(&[entry.to_vec()], vec![leaf]).state().unwrap().root, leaf);
    leaf
}

fn ledger(vector: &Json) -> Result<()> {
    let entries: Vec<_> = list(&vector["entries"]).iter().map(unhex).collect();
    assert_eq!(json!(entries.len()), vector["size"]);
    let heads = list(&vector["frontier"]).iter().map(array).collect();
    let state = stored(&entries, heads).verify()?;
    assert_eq!(hex(state.root), text(list(&vector["roots"]).last().unwrap()));
    let leaves: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    for (size, root) in list(&vector["roots"]).iter().enumerate() {
        let state = stored(&entries[..size], frontier(&leaves[..size])).verify()?;
        assert_eq!(hex(state.root), text(root));
    }
    Ok(())
}

fn alias(vector: &Json) -> Result<()> {
    let key = AliasKey::new(VaultId(array(&vector["vault_id"])), &Secret::new(array(&vector["alias_key"])))
        .unwrap();
    let alias = Alias::parse(text(&vector["alias"])).ok_or_else(|| Error::input("alias", "no alias"))?;
    let never = || Error::new(ErrorKind::NotFound, "this vault never made this alias");
    let (party, serial) = key.resolve(&alias).ok_or_else(never)?;
    assert_eq!((json!(party), json!(serial)), (vector["party"].clone(), vector["serial"].clone()));
    assert!(key.alias(party, serial).unwrap() == alias);
    let block = u64::from_be_bytes(array(&vector["block"]));
    let folded = |name: &str| list(&vector[name]).iter().fold(0u64, |sum, n| sum << 5 | n.as_u64().unwrap());
    assert_eq!(
        (folded("plain_numerals"), block >> 42, block >> 6 & ((1 << 36) - 1)),
        (block, party.into(), serial)
    );
    let digit = |n: &Json| char::from(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"[number::<usize>(n)]);
    let shown: String =
        list(&vector["cipher_numerals"]).iter().chain([&vector["check_numeral"]]).map(digit).collect();
    assert_eq!(shown, alias.to_string().replace('-', ""));
    Ok(())
}

/// The key a vector states, by what it unwraps.
fn unwraps(vector: &Json, provider: &dyn RootKeyProvider, parameters: &[u8]) -> Result<()> {
    let key = provider
        .unlock(parameters)?
        .unwrap(&unhex(&vector["associated_data"]), &unhex(&vector["wrapped"]))?;
    assert_eq!(hex(*key), text(&vector["unwrapped"]));
    let mut again = [0; 32];
    let stated = Secret::new(array(&vector["key"]));
    unwrap(
        Suite::Aes256Gcm,
        &stated,
        &unhex(&vector["associated_data"]),
        &unhex(&vector["wrapped"]),
        &mut again,
    )
    .unwrap();
    assert_eq!(again, *key);
    Ok(())
}

fn key_file(vector: &Json) -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root.key");
    fs::write(&path, text(&vector["text"])).unwrap();
    #[cfg(unix)]
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    unwraps(vector, &KeyFile::read(&path)?, &[1])
}

fn passphrase(vector: &Json) -> Result<()> {
    let provider = Passphrase::new(text(&vector["passphrase"]));
    if text(&vector["expect"]) != "opens" {
        return provider.unlock(&unhex(&vector["parameters"])).map(drop);
    }
    unwraps(vector, &provider, &unhex(&vector["parameters"]))
}
