//! A root key on a token or hardware security module, by PKCS#11: it is made there and never leaves it.

use std::{
    path::{Path, PathBuf},
    process,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11 as Context},
    error::{Error as Fault, RvError},
    mechanism::{Mechanism, aead::GcmParams},
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    slot::Slot,
    types::AuthPin,
};
use zeroize::Zeroizing;

use super::{RootKey, RootKeyProvider, TOKEN, no_randomness, other_root, root_error};
use crate::{
    error::{Error, Result},
    suite::os_random,
};

/// A root key that a token or hardware security module holds: an AES-256 key, made on it when a vault is made (or changes to it),
/// which cannot be read out. Wraps by AES-256-GCM on the token.
///
/// The module is the maker's library, such as `/usr/lib/softhsm/libsofthsm2.so`; it is loaded into this process and runs as part of
/// it. The token goes by its label or its serial number. The PIN is kept in memory, to log in again when the token was pulled out;
/// where it is refused then, it is not tried a second time, because tokens lock after a few wrong ones.
///
/// A process that has logged in to a token is logged in for all of its sessions: PKCS#11 checks no second PIN, be it right or
/// wrong, as long as another session of the process is open.
///
/// Unlock in the workers, after a fork: a child of a process that has used a module is refused.
pub struct Pkcs11(Arc<Access>);

struct Access {
    module: PathBuf,
    token: String,
    pin: Zeroizing<String>,
}

/// Bytes of the key's id (CKA_ID).
const ID: usize = 16;
/// Most bytes of a token's label.
const LONGEST_LABEL: usize = 32;
const NONCE: usize = 12;
const TAG: usize = 16;
const TAG_BITS: u64 = 128;

impl Pkcs11 {
    /// The token with this label or serial number, behind this module. Nothing is loaded before a vault is made or unlocked.
    pub fn new(module: impl Into<PathBuf>, token: impl Into<String>, pin: impl Into<String>) -> Self {
        let (module, token, pin) = (module.into(), token.into(), Zeroizing::new(pin.into()));
        Self(Arc::new(Access { module, token, pin }))
    }
}

impl RootKeyProvider for Pkcs11 {
    /// Makes a new key on the token. One that no vault comes to use stays there, and may be deleted.
    fn new_parameters(&self) -> Result<Vec<u8>> {
        let mut id = [0; ID];
        os_random(&mut id).map_err(|_| no_randomness())?;
        let label = self.0.make_key(&id)?;
        let length = u8::try_from(label.len()).map_err(|_| unnamed())?;
        Ok([&[TOKEN, length], label.as_bytes(), &id].concat())
    }

    fn unlock(&self, parameters: &[u8]) -> Result<Box<dyn RootKey>> {
        let [TOKEN, rest @ ..] = parameters else {
            return Err(other_root("this vault is not opened by a token")
                .with_hint("give its passphrase or key file"));
        };
        let (label, id) =
            parse(rest).ok_or_else(|| root_error("the vault's token parameters are out of bounds"))?;
        let open = self.0.open(&id).map_err(|e| match e.hint() {
            "" => e.with_hint(format!("the vault's key was made on the token {label}")),
            _ => e,
        })?;
        Ok(Box::new(TokenKey { access: Arc::clone(&self.0), id, state: Mutex::new(State::Open(open)) }))
    }
}

// label str8 ‖ CKA_ID (16). Not authentic before a key has been unwrapped.
fn parse(parameters: &[u8]) -> Option<(&str, [u8; ID])> {
    let (length, rest) = parameters.split_first()?;
    let (label, id) = rest.split_at_checked(usize::from(*length))?;
    Some((plain_label(str::from_utf8(label).ok()?)?, id.try_into().ok()?))
}

fn plain_label(label: &str) -> Option<&str> {
    let plain = (1..=LONGEST_LABEL).contains(&label.len()) && !label.chars().any(char::is_control);
    plain.then_some(label)
}

