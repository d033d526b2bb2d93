//! Keys of signed notes (C2SP signed-note): what a signature line names, and the texts they are passed on in.

use std::fmt;

use super::{from_base64, to_base64};
use crate::{
    error::{Error, ErrorKind, Result},
    suite::{SIGNATURE, Secret, SigningKey, digest, is_verifying, os_random, verify},
    text::hex,
};

/// Most bytes of a key's name: those of an origin.
const LONGEST_NAME: usize = 255;

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Signs {
    /// The text itself: type 0x01, Ed25519.
    Text = 1,
    /// The text and when it was seen: type 0x04, cosignature/v1.
    Cosignature = 4,
}

/// A public key of a log or witness, with its name: a *vkey*, `name+hex(key id)+base64(type ‖ key)`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    signs: Signs,
    public: [u8; 32],
}

impl VerifierKey {
    /// The key with which a log signs checkpoints; its name is the log's origin.
    ///
    /// # Errors
    /// `Input` for a name or bytes that are none.
    pub fn of_log(name: &str, public: [u8; 32]) -> Result<Self> {
        Self::new(name, Signs::Text, public)
    }

    /// The key with which a witness cosigns.
    ///
    /// # Errors
    /// `Input` for a name or bytes that are none.
    pub fn of_witness(name: &str, public: [u8; 32]) -> Result<Self> {
        Self::new(name, Signs::Cosignature, public)
    }

    fn new(name: &str, signs: Signs, public: [u8; 32]) -> Result<Self> {
        if !is_own_name(name) {
            return Err(Error::input(
                "key",
                "its name is 1 to 255 bytes without spaces, + and control characters",
            ));
        }
        if !is_verifying(&public) {
            return Err(Error::input("key", "it is no Ed25519 public key"));
        }
        Ok(Self { name: name.to_owned(), signs, public })
    }

    /// Reads a vkey, ASCII white space around it left out.
    ///
    /// # Errors
    /// `Input` for what is none, `NewerFormat` for a type of key other than Ed25519 and Ed25519 cosignatures.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || Error::input("key", "it is written NAME+8 hexadecimal digits+base64");
        let mut parts = text.trim_ascii().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong());
        };
        let key = from_base64(key).ok_or_else(wrong)?;
        let (kind, public) = key.split_first().ok_or_else(wrong)?;
        let signs = match kind {
            1 => Signs::Text,
            4 => Signs::Cosignature,
            _ => {
                let message = "a key of this type is not known: Ed25519 (1) and its cosignatures (4) are";
                return Err(Error::new(ErrorKind::NewerFormat, message));
            }
        };
        let key = Self::new(name, signs, public.try_into().map_err(|_| wrong())?)?;
        if hex(&key.id()) == id {
            Ok(key)
        } else {
            Err(Error::input("key", "its id is not that of name and key"))
        }
    }

    /// Its name; of a log, the origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its id in signature lines: SHA-256(name ‖ 0x0a ‖ type ‖ public key)[..4].
    pub fn id(&self) -> [u8; 4] {
        let named = [self.name.as_bytes(), b"\n", &[self.signs as u8], &self.public].concat();
        let [a, b, c, d, ..] = digest(&named);
        [a, b, c, d]
    }

    /// The 32 bytes of the Ed25519 public key.
    pub fn public(&self) -> [u8; 32] {
        self.public
    }

    /// Whether it signs checkpoints of others as a witness (type 0x04), rather than its own as a log.
    pub fn is_witness(&self) -> bool {
        self.signs == Signs::Cosignature
    }

    /// Checks a signature of a note's text: of a witness with the time in seconds since 1970 that it states.
    pub(super) fn check(&self, text: &str, signature: &[u8]) -> Option<Option<u64>> {
        match self.signs {
            Signs::Text => {
                let signature: &[u8; SIGNATURE] = signature.try_into().ok()?;
                verify(&self.public, text.as_bytes(), signature).ok().map(|()| None)
            }
            Signs::Cosignature => {
                let (time, signature) = signature.split_first_chunk::<8>()?;
                let time = u64::from_be_bytes(*time);
                let signature: &[u8; SIGNATURE] = signature.try_into().ok()?;
                let is_time = i64::try_from(time).is_ok();
                let checked = verify(&self.public, cosigned(time, text).as_bytes(), signature);
                (is_time && checked.is_ok()).then_some(Some(time))
            }
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.signs as u8], self.public.as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, hex(&self.id()), to_base64(&key))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

