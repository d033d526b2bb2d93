#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use super::{bundle::Folder, *};
use crate::{
    Kem, Order, Party, PartyKey, Patch, Setup, Value, Vault,
    error::{Error, ErrorKind},
    ledger::EntryKind,
    policy::Policy,
    tlog::TrustPolicy,
};

/// A folder for one test, removed with it.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("consignee-evidence-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn order(number: &str) -> Order {
    let json = format!(
        r#"{{"order_no":"{number}","placed_at":"2026-11-11T20:14:05+08:00","consignee":{{"name":"Wang Xiaoming",
            "phone":"13812345678","address":{{"lines":["1 Zhongshan Road"],"city":"Nanjing","country":"CN"}}}},
            "items":[],"amount":{{"value":"88.00","currency":"CNY"}}}}"#
    );
    Order::from_json(&json, &Policy::built_in()).unwrap()
}

/// A courier was given the order, agent 17 facets and a search hit, agent 18 nothing.
fn vault() -> Vault {
    let vault = Vault::in_memory(&Setup::default()).unwrap();
    vault.add_party("SF Express", "courier", None).unwrap();
    vault.add_party("agent 17", "support", None).unwrap();
    vault.add_party("agent 18", "support", None).unwrap();
    vault.add_party("accounts", "finance", None).unwrap();
    vault.put_many(&[order("SO-1"), order("SO-2")]).unwrap();
    vault.open("SF Express", "delivery", "SO-1").unwrap();
    vault.open("agent 17", "after_sale", "SO-1").unwrap();
    vault.open("agent 18", "after_sale", "SO-2").unwrap();
    vault.find("agent 17", "after_sale", "consignee.phone", "13812345678").unwrap();
    vault.open("accounts", "accounting", "SO-1").unwrap();
    vault
}

fn trusted(vault: &Vault) -> Vec<TrustPolicy> {
    vec![TrustPolicy::log_only(vault.ledger_key(1).unwrap())]
}

fn verify(folder: &Path, trust: &[TrustPolicy]) -> Result<Proven, Error> {
    Evidence::open(folder)?.verify(trust)
}

fn prove(vault: &Vault, to: &Path) -> Proven {
    vault.prove("SO-1", &EvidenceSources::default(), to).unwrap()
}

fn clear(vault: &Vault, party: &str, field: &str, to: &Path) -> Clearing {
    vault.clear(party, "SO-1", field, &EvidenceSources::default(), to).unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let to = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(file, to).unwrap();
    }
}

/// Signs a folder anew after it was altered, as a shop that forges its own evidence can.
fn forge(vault: &Vault, folder: &Path) {
    let (manifest, note) = (folder.join(bundle::MANIFEST), folder.join(bundle::SIGNED));
    let (_, _) = (fs::remove_file(manifest), fs::remove_file(note));
    let copied = folder.with_extension("forged");
    let mut writer = bundle::Writer::new(&copied).unwrap();
    for file in files(folder) {
        let path = file.strip_prefix(folder).unwrap().to_str().unwrap();
        if path.contains("/tile/") {
            fs::create_dir_all(copied.join(path).parent().unwrap()).unwrap();
            fs::copy(&file, copied.join(path)).unwrap();
        } else {
            let to = copied.join(path);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            writer.add(path, &fs::read(&file).unwrap()).unwrap();
        }
    }
    let (registry, _) = vault.registry_that_signs().unwrap();
    writer.seal(&registry.checkpoint_key(registry.ledger_number()).unwrap()).unwrap();
    writer.keep();
    fs::remove_dir_all(folder).unwrap();
    fs::rename(copied, folder).unwrap();
}

fn edit(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{from} is not in {}", file.display());
    fs::write(file, text.replace(from, to)).unwrap();
}

