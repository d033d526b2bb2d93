//! Vaults.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Mutex, PoisonError, RwLock, TryLockError},
    time::Duration,
};

use consignee::{
    Error, ErrorKind, Fields, KeyFile, Passphrase, Patch, PublicKey, RootKeyProvider, Setup, ShredMode,
    VaultCard,
};
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    types::{PyBool, PyBytes, PyIterator, PyList, PyString, PyTuple},
};

use crate::{
    convert::{Text, Texts, imported, loads, order_json},
    errors::{instance, is_ours, of_kind, raised},
    view::{View, result, results},
};

/// Orders that are put or opened together, and how much text of them is held.
const BATCH: usize = 1000;
const BATCH_BYTES: usize = 8 << 20;

/// Orders, their secrets, keys and ledger. Any thread may use it, several at once, too.
///
/// It belongs to the process that unlocked it: in a forked child its calls raise Locked. Unlock in the workers, after the fork.
#[pyclass(frozen, module = "consignee")]
pub(crate) struct Vault(RwLock<Option<consignee::Vault>>);

impl Vault {
    fn of(vault: consignee::Vault) -> Self {
        Self(RwLock::new(Some(vault)))
    }

    fn get(&self) -> PyResult<consignee::Vault> {
        // The lock is let go before Python makes the exception: another thread may be given the interpreter then, and wait for the lock.
        let vault = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        vault.ok_or_else(|| of_kind(&ErrorKind::Locked, "the vault has been locked: unlock it again"))
    }

    /// Without the interpreter's lock.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&consignee::Vault) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        let vault = self.get()?;
        py.detach(|| work(&vault)).map_err(raised)
    }

    /// What became of orders whose JSON this is, or that have none.
    fn put_texts<'py>(
        &self,
        py: Python<'py>,
        given: Vec<Result<String, Py<PyAny>>>,
        results: &Bound<'py, PyList>,
    ) -> PyResult<()> {
        let texts: Vec<&String> = given.iter().flatten().collect();
        let mut put = self.with(py, |vault| vault.put_many_json(&texts))?.into_iter();
        for order in given {
            results.append(match order.map(|_| put.next()) {
                Ok(Some(Ok(order))) => told(py, order)?.unbind(),
                Ok(Some(Err(e))) => instance(py, &e)?,
                Ok(None) => continue,
                Err(exception) => exception,
            })?;
        }
        Ok(())
    }
}

fn told<'py>(py: Python<'py>, put: consignee::Put) -> PyResult<Bound<'py, PyAny>> {
    let (id, stored) = match put {
        consignee::Put::Stored(id) => (id, true),
        consignee::Put::Unchanged(id) => (id, false),
    };
    imported!(py, "consignee._values", "Put")?.call1((id.to_string(), stored))
}

fn root_key(
    key_file: Option<PathBuf>,
    passphrase: Option<Text>,
    root_key: Option<&[u8]>,
) -> PyResult<Box<dyn RootKeyProvider>> {
    Ok(match (key_file, passphrase, root_key) {
        (Some(path), None, None) => Box::new(KeyFile::read(&path).map_err(raised)?),
        (None, Some(text), None) => Box::new(Passphrase::new(&*text)),
        (None, None, Some(bytes)) => {
            let key = bytes.try_into().map_err(|_| PyValueError::new_err("root_key has not 32 bytes"))?;
            Box::new(KeyFile::from_bytes(key))
        }
        _ => return Err(PyValueError::new_err("give one of key_file, passphrase and root_key")),
    })
}

/// Seconds, from a number or a timedelta.
fn seconds(valid: Option<Bound<'_, PyAny>>) -> PyResult<Option<Duration>> {
    let Some(valid) = valid else { return Ok(None) };
    let wrong = || PyValueError::new_err("valid is a timedelta or a number of seconds, above 0");
    if valid.is_instance_of::<PyBool>() {
        return Err(wrong());
    }
    let duration = match valid.extract::<Duration>() {
        Ok(duration) => duration,
        Err(_) => Duration::from_secs(valid.extract::<u64>().map_err(|_| wrong())?),
    };
    if duration.as_secs() == 0 { Err(wrong()) } else { Ok(Some(duration)) }
}

