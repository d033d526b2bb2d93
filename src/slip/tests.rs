#![allow(clippy::unwrap_used)]

use std::fs;

use super::*;
use crate::{
    Order, Patch, Setup, Value, Vault, Way, Who,
    policy::Policy,
    publish::Published,
    suite::Secret,
    tlog::{NoteKey, Seen, cosign},
};

fn order(number: &str) -> Order {
    let json = format!(
        r#"{{"order_no":"{number}","placed_at":"2026-11-11T20:14:05+08:00","consignee":{{"name":"Wang Xiaoming",
            "phone":"13812345678","address":{{"lines":["1 Zhongshan Road"],"city":"Nanjing","country":"CN"}}}},
            "items":[],"amount":{{"value":"88.00","currency":"CNY"}}}}"#
    );
    Order::from_json(&json, &Policy::built_in()).unwrap()
}

struct Shop {
    vault: Vault,
    dir: tempfile::TempDir,
}

impl Shop {
    /// Two orders, published, then opened by several and published again.
    fn new() -> Self {
        let vault = Vault::in_memory(&Setup::default()).unwrap();
        for (name, role) in [("SF Express", "courier"), ("agent 17", "support"), ("agent 18", "support")] {
            vault.add_party(name, role, None).unwrap();
        }
        vault.put_many(&[order("SO-1"), order("SO-2")]).unwrap();
        let shop = Self { vault, dir: tempfile::tempdir().unwrap() };
        shop.publish();
        shop
    }

    fn publish(&self) {
        self.vault.publish(self.dir.path()).unwrap();
    }

    fn slip(&self, number: &str) -> Slip {
        self.vault.slip(number, Some(self.dir.path()), None).unwrap()
    }

    fn use_it(&self) {
        for number in ["SO-1", "SO-2"] {
            self.vault.open("SF Express", "delivery", number).unwrap();
        }
        self.vault.open("agent 17", "after_sale", "SO-1").unwrap();
        self.vault.find("agent 18", "after_sale", "consignee.phone", "13812345678").unwrap();
        let patch = Patch::new().set("note", Value::Text("ring twice".into()));
        self.vault.update("SO-2", 1, patch).unwrap();
        self.publish();
    }

    /// The log as it would be with these entries, signed with the shop's key.
    fn forged(&self, entries: &[Entry]) -> tempfile::TempDir {
        let (dir, registry) = (tempfile::tempdir().unwrap(), self.vault.known_order("SO-1").unwrap().0);
        let (public, audit) = (dir.path().join("public/tile/0"), dir.path().join("audit/tile/entries"));
        assert!(entries.len() < 256);
        let tile = format!("000.p/{}", entries.len());
        fs::create_dir_all(public.join("000.p")).unwrap();
        fs::create_dir_all(audit.join("000.p")).unwrap();
        let (mut hashes, mut bundle, mut head) =
            (Vec::new(), Vec::new(), crate::store::LedgerHead::default());
        for entry in entries {
            let bytes = entry.encode().unwrap();
            hashes.extend(leaf_hash(&bytes));
            crate::ledger::push_leaf(&mut head, leaf_hash(&bytes));
            bundle.extend(u16::try_from(bytes.len()).unwrap().to_be_bytes());
            bundle.extend(bytes);
        }
        fs::write(public.join(&tile), hashes).unwrap();
        fs::write(audit.join(&tile), bundle).unwrap();
        let state = crate::ledger::LedgerState::from(&head);
        let key = registry.checkpoint_key(1).unwrap();
        let checkpoint =
            Checkpoint { origin: key.public().name().into(), size: state.size, root: state.root };
        fs::write(dir.path().join("public/checkpoint"), checkpoint.sign(&key).to_string()).unwrap();
        dir
    }

    fn entries(&self) -> Vec<Entry> {
        self.vault.ledger_entries(0, 1_000).unwrap()
    }
}

fn kind_of<T>(result: Result<T>) -> ErrorKind {
    result.map(drop).unwrap_err().kind().clone()
}

