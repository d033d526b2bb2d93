//! A root key in a key management service, which encrypts and decrypts for whoever may ask, and never gives the key away.
//!
//! Shows: a [`RootKeyProvider`] for such a service; the context of each key as the service's encryption context, so that the service
//! refuses a key in another place and has it in its own log; an outage that is retried, and one that is not over in time; a vault
//! that goes on while the service is away; changing from a key file to the service.
//!
//! **The service here is a stub in this process, with a key of its own in memory: it protects nothing.** The trait [`Kms`] is what a
//! client of a real service fills: AWS KMS (`Encrypt` and `Decrypt` with an `EncryptionContext`), Google Cloud KMS (`encrypt` and
//! `decrypt` with `additionalAuthenticatedData`), HashiCorp Vault's transit engine (`encrypt` and `decrypt` with `associated_data`).
//!
//! **What it waits for.** Each wrapped key is a call to the service: 17 at `unlock` under the default policy (one for each part of an
//! epoch, one for each index, five for the vault), one for each new key at a change of policy, three for each key at `change_root`.
//! Never one per order. At 10 ms a call an unlocking takes a fifth of a second; in an outage it takes [`PATIENCE`] and fails.
//!
//! Leaves out: credentials, which are the client's; a call that wraps several keys at once, which the services do not have.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use consignee::{
    Error, ErrorKind, KeyFile, Order, OrderForCourier, RootKey, RootKeyProvider, Setup, Vault, policy::Policy,
};
use zeroize::Zeroizing;

/// First byte of the parameters: from 128 on they are for providers of one's own.
const KMS: u8 = 128;
/// Longest name of a key.
const LONGEST_NAME: usize = 200;
/// How long an outage may last.
const PATIENCE: Duration = Duration::from_millis(200);

/// What a client of a key management service does. Blocking.
trait Kms: Send + Sync {
    fn encrypt(&self, key: &str, context: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, KmsFault>;
    fn decrypt(&self, key: &str, context: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, KmsFault>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KmsFault {
    /// No answer, too many requests: the same call may succeed later.
    Unavailable,
    /// Wrong key, context or ciphertext.
    Refused,
    /// This caller may not use the key.
    Forbidden,
}

/// A root key that the service holds under this name.
struct KmsKey {
    service: Arc<dyn Kms>,
    name: String,
}

impl RootKeyProvider for KmsKey {
    // kind u8 ‖ name of the key. The vault binds them into each wrap.
    fn new_parameters(&self) -> consignee::Result<Vec<u8>> {
        Ok([&[KMS], self.name.as_bytes()].concat())
    }

    /// Takes the name from the vault, so that a vault keeps its key when the service's default changes.
    fn unlock(&self, parameters: &[u8]) -> consignee::Result<Box<dyn RootKey>> {
        let [KMS, name @ ..] = parameters else {
            return Err(Error::other_root_key("this vault is not opened by the key management service"));
        };
        // From a file that anybody may have written: no other key of this caller's is used for it.
        if name.len() > LONGEST_NAME || name != self.name.as_bytes() {
            return Err(Error::other_root_key(
                "this vault is under another key of the key management service",
            )
            .with_hint("give the name of that key"));
        }
        Ok(Box::new(Self { service: Arc::clone(&self.service), name: self.name.clone() }))
    }
}

impl RootKey for KmsKey {
    fn wrap(&self, context: &[u8], key: &[u8; 32]) -> consignee::Result<Vec<u8>> {
        patiently(|| self.service.encrypt(&self.name, context, key)).map_err(in_our_words)
    }

    fn unwrap(&self, context: &[u8], wrapped: &[u8]) -> consignee::Result<Zeroizing<[u8; 32]>> {
        let opened =
            patiently(|| self.service.decrypt(&self.name, context, wrapped)).map_err(in_our_words)?;
        let mut key = Zeroizing::new([0; 32]);
        if opened.len() != key.len() {
            return Err(in_our_words(KmsFault::Refused));
        }
        key.copy_from_slice(&opened);
        Ok(key)
    }
}

/// Tries again, after longer and longer pauses, what may succeed later.
fn patiently<T>(call: impl Fn() -> Result<T, KmsFault>) -> Result<T, KmsFault> {
    let (until, mut pause) = (Instant::now() + PATIENCE, Duration::from_millis(10));
    loop {
        match call() {
            Err(KmsFault::Unavailable) if Instant::now() + pause < until => thread::sleep(pause),
            done => return done,
        }
        pause *= 2;
    }
}

/// Fixed texts: what a service says can repeat what it was sent.
fn in_our_words(fault: KmsFault) -> Error {
    match fault {
        KmsFault::Unavailable => Error::root_key("the key management service does not answer")
            .with_hint("unlocked vaults go on; repeat when it does"),
        KmsFault::Refused => Error::other_root_key("the root key does not open this vault"),
        KmsFault::Forbidden => {
            Error::root_key("the key management service does not let this caller use the key")
                .with_hint("look at the policy of the key")
        }
    }
}

/// A stub, not a service: its keys are in this process's memory, under a local cipher that the library has anyway.
#[derive(Default)]
struct Stub {
    keys: Mutex<HashMap<String, Box<dyn RootKey>>>,
    calls: AtomicU32,
    /// Fails this many calls from now on.
    hiccups: AtomicU32,
    is_away: AtomicBool,
}

impl Stub {
    fn add_key(&self, name: &str, key: [u8; 32]) -> consignee::Result<()> {
        let key = KeyFile::from_bytes(key).unlock(&[1])?;
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), key);
        Ok(())
    }

    fn with_key<T>(
        &self,
        name: &str,
        work: impl FnOnce(&dyn RootKey) -> consignee::Result<T>,
    ) -> Result<T, KmsFault> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let hiccup = |left: u32| left.checked_sub(1);
        if self.is_away.load(Ordering::Relaxed)
            || self.hiccups.fetch_update(Ordering::Relaxed, Ordering::Relaxed, hiccup).is_ok()
        {
            return Err(KmsFault::Unavailable);
        }
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        work(&**keys.get(name).ok_or(KmsFault::Forbidden)?).map_err(|_| KmsFault::Refused)
    }
}