#[test]
fn evidence_has_every_entry_of_the_order_and_opens_what_was_disclosed() {
    let (place, vault) = (Place::new(), vault());
    let to = place.at("evidence");
    prove(&vault, &to);
    let proven = verify(&to, &trusted(&vault)).unwrap();
    let told = vault.who_saw("SO-1").unwrap();
    let places = |entries: &[ProvenEntry]| entries.iter().map(|entry| entry.place).collect::<Vec<_>>();
    assert_eq!(places(&proven.entries), told.entries.iter().map(|entry| entry.place).collect::<Vec<_>>());
    for entry in &proven.entries {
        let is_disclosed = entry.party.is_some() && entry.entry.kind == EntryKind::Disclosure;
        let must_open = is_disclosed || entry.entry.kind == EntryKind::Put;
        assert_eq!(entry.opening == Opening::Holds, must_open, "{}", entry.place);
    }
    let sf = proven
        .entries
        .iter()
        .find(|entry| entry.party.as_ref().is_some_and(|(name, _)| name == "SF Express"));
    let parts: Vec<_> = sf.unwrap().parts.iter().map(|part| part.name.clone().unwrap()).collect();
    assert_eq!(parts, ["consignee.name", "consignee.phone", "consignee.address"]);
    assert!(!proven.is_witnessed());
    // By its own word, too.
    let evidence = Evidence::open(&to).unwrap();
    assert_eq!(evidence.verify(&evidence.own_trust().unwrap()).unwrap().entries.len(), proven.entries.len());
}

/// After a change the record that was opened is gone: its entries stay closed, with the reason, and the rest still holds.
#[test]
fn what_is_not_there_any_more_stays_closed_with_the_reason() {
    let (place, vault) = (Place::new(), vault());
    vault.update("SO-1", 1, Patch::new().set("note", Value::Text("ring twice".into()))).unwrap();
    let proven = prove(&vault, &place.at("evidence"));
    let open = |kind| {
        let of_kind = proven.entries.iter().filter(move |entry| entry.entry.kind == kind);
        of_kind.filter(|entry| entry.opening == Opening::Holds).count()
    };
    assert_eq!((open(EntryKind::Put), open(EntryKind::Disclosure), open(EntryKind::Update)), (0, 0, 1));
    let closed = |entry: &ProvenEntry| matches!(&entry.opening, Opening::Closed(why) if why.contains("not there any more"));
    assert!(proven.entries.iter().filter(|entry| entry.party.is_some()).any(closed));
}

#[test]
fn every_altered_byte_of_evidence_and_of_a_clearing_proof_is_found() {
    let (place, vault) = (Place::new(), vault());
    let (evidence, cleared) = (place.at("evidence"), place.at("cleared"));
    prove(&vault, &evidence);
    assert!(matches!(clear(&vault, "agent 18", "consignee.phone", &cleared), Clearing::Cleared(_)));
    let trust = trusted(&vault);
    for folder in [evidence, cleared] {
        verify(&folder, &trust).unwrap();
        for file in files(&folder) {
            let whole = fs::read(&file).unwrap();
            // Of what no digest covers, every byte.
            let is_note = file.ends_with(bundle::SIGNED);
            let some = [0, whole.len() / 2, whole.len() - 1];
            for at in (0..whole.len()).filter(|at| is_note || some.contains(at)) {
                let mut altered = whole.clone();
                altered[at] ^= 1;
                fs::write(&file, &altered).unwrap();
                assert!(verify(&folder, &trust).is_err(), "byte {at} of {}", file.display());
            }
            fs::write(&file, &whole).unwrap();
        }
        verify(&folder, &trust).unwrap();
    }
}

