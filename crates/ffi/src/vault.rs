//! Vaults. Administration (policies, backups, rotation, custody) is the command line's.

use std::time::Duration;

use consignee::{
    Error, Fields, KeyFile, Passphrase, Patch, PublicKey, Put, RootKeyProvider, Setup, Shared, ShredMode,
    Vault, VaultCard, tlog::TrustPolicy, verify_published,
};
use serde_json::json;

use crate::{
    boundary::{Answer, Fault, Out, call, consignee_bytes, consignee_error, consignee_status, free, texts},
    buffer::{consignee_buffer, hand_over},
    handle,
    results::{Item, Results, Told, consignee_results},
};

/// Orders, their secrets, keys and ledger. Any thread may use it, several at once, too. It belongs to the process that unlocked it: in
/// a forked child its calls are CONSIGNEE_LOCKED.
pub struct consignee_vault;

/// What proves who saw an order is kept.
pub const CONSIGNEE_SHRED_KEEP_EVIDENCE: u32 = 0;
/// What proves who saw an order is destroyed with it.
pub const CONSIGNEE_SHRED_WITH_EVIDENCE: u32 = 1;

/// A ledger: its number, how many entries it has, and its root hash of RFC 6962.
#[repr(C)]
pub struct consignee_ledger_state {
    /// Number of the ledger: 1, and one more after each restore.
    pub ledger: u32,
    /// Number of entries.
    pub size: u64,
    /// Root hash.
    pub root: [u8; 32],
}

type Handle = *const consignee_vault;

fn get(vault: Handle) -> Result<std::sync::Arc<Vault>, Fault> {
    handle::get::<Vault>(vault)
}

/// Unlocks the vault in a folder with one of three keys.
///
/// # Safety
/// As for `consignee_bytes::input` and `Out::new`.
unsafe fn unlock(
    folder: consignee_bytes,
    key: impl FnOnce() -> Result<Box<dyn RootKeyProvider>, Fault>,
    vault: *mut *mut consignee_vault,
) -> Answer {
    // SAFETY: as the caller promises.
    let (out, folder) = unsafe { (Out::new(vault, "vault")?, folder.path("folder")?) };
    out.write(handle::insert(Vault::unlock(&folder, &*key()?)?)?);
    Ok(())
}

/// Unlocks the vault in a folder by a key file. Waits at most 10 seconds for another writer.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_vault_unlock(
    folder: consignee_bytes,
    key_file: consignee_bytes,
    vault: *mut *mut consignee_vault,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || unlock(folder, || Ok(Box::new(KeyFile::read(&key_file.path("key_file")?)?)), vault))
    }
}

/// Unlocks the vault in a folder by a passphrase, which takes about a second.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_vault_unlock_with_passphrase(
    folder: consignee_bytes,
    passphrase: consignee_bytes,
    vault: *mut *mut consignee_vault,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            unlock(folder, || Ok(Box::new(Passphrase::new(passphrase.text("passphrase")?))), vault)
        })
    }
}

/// Unlocks the vault in a folder by a key of 32 bytes that the caller keeps elsewhere.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_vault_unlock_with_key(
    folder: consignee_bytes,
    key: consignee_bytes,
    vault: *mut *mut consignee_vault,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let key = || {
                let key =
                    key.input("key")?.try_into().map_err(|_| Fault::Argument("key", "has not 32 bytes"))?;
                Ok(Box::new(KeyFile::from_bytes(key)) as Box<dyn RootKeyProvider>)
            };
            unlock(folder, key, vault)
        })
    }
}

/// A vault in memory, gone when it is freed: for tests of programs. policy is TOML text; empty for the built-in one.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_vault_in_memory(
    policy: consignee_bytes,
    vault: *mut *mut consignee_vault,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(vault, "vault")?;
            let policy = policy.optional("policy")?;
            let setup = policy
                .map_or_else(Setup::default, |policy| Setup { policy: policy.into(), ..Setup::default() });
            out.write(handle::insert(Vault::in_memory(&setup)?)?);
            Ok(())
        })
    }
}

