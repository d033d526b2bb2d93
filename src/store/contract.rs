//! The contracts of `store/mod.rs`, each held against every store.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use super::{
    Item, LedgerHead, LedgerRow, Memory, RecordRow, SecretRow, SecretState, StagedRecord, StoreError, Stores,
    Tag,
};

#[test]
fn records_come_back_in_the_order_asked_for() {
    on_each_store(|stores| {
        stores.orders.insert_records(&[record(3), record(1), record(2)]).unwrap();
        let found = stores.orders.records(&[[2; 16], [9; 16], [3; 16]]).unwrap();
        assert_eq!(found, [Some(record(2)), None, Some(record(3))]);
        assert_eq!(stores.orders.count_records().unwrap(), 3);
    });
}

#[test]
fn a_batch_of_records_with_a_known_id_adds_nothing() {
    on_each_store(|stores| {
        stores.orders.insert_records(&[record(1)]).unwrap();
        let other = RecordRow { sealed: vec![9], ..record(1) };
        assert_eq!(stores.orders.insert_records(&[record(2), other]), Err(StoreError::Exists));
        assert_eq!(stores.orders.insert_records(&[record(3), record(3)]), Err(StoreError::Exists));
        assert_eq!(
            stores.orders.records(&[[1; 16], [2; 16], [3; 16]]).unwrap(),
            [Some(record(1)), None, None]
        );
        assert_eq!(stores.orders.count_records().unwrap(), 1);
    });
}

#[test]
fn deleting_records_passes_over_those_that_are_not_there() {
    on_each_store(|stores| {
        stores.orders.insert_records(&[record(1), record(2)]).unwrap();
        stores.orders.delete_records(&[[7; 16], [1; 16]]).unwrap();
        assert_eq!(stores.orders.records(&[[1; 16], [2; 16]]).unwrap(), [None, Some(record(2))]);
    });
}

#[test]
fn records_are_found_by_any_of_their_tags() {
    on_each_store(|stores| {
        let tag = |field, value| Tag { field, value };
        let most = u64::MAX >> 2; // the longest tag
        let rows = [
            RecordRow { tags: vec![tag(4, 7), tag(9, 7)], ..record(3) },
            RecordRow { tags: vec![tag(4, 7)], ..record(1) },
            RecordRow { tags: vec![tag(4, most), tag(4, most)], ..record(2) },
        ];
        stores.orders.insert_records(&rows).unwrap();
        let found = |tags: &[Tag], limit| stores.orders.tagged(tags, limit).unwrap();
        assert_eq!(found(&[tag(4, 7)], 10), [[1; 16], [3; 16]]);
        assert_eq!(found(&[tag(4, most), tag(4, 7), tag(9, 7)], 10), [[1; 16], [2; 16], [3; 16]]);
        assert_eq!(found(&[tag(4, 7)], 1), [[1; 16]]);
        assert!(found(&[tag(9, 8), tag(5, 7)], 10).is_empty() && found(&[], 10).is_empty());
        assert_eq!(stores.orders.records(&[[3; 16]]).unwrap(), [Some(rows[0].clone())], "tags come back");
        stores.orders.delete_records(&[[3; 16]]).unwrap();
        assert_eq!(found(&[tag(4, 7), tag(9, 7)], 10), [[1; 16]], "tags go with their record");
    });
}