impl Access {
    /// Makes the key of this id; returns the label of the token that it is on.
    fn make_key(&self, id: &[u8; ID]) -> Result<String> {
        let (context, slot) = self.slot()?;
        let label = context.get_token_info(slot).map_err(|e| failed(&e))?.label().to_owned();
        plain_label(&label).ok_or_else(unnamed)?;
        let session = context.open_rw_session(slot).map_err(|e| failed(&e))?;
        self.log_in(&session)?;
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::ValueLen(32.into()),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::Wrap(false),
            Attribute::Unwrap(false),
            Attribute::Sign(false),
            Attribute::Verify(false),
            Attribute::Derive(false),
            Attribute::Label(b"consignee root key".to_vec()),
            Attribute::Id(id.to_vec()),
        ];
        session.generate_key(&Mechanism::AesKeyGen, &template).map_err(|e| match e {
            Fault::Pkcs11(RvError::MechanismInvalid, _) => root_error("the token makes no AES keys"),
            e => failed(&e),
        })?;
        Ok(label)
    }

    /// A session that is logged in and has found the key.
    fn open(&self, id: &[u8; ID]) -> Result<Open> {
        let (context, slot) = self.slot()?;
        let session = context.open_ro_session_no_drop(slot).map_err(|e| failed(&e))?;
        let mut open = Open { process: process::id(), session: Some(session), key: None };
        if let Some(session) = &open.session {
            self.log_in(session)?;
            open.key = Some(find(session, id)?);
        }
        Ok(open)
    }

    fn slot(&self) -> Result<(Context, Slot)> {
        let context = context_of(&self.module)?;
        let is_it = |slot: &Slot| {
            let info = context.get_token_info(*slot);
            info.is_ok_and(|info| info.label() == self.token || info.serial_number() == self.token)
        };
        let slots = context.get_slots_with_token().map_err(|e| failed(&e))?;
        let mut slots = slots.into_iter().filter(is_it);
        match (slots.next(), slots.next()) {
            (Some(slot), None) => Ok((context, slot)),
            (None, _) => Err(absent()),
            _ => {
                Err(root_error("several tokens have this label").with_hint("give the serial number instead"))
            }
        }
    }

    fn log_in(&self, session: &Session) -> Result<()> {
        match session.login(UserType::User, Some(&AuthPin::new(self.pin.as_str().into()))) {
            // By another session of this process.
            Ok(()) | Err(Fault::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(e) => Err(failed(&e)),
        }
    }
}

/// The one key of this id, if it is one that cannot be read out.
fn find(session: &Session, id: &[u8; ID]) -> Result<ObjectHandle> {
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Id(id.to_vec()),
    ];
    let found = session.find_objects(&template).map_err(|e| failed(&e))?;
    let &[key] = found.as_slice() else {
        return Err(match found.len() {
            0 => other_root("the token has no key of this vault"),
            _ => root_error("the token has several keys under the id of this vault's"),
        });
    };
    let kept = session.get_attributes(key, &[AttributeType::Sensitive, AttributeType::Extractable]);
    let kept = kept.map_err(|e| failed(&e))?;
    if kept.contains(&Attribute::Sensitive(true)) && kept.contains(&Attribute::Extractable(false)) {
        Ok(key)
    } else {
        Err(root_error("the token's key of this vault can be read out of it").with_hint(
            "it was put there from outside: take a backup of the token by its maker's own means instead",
        ))
    }
}

/// A session that has found the key.
struct Open {
    process: u32,
    session: Option<Session>,
    key: Option<ObjectHandle>,
}

impl Drop for Open {
    fn drop(&mut self) {
        // A child must not close what is its parent's.
        if let Some(session) = self.session.take().filter(|_| self.process == process::id()) {
            let _lost_anyway = session.close();
        }
    }
}

enum State {
    Open(Open),
    Lost,
    /// At logging in again: each further try would bring the token nearer to locking itself.
    PinRefused,
}

struct TokenKey {
    access: Arc<Access>,
    id: [u8; ID],
    state: Mutex<State>,
}

impl TokenKey {
    /// Does it in the session, or, where that was lost, once more in a new one.
    fn in_session<T>(
        &self,
        work: impl Fn(&Session, ObjectHandle) -> Result<T, Fault>,
    ) -> Result<Result<T, Fault>> {
        let mut state = held(&self.state);
        match &*state {
            State::PinRefused => return Err(pin_refused()),
            State::Open(open) if open.process != process::id() => return Err(forked()),
            State::Open(Open { session: Some(session), key: Some(key), .. }) => match work(session, *key) {
                Err(e) if is_lost(&e) => {}
                done => return Ok(done),
            },
            State::Open(_) | State::Lost => {}
        }
        // The old session first: as long as one is open, the process counts as logged in.
        *state = State::Lost;
        let open = self.access.open(&self.id);
        if open.as_ref().is_err_and(is_pin_refused) {
            *state = State::PinRefused;
        }
        let open = open?;
        let done = match (&open.session, open.key) {
            (Some(session), Some(key)) => work(session, key),
            _ => return Err(absent()),
        };
        match done {
            Err(e) if is_lost(&e) => Err(absent()),
            done => {
                *state = State::Open(open);
                Ok(done)
            }
        }
    }
}

impl RootKey for TokenKey {
    // nonce (12) ‖ ciphertext (32) ‖ tag (16)
    fn wrap(&self, context: &[u8], key: &[u8; 32]) -> Result<Vec<u8>> {
        let mut fresh = [0; NONCE];
        os_random(&mut fresh).map_err(|_| no_randomness())?;
        let sealed = self.in_session(|session, on_token| {
            // Some modules put a nonce of their own in its place.
            let mut nonce = fresh;
            let parameters = GcmParams::new(&mut nonce, context, TAG_BITS.into())?;
            let sealed = session.encrypt(&Mechanism::AesGcm(parameters), on_token, key)?;
            Ok([nonce.as_slice(), &sealed].concat())
        })?;
        let sealed = sealed.map_err(|e| match e {
            Fault::Pkcs11(RvError::MechanismInvalid, _) => root_error("the token has no AES-GCM"),
            e => failed(&e),
        })?;
        if sealed.len() == NONCE + key.len() + TAG {
            Ok(sealed)
        } else {
            Err(root_error("the token does not seal as AES-GCM does"))
        }
    }