#[test]
fn every_file_that_is_missing_is_named() {
    let (place, vault) = (Place::new(), vault());
    let (evidence, cleared) = (place.at("evidence"), place.at("cleared"));
    prove(&vault, &evidence);
    clear(&vault, "agent 18", "consignee.phone", &cleared);
    for folder in [evidence, cleared] {
        for file in files(&folder) {
            let whole = fs::read(&file).unwrap();
            fs::remove_file(&file).unwrap();
            let name = file.strip_prefix(&folder).unwrap().to_str().unwrap();
            let e = verify(&folder, &trusted(&vault)).unwrap_err();
            // A tile is named by its path below the log.
            let named =
                name.split_once("/public/").or(name.split_once("/audit/")).map_or(name, |(_, path)| path);
            let is_log = name.starts_with("log/");
            assert!(
                e.to_string().contains(named) || is_log && e.to_string().contains("ledger 1"),
                "{name}: {e}"
            );
            fs::write(&file, &whole).unwrap();
        }
    }
}

/// What a shop forges and signs with its own key, so that the manifest is right.
#[test]
fn evidence_that_its_own_shop_forged_is_refused() {
    let (place, vault) = (Place::new(), vault());
    let good = place.at("evidence");
    prove(&vault, &good);
    let hk = |order: &str, name: &str| {
        let to = place.at(name);
        vault.prove(order, &EvidenceSources::default(), &to).unwrap();
        fs::read_to_string(to.join(ORDER)).unwrap()
    };
    let other_order = hk("SO-2", "other");
    let party_of = |folder: &Path, name: &str| {
        let named = |file: &PathBuf| fs::read_to_string(file).is_ok_and(|text| text.contains(name));
        files(&folder.join("parties")).into_iter().find(named).unwrap()
    };
    let opening = |folder: &Path, what: &str| {
        let its = |file: &PathBuf| fs::read_to_string(file).is_ok_and(|text| text.contains(what));
        files(&folder.join("openings")).into_iter().find(its).unwrap()
    };
    type Forgery<'a> = (&'a str, Box<dyn Fn(&Path) + 'a>, &'a str);
    let forgeries: [Forgery<'_>; 8] = [
        ("other number", Box::new(|to| edit(&to.join(ORDER), "SO-1", "SO-9")), "not of this order number"),
        (
            "other handle key",
            Box::new(|to| fs::write(to.join(ORDER), &other_order).unwrap()),
            "not of this order",
        ),
        (
            "other name",
            Box::new(|to| edit(&party_of(to, "SF Express"), "SF Express", "YTO")),
            "does not open",
        ),
        (
            "other role",
            Box::new(|to| edit(&party_of(to, "SF Express"), "courier", "support")),
            "does not open",
        ),
        (
            "other number of a party",
            Box::new(|to| edit(&party_of(to, "SF Express"), "\"number\": 1", "\"number\": 7")),
            "another key id",
        ),
        (
            "other lines",
            Box::new(|to| edit(&opening(to, "disclosure"), "\"lines\": \"\"", "\"lines\": \"x\"")),
            "does not open",
        ),
        ("other words", Box::new(|to| edit(&to.join(ENTRIES), "SF Express", "YTO")), "does not say what"),
        ("unknown file", Box::new(|to| fs::write(to.join("openings/9-9.json"), "{}").unwrap()), "no place"),
    ];
    for (what, forgery, expected) in forgeries {
        let to = place.at("forged");
        copy(&good, &to);
        forgery(&to);
        assert!(verify(&to, &trusted(&vault)).is_err(), "{what}: the manifest");
        forge(&vault, &to);
        let e = verify(&to, &trusted(&vault)).unwrap_err();
        assert!(e.to_string().contains(expected), "{what}: {e}");
        fs::remove_dir_all(&to).unwrap();
    }
    // A record that is not the one that was sealed: one ciphertext byte, and its name made to fit.
    let to = place.at("forged");
    copy(&good, &to);
    let record = files(&to.join("records")).pop().unwrap();
    let mut bytes = fs::read(&record).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&record, bytes).unwrap();
    forge(&vault, &to);
    assert!(verify(&to, &trusted(&vault)).unwrap_err().to_string().contains("does not open"));
}