#[test]
fn a_record_is_swapped_for_its_next_revision_only() {
    on_each_store(|stores| {
        let orders = &stores.orders;
        let tag = |value| vec![Tag { field: 4, value }];
        orders.insert_records(&[RecordRow { tags: tag(1), ..record(1) }, record(2)]).unwrap();
        let next = |replaces, value| StagedRecord {
            record: RecordRow { revision: 2, sealed: vec![9; 800], tags: tag(value), ..record(1) },
            replaces,
            ledger_size: 77,
        };
        assert!(!orders.swap_staged(&[1; 16]).unwrap(), "nothing is staged");
        for wrong in [0, 2, u32::MAX] {
            orders.stage_record(&next(wrong, 5)).unwrap();
            assert!(!orders.swap_staged(&[1; 16]).unwrap(), "the record has revision 1, not {wrong}");
        }
        orders.stage_record(&next(1, 2)).unwrap();
        assert_eq!(orders.staged(&[1; 16]).unwrap(), Some(next(1, 2)), "the last one staged is kept");
        assert_eq!(orders.staged(&[2; 16]).unwrap(), None);
        assert_eq!(orders.records(&[[1; 16]]).unwrap(), [Some(RecordRow { tags: tag(1), ..record(1) })]);
        assert!(orders.swap_staged(&[1; 16]).unwrap());
        assert_eq!(orders.records(&[[1; 16], [2; 16]]).unwrap(), [Some(next(1, 2).record), Some(record(2))]);
        assert!(orders.tagged(&tag(1), 10).unwrap().is_empty(), "the old tags are gone");
        assert_eq!(orders.tagged(&tag(2), 10).unwrap(), [[1; 16]]);
        assert_eq!(orders.staged(&[1; 16]).unwrap(), None);
        assert!(!orders.swap_staged(&[1; 16]).unwrap());

        orders.stage_record(&next(2, 3)).unwrap();
        orders.drop_staged(&[1; 16]).unwrap();
        orders.drop_staged(&[8; 16]).unwrap();
        assert!(!orders.swap_staged(&[1; 16]).unwrap());
        orders.stage_record(&next(2, 3)).unwrap();
        orders.delete_records(&[[1; 16]]).unwrap();
        assert_eq!(orders.staged(&[1; 16]).unwrap(), None, "what is staged goes with its record");
        orders.stage_record(&next(2, 3)).unwrap();
        assert!(!orders.swap_staged(&[1; 16]).unwrap(), "there is nothing to swap");
    });
}

#[test]
fn pages_of_records_meet_without_gap_or_overlap() {
    on_each_store(|stores| {
        let rows: Vec<RecordRow> = (0..7).rev().map(|n| record(n * 30)).collect();
        stores.orders.insert_records(&rows).unwrap();
        let mut seen = Vec::new();
        loop {
            let after = seen.last().copied();
            let page = stores.orders.page(after.as_ref(), 3).unwrap();
            assert!(page.len() <= 3);
            if page.is_empty() {
                break;
            }
            assert!(page.iter().all(|row| row.size == 700 && row.revision == 1 && row.put_day == 20_000));
            seen.extend(page.iter().map(|row| row.id));
        }
        assert_eq!(seen, (0..7).map(|n| [n * 30; 16]).collect::<Vec<_>>());
        assert!(stores.orders.page(None, 0).unwrap().is_empty());
        assert_eq!(
            stores.orders.page(Some(&[31; 16]), usize::MAX).unwrap().len(),
            5,
            "a cursor need not be there"
        );
    });
}

#[test]
fn records_are_replaced_where_they_have_the_revision() {
    on_each_store(|stores| {
        let orders = &stores.orders;
        let tag = |value| Tag { field: 4, value };
        let old = |n| RecordRow { revision: 3, tags: vec![tag(1), tag(7)], ..record(n) };
        orders.insert_records(&[old(1), old(2), record(4)]).unwrap();
        let new = |n, size| RecordRow { sealed: vec![9; size], tags: vec![tag(2), tag(7)], ..old(n) };
        // Of one size, of another, of another revision, and one that is not there.
        let rows = [new(1, 700), new(2, 5_000), RecordRow { revision: 3, ..record(4) }, new(5, 700)];
        assert_eq!(orders.replace_records(&rows).unwrap(), [true, true, false, false]);
        let found = orders.records(&[[1; 16], [2; 16], [4; 16], [5; 16]]).unwrap();
        assert_eq!(found, [Some(new(1, 700)), Some(new(2, 5_000)), Some(record(4)), None]);
        assert!(orders.tagged(&[tag(1)], 9).unwrap().is_empty(), "old tags are gone");
        for value in [2, 7] {
            assert_eq!(orders.tagged(&[tag(value)], 9).unwrap(), [[1; 16], [2; 16]]);
        }
        assert!(orders.staged_ids(9).unwrap().is_empty());
        assert!(orders.replace_records(&[]).unwrap().is_empty());
    });
}