    fn unwrap(&self, context: &[u8], wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
        let refused = || {
            other_root("the root key does not open this vault")
                .with_hint("another token's key, or altered keys")
        };
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE>().ok_or_else(refused)?;
        let opened = self.in_session(|session, on_token| {
            let mut nonce = *nonce;
            let parameters = GcmParams::new(&mut nonce, context, TAG_BITS.into())?;
            session.decrypt(&Mechanism::AesGcm(parameters), on_token, sealed).map(Zeroizing::new)
        })?;
        let opened = opened.map_err(|_| refused())?;
        let mut key = Zeroizing::new([0; 32]);
        if sealed.len() != key.len() + TAG || opened.len() != key.len() {
            return Err(refused());
        }
        key.copy_from_slice(&opened);
        Ok(key)
    }
}

/// A module that this process has loaded. It stays: others in this process may have sessions in it.
struct Module {
    path: PathBuf,
    process: u32,
    context: Context,
}

static MODULES: Mutex<Vec<Module>> = Mutex::new(Vec::new());

fn context_of(path: &Path) -> Result<Context> {
    // By its whole path: nothing is loaded because a search path leads to it.
    let path = path.canonicalize().map_err(|_| root_error("there is no PKCS#11 module at this path"))?;
    let mut modules = held(&MODULES);
    if let Some(known) = modules.iter().find(|module| module.path == path) {
        if known.process != process::id() {
            return Err(forked());
        }
        // Somebody else may have ended it meanwhile.
        initialise(&known.context)?;
        return Ok(known.context.clone());
    }
    let context = Context::new(&path).map_err(|_| {
        root_error("the PKCS#11 module cannot be loaded").with_hint("it must be a library for this machine")
    })?;
    initialise(&context)?;
    modules.push(Module { path, process: process::id(), context: context.clone() });
    Ok(context)
}

fn initialise(context: &Context) -> Result<()> {
    match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Fault::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        Err(_) => Err(root_error("the PKCS#11 module does not start")
            .with_hint("its own configuration may be missing or not readable")),
    }
}

/// Whether a new session may do what the old one could not.
fn is_lost(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Pkcs11(
            RvError::SessionHandleInvalid
                | RvError::SessionClosed
                | RvError::DeviceRemoved
                | RvError::DeviceError
                | RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::SlotIdInvalid
                | RvError::UserNotLoggedIn
                | RvError::KeyHandleInvalid
                | RvError::ObjectHandleInvalid
                | RvError::OperationActive
                | RvError::CryptokiNotInitialized,
            _
        )
    )
}

/// In our words: what a module says can hold whatever its maker likes.
fn failed(fault: &Fault) -> Error {
    match fault {
        Fault::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _) => pin_refused(),
        Fault::Pkcs11(RvError::PinLocked, _) => root_error("the token's PIN is locked")
            .with_hint("its security officer sets a new one by the maker's own tool"),
        Fault::Pkcs11(RvError::PinExpired | RvError::UserPinNotInitialized, _) => {
            root_error("the token's PIN has expired or was never set")
                .with_hint("set one by the maker's own tool")
        }
        fault if is_lost(fault) => absent(),
        _ => root_error("the token failed").with_hint("look at the log of its module or device"),
    }
}

const PIN_REFUSED: &str = "the token refuses the PIN";

fn pin_refused() -> Error {
    root_error(PIN_REFUSED).with_hint("tokens lock after a few wrong ones: make sure before the next try")
}

fn is_pin_refused(e: &Error) -> bool {
    e.to_string().starts_with(PIN_REFUSED)
}

fn absent() -> Error {
    root_error("the token is not there")
        .with_hint("plug it in, or give the label or serial number of one that is there")
}

fn unnamed() -> Error {
    root_error("the token's label is empty or no plain text").with_hint("initialise it with a label")
}

fn forked() -> Error {
    root_error("the token was in use when this process was forked")
        .with_hint("unlock in the workers only, each after it was forked")
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F81. They are read before any token is asked: nothing is loaded for them.
    #[test]
    fn parameters_of_a_token_are_refused_out_of_bounds() {
        let provider = Pkcs11::new("/nowhere", "a token", "1234");
        let refusal = |parameters: &[u8]| provider.unlock(parameters).err().unwrap().to_string();
        let with = |label: &[u8], id: usize| {
            [&[3, u8::try_from(label.len()).unwrap()], label, &vec![7; id]].concat()
        };
        for good in [with(b"a token", 16), with(&[b'x'; 32], 16), with("jetón".as_bytes(), 16)] {
            assert!(refusal(&good).starts_with("there is no PKCS#11 module at this path"), "{good:?}");
        }
        for bad in [
            with(b"", 16),
            with(&[b'x'; 33], 16),
            with(b"a token", 15),
            with(b"a token", 17),
            with(b"a\ttoken", 16),
            with(b"\xff", 16),
            vec![3],
            vec![3, 200, 1],
        ] {
            assert_eq!(refusal(&bad), "the vault's token parameters are out of bounds", "{bad:?}");
        }
        assert!(refusal(&[1]).starts_with("this vault is not opened by a token"));
    }
}
