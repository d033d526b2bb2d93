//! Keyrings: the field keys of one role, for a party to keep (`docs/format.md`, section 14).

use std::sync::Arc;

use consignee_policy::{FieldType, PartId};
use zeroize::Zeroizing;

use super::{
    envelope::{Kind, damaged, newer},
    frame::{Frame, put_str8},
};
use crate::{
    error::Result,
    keys::{self, EpochKeys, FieldKey, VaultId},
    suite::{Secret, Suite},
    view::NamedPart,
};

/// What a role may open: names and types of its parts, and their field keys in all epochs that were open when it was issued. It opens
/// nothing by itself: each copy needs its ticket, too.
pub struct Keyring {
    pub(super) vault: VaultId,
    pub(super) issued: u64,
    party: String,
    role: String,
    pub(super) parts: Arc<[NamedPart]>,
    pub(super) keys: keys::Keyring,
}

/// Most epochs of a keyring.
const MOST_EPOCHS: usize = 1024;
const MOST_PARTS: usize = 96;

impl Keyring {
    /// The party that it was issued to.
    pub fn party(&self) -> &str {
        &self.party
    }

    /// The role whose parts it opens.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// When it was issued, seconds since 1970.
    pub fn issued_at(&self) -> u64 {
        self.issued
    }

    /// Names of the parts that it has keys of, ascending by number.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|part| part.name.as_str())
    }

    /// Number of the part of this name, as a request names it; none where the role does not open it.
    pub fn part(&self, name: &str) -> Option<PartId> {
        self.parts.iter().find(|part| part.name == name).map(|part| part.id)
    }

    /// Numbers of the epochs that it has keys of, ascending.
    pub fn epochs(&self) -> impl Iterator<Item = u32> {
        self.keys.epochs().map(|epoch| epoch.epoch)
    }

    #[cfg(fuzzing)]
    pub(super) fn of(vault: VaultId, parts: Vec<NamedPart>, keys: keys::Keyring) -> Self {
        Self { vault, issued: 0, party: String::new(), role: String::new(), parts: parts.into(), keys }
    }

    /// Reads what was in the envelope.
    pub(super) fn parse(payload: &[u8], vault: VaultId) -> Result<Self> {
        let wrong = || damaged(Kind::Keyring);
        let mut frame = Frame::new(payload, Kind::Keyring);
        let issued = frame.u64()?;
        let (party, role) = (frame.str8()?.to_owned(), frame.str8()?.to_owned());
        let count = usize::from(frame.u8()?);
        if !(1..=MOST_PARTS).contains(&count) {
            return Err(wrong());
        }
        let mut parts: Vec<NamedPart> = Vec::with_capacity(count);
        for _ in 0..count {
            let id = PartId::new(frame.u16()?).ok_or_else(wrong)?;
            let ty = FieldType::from_tag(frame.u8()?).ok_or_else(wrong)?;
            let name = frame.str8()?.to_owned();
            if parts.last().is_some_and(|last| last.id >= id) {
                return Err(wrong());
            }
            parts.push(NamedPart { id, name, ty });
        }
        let count = usize::from(frame.u16()?);
        if !(1..=MOST_EPOCHS).contains(&count) {
            return Err(wrong());
        }
        let mut epochs: Vec<Arc<EpochKeys>> = Vec::with_capacity(count);
        for _ in 0..count {
            let epoch = frame.number()?;
            let suite = Suite::from_number(frame.u8()?).ok_or_else(|| newer(Kind::Keyring))?;
            if epochs.last().is_some_and(|last| last.epoch >= epoch) {
                return Err(wrong());
            }
            let mut keys: Vec<(PartId, Arc<FieldKey>)> = Vec::new();
            for _ in 0..frame.u8()? {
                let part = PartId::new(frame.u16()?).ok_or_else(wrong)?;
                let key = FieldKey::new(suite, Secret::new(*frame.array()?));
                let known = parts.binary_search_by_key(&part, |part| part.id).is_ok();
                if !known || keys.last().is_some_and(|(last, _)| *last >= part) {
                    return Err(wrong());
                }
                keys.push((part, Arc::new(key)));
            }
            epochs.push(Arc::new(EpochKeys::new(epoch, suite, keys, Vec::new())));
        }
        frame.end()?;
        Ok(Self { vault, issued, party, role, parts: parts.into(), keys: keys::Keyring::new(epochs) })
    }
}

// By hand: no key.
impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<&str> = self.parts().collect();
        f.debug_struct("Keyring").field("role", &self.role).field("parts", &parts).finish_non_exhaustive()
    }
}

/// The content of a keyring.
pub(crate) struct Issue<'a> {
    pub(crate) issued: u64,
    pub(crate) party: &'a str,
    pub(crate) role: &'a str,
    /// Ascending by number.
    pub(crate) parts: &'a [NamedPart],
    pub(crate) epochs: &'a [Arc<EpochKeys>],
}

impl Issue<'_> {
    /// Its bytes, before they are sealed.
    ///
    /// # Errors
    /// `Limit`.
    pub(crate) fn encode(&self) -> Result<Zeroizing<Vec<u8>>> {
        let keys: usize = self.epochs.len() * (7 + self.parts.len() * 34);
        let names: usize = self.parts.iter().map(|part| 4 + part.name.len()).sum();
        // At once: growing would leave copies of keys behind.
        let mut out = Zeroizing::new(Vec::with_capacity(1024 + keys + names));
        out.extend_from_slice(&self.issued.to_le_bytes());
        put_str8(&mut out, self.party)?;
        put_str8(&mut out, self.role)?;
        out.push(u8::try_from(self.parts.len()).unwrap_or(u8::MAX));
        for part in self.parts {
            out.extend_from_slice(&part.id.get().to_le_bytes());
            out.push(part.ty.tag());
            put_str8(&mut out, &part.name)?;
        }
        out.extend_from_slice(&u16::try_from(self.epochs.len()).unwrap_or(u16::MAX).to_le_bytes());
        for epoch in self.epochs {
            let keys = || self.parts.iter().filter_map(|part| Some((part.id, epoch.get(part.id)?)));
            out.extend_from_slice(&epoch.epoch.to_le_bytes());
            out.push(epoch.suite.number());
            out.push(u8::try_from(keys().count()).unwrap_or(u8::MAX));
            for (part, key) in keys() {
                out.extend_from_slice(&part.get().to_le_bytes());
                out.extend_from_slice(key.expose());
            }
        }
        Ok(out)
    }
}
