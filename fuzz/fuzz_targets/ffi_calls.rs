//! The C interface, called in any order with anything: objects that are good, freed, of another kind or made up; texts that are right,
//! cut, altered, no UTF-8, NULL with a length, or longer than memory. Nothing panics or reads what is not there; a call with an object
//! that is none never succeeds, and one with good ones is never told otherwise; outputs are written on success only, errors on failure
//! only; and when all objects are freed there is nothing left.
#![no_main]

use std::{ffi::CStr, mem::MaybeUninit, ptr, sync::OnceLock};

use consignee_ffi::*;
use libfuzzer_sys::{arbitrary::Unstructured, fuzz_target};

const MOST_CALLS: usize = 60;
const ORDERS: [&str; 3] = ["CANARY-1", "CANARY-2", "nowhere"];
const CANARY: &str = "Canary-Name";
const PATTERN: u8 = 0x5a;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Buffer,
    Party,
    Keyring,
    Bundle,
    Results,
    Vault,
}

/// Whatever the library has handed out so far.
struct Object {
    raw: usize,
    kind: Kind,
    live: bool,
}

/// What only a whole exchange between shop and party makes: once, for all runs.
struct Exchange {
    key: Vec<u8>,
    card: Vec<u8>,
    fingerprint: Vec<u8>,
    pins: Vec<u8>,
    keyring: Vec<u8>,
    bundle: Vec<u8>,
    request: Vec<u8>,
    alias: Vec<u8>,
}

fn bytes(text: &[u8]) -> consignee_bytes {
    consignee_bytes { data: text.as_ptr(), len: text.len() }
}

fn none() -> consignee_bytes {
    consignee_bytes { data: ptr::null(), len: 0 }
}

fn order(number: &str) -> String {
    format!(
        r#"{{"order_no":"{number}","placed_at":"2026-11-11T20:14:05+08:00","consignee":{{"name":"{CANARY}","phone":"13812345678","address":{{"lines":["x"],"city":"Nanjing","country":"CN"}}}},"items":[],"amount":{{"value":"88.00","currency":"CNY"}}}}"#
    )
}

/// A call that succeeds; what it writes.
fn made<T>(call: impl FnOnce(*mut T, *mut consignee_error) -> consignee_status) -> T {
    let (mut out, mut error) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    assert_eq!(call(out.as_mut_ptr(), error.as_mut_ptr()), CONSIGNEE_OK);
    // SAFETY: written on success.
    unsafe { out.assume_init() }
}

fn taken(buffer: *mut consignee_buffer) -> Vec<u8> {
    // SAFETY: the buffer is there until it is freed below.
    let copy = unsafe { read(made(|out, e| consignee_buffer_bytes(buffer, out, e))).to_vec() };
    consignee_buffer_free(buffer);
    copy
}

/// # Safety
/// What the library handed out, and the object is there.
unsafe fn read<'a>(bytes: consignee_bytes) -> &'a [u8] {
    if bytes.data.is_null() {
        assert_eq!(bytes.len, 0);
        return &[];
    }
    // SAFETY: as the caller promises.
    unsafe { std::slice::from_raw_parts(bytes.data, bytes.len) }
}

