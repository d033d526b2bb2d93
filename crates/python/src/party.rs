//! A party on its own machine.

use std::{
    collections::VecDeque,
    path::PathBuf,
    process,
    sync::{Arc, Mutex},
};

use consignee::{Alias, Error, Kem, PartyKey, Passphrase, VaultCard};
use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    types::{PyBytes, PyList},
};

use crate::{
    convert::{Text, Texts, locked},
    errors::raised,
    view::{View, results},
};

/// Orders that are opened at once while a bundle is walked through.
const BATCH: usize = 256;

/// A party on its own machine: its private key, and the vaults that it trusts. Any thread may use it; calls wait for each other.
#[pyclass(frozen, module = "consignee")]
pub(crate) struct Party {
    party: Mutex<consignee::Party>,
    process: u32,
}

fn passphrase(text: Option<Text>) -> Option<Passphrase> {
    text.map(|text| Passphrase::new(&*text))
}

fn card(text: &str) -> PyResult<VaultCard> {
    VaultCard::parse(text).map_err(raised)
}

impl Party {
    fn of(party: consignee::Party) -> Self {
        Self { party: Mutex::new(party), process: process::id() }
    }

    /// Without the interpreter's lock, so that no thread waits for one while it holds the other.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut consignee::Party) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        py.detach(|| work(&mut *locked(&self.party, self.process)?).map_err(raised))
    }
}

#[pymethods]
impl Party {
    /// Reads a private key from its file, and beside it FILE.trust with the vaults that the party trusts, if it is there.
    ///
    /// Args:
    ///     key_file: path of the key, as `consignee party keygen` made it.
    ///     passphrase: of a locked key.
    ///
    /// Raises:
    ///     NotFound, StorageError: for a file that is not there, or that others can reach.
    ///     CannotOpen: for a missing or wrong passphrase.
    ///     Damaged: for what is no key.
    #[staticmethod]
    #[pyo3(signature = (key_file, *, passphrase=None))]
    fn open(py: Python<'_>, key_file: PathBuf, passphrase: Option<Text>) -> PyResult<Self> {
        let passphrase = self::passphrase(passphrase);
        py.detach(|| consignee::Party::open(&key_file, passphrase.as_ref())).map(Self::of).map_err(raised)
    }

    /// A party of a key that the caller keeps elsewhere.
    ///
    /// Args:
    ///     key: what a key file holds.
    ///     passphrase: of a locked key.
    ///     pins: what :meth:`pins` gave before; None for a party that trusts no vault yet.
    ///
    /// Raises:
    ///     CannotOpen: for a missing or wrong passphrase.
    ///     Damaged: for what is no key, or no pins.
    #[staticmethod]
    #[pyo3(signature = (key, *, passphrase=None, pins=None))]
    fn from_bytes(
        py: Python<'_>,
        key: &[u8],
        passphrase: Option<Text>,
        pins: Option<Text>,
    ) -> PyResult<Self> {
        let passphrase = self::passphrase(passphrase);
        let read = || {
            consignee::Party::with_pins(
                PartyKey::from_bytes(key, passphrase.as_ref())?,
                pins.as_deref().unwrap_or_default(),
            )
        };
        py.detach(read).map(Self::of).map_err(raised)
    }

    /// A party with a new key. Write it by :meth:`write_key`: without it, nobody reads what the party is sent.
    ///
    /// Args:
    ///     kem: "x-wing", which None is, too, or "x25519" where messages must be short.
    ///
    /// Raises:
    ///     ValueError: for another kem.
    #[staticmethod]
    #[pyo3(signature = (kem=None))]
    fn generate(kem: Option<Text>) -> PyResult<Self> {
        let kem = match kem.as_deref().unwrap_or("x-wing") {
            "x-wing" => Kem::XWing,
            "x25519" => Kem::X25519,
            _ => return Err(PyValueError::new_err("kem is \"x-wing\" or \"x25519\"")),
        };
        PartyKey::generate(kem).map(consignee::Party::new).map(Self::of).map_err(raised)
    }

    /// Writes the private key into a new file, mode 0600.
    ///
    /// Args:
    ///     path: of the file, which must not be there.
    ///     passphrase: that locks it, of 8 characters at least.
    ///
    /// Raises:
    ///     Exists: for a file that is there.
    ///     RootKeyError: for a passphrase that is too short.
    ///     StorageError: where it cannot be written.
    #[pyo3(signature = (path, *, passphrase=None))]
    fn write_key(&self, py: Python<'_>, path: PathBuf, passphrase: Option<Text>) -> PyResult<()> {
        let passphrase = self::passphrase(passphrase);
        self.with(py, |party| party.key().write(&path, passphrase.as_ref()))
    }

