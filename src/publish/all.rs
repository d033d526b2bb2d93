//! All that a vault has published in a folder, verified at once.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::{Published, Succession, Verified};
use crate::{
    error::{Error, ErrorKind, Result},
    keys::VaultCard,
    text::hex,
    tlog::{SignedCheckpoint, TrustPolicy},
};

/// A ledger that is whole, and what it says of the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedLedger {
    /// Its number.
    pub ledger: u32,
    /// What was verified of it.
    pub verified: Verified,
    /// What its first entry says of the ledger before it; none for the first, and where the entries are not here.
    pub succession: Option<Succession>,
}

impl VerifiedLedger {
    /// As JSON: that of [`Verified::to_json`], with the ledger's number and, where there is one, the succession.
    pub fn to_json(&self) -> Json {
        let mut json = self.verified.to_json();
        if let Some(json) = json.as_object_mut() {
            json.insert("ledger".into(), self.ledger.into());
            if let Some(succession) = &self.succession {
                let known = succession.known;
                let told = json!({
                    "known_size": known.size, "known_root": hex(&known.root),
                    "lost": succession.lost(), "unknown_to_the_restore": succession.unknown(),
                });
                json.insert("succession".into(), told);
            }
        }
        json
    }
}

/// Verifies all ledgers that the vault of this card has published in a folder: each as [`Published::verify`] does, and each as what
/// succeeds the one before it. `witnesses` is the policy that names them, where some are asked for; `kept` a signed checkpoint that
/// was kept elsewhere, which the ledger of its name must continue.
///
/// # Errors
/// `NotFound` where no ledger is published, or not this vault's; `Damaged` where one is missing in between, or with the index of the
/// first entry at fault; `CannotOpen`, and `NotPermitted` for too few witnesses; `RolledBack` for a ledger behind `kept`; `Storage`.
pub fn verify_published(
    folder: &Path,
    card: &VaultCard,
    witnesses: Option<&TrustPolicy>,
    kept: Option<&[u8]>,
) -> Result<Vec<VerifiedLedger>> {
    if let Some(number) = Published::missing(folder) {
        let message = format!("ledger {number} is missing, and a later one of the vault is published");
        return Err(Error::new(ErrorKind::Damaged, message));
    }
    let mut kept =
        kept.map(SignedCheckpoint::parse).transpose().map_err(|e| e.with_prefix("the kept checkpoint"))?;
    let (mut found, mut before) = (Vec::new(), None);
    for (number, ledger) in Published::ledgers(folder) {
        let of_this = |e: Error| e.with_prefix(&format!("ledger {number}"));
        let log = card.ledger_key(number)?;
        let trust = match witnesses {
            Some(policy) => policy.of_log(log.clone())?,
            None => TrustPolicy::log_only(log.clone()),
        };
        if let Some(kept) = kept.take_if(|kept| kept.checkpoint().origin == log.name()) {
            ledger.check_kept(&kept, &log).map_err(of_this)?;
        }
        let verified = ledger.verify(&trust, |_, _, _| Ok(())).map_err(of_this)?;
        let succession = match &before {
            Some(before) if verified.has_entries => ledger.check_succession(before).map_err(of_this)?,
            _ => None,
        };
        before = Some(ledger);
        found.push(VerifiedLedger { ledger: number, verified, succession });
    }
    if found.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, "there is no published ledger here"));
    }
    if kept.is_some() {
        return Err(Error::new(
            ErrorKind::NotFound,
            "the checkpoint that was kept is of none of the ledgers here",
        ));
    }
    Ok(found)
}