fn exchange() -> &'static Exchange {
    static EXCHANGE: OnceLock<Exchange> = OnceLock::new();
    // SAFETY: all pointers are to what lives through the call.
    EXCHANGE.get_or_init(|| unsafe {
        let mut public = ptr::null_mut();
        let key =
            taken(made(|out, e| consignee_party_key_new(CONSIGNEE_KEM_X25519, none(), out, &mut public, e)));
        let public = taken(public);
        let vault = made(|out, e| consignee_vault_in_memory(none(), out, e));
        let add = consignee_vault_add_party(
            vault,
            bytes(b"SF Express"),
            bytes(b"courier"),
            none(),
            bytes(&public),
            ptr::null_mut(),
        );
        let json = order(ORDERS[0]);
        let put = consignee_vault_put(vault, bytes(json.as_bytes()), ptr::null_mut(), ptr::null_mut());
        assert_eq!((add, put), (CONSIGNEE_OK, CONSIGNEE_OK));
        let card = taken(made(|out, e| consignee_vault_card(vault, out, e)));
        let fingerprint = taken(made(|out, e| consignee_card_fingerprint(bytes(&card), out, e)));
        let keyring =
            taken(made(|out, e| consignee_vault_issue_keyring(vault, bytes(b"SF Express"), out, e)));
        let numbers = [bytes(ORDERS[0].as_bytes())];
        let mut results = ptr::null_mut();
        let bundle = taken(made(|out, e| {
            consignee_vault_share(
                vault,
                bytes(b"SF Express"),
                bytes(b"delivery"),
                numbers.as_ptr(),
                1,
                0,
                out,
                &mut results,
                e,
            )
        }));
        let alias = read(made::<consignee_order>(|out, e| consignee_results_order(results, 0, out, e)).alias)
            .to_vec();
        consignee_results_free(results);
        let party = made(|out, e| consignee_party_new(bytes(&key), none(), none(), out, e));
        let trust = consignee_party_trust(party, bytes(&card), bytes(&fingerprint), ptr::null_mut());
        assert_eq!(trust, CONSIGNEE_OK);
        let pins = taken(made(|out, e| consignee_party_pins(party, out, e)));
        let aliases = [bytes(&alias)];
        let request = taken(made(|out, e| {
            consignee_party_request(party, bytes(&card), bytes(b"delivery"), aliases.as_ptr(), 1, out, e)
        }));
        consignee_party_free(party);
        consignee_vault_free(vault);
        Exchange { key, card, fingerprint, pins, keyring, bundle, request, alias }
    })
}

struct Run<'a> {
    input: Unstructured<'a>,
    objects: Vec<Object>,
    /// Texts made for a call, until it has ended.
    arena: Vec<Vec<u8>>,
    /// Buffers that the library gave, for other calls.
    given: Vec<Vec<u8>>,
    /// Whether the objects of the call are all good.
    good: bool,
}

impl Run<'_> {
    fn byte(&mut self) -> u8 {
        self.input.arbitrary().unwrap_or(0)
    }

    fn size(&mut self) -> usize {
        match self.byte() {
            255 => usize::MAX,
            small => usize::from(small % 4),
        }
    }

    /// An object for this place, mostly a good one.
    fn object<T>(&mut self, kind: Kind) -> *mut T {
        let choice = self.byte();
        let raw = match choice % 16 {
            0 => [0, 1, usize::MAX, (&raw const choice).addr()][usize::from(choice >> 6)],
            1 => self.input.arbitrary().unwrap_or(0),
            2 | 3 if !self.objects.is_empty() => {
                let at = usize::from(self.byte()) % self.objects.len();
                let flipped = if choice % 16 == 2 { 0 } else { 1 << (self.byte() % 64) };
                self.objects[at].raw ^ flipped
            }
            _ => {
                let of_kind: Vec<usize> =
                    self.objects.iter().filter(|o| o.live && o.kind == kind).map(|o| o.raw).collect();
                of_kind
                    .len()
                    .checked_sub(1)
                    .map_or(0, |last| of_kind[last - usize::from(choice >> 4) % (last + 1)])
            }
        };
        self.good &= self.is_good(raw, kind);
        ptr::without_provenance_mut(raw)
    }

    fn is_good(&self, raw: usize, kind: Kind) -> bool {
        self.objects.iter().any(|o| o.raw == raw && o.kind == kind && o.live)
    }

    /// A text for this place, mostly one of those that fit.
    fn text(&mut self, fitting: &[&[u8]]) -> consignee_bytes {
        let choice = self.byte();
        let mut copy = match choice % 16 {
            0 => {
                let data = b"caf\xe9".as_ptr();
                let strange = [
                    consignee_bytes { data: ptr::null(), len: 7 },
                    consignee_bytes { data, len: usize::MAX },
                    consignee_bytes { data, len: CONSIGNEE_MAX_INPUT + 1 },
                    consignee_bytes { data, len: 4 },
                ];
                return strange[usize::from(choice >> 6)];
            }
            1 => {
                let len = usize::from(self.byte());
                let len = len.min(self.input.len());
                self.input.bytes(len).unwrap_or_default().to_vec()
            }
            2 if !self.given.is_empty() => self.given[usize::from(choice >> 4) % self.given.len()].clone(),
            _ => fitting
                .get(usize::from(choice >> 4) % fitting.len().max(1))
                .copied()
                .unwrap_or_default()
                .to_vec(),
        };
        if choice % 16 == 3 && !copy.is_empty() {
            let at = self.input.arbitrary::<usize>().unwrap_or(0) % copy.len();
            match self.byte() {
                0..128 => copy.truncate(at),
                other => copy[at] ^= other - 127,
            }
        }
        // Of its own size, for AddressSanitizer to see what is read behind it.
        self.arena.push(copy.into_boxed_slice().into_vec());
        self.arena.last().map_or(none(), |copy| bytes(copy))
    }

    fn texts(&mut self, fitting: &[&[u8]]) -> (Vec<consignee_bytes>, usize, bool) {
        let texts: Vec<consignee_bytes> = (0..self.byte() % 4).map(|_| self.text(fitting)).collect();
        match self.byte() {
            255 => (texts, usize::MAX, false),
            254 => (texts, 3, true),
            _ => {
                let count = texts.len();
                (texts, count, false)
            }
        }
    }

    fn order_text(&mut self) -> consignee_bytes {
        let mut fitting: Vec<&[u8]> = ORDERS.iter().map(|number| number.as_bytes()).collect();
        fitting.push(&exchange().alias);
        self.text(&fitting)
    }

    /// Only ever no file: what the input says must not choose one.
    fn path(&mut self) -> consignee_bytes {
        const PATHS: [&[u8]; 4] = [b"/nowhere/at/all", b"", b"/nowhere\0", b"\xff"];
        bytes(PATHS[usize::from(self.byte() % 4)])
    }

    /// Keys under a passphrase take a second each.
    fn passphrase(&mut self) -> consignee_bytes {
        const SHORT: [&[u8]; 3] = [b"", b"short", b"\xe7\x8e"];
        bytes(SHORT[usize::from(self.byte() % 3)])
    }
}