#[test]
fn evidence_of_one_vault_is_none_under_another_vaults_key() {
    let (place, vault) = (Place::new(), vault());
    let to = place.at("evidence");
    prove(&vault, &to);
    let stranger = Vault::in_memory(&Setup::default()).unwrap();
    let e = verify(&to, &trusted(&stranger)).unwrap_err();
    assert_eq!(e.kind(), &ErrorKind::CannotOpen);
    // The stranger's key under this vault's name.
    let origin = vault.ledger_key(1).unwrap().name().to_owned();
    let public = stranger.ledger_key(1).unwrap().public();
    let trust = TrustPolicy::log_only(crate::tlog::VerifierKey::of_log(&origin, public).unwrap());
    assert_eq!(verify(&to, &[trust]).unwrap_err().kind(), &ErrorKind::CannotOpen);
}

#[test]
fn a_party_that_was_given_nothing_is_cleared_and_one_that_was_is_not() {
    let (place, vault) = (Place::new(), vault());
    let given = |party: &str, field: &str| match clear(&vault, party, field, &place.at("none")) {
        Clearing::Given(places) => places.len(),
        Clearing::Cleared(_) => 0,
    };
    assert_eq!(given("SF Express", "consignee.phone"), 1);
    // The facet, and the search hit on the field.
    assert_eq!(given("agent 17", "consignee.phone"), 2);
    // A facet alone.
    assert_eq!(given("agent 17", "consignee.name"), 1);
    assert!(!place.at("none").exists());
    for (party, field) in
        [("agent 18", "consignee.phone"), ("accounts", "consignee.phone"), ("SF Express", "amount")]
    {
        let to = place.at(&format!("{party}-{field}"));
        let Clearing::Cleared(_) = clear(&vault, party, field, &to) else { panic!("{party} {field}") };
        let proven = verify(&to, &trusted(&vault)).unwrap();
        let cleared = proven.cleared.as_ref().unwrap();
        assert_eq!((cleared.party.as_str(), cleared.field.as_str()), (party, field));
        assert!(cleared.lost.is_empty() && !proven.is_witnessed());
    }
    let missing = vault.clear("agent 18", "SO-1", "no.such", &EvidenceSources::default(), &place.at("none"));
    assert!(matches!(missing.unwrap_err().kind(), ErrorKind::Input { .. }));
}