#[test]
fn a_slip_lists_what_the_vault_tells_of_its_order_and_no_others() {
    let shop = Shop::new();
    let slips = ["SO-1", "SO-2"].map(|number| shop.slip(number));
    shop.use_it();
    let mut seen = std::collections::HashSet::new();
    for slip in &slips {
        let parsed = Slip::parse(&slip.to_text()).unwrap();
        assert_eq!((parsed.order_no(), parsed.place()), (slip.order_no(), slip.place()));
        assert!(!parsed.verify().unwrap().is_witnessed);
        let found = parsed.who_saw(shop.dir.path(), None).unwrap();
        assert!(found.is_complete && found.continues_slip);
        let told = shop.vault.who_saw(slip.order_no()).unwrap();
        let plain = |entries: &[crate::OrderEntry]| -> Vec<_> {
            entries
                .iter()
                .map(|told| (told.place, told.entry.clone(), told.way.name(), told.parts.clone()))
                .collect()
        };
        assert_eq!(plain(&found.entries), plain(&told.entries));
        for entry in &found.entries {
            assert!(seen.insert(entry.place), "{} is listed for both", entry.place);
            if let Who::Party { name, role, .. } = &entry.who {
                assert!(name.is_none() && role.is_some());
            }
        }
    }
    let of_orders = shop.entries().into_iter().filter(|entry| entry.handle != [0; 16]).count();
    assert_eq!((seen.len(), of_orders), (of_orders, 11));
}

#[test]
fn a_slip_altered_at_any_byte_is_refused() {
    let shop = Shop::new();
    let slip = shop.slip("SO-1");
    let bytes = slip.to_bytes();
    for at in 0..bytes.len() {
        let mut altered = bytes.to_vec();
        altered[at] ^= 1;
        // With check digits made anew: the forger can count, too.
        assert!(Slip::from_bytes(&altered).and_then(|slip| slip.verify()).is_err(), "byte {at}");
        assert!(Slip::from_bytes(&bytes[..at]).is_err(), "cut at {at}");
    }
    assert_eq!(kind_of(Slip::from_bytes(&[bytes.as_slice(), &[0]].concat())), ErrorKind::Damaged);
    let text = slip.to_text();
    for at in (0..text.len() - 1).filter(|at| text.is_char_boundary(*at)) {
        let mut altered = text.as_bytes().to_vec();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        let check_digit_in_capitals = altered.eq_ignore_ascii_case(&text);
        assert!(Slip::parse(&altered).is_err() || check_digit_in_capitals, "character {at}");
    }
    assert_eq!(kind_of(Slip::parse(&"x".repeat(1 << 20))), ErrorKind::Limit);
}

#[test]
fn a_slip_of_another_number_or_order_is_refused() {
    let shop = Shop::new();
    let renamed = Slip { order_no: "SO-2".to_owned().into(), ..shop.slip("SO-1") };
    assert_eq!(kind_of(renamed.verify()), ErrorKind::CannotOpen);
    let other_key = Slip { handle_key: shop.slip("SO-2").handle_key, ..shop.slip("SO-1") };
    assert_eq!(kind_of(other_key.verify()), ErrorKind::CannotOpen);
    let other_entry = Slip { put: shop.slip("SO-2").put, ..shop.slip("SO-1") };
    assert_eq!(kind_of(other_entry.verify()), ErrorKind::CannotOpen);
    let alias = shop.vault.open("agent 17", "after_sale", "SO-1").unwrap().alias().to_string();
    assert_eq!(kind_of(shop.vault.slip(&alias, None, None)).name(), "input");
    assert_eq!(kind_of(shop.vault.slip("SO-9", None, None)), ErrorKind::NotFound);
}

#[test]
fn without_a_published_log_the_whole_ledger_gives_the_same_proof() {
    let shop = Shop::new();
    let (from_tiles, from_ledger) = (shop.slip("SO-1"), shop.vault.slip("SO-1", None, None).unwrap());
    assert_eq!(*from_tiles.to_text(), *from_ledger.to_text());
    for more in 0..40 {
        shop.vault.put(&order(&format!("SO-1{more}"))).unwrap();
        assert!(shop.vault.slip("SO-2", None, None).unwrap().verify().is_ok(), "{more}");
    }
    shop.vault.put(&order("SO-3")).unwrap();
    let early = shop.vault.slip("SO-3", Some(shop.dir.path()), None);
    assert_eq!(kind_of(early), ErrorKind::NotFound);
    shop.publish();
    assert!(shop.slip("SO-3").verify().is_ok());
}

