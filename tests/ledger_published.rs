//! A vault's ledgers as others get them: published, verified, succeeded after a restore, and cosigned by witnesses.
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::Path, thread};

use common::{Folder, ROOT, order};
use consignee::{
    BackupSets, EntryKind, ErrorKind, KeyFile, LedgerNote, Published, Vault, Verified, Witness,
    tlog::{
        Checkpoint, Hash, Hashes, NoteKey, TrustPolicy, VerifierKey, WitnessRequest, consistency_proof,
        leaf_hash, node_hash, root_of,
    },
};

fn verify(vault: &Vault, folder: &Path, ledger: u32) -> consignee::Result<Verified> {
    let trust = TrustPolicy::log_only(vault.ledger_key(ledger).unwrap());
    Published::ledger(folder, ledger).verify(&trust, |_, _, _| Ok(()))
}

fn restored(folder: &Folder, name: &str, known: Option<LedgerNote>) -> Vault {
    let sets = BackupSets::below(&folder.dir.path().join("backup"));
    Vault::restore(&sets, &folder.dir.path().join(name), &KeyFile::from_bytes(ROOT), known).unwrap().vault
}

#[test]
fn a_vaults_ledger_is_published_and_verified_entry_by_entry() {
    let folder = Folder::new();
    let (vault, to) = (folder.unlock(), folder.dir.path().join("published"));
    vault.put_many(&(0..300).map(|n| order(&format!("SO-{n}"))).collect::<Vec<_>>()).unwrap();
    let first = vault.publish(&to).unwrap();
    vault.open("SF Express", "delivery", "SO-7").unwrap();
    let second = vault.publish(&to).unwrap();
    assert_eq!(second[0].before, first[0].checkpoint.checkpoint().size);
    let mut entries = Vec::new();
    let trust = TrustPolicy::log_only(vault.ledger_key(1).unwrap());
    let found = Published::at(&to).verify(&trust, |index, entry, _| {
        entries.push((index, entry.clone()));
        Ok(())
    });
    let own = vault.ledger_entries(0, 1000).unwrap();
    assert_eq!(found.unwrap().checkpoint.size, own.len() as u64);
    assert!(entries.into_iter().eq((0..).zip(own)));
}

#[test]
fn processes_that_append_meanwhile_do_no_harm_to_what_is_published() {
    let folder = Folder::new();
    let (vault, to) = (folder.unlock(), folder.dir.path().join("published"));
    thread::scope(|scope| {
        scope.spawn(|| {
            let other = folder.unlock();
            for n in 0..60 {
                other.put(&order(&format!("SO-{n}"))).unwrap();
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..10 {
                    vault.publish(&to).unwrap();
                    verify(&vault, &to, 1).unwrap();
                }
            });
        }
    });
    vault.publish(&to).unwrap();
    assert_eq!(verify(&vault, &to, 1).unwrap().checkpoint.size, vault.ledger_state().unwrap().size);
}

#[test]
fn the_vaults_own_folder_is_no_place_to_publish_into() {
    let folder = Folder::new();
    let vault = folder.unlock();
    for inside in [folder.path(), folder.path().join("published/deep"), folder.path().join("../vault/x")] {
        let e = vault.publish(&inside).unwrap_err();
        assert!(e.to_string().contains("vault's own folder"), "{e}");
    }
    #[cfg(unix)]
    {
        let link = folder.dir.path().join("link");
        std::os::unix::fs::symlink(folder.path(), &link).unwrap();
        vault.publish(&link.join("published")).unwrap_err();
    }
    assert!(!folder.path().join("published").exists() && !folder.path().join("public").exists());
    vault.publish(&folder.dir.path().join("vault-published")).unwrap();
}

