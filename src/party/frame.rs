//! Fixed layouts, read piece by piece. Bounded, never panics, allocates nothing.

use consignee_policy::PartId;

use super::envelope::{FORMAT, Kind, damaged, newer, not_one};
use crate::{
    alias::Alias,
    error::{Error, ErrorKind, Result},
};

/// What is left to read of an envelope, or of what was in it.
pub(super) struct Frame<'a> {
    whole: &'a [u8],
    rest: &'a [u8],
    kind: Kind,
}

impl<'a> Frame<'a> {
    pub(super) fn new(bytes: &'a [u8], kind: Kind) -> Self {
        Self { whole: bytes, rest: bytes, kind }
    }

    /// All that has been read.
    pub(super) fn before(&self) -> &'a [u8] {
        self.whole.get(..self.whole.len() - self.rest.len()).unwrap_or_default()
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N]> {
        let (head, tail) = self.rest.split_first_chunk().ok_or_else(|| damaged(self.kind))?;
        self.rest = tail;
        Ok(head)
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8]> {
        let (head, tail) = self.rest.split_at_checked(length).ok_or_else(|| damaged(self.kind))?;
        self.rest = tail;
        Ok(head)
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(*self.array()?))
    }

    /// A length or a count.
    pub(super) fn u32(&mut self) -> Result<usize> {
        usize::try_from(self.number()?).map_err(|_| damaged(self.kind))
    }

    pub(super) fn number(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(*self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(*self.array()?))
    }

    pub(super) fn str8(&mut self) -> Result<&'a str> {
        let length = self.u8()?;
        std::str::from_utf8(self.bytes(length.into())?).map_err(|_| damaged(self.kind))
    }

    /// Magic and format.
    pub(super) fn magic(&mut self) -> Result<()> {
        if self.array::<4>()? != self.kind.magic() {
            return Err(not_one(self.kind));
        }
        match self.u8()? {
            FORMAT => Ok(()),
            0 => Err(damaged(self.kind)),
            _ => Err(newer(self.kind)),
        }
    }

    /// u8 count ‖ numbers of parts, ascending
    pub(super) fn parts(&mut self) -> Result<Vec<PartId>> {
        let mut parts: Vec<PartId> = Vec::new();
        for _ in 0..self.u8()? {
            let part = PartId::new(self.u16()?).ok_or_else(|| damaged(self.kind))?;
            if parts.last().is_some_and(|last| *last >= part) {
                return Err(damaged(self.kind));
            }
            parts.push(part);
        }
        Ok(parts)
    }

    /// An alias as it is written, so that there is one form of each.
    pub(super) fn alias(&mut self) -> Result<Alias> {
        let text = std::str::from_utf8(self.array::<{ Alias::WRITTEN }>()?).ok();
        let alias = text.and_then(|text| Alias::parse(text).filter(|alias| alias.to_string() == text));
        alias.ok_or_else(|| damaged(self.kind))
    }

    /// Bytes that are yet to be read.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// Refuses bytes that are left over.
    pub(super) fn end(self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(damaged(self.kind)) }
    }
}

/// u8 length ‖ text
pub(super) fn put_str8(out: &mut Vec<u8>, text: &str) -> Result<()> {
    let too_long = |_| Error::new(ErrorKind::Limit, "a name holds at most 255 bytes");
    out.push(u8::try_from(text.len()).map_err(too_long)?);
    out.extend_from_slice(text.as_bytes());
    Ok(())
}