/// The shop rewrites what it has published, and signs it anew with its own key.
#[test]
fn a_log_that_drops_reorders_changes_or_rebuilds_what_the_slip_was_made_of_is_caught() {
    let shop = Shop::new();
    let slip = shop.slip("SO-1");
    shop.use_it();
    let honest = shop.entries();
    let size = usize::try_from(slip.size()).unwrap();
    let found = |entries: &[Entry]| slip.who_saw(shop.forged(entries).path(), None);
    assert_eq!(found(&honest).unwrap().entries.len(), 5, "the forger's tools write good logs");
    for at in 0..size {
        let mut dropped = honest.clone();
        dropped.remove(at);
        assert_eq!(kind_of(found(&dropped)), ErrorKind::Damaged, "without {at}");
        let mut swapped = honest.clone();
        swapped.swap(at, size);
        assert_eq!(kind_of(found(&swapped)), ErrorKind::Damaged, "{at} later");
        let mut dated = honest.clone();
        dated[at].time -= 1_000;
        assert_eq!(kind_of(found(&dated)), ErrorKind::Damaged, "{at} dated back");
    }
    assert_eq!(kind_of(found(&honest[..size - 1])), ErrorKind::RolledBack);
    assert_eq!(found(&honest[..size]).unwrap().entries.len(), 1);
    // After the slip: what is dated back is told.
    let mut dated = honest.clone();
    dated[size].time -= 1_000;
    let told = found(&dated).unwrap();
    assert_eq!(told.ledgers[0].backdated[0].index, slip.size());
    assert!(found(&honest).unwrap().ledgers[0].backdated.is_empty());
}

#[test]
fn another_vaults_log_is_not_taken() {
    let (shop, other) = (Shop::new(), Shop::new());
    assert_eq!(kind_of(shop.slip("SO-1").who_saw(other.dir.path(), None)), ErrorKind::CannotOpen);
    let nothing = tempfile::tempdir().unwrap();
    assert_eq!(kind_of(shop.slip("SO-1").who_saw(nothing.path(), None)), ErrorKind::NotFound);
    fs::remove_dir_all(shop.dir.path().join("audit")).unwrap();
    assert_eq!(kind_of(shop.slip("SO-1").who_saw(shop.dir.path(), None)), ErrorKind::NotFound);
}

/// An order that was put a second time under the same handle key: both entries are the order's, and a slip stands for one of them.
#[test]
fn a_second_put_entry_is_listed_and_no_place_of_the_first() {
    let shop = Shop::new();
    let slip = shop.slip("SO-1");
    let mut entries = shop.entries();
    let put = entries[usize::try_from(slip.place().index).unwrap()].clone();
    entries.push(Entry { time: put.time + 60, ..put });
    let found = slip.who_saw(shop.forged(&entries).path(), None).unwrap();
    let puts = found.entries.iter().filter(|entry| matches!(entry.way, Way::Put)).count();
    assert_eq!((found.entries.len(), puts), (2, 2));
    let moved = Slip { index: u64::try_from(entries.len()).unwrap() - 1, size: slip.size + 1, ..slip };
    assert_eq!(kind_of(moved.verify()), ErrorKind::Damaged);
}

fn witness(name: &str) -> NoteKey {
    NoteKey::generate_witness(name).unwrap().0
}

fn cosigned_by(shop: &Shop, keys: &[&NoteKey], policy: &TrustPolicy) {
    let log = Published::ledger(shop.dir.path(), 1);
    for key in keys {
        let seen = Seen::nothing(shop.vault.ledger_key(1).unwrap());
        let (_, line) = cosign(&log.request(0).unwrap(), &seen, key, 1_800_000_000).unwrap();
        log.add_cosignatures(format!("{line}\n").as_bytes(), policy).unwrap();
    }
}