#[test]
fn records_are_found_and_counted_by_their_epoch() {
    on_each_store(|stores| {
        let orders = &stores.orders;
        let of_epoch = |n: u8, epoch: u32| {
            let mut row = record(n);
            row.sealed[42..46].copy_from_slice(&epoch.to_le_bytes());
            row
        };
        let rows = [of_epoch(5, 1), of_epoch(1, 300), of_epoch(4, 1), of_epoch(2, 1), of_epoch(3, 300)];
        orders.insert_records(&rows).unwrap();
        orders.insert_records(&[RecordRow { sealed: vec![1; 30], ..record(9) }]).unwrap();
        let staged = StagedRecord { record: of_epoch(5, 2), replaces: 1, ledger_size: 0 };
        orders.stage_record(&staged).unwrap();
        assert_eq!(orders.count_epochs().unwrap(), [(0, 1), (1, 3), (2, 1), (300, 2)]);
        assert_eq!(orders.of_epoch(300, None, 9).unwrap().len(), 2);
        assert!(orders.of_epoch(7, None, 9).unwrap().is_empty());
        // In pages, while what was seen moves on to another epoch.
        let large = |n| RecordRow { sealed: [of_epoch(n, 9).sealed, vec![0; 9 << 20]].concat(), ..record(n) };
        orders.insert_records(&[large(11), large(12), large(13)]).unwrap();
        let page = orders.of_epoch(9, None, 3).unwrap();
        assert_eq!(page.len(), 2, "no more than 16 MiB, and what is behind that");
        assert_eq!(orders.of_epoch(9, Some(page[1].0), 3).unwrap().len(), 1);
        orders.delete_records(&[[11; 16], [12; 16], [13; 16]]).unwrap();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = orders.of_epoch(1, after, 2).unwrap();
            let Some((place, _)) = page.last() else { break };
            after = Some(*place);
            assert!(page.is_sorted_by(|(a, _), (b, _)| a < b) && page.len() <= 2);
            for (_, row) in page {
                let moved = of_epoch(row.id[0], 2);
                assert_eq!(orders.replace_records(&[moved]).unwrap(), [true]);
                seen.push(row.id[0]);
            }
        }
        seen.sort_unstable();
        assert_eq!(seen, [2, 4, 5]);
        assert_eq!(orders.count_epochs().unwrap(), [(0, 1), (2, 4), (300, 2)]);
    });
}

#[test]
fn making_rows_current_supersedes_those_before() {
    on_each_store(|stores| {
        let secrets = &stores.secrets;
        let row = |id, n1, state| SecretRow { state, ..secret(id, n1) };
        let old = SecretRow { fingerprint: Vec::new(), ..row(1, 3, SecretState::Superseded) };
        let rows = [
            row(1, 1, SecretState::Current),
            row(1, 2, SecretState::Pending),
            old.clone(),
            row(1, 4, SecretState::Pending),
            row(2, 1, SecretState::Current),
            row(3, 1, SecretState::Current),
        ];
        secrets.insert_secrets(&rows).unwrap();
        secrets.make_current(&[([1; 16], [2; 10]), ([2; 16], [9; 10]), ([7; 16], [1; 10])], 77).unwrap();
        let superseded =
            SecretRow { fingerprint: Vec::new(), changed_at: 77, ..row(1, 1, SecretState::Superseded) };
        let current = SecretRow { changed_at: 77, ..row(1, 2, SecretState::Current) };
        assert_eq!(secrets.secrets(&[[1; 16]]).unwrap(), [[superseded, current.clone(), old]]);
        assert_eq!(secrets.secrets(&[[2; 16], [3; 16]]).unwrap(), [[rows[4].clone()], [rows[5].clone()]]);
        assert!(secrets.unsettled().unwrap().is_empty());
        let superseded = secrets.superseded_before(78, 9).unwrap();
        assert_eq!((superseded.len(), secrets.count_superseded(u64::MAX).unwrap()), (1, 2));
        // Once more changes nothing but the time.
        secrets.make_current(&[([1; 16], [2; 10])], 78).unwrap();
        assert_eq!(secrets.secrets(&[[1; 16]]).unwrap()[0][1], SecretRow { changed_at: 78, ..current });
    });
}