/// Compares the vault's ledger with the checkpoint in a file outside of it, and keeps the file up to date from then on: a vault that is
/// behind it opens nothing any more (CONSIGNEE_ROLLED_BACK).
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_vault_keep_checkpoint(
    vault: *mut consignee_vault,
    file: consignee_bytes,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs are as the caller of this function promises.
    unsafe { call(error, || Ok(get(vault)?.keep_checkpoint(&file.path("file")?)?)) }
}

/// Adds a party in a role. lines is what it is called in the lines of orders, for a supplier; empty for its name. public_key is what it
/// sent, for one that is sent bundles; else empty.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_vault_add_party(
    vault: *mut consignee_vault,
    name: consignee_bytes,
    role: consignee_bytes,
    lines: consignee_bytes,
    public_key: consignee_bytes,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let (vault, name, role) = (get(vault)?, name.text("name")?, role.text("role")?);
            let lines = lines.optional("lines")?;
            match public_key.optional("public_key")? {
                Some(key) => vault.add_party_with_key(name, role, lines, &PublicKey::parse(key)?)?,
                None => vault.add_party(name, role, lines)?,
            };
            Ok(())
        })
    }
}

/// The vault's card, which parties trust, as a line of text.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_vault_card(
    vault: *mut consignee_vault,
    card_text: *mut *mut consignee_buffer,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(card_text, "card_text")?;
            hand_over(get(vault)?.card()?.to_text().into_bytes(), out)
        })
    }
}

/// A keyring for a party that has a key, to be sent to it. Has its entry in the ledger.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_vault_issue_keyring(
    vault: *mut consignee_vault,
    party: consignee_bytes,
    keyring: *mut *mut consignee_buffer,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(keyring, "keyring")?;
            hand_over(get(vault)?.issue_keyring(party.text("party")?)?, out)
        })
    }
}

/// Stores an order, as JSON in the built-in order's form, or under a policy with fields of its own, these. stored says whether it is
/// new; it may be NULL. The same order once more is not stored again, and no error.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_vault_put(
    vault: *mut consignee_vault,
    order: consignee_bytes,
    stored: *mut bool,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let (vault, order) = (get(vault)?, order.text("order")?);
            let put = vault.put(&Fields::from_order_json(order, &*vault.policy()?)?)?;
            if !stored.is_null() {
                Out::new(stored, "stored")?.write(matches!(put, Put::Stored(_)));
            }
            Ok(())
        })
    }
}

/// Stores orders, each as JSON: one result for each, in their order, as {"record_id": …, "stored": true}. One that fails leaves the
/// others be. A failure of the whole call means that none is acknowledged, and that it may simply be repeated.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_vault_put_many(
    vault: *mut consignee_vault,
    orders: *const consignee_bytes,
    count: usize,
    results: *mut *mut consignee_results,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(results, "results")?;
            let (vault, orders) = (get(vault)?, texts(orders, count, "orders")?);
            let put = vault.put_many_json(&orders)?;
            out.write(handle::insert(Results::new(put.into_iter().map(stored).collect()))?);
            Ok(())
        })
    }
}

fn stored(put: Result<Put, Error>) -> Item {
    let told = |id: consignee::RecordId, stored: bool| {
        Item::Told(Told::of(&json!({ "record_id": id.to_string(), "stored": stored })))
    };
    match put {
        Ok(Put::Stored(id)) => told(id, true),
        Ok(Put::Unchanged(id)) => told(id, false),
        Err(e) => Item::Failed(e),
    }
}

/// Opens orders as a party for a purpose, each by its number or an alias: one result for each, in their order. The entries are in the
/// ledger before any plaintext exists, with one disk sync for all.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_vault_open(
    vault: *const consignee_vault,
    party: consignee_bytes,
    purpose: consignee_bytes,
    orders: *const consignee_bytes,
    count: usize,
    results: *mut *mut consignee_results,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(results, "results")?;
            let (vault, orders) = (get(vault)?, texts(orders, count, "orders")?);
            let views = vault.open_many(party.text("party")?, purpose.text("purpose")?, &orders)?;
            out.write(handle::insert(Results::views(views.into_iter()))?);
            Ok(())
        })
    }
}