/// Memory for outputs, whose bytes are known before.
struct Outs<T>([MaybeUninit<T>; 1]);

impl<T> Outs<T> {
    fn new() -> Self {
        let mut out = MaybeUninit::<T>::uninit();
        // SAFETY: memory for one `T`.
        unsafe { out.as_mut_ptr().write_bytes(PATTERN, 1) };
        Self([out])
    }

    fn at(&mut self) -> *mut T {
        self.0.as_mut_ptr().cast()
    }

    fn untouched(&self) -> bool {
        // SAFETY: all bytes were written, and padding is not written by who does not write.
        let bytes = unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast::<u8>(), size_of::<T>()) };
        bytes.iter().all(|byte| *byte == PATTERN)
    }

    /// # Safety
    /// The call succeeded.
    unsafe fn written(self) -> T {
        let [out] = self.0;
        // SAFETY: as the caller promises.
        unsafe { out.assume_init() }
    }
}

/// Does a call, and checks what is so of every call.
fn checked(run: &mut Run<'_>, call: impl FnOnce(*mut consignee_error) -> consignee_status) -> bool {
    let mut error = Outs::<consignee_error>::new();
    let asked = run.byte() != 255;
    let status = call(if asked { error.at() } else { ptr::null_mut() });
    assert!(status == CONSIGNEE_OK || consignee_ffi_name(status) != c"unknown", "{status}");
    assert_ne!(status, CONSIGNEE_PANIC);
    assert!(run.good || status != CONSIGNEE_OK, "an object that is none was taken");
    assert!(!run.good || status != CONSIGNEE_BAD_HANDLE, "an object was not known any more");
    if status == CONSIGNEE_OK || !asked {
        assert!(error.untouched());
        return status == CONSIGNEE_OK;
    }
    // SAFETY: written on failure, each text with its end.
    let error = unsafe { error.written() };
    assert_eq!(error.status, status);
    for text in [&error.field[..], &error.message[..]] {
        // SAFETY: characters are bytes.
        let text = unsafe { std::slice::from_raw_parts(text.as_ptr().cast::<u8>(), text.len()) };
        let text = CStr::from_bytes_until_nul(text).expect("ends with a NUL").to_str().expect("UTF-8");
        assert!(!text.contains(CANARY), "{text}");
    }
    false
}

fn consignee_ffi_name(status: consignee_status) -> &'static CStr {
    // SAFETY: never freed.
    unsafe { CStr::from_ptr(consignee_status_name(status)) }
}

