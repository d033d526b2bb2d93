//! A party on its own machine: its key, the vaults that it trusts, keyrings and bundles. No vault, and no file but those it is told of.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use consignee::{Alias, Bundle, Error, ErrorKind, Kem, Keyring, Party, PartyKey, Passphrase, VaultCard};

use crate::{
    boundary::{Fault, Out, call, consignee_bytes, consignee_error, consignee_status, free, texts},
    buffer::{consignee_buffer, hand_over},
    handle,
    results::{Results, consignee_results},
};

/// A party on its own machine: its private key, and the vaults that it trusts. Any thread may use it; calls wait for each other.
pub struct consignee_party;

/// Keys of what a party's role may open. Any thread may use it, several at once, too.
pub struct consignee_keyring;

/// Copies of orders, unsealed, with the keyring that opens them. Any thread may use it, several at once, too.
pub struct consignee_bundle;

/// What a bundle says of itself. The texts are there until it is freed.
#[repr(C)]
pub struct consignee_bundle_head {
    /// The party that it is for.
    pub party: consignee_bytes,
    /// The role that the party acts in.
    pub role: consignee_bytes,
    /// What the orders were shared for.
    pub purpose: consignee_bytes,
    /// Name of the ledger in which each copy has its entry.
    pub origin: consignee_bytes,
    /// When it was made, seconds since 1970.
    pub issued_at: u64,
    /// When it ends, seconds since 1970; 0 where it does not. An order in it may end earlier.
    pub expires_at: u64,
    /// How many orders it has.
    pub orders: usize,
}

/// X25519: keys of 32 bytes, short messages.
pub const CONSIGNEE_KEM_X25519: u32 = 1;
/// X-Wing: X25519 and ML-KEM-768 together, for what must stay closed to a quantum computer of later years. A draft.
pub const CONSIGNEE_KEM_XWING: u32 = 2;

pub(crate) struct PartyObject(Mutex<Party>);

impl PartyObject {
    fn of(party: Party) -> Self {
        Self(Mutex::new(party))
    }

    fn lock(&self) -> MutexGuard<'_, Party> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct BundleObject {
    bundle: Bundle,
    keyring: Arc<Keyring>,
}

fn card(bytes: &str) -> Result<VaultCard, Error> {
    VaultCard::parse(bytes)
}

/// Makes a private key: what its file holds, under a passphrase where one is given (8 characters at least), and the public half to be
/// sent to the shop. kem is CONSIGNEE_KEM_XWING or CONSIGNEE_KEM_X25519.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_party_key_new(
    kem: u32,
    passphrase: consignee_bytes,
    key: *mut *mut consignee_buffer,
    public_key: *mut *mut consignee_buffer,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let (out, public_out) = (Out::new(key, "key")?, Out::new(public_key, "public_key")?);
            let passphrase = passphrase.optional("passphrase")?.map(Passphrase::new);
            let kem = match kem {
                CONSIGNEE_KEM_X25519 => Kem::X25519,
                CONSIGNEE_KEM_XWING => Kem::XWing,
                _ => {
                    return Err(Fault::Argument(
                        "kem",
                        "is none of CONSIGNEE_KEM_X25519 and CONSIGNEE_KEM_XWING",
                    ));
                }
            };
            let made = PartyKey::generate(kem)?;
            let bytes = made.to_bytes(passphrase.as_ref())?;
            // Both or neither.
            let public = handle::insert(crate::buffer::Buffer::new(made.public().to_text().into_bytes()))?;
            hand_over(bytes, out).inspect_err(|_| crate::consignee_buffer_free(public))?;
            public_out.write(public);
            Ok(())
        })
    }
}

/// A party of a key that the caller keeps: what a key file holds, with its passphrase where it is locked, else empty. pins are what
/// consignee_party_pins gave before, or empty for a party that trusts no vault yet.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_party_new(
    key: consignee_bytes,
    passphrase: consignee_bytes,
    pins: consignee_bytes,
    party: *mut *mut consignee_party,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(party, "party")?;
            let passphrase = passphrase.optional("passphrase")?.map(Passphrase::new);
            let key = PartyKey::from_bytes(key.input("key")?, passphrase.as_ref())?;
            out.write(handle::insert(PartyObject::of(Party::with_pins(key, pins.text("pins")?)?))?);
            Ok(())
        })
    }
}