fn policy_of(keys: &[&NoteKey], quorum: &str) -> TrustPolicy {
    let mut lines: Vec<_> =
        keys.iter().zip(0..).map(|(key, at)| format!("witness w{at} {}", key.public())).collect();
    lines.push(quorum.to_owned());
    TrustPolicy::parse((lines.join("\n") + "\n").as_bytes()).unwrap()
}

#[test]
fn witnesses_of_the_quorum_are_in_the_slip_and_are_asked_for_later() {
    let shop = Shop::new();
    let keys = ["w.example/one", "w.example/two", "w.example/three"].map(witness);
    let [one, two, three] = &keys;
    let policy = policy_of(&[one, two, three], "group g 2 w0 w1 w2\nquorum g");
    let make = || shop.vault.slip("SO-1", Some(shop.dir.path()), Some(&policy));
    assert_eq!(kind_of(make()), ErrorKind::NotPermitted);
    assert_eq!(kind_of(shop.vault.slip("SO-1", None, Some(&policy))), ErrorKind::NotPermitted);
    cosigned_by(&shop, &[one, two, three], &policy);
    let slip = make().unwrap();
    let vouched = Slip::parse(&slip.to_text()).unwrap().verify().unwrap();
    assert_eq!((vouched.witnesses.len(), vouched.is_witnessed, slip.threshold), (3, true, 2));
    let without = |at| {
        let mut slip = make().unwrap();
        slip.witnesses.remove(at);
        slip
    };
    assert!(without(0).verify().is_ok());
    let forged = |at: usize| {
        let mut slip = make().unwrap();
        slip.witnesses[at].time += 1;
        slip
    };
    assert_eq!(kind_of(forged(1).verify()), ErrorKind::CannotOpen);

    // More came, and nobody cosigned it: what the quorum saw is known, and what came after is the shop's word.
    let before = slip.size();
    shop.use_it();
    let found = slip.who_saw(shop.dir.path(), None).unwrap();
    assert_eq!((found.ledgers[0].witnessed, found.entries.len()), (before, 5));
    assert!(found.ledgers[0].checkpoint.size > before);
    // A slip that is made now is under the checkpoint that was cosigned.
    assert_eq!(make().unwrap().size(), before);
    // A fork for this shopper alone, which no witness has seen.
    let forged = shop.forged(&shop.entries());
    assert_eq!(kind_of(slip.who_saw(forged.path(), None)), ErrorKind::NotPermitted);
    let log_only = TrustPolicy::log_only(slip.log_key(1).unwrap());
    assert_eq!(slip.who_saw(forged.path(), Some(&log_only)).unwrap().ledgers[0].witnessed, 0);
}

/// A quorum of groups: each witness whose signature is taken must have signed.
#[test]
fn a_nested_quorum_makes_all_witnesses_of_the_slip_obligatory() {
    let shop = Shop::new();
    let keys = ["a", "b", "c"].map(witness);
    let [a, b, c] = &keys;
    let policy = policy_of(&[a, b, c], "group g any w0 w1\ngroup h all g w2\nquorum h");
    cosigned_by(&shop, &[b, c], &policy);
    let slip = shop.vault.slip("SO-1", Some(shop.dir.path()), Some(&policy)).unwrap();
    assert_eq!((slip.witnesses.len(), slip.threshold), (2, 2));
    assert!(slip.verify().unwrap().is_witnessed);
}

#[test]
fn a_slip_takes_as_many_witnesses_as_fit_and_fails_where_the_quorum_does_not() {
    let shop = Shop::new();
    let keys: Vec<_> =
        (0..12).map(|at| witness(&format!("witness-{at}.example.com/{}", "x".repeat(40)))).collect();
    let keys: Vec<_> = keys.iter().collect();
    let names: Vec<_> = (0..12).map(|at| format!("w{at}")).collect();
    let policy =
        |threshold: u8| policy_of(&keys, &format!("group g {threshold} {}\nquorum g", names.join(" ")));
    cosigned_by(&shop, &keys, &policy(1));
    let slip = shop.vault.slip("SO-1", Some(shop.dir.path()), Some(&policy(2))).unwrap();
    assert!(slip.to_text().len() <= Slip::LONGEST && slip.to_text().len() > Slip::LONGEST - 300);
    assert!((2..12).contains(&slip.witnesses.len()) && slip.threshold == 2);
    let too_many = shop.vault.slip("SO-1", Some(shop.dir.path()), Some(&policy(11)));
    assert_eq!(kind_of(too_many), ErrorKind::Limit);
}