#[test]
fn rows_are_counted_by_their_generation() {
    on_each_store(|stores| {
        let of = |n1, generation| SecretRow { generation, ..secret(1, n1) };
        let empty = SecretRow { wrapped: Vec::new(), fingerprint: Vec::new(), ..of(4, 7) };
        stores.secrets.insert_secrets(&[of(1, 8), of(2, 7), of(3, 8), empty]).unwrap();
        assert_eq!(stores.secrets.count_generations().unwrap(), [(7, 1), (8, 2)]);
    });
}

#[test]
fn secrets_are_replaced_in_their_places_whatever_their_size() {
    on_each_store(|stores| {
        let sized = |n1, wrapped| SecretRow { wrapped: vec![n1; wrapped], ..secret(1, n1) };
        stores.secrets.insert_secrets(&[sized(1, 104), sized(2, 104), sized(3, 300)]).unwrap();
        let keys = [1, 2, 3, 4].map(|n1| ([1; 16], [n1; 10]));
        let moved = |n1, wrapped| SecretRow { generation: 9, revision: 5, serial: 3, ..sized(n1, wrapped) };
        let rows = [moved(1, 104), moved(2, 200), moved(3, 104), moved(4, 104)];
        stores.secrets.replace_secrets(&keys, &rows).unwrap();
        assert_eq!(stores.secrets.secrets(&[[1; 16]]).unwrap().concat(), rows);
        // The same row twice is refused, and nothing is changed.
        let twice = stores.secrets.replace_secrets(&keys[..1], &[sized(1, 104), sized(1, 104)]);
        assert_eq!(twice, Err(StoreError::Exists));
        assert_eq!(stores.secrets.secrets(&[[1; 16]]).unwrap().concat(), rows);
    });
}

#[test]
fn secrets_come_back_by_record_and_by_serial() {
    on_each_store(|stores| {
        // One without bytes, one that fills pieces to the byte, one beyond.
        let sizes = [(0, 0), (16, 104), (16, 105), (0, 1_096), (16, 224)];
        let rows: Vec<SecretRow> = (1..)
            .zip(sizes)
            .map(|(n, (fingerprint, wrapped))| SecretRow {
                fingerprint: vec![n; fingerprint],
                wrapped: (n..=255).cycle().take(wrapped).collect(),
                ..secret(1, n)
            })
            .collect();
        stores.secrets.insert_secrets(&[&rows[..], &[secret(2, 1)]].concat()).unwrap();
        let found = stores.secrets.secrets(&[[9; 16], [1; 16], [2; 16]]).unwrap();
        assert_eq!(found, [vec![], rows.clone(), vec![secret(2, 1)]]);
        assert_eq!(stores.secrets.secrets_by_serial(1).unwrap(), rows);
        assert!(stores.secrets.secrets_by_serial(u64::MAX).unwrap().is_empty());
    });
}

#[test]
fn a_batch_of_secrets_with_a_known_key_adds_nothing() {
    on_each_store(|stores| {
        stores.secrets.insert_secrets(&[secret(1, 1)]).unwrap();
        assert_eq!(stores.secrets.insert_secrets(&[secret(1, 2), secret(1, 1)]), Err(StoreError::Exists));
        assert_eq!(stores.secrets.insert_secrets(&[secret(3, 1), secret(3, 1)]), Err(StoreError::Exists));
        assert_eq!(stores.secrets.secrets_page(None, 10).unwrap(), [secret(1, 1)]);
    });
}

