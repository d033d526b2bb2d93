//! Keys as lines of text: a prefix that says what it is, the bytes, and a checksum by which a line that was cut or mistyped is
//! noticed.

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::suite::{self, Secret};

/// What begins a line, and what its checksum and its fingerprint are made under.
pub(crate) struct Line {
    pub(crate) prefix: &'static str,
    pub(crate) label: &'static str,
}

impl Line {
    /// The bytes of a secret in hexadecimal digits. They are neither looked up in a table nor told apart by branches.
    pub(super) fn of_secret(&self, bytes: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut digits = Zeroizing::new(vec![0; 2 * bytes.len()]);
        // Of the right length, so that neither fails.
        let _whole = base16ct::lower::encode(bytes, &mut digits).map(drop);
        let pieces = [self.prefix.as_bytes(), &digits, b"-", &self.check(bytes), b"\n"];
        Zeroizing::new(pieces.concat())
    }

    /// The bytes of a secret in such a line; none where it is not whole.
    pub(super) fn parse_secret(&self, line: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let rest = line.strip_prefix(self.prefix.as_bytes())?;
        let (digits, rest) = rest.split_at(rest.iter().rposition(|byte| *byte == b'-')?);
        let rest: &[u8; 9] = std::str::from_utf8(rest).ok()?.trim_end().as_bytes().try_into().ok()?;
        let mut check = [0; 4];
        base16ct::mixed::decode(&rest[1..], &mut check).ok()?;
        let mut bytes = Zeroizing::new(vec![0; digits.len() / 2]);
        base16ct::mixed::decode(digits, &mut bytes).ok()?;
        Secret::new(self.checksum(&bytes)).equals(&check).then_some(bytes)
    }

    /// The bytes of something public in base64.
    pub(super) fn of_public(&self, bytes: &[u8]) -> String {
        self.of_bytes(bytes).to_string()
    }

    /// The same in a text that is wiped. The digits are looked up in a table: not for keys that open anything.
    pub(crate) fn of_bytes(&self, bytes: &[u8]) -> Zeroizing<String> {
        // Of the right size at once: growing would leave copies.
        let length = self.prefix.len() + bytes.len().div_ceil(3) * 4 + 10;
        let mut line = Zeroizing::new(String::with_capacity(length));
        line.push_str(self.prefix);
        STANDARD.encode_string(bytes, &mut line);
        line.push('-');
        line.push_str(&String::from_utf8_lossy(&self.check(bytes)));
        line.push('\n');
        line
    }

    /// The bytes in such a line.
    pub(crate) fn parse_public(&self, line: &str) -> Option<Vec<u8>> {
        let (bytes, check) = line.trim_ascii_end().strip_prefix(self.prefix)?.rsplit_once('-')?;
        let bytes = STANDARD.decode(bytes).ok()?;
        (check.to_ascii_lowercase().as_bytes() == self.check(&bytes)).then_some(bytes)
    }

    // H(label, bytes)[..4]
    fn checksum(&self, bytes: &[u8]) -> [u8; 4] {
        let mut sum = [0; 4];
        sum.copy_from_slice(&suite::commit(self.label, &[bytes])[..4]);
        sum
    }

    fn check(&self, bytes: &[u8]) -> [u8; 8] {
        let mut digits = [0; 8];
        let _whole = base16ct::lower::encode(&self.checksum(bytes), &mut digits).map(drop);
        digits
    }
}

/// Crockford's base 32.
pub(crate) const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The digit that a typed or read-out character stands for: in either case, and with O, I and L for the digits that they look like,
/// of which Crockford's base 32 has none.
pub(crate) fn crockford(typed: char) -> char {
    match typed.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    }
}

/// What two people compare by telephone: 100 bits of a hash, as five groups of four characters of Crockford's base 32. Whoever
/// wants to pass another key off for one with this fingerprint has 2^100 to try.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 20]);

impl Fingerprint {
    // The first 100 bits of H("consignee/v1/fingerprint", label, bytes)
    pub(super) fn of(line: &Line, bytes: &[u8]) -> Self {
        let hash = suite::commit("consignee/v1/fingerprint", &[line.label.as_bytes(), bytes]);
        let [first, ..] = hash.as_chunks::<16>().0 else { return Self([b'0'; 20]) };
        let bits = u128::from_be_bytes(*first);
        Self(std::array::from_fn(|at| {
            let [lowest, ..] = (bits >> (128 - 5 * (at + 1))).to_le_bytes();
            CROCKFORD[usize::from(lowest & 31)]
        }))
    }

    /// Whether it is what somebody read out or typed: in whatever case and groups, and with the letters O, I and L for the digits
    /// they look like.
    pub fn is(&self, read_out: &str) -> bool {
        let characters = read_out.chars().filter(|c| !c.is_whitespace() && *c != '-');
        characters.map(crockford).eq(self.0.iter().copied().map(char::from))
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, group) in self.0.chunks(4).enumerate() {
            let dash = if at == 0 { "" } else { "-" };
            write!(f, "{dash}{}", String::from_utf8_lossy(group))?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// More than a line of these has.
pub(super) const LONGEST: usize = 4096;
