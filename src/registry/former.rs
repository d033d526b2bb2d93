//! Ledgers that were lost and succeeded, as the vault keeps them (kind 36 of `docs/format.md`, section 10).

use super::{
    Registry,
    items::{FORMER, Items, damaged, newer, untagged},
};
use crate::{
    error::{Error, ErrorKind, Result},
    ledger::LedgerState,
};

/// Lost and succeeded: the only state of a former ledger that there is.
const LOST: u8 = 1;

/// A ledger that came back from a backup and was closed. What it had beyond that is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FormerLedger {
    /// As it was closed.
    pub(crate) closed: LedgerState,
    /// The last that is known of it: the same, or more than came back.
    pub(crate) known: LedgerState,
    pub(crate) closed_at: u64,
}

impl FormerLedger {
    #[cfg(any(test, feature = "sqlite"))]
    // state u8 ‖ size u64 ‖ root ‖ known size u64 ‖ known root ‖ time u64
    pub(super) fn encode(&self) -> Vec<u8> {
        let state = |state: &LedgerState| [state.size.to_le_bytes().as_slice(), &state.root].concat();
        let time = self.closed_at.to_le_bytes();
        [&[LOST], state(&self.closed).as_slice(), &state(&self.known), &time].concat()
    }

    fn decode(body: &[u8]) -> Result<Self> {
        let (&[number], rest) = body.split_first_chunk().ok_or_else(damaged)?;
        if number > LOST {
            return Err(newer());
        }
        let (closed, rest) = take_state(rest).ok_or_else(damaged)?;
        let (known, rest) = take_state(rest).ok_or_else(damaged)?;
        let closed_at = u64::from_le_bytes(rest.try_into().map_err(|_| damaged())?);
        if number == LOST && closed.size <= known.size {
            Ok(Self { closed, known, closed_at })
        } else {
            Err(damaged())
        }
    }

    /// Detail of the entry `lost` with which its successor begins: size and root of the last that is known of it.
    pub(crate) fn lost_detail(&self) -> Vec<u8> {
        [self.known.size.to_le_bytes().as_slice(), &self.known.root].concat()
    }
}

fn take_state(bytes: &[u8]) -> Option<(LedgerState, &[u8])> {
    let (size, rest) = bytes.split_first_chunk()?;
    let (root, rest) = rest.split_first_chunk()?;
    Some((LedgerState { size: u64::from_le_bytes(*size), root: *root }, rest))
}

/// All former ledgers, the oldest first: their ids are their numbers, without a gap.
pub(super) fn former(items: &Items) -> Result<Vec<FormerLedger>> {
    let found = items.range((FORMER, 0, 0)..=(FORMER, u32::MAX, u32::MAX));
    let mut former = Vec::new();
    for (number, ((_, id, generation), body)) in (1..).zip(found) {
        if (*id, *generation) != (number, 0) {
            return Err(damaged());
        }
        former.push(FormerLedger::decode(untagged(body)?)?);
    }
    Ok(former)
}

impl Registry {
    /// Number of the present ledger, from 1.
    pub(crate) fn ledger_number(&self) -> u32 {
        u32::try_from(self.former.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Name of the vault's ledgers in the world, whatever their number.
    pub(crate) fn ledgers_name(&self) -> String {
        self.vault.ledgers_name()
    }

    /// Name of the present ledger in the world.
    pub(crate) fn ledger_origin(&self) -> String {
        self.origin_of(self.ledger_number())
    }

    /// Name of the ledger of this number in the world.
    pub(crate) fn origin_of(&self, ledger: u32) -> String {
        format!("{}/{ledger}", self.ledgers_name())
    }

    /// Refuses former ledgers that are not those which were closed: their entries would be missed in silence, as if nobody had
    /// seen an order.
    pub(crate) fn check_former(&self, found: &[LedgerState]) -> Result<()> {
        let damaged = |message: String| {
            Err(Error::new(ErrorKind::Damaged, message)
                .with_hint("put back the file that was there, or restore the vault from its newest backup"))
        };
        for (number, (record, found)) in (1..).zip(self.former.iter().zip(found)) {
            if record.closed != *found {
                return damaged(format!("ledger-{number}.db is not the ledger that was closed"));
            }
        }
        let (known, found) = (self.former.len(), found.len());
        if found < known {
            return damaged(format!("ledger-{}.db of the vault is missing", found + 1));
        }
        if found > known {
            let message = "keys.db has no record of ledger";
            return damaged(format!(
                "{message}-{}.db: it is older, or the file is another vault's",
                known + 1
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(size: u64) -> LedgerState {
        LedgerState { size, root: [7; 32] }
    }

    fn kept() -> FormerLedger {
        FormerLedger { closed: state(9), known: state(12), closed_at: 1_700_000_000 }
    }

    fn kind_of(body: &[u8]) -> ErrorKind {
        FormerLedger::decode(body).unwrap_err().kind().clone()
    }

    #[test]
    fn a_record_comes_back_from_its_bytes_and_from_nothing_else() {
        let body = kept().encode();
        assert_eq!((body.len(), FormerLedger::decode(&body).unwrap()), (89, kept()));
        for at in 0..body.len() {
            assert_eq!(kind_of(&body[..at]), ErrorKind::Damaged, "cut at {at}");
        }
        assert_eq!(kind_of(&[body.as_slice(), &[0]].concat()), ErrorKind::Damaged);
        let with_state = |state: u8| [&[state], &body[1..]].concat();
        assert_eq!(
            (kind_of(&with_state(0)), kind_of(&with_state(2))),
            (ErrorKind::Damaged, ErrorKind::NewerFormat)
        );
    }

    #[test]
    fn more_cannot_have_come_back_than_was_known() {
        let wrong = FormerLedger { closed: state(13), ..kept() };
        assert_eq!(kind_of(&wrong.encode()), ErrorKind::Damaged);
    }

    #[test]
    fn numbers_have_no_gap() {
        let body = [kept().encode(), vec![0; 32]].concat();
        let items = |places: &[(u32, u32)]| -> Items {
            places.iter().map(|(id, generation)| ((FORMER, *id, *generation), body.clone())).collect()
        };
        assert_eq!(former(&items(&[(1, 0), (2, 0)])).unwrap(), [kept(), kept()]);
        for wrong in [[(1, 0), (3, 0)], [(0, 0), (1, 0)], [(1, 0), (1, 1)]] {
            assert_eq!(former(&items(&wrong)).unwrap_err().kind(), &ErrorKind::Damaged, "{wrong:?}");
        }
    }
}
