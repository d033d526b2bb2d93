//! What a party sees of an order.

use consignee::ErrorKind;
use pyo3::{
    prelude::*,
    types::{PyList, PyString, PyTuple},
};

use crate::{
    convert::{self, Text},
    errors::{instance, raised},
};

/// What one party sees of one order for one purpose: a mapping of part names, such as "consignee.name", to values.
///
/// Texts are str, amounts Money, times Timestamp (a datetime), addresses Address, lists of lines lists of dicts.
#[pyclass(frozen, module = "consignee")]
pub(crate) struct View(pub(crate) consignee::View);

#[pymethods]
impl View {
    /// A part by its name.
    ///
    /// Raises:
    ///     NotPermitted: for a part that the purpose does not open.
    ///     Absent: for one that the order has not.
    ///     InputError: for one that there is not.
    fn __getitem__<'py>(&self, py: Python<'py>, part: Text) -> PyResult<Bound<'py, PyAny>> {
        convert::value(py, self.0.get(&part).map_err(raised)?)
    }

    /// A part by its name, or the default where the order has no value for it.
    ///
    /// Raises:
    ///     NotPermitted: for a part that the purpose does not open.
    ///     InputError: for one that there is not.
    #[pyo3(signature = (part, default=None))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        part: Text,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match self.0.get(&part) {
            Ok(value) => convert::value(py, value),
            Err(e) if *e.kind() == ErrorKind::Absent => {
                Ok(default.unwrap_or_else(|| py.None().into_bound(py)))
            }
            Err(e) => Err(raised(e)),
        }
    }

    /// Names of the parts that were opened.
    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.0.parts().map(|(name, _)| PyString::intern(py, name)).collect::<Vec<_>>())
    }

    /// Values of the parts that were opened.
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let values = PyList::empty(py);
        self.0.parts().try_for_each(|(_, value)| values.append(convert::value(py, value)?))?;
        Ok(values)
    }

    /// Names and values of the parts that were opened.
    fn items<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let items = PyList::empty(py);
        for (name, value) in self.0.parts() {
            items.append(PyTuple::new(
                py,
                [PyString::intern(py, name).into_any(), convert::value(py, value)?],
            )?)?;
        }
        Ok(items)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.keys(py)?.try_iter().map(Bound::into_any)
    }

    fn __len__(&self) -> usize {
        self.0.parts().count()
    }

    fn __contains__(&self, part: &Bound<'_, PyAny>) -> bool {
        let name = part.extract::<Text>();
        name.is_ok_and(|name| self.0.parts().any(|(known, _)| known == &*name))
    }

    /// What to call the order towards the party: its number, if the caller gave it or the role may open it; else the alias.
    #[getter]
    fn order(&self) -> String {
        self.0.order()
    }

    /// The order number that this party sees in place of the real one.
    #[getter]
    fn alias(&self) -> String {
        self.0.alias().to_string()
    }

    /// The party it was opened for.
    #[getter]
    fn party(&self) -> &str {
        self.0.party()
    }

    /// The role the party acts in.
    #[getter]
    fn role(&self) -> &str {
        self.0.role()
    }

    /// What it was opened for.
    #[getter]
    fn purpose(&self) -> &str {
        self.0.purpose()
    }

    /// Revision of the order, from 1; an update names it.
    #[getter]
    fn revision(&self) -> u32 {
        self.0.revision()
    }

    /// Number of the ledger that has the disclosure's entry.
    #[getter]
    fn ledger(&self) -> u32 {
        self.0.ledger()
    }

    /// Index of the disclosure's entry in that ledger.
    #[getter]
    fn ledger_index(&self) -> u64 {
        self.0.ledger_index()
    }

    /// The view as a text of JSON: order, alias, revision, party, role, purpose, and the fields that were opened.
    fn to_json(&self) -> String {
        self.0.to_json().to_string()
    }

    // Names of parts only: a view in a log line must not put an address there.
    fn __repr__(&self) -> String {
        let parts: Vec<&str> = self.0.parts().map(|(name, _)| name).collect();
        format!("<consignee.View for {} of {}>", self.0.role(), parts.join(", "))
    }
}

/// Results as a list.
pub(crate) fn results<'py>(
    py: Python<'py>,
    views: Vec<Result<consignee::View, consignee::Error>>,
) -> PyResult<Bound<'py, PyList>> {
    let items = PyList::empty(py);
    views.into_iter().try_for_each(|view| items.append(result(py, view)?))?;
    Ok(items)
}

/// A result as an item of a list: the view, or the exception.
pub(crate) fn result(
    py: Python<'_>,
    result: Result<consignee::View, consignee::Error>,
) -> PyResult<Py<PyAny>> {
    match result {
        Ok(view) => Ok(Py::new(py, View(view))?.into_any()),
        Err(e) => instance(py, &e),
    }
}