#[test]
fn a_ledger_that_a_restore_began_says_what_it_succeeds() {
    let folder = Folder::new();
    let (vault, to) = (folder.unlock(), folder.dir.path().join("published"));
    vault.put(&order("SO-1")).unwrap();
    // The first call makes the keys that sign: without them in the backup, the restored vault is another signer.
    vault.ledger_key(1).unwrap();
    vault.backup(&folder.dir.path().join("backup")).unwrap();
    let backed_up = vault.ledger_state().unwrap();
    vault.put_many(&(0..300).map(|n| order(&format!("LATER-{n}"))).collect::<Vec<_>>()).unwrap();
    vault.publish(&to).unwrap();
    let published = vault.ledger_state().unwrap();
    vault.put(&order("SO-2")).unwrap();
    let last = LedgerNote { ledger: 1, state: vault.ledger_state().unwrap() };
    drop(vault);

    // Told of nothing, of what was published, and of what was not: (known, lost, unknown).
    let note = |state| LedgerNote { ledger: 1, state };
    for (name, known, lost, unknown) in [
        ("none", None, 0, published.size - backed_up.size),
        ("published", Some(note(published)), 0, 0),
        ("last", Some(last), last.state.size - published.size, 0),
    ] {
        let into = folder.dir.path().join(format!("published-{name}"));
        copy(&to, &into);
        let vault = restored(&folder, &format!("vault-{name}"), known);
        let publications = vault.publish(&into).unwrap();
        assert_eq!(publications[0].checkpoint.checkpoint().size, published.size, "what was published stays");
        assert_eq!(publications[1].ledger, 2);
        verify(&vault, &into, 1).unwrap();
        verify(&vault, &into, 2).unwrap();
        let (one, two) = (Published::ledger(&into, 1), Published::ledger(&into, 2));
        let found = two.check_succession(&one).unwrap().unwrap();
        assert_eq!(found.known, known.map_or(backed_up, |note| note.state), "{name}");
        assert_eq!((found.lost(), found.unknown()), (lost, unknown), "{name}");
        // The first ledger begins with no such entry, and the second does not succeed itself.
        let e = one.check_succession(&two).unwrap_err();
        assert!(*e.kind() == ErrorKind::Damaged && e.to_string().contains("entry 0"), "{e}");
        assert!(two.check_succession(&two).is_err());
        assert_eq!(Published::missing(&into), None);
        fs::rename(into.join("public"), into.join("gone")).unwrap();
        assert_eq!(Published::missing(&into), Some(1));
    }
}

#[test]
fn a_successor_of_another_history_is_told() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.ledger_key(1).unwrap();
    vault.backup(&folder.dir.path().join("backup")).unwrap();
    let to = folder.dir.path().join("published");
    vault.put(&order("SO-1")).unwrap();
    vault.put(&order("SO-2")).unwrap();
    vault.publish(&to).unwrap();
    let mut other = LedgerNote { ledger: 1, state: vault.ledger_state().unwrap() };
    other.state.root[0] ^= 1;
    drop(vault);
    restored(&folder, "restored", Some(other)).publish(&to).unwrap();
    let (one, two) = (Published::ledger(&to, 1), Published::ledger(&to, 2));
    let e = two.check_succession(&one).unwrap_err();
    assert!(*e.kind() == ErrorKind::Damaged && e.to_string().contains("another history"), "{e}");
    let (first, size) = (two.entry(0, 1).unwrap(), two.checkpoint().unwrap().checkpoint().size);
    assert!(size > 0 && consignee::Entry::decode(&first).unwrap().kind == EntryKind::Lost);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

/// A backup from before the vault first signed has no key that signs: what it signs then is another log, and says so.
#[test]
fn a_backup_without_the_keys_that_sign_does_not_continue_what_was_published() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.backup(&folder.dir.path().join("backup")).unwrap();
    let to = folder.dir.path().join("published");
    vault.publish(&to).unwrap();
    let key = vault.ledger_key(1).unwrap();
    drop(vault);
    let vault = restored(&folder, "restored", None);
    assert_eq!(*vault.publish(&to).unwrap_err().kind(), ErrorKind::CannotOpen);
    // What was published stands.
    Published::at(&to).verify(&TrustPolicy::log_only(key), |_, _, _| Ok(())).unwrap();
    vault.publish(&folder.dir.path().join("anew")).unwrap();
}

/// A log that signs whatever it likes: the key is the example of Go's `sumdb/note`, seed and all.
struct Liar(Vec<Hash>);

const LIAR: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

impl Hashes for &Liar {
    fn hash(&self, level: u32, index: u64) -> consignee::Result<Hash> {
        if level == 0 {
            return Ok(self.0[usize::try_from(index).unwrap()]);
        }
        Ok(node_hash(&self.hash(level - 1, 2 * index)?, &self.hash(level - 1, 2 * index + 1)?))
    }
}

impl Liar {
    /// Entries of this history.
    fn of(history: &str) -> Self {
        Self((0..50).map(|n| leaf_hash(format!("{history} {n}").as_bytes())).collect())
    }

    fn key() -> VerifierKey {
        NoteKey::parse(LIAR).unwrap().public().clone()
    }

