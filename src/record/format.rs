//! Header and directory: the bytes that are parsed before anything is authentic. Fixed layout, bounded, never panics.

use consignee_policy::PartId;

use super::{MAX_PARTS, MAX_RECORD};
use crate::{
    error::{Error, ErrorKind, Result},
    keys::{RecordId, VaultId},
    suite::{Suite, TAG, join_into},
    value::MAX_VALUE,
};

const MAGIC: &[u8; 4] = b"CNSR";
const FORMAT: u8 = 1;
const HEADER: usize = 72;
const DIRECTORY_ENTRY: usize = 5;
const N2: usize = 12;
/// Header and directory of the largest record.
const MAX_BOUND: usize = bound_len(MAX_PARTS);

/// Bytes of header and directory, which the associated data of each part begins with.
pub(super) const fn bound_len(parts: usize) -> usize {
    HEADER + 1 + parts * DIRECTORY_ENTRY
}

/// Bytes before the first ciphertext.
pub(super) const fn head_len(parts: usize) -> usize {
    bound_len(parts) + N2
}

/// Which policy a record was sealed under: the first bytes of its digest.
pub(crate) type PolicyId = [u8; 16];

/// Of this digest.
pub(crate) fn policy_id(digest: &[u8; 32]) -> PolicyId {
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    id
}

/// What stands in front of every record. Not authentic until a part has been opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) suite: Suite,
    pub(crate) vault: VaultId,
    pub(crate) record_id: RecordId,
    pub(crate) revision: u32,
    pub(crate) epoch: u32,
    pub(crate) policy: PolicyId,
    pub(crate) n1: [u8; 10],
}

impl Header {
    /// Writes it, the number of parts and N2 into the head of a record, around the entries of its directory.
    pub(super) fn write(&self, record: &mut [u8], parts: usize, n2: &[u8; N2]) {
        let pieces: [&[u8]; 10] = [
            MAGIC,
            &[FORMAT],
            &[self.suite.number()],
            &self.vault.0,
            &self.record_id.0,
            &self.revision.to_le_bytes(),
            &self.epoch.to_le_bytes(),
            &self.policy,
            &self.n1,
            &[u8::try_from(parts).unwrap_or(u8::MAX)],
        ];
        join_into(record, &pieces);
        record[bound_len(parts)..head_len(parts)].copy_from_slice(n2);
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
        })
    }
}

/// A record cut into its pieces; borrows its bytes and copies none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    pub(crate) header: Header,
    /// Nonce of its parts.
    pub(crate) n2: [u8; N2],
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
        let [count] = take(&mut rest)?;
        let count = usize::from(count);
        if !(1..=MAX_PARTS).contains(&count) {
            return Err(damaged());
        }
        let mut total = head_len(count);
        let mut last = 0;
        for _ in 0..count {
            let (part, length) = entry(take(&mut rest)?);
            if part <= last || !(TAG..=MAX_VALUE + TAG).contains(&length) {
                return Err(damaged());
            }
            last = part;
            total += length;
        }
        if total != bytes.len() {
            return Err(damaged());
        }
        Ok(Self { header, n2: take(&mut rest)?, bytes, count })
    }

    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Header and directory.
    pub(crate) fn bound(&self) -> &'a [u8] {
        self.bytes.get(..bound_len(self.count)).unwrap_or_default()
    }

    /// All that stands before the first ciphertext: header, directory and N2.
    pub(crate) fn head(&self) -> &'a [u8] {
        self.bytes.get(..head_len(self.count)).unwrap_or_default()
    }

    /// The parts and their ciphertexts with tags, ascending by number.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (PartId, &'a [u8])> + use<'a> {
        let mut body = self.bytes.get(head_len(self.count)..).unwrap_or_default();
        entries(self.bytes, self.count).map_while(move |(part, length)| {
            let (ciphertext, rest) = body.split_at_checked(length)?;
            body = rest;
            Some((part, ciphertext))
        })
    }
}

/// Number of parts of a record that was checked or made.
pub(super) fn count(record: &[u8]) -> usize {
    record.get(HEADER).copied().map_or(0, usize::from)
}

/// Part numbers and lengths in the directory of so many parts.
pub(super) fn entries(record: &[u8], parts: usize) -> impl Iterator<Item = (PartId, usize)> + Clone {
    let (entries, _) = record.get(HEADER + 1..bound_len(parts)).unwrap_or_default().as_chunks();
    entries.iter().filter_map(|bytes| {
        let (part, length) = entry(*bytes);
        Some((PartId::new(part)?, length))
    })
}

/// Part number and length of an entry of the directory.
fn entry([p0, p1, l0, l1, l2]: [u8; DIRECTORY_ENTRY]) -> (u16, usize) {
    (u16::from_le_bytes([p0, p1]), u32::from_le_bytes([l0, l1, l2, 0]) as usize)
}

/// header ‖ directory ‖ part number ‖ zeros up to a multiple of 64: the associated data of each part. (Four blocks are hashed for
/// little more than one. N2 needs no place in it: as the nonce it is bound by the tag.)
pub(super) struct Associated {
    bytes: [u8; MAX_BOUND.next_multiple_of(STEP)],
    len: usize,
}

const STEP: usize = 64;

impl Associated {
    /// Of header and directory.
    pub(super) fn new(bound: &[u8]) -> Self {
        let mut bytes = [0; MAX_BOUND.next_multiple_of(STEP)];
        // Of 96 parts at most: both makers of records check their number.
        let len = bound.len().min(MAX_BOUND);
        bytes[..len].copy_from_slice(&bound[..len]);
        Self { bytes, len }
    }

    pub(super) fn of(&mut self, part: PartId) -> &[u8] {
        self.bytes[self.len..self.len + 2].copy_from_slice(&part.get().to_le_bytes());
        &self.bytes[..(self.len + 2).next_multiple_of(STEP)]
    }
}

/// There is room for the number of a part behind the longest directory.
const _: () = assert!(MAX_BOUND + 2 <= MAX_BOUND.next_multiple_of(STEP));

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
    use super::*;

    /// A record that keeps to the format, with parts of these lengths and nothing in them.
    fn of_lengths(lengths: &[usize]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER];
        bytes[..6].copy_from_slice(b"CNSR\x01\x01");
        bytes.push(u8::try_from(lengths.len()).unwrap());
        for (part, length) in (1u16..).zip(lengths) {
            bytes.extend(part.to_le_bytes());
            bytes.extend(&u32::try_from(*length).unwrap().to_le_bytes()[..3]);
        }
        bytes.extend([0; N2]);
        bytes.resize(bytes.len() + lengths.iter().sum::<usize>(), 0);
        bytes
    }

    #[test]
    fn a_record_holds_16_mib_and_no_byte_more() {
        let most = MAX_VALUE + TAG;
        let mut lengths = vec![most; 16];
        lengths[15] = MAX_RECORD - head_len(16) - 15 * most;
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
        let mut whole = [&bytes[..HEADER + 1 + 5 * 96], &[96, 0]].concat();
        whole.resize(576, 0);
        assert_eq!(Associated::new(record.bound()).of(PartId::new(96).unwrap()), whole);
        assert!(Record::parse(&of_lengths(&[TAG; MAX_PARTS + 1])).is_err());
    }
}
