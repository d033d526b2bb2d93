//! Tiles and entry bundles (C2SP tlog-tiles): which there are, what they are called, what they hold.

use std::{cell::RefCell, collections::HashMap, fmt};

use super::{Hash, Hashes, leaf_hash, node_hash};
use crate::error::{Error, ErrorKind, Result};

/// Hashes or entries of a full tile or bundle.
const WIDTH: u64 = 256;

/// A tile of hashes: `width` complete subtrees of 256^`level` leaves each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    /// 0 has the leaves' hashes.
    pub level: u8,
    /// Number of the tile within its level, from 0.
    pub index: u64,
    /// How many hashes it has: 256, or 1 to 255 of a partial one at the right edge.
    pub width: u16,
}

/// A bundle of entries: those of the tile of level 0 in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bundle {
    /// Number of the bundle, from 0.
    pub index: u64,
    /// How many entries it has, as of a [`Tile`].
    pub width: u16,
}

impl Tile {
    /// Those of the tiles of a level that a tree of `size` leaves has and a tree of `from` leaves does not have, or not as wide.
    pub fn of_level(level: u8, from: u64, size: u64) -> impl Iterator<Item = Self> {
        widths(
            from.checked_shr(8 * u32::from(level)).unwrap_or(0),
            size.checked_shr(8 * u32::from(level)).unwrap_or(0),
        )
        .map(move |(index, width)| Self { level, index, width })
    }

    /// Levels of the tiles of a tree of `size` leaves.
    pub fn levels(size: u64) -> impl Iterator<Item = u8> {
        (0..8).take_while(move |level| size >> (8 * level) > 0)
    }

    /// Its hashes.
    ///
    /// # Errors
    /// `Damaged` for bytes that are not as many hashes as it has.
    pub fn parse(self, bytes: &[u8]) -> Result<Vec<Hash>> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        if rest.is_empty() && hashes.len() == usize::from(self.width) {
            return Ok(hashes.to_vec());
        }
        Err(self.wrong_width())
    }

    fn wrong_width(self) -> Error {
        Error::new(ErrorKind::Damaged, format!("{self} does not hold {} hashes", self.width))
    }

    /// Root of its subtree, if it is full.
    pub fn root(hashes: &[Hash]) -> Option<Hash> {
        (hashes.len() as u64 == WIDTH).then(|| complete(hashes.to_vec()))
    }
}

impl Bundle {
    /// Those of the bundles that a log of `size` entries has and one of `from` entries does not have, or not as wide.
    pub fn of_log(from: u64, size: u64) -> impl Iterator<Item = Self> {
        widths(from, size).map(|(index, width)| Self { index, width })
    }

    /// Index of its first entry.
    pub fn first(self) -> u64 {
        self.index.saturating_mul(WIDTH)
    }

    /// Its entries.
    ///
    /// # Errors
    /// `Damaged` for bytes that are not as many entries as it has, with the index of the first that is wrong.
    pub fn parse(self, bytes: &[u8]) -> Result<Vec<&[u8]>> {
        let wrong = |at: usize, what| {
            let index = self.first().saturating_add(at as u64);
            Error::new(ErrorKind::Damaged, format!("{self}: entry {index} {what}"))
        };
        let (mut entries, mut rest) = (Vec::with_capacity(usize::from(self.width)), bytes);
        for at in 0..usize::from(self.width) {
            let (length, tail) = rest.split_first_chunk::<2>().ok_or_else(|| wrong(at, "is missing"))?;
            let length = usize::from(u16::from_be_bytes(*length));
            let (entry, tail) = tail.split_at_checked(length).ok_or_else(|| wrong(at, "is cut off"))?;
            entries.push(entry);
            rest = tail;
        }
        if rest.is_empty() { Ok(entries) } else { Err(wrong(usize::from(self.width), "has no place in it")) }
    }

    /// Appends an entry to a bundle's bytes.
    ///
    /// # Errors
    /// `Limit` for an entry above 65,535 bytes.
    pub fn push(bytes: &mut Vec<u8>, entry: &[u8]) -> Result<()> {
        let length = u16::try_from(entry.len())
            .map_err(|_| Error::new(ErrorKind::Limit, "a bundle's entry holds at most 65,535 bytes"))?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
        Ok(())
    }
}

/// Hashes of a bundle's entries.
pub fn bundles(entries: &[&[u8]]) -> Vec<Hash> {
    entries.iter().map(|entry| leaf_hash(entry)).collect()
}

