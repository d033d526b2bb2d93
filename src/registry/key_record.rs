//! What is known of an epoch or a generation of the release key beside its keys: its state and its dates. Outlives the keys.

use super::items::{Items, damaged, newer, untagged};
use crate::{error::Result, keys::KeyKind, suite::Suite};

/// Kind of the items.
pub(super) const KEY_RECORD: u8 = 35;

/// What an epoch, or a generation of the release key, is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyState {
    /// It seals, or wraps.
    Active = 1,
    /// It only opens what was sealed, or wrapped, while it was active.
    OpenOnly = 2,
    /// It is destroyed: what it sealed opens for nobody.
    Destroyed = 3,
}

impl KeyState {
    /// Its name in listings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::OpenOnly => "open-only",
            Self::Destroyed => "destroyed",
        }
    }

    fn from_number(number: u8) -> Option<Self> {
        [Self::Active, Self::OpenOnly, Self::Destroyed].into_iter().find(|state| *state as u8 == number)
    }
}

/// One epoch (kind [`KeyKind::Field`]) or generation of the release key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyRecord {
    pub(crate) kind: KeyKind,
    /// Number of the epoch or generation.
    pub(crate) number: u32,
    pub(crate) state: KeyState,
    pub(crate) suite: Suite,
    /// Whether the bytes of destroyed keys are wiped from the files, too.
    pub(crate) wiped: bool,
    /// When it was made, retired and destroyed, in seconds since 1970; 0 where that is not known, or not yet.
    pub(crate) made: u64,
    pub(crate) retired: u64,
    pub(crate) destroyed: u64,
}

impl KeyRecord {
    pub(crate) fn new(kind: KeyKind, number: u32, suite: Suite, made: u64) -> Self {
        Self { kind, number, state: KeyState::Active, suite, wiped: false, made, retired: 0, destroyed: 0 }
    }

    /// Whether the bytes of its destroyed keys may be in the files yet.
    pub(crate) fn is_unwiped(&self) -> bool {
        self.state == KeyState::Destroyed && !self.wiped
    }

    pub(super) fn place(&self) -> (u8, u32, u32) {
        (KEY_RECORD, u32::from(self.kind as u8), self.number)
    }

    // state u8 ‖ suite u8 ‖ wiped u8 ‖ made u64 ‖ retired u64 ‖ destroyed u64   (docs/format.md, section 10)
    pub(super) fn body(&self) -> Vec<u8> {
        let head = [self.state as u8, self.suite.number(), u8::from(self.wiped)];
        let dates = [self.made, self.retired, self.destroyed].map(u64::to_le_bytes);
        [head.as_slice(), dates.as_flattened()].concat()
    }

    fn read((_, kind, number): (u8, u32, u32), body: &[u8]) -> Result<Self> {
        let kinds = [KeyKind::Field, KeyKind::Release];
        let kind = kinds.into_iter().find(|known| *known as u32 == kind).ok_or_else(damaged)?;
        let ([state, suite, wiped], rest) = body.split_first_chunk().ok_or_else(damaged)?;
        let ([made, retired, destroyed], []) = rest.as_chunks::<8>() else { return Err(damaged()) };
        let suite = match suite {
            0 => return Err(damaged()),
            number => Suite::from_number(*number).ok_or_else(newer)?,
        };
        Ok(Self {
            kind,
            number,
            state: KeyState::from_number(*state).ok_or_else(damaged)?,
            suite,
            wiped: *wiped == 1,
            made: u64::from_le_bytes(*made),
            retired: u64::from_le_bytes(*retired),
            destroyed: u64::from_le_bytes(*destroyed),
        })
    }
}

/// All of them, epochs first, ascending. Vaults of earlier versions have none for what they began with: what is not written down is
/// seen from the keys that are there, of which the highest is active.
pub(super) fn key_records(items: &Items) -> Result<Vec<KeyRecord>> {
    let mut all = Vec::new();
    for kind in [KeyKind::Field, KeyKind::Release] {
        let id = u32::from(kind as u8);
        let written = items.range((KEY_RECORD, id, 0)..=(KEY_RECORD, id, u32::MAX));
        let mut records: Vec<KeyRecord> =
            written.map(|(place, body)| KeyRecord::read(*place, untagged(body)?)).collect::<Result<_>>()?;
        for ((_, _, number), body) in items.iter().filter(|(place, _)| place.0 == kind as u8) {
            if records.iter().all(|record| record.number != *number) {
                let suite =
                    body.first().and_then(|number| Suite::from_number(*number)).ok_or_else(damaged)?;
                records
                    .push(KeyRecord { state: KeyState::OpenOnly, ..KeyRecord::new(kind, *number, suite, 0) });
            }
        }
        records.sort_unstable_by_key(|record| record.number);
        if let Some(highest) = records.last_mut().filter(|record| record.state == KeyState::OpenOnly) {
            highest.state = KeyState::Active;
        }
        all.extend(records);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_record_comes_back_from_its_body_and_from_nothing_else() {
        for kind in [KeyKind::Field, KeyKind::Release] {
            for state in [KeyState::Active, KeyState::OpenOnly, KeyState::Destroyed] {
                let record = KeyRecord {
                    state,
                    wiped: state == KeyState::Destroyed,
                    retired: 7,
                    destroyed: u64::MAX,
                    ..KeyRecord::new(kind, 300, Suite::ChaCha20Poly1305, 1_790_000_000)
                };
                assert_eq!(KeyRecord::read(record.place(), &record.body()).unwrap(), record);
            }
        }
        let record = KeyRecord::new(KeyKind::Field, 1, Suite::Aes256Gcm, 9);
        let (place, body) = (record.place(), record.body());
        let kind_of = |place, body: &[u8]| KeyRecord::read(place, body).unwrap_err().kind().clone();
        for size in 0..body.len() {
            assert_eq!(kind_of(place, &body[..size]), ErrorKind::Damaged);
        }
        assert_eq!(kind_of(place, &[body.as_slice(), &[0]].concat()), ErrorKind::Damaged);
        for (at, byte, kind) in [
            (0, 0, ErrorKind::Damaged),
            (0, 4, ErrorKind::Damaged),
            (1, 0, ErrorKind::Damaged),
            (1, 3, ErrorKind::NewerFormat),
        ] {
            let mut other = body.clone();
            other[at] = byte;
            assert_eq!(kind_of(place, &other), kind);
        }
        for id in [0, 2, 4] {
            assert_eq!(kind_of((KEY_RECORD, id, 1), &body), ErrorKind::Damaged);
        }
    }
}