impl Kms for Stub {
    fn encrypt(&self, key: &str, context: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, KmsFault> {
        let plaintext = plaintext.try_into().map_err(|_| KmsFault::Refused)?;
        self.with_key(key, |key| key.wrap(context, plaintext))
    }

    fn decrypt(&self, key: &str, context: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, KmsFault> {
        self.with_key(key, |key| Ok(Zeroizing::new(key.unwrap(context, ciphertext)?.to_vec())))
    }
}

const ORDER: &str = r#"{"order_no":"10248","placed_at":"1996-07-04T00:00:00Z",
    "consignee":{"name":"Paul Henriot","phone":"26.47.15.10",
      "address":{"lines":["59 rue de l-Abbaye"],"city":"Reims","region":"","postal_code":"51100","country":"France"}},
    "items":[{"sku":"NW-011","title":"Queso Cabrales","quantity":12,"unit_price":"14.00","supplier":"Las Cabras"}],
    "amount":{"value":"472.38","currency":"USD"},"note":"","extra":{}}"#;

fn run(folder: &Path) -> consignee::Result<()> {
    // A shop that began with a key file.
    let vault = Vault::create(folder, &KeyFile::from_bytes([7; 32]), &Setup::default())?;
    vault.add_party("SF Express", "courier", None)?;
    vault.put(&Order::from_json(ORDER, &Policy::built_in())?)?;

    let stub = Arc::new(Stub::default());
    stub.add_key("keys/shop/1", [8; 32])?;
    let provider = KmsKey { service: Arc::clone(&stub) as Arc<dyn Kms>, name: "keys/shop/1".into() };
    vault.change_root(&provider)?;
    drop(vault);
    println!("changed to the service: {} calls", stub.calls.swap(0, Ordering::Relaxed));

    // Two calls fail; nobody notices but the clock.
    stub.hiccups.store(2, Ordering::Relaxed);
    let vault = Vault::unlock(folder, &provider)?;
    println!("unlocked: {} calls, two of them repeated", stub.calls.swap(0, Ordering::Relaxed));
    assert_eq!(stub.hiccups.load(Ordering::Relaxed), 0);

    // Away for longer. Orders are opened and put, parties revoked; only what needs a new or another key waits.
    stub.is_away.store(true, Ordering::Relaxed);
    let seen = vault.open_as::<OrderForCourier>("SF Express", "10248")?;
    vault.add_party("DHL", "courier", None)?;
    vault.revoke_party("DHL")?;
    println!("the service is away: {} is read all the same", seen.consignee.name);
    assert_eq!(stub.calls.load(Ordering::Relaxed), 0);
    println!("unlocking meanwhile: {}", refusal(Vault::unlock(folder, &provider)));
    stub.is_away.store(false, Ordering::Relaxed);
    Vault::unlock(folder, &provider)?;

    // Another key, by the name in the vault: not taken, whatever it is.
    stub.add_key("keys/shop/2", [9; 32])?;
    let other = KmsKey { service: stub, name: "keys/shop/2".into() };
    println!("by another key: {}", refusal(Vault::unlock(folder, &other)));
    // The shop changes to it instead, as it does every year.
    vault.change_root(&other)?;
    Vault::unlock(folder, &other).map(drop)
}

fn refusal(unlocked: consignee::Result<Vault>) -> String {
    let error = unlocked.map(drop).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::RootKey);
    error.to_string()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    run(&folder.path().join("shop.vault"))?;
    Ok(())
}
