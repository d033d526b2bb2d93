//! What crosses: bytes in, outputs and errors out.

use std::{
    ffi::c_char,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    slice,
};

use consignee::{Error, ErrorKind};

use crate::{
    CONSIGNEE_BAD_HANDLE, CONSIGNEE_INPUT, CONSIGNEE_LIMIT, CONSIGNEE_MAX_COUNT, CONSIGNEE_MAX_INPUT,
    CONSIGNEE_OK, CONSIGNEE_PANIC, fork,
};

/// CONSIGNEE_OK, or what went wrong.
pub type consignee_status = u32;

/// Bytes or UTF-8 text of some length, without a NUL at the end. As an input they are the caller's, and the library keeps no pointer
/// to them; NULL with length 0 is empty. As an output they belong to the object that they were asked of, and are there until it is
/// freed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct consignee_bytes {
    /// The first byte.
    pub data: *const u8,
    /// How many.
    pub len: usize,
}

/// What went wrong, in memory of the caller's: written where a call fails and the pointer is not NULL, else left as it is. Never
/// holds content of an order, a key or an order number, so it may be logged.
#[repr(C)]
pub struct consignee_error {
    /// The status that the function returned.
    pub status: consignee_status,
    /// Where status is CONSIGNEE_INPUT: line of the input, from 1; 0 where there are no lines.
    pub line: u64,
    /// Where status is CONSIGNEE_INPUT: the argument or field that is wrong; else empty. Ends with a NUL.
    pub field: [c_char; 128],
    /// What went wrong and what to do about it, in UTF-8. Ends with a NUL; what is longer is cut.
    pub message: [c_char; 1024],
}

/// Why a call does not do what it is asked.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Of the library.
    Library(Error),
    /// Of one of the library's kinds, in other words or told before.
    Told(ErrorKind, String),
    /// An object that is none.
    Handle(&'static str),
    /// An argument that cannot be what it has to be.
    Argument(&'static str, &'static str),
    /// An argument that is too long, or has more than one call takes.
    Limit(&'static str, &'static str),
    /// An index of something that has fewer.
    Index(usize),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

impl Fault {
    /// Whether it is of this kind.
    pub(crate) fn is(&self, kind: &ErrorKind) -> bool {
        matches!(self, Self::Library(error) if error.kind() == kind)
            || matches!(self, Self::Told(own, _) if own == kind)
    }

    fn status(&self) -> u32 {
        match self {
            Self::Library(error) => error.kind().status(),
            Self::Told(kind, _) => kind.status(),
            Self::Handle(_) => CONSIGNEE_BAD_HANDLE,
            Self::Argument(..) | Self::Index(_) => CONSIGNEE_INPUT,
            Self::Limit(..) => CONSIGNEE_LIMIT,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Library(error) => error.to_string(),
            Self::Told(_, message) => message.clone(),
            Self::Handle(what) => {
                format!(
                    "{what}: the object is NULL, has been freed, or is of another kind (pass what the function that made it gave)"
                )
            }
            Self::Argument(name, what) | Self::Limit(name, what) => format!("{name}: {what}"),
            Self::Index(len) => format!("index: there are {len}, counted from 0"),
        }
    }

    fn place(&self) -> (u64, String) {
        let of_kind = |kind: &'_ ErrorKind| match kind {
            ErrorKind::Input { line, field } => (line.unwrap_or(0), field.clone().unwrap_or_default()),
            _ => (0, String::new()),
        };
        match self {
            Self::Library(error) => of_kind(error.kind()),
            Self::Told(kind, _) => of_kind(kind),
            Self::Argument(name, _) => (0, (*name).to_owned()),
            Self::Index(_) => (0, "index".to_owned()),
            Self::Handle(_) | Self::Limit(..) => (0, String::new()),
        }
    }
}

pub(crate) type Answer = Result<(), Fault>;

/// Does the work of a function: its errors and panics become a status, and are told where `error` is not NULL.
///
/// # Safety
/// `error` is NULL, or points to memory for one `consignee_error`.
pub(crate) unsafe fn call(error: *mut consignee_error, work: impl FnOnce() -> Answer) -> consignee_status {
    fork::register();
    fork::whole(|| {
        // What a panic leaves behind is in objects that are to be freed: mutexes of the library are poisoned, not torn.
        let (status, message, (line, field)) = match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(())) => return CONSIGNEE_OK,
            Ok(Err(fault)) => (fault.status(), fault.message(), fault.place()),
            Err(_) => {
                let message = "a bug in this library: free the objects of this call, and please report it";
                (CONSIGNEE_PANIC, message.to_owned(), (0, String::new()))
            }
        };
        // SAFETY: as the caller of this function promises.
        if let Some(error) = unsafe { error.as_mut() } {
            error.status = status;
            error.line = line;
            write_text(&mut error.field, &field);
            write_text(&mut error.message, &message);
        }
        status
    })
}

/// Frees an object. NULL, and what is no object, are let be.
pub(crate) fn free(work: impl FnOnce()) {
    // A panic of a destructor must not go on into C; there is nobody to tell.
    let _told_nobody = fork::whole(|| catch_unwind(AssertUnwindSafe(work)));
}