/// Numbers and widths of the tiles over `size` hashes that are not there over `from`.
fn widths(from: u64, size: u64) -> impl Iterator<Item = (u64, u16)> {
    let wide = move |at: u64| u16::try_from((size - at * WIDTH).min(WIDTH)).unwrap_or(0);
    // One that was partial comes again, wider.
    let (first, end) = if from >= size { (0, 0) } else { (from / WIDTH, size.div_ceil(WIDTH)) };
    (first..end).map(move |index| (index, wide(index)))
}

/// Path below a log's prefix.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/{}/", self.level)?;
        write_index(f, self.index, self.width)
    }
}

/// Path below a log's prefix.
impl fmt::Display for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tile/entries/")?;
        write_index(f, self.index, self.width)
    }
}

fn write_index(f: &mut fmt::Formatter<'_>, index: u64, width: u16) -> fmt::Result {
    let mut groups = vec![index % 1_000];
    let mut rest = index / 1_000;
    while rest > 0 {
        groups.push(rest % 1_000);
        rest /= 1_000;
    }
    while let Some(group) = groups.pop() {
        let (before, after) = if groups.is_empty() { ("", "") } else { ("x", "/") };
        write!(f, "{before}{group:03}{after}")?;
    }
    if u64::from(width) < WIDTH { write!(f, ".p/{width}") } else { Ok(()) }
}

/// Tiles, wherever they are kept.
pub trait Tiles {
    /// The hashes of a tile, exactly as many as its width.
    ///
    /// # Errors
    /// `NotFound` for one that is not there, `Damaged` for one of another form; those of wherever they are kept.
    fn tile(&self, tile: Tile) -> Result<Vec<Hash>>;
}

/// The subtrees of a tree of known size, from its tiles. Each tile is read and hashed once.
pub struct TileHashes<T> {
    tiles: T,
    size: u64,
    read: RefCell<HashMap<(u8, u64), Subtrees>>,
}

/// The complete subtrees within a tile: its hashes, then those of each two of them, and so on.
type Subtrees = Vec<Vec<Hash>>;

impl<T: Tiles> TileHashes<T> {
    /// Those of the tree of the first `size` leaves.
    pub fn new(tiles: T, size: u64) -> Self {
        Self { tiles, size, read: RefCell::default() }
    }
}

/// Tiles kept in memory at a time by [`TileHashes`]: 16 MiB.
const KEPT: usize = 1024;

impl<T: Tiles> Hashes for TileHashes<T> {
    fn hash(&self, level: u32, index: u64) -> Result<Hash> {
        let missing = || Error::new(ErrorKind::NotFound, "the tree has no such subtree");
        let tile_level = u8::try_from(level / 8).map_err(|_| missing())?;
        let first = index.checked_mul(1 << (level % 8)).ok_or_else(missing)?;
        let hashes = self.size.checked_shr(8 * (level / 8)).unwrap_or(0);
        let (number, at) = (first / WIDTH, (first % WIDTH) >> (level % 8));
        let width = hashes.saturating_sub(number.saturating_mul(WIDTH)).min(WIDTH);
        let mut read = self.read.borrow_mut();
        if !read.contains_key(&(tile_level, number)) {
            if read.len() >= KEPT {
                read.clear();
            }
            let width = u16::try_from(width).unwrap_or(0);
            let tile = Tile { level: tile_level, index: number, width };
            if width == 0 {
                return Err(missing());
            }
            let hashes = self.tiles.tile(tile)?;
            if hashes.len() != usize::from(width) {
                return Err(tile.wrong_width());
            }
            read.insert((tile_level, number), subtrees(hashes));
        }
        let within = usize::try_from(level % 8).ok().zip(usize::try_from(at).ok());
        let found = within.and_then(|(level, at)| read.get(&(tile_level, number))?.get(level)?.get(at));
        found.copied().ok_or_else(missing)
    }
}

fn subtrees(hashes: Vec<Hash>) -> Subtrees {
    let mut all = vec![hashes];
    while let Some(lower) = all.last().filter(|lower| lower.len() > 1) {
        all.push(lower.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(left, right)).collect());
    }
    all
}

/// Root over a power of two of hashes.
fn complete(mut hashes: Vec<Hash>) -> Hash {
    while hashes.len() > 1 {
        hashes = hashes.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    hashes.pop().unwrap_or(super::EMPTY_ROOT)
}