/// What a cosignature signs (C2SP tlog-cosignature).
fn cosigned(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// A private key of a log or witness; wiped on drop.
pub struct NoteKey {
    key: SigningKey,
    public: VerifierKey,
}

impl NoteKey {
    /// The key of a log.
    pub(crate) fn of_log(origin: &str, seed: &Secret<32>) -> Result<Self> {
        Self::new(origin, Signs::Text, seed)
    }

    fn new(name: &str, signs: Signs, seed: &Secret<32>) -> Result<Self> {
        let key = SigningKey::new(seed);
        let public = VerifierKey::new(name, signs, key.public())?;
        Ok(Self { key, public })
    }

    /// Makes a key for a witness, and the private text of it: `PRIVATE+KEY+name+hex(key id)+base64(type ‖ seed)`, as Go's
    /// `sumdb/note` writes it.
    ///
    /// # Errors
    /// `Input` for a name that is none, `Storage` if the operating system gives no random bytes.
    pub(crate) fn generate_witness(name: &str) -> Result<(Self, zeroize::Zeroizing<String>)> {
        let seed = Secret::fill(|bytes: &mut [u8; 32]| os_random(bytes))
            .map_err(|_| Error::new(ErrorKind::Storage, "the operating system gives no random bytes"))?;
        let key = Self::new(name, Signs::Cosignature, &seed)?;
        let bytes = zeroize::Zeroizing::new([&[Signs::Cosignature as u8], seed.expose().as_slice()].concat());
        let encoded = zeroize::Zeroizing::new(to_base64(&bytes));
        let id = hex(&key.public.id());
        let text = zeroize::Zeroizing::new(format!("PRIVATE+KEY+{name}+{id}+{}\n", *encoded));
        Ok((key, text))
    }

    /// Reads a private key's text. ASCII white space around it is left out.
    ///
    /// # Errors
    /// `Damaged` for what is none, `NewerFormat` for another type of key.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || Error::new(ErrorKind::Damaged, "it is no private key of a witness or log");
        let mut parts = text.trim_ascii().strip_prefix("PRIVATE+KEY+").ok_or_else(wrong)?.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong());
        };
        let key = zeroize::Zeroizing::new(from_base64(key).ok_or_else(wrong)?);
        let (kind, seed) = key.split_first().ok_or_else(wrong)?;
        let signs = match kind {
            1 => Signs::Text,
            4 => Signs::Cosignature,
            _ => return Err(Error::new(ErrorKind::NewerFormat, "a private key of this type is not known")),
        };
        let seed = Secret::new(*<&[u8; 32]>::try_from(seed).map_err(|_| wrong())?);
        let key = Self::new(name, signs, &seed)?;
        if hex(&key.public.id()) == id { Ok(key) } else { Err(wrong()) }
    }

    /// The public key.
    pub fn public(&self) -> &VerifierKey {
        &self.public
    }

    /// Signs a note's text; as a witness, as seen at `time` in seconds since 1970.
    pub(super) fn sign(&self, text: &str, time: u64) -> Vec<u8> {
        match self.public.signs {
            Signs::Text => self.key.sign(text.as_bytes()).to_vec(),
            Signs::Cosignature => {
                let signature = self.key.sign(cosigned(time, text).as_bytes());
                [time.to_be_bytes().as_slice(), &signature].concat()
            }
        }
    }
}

/// Whether a text can name a key in a signature line: no Unicode space and no plus (C2SP signed-note).
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c == '+' || c.is_whitespace())
}

/// Whether a text can name a key that is taken here: not long, and without control characters.
fn is_own_name(name: &str) -> bool {
    is_name(name) && name.len() <= LONGEST_NAME && !name.contains(char::is_control)
}