/// A party of a key file, with the pins beside it in FILE.trust, if there are any. Reads these two files.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_party_open(
    key_file: consignee_bytes,
    passphrase: consignee_bytes,
    party: *mut *mut consignee_party,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(party, "party")?;
            let passphrase = passphrase.optional("passphrase")?.map(Passphrase::new);
            let opened = Party::open(&key_file.path("key_file")?, passphrase.as_ref())?;
            out.write(handle::insert(PartyObject::of(opened))?);
            Ok(())
        })
    }
}

/// Writes the pins of a party of consignee_party_open beside its key file, if anything has changed. Of any other party it does nothing:
/// keep consignee_party_pins.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_party_save(
    party: *mut consignee_party,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the outputs are as the caller of this function promises.
    unsafe { call(error, || Ok(handle::get::<PartyObject>(party)?.lock().save()?)) }
}

/// The vaults that a party trusts, and the newest it has seen of them, as text: to be kept after each keyring and bundle, and given to
/// consignee_party_new. Not secret, but whoever can alter it can have the party trust another vault.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_party_pins(
    party: *const consignee_party,
    pins: *mut *mut consignee_buffer,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(pins, "pins")?;
            hand_over(handle::get::<PartyObject>(party)?.lock().pins().into_bytes(), out)
        })
    }
}

/// The public half of a party's key, as the line of text that the shop is sent; and its fingerprint, to be read out by telephone.
/// Either may be NULL.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_party_public_key(
    party: *const consignee_party,
    public_key: *mut *mut consignee_buffer,
    fingerprint: *mut *mut consignee_buffer,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let party = handle::get::<PartyObject>(party)?;
            let public = party.lock().key().public().clone();
            let mut made = std::ptr::null_mut();
            if !public_key.is_null() {
                made = handle::insert(crate::buffer::Buffer::new(public.to_text().into_bytes()))?;
            }
            if !fingerprint.is_null() {
                let text = public.fingerprint().to_string().into_bytes();
                hand_over(text, Out::new(fingerprint, "fingerprint")?)
                    .inspect_err(|_| crate::consignee_buffer_free(made))?;
            }
            if !public_key.is_null() {
                Out::new(public_key, "public_key")?.write(made);
            }
            Ok(())
        })
    }
}

/// Fingerprint of a vault's card, to be compared with what the shop reads out by telephone.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_card_fingerprint(
    card_text: consignee_bytes,
    fingerprint: *mut *mut consignee_buffer,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(fingerprint, "fingerprint")?;
            hand_over(card(card_text.text("card_text")?)?.fingerprint().to_string().into_bytes(), out)
        })
    }
}

/// Trusts the vault of this card, whose fingerprint is what was compared by telephone: whoever passes off a card of his own can send
/// orders that no shop has. CONSIGNEE_CANNOT_OPEN where the card has another fingerprint.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_party_trust(
    party: *mut consignee_party,
    card_text: consignee_bytes,
    fingerprint: consignee_bytes,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let card = card(card_text.text("card_text")?)?;
            card.compare(fingerprint.text("fingerprint")?)?;
            handle::get::<PartyObject>(party)?.lock().trust(card);
            Ok(())
        })
    }
}

/// Trusts the vault of this card no more. CONSIGNEE_NOT_FOUND where it was not trusted.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_party_distrust(
    party: *mut consignee_party,
    card_text: consignee_bytes,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let card = card(card_text.text("card_text")?)?;
            match handle::get::<PartyObject>(party)?.lock().distrust(&card) {
                true => Ok(()),
                false => {
                    Err(Fault::Told(ErrorKind::NotFound, "the vault of this card is not trusted".to_owned()))
                }
            }
        })
    }
}