impl Run<'_> {
    /// A call with one output that is not an object.
    fn told<T>(&mut self, call: impl FnOnce(*mut T, *mut consignee_error) -> consignee_status) -> Option<T> {
        let mut out = Outs::new();
        let done = checked(self, |e| call(out.at(), e));
        assert!(done || out.untouched());
        // SAFETY: it succeeded.
        done.then(|| unsafe { out.written() })
    }

    /// A call that makes an object.
    fn makes<T>(
        &mut self,
        kind: Kind,
        call: impl FnOnce(*mut *mut T, *mut consignee_error) -> consignee_status,
    ) {
        if let Some(made) = self.told(call) {
            self.keep(made, kind);
        }
    }

    /// A call that makes two.
    fn makes_two<A, B>(
        &mut self,
        kinds: (Kind, Kind),
        call: impl FnOnce(*mut *mut A, *mut *mut B, *mut consignee_error) -> consignee_status,
    ) {
        let (mut a, mut b) = (Outs::new(), Outs::new());
        if !checked(self, |e| call(a.at(), b.at(), e)) {
            assert!(a.untouched() && b.untouched());
            return;
        }
        // SAFETY: it succeeded.
        let (a, b) = unsafe { (a.written(), b.written()) };
        self.keep(a, kinds.0);
        self.keep(b, kinds.1);
    }

    fn keep<T>(&mut self, made: *mut T, kind: Kind) {
        if made.is_null() {
            return;
        }
        assert!(
            self.objects.iter().all(|object| object.raw != made.addr()),
            "an object's number was given before"
        );
        self.objects.push(Object { raw: made.addr(), kind, live: true });
        if kind == Kind::Buffer && self.given.len() < 16 {
            // SAFETY: the buffer was just made.
            let text = unsafe { read(made_bytes(made.cast())) };
            self.given.push(text.to_vec());
        }
    }

    fn free(&mut self) {
        let kinds = [Kind::Buffer, Kind::Party, Kind::Keyring, Kind::Bundle, Kind::Results, Kind::Vault];
        let kind = kinds[usize::from(self.byte()) % kinds.len()];
        let object: *mut consignee_buffer = self.object(kind);
        release(object.addr(), kind);
        for known in &mut self.objects {
            known.live &= known.raw != object.addr() || known.kind != kind;
        }
    }
}

fn made_bytes(buffer: *const consignee_buffer) -> consignee_bytes {
    // SAFETY: an output of this function's.
    unsafe { made(|out, e| consignee_buffer_bytes(buffer, out, e)) }
}

fn release(raw: usize, kind: Kind) {
    match kind {
        Kind::Buffer => consignee_buffer_free(ptr::without_provenance_mut(raw)),
        Kind::Party => consignee_party_free(ptr::without_provenance_mut(raw)),
        Kind::Keyring => consignee_keyring_free(ptr::without_provenance_mut(raw)),
        Kind::Bundle => consignee_bundle_free(ptr::without_provenance_mut(raw)),
        Kind::Results => consignee_results_free(ptr::without_provenance_mut(raw)),
        Kind::Vault => consignee_vault_free(ptr::without_provenance_mut(raw)),
    }
}

const PARTIES: &[&[u8]] = &[b"SF Express", b"agent 17", b"Yixing Ltd", b"nobody"];
const PURPOSES: &[&[u8]] = &[b"delivery", b"after_sale", b"fulfilment", b"planet"];
const ROLES: &[&[u8]] = &[b"courier", b"support", b"supplier", b"planet"];
const PARTS: &[&[u8]] = &[
    b"consignee.name",
    b"consignee.address",
    b"consignee.phone",
    b"items",
    b"amount",
    b"consignee.phone:masked",
];
const POINTERS: &[&[u8]] =
    &[b"", b"/lines", b"/lines/0", b"/city", b"/0/title", b"/value", b"/~1", b"/99999999999999999999"];