/// As much of a text as there is room for, whole characters, and a NUL.
fn write_text(room: &mut [c_char], text: &str) {
    let most = room.len().saturating_sub(1);
    let length = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (bytes, rest) = room.split_at_mut(length.min(most));
    // A NUL within would end it early, and nothing would be lost but the rest.
    bytes.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from.cast_signed() as c_char);
    if let Some(end) = rest.first_mut() {
        *end = 0;
    }
}

/// An output. It is written once, when all has succeeded.
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// The output of this name.
    ///
    /// # Errors
    /// `Argument` where it is NULL.
    ///
    /// # Safety
    /// `at` is NULL, or points to memory for one `T`, for as long as the call lasts.
    pub(crate) unsafe fn new(at: *mut T, name: &'static str) -> Result<Self, Fault> {
        if at.is_null() {
            Err(Fault::Argument(name, "is NULL, and the answer is to be written there"))
        } else {
            Ok(Self(at))
        }
    }

    pub(crate) fn write(self, value: T) {
        // SAFETY: not NULL, and as the caller of `new` promised. What was there is not read.
        unsafe { self.0.write(value) }
    }

    /// Writes an array.
    ///
    /// # Safety
    /// There is memory for as many as there are values.
    pub(crate) unsafe fn write_all(self, values: &[T])
    where
        T: Copy,
    {
        // SAFETY: not NULL, and as the callers of `new` and of this promise; memory of the caller's overlaps with none of ours.
        unsafe { self.0.copy_from_nonoverlapping(values.as_ptr(), values.len()) }
    }
}

impl consignee_bytes {
    /// No text, which is another thing than an empty one.
    pub(crate) const NOTHING: Self = Self { data: std::ptr::null(), len: 0 };

    /// Bytes of an object.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        // A pointer that may be followed, for those who look before they count.
        let data = if bytes.is_empty() { c"".as_ptr().cast() } else { bytes.as_ptr() };
        Self { data, len: bytes.len() }
    }

    /// The input of this name.
    ///
    /// # Errors
    /// `Argument` for NULL with a length, `Limit`.
    ///
    /// # Safety
    /// `data` is NULL, or `len` bytes are there to be read, and stay as they are, for as long as `'a`.
    pub(crate) unsafe fn input<'a>(self, name: &'static str) -> Result<&'a [u8], Fault> {
        if self.len == 0 {
            return Ok(&[]);
        }
        if self.data.is_null() {
            return Err(Fault::Argument(name, "is NULL and has a length"));
        }
        if self.len > CONSIGNEE_MAX_INPUT {
            let what = "is longer than the 128 MiB that are taken (check the length that was passed)";
            return Err(Fault::Limit(name, what));
        }
        // SAFETY: not NULL, and as the caller promises.
        Ok(unsafe { slice::from_raw_parts(self.data, self.len) })
    }

    /// The input of this name, as text.
    ///
    /// # Errors
    /// `Argument` where it is no UTF-8, too; those of `input`.
    ///
    /// # Safety
    /// As for `input`.
    pub(crate) unsafe fn text<'a>(self, name: &'static str) -> Result<&'a str, Fault> {
        // SAFETY: as the caller promises.
        let bytes = unsafe { self.input(name)? };
        if bytes.is_ascii() {
            // SAFETY: ASCII is UTF-8. Names and pointers are, and are checked at every call.
            return Ok(unsafe { std::str::from_utf8_unchecked(bytes) });
        }
        std::str::from_utf8(bytes).map_err(|_| Fault::Argument(name, "is not UTF-8"))
    }

    /// The same; none where it is empty.
    ///
    /// # Errors
    /// Those of `text`.
    ///
    /// # Safety
    /// As for `input`.
    pub(crate) unsafe fn optional<'a>(self, name: &'static str) -> Result<Option<&'a str>, Fault> {
        // SAFETY: as the caller promises.
        Ok(Some(unsafe { self.text(name)? }).filter(|text| !text.is_empty()))
    }

    /// The input of this name, as a path.
    ///
    /// # Errors
    /// `Argument` where it is empty, too; those of `text`.
    ///
    /// # Safety
    /// As for `input`.
    pub(crate) unsafe fn path(self, name: &'static str) -> Result<PathBuf, Fault> {
        // SAFETY: as the caller promises.
        let path = unsafe { self.optional(name)? };
        path.map(PathBuf::from).ok_or(Fault::Argument(name, "is empty, and has to be a path"))
    }
}

/// An array of texts.
///
/// # Errors
/// As for `consignee_bytes::text`; `Limit` for more than 65,536.
///
/// # Safety
/// `texts` is NULL, or points to `count` texts, each as `consignee_bytes::input` has it.
pub(crate) unsafe fn texts<'a>(
    texts: *const consignee_bytes,
    count: usize,
    name: &'static str,
) -> Result<Vec<&'a str>, Fault> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if texts.is_null() {
        return Err(Fault::Argument(name, "is NULL and has a count"));
    }
    if count > CONSIGNEE_MAX_COUNT {
        return Err(Fault::Limit(name, "are more than the 65,536 of one call (make several)"));
    }
    // SAFETY: not NULL, and as the caller promises.
    let texts = unsafe { slice::from_raw_parts(texts, count) };
    // SAFETY: as the caller promises.
    texts.iter().map(|text| unsafe { text.text(name) }).collect()
}