#[pymethods]
impl Vault {
    /// Unlocks the vault in a folder, with one of three keys. Waits at most 10 seconds for another writer.
    ///
    /// Args:
    ///     folder: of the vault.
    ///     key_file: path of its key file.
    ///     passphrase: from which its key is derived; takes about a second.
    ///     root_key: its key of 32 bytes, from a secret store of the caller's.
    ///     checkpoint: a file outside of the vault, which keeps the newest state of the ledger: a vault that is behind it opens nothing.
    ///
    /// Raises:
    ///     NotFound: where there is no vault.
    ///     RootKeyError: for a key that is missing, wrong, or in the vault's folder.
    ///     Locked, StorageError, Damaged, NewerFormat, RolledBack.
    #[staticmethod]
    #[pyo3(signature = (folder, *, key_file=None, passphrase=None, root_key=None, checkpoint=None))]
    fn unlock(
        py: Python<'_>,
        folder: PathBuf,
        key_file: Option<PathBuf>,
        passphrase: Option<Text>,
        root_key: Option<&[u8]>,
        checkpoint: Option<PathBuf>,
    ) -> PyResult<Self> {
        let key = self::root_key(key_file, passphrase, root_key)?;
        let unlocked = py.detach(|| {
            let vault = consignee::Vault::unlock(&folder, &*key)?;
            checkpoint.map_or(Ok(()), |file| vault.keep_checkpoint(&file))?;
            Ok(vault)
        });
        unlocked.map(Self::of).map_err(raised)
    }

    /// A vault in memory, gone when it is locked: for tests of programs.
    ///
    /// Args:
    ///     policy: TOML text; None for the built-in one.
    ///
    /// Raises:
    ///     InputError: for a policy that does not follow its format.
    #[staticmethod]
    #[pyo3(signature = (policy=None))]
    fn in_memory(py: Python<'_>, policy: Option<Text>) -> PyResult<Self> {
        let setup = policy.map_or_else(Setup::default, |policy| Setup {
            policy: policy.to_string().into(),
            ..Setup::default()
        });
        py.detach(|| consignee::Vault::in_memory(&setup)).map(Self::of).map_err(raised)
    }

    /// Forgets the keys: calls that are going on end, later ones raise Locked. At the end of a `with` block by itself.
    fn lock(&self, py: Python<'_>) {
        let taken = self.0.write().unwrap_or_else(PoisonError::into_inner).take();
        py.detach(|| drop(taken));
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, py: Python<'_>, _raised: &Bound<'_, PyTuple>) {
        self.lock(py);
    }