/// Finds orders by the value of a field that has an index, as a party for a purpose: the newest first, as aliases for
/// consignee_vault_open. A search is a disclosure, and has its entries. unreadable is the number of orders that may have the value and
/// do not open; it may be NULL.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_vault_find(
    vault: *const consignee_vault,
    party: consignee_bytes,
    purpose: consignee_bytes,
    field: consignee_bytes,
    value: consignee_bytes,
    results: *mut *mut consignee_results,
    unreadable: *mut usize,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(results, "results")?;
            let (vault, party, purpose) = (get(vault)?, party.text("party")?, purpose.text("purpose")?);
            let found = vault.find(party, purpose, field.text("field")?, value.text("value")?)?;
            let hit = |hit: consignee::Hit| {
                Item::Told(Told::of_alias(
                    hit.alias.to_string(),
                    hit.revision,
                    (hit.ledger, hit.ledger_index),
                ))
            };
            out.write(handle::insert(Results::new(found.hits.into_iter().map(hit).collect()))?);
            if !unreadable.is_null() {
                Out::new(unreadable, "unreadable")?.write(found.unreadable);
            }
            Ok(())
        })
    }
}

/// Changes fields of an order whose revision is the one given: a JSON object of fields, null to clear one. new_revision is the one it
/// has then; it may be NULL. CONSIGNEE_CONFLICT where the order has another revision by now: read it again and repeat.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_vault_update(
    vault: *mut consignee_vault,
    order: consignee_bytes,
    revision: u32,
    patch: consignee_bytes,
    new_revision: *mut u32,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let (vault, order) = (get(vault)?, order.text("order")?);
            let patch = Patch::from_order_json(patch.text("patch")?, &*vault.policy()?)?;
            let revision = vault.update(order, revision, patch)?;
            if !new_revision.is_null() {
                Out::new(new_revision, "new_revision")?.write(revision);
            }
            Ok(())
        })
    }
}

/// Hands a bundle and its results over.
fn hand_over_shared(
    shared: Shared,
    bundle: Out<*mut consignee_buffer>,
    results: Out<*mut consignee_results>,
) -> Answer {
    let item = |order: Result<consignee::SharedOrder, Error>| match order {
        Ok(order) => {
            Item::Told(Told::of_alias(order.alias.to_string(), 0, (order.ledger, order.ledger_index)))
        }
        Err(e) => Item::Failed(e),
    };
    let made = handle::insert(Results::new(shared.orders.into_iter().map(item).collect()))?;
    match shared.bundle {
        Some(bytes) => hand_over(bytes, bundle).inspect_err(|_| crate::consignee_results_free(made))?,
        None => bundle.write(std::ptr::null_mut()),
    }
    results.write(made);
    Ok(())
}

/// Copies of orders for a party that has a key, in one signed bundle, to be sent to it; each is entered as a disclosure first. One
/// result for each order, in their order; bundle is NULL where none of them could be shared. valid is in seconds, 0 for as long as the
/// purpose gives.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_vault_share(
    vault: *const consignee_vault,
    party: consignee_bytes,
    purpose: consignee_bytes,
    orders: *const consignee_bytes,
    count: usize,
    valid: u64,
    bundle: *mut *mut consignee_buffer,
    results: *mut *mut consignee_results,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let (bundle, results) = (Out::new(bundle, "bundle")?, Out::new(results, "results")?);
            let (vault, orders) = (get(vault)?, texts(orders, count, "orders")?);
            let valid = Some(valid).filter(|valid| *valid > 0).map(Duration::from_secs);
            let shared = vault.share(party.text("party")?, purpose.text("purpose")?, &orders, valid)?;
            hand_over_shared(shared, bundle, results)
        })
    }
}