#[test]
fn secrets_are_replaced_all_or_none() {
    on_each_store(|stores| {
        stores.secrets.insert_secrets(&[secret(1, 1), secret(1, 2), secret(2, 1)]).unwrap();
        let shredded = SecretRow {
            state: SecretState::Shredded,
            fingerprint: Vec::new(),
            wrapped: vec![5; 300],
            ..secret(1, 1)
        };
        let gone = [([1; 16], [1; 10]), ([1; 16], [2; 10]), ([8; 16], [8; 10])];
        stores.secrets.replace_secrets(&gone, std::slice::from_ref(&shredded)).unwrap();
        stores.secrets.wipe_removed(crate::store::LOCK_WAIT).unwrap();
        assert_eq!(stores.secrets.secrets_page(None, 10).unwrap(), [shredded.clone(), secret(2, 1)]);

        let clash = stores.secrets.replace_secrets(&[([1; 16], [1; 10])], &[secret(3, 1), secret(2, 1)]);
        assert_eq!(clash, Err(StoreError::Exists));
        assert_eq!(stores.secrets.secrets_page(None, 10).unwrap(), [shredded, secret(2, 1)]);
    });
}

#[test]
fn unsettled_are_the_pending_and_the_shredded_with_a_fingerprint() {
    on_each_store(|stores| {
        let marked = SecretRow { state: SecretState::Shredded, ..secret(2, 1) };
        let done = SecretRow { fingerprint: Vec::new(), state: SecretState::Shredded, ..secret(3, 1) };
        let pending = SecretRow { state: SecretState::Pending, ..secret(4, 1) };
        let superseded = SecretRow { state: SecretState::Superseded, ..secret(4, 2) };
        let rows = [secret(1, 1), done, marked.clone(), pending.clone(), superseded];
        stores.secrets.insert_secrets(&rows).unwrap();
        assert_eq!(stores.secrets.unsettled().unwrap(), [marked, pending]);
    });
}

#[test]
fn superseded_rows_are_found_by_their_age() {
    on_each_store(|stores| {
        let superseded = |n1, changed_at| SecretRow {
            state: SecretState::Superseded,
            fingerprint: Vec::new(),
            changed_at,
            ..secret(1, n1)
        };
        let rows = [superseded(1, 30), superseded(2, 10), superseded(3, 20), secret(1, 4)];
        stores.secrets.insert_secrets(&rows).unwrap();
        let before = |time, limit| {
            let mut found = stores.secrets.superseded_before(time, limit).unwrap();
            found.sort_by_key(|row| row.changed_at);
            found.iter().map(|row| row.changed_at).collect::<Vec<_>>()
        };
        assert_eq!((before(20, 9), before(30, 9), before(31, 9)), (vec![10], vec![10, 20], vec![10, 20, 30]));
        assert_eq!((before(31, 2).len(), before(0, 9).len()), (2, 0));
    });
}

#[test]
fn a_budget_is_spent_within_its_windows() {
    on_each_store(|stores| {
        let windows = [(10, 2), (100, 3)];
        let spend = |account, at| stores.keys.spend(account, at, &windows).unwrap();
        assert!(spend(1, 1000) && spend(1, 1000));
        assert!(!spend(1, 1009), "two within ten seconds");
        assert!(spend(2, 1009), "accounts are apart");
        assert!(spend(1, 1010), "the first two are ten seconds ago");
        assert!(!spend(1, 1099), "three within a hundred");
        assert!(spend(1, 1101) && spend(1, 1101), "the oldest are forgotten");
        assert!(!spend(1, 900), "a clock set back gives no new budget");
        assert!(spend(7, 500) && spend(8, 500) && spend(8, 600) && spend(9, 500));
        stores.keys.forget_spent(7..=8, 500).unwrap();
        let once = |account, at| stores.keys.spend(account, at, &[(1_000, 1)]).unwrap();
        assert!(once(7, 500), "forgotten");
        assert!(!once(8, 601) && !once(9, 501), "not before its time, and not another account's");
        assert!(stores.keys.spend(u64::MAX >> 1, 0, &[(u64::MAX >> 1, 1)]).unwrap());
    });
}