    fn request(&self, old: u64, size: u64) -> WitnessRequest {
        let root = root_of(&self, size).unwrap();
        let checkpoint = Checkpoint { origin: "PeterNeumann".into(), size, root };
        let checkpoint = checkpoint.sign(&NoteKey::parse(LIAR).unwrap());
        WitnessRequest { old, proof: consistency_proof(&self, old.min(size), size).unwrap(), checkpoint }
    }
}

struct Firm {
    dir: tempfile::TempDir,
}

impl Firm {
    fn new() -> Self {
        let firm = Self { dir: tempfile::tempdir().unwrap() };
        NoteKey::make_witness("w.example", &firm.dir.path().join("key")).unwrap();
        firm
    }

    fn witness(&self) -> Witness {
        Witness::new(NoteKey::read(&self.dir.path().join("key")).unwrap(), &self.dir.path().join("state"))
    }

    fn sign(&self, request: &WitnessRequest) -> Result<(), ErrorKind> {
        self.witness().cosign(request, Some(&Liar::key())).map(drop).map_err(|e| e.kind().clone())
    }

    fn seen(&self) -> u64 {
        self.witness().seen("PeterNeumann").unwrap().map_or(0, |seen| seen.size)
    }
}

#[test]
fn a_witness_signs_one_history_whichever_it_is_shown_first() {
    let (a, b) = (Liar::of("a"), Liar::of("b"));
    for (first, second) in [(&a, &b), (&b, &a)] {
        let firm = Firm::new();
        firm.sign(&first.request(0, 20)).unwrap();
        for size in [20, 21, 50] {
            assert!(firm.sign(&second.request(20, size)).is_err(), "{size}");
        }
        // As if it knew nothing.
        assert_eq!(firm.sign(&second.request(0, 50)), Err(ErrorKind::Conflict));
        firm.sign(&first.request(20, 50)).unwrap();
        assert_eq!(firm.seen(), 50);
    }
}

#[test]
fn a_witness_refuses_what_does_not_continue_what_it_saw() {
    let (log, firm) = (Liar::of("a"), Firm::new());
    firm.sign(&log.request(0, 0)).unwrap();
    firm.sign(&log.request(0, 20)).unwrap();
    let state = fs::read(firm.dir.path().join("state")).unwrap();
    let good = log.request(20, 50);
    let with = |proof: Vec<Hash>| WitnessRequest { proof, ..good.clone() };
    let mut altered = good.proof.clone();
    altered[0][0] ^= 1;
    for (request, kind) in [
        (log.request(19, 50), ErrorKind::Conflict),
        (log.request(21, 50), ErrorKind::Conflict),
        (WitnessRequest { old: 20, ..log.request(0, 19) }, ErrorKind::Conflict),
        (with(Vec::new()), ErrorKind::Damaged),
        (with(altered), ErrorKind::Damaged),
        (with(good.proof[1..].to_vec()), ErrorKind::Damaged),
        (with([good.proof.as_slice(), &[[0; 32]]].concat()), ErrorKind::Damaged),
        (with(vec![[0; 32]; 10_000]), ErrorKind::Damaged),
    ] {
        assert_eq!(firm.sign(&request), Err(kind));
        assert_eq!(fs::read(firm.dir.path().join("state")).unwrap(), state, "a refusal changes nothing");
    }
    firm.sign(&log.request(20, 20)).unwrap();
    firm.sign(&good).unwrap();
}

#[test]
fn a_witness_signs_for_logs_that_it_was_given_and_by_their_own_keys() {
    let (log, firm) = (Liar::of("a"), Firm::new());
    let unknown = firm.witness().cosign(&log.request(0, 20), None).unwrap_err();
    assert_eq!(*unknown.kind(), ErrorKind::NotFound);
    firm.sign(&log.request(0, 20)).unwrap();
    firm.witness().cosign(&log.request(20, 30), None).unwrap();
    let key = firm.witness();
    let other = VerifierKey::of_log(
        "PeterNeumann",
        NoteKey::read(&firm.dir.path().join("key")).unwrap().public().public(),
    );
    let e = key.cosign(&log.request(30, 40), Some(&other.unwrap())).unwrap_err();
    assert_eq!(*e.kind(), ErrorKind::Exists);
    // Signed by nobody, and by the name alone.
    let mut unsigned = log.request(30, 40);
    let text = unsigned.checkpoint.note().text().to_owned();
    let line = format!("\n\u{2014} PeterNeumann {}\n", "x08go5".repeat(16).get(..92).unwrap());
    if let Ok(checkpoint) = consignee::tlog::SignedCheckpoint::parse(format!("{text}{line}").as_bytes()) {
        unsigned.checkpoint = checkpoint;
        assert_eq!(firm.sign(&unsigned), Err(ErrorKind::CannotOpen));
    }
    assert_eq!(firm.seen(), 30);
}

