//! Header and directory: the bytes that are parsed before anything is authentic. Fixed layout, bounded, never panics.

use consignee_policy::PartId;

use super::{MAX_PARTS, MAX_RECORD};
use crate::{
    error::{Error, ErrorKind, Result},
    keys::{RecordId, VaultId},
    suite::{Suite, TAG},
    value::MAX_VALUE,
};

const MAGIC: &[u8; 4] = b"CNSR";
const FORMAT: u8 = 1;
pub(super) const HEADER: usize = 100;
pub(super) const DIRECTORY_ENTRY: usize = 6;
/// Header, directory and part number of the largest record.
pub(super) const MAX_ASSOCIATED: usize = HEADER + 2 + MAX_PARTS * DIRECTORY_ENTRY + 2;

/// What stands in front of every record. Not authentic until a part has been opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) suite: Suite,
    pub(crate) vault: VaultId,
    pub(crate) record_id: RecordId,
    pub(crate) revision: u32,
    pub(crate) epoch: u32,
    pub(crate) policy: [u8; 32],
    pub(crate) n1: [u8; 10],
    pub(crate) n2: [u8; 12],
}

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER] {
        let mut out = [0; HEADER];
        let fields: [&[u8]; 10] = [
            MAGIC,
            &[FORMAT],
            &[self.suite.number()],
            &self.vault.0,
            &self.record_id.0,
            &self.revision.to_le_bytes(),
            &self.epoch.to_le_bytes(),
            &self.policy,
            &self.n1,
            &self.n2,
        ];
        let mut rest = out.as_mut_slice();
        for field in fields {
            let (head, tail) = rest.split_at_mut(field.len());
            head.copy_from_slice(field);
            rest = tail;
        }
        out
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let mut rest = bytes;
        if take::<4>(&mut rest)? != *MAGIC {
            return Err(damaged());
        }
        match take::<1>(&mut rest)? {
            [FORMAT] => {}
            [0] => return Err(damaged()),
            _ => return Err(newer()),
        }
        let [suite] = take(&mut rest)?;
        Ok(Self {
            suite: Suite::from_number(suite).ok_or_else(newer)?,
            vault: VaultId(take(&mut rest)?),
            record_id: RecordId(take(&mut rest)?),
            revision: u32::from_le_bytes(take(&mut rest)?),
            epoch: u32::from_le_bytes(take(&mut rest)?),
            policy: take(&mut rest)?,
            n1: take(&mut rest)?,
            n2: take(&mut rest)?,
        })
    }
}

/// A record cut into its pieces; borrows its bytes and copies none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    pub(crate) header: Header,
    bytes: &'a [u8],
    count: usize,
}

impl<'a> Record<'a> {
    /// Cuts a whole record. Reads the directory once; allocates nothing.
    ///
    /// # Errors
    /// `Damaged` if the layout is broken or bytes are missing or left over, `NewerFormat` for a later version's.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self> {
        if bytes.len() > MAX_RECORD {
            return Err(damaged());
        }
        let header = Header::parse(bytes)?;
        let mut rest = bytes.get(HEADER..).ok_or_else(damaged)?;
        let count = usize::from(u16::from_le_bytes(take(&mut rest)?));
        if !(1..=MAX_PARTS).contains(&count) {
            return Err(damaged());
        }
        let record = Self { header, bytes, count };
        let mut total = record.body_at();
        let mut last = 0;
        for _ in 0..count {
            let part = u16::from_le_bytes(take(&mut rest)?);
            let length = u32::from_le_bytes(take(&mut rest)?) as usize;
            if part <= last || !(TAG..=MAX_VALUE + TAG).contains(&length) {
                return Err(damaged());
            }
            last = part;
            total += length;
        }
        if total != bytes.len() {
            return Err(damaged());
        }
        Ok(record)
    }

    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub(crate) fn header_bytes(&self) -> &'a [u8] {
        self.bytes.get(..HEADER).unwrap_or_default()
    }

    pub(crate) fn directory_bytes(&self) -> &'a [u8] {
        self.bytes.get(HEADER..self.body_at()).unwrap_or_default()
    }

    fn body_at(&self) -> usize {
        HEADER + 2 + self.count * DIRECTORY_ENTRY
    }

    /// The parts and their ciphertexts with tags, ascending by number.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (PartId, &'a [u8])> + use<'a> {
        let directory = self.directory_bytes().get(2..).unwrap_or_default();
        let mut body = self.bytes.get(self.body_at()..).unwrap_or_default();
        directory.chunks_exact(DIRECTORY_ENTRY).filter_map(move |mut entry| {
            let part = u16::from_le_bytes(take(&mut entry).ok()?);
            let length = u32::from_le_bytes(take(&mut entry).ok()?) as usize;
            let (ciphertext, rest) = body.split_at_checked(length)?;
            body = rest;
            Some((PartId::new(part)?, ciphertext))
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or_else(damaged)?;
    *rest = tail;
    Ok(*head)
}

pub(super) fn damaged() -> Error {
    Error::new(ErrorKind::Damaged, "a sealed record does not follow its format")
        .with_hint("restore it from a backup")
}

fn newer() -> Error {
    Error::new(ErrorKind::NewerFormat, "a sealed record is of a newer format")
        .with_hint("update this program")
}

#[cfg(test)]
mod tests {
    use super::{super::seal::Associated, *};

    /// A record that keeps to the format, with parts of these lengths and nothing in them.
    fn of_lengths(lengths: &[usize]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER];
        bytes[..6].copy_from_slice(b"CNSR\x01\x01");
        bytes.extend(u16::try_from(lengths.len()).unwrap().to_le_bytes());
        for (part, length) in (1u16..).zip(lengths) {
            bytes.extend(part.to_le_bytes());
            bytes.extend(u32::try_from(*length).unwrap().to_le_bytes());
        }
        bytes.resize(bytes.len() + lengths.iter().sum::<usize>(), 0);
        bytes
    }

    #[test]
    fn a_record_holds_16_mib_and_no_byte_more() {
        let most = MAX_VALUE + TAG;
        let mut lengths = vec![most; 16];
        lengths[15] = MAX_RECORD - (HEADER + 2 + 16 * DIRECTORY_ENTRY) - 15 * most;
        let largest = of_lengths(&lengths);
        assert_eq!(largest.len(), 16 * 1024 * 1024);
        let record = Record::parse(&largest).unwrap();
        assert_eq!(record.bytes(), largest);
        assert!(record.parts().map(|(_, ciphertext)| ciphertext.len()).eq(lengths.iter().copied()));
        lengths[15] += 1;
        assert!(Record::parse(&of_lengths(&lengths)).is_err());
    }

    #[test]
    fn a_part_has_16_bytes_to_1_mib_and_a_tag() {
        assert!(Record::parse(&of_lengths(&[16, 1_048_592])).is_ok());
        assert!(Record::parse(&of_lengths(&[15])).is_err());
        assert!(Record::parse(&of_lengths(&[1_048_593])).is_err());
    }

    /// Where it was cut, the end of the directory would be bound by nothing.
    #[test]
    fn the_associated_data_of_a_record_of_96_parts_is_whole() {
        let bytes = of_lengths(&[TAG; MAX_PARTS]);
        let record = Record::parse(&bytes).unwrap();
        let whole = [&bytes[..HEADER + 2 + 6 * 96], &[96, 0]].concat();
        assert_eq!(Associated::of_record(&record).of(PartId::new(96).unwrap()), whole);
        assert!(Record::parse(&of_lengths(&[TAG; MAX_PARTS + 1])).is_err());
    }
}