#[test]
fn pages_of_secrets_meet_without_gap_or_overlap() {
    on_each_store(|stores| {
        let rows: Vec<SecretRow> = (0..4).flat_map(|id| (0..3).map(move |n1| secret(id, n1))).collect();
        stores.secrets.insert_secrets(&rows).unwrap();
        let mut seen: Vec<SecretRow> = Vec::new();
        loop {
            let after = seen.last().map(|row| (row.record_id, row.n1));
            // Two a page: pages end within a record.
            let page = stores.secrets.secrets_page(after.as_ref(), 2).unwrap();
            if page.is_empty() {
                break;
            }
            seen.extend(page);
        }
        assert_eq!(seen, rows);
    });
}

#[test]
fn items_are_replaced_and_their_version_tells() {
    on_each_store(|stores| {
        let item = |generation, body: &[u8]| Item { kind: 1, id: u32::MAX, generation, body: body.to_vec() };
        let before = stores.keys.items_version().unwrap();
        stores.keys.write_items(&[item(1, b"one"), item(2, b"two")]).unwrap();
        let first = stores.keys.items_version().unwrap();
        stores.keys.write_items(&[item(1, b"1")]).unwrap();
        let second = stores.keys.items_version().unwrap();
        assert!(before != first && first != second && before != second);
        assert_eq!(stores.keys.items_version().unwrap(), second);
        assert_eq!(stores.keys.items().unwrap(), [item(1, b"1"), item(2, b"two")]);
    });
}

#[test]
fn an_item_without_a_body_is_a_removal() {
    on_each_store(|stores| {
        let item = |generation, body: &[u8]| Item { kind: 3, id: 0, generation, body: body.to_vec() };
        stores.keys.write_items(&[item(1, b"one"), item(2, b"two")]).unwrap();
        let before = stores.keys.items_version().unwrap();
        stores.keys.write_items(&[item(1, b""), item(2, b"2"), item(3, b"")]).unwrap();
        assert_eq!(stores.keys.items().unwrap(), [item(2, b"2")]);
        assert!(stores.keys.items_version().unwrap() != before);
        stores.keys.allot(1, 7).unwrap();
        stores.keys.wipe_removed(crate::store::LOCK_WAIT).unwrap();
        assert_eq!(stores.keys.items().unwrap(), [item(2, b"2")], "wiping takes nothing that is there");
        assert_eq!(stores.keys.allotted(1).unwrap(), 7);
    });
}

#[test]
fn counters_never_give_a_number_twice() {
    on_each_store(|stores| {
        assert_eq!(stores.keys.allot(1, 256).unwrap(), 0);
        assert_eq!(stores.keys.allot(1, 1).unwrap(), 256);
        assert_eq!(stores.keys.allot(2, 10).unwrap(), 0, "counters are apart");
        assert_eq!(stores.keys.allot(1, u64::MAX), Err(StoreError::Failed));
        assert_eq!(stores.keys.allot(1, 1).unwrap(), 257, "a failure takes nothing");
    });
}