/// Asks a vault that the party trusts for orders, by the aliases by which it knows them: a signed request, to be sent to the shop. It
/// is good for a day, once.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_party_request(
    party: *const consignee_party,
    card_text: consignee_bytes,
    purpose: consignee_bytes,
    aliases: *const consignee_bytes,
    count: usize,
    request: *mut *mut consignee_buffer,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(request, "request")?;
            let (card, purpose) = (card(card_text.text("card_text")?)?, purpose.text("purpose")?);
            let aliases: Option<Vec<Alias>> =
                texts(aliases, count, "aliases")?.into_iter().map(Alias::parse).collect();
            let aliases =
                aliases.ok_or(Fault::Argument("aliases", "one is no alias, such as JYY7-T2ZJ-AEY7-Z"))?;
            let party = handle::get::<PartyObject>(party)?;
            let signed = party.lock().request(&card, purpose, &[], &aliases)?;
            hand_over(signed.as_bytes().to_vec(), out)
        })
    }
}

/// Frees a party, and wipes its key. NULL, or one that was freed, is let be.
#[unsafe(no_mangle)]
pub extern "C" fn consignee_party_free(party: *mut consignee_party) {
    free(|| drop(handle::remove::<PartyObject>(party)));
}

/// Takes a keyring, in its bytes or in base64. An older one than the newest that was taken is CONSIGNEE_ROLLED_BACK.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_keyring_open(
    party: *mut consignee_party,
    bytes: consignee_bytes,
    keyring: *mut *mut consignee_keyring,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(keyring, "keyring")?;
            let bytes = bytes.input("bytes")?;
            let party = handle::get::<PartyObject>(party)?;
            let opened = party.lock().keyring(bytes)?;
            out.write(handle::insert(opened)?);
            Ok(())
        })
    }
}

/// Frees a keyring, and wipes its keys. Bundles that were opened with it keep theirs. NULL, or one that was freed, is let be.
#[unsafe(no_mangle)]
pub extern "C" fn consignee_keyring_free(keyring: *mut consignee_keyring) {
    free(|| drop(handle::remove::<Keyring>(keyring)));
}

/// Unseals a bundle, in its bytes or in base64. Its orders are opened by consignee_bundle_read.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_bundle_open(
    party: *mut consignee_party,
    keyring: *const consignee_keyring,
    bytes: consignee_bytes,
    bundle: *mut *mut consignee_bundle,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(bundle, "bundle")?;
            let bytes = bytes.input("bytes")?;
            let (party, keyring) = (handle::get::<PartyObject>(party)?, handle::get::<Keyring>(keyring)?);
            let bundle = party.lock().read(&keyring, bytes)?;
            out.write(handle::insert(BundleObject { bundle, keyring })?);
            Ok(())
        })
    }
}

/// What a bundle says of itself.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_bundle_describe(
    bundle: *const consignee_bundle,
    head: *mut consignee_bundle_head,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(head, "head")?;
            let object = handle::get::<BundleObject>(bundle)?;
            let text = |text: &str| consignee_bytes::of(text.as_bytes());
            let bundle = &object.bundle;
            out.write(consignee_bundle_head {
                party: text(bundle.party()),
                role: text(bundle.role()),
                purpose: text(bundle.purpose()),
                origin: text(bundle.origin()),
                issued_at: bundle.issued_at(),
                expires_at: bundle.expires_at().unwrap_or(0),
                orders: bundle.len(),
            });
            Ok(())
        })
    }
}

/// Opens count orders of a bundle from index first on, counted from 0: fewer where it ends before. One result for each, in their
/// order; one that does not open leaves the others be. A thousand at once are fast, and their plaintext is in memory until the results
/// are freed.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_bundle_read(
    bundle: *const consignee_bundle,
    first: usize,
    count: usize,
    results: *mut *mut consignee_results,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(results, "results")?;
            let object = handle::get::<BundleObject>(bundle)?;
            let orders = first..first.saturating_add(count);
            out.write(handle::insert(Results::views(object.bundle.views_of(orders, &object.keyring)))?);
            Ok(())
        })
    }
}

/// Wipes a bundle and frees it. Results that were read of it stay. NULL, or one that was freed, is let be.
#[unsafe(no_mangle)]
pub extern "C" fn consignee_bundle_free(bundle: *mut consignee_bundle) {
    free(|| drop(handle::remove::<BundleObject>(bundle)));
}