/// One call of a party's, or on what it has.
///
/// # Safety
/// Texts are there until the arena is cleared.
unsafe fn party_call(run: &mut Run<'_>, which: u8) {
    let x = exchange();
    // SAFETY: as the caller promises; outputs are memory of this function's.
    unsafe {
        match which {
            0 => {
                let (kem, passphrase) = (u32::from(run.byte() % 4), run.passphrase());
                run.makes_two((Kind::Buffer, Kind::Buffer), |a, b, e| {
                    consignee_party_key_new(kem, passphrase, a, b, e)
                });
            }
            1 => {
                let (key, passphrase, pins) =
                    (run.text(&[&x.key]), run.passphrase(), run.text(&[&x.pins, b""]));
                run.makes(Kind::Party, |out, e| consignee_party_new(key, passphrase, pins, out, e));
            }
            2 => {
                let (path, passphrase) = (run.path(), run.passphrase());
                run.makes(Kind::Party, |out, e| consignee_party_open(path, passphrase, out, e));
            }
            3 => {
                let party = run.object(Kind::Party);
                checked(run, |e| consignee_party_save(party, e));
            }
            4 => {
                let party: *mut consignee_party = run.object(Kind::Party);
                run.makes(Kind::Buffer, |out, e| consignee_party_pins(party, out, e));
            }
            5 => {
                let party: *mut consignee_party = run.object(Kind::Party);
                run.makes_two((Kind::Buffer, Kind::Buffer), |a, b, e| {
                    consignee_party_public_key(party, a, b, e)
                });
            }
            6 => {
                let (card, print) = (run.text(&[&x.card]), run.text(&[&x.fingerprint]));
                let party = run.object(Kind::Party);
                checked(run, |e| consignee_party_trust(party, card, print, e));
            }
            7 => {
                let (party, card) = (run.object(Kind::Party), run.text(&[&x.card]));
                checked(run, |e| consignee_party_distrust(party, card, e));
            }
            8 => {
                let party: *mut consignee_party = run.object(Kind::Party);
                let (card, purpose) = (run.text(&[&x.card]), run.text(PURPOSES));
                let (aliases, count, null) = run.texts(&[&x.alias]);
                let aliases = if null { ptr::null() } else { aliases.as_ptr() };
                run.makes(Kind::Buffer, |out, e| {
                    consignee_party_request(party, card, purpose, aliases, count, out, e)
                });
            }
            9 => {
                let (party, text) = (run.object(Kind::Party), run.text(&[&x.keyring]));
                run.makes(Kind::Keyring, |out, e| consignee_keyring_open(party, text, out, e));
            }
            10 => {
                let (party, keyring) =
                    (run.object(Kind::Party), run.object::<consignee_keyring>(Kind::Keyring));
                let text = run.text(&[&x.bundle]);
                run.makes(Kind::Bundle, |out, e| consignee_bundle_open(party, keyring, text, out, e));
            }
            11 => {
                let bundle: *mut consignee_bundle = run.object(Kind::Bundle);
                if let Some(head) =
                    run.told::<consignee_bundle_head>(|out, e| consignee_bundle_describe(bundle, out, e))
                {
                    for text in [head.party, head.role, head.purpose, head.origin] {
                        assert!(std::str::from_utf8(read(text)).is_ok());
                    }
                }
            }
            12 => {
                let bundle: *mut consignee_bundle = run.object(Kind::Bundle);
                let (first, count) = (run.size(), run.size());
                run.makes(Kind::Results, |out, e| consignee_bundle_read(bundle, first, count, out, e));
            }
            13 => {
                let buffer: *mut consignee_buffer = run.object(Kind::Buffer);
                if let Some(text) = run.told(|out, e| consignee_buffer_bytes(buffer, out, e)) {
                    std::hint::black_box(read(text).iter().fold(0, |a, b| a ^ b));
                }
            }
            _ => {
                let card = run.text(&[&x.card]);
                run.makes(Kind::Buffer, |out, e| consignee_card_fingerprint(card, out, e));
            }
        }
    }
}