/// 2^24 entries, the longest order number and two witnesses whose names have 30 bytes; all but the hashes of the tree is real.
#[test]
fn a_slip_from_sixteen_million_entries_with_two_witnesses_has_at_most_2048_bytes() {
    let shop = Shop::new();
    let long = "9".repeat(Order::MAX_ORDER_NO);
    shop.vault.put(&order(&long)).unwrap();
    let mut slip = shop.vault.slip(&long, None, None).unwrap();
    (slip.index, slip.size) = ((1 << 24) - 7, 1 << 24);
    slip.proof = (0..24).map(|at| [at; 32]).collect();
    let log = NoteKey::of_log(slip.log_key(1).unwrap().name(), &Secret::new([7; 32])).unwrap();
    slip.log_key = log.public().public();
    let origin = log.public().name().to_owned();
    let checkpoint = Checkpoint { origin, size: slip.size, root: slip.root().unwrap() };
    let mut signed = checkpoint.sign(&log);
    slip.log_signature = signed.note().bytes_by(log.public()).unwrap().try_into().unwrap();
    let keys = [witness("witness-one.of-a-firm.example/1"), witness("witness-two.of-a-firm.example/2")];
    keys.iter().for_each(|key| signed.note_mut().sign(key, 1_800_000_000));
    let policy =
        policy_of(&keys.each_ref(), "group g all w0 w1\nquorum g").of_log(log.public().clone()).unwrap();
    let slip = slip.with_witnesses(&signed, &policy).unwrap();
    assert_eq!(slip.verify().unwrap().witnesses.len(), 2);
    let text = slip.to_text();
    assert!(text.len() <= Slip::LONGEST, "{}", text.len());
    assert_eq!(*Slip::parse(&text).unwrap().to_text(), *text);
}

/// The answer of a shop, written into a folder.
fn answer(shop: &Shop, number: &str, with_names: bool, since: Option<u64>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    shop.vault
        .answer(number, shop.dir.path(), with_names, since)
        .unwrap()
        .write(&dir.path().join("a"))
        .unwrap();
    dir
}

#[test]
fn a_shops_answer_is_verified_and_says_that_it_shows_no_completeness() {
    let shop = Shop::new();
    let slip = shop.slip("SO-1");
    shop.use_it();
    let dir = answer(&shop, "SO-1", false, None);
    let found = slip.who_saw(&dir.path().join("a"), None).unwrap();
    assert_eq!((found.is_complete, found.continues_slip, found.entries.len()), (false, false, 5));
    for told in &found.entries {
        if let Who::Party { name, role, .. } = &told.who {
            assert!(name.is_none() && role.is_some(), "roles, and no names unless the shop chose so");
        }
    }
    let dir = answer(&shop, "SO-1", true, Some(slip.size()));
    let found = slip.who_saw(&dir.path().join("a"), None).unwrap();
    assert!(found.continues_slip && !found.is_complete);
    let names: Vec<_> = found
        .entries
        .iter()
        .filter_map(|told| if let Who::Party { name, .. } = &told.who { name.clone() } else { None })
        .collect();
    assert_eq!(names, ["SF Express", "agent 17", "agent 18"]);
    // One entry left out: the rest passes, and nothing says that it is all.
    let entries = dir.path().join("a/entries");
    let opened = found.entries.iter().find(|told| matches!(told.way, Way::Opened)).unwrap().place;
    fs::remove_file(entries.join(format!("1-{:010}.entry", opened.index))).unwrap();
    let fewer = slip.who_saw(&dir.path().join("a"), None).unwrap();
    assert_eq!((fewer.is_complete, fewer.entries.len()), (false, 4));
    // The openings serve beside the published entries, too.
    fs::rename(dir.path().join("a/parties"), shop.dir.path().join("parties")).unwrap();
    let found = slip.who_saw(shop.dir.path(), None).unwrap();
    assert!(found.is_complete);
    assert!(
        found
            .entries
            .iter()
            .any(|told| matches!(&told.who, Who::Party { name: Some(name), .. } if name == "SF Express"))
    );
}