/// A party that was given the field, whatever the shop edits and signs anew.
#[test]
fn no_hand_made_clearing_proof_clears_a_party_that_was_given_it() {
    let (place, vault) = (Place::new(), vault());
    let key = PartyKey::generate(Kem::X25519).unwrap();
    vault.set_party_key("SF Express", key.public()).unwrap();
    vault.open("SF Express", "delivery", "SO-1").unwrap();
    let (registry, _) = vault.registry_that_signs().unwrap();
    // Made for a field that it was not given, then edited to say that it is another.
    let good = place.at("good");
    assert!(matches!(clear(&vault, "SF Express", "amount", &good), Clearing::Cleared(_)));
    let statement: Statement = serde_json::from_slice(&fs::read(good.join(STATEMENT)).unwrap()).unwrap();
    let phone: Vec<u16> = {
        let policy = vault.policy().unwrap();
        let its = policy.parts().filter(|part| part.field.name == "consignee.phone");
        its.map(|part| part.id.get()).collect()
    };
    let attempt = |change: &dyn Fn(&mut Statement), edit_files: &dyn Fn(&Path)| {
        let to = place.at("forged");
        copy(&good, &to);
        let mut statement = statement.clone();
        change(&mut statement);
        fs::write(to.join(STATEMENT), serde_json::to_string_pretty(&statement).unwrap() + "\n").unwrap();
        edit_files(&to);
        forge(&vault, &to);
        let e = verify(&to, &trusted(&vault)).unwrap_err();
        fs::remove_dir_all(&to).unwrap();
        e
    };
    let claim_phone = |statement: &mut Statement| {
        let clear = statement.clear.as_mut().unwrap();
        (clear.field, clear.parts) = ("consignee.phone".into(), phone.clone());
    };
    let e = attempt(&claim_phone, &|_| {});
    assert!(*e.kind() == ErrorKind::NotPermitted && e.to_string().contains("not cleared"), "{e}");
    // A facet left out of the parts.
    let e = attempt(
        &|s| {
            claim_phone(s);
            s.clear.as_mut().unwrap().parts.pop();
        },
        &|_| {},
    );
    assert!(e.to_string().contains("all of its facets"), "{e}");
    // One key id of the party left out; then all but another party's.
    for id in registry.party("SF Express").unwrap().key_ids(registry.vault) {
        let e = attempt(&claim_phone, &|to| {
            fs::remove_file(to.join(format!("parties/{}.json", digits(&id)))).unwrap()
        });
        assert!(e.to_string().contains("has the key id"), "{e}");
    }
    let agent = place.at("agent");
    assert!(matches!(clear(&vault, "agent 18", "amount", &agent), Clearing::Cleared(_)));
    let e = attempt(&claim_phone, &|to| {
        fs::remove_dir_all(to.join("parties")).unwrap();
        copy(&agent.join("parties"), &to.join("parties"));
    });
    assert!(e.to_string().contains("not those of the party"), "{e}");
    let e = attempt(&claim_phone, &|to| {
        fs::remove_dir_all(to.join("parties")).unwrap();
        copy(&agent.join("parties"), &to.join("parties"));
        files(&to.join("parties")).iter().for_each(|file| edit(file, "agent 18", "SF Express"));
    });
    assert!(e.to_string().contains("does not open"), "{e}");
    // Another order's key, under this order's number.
    let other = place.at("other");
    vault.clear("agent 17", "SO-2", "amount", &EvidenceSources::default(), &other).unwrap();
    let e = attempt(&claim_phone, &|to| {
        fs::copy(other.join(ORDER), to.join(ORDER)).unwrap();
        edit(&to.join(ORDER), "SO-2", "SO-1");
    });
    assert!(e.to_string().contains("not of this order number"), "{e}");
    // A policy left out.
    let e = attempt(&|_| {}, &|to| fs::remove_dir_all(to.join("policies")).unwrap());
    assert!(e.to_string().contains("facets"), "{e}");
}

/// An entry that the shop takes out of the log that it hands over: the log hashes to the checkpoint or is refused.
#[test]
fn a_clearing_proof_whose_log_lacks_an_entry_is_refused() {
    let (place, vault) = (Place::new(), vault());
    let to = place.at("cleared");
    assert!(matches!(clear(&vault, "agent 18", "amount", &to), Clearing::Cleared(_)));
    let bundle = files(&to.join("log/audit")).pop().unwrap();
    let bytes = fs::read(&bundle).unwrap();
    let first = 2 + usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
    fs::write(&bundle, &bytes[first..]).unwrap();
    let e = verify(&to, &trusted(&vault)).unwrap_err();
    assert!(e.to_string().contains("ledger 1"), "{e}");
}

