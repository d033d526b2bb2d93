//! What a party trusts, and the newest it has seen: kept beside its private key.

use crate::{
    error::{Error, ErrorKind, Result},
    keys::{VaultCard, VaultId},
};

/// A vault whose card a party has pinned.
pub(super) struct Pinned {
    pub(super) card: VaultCard,
    /// When the newest keyring was issued that was taken, seconds since 1970.
    pub(super) keyring: u64,
    /// The latest time that was seen: of the clock, and in what the vault signed.
    pub(super) seen: u64,
}

/// The pins of a party, one for each vault.
#[derive(Default)]
pub(super) struct Trust {
    pinned: Vec<Pinned>,
}

const FIRST_LINE: &str = "consignee-trust-v1";
/// More than a party has shops.
pub(super) const LONGEST: usize = 1 << 20;

impl Trust {
    /// Reads the text of FILE.trust.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let damaged = || {
            Error::new(ErrorKind::Damaged, "the file of trusted vaults does not follow its format").with_hint(
                "remove FILE.trust, not FILE, compare each card's fingerprint again, and pin the cards anew",
            )
        };
        let mut lines = text.lines();
        if lines.next() != Some(FIRST_LINE) {
            return Err(damaged());
        }
        let mut trust = Self::default();
        for line in lines {
            let mut words = line.split(' ');
            let [card, keyring, seen, rest] = std::array::from_fn(|_| words.next());
            let number = |word: Option<&str>| word?.parse().ok();
            let card = VaultCard::parse(card.unwrap_or_default()).map_err(|_| damaged())?;
            let (Some(keyring), Some(seen), None) = (number(keyring), number(seen), rest) else {
                return Err(damaged());
            };
            if trust.of(card.vault).is_some() {
                return Err(damaged());
            }
            trust.pinned.push(Pinned { card, keyring, seen });
        }
        Ok(trust)
    }

    /// Its text.
    pub(super) fn to_text(&self) -> String {
        let line = |pin: &Pinned| format!("{} {} {}\n", pin.card.to_text().trim_end(), pin.keyring, pin.seen);
        std::iter::once(format!("{FIRST_LINE}\n")).chain(self.pinned.iter().map(line)).collect()
    }

    /// Pins a card, in place of the one that the vault had before. What was seen of the vault stays: otherwise an older keyring, or a
    /// clock that was set back, would only need the same card once more.
    pub(super) fn pin(&mut self, card: VaultCard) {
        match self.of_mut(card.vault) {
            Some(pin) => pin.card = card,
            None => self.pinned.push(Pinned { card, keyring: 0, seen: 0 }),
        }
    }

    /// Forgets a vault; whether it was pinned.
    pub(super) fn unpin(&mut self, vault: VaultId) -> bool {
        let before = self.pinned.len();
        self.pinned.retain(|pin| pin.card.vault != vault);
        self.pinned.len() < before
    }

    /// Takes over what was decided of these vaults, and of all that both know the later marks.
    pub(super) fn take_over(&mut self, other: &Self, decided: &[VaultId]) {
        for &vault in decided {
            match other.of(vault) {
                Some(pin) => self.pin(pin.card.clone()),
                None => drop(self.unpin(vault)),
            }
        }
        for pin in &mut self.pinned {
            if let Some(other) = other.of(pin.card.vault) {
                pin.keyring = pin.keyring.max(other.keyring);
                pin.seen = pin.seen.max(other.seen);
            }
        }
    }

    pub(super) fn of(&self, vault: VaultId) -> Option<&Pinned> {
        self.pinned.iter().find(|pin| pin.card.vault == vault)
    }

    pub(super) fn of_mut(&mut self, vault: VaultId) -> Option<&mut Pinned> {
        self.pinned.iter_mut().find(|pin| pin.card.vault == vault)
    }

    pub(super) fn cards(&self) -> impl Iterator<Item = &VaultCard> {
        self.pinned.iter().map(|pin| &pin.card)
    }
}

impl Pinned {
    /// What time it is, by a clock that does not go back.
    pub(super) fn now(&mut self, clock: u64) -> u64 {
        self.seen = self.seen.max(clock);
        self.seen
    }
}