#[test]
fn of_two_that_ask_at_once_one_history_is_signed() {
    let (a, b, firm) = (Liar::of("a"), Liar::of("b"), Firm::new());
    for round in 0..10u64 {
        let firm = if round == 0 { &firm } else { &Firm::new() };
        let signed: Vec<bool> = thread::scope(|scope| {
            let asked: Vec<_> = [&a, &b, &a, &b]
                .into_iter()
                .map(|log| scope.spawn(|| (log.0[0], firm.sign(&log.request(0, 20)).is_ok())))
                .collect();
            let answers: Vec<_> = asked.into_iter().map(|answer| answer.join().unwrap()).collect();
            [a.0[0], b.0[0]].map(|first| answers.contains(&(first, true))).to_vec()
        });
        assert_eq!(signed.iter().filter(|signed| **signed).count(), 1, "round {round}");
    }
}

#[cfg(unix)]
#[test]
fn a_witness_that_cannot_keep_what_it_signs_does_not_sign() {
    use std::os::unix::fs::symlink;

    let (log, firm) = (Liar::of("a"), Firm::new());
    firm.sign(&log.request(0, 20)).unwrap();
    // A folder in the new file's place, which nothing is written through or over.
    let new = firm.dir.path().join("state.new");
    fs::create_dir(&new).unwrap();
    assert!(firm.sign(&log.request(20, 30)).is_err());
    assert_eq!(firm.seen(), 20);
    fs::remove_dir(&new).unwrap();
    // What a crash left half written, before it was moved, is not what was seen.
    fs::write(&new, "consignee-witness-v1\nhalf").unwrap();
    assert_eq!(firm.seen(), 20);
    firm.sign(&log.request(20, 30)).unwrap();
    // A link: what it leads to is somebody else's.
    let state = firm.dir.path().join("state");
    fs::rename(&state, firm.dir.path().join("moved")).unwrap();
    symlink(firm.dir.path().join("moved"), &state).unwrap();
    assert_eq!(firm.sign(&log.request(30, 40)), Err(ErrorKind::Storage));
    // A link that leads nowhere is no fresh start.
    fs::remove_file(firm.dir.path().join("moved")).unwrap();
    assert!(firm.sign(&log.request(0, 40)).is_err());
}

#[test]
fn a_witness_with_a_damaged_file_signs_nothing() {
    let (log, firm) = (Liar::of("a"), Firm::new());
    firm.sign(&log.request(0, 20)).unwrap();
    let state = firm.dir.path().join("state");
    let good = fs::read_to_string(&state).unwrap();
    let line = good.lines().nth(1).unwrap();
    for (bad, at) in [
        (String::new(), 1),
        ("consignee-witness-v2\n".to_owned(), 1),
        (good.replace(" 20 ", " twenty "), 2),
        (good.replace(" 20 ", " 020 "), 2),
        (format!("{good}{line}\n"), 3),
        (format!("{good}\n"), 3),
        (good[..good.len() - 3].to_owned(), 2),
        (good.trim_end().to_owned(), 2),
    ] {
        fs::write(&state, &bad).unwrap();
        let e = firm.witness().cosign(&log.request(20, 30), Some(&Liar::key())).unwrap_err();
        assert_eq!(*e.kind(), ErrorKind::Damaged, "{bad}");
        assert!(e.to_string().contains(&format!("line {at} ")), "{bad}: {e}");
    }
}

/// Why the state must not be restored from a snapshot: nobody else can tell.
#[test]
fn a_witness_whose_file_was_set_back_signs_two_histories() {
    let (a, b, firm) = (Liar::of("a"), Liar::of("b"), Firm::new());
    let state = firm.dir.path().join("state");
    firm.sign(&a.request(0, 0)).unwrap();
    let before = fs::read(&state).unwrap();
    firm.sign(&a.request(0, 20)).unwrap();
    assert!(firm.sign(&b.request(0, 20)).is_err());
    fs::write(&state, before).unwrap();
    firm.sign(&b.request(0, 20)).unwrap();
}