/// One call on results.
///
/// # Safety
/// As for `party_call`.
unsafe fn results_call(run: &mut Run<'_>, which: u8) {
    let results: *mut consignee_results = run.object(Kind::Results);
    let index = run.size();
    let is_text = |bytes: consignee_bytes| {
        // SAFETY: of an object that is there.
        assert!(std::str::from_utf8(unsafe { read(bytes) }).is_ok());
    };
    // SAFETY: as the caller promises; outputs are memory of this function's.
    unsafe {
        match which {
            0 => {
                run.told(|out, e| consignee_results_len(results, out, e));
            }
            1 => {
                // An order's own error is no error of the call.
                checked(run, |e| consignee_results_status(results, index, e));
            }
            2 => {
                if let Some(order) =
                    run.told::<consignee_order>(|out, e| consignee_results_order(results, index, out, e))
                {
                    is_text(order.order);
                    is_text(order.alias);
                }
            }
            3 => {
                run.told(|out, e| consignee_results_json(results, index, out, e))
                    .into_iter()
                    .for_each(is_text);
            }
            4 => {
                let (part, pointer) = (run.text(PARTS), run.text(POINTERS));
                let told = run.told(|out, e| consignee_results_text(results, index, part, pointer, out, e));
                told.into_iter().for_each(is_text);
            }
            5 => {
                let (part, pointer) = (run.text(PARTS), run.text(POINTERS));
                let mut texts = vec![none(); index.min(4)];
                if checked(run, |e| {
                    consignee_results_texts(results, part, pointer, texts.as_mut_ptr(), index, e)
                }) {
                    texts.into_iter().for_each(is_text);
                }
            }
            _ => {
                let (part, pointer) = (run.text(PARTS), run.text(POINTERS));
                run.told(|out, e| consignee_results_count(results, index, part, pointer, out, e));
            }
        }
    }
}