    /// Stores one order.
    ///
    /// Args:
    ///     order: a dict in the form of the built-in order, or under a policy with fields of its own, these; or such JSON as text. Money
    ///         and Address are taken, decimals go as Decimal or text, times as text or as a datetime with a zone.
    ///
    /// Returns:
    ///     A Put: the record's id, and whether it is new. The same order once more is not stored again.
    ///
    /// Raises:
    ///     InputError, LimitExceeded: for an order that cannot be sealed.
    ///     Exists: for another order under the same number.
    ///     Shredded: for a number that was shredded.
    ///     Locked, StorageError.
    fn put<'py>(&self, py: Python<'py>, order: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let text = order_json(order)?;
        let put = self.with(py, |vault| vault.put(&Fields::from_order_json(&text, &*vault.policy()?)?))?;
        told(py, put)
    }

    /// Stores orders, a thousand at a time.
    ///
    /// Args:
    ///     orders: an iterable, such as a file of JSON lines or a generator.
    ///
    /// Returns:
    ///     For each a Put, or the Error that it met, in their order.
    ///
    /// Raises:
    ///     Locked, StorageError: none of the batch that was being stored is acknowledged.
    ///     What the iterable raises: all orders that came before are stored.
    ///     In both cases, put them all again: what is there is not stored a second time.
    fn put_many<'py>(&self, py: Python<'py>, orders: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        if orders.is_instance_of::<PyString>() {
            return Err(PyTypeError::new_err("expected several orders, such as a list, and not one text"));
        }
        let (results, mut given, mut held) = (PyList::empty(py), Vec::new(), 0);
        for order in orders.try_iter()? {
            // What came before is stored, whatever the iterable does.
            let text = match order.map(|order| order_json(&order)) {
                Err(e) => return self.put_texts(py, given, &results).and(Err(e)),
                Ok(Err(e)) if is_ours(py, &e) => Err(e.into_value(py).into_any()),
                Ok(text) => Ok(text?),
            };
            held += text.as_ref().map_or(0, String::len);
            given.push(text);
            if given.len() >= BATCH || held >= BATCH_BYTES {
                self.put_texts(py, std::mem::take(&mut given), &results)?;
                held = 0;
            }
        }
        self.put_texts(py, given, &results)?;
        Ok(results)
    }

    /// Opens one order as a party for a purpose. The entry is in the ledger before any plaintext exists.
    ///
    /// Args:
    ///     party: name of the party.
    ///     purpose: what it is opened for.
    ///     order: its number or an alias.
    ///
    /// Raises:
    ///     NotFound, NotPermitted, Expired, Revoked, Shredded, RolledBack, CannotOpen, Damaged, Locked, StorageError.
    fn open(&self, py: Python<'_>, party: Text, purpose: Text, order: Text) -> PyResult<View> {
        self.with(py, |vault| vault.open(&party, &purpose, &order)).map(View)
    }

    /// Opens orders as a party for a purpose, with one disk sync for all.
    ///
    /// Returns:
    ///     For each a View, or the Error that it met, in their order.
    ///
    /// Raises:
    ///     NotFound: for an unknown party.
    ///     Revoked, NotPermitted, Locked, StorageError.
    fn open_many<'py>(
        &self,
        py: Python<'py>,
        party: Text,
        purpose: Text,
        orders: Texts,
    ) -> PyResult<Bound<'py, PyList>> {
        let views = self.with(py, |vault| vault.open_many(&party, &purpose, &orders.refs()))?;
        results(py, views)
    }

    /// Opens as many orders as there are, some at a time, while they are walked through. **Each batch is entered in the ledger when its
    /// first order is asked for**, whether the others are looked at or not.
    ///
    /// Args:
    ///     party: name of the party.
    ///     purpose: what they are opened for.
    ///     orders: an iterable of numbers or aliases.
    ///     batch: how many are opened together, 1 to 65,536: one disk sync for all of them.
    ///
    /// Returns:
    ///     An iterator of a View, or the Error that it met, for each order. After an error of the whole batch (Locked, StorageError)
    ///     next() tries the same orders again.
    #[pyo3(signature = (party, purpose, orders, *, batch=100))]
    fn open_iter(
        slf: Py<Self>,
        party: Text,
        purpose: Text,
        orders: &Bound<'_, PyAny>,
        batch: usize,
    ) -> PyResult<OpenIterator> {
        let _unlocked = slf.get().get()?;
        if orders.is_instance_of::<PyString>() {
            return Err(PyTypeError::new_err("expected several orders, such as a list, and not one"));
        }
        if !(1..=65_536).contains(&batch) {
            return Err(PyValueError::new_err("batch is 1 to 65536"));
        }
        let orders = orders.try_iter()?.unbind();
        Ok(OpenIterator { vault: slf, request: (party, purpose), orders, batch, at: Mutex::default() })
    }

    /// Finds orders by the value of a field that has an index. A search is a disclosure, and has its entries.
    ///
    /// Returns:
    ///     Hits, the newest first: aliases that :meth:`open` takes.
    ///
    /// Raises:
    ///     NotPermitted: for a field that the purpose does not search.
    ///     LimitExceeded: for more searches than the party has in an hour or a day.
    ///     InputError, NotFound, Locked, StorageError.
    fn find<'py>(
        &self,
        py: Python<'py>,
        party: Text,
        purpose: Text,
        field: Text,
        value: Text,
    ) -> PyResult<Bound<'py, PyAny>> {
        let found = self.with(py, |vault| vault.find(&party, &purpose, &field, &value))?;
        let hits = PyList::empty(py);
        for hit in found.hits {
            let parts = (hit.alias.to_string(), hit.revision, hit.ledger, hit.ledger_index);
            hits.append(imported!(py, "consignee._values", "Hit")?.call1(parts)?)?;
        }
        let hits = imported!(py, "consignee._values", "Hits")?.call1((hits,))?;
        hits.setattr("unreadable", found.unreadable)?;
        Ok(hits)
    }

    /// Changes fields of an order whose revision is the one given.
    ///
    /// Args:
    ///     order: its number or an alias.
    ///     revision: the one that was read.
    ///     changes: a dict of fields, None to clear one; or such JSON as text.
    ///
    /// Returns:
    ///     The revision it has then.
    ///
    /// Raises:
    ///     Conflict: where the order has another revision by now; read it again and repeat.
    ///     NotFound, Shredded, InputError, LimitExceeded, Locked, StorageError.
    fn update(
        &self,
        py: Python<'_>,
        order: Text,
        revision: u32,
        changes: &Bound<'_, PyAny>,
    ) -> PyResult<u32> {
        let text = order_json(changes)?;
        self.with(py, |vault| {
            vault.update(&order, revision, Patch::from_order_json(&text, &*vault.policy()?)?)
        })
    }

    /// Copies of orders for a party that has a key, in one signed bundle; each is entered as a disclosure first.
    ///
    /// Args:
    ///     party: name of the party.
    ///     purpose: what they are shared for.
    ///     orders: numbers or aliases.
    ///     valid: seconds or a timedelta after which the bundle ends, at the latest; None for as long as the purpose gives.
    ///
    /// Returns:
    ///     Shared: the bundle, and what became of each order.
    ///
    /// Raises:
    ///     NotFound, Revoked, NotPermitted, LimitExceeded, Locked, StorageError.
    ///     InputError: for a party without a key.
    #[pyo3(signature = (party, purpose, orders, *, valid=None))]
    fn share<'py>(
        &self,
        py: Python<'py>,
        party: Text,
        purpose: Text,
        orders: Texts,
        valid: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let valid = seconds(valid)?;
        shared(py, self.with(py, |vault| vault.share(&party, &purpose, &orders.refs(), valid))?)
    }

    /// The same for what a party asked in a signed request, whose hash is in each entry. A request is taken once.
    ///
    /// Raises:
    ///     Exists: for a request that was taken before.
    ///     Expired: for one that is older than a day.
    ///     CannotOpen, Damaged, and those of :meth:`share`.
    #[pyo3(signature = (request, *, valid=None))]
    fn share_request<'py>(
        &self,
        py: Python<'py>,
        request: &[u8],
        valid: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let valid = seconds(valid)?;
        shared(py, self.with(py, |vault| vault.share_request(request, valid))?)
    }

    /// Who saw an order: every entry that the ledgers have of it.
    ///
    /// Returns:
    ///     A dict: "summary", and under "entries" a dict for each entry, the oldest first.
    ///
    /// Raises:
    ///     NotFound: for an order that is not there.
    ///     Shredded: where the evidence was destroyed with the order.
    ///     CannotOpen, Damaged, StorageError.
    fn who_saw(&self, py: Python<'_>, order: Text) -> PyResult<Py<PyAny>> {
        let json = self.with(py, |vault| {
            let told = vault.who_saw(&order)?;
            let entries: Vec<_> = told.entries.iter().map(|entry| entry.to_json(told.record_id)).collect();
            Ok(serde_json::json!({ "summary": told.to_json(), "entries": entries }).to_string())
        })?;
        loads(py, &json)
    }

    /// Ends an order's life: it is not shared any more, and what ends is over.
    ///
    /// Raises:
    ///     NotFound, Shredded, Locked, StorageError.
    fn close_order(&self, py: Python<'_>, order: Text) -> PyResult<()> {
        self.with(py, |vault| vault.close(&order).map(drop))
    }

    /// Destroys the secret of an order: nobody opens it any more. Cannot be undone; not final against old copies of secrets.db together
    /// with the root key.
    ///
    /// Args:
    ///     order: its number or an alias.
    ///     reason: goes into the ledger as a commitment.
    ///     with_evidence: whether what proves who saw it is destroyed, too.
    ///
    /// Raises:
    ///     NotFound, Shredded, LimitExceeded, Locked, StorageError.
    #[pyo3(signature = (order, reason, *, with_evidence=false))]
    fn shred(&self, py: Python<'_>, order: Text, reason: Text, with_evidence: bool) -> PyResult<()> {
        let mode = if with_evidence { ShredMode::WithEvidence } else { ShredMode::KeepEvidence };
        self.with(py, |vault| vault.shred(&order, &reason, mode).map(drop))
    }

    /// Adds a party in a role.
    ///
    /// Args:
    ///     name: of the party.
    ///     role: that the policy knows.
    ///     lines: what it is called in the lines of orders, for a supplier; None for its name.
    ///     public_key: what it sent, for one that is sent bundles.
    ///
    /// Raises:
    ///     Exists, InputError, LimitExceeded, Locked, StorageError.
    #[pyo3(signature = (name, role, *, lines=None, public_key=None))]
    fn add_party(
        &self,
        py: Python<'_>,
        name: Text,
        role: Text,
        lines: Option<Text>,
        public_key: Option<Text>,
    ) -> PyResult<()> {
        let key = public_key.as_deref().map(PublicKey::parse).transpose().map_err(raised)?;
        self.with(py, |vault| match &key {
            Some(key) => vault.add_party_with_key(&name, &role, lines.as_deref(), key).map(drop),
            None => vault.add_party(&name, &role, lines.as_deref()).map(drop),
        })
    }

    /// The vault's card, which parties trust, as a line of text.
    ///
    /// Raises:
    ///     Locked, StorageError.
    fn card(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |vault| vault.card().map(|card: VaultCard| card.to_text()))
    }

    /// A keyring for a party that has a key, to be sent to it. Has its entry in the ledger.
    ///
    /// Raises:
    ///     NotFound, Revoked, NotPermitted, InputError, Locked, StorageError.
    fn issue_keyring<'py>(&self, py: Python<'py>, party: Text) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.with(py, |vault| vault.issue_keyring(&party))?))
    }

    /// Number, size and root of the ledger that openings are entered in.
    ///
    /// Raises:
    ///     StorageError.
    fn ledger_state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (number, state) = self.with(py, |vault| Ok((vault.ledger_number()?, vault.ledger_state()?)))?;
        let root = PyBytes::new(py, &state.root);
        imported!(py, "consignee._values", "LedgerState")?.call1((number, state.size, root))
    }

    fn __repr__(&self) -> &'static str {
        if self.get().is_ok() { "<consignee.Vault>" } else { "<consignee.Vault, locked>" }
    }
}