/// The same for what a party asked in a signed request, whose hash is in each entry. A request is taken once.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_vault_share_request(
    vault: *const consignee_vault,
    request: consignee_bytes,
    valid: u64,
    bundle: *mut *mut consignee_buffer,
    results: *mut *mut consignee_results,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let (bundle, results) = (Out::new(bundle, "bundle")?, Out::new(results, "results")?);
            let valid = Some(valid).filter(|valid| *valid > 0).map(Duration::from_secs);
            hand_over_shared(get(vault)?.share_request(request.input("request")?, valid)?, bundle, results)
        })
    }
}

/// Who saw an order, by its number or an alias: a JSON object with a summary, and under "entries" every entry that the ledgers have of
/// it, the oldest first.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_vault_who_saw(
    vault: *const consignee_vault,
    order: consignee_bytes,
    answer: *mut *mut consignee_buffer,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(answer, "answer")?;
            let told = get(vault)?.who_saw(order.text("order")?)?;
            let entries: Vec<_> = told.entries.iter().map(|entry| entry.to_json(told.record_id)).collect();
            let whole = json!({ "summary": told.to_json(), "entries": entries });
            hand_over(whole.to_string().into_bytes(), out)
        })
    }
}

/// Ends an order's life: it is not shared any more, and what ends is over.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_vault_close_order(
    vault: *mut consignee_vault,
    order: consignee_bytes,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs are as the caller of this function promises.
    unsafe { call(error, || Ok(get(vault)?.close(order.text("order")?).map(drop)?)) }
}

/// Destroys the secret of an order: nobody opens it any more. mode is CONSIGNEE_SHRED_KEEP_EVIDENCE or CONSIGNEE_SHRED_WITH_EVIDENCE.
/// Cannot be undone; not final against old copies of secrets.db together with the root key.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_vault_shred(
    vault: *mut consignee_vault,
    order: consignee_bytes,
    reason: consignee_bytes,
    mode: u32,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let mode = match mode {
                CONSIGNEE_SHRED_KEEP_EVIDENCE => ShredMode::KeepEvidence,
                CONSIGNEE_SHRED_WITH_EVIDENCE => ShredMode::WithEvidence,
                _ => return Err(Fault::Argument("mode", "is none of the two CONSIGNEE_SHRED_…")),
            };
            get(vault)?.shred(order.text("order")?, reason.text("reason")?, mode)?;
            Ok(())
        })
    }
}

/// Number, size and root of the ledger that openings are entered in.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_vault_ledger_state(
    vault: *const consignee_vault,
    state: *mut consignee_ledger_state,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(state, "state")?;
            let vault = get(vault)?;
            let state = vault.ledger_state()?;
            out.write(consignee_ledger_state {
                ledger: vault.ledger_number()?,
                size: state.size,
                root: state.root,
            });
            Ok(())
        })
    }
}

/// Verifies what a vault has published in a folder, without any secret but with the vault's card: that all entries are there and hash
/// to what was signed. The answer is a JSON array with an object for each ledger. witnesses is the text of a policy that names those who
/// must have cosigned, checkpoint one that was kept elsewhere, which the published ledger must continue; else empty.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_ledger_verify(
    folder: consignee_bytes,
    card_text: consignee_bytes,
    witnesses: consignee_bytes,
    checkpoint: consignee_bytes,
    answer: *mut *mut consignee_buffer,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(answer, "answer")?;
            let (folder, card) = (folder.path("folder")?, VaultCard::parse(card_text.text("card_text")?)?);
            let kept = Some(checkpoint.input("checkpoint")?).filter(|bytes| !bytes.is_empty());
            let witnesses = Some(witnesses.input("witnesses")?).filter(|bytes| !bytes.is_empty());
            let witnesses = witnesses.map(TrustPolicy::parse).transpose()?;
            let verified = verify_published(&folder, &card, witnesses.as_ref(), kept)?;
            let told: Vec<_> = verified.iter().map(consignee::VerifiedLedger::to_json).collect();
            hand_over(json!(told).to_string().into_bytes(), out)
        })
    }
}

/// Frees a vault: its keys are wiped when no call uses it any more. NULL, or one that was freed, is let be.
#[unsafe(no_mangle)]
pub extern "C" fn consignee_vault_free(vault: *mut consignee_vault) {
    free(|| drop(handle::remove::<Vault>(vault)));
}
