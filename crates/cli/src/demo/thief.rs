//! A thief who has every file of the vault, and not the root key.

use std::{fs, io::Write};

use consignee::{Error, KeyFile, Vault, inspect};

use super::{folder_failed, shop::Shop};
use crate::{failure::Failure, screen::Screen, show};

/// Shortest text that is searched for: shorter ones occur in random bytes by chance.
const SHORTEST: usize = 5;

/// The bytes of one order, as they are in the files.
pub(super) struct Loot {
    file: String,
    offset: usize,
    bytes: Vec<u8>,
    /// Part number, place in the record, length.
    parts: Vec<(u16, usize, usize)>,
}

impl Loot {
    /// The beginning of a part's ciphertext and its size.
    pub(super) fn part(&self, number: u16) -> Option<String> {
        let (_, start, len) = self.parts.iter().find(|(part, ..)| *part == number)?;
        let beginning = self.bytes.get(*start..)?.get(..3.min(*len))?;
        Some(format!("{}…\n{len} B", show::hex(beginning)))
    }
}

/// The order's record, cut out of the files of the vault.
pub(super) fn steal(shop: &Shop, order: &str) -> Result<Loot, Failure> {
    let record = shop.vault.sealed(order)?;
    let outside = inspect(&record)?;
    let bodies: usize = outside.parts.iter().map(|(_, len)| len).sum();
    let mut start = outside.size.saturating_sub(bodies);
    let parts = outside.parts.iter().map(|(part, len)| {
        let place = (*part, start, *len);
        start += len;
        place
    });
    let parts = parts.collect();
    let found = files(shop)?.into_iter().filter(|(name, _)| name.starts_with("orders.db"));
    let found = found.filter_map(|(name, bytes)| Some((name, find(&bytes, &record)?, bytes))).next();
    let (file, offset, bytes) = found
        .ok_or_else(|| Failure::new(crate::failure::FAILED, "the record is not in one piece in its file"))?;
    let bytes = bytes.get(offset..offset + record.len()).unwrap_or_default().to_vec();
    Ok(Loot { file, offset, bytes, parts })
}

/// What the thief finds: bytes.
pub(super) fn look(shop: &Shop, order: &str, screen: &mut Screen) -> Result<(), Failure> {
    let loot = steal(shop, order)?;
    writeln!(screen, "The order's {} in {}:", show::counted(loot.bytes.len() as u64, "byte"), loot.file)?;
    // From the first ciphertext on; before it is the header, which says nothing of the order.
    let start = loot.parts.first().map_or(0, |(_, start, _)| *start);
    for (row, chunk) in loot.bytes.get(start..).unwrap_or_default().chunks(24).take(4).enumerate() {
        let text: String =
            chunk.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' }).collect();
        let pairs: Vec<String> = chunk.chunks(2).map(show::hex).collect();
        writeln!(screen, "  {:06x}  {}  {text}", loot.offset + start + row * 24, pairs.join(" "))?;
    }
    writeln!(screen, "{}\n", search(shop)?)?;
    Ok(())
}

/// Looks for everything that the orders say, in every file of the vault.
fn search(shop: &Shop) -> Result<String, Failure> {
    let mut needles: Vec<&str> = Vec::new();
    for order in &shop.orders {
        needles.extend([&order.order_no, &order.consignee.name, &order.consignee.phone].map(String::as_str));
        needles.extend(order.consignee.address.lines.iter().map(String::as_str));
        needles.extend(order.items.iter().map(|item| item.title.as_str()));
    }
    needles.retain(|needle| needle.len() >= SHORTEST);
    needles.sort_unstable();
    needles.dedup();
    let files = files(shop)?;
    let bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    let found = needles
        .iter()
        .filter(|needle| files.iter().any(|(_, bytes)| find(bytes, needle.as_bytes()).is_some()))
        .count();
    Ok(format!(
        "Of {} names, phones, streets, titles and order numbers, {found} occur in its {} files ({} bytes)",
        show::count(needles.len() as u64),
        files.len(),
        show::count(bytes as u64)
    ))
}

/// Tries a key of his own.
pub(super) fn unlock(shop: &Shop) -> Result<(), Error> {
    Vault::unlock(&shop.folder, &KeyFile::from_bytes([7; 32])).map(drop)
}

fn files(shop: &Shop) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut files = Vec::new();
    for entry in fs::read_dir(&shop.folder).map_err(|e| folder_failed(&e))? {
        let entry = entry.map_err(|e| folder_failed(&e))?;
        let bytes = fs::read(entry.path()).map_err(|e| folder_failed(&e))?;
        files.push((entry.file_name().to_string_lossy().into_owned(), bytes));
    }
    Ok(files)
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}