/// What a party asked for under its signature, and the copy it got, revealed by it.
#[test]
fn a_copy_is_opened_by_what_the_party_reveals_and_its_request_is_checked() {
    let (place, vault) = (Place::new(), vault());
    let mut party = Party::new(PartyKey::generate(Kem::X25519).unwrap());
    vault.set_party_key("SF Express", party.key().public()).unwrap();
    let card = vault.card().unwrap();
    party.trust(card.clone());
    let alias = vault.open("SF Express", "delivery", "SO-1").unwrap().alias().clone();
    let request = party.request(&card, "delivery", &[], std::slice::from_ref(&alias)).unwrap();
    let shared = vault.share_request(request.as_bytes(), None).unwrap();
    let revealed = party.reveal(&shared.bundle.unwrap()).unwrap();
    let copies = |proven: &Proven| -> Vec<(Opening, Option<bool>)> {
        let copied = proven.entries.iter().filter(|entry| entry.entry.detail.first() == Some(&1));
        let copied = copied.filter(|entry| entry.entry.kind == EntryKind::Disclosure);
        copied.map(|entry| (entry.opening.clone(), entry.requested)).collect()
    };
    let without = prove(&vault, &place.at("without"));
    assert!(
        matches!(copies(&without).as_slice(), [(Opening::Closed(why), Some(false))] if why.contains("left the house"))
    );
    let sources = EvidenceSources {
        revealed: &[revealed],
        requests: std::slice::from_ref(&request),
        ..EvidenceSources::default()
    };
    let to = place.at("with");
    let with = vault.prove("SO-1", &sources, &to).unwrap();
    assert_eq!(copies(&with), [(Opening::Holds, Some(true))]);
    // The same request by another key, under the name of the hash that the entry has.
    let file = files(&to.join("requests")).pop().unwrap();
    let mut forged = fs::read(&file).unwrap();
    *forged.last_mut().unwrap() ^= 1;
    fs::write(&file, forged).unwrap();
    forge(&vault, &to);
    let e = verify(&to, &trusted(&vault)).unwrap_err();
    assert!(e.to_string().contains("is not what entry"), "{e}");
}

/// Names, links, sizes and numbers of files that somebody made up.
#[test]
fn a_hostile_folder_is_refused_before_much_of_it_is_read() {
    let (place, vault) = (Place::new(), vault());
    let good = place.at("good");
    prove(&vault, &good);
    let refused = |change: &dyn Fn(&Path), expected: &str| {
        let to = place.at("hostile");
        copy(&good, &to);
        change(&to);
        let e = Evidence::open(&to).err().unwrap();
        assert!(e.to_string().contains(expected), "{expected}: {e}");
        fs::remove_dir_all(&to).unwrap();
    };
    let hash = "0".repeat(64);
    for path in
        ["../good/order.json", "/etc/passwd", "a//b", "a/../b", ".hidden", "a/b/c/d/e", "a b", "manifest"]
    {
        refused(
            &|to| fs::write(to.join(bundle::MANIFEST), format!("{hash}  {path}\n")).unwrap(),
            "does not follow its format at line 1",
        );
    }
    refused(
        &|to| {
            let lines = (0..70_000).map(|n| format!("{hash}  entries/{n:05}.entry\n"));
            fs::write(to.join(bundle::MANIFEST), lines.collect::<String>()).unwrap();
        },
        "at most 65,536 files",
    );
    refused(
        &|to| fs::File::create(to.join(bundle::MANIFEST)).unwrap().set_len(1 << 40).unwrap(),
        "longer than it can be",
    );
    refused(
        &|to| fs::OpenOptions::new().write(true).open(to.join(ORDER)).unwrap().set_len(1 << 40).unwrap(),
        "longer than it can be",
    );
    #[cfg(unix)]
    refused(
        &|to| {
            fs::remove_file(to.join(ORDER)).unwrap();
            std::os::unix::fs::symlink(good.join(ORDER), to.join(ORDER)).unwrap();
        },
        "order.json is not in the manifest, or is no plain file",
    );
    #[cfg(unix)]
    refused(
        &|to| {
            fs::remove_dir_all(to.join("parties")).unwrap();
            std::os::unix::fs::symlink(good.join("parties"), to.join("parties")).unwrap();
        },
        "parties is not in the manifest, or is no plain file",
    );
    assert!(Folder::open(&good).is_ok());
}