#[test]
fn the_ledger_keeps_entries_in_order_and_finds_handles() {
    on_each_store(|stores| {
        append(stores, &[(1, "a"), (2, "b")]);
        append(stores, &[(1, "c")]);
        assert_eq!(stores.ledger.head().unwrap(), head_of(3));
        let bytes = |from, limit| {
            let rows = stores.ledger.entries(from, limit).unwrap();
            rows.into_iter().map(|row| row.bytes).collect::<Vec<_>>()
        };
        assert_eq!(bytes(0, 2), [b"a", b"b"]);
        assert_eq!(bytes(1, usize::MAX), [b"b", b"c"]);
        assert!(stores.ledger.entries(3, 1).unwrap().is_empty());
        assert!(stores.ledger.entries(u64::MAX, 1).unwrap().is_empty());
        assert_eq!(stores.ledger.find_handle(&[1; 16]).unwrap(), [0, 2]);
        assert!(stores.ledger.find_handle(&[7; 16]).unwrap().is_empty());
    });
}

#[test]
fn one_writer_at_a_time() {
    on_each_store(|stores| {
        let writing = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let _writer = stores.lock.hold().unwrap();
                        assert!(!writing.swap(true, Ordering::SeqCst), "two writers");
                        thread::sleep(Duration::from_micros(200));
                        writing.store(false, Ordering::SeqCst);
                    }
                });
            }
        });
    });
}

#[test]
fn what_a_dashboard_and_doctor_ask_for_is_told() {
    on_each_store(|stores| {
        assert_eq!((stores.keys.allotted(3).unwrap(), stores.keys.allot(3, 20).unwrap()), (0, 0));
        assert_eq!(stores.keys.allotted(3).unwrap(), 20);
        let superseded =
            |n1, changed_at| SecretRow { state: SecretState::Superseded, changed_at, ..secret(1, n1) };
        stores.secrets.insert_secrets(&[secret(1, 1), superseded(2, 50), superseded(3, 60)]).unwrap();
        let counts = [50, 60, 61, u64::MAX].map(|before| stores.secrets.count_superseded(before).unwrap());
        assert_eq!(counts, [0, 1, 2, 2]);
        for n in [3, 1, 2] {
            let staged = StagedRecord { record: record(n), replaces: 1, ledger_size: 0 };
            stores.orders.stage_record(&staged).unwrap();
        }
        assert_eq!(stores.orders.staged_ids(2).unwrap(), [[1; 16], [2; 16]]);
        stores.orders.drop_staged(&[1; 16]).unwrap();
        assert_eq!(stores.orders.staged_ids(9).unwrap(), [[2; 16], [3; 16]]);
        let checks =
            [stores.orders.check(), stores.secrets.check(), stores.keys.check(), stores.ledger.check()];
        assert_eq!(checks, [Ok(()); 4]);
    });
}

/// Runs a test on an empty store of each kind.
fn on_each_store(test: impl Fn(&Stores)) {
    test(&Memory::stores());
    #[cfg(feature = "sqlite")]
    {
        let place = tempfile::tempdir().unwrap();
        test(&super::sqlite::create(&place.path().join("vault")).unwrap());
    }
}

fn record(n: u8) -> RecordRow {
    RecordRow { id: [n; 16], revision: 1, put_day: 20_000, sealed: vec![n; 700], tags: Vec::new() }
}

fn secret(id: u8, n1: u8) -> SecretRow {
    SecretRow {
        record_id: [id; 16],
        n1: [n1; 10],
        revision: 1,
        generation: 7,
        state: SecretState::Current,
        put_at: 1_700_000_000,
        serial: id.into(),
        policy: 0,
        changed_at: 1_700_000_000,
        fingerprint: vec![id; 16],
        wrapped: vec![n1; 104],
    }
}

/// A head of the right shape; what is hashed is no concern of a store.
fn head_of(size: u64) -> LedgerHead {
    LedgerHead { size, frontier: vec![[0xfe; 32]; size.count_ones() as usize] }
}

fn append(stores: &Stores, entries: &[(u8, &str)]) {
    let build = &mut |head: &LedgerHead| {
        let rows =
            entries.iter().map(|(n, bytes)| LedgerRow { handle: [*n; 16], bytes: bytes.as_bytes().to_vec() });
        (rows.collect(), head_of(head.size + entries.len() as u64))
    };
    stores.ledger.append(build).unwrap();
}
