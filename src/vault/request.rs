//! Sharing what a party asked for by a signed request: form, vault, key, signature, time and replay, then as any sharing.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use super::{Found, Vault};
use crate::{
    error::{Error, ErrorKind, Result},
    keys::{PublicKey, VaultCard},
    ledger::now,
    observe::{Operation, Watch},
    opener::{Request, Signed, changed_meanwhile},
    party::SignedRequest,
    registry::{KnownParty, Registry},
    share::{self, Shared},
};

/// How long a request is good for: the party may be offline meanwhile, and the shop closed for the night.
const GOOD_FOR: u64 = 86_400;
/// How far a party's clock may be ahead of the vault's.
const AHEAD: u64 = 300;
/// Longer than from the first moment at which a request is taken to the last: whoever took it is remembered for so long.
const REMEMBERED: u64 = GOOD_FOR + 3_600;

impl Vault {
    /// Copies of the orders that a party asked for by a signed request ([`Party::request`](crate::Party::request)), in its bytes or
    /// in base64, as [`Vault::share`] makes them: of the parts that it asked for alone, and with the request's hash in each entry. Keep the
    /// request: with it the shop shows that the party asked. Waits as `share` does, and for one disk sync more.
    ///
    /// A request is good for 24 hours and is taken once, whatever comes of it: where the call fails, the party asks again.
    ///
    /// # Errors
    /// `Damaged` or `NewerFormat` for what is no request; `Input` for one that is made to another vault; `NotFound` where no party has the
    /// key that it names; `CannotOpen` where it was altered or another key signed it; `Expired` where it is older than 24 hours, or
    /// more than 5 minutes ahead of the vault's clock; `Exists` where it was taken before; `NotPermitted` for a key that has been
    /// replaced, and for a purpose or a part that the policy does not give the party; and those of [`Vault::share`]. Each order has a result
    /// of its own beside that, `NotFound` for an alias that was not made for this party.
    pub fn share_request(&self, request: &[u8], valid: Option<Duration>) -> Result<Shared> {
        self.share_request_at(request, valid, now())
    }

    pub(crate) fn share_request_at(
        &self,
        request: &[u8],
        valid: Option<Duration>,
        now: u64,
    ) -> Result<Shared> {
        let watch = self.watch(Operation::Share, 0);
        let Shared { bundle, expires, orders } =
            watch.one_of_many(self.share_asked(&watch, request, valid, now))?;
        watch.orders(orders.len());
        Ok(Shared { bundle, expires, orders: watch.many(Ok(orders))? })
    }

    fn share_asked(
        &self,
        watch: &Watch<'_>,
        request: &[u8],
        valid: Option<Duration>,
        now: u64,
    ) -> Result<Shared> {
        let request = SignedRequest::parse(request)?;
        let (registry, card) = self.registry_that_signs()?;
        let (party, key) = asker(&registry, &card, &request)?;
        check_time(request.time(), now)?;
        self.take(&request, now)?;
        let (newest, found) = self.with_keys(|registry, last| {
            let found = self.asked_for(registry, party, &request)?;
            let known = last || found.iter().flatten().all(|found| found.is_known(registry));
            Ok(known.then_some(found))
        })?;
        if newest.party(&party.name)? != party {
            return Err(changed_meanwhile());
        }
        let signed = Signed {
            hash: request.hash(),
            key_id: key.key_id(registry.vault, party.number),
            parts: request.parts(),
        };
        let asked = Request { signed: Some(signed), ..Request::all(&party.name, request.purpose()) };
        asked.tell(watch, &newest)?;
        let until = valid.map(|valid| now.saturating_add(valid.as_secs()));
        // Nobody named an order by its number.
        let aliases = vec![""; found.len()];
        self.with_stored(&aliases, &found, |orders, meanwhile| {
            share::share(self.ledger(), &newest, &asked, (orders, until), meanwhile)
        })
    }

    /// The rows of orders by the aliases that this party has of them, and of no other: one that is another party's is as unknown
    /// as one that nobody has, and an order's number is no alias, whatever it looks like.
    fn asked_for(
        &self,
        registry: &Registry,
        party: &KnownParty,
        request: &SignedRequest,
    ) -> Result<Vec<Option<Found>>> {
        let find = |alias| match registry.alias_key.resolve(alias) {
            Some((number, serial)) if number == party.number => self.of_serial(serial),
            _ => Ok(None),
        };
        request.aliases().iter().map(find).collect()
    }

    /// Takes a request once, whatever process it comes to. The key store decides, in one step; what it has is not authenticated and
    /// may come from a backup, so that the ledger, which is the evidence, is asked as well.
    fn take(&self, request: &SignedRequest, now: u64) -> Result<()> {
        let (hash, keys) = (request.hash(), &self.inner().stores.keys);
        let first = keys.spend(account_of(&hash), now, &[(REMEMBERED, 1)])?;
        if clears_up(&hash) {
            keys.forget_spent(ACCOUNTS, now.saturating_sub(REMEMBERED))?;
        }
        if !first || self.ledger().has_request(&hash, request.time().saturating_sub(AHEAD))? {
            return Err(Error::new(ErrorKind::Exists, "the request has been taken before")
                .with_hint("the party signs another one each time"));
        }
        Ok(())
    }
}

/// The party that signed the request, and the key that it signed with, which may have been replaced since.
fn asker<'a>(
    registry: &'a Arc<Registry>,
    card: &VaultCard,
    request: &SignedRequest,
) -> Result<(&'a KnownParty, &'a PublicKey)> {
    if !request.is_to(card) {
        return Err(Error::input("request", "is made to another vault"));
    }
    let keys = registry.parties.iter().flat_map(|party| party.keys.iter().map(move |key| (party, key)));
    let (party, key) = keys.into_iter().find(|(_, key)| request.is_of(key)).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, "no party has the key that the request names")
            .with_hint("party key enters it, after its fingerprint was compared by telephone")
    })?;
    request.verify(key)?;
    Ok((party, key))
}

/// Of requests, apart from those of searches.
const ACCOUNTS: RangeInclusive<u64> = 1 << 62..=u64::MAX >> 1;

/// Each request has its own.
fn account_of(hash: &[u8; 32]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *hash;
    ACCOUNTS.start() | u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 2
}

/// One of 64 requests has those forgotten that are too old by now to be taken: each looks through all accounts.
fn clears_up(hash: &[u8; 32]) -> bool {
    hash[31] < 4
}

fn check_time(signed: u64, now: u64) -> Result<()> {
    let refused = |message, hint: &'static str| Err(Error::new(ErrorKind::Expired, message).with_hint(hint));
    if now > signed.saturating_add(GOOD_FOR) {
        return refused("the request is older than 24 hours", "the party signs a new one");
    }
    if signed > now.saturating_add(AHEAD) {
        return refused(
            "the request is from the future by more than 5 minutes",
            "the party's clock is ahead, or the vault's is behind: set it right",
        );
    }
    Ok(())
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