    /// The public half of the key: the line of text that the shop is sent.
    #[getter]
    fn public_key(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |party| Ok(party.key().public().to_text()))
    }

    /// Fingerprint of the public key, to be read out to the shop by telephone.
    #[getter]
    fn fingerprint(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |party| Ok(party.key().public().fingerprint().to_string()))
    }

    /// Trusts the vault of a card.
    ///
    /// Args:
    ///     card: text of the card that the shop sent.
    ///     fingerprint: what the shop read out by telephone. Whoever passes off a card of his own can send orders that no shop has.
    ///
    /// Raises:
    ///     CannotOpen: where the card has another fingerprint.
    ///     InputError: for a text that is no card.
    fn trust(&self, py: Python<'_>, card: Text, fingerprint: Text) -> PyResult<()> {
        let card = self::card(&card)?;
        card.compare(&fingerprint).map_err(raised)?;
        self.with(py, |party| {
            party.trust(card);
            Ok(())
        })
    }

    /// Trusts the vault of a card no more.
    ///
    /// Returns:
    ///     Whether it was trusted.
    fn distrust(&self, py: Python<'_>, card: Text) -> PyResult<bool> {
        let card = self::card(&card)?;
        self.with(py, |party| Ok(party.distrust(&card)))
    }

    /// Texts of the cards of the vaults that are trusted.
    fn trusted(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.with(py, |party| Ok(party.trusted().map(VaultCard::to_text).collect()))
    }

    /// The vaults that are trusted and the newest that was seen of them, as text, for :meth:`from_bytes`.
    fn pins(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |party| Ok(party.pins()))
    }

    /// Writes the pins beside the key file, if anything has changed. For a party without a file there is nothing to do.
    ///
    /// Raises:
    ///     StorageError: where it cannot be written.
    fn save(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, consignee::Party::save)
    }

    /// Takes a keyring, in its bytes or in base64.
    ///
    /// Raises:
    ///     NotFound: for a vault that is not trusted.
    ///     RolledBack: for a keyring older than the newest that was taken.
    ///     CannotOpen: for one that was altered, or is another party's.
    ///     Damaged, NewerFormat: for what is none.
    fn keyring(&self, py: Python<'_>, keyring: &[u8]) -> PyResult<Keyring> {
        self.with(py, |party| party.keyring(keyring)).map(|keyring| Keyring(Arc::new(keyring)))
    }

    /// Unseals a bundle, in its bytes or in base64. Its orders are opened when they are asked for.
    ///
    /// Raises:
    ///     NotFound: for a vault that is not trusted.
    ///     Expired: for a bundle that is over.
    ///     CannotOpen: for one that was altered, or is another party's or vault's.
    ///     Damaged, NewerFormat: for what is none.
    fn read(&self, py: Python<'_>, keyring: &Keyring, bundle: &[u8]) -> PyResult<Bundle> {
        let keyring = Arc::clone(&keyring.0);
        let bundle = self.with(py, |party| party.read(&keyring, bundle))?;
        Ok(Bundle(Arc::new(Unsealed { bundle, keyring })))
    }

    /// Asks a vault for orders, by the aliases by which the party knows them: a signed request, good for a day, once.
    ///
    /// Args:
    ///     card: of a vault that is trusted.
    ///     purpose: what the orders are wanted for.
    ///     aliases: of the orders.
    ///
    /// Returns:
    ///     The request, to be sent to the shop: `share --request`, or :meth:`Vault.share_request`.
    ///
    /// Raises:
    ///     NotFound: for a vault that is not trusted.
    ///     ValueError: for what is no alias.
    fn request<'py>(
        &self,
        py: Python<'py>,
        card: Text,
        purpose: Text,
        aliases: Texts,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let card = self::card(&card)?;
        let aliases: Option<Vec<Alias>> = aliases.refs().into_iter().map(Alias::parse).collect();
        let aliases = aliases.ok_or_else(|| PyValueError::new_err("an alias is like JYY7-T2ZJ-AEY7-Z"))?;
        let request = self.with(py, |party| party.request(&card, &purpose, &[], &aliases))?;
        Ok(PyBytes::new(py, request.as_bytes()))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<consignee.Party {}>", self.fingerprint(py)?))
    }
}

/// Keys of what a party's role may open. It opens nothing by itself: each order needs its ticket, too, which is in a bundle.
#[pyclass(frozen, module = "consignee")]
pub(crate) struct Keyring(Arc<consignee::Keyring>);

