//! Errors of the library as exceptions of `consignee._errors`.

use consignee::{Error, ErrorKind};
use pyo3::{prelude::*, sync::PyOnceLock};

/// The exception of an error.
pub(crate) fn raised(error: Error) -> PyErr {
    Python::attach(|py| thrown(py, instance(py, &error)))
}

/// An exception that was made; where it was not, what kept it from being.
fn thrown(py: Python<'_>, made: PyResult<Py<PyAny>>) -> PyErr {
    made.map_or_else(|instead| instead, |exception| PyErr::from_value(exception.into_bound(py)))
}

/// One of the package's own making, of a kind of the library's.
pub(crate) fn of_kind(kind: &ErrorKind, message: &str) -> PyErr {
    Python::attach(|py| thrown(py, made(py, (kind.status(), message, None, None))))
}

/// Of a text that cannot be UTF-8. Python's own error holds the whole text.
pub(crate) fn not_unicode() -> PyErr {
    let message = "the text is not Unicode: it has half of a surrogate pair, or bytes that are no UTF-8";
    of_kind(&ErrorKind::Input { line: None, field: None }, message)
}

/// The exception as an object, for lists of results.
pub(crate) fn instance(py: Python<'_>, error: &Error) -> PyResult<Py<PyAny>> {
    let (line, field) = match error.kind() {
        ErrorKind::Input { line, field } => (*line, field.as_deref()),
        _ => (None, None),
    };
    made(py, (error.kind().status(), &error.to_string(), line, field))
}

/// Status, message, line and field.
fn made(py: Python<'_>, parts: (u32, &str, Option<u64>, Option<&str>)) -> PyResult<Py<PyAny>> {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    Ok(MAKE.import(py, "consignee._errors", "_make")?.call1(parts)?.unbind())
}

/// Whether an exception is one of the package's.
pub(crate) fn is_ours(py: Python<'_>, error: &PyErr) -> bool {
    static BASE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    BASE.import(py, "consignee._errors", "Error").is_ok_and(|base| error.matches(py, base).unwrap_or(false))
}
