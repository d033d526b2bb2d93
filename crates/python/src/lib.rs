//! The native half of the Python package `consignee`: `python/consignee/__init__.py` is what users import, `docs/python.md` the tour.

mod convert;
mod errors;
mod party;
mod vault;
mod view;

use std::path::PathBuf;

use consignee::{VaultCard, tlog::TrustPolicy};
use pyo3::prelude::*;

use crate::{convert::Text, errors::raised};

/// To be called in a child after a fork: nothing that is drawn at random from then on is what the parent draws. The package
/// registers it with os.register_at_fork.
#[pyfunction]
fn after_fork() {
    consignee::after_fork();
}

/// Name and status of every kind of error that the library has.
#[pyfunction]
fn error_kinds() -> Vec<(&'static str, u32)> {
    consignee::ErrorKind::ALL.iter().map(|kind| (kind.name(), kind.status())).collect()
}

/// The fingerprint of a vault's card, to be compared with what the shop reads out by telephone.
///
/// Args:
///     card: text of the card.
///
/// Raises:
///     InputError: for a text that is no card.
#[pyfunction]
fn card_fingerprint(card: Text) -> PyResult<String> {
    Ok(VaultCard::parse(&card).map_err(raised)?.fingerprint().to_string())
}

/// Verifies what a vault has published in a folder, without any secret: that all entries are there and hash to what was signed.
///
/// Args:
///     folder: where `ledger publish` wrote.
///     card: text of the vault's card.
///     witnesses: text of the policy that names who must have cosigned, if anybody must.
///     checkpoint: a signed checkpoint that was kept elsewhere, which the published ledger must continue.
///
/// Returns:
///     For each ledger a dict: origin, size, root, first and last time, witnesses, entries that are dated back.
///
/// Raises:
///     NotFound: where nothing of the vault is published.
///     Damaged: with the index of the first entry at fault.
///     CannotOpen, NotPermitted: for a signature that does not fit, and for too few witnesses.
///     RolledBack: for a ledger behind the checkpoint.
#[pyfunction]
#[pyo3(signature = (folder, card, *, witnesses=None, checkpoint=None))]
fn verify_published(
    py: Python<'_>,
    folder: PathBuf,
    card: Text,
    witnesses: Option<Text>,
    checkpoint: Option<&[u8]>,
) -> PyResult<Py<PyAny>> {
    let card = VaultCard::parse(&card).map_err(raised)?;
    let witnesses = witnesses.map(|text| TrustPolicy::parse(text.as_bytes())).transpose().map_err(raised)?;
    let verify = || consignee::verify_published(&folder, &card, witnesses.as_ref(), checkpoint);
    let verified = py.detach(verify).map_err(raised)?;
    let json: Vec<_> = verified.iter().map(consignee::VerifiedLedger::to_json).collect();
    convert::loads(py, &serde_json::Value::from(json).to_string())
}

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::{
        after_fork, card_fingerprint, error_kinds,
        party::{Bundle, BundleIterator, Keyring, Party},
        vault::{OpenIterator, Vault},
        verify_published,
        view::View,
    };

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