/// One call on a vault.
///
/// # Safety
/// As for `party_call`.
unsafe fn vault_call(run: &mut Run<'_>, which: u8) {
    let x = exchange();
    let vault: *mut consignee_vault = if which < 5 { ptr::null_mut() } else { run.object(Kind::Vault) };
    let jsons = ORDERS.map(order);
    let orders_json: Vec<&[u8]> = jsons.iter().map(|json| json.as_bytes()).collect();
    let numbers: [&[u8]; 3] = [ORDERS[0].as_bytes(), ORDERS[2].as_bytes(), &x.alias];
    // SAFETY: as the caller promises; outputs are memory of this function's.
    unsafe {
        match which {
            0 => {
                let policy = run.text(&[b""]);
                if run.objects.iter().filter(|o| o.live && o.kind == Kind::Vault).count() < 3 {
                    run.makes(Kind::Vault, |out, e| consignee_vault_in_memory(policy, out, e));
                }
            }
            1 => {
                let (folder, key) = (run.path(), run.path());
                run.makes(Kind::Vault, |out, e| consignee_vault_unlock(folder, key, out, e));
            }
            2 => {
                let (folder, key) = (run.path(), run.passphrase());
                run.makes(Kind::Vault, |out, e| consignee_vault_unlock_with_passphrase(folder, key, out, e));
            }
            3 => {
                let (folder, key) = (run.path(), run.text(&[&[7; 32]]));
                run.makes(Kind::Vault, |out, e| consignee_vault_unlock_with_key(folder, key, out, e));
            }
            4 => {
                let (folder, card) = (run.path(), run.text(&[&x.card]));
                let (witnesses, checkpoint) = (run.text(&[b""]), run.text(&[b""]));
                run.makes(Kind::Buffer, |out, e| {
                    consignee_ledger_verify(folder, card, witnesses, checkpoint, out, e)
                });
            }
            5 => {
                let path = run.path();
                checked(run, |e| consignee_vault_keep_checkpoint(vault, path, e));
            }
            6 => {
                let (name, role, lines, key) =
                    (run.text(PARTIES), run.text(ROLES), run.text(&[b""]), run.text(&[b""]));
                checked(run, |e| consignee_vault_add_party(vault, name, role, lines, key, e));
            }
            7 => run.makes(Kind::Buffer, |out, e| consignee_vault_card(vault, out, e)),
            8 => {
                let party = run.text(PARTIES);
                run.makes(Kind::Buffer, |out, e| consignee_vault_issue_keyring(vault, party, out, e));
            }
            9 => {
                let json = run.text(&orders_json);
                run.told(|out, e| consignee_vault_put(vault, json, out, e));
            }
            10 => {
                let (texts, count, null) = run.texts(&orders_json);
                let texts = if null { ptr::null() } else { texts.as_ptr() };
                run.makes(Kind::Results, |out, e| consignee_vault_put_many(vault, texts, count, out, e));
            }
            11 => {
                let (party, purpose) = (run.text(PARTIES), run.text(PURPOSES));
                let (texts, count, null) = run.texts(&numbers);
                let texts = if null { ptr::null() } else { texts.as_ptr() };
                run.makes(Kind::Results, |out, e| {
                    consignee_vault_open(vault, party, purpose, texts, count, out, e)
                });
            }
            12 => {
                let (party, purpose) = (run.text(PARTIES), run.text(PURPOSES));
                let (field, value) = (run.text(PARTS), run.text(&[b"138 1234 5678", b"x"]));
                let mut unreadable = Outs::<usize>::new();
                let at = if run.byte() == 0 { ptr::null_mut() } else { unreadable.at() };
                let before = run.objects.len();
                run.makes(Kind::Results, |out, e| {
                    consignee_vault_find(vault, party, purpose, field, value, out, at, e)
                });
                assert!(run.objects.len() > before || unreadable.untouched());
            }
            13 => {
                let (order, revision, patch) = (
                    run.order_text(),
                    u32::from(run.byte() % 4),
                    run.text(&[br#"{"note":"x"}"#, br#"{"note":null}"#]),
                );
                run.told(|out, e| consignee_vault_update(vault, order, revision, patch, out, e));
            }
            14 => {
                let (party, purpose, valid) =
                    (run.text(PARTIES), run.text(PURPOSES), run.input.arbitrary().unwrap_or(0));
                let (texts, count, null) = run.texts(&numbers);
                let texts = if null { ptr::null() } else { texts.as_ptr() };
                run.makes_two((Kind::Buffer, Kind::Results), |a, b, e| {
                    consignee_vault_share(vault, party, purpose, texts, count, valid, a, b, e)
                });
            }
            15 => {
                let (request, valid) = (run.text(&[&x.request]), run.input.arbitrary().unwrap_or(0));
                run.makes_two((Kind::Buffer, Kind::Results), |a, b, e| {
                    consignee_vault_share_request(vault, request, valid, a, b, e)
                });
            }
            16 => {
                let order = run.order_text();
                run.makes(Kind::Buffer, |out, e| consignee_vault_who_saw(vault, order, out, e));
            }
            17 => {
                let order = run.order_text();
                checked(run, |e| consignee_vault_close_order(vault, order, e));
            }
            18 => {
                let (order, reason, mode) =
                    (run.order_text(), run.text(&[b"asked for"]), u32::from(run.byte() % 3));
                checked(run, |e| consignee_vault_shred(vault, order, reason, mode, e));
            }
            _ => {
                run.told(|out, e| consignee_vault_ledger_state(vault, out, e));
            }
        }
    }
}

fuzz_target!(|data: &[u8]| {
    exchange();
    let mut run = Run {
        input: Unstructured::new(data),
        objects: Vec::new(),
        arena: Vec::new(),
        given: Vec::new(),
        good: true,
    };
    for _ in 0..MOST_CALLS {
        if run.input.is_empty() {
            break;
        }
        run.good = true;
        let which = run.byte();
        // SAFETY: the arena is cleared after the call.
        unsafe {
            match which % 64 {
                which @ 0..15 => party_call(&mut run, which),
                which @ 15..22 => results_call(&mut run, which - 15),
                which @ 22..42 => vault_call(&mut run, which - 22),
                which @ 42..49 => results_call(&mut run, which - 42),
                // What the others need.
                49..53 => vault_call(&mut run, 0),
                53 | 54 => vault_call(&mut run, 6),
                55 | 56 => vault_call(&mut run, 9),
                57 => party_call(&mut run, 1),
                58 => party_call(&mut run, 9),
                59 => party_call(&mut run, 10),
                _ => run.free(),
            }
        }
        run.arena.clear();
    }
    for object in run.objects.iter().filter(|object| object.live) {
        release(object.raw, object.kind);
    }
    for object in &run.objects {
        let buffer = ptr::without_provenance(object.raw);
        let mut out = none();
        // SAFETY: no object, and an output of this function's.
        let status = unsafe { consignee_buffer_bytes(buffer, &mut out, ptr::null_mut()) };
        assert_eq!(status, CONSIGNEE_BAD_HANDLE);
    }
});