fn shared<'py>(py: Python<'py>, shared: consignee::Shared) -> PyResult<Bound<'py, PyAny>> {
    let orders = PyList::empty(py);
    for order in shared.orders {
        orders.append(match order {
            Ok(order) => {
                let parts = (order.alias.to_string(), order.ledger, order.ledger_index);
                imported!(py, "consignee._values", "SharedOrder")?.call1(parts)?.unbind()
            }
            Err(e) => instance(py, &e)?,
        })?;
    }
    let bundle = shared.bundle.map(|bytes| PyBytes::new(py, &bytes));
    imported!(py, "consignee._values", "Shared")?.call1((bundle, shared.expires, orders))
}

/// Opens orders of an iterable, some at a time.
#[pyclass(frozen, module = "consignee")]
pub(crate) struct OpenIterator {
    vault: Py<Vault>,
    /// Party and purpose.
    request: (Text, Text),
    orders: Py<PyIterator>,
    batch: usize,
    at: Mutex<Waiting>,
}

/// What has been taken from the iterable and not been given out.
#[derive(Default)]
struct Waiting {
    orders: Vec<Text>,
    opened: VecDeque<Result<consignee::View, Error>>,
    /// What the iterable raised, to be raised after what it gave before.
    raised: Option<PyErr>,
}

