//! Bytes that the library made for the caller: keys, keyrings, bundles, JSON.

use zeroize::Zeroizing;

use crate::{
    boundary::{Fault, Out, call, consignee_bytes, consignee_error, consignee_status, free},
    handle,
};

/// Bytes that the library made. Wiped when they are freed. Any thread may use it, several at once, too.
pub struct consignee_buffer;

pub(crate) struct Buffer(Zeroizing<Vec<u8>>);

impl Buffer {
    pub(crate) fn new(bytes: impl Into<Zeroizing<Vec<u8>>>) -> Self {
        Self(bytes.into())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Hands bytes over.
pub(crate) fn hand_over(
    bytes: impl Into<Zeroizing<Vec<u8>>>,
    out: Out<*mut consignee_buffer>,
) -> Result<(), Fault> {
    out.write(handle::insert(Buffer::new(bytes))?);
    Ok(())
}

/// The bytes of a buffer. They are there until it is freed.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_buffer_bytes(
    buffer: *const consignee_buffer,
    bytes: *mut consignee_bytes,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(bytes, "bytes")?;
            let buffer = handle::get::<Buffer>(buffer)?;
            // The table keeps it until it is freed.
            out.write(consignee_bytes::of(buffer.bytes()));
            Ok(())
        })
    }
}

/// Wipes a buffer and frees it. NULL, or one that was freed, is let be.
#[unsafe(no_mangle)]
pub extern "C" fn consignee_buffer_free(buffer: *mut consignee_buffer) {
    free(|| drop(handle::remove::<Buffer>(buffer)));
}