/// Witnesses that cosigned are told; without a quorum it is the shop's word.
#[test]
fn a_proof_under_witnesses_says_what_they_have_seen() {
    let (place, vault) = (Place::new(), vault());
    let log = place.at("log");
    vault.publish(&log).unwrap();
    let key = vault.ledger_key(1).unwrap();
    let witness = crate::tlog::NoteKey::make_witness("witness.example", &place.at("witness.key")).unwrap();
    let policy = format!("log {key}\nwitness w {}\nquorum w\n", witness.public());
    let policy = TrustPolicy::parse(policy.as_bytes()).unwrap();
    let sources = EvidenceSources { log: Some(&log), witnesses: Some(&policy), ..EvidenceSources::default() };
    let to = place.at("cleared");
    let e = vault.clear("agent 18", "SO-1", "amount", &sources, &to).unwrap_err();
    assert!(*e.kind() == ErrorKind::NotPermitted && !to.exists(), "{e}");
    let published = crate::Published::ledger(&log, 1);
    let request = published.request(0).unwrap();
    let cosignature =
        crate::Witness::new(witness, &place.at("witness.state")).cosign(&request, Some(&key)).unwrap();
    published.add_cosignatures(cosignature.to_string().as_bytes(), &policy).unwrap();
    let Clearing::Cleared(proven) = vault.clear("agent 18", "SO-1", "amount", &sources, &to).unwrap() else {
        panic!("it was given nothing")
    };
    assert!(proven.is_witnessed());
    assert!(verify(&to, std::slice::from_ref(&policy)).unwrap().is_witnessed());
    assert!(!verify(&to, &trusted(&vault)).unwrap().is_witnessed());
    let evidence = place.at("evidence");
    assert!(vault.prove("SO-1", &sources, &evidence).unwrap().is_witnessed());
    // An entry behind what is published: the proof would leave it out.
    vault.open("SF Express", "delivery", "SO-1").unwrap();
    let e = vault.prove("SO-1", &sources, &place.at("late")).unwrap_err();
    assert_eq!(e.kind(), &ErrorKind::RolledBack);
}

/// Field keys that were given show the values, and only those that the ledger's epoch commits to.
#[test]
fn values_show_with_field_keys_that_the_ledger_commits_to() {
    let (place, vault) = (Place::new(), vault());
    let to = place.at("evidence");
    let sources = EvidenceSources { reveal_plaintext: true, ..EvidenceSources::default() };
    vault.prove("SO-1", &sources, &to).unwrap();
    let proven = verify(&to, &trusted(&vault)).unwrap();
    let of = |party: &str| {
        let is_its = |e: &&ProvenEntry| {
            e.entry.kind == EntryKind::Disclosure && e.party.as_ref().is_some_and(|(name, _)| name == party)
        };
        let its = proven.entries.iter().find(is_its).unwrap();
        let value = |(part, value): &(crate::NamedPart, Value)| (part.name.clone().unwrap(), value.to_json());
        its.values.iter().map(value).collect::<std::collections::BTreeMap<_, _>>()
    };
    let courier = of("SF Express");
    assert_eq!(courier["consignee.phone"], "13812345678");
    assert_eq!(
        courier.keys().collect::<Vec<_>>(),
        ["consignee.address", "consignee.name", "consignee.phone"]
    );
    assert_eq!(of("agent 17")["consignee.phone:masked"], "138****5678");
    assert!(fs::read_to_string(to.join(README)).unwrap().starts_with("WARNING: THIS FOLDER SHOWS VALUES"));
    // Without being asked for, none.
    let closed = place.at("closed");
    assert!(prove(&vault, &closed).entries.iter().all(|entry| entry.values.is_empty()));
    let holds_keys = |file: &PathBuf| fs::read_to_string(file).is_ok_and(|text| text.contains("field_keys"));
    assert!(!files(&closed.join("openings")).iter().any(holds_keys));
    // Another key, for the same record and tickets.
    let opening = files(&to.join("openings")).into_iter().find(holds_keys).unwrap();
    let mut json: serde_json::Value = serde_json::from_slice(&fs::read(&opening).unwrap()).unwrap();
    json["field_keys"][0]["key"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into();
    fs::write(&opening, json.to_string()).unwrap();
    forge(&vault, &to);
    let e = verify(&to, &trusted(&vault)).unwrap_err();
    assert!(e.to_string().contains("is not the one that its epoch"), "{e}");
}
