//! Values between Rust and Python.

use std::{
    ops::Deref,
    process,
    sync::{Mutex, MutexGuard, PoisonError, TryLockError},
    thread,
    time::Duration,
};

use consignee::{Cell, ErrorKind, Value};
use pyo3::{
    Borrowed,
    exceptions::PyTypeError,
    prelude::*,
    types::{PyBytes, PyDict, PyList, PyString, PyTuple},
};

use crate::errors::{not_unicode, of_kind};

/// Something of the package's own Python half, or of the standard library.
macro_rules! imported {
    ($py:expr, $module:literal, $name:literal) => {{
        static FOUND: pyo3::sync::PyOnceLock<Py<PyAny>> = pyo3::sync::PyOnceLock::new();
        FOUND.import($py, $module, $name)
    }};
}
pub(crate) use imported;

/// A value as Python has it.
pub(crate) fn value<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Text(text) => PyString::new(py, text).into_any(),
        Value::Bool(yes) => yes.into_pyobject(py)?.to_owned().into_any(),
        Value::Integer(number) => number.into_pyobject(py)?.into_any(),
        Value::Money(money) => {
            let amount = decimal(py, &money.amount().to_string())?;
            imported!(py, "consignee._values", "Money")?.call1((amount, money.currency()))?
        }
        Value::Timestamp(time) => {
            let at = (time.seconds(), time.nanoseconds() / 1000, time.offset(), time.to_string());
            imported!(py, "consignee._values", "_timestamp")?.call1(at)?
        }
        Value::Address(a) => {
            let lines = PyTuple::new(py, &a.lines)?;
            let parts = (lines, &a.city, &a.region, &a.postal_code, &a.country);
            imported!(py, "consignee._values", "Address")?.call1(parts)?
        }
        Value::List(list) => {
            let names: Vec<_> = list.columns().iter().map(|name| PyString::intern(py, name)).collect();
            let rows = PyList::empty(py);
            for row in list.rows() {
                let object = PyDict::new(py);
                for (name, cell) in names.iter().zip(row) {
                    if let Some(cell) = self::cell(py, cell)? {
                        object.set_item(name, cell)?;
                    }
                }
                rows.append(object)?;
            }
            rows.into_any()
        }
        Value::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
        Value::Json(text) => loads(py, text)?.into_bound(py),
        other => loads(py, &other.to_json().to_string())?.into_bound(py),
    })
}

/// A cell; none where the row has nothing there.
fn cell<'py>(py: Python<'py>, cell: &Cell) -> PyResult<Option<Bound<'py, PyAny>>> {
    Ok(match cell {
        Cell::Text(text) => Some(PyString::new(py, text).into_any()),
        Cell::Bool(yes) => Some(yes.into_pyobject(py)?.to_owned().into_any()),
        Cell::Integer(number) => Some(number.into_pyobject(py)?.into_any()),
        Cell::Decimal(number) => Some(decimal(py, &number.to_string())?),
        _ => None,
    })
}

fn decimal<'py>(py: Python<'py>, digits: &str) -> PyResult<Bound<'py, PyAny>> {
    imported!(py, "decimal", "Decimal")?.call1((digits,))
}

/// JSON as Python's objects.
pub(crate) fn loads(py: Python<'_>, json: &str) -> PyResult<Py<PyAny>> {
    Ok(imported!(py, "json", "loads")?.call1((json,))?.unbind())
}

/// An order, or changes to one, as JSON: a text is JSON already, anything else is written as it.
///
/// # Errors
/// An `InputError` for what cannot be.
pub(crate) fn order_json(order: &Bound<'_, PyAny>) -> PyResult<String> {
    if order.is_instance_of::<PyString>() {
        return Ok(order.extract::<Text>()?.0);
    }
    let written = imported!(order.py(), "consignee._values", "_dumps")?.call1((order,))?;
    Ok(written.extract::<Text>()?.0)
}

/// A str. Its own error names no part of it, as Python's does.
pub(crate) struct Text(String);

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'py> FromPyObject<'_, 'py> for Text {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let text = object.cast::<PyString>().map_err(|_| PyTypeError::new_err("expected a str"))?;
        text.extract().map(Self).map_err(|_| not_unicode())
    }
}

/// Any iterable of str, but for a str itself.
pub(crate) struct Texts(Vec<Text>);

impl Texts {
    pub(crate) fn refs(&self) -> Vec<&str> {
        self.0.iter().map(|text| &**text).collect()
    }
}

impl<'py> FromPyObject<'_, 'py> for Texts {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyString>() {
            return Err(PyTypeError::new_err("expected several str, such as a list, and not one"));
        }
        object.try_iter()?.map(|item| item?.extract()).collect::<PyResult<_>>().map(Self)
    }
}

/// A lock, also in a forked child, where a thread that held it at the fork is not there to let it go.
///
/// # Errors
/// `Locked`, where that is so.
pub(crate) fn locked<T>(mutex: &Mutex<T>, made_in: u32) -> PyResult<MutexGuard<'_, T>> {
    if process::id() == made_in {
        return Ok(mutex.lock().unwrap_or_else(PoisonError::into_inner));
    }
    for _ in 0..100 {
        match mutex.try_lock() {
            Ok(guard) => return Ok(guard),
            Err(TryLockError::Poisoned(guard)) => return Ok(guard.into_inner()),
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(20)),
        }
    }
    Err(of_kind(
        &ErrorKind::Locked,
        "another thread used it when the process forked: make it anew in the worker",
    ))
}