impl OpenIterator {
    fn fill(&self, py: Python<'_>, waiting: &mut Waiting) -> PyResult<()> {
        let mut orders = self.orders.bind(py).clone();
        while waiting.orders.len() < self.batch && waiting.raised.is_none() {
            match orders.next().map(|order| order?.extract()) {
                Some(Ok(order)) => waiting.orders.push(order),
                Some(Err(e)) => waiting.raised = Some(e),
                None => break,
            }
        }
        if waiting.orders.is_empty() {
            return waiting.raised.take().map_or(Ok(()), Err);
        }
        // They are kept where this fails, to be tried again.
        let (party, purpose) = &self.request;
        let refs: Vec<&str> = waiting.orders.iter().map(|order| &**order).collect();
        let opened = self.vault.get().with(py, |vault| vault.open_many(party, purpose, &refs))?;
        waiting.opened.extend(opened);
        waiting.orders.clear();
        Ok(())
    }
}

#[pymethods]
impl OpenIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        // One thread at a time: the iterable is Python's, and runs under the interpreter's lock.
        let mut waiting = match self.at.try_lock() {
            Ok(waiting) => waiting,
            Err(TryLockError::Poisoned(waiting)) => waiting.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let message = "the iterator is in use by another thread, or was when the process forked";
                return Err(of_kind(&ErrorKind::Locked, message));
            }
        };
        // What was opened ends with the vault's lock, too.
        self.vault.get().get().inspect_err(|_| waiting.opened.clear())?;
        if waiting.opened.is_empty() {
            self.fill(py, &mut waiting)?;
        }
        waiting.opened.pop_front().map(|view| result(py, view)).transpose()
    }
}
