//! Values between Rust and Python.

use consignee::{Cell, Value};
use pyo3::{
    prelude::*,
    types::{PyBytes, PyDict, PyList, PyString, PyTuple},
};

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
pub(crate) fn order_json(order: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = order.cast::<PyString>() {
        return text.extract();
    }
    imported!(order.py(), "consignee._values", "_dumps")?.call1((order,))?.extract()
}
