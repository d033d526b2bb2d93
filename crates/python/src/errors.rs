//! Errors of the library as exceptions of `consignee._errors`.

use consignee::{Error, ErrorKind};
use pyo3::{prelude::*, sync::PyOnceLock};

/// The exception of an error.
pub(crate) fn raised(error: Error) -> PyErr {
    Python::attach(|py| match instance(py, &error) {
        Ok(exception) => PyErr::from_value(exception.into_bound(py)),
        Err(instead) => instead,
    })
}

/// The exception as an object, for lists of results.
pub(crate) fn instance(py: Python<'_>, error: &Error) -> PyResult<Py<PyAny>> {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = MAKE.import(py, "consignee._errors", "_make")?;
    let (line, field) = match error.kind() {
        ErrorKind::Input { line, field } => (*line, field.as_deref()),
        _ => (None, None),
    };
    Ok(make.call1((error.kind().status(), error.to_string(), line, field))?.unbind())
}