#[pymethods]
impl Keyring {
    /// The party that it was issued to.
    #[getter]
    fn party(&self) -> &str {
        self.0.party()
    }

    /// The role whose parts it opens.
    #[getter]
    fn role(&self) -> &str {
        self.0.role()
    }

    /// When it was issued, seconds since 1970.
    #[getter]
    fn issued_at(&self) -> u64 {
        self.0.issued_at()
    }

    /// Names of the parts that it has keys of.
    #[getter]
    fn parts(&self) -> Vec<&str> {
        self.0.parts().collect()
    }

    fn __repr__(&self) -> String {
        format!("<consignee.Keyring for {} of {}>", self.0.role(), self.parts().join(", "))
    }
}

/// A bundle with the keyring that opens its orders.
pub(crate) struct Unsealed {
    bundle: consignee::Bundle,
    keyring: Arc<consignee::Keyring>,
}

/// Copies of orders for one party and one purpose. Iterating opens them, some hundred at a time; an order that does not open is an
/// exception, after which the iteration can go on by next(). :meth:`results` gives exceptions as items.
#[pyclass(frozen, sequence, module = "consignee")]
pub(crate) struct Bundle(Arc<Unsealed>);

#[pymethods]
impl Bundle {
    fn __len__(&self) -> usize {
        self.0.bundle.len()
    }

    fn __iter__(&self) -> BundleIterator {
        BundleIterator {
            bundle: Arc::clone(&self.0),
            at: Mutex::new((0, VecDeque::new())),
            process: process::id(),
        }
    }

    /// Opens orders of the bundle, all in one call.
    ///
    /// Args:
    ///     first: the first of them, counted from 0.
    ///     count: how many; None for all that follow.
    ///
    /// Returns:
    ///     For each a View, or the Error that it met.
    #[pyo3(signature = (first=0, count=None))]
    fn results<'py>(
        &self,
        py: Python<'py>,
        first: usize,
        count: Option<usize>,
    ) -> PyResult<Bound<'py, PyList>> {
        let end = count.map_or(usize::MAX, |count| first.saturating_add(count));
        results(py, py.detach(|| self.0.bundle.views_of(first..end, &self.0.keyring).collect()))
    }

    /// The party that it is for.
    #[getter]
    fn party(&self) -> &str {
        self.0.bundle.party()
    }

    /// The role that the party acts in.
    #[getter]
    fn role(&self) -> &str {
        self.0.bundle.role()
    }

    /// What the orders were shared for.
    #[getter]
    fn purpose(&self) -> &str {
        self.0.bundle.purpose()
    }

    /// When it was made, seconds since 1970.
    #[getter]
    fn issued_at(&self) -> u64 {
        self.0.bundle.issued_at()
    }

    /// When it ends, seconds since 1970; None where it does not. An order in it may end earlier.
    #[getter]
    fn expires_at(&self) -> Option<u64> {
        self.0.bundle.expires_at()
    }

    /// Name of the ledger in which each copy has its entry.
    #[getter]
    fn origin(&self) -> &str {
        self.0.bundle.origin()
    }

    fn __repr__(&self) -> String {
        let bundle = &self.0.bundle;
        format!("<consignee.Bundle of {} orders for {}, {}>", bundle.len(), bundle.role(), bundle.purpose())
    }
}

type Waiting = (usize, VecDeque<Result<consignee::View, Error>>);

/// Opens the orders of a bundle one after the other.
#[pyclass(frozen, module = "consignee")]
pub(crate) struct BundleIterator {
    bundle: Arc<Unsealed>,
    /// The next to be opened, and what has been.
    at: Mutex<Waiting>,
    process: u32,
}

#[pymethods]
impl BundleIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<View>> {
        let next = |waiting: &mut Waiting| {
            if waiting.1.is_empty() {
                let Unsealed { bundle, keyring } = &*self.bundle;
                waiting.1.extend(bundle.views_of(waiting.0..waiting.0.saturating_add(BATCH), keyring));
                waiting.0 = waiting.0.saturating_add(BATCH);
            }
            waiting.1.pop_front()
        };
        // The lock of the interpreter is given back only where there is something to do.
        let at_hand = self.at.try_lock().ok().and_then(|mut waiting| waiting.1.pop_front());
        let next = match at_hand {
            Some(view) => Some(view),
            None => py.detach(|| Ok::<_, PyErr>(next(&mut *locked(&self.at, self.process)?)))?,
        };
        next.map(|view| view.map(View).map_err(raised)).transpose()
    }
}