#[test]
fn an_answer_with_a_foreign_altered_or_moved_entry_fails() {
    let shop = Shop::new();
    let slip = shop.slip("SO-1");
    shop.use_it();
    let dir = answer(&shop, "SO-1", true, Some(slip.size()));
    let folder = dir.path().join("a");
    let found = |what: &str| {
        let found = slip.who_saw(&folder, None);
        assert!(found.is_err(), "{what}");
        found.unwrap_err()
    };
    let other = answer(&shop, "SO-2", true, None);
    let own: Vec<_> =
        fs::read_dir(folder.join("entries")).unwrap().map(|file| file.unwrap().path()).collect();
    let mut foreign = 0;
    for file in fs::read_dir(other.path().join("a/entries")).unwrap() {
        let file = file.unwrap().path();
        let to = folder.join("entries").join(file.file_name().unwrap());
        if to.exists() || file.extension().unwrap() != "entry" {
            continue;
        }
        for extension in ["entry", "tlog-proof"] {
            fs::copy(file.with_extension(extension), to.with_extension(extension)).unwrap();
        }
        assert!(found("foreign").to_string().contains("not of this order"));
        for extension in ["entry", "tlog-proof"] {
            fs::remove_file(to.with_extension(extension)).unwrap();
        }
        foreign += 1;
    }
    assert!(foreign > 3);
    let files = ["consistency", "parties", "policies"].map(|name| folder.join(name));
    let more = files.iter().flat_map(|folder| fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()));
    for file in own.iter().cloned().chain(more) {
        let bytes = fs::read(&file).unwrap();
        for at in (0..bytes.len()).step_by(97) {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            fs::write(&file, &altered).unwrap();
            let found = slip.who_saw(&folder, None);
            let is_proved = file.extension().is_some_and(|extension| extension == "entry");
            // An altered signature of the consistency's copy of the checkpoint, or white space in JSON, changes nothing.
            let same = |found: SlipAnswer| found.entries.len() == 5 && !found.is_complete;
            assert!(
                if is_proved { found.is_err() } else { found.map_or(true, same) },
                "{} at {at}",
                file.display()
            );
        }
        fs::write(&file, &bytes).unwrap();
    }
    let from = own.iter().find(|file| file.extension().unwrap() == "entry").unwrap();
    let to = folder.join("entries/1-0000000099.entry");
    fs::copy(from, &to).unwrap();
    fs::copy(from.with_extension("tlog-proof"), to.with_extension("tlog-proof")).unwrap();
    assert!(found("moved").to_string().contains("of another index"));
}

/// The shop answers from another history than that in which the slip was made, which it signed, too.
#[test]
fn an_answer_from_a_rebuilt_log_is_caught_where_it_proves_continuity() {
    let shop = Shop::new();
    let slip = shop.slip("SO-1");
    shop.use_it();
    let mut rebuilt = shop.entries();
    // An entry before the put is gone; all others, the put among them, have moved.
    rebuilt.remove(0);
    let forged = shop.forged(&rebuilt);
    let log = Published::ledger(forged.path(), 1);
    let dir = tempfile::tempdir().unwrap();
    let entries = dir.path().join("entries");
    fs::create_dir_all(&entries).unwrap();
    fs::create_dir_all(dir.path().join("consistency")).unwrap();
    for at in [slip.index - 1, slip.size] {
        let name = format!("1-{at:010}");
        fs::write(entries.join(format!("{name}.tlog-proof")), log.prove(at).unwrap().to_string()).unwrap();
        fs::write(
            entries.join(format!("{name}.entry")),
            rebuilt[usize::try_from(at).unwrap()].encode().unwrap(),
        )
        .unwrap();
    }
    let told = slip.who_saw(dir.path(), None);
    assert!(told.is_err() || !told.unwrap().continues_slip);
    fs::write(dir.path().join("consistency/1"), log.request(slip.size).unwrap().to_string()).unwrap();
    assert_eq!(kind_of(slip.who_saw(dir.path(), None)), ErrorKind::Damaged);
}
