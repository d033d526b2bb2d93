//! Wiping what ciphers leave on the stack.

use std::cell::Cell;

use zeroize::zeroize_stack;

/// Stack that is wiped below one call, in bytes. The deepest half of a key that was found lay between 8 and 9 KiB below it: AES with
/// AVX-512, in a build with 16 codegen units. ring's lie at most 3,409 bytes below its call.
const BELOW_ONE: usize = 10 << 10;
/// The same below a batch, with what lies between it and the call of a cipher.
const BELOW_MANY: usize = 24 << 10;

thread_local! {
    /// Whether the stack of this thread is about to be wiped as a whole.
    static IN_BATCH: Cell<bool> = const { Cell::new(false) };
}

/// Does `work`, and wipes the stack that it used: no cipher wipes all copies of a key that it keeps there. It takes 75 ns, so once for
/// all the parts of a record; within a batch, nothing.
pub(crate) fn wiping_stack<T>(work: impl FnOnce() -> T) -> T {
    if IN_BATCH.get() {
        return work();
    }
    let made = apart(work);
    zeroize_stack::<BELOW_ONE>();
    made
}

/// Does the work of many orders and wipes the stack once, for all that [`wiping_stack`] would have.
pub(crate) fn wiping_stack_once<T>(work: impl FnOnce() -> T) -> T {
    /// Also where a record type of the caller's panics.
    struct Until(bool);

    impl Drop for Until {
        fn drop(&mut self) {
            IN_BATCH.set(self.0);
        }
    }

    let until = Until(IN_BATCH.replace(true));
    let made = apart(work);
    zeroize_stack::<BELOW_MANY>();
    drop(until);
    made
}

// Not inlined, so that all it uses lies below its caller's frame.
#[inline(never)]
fn apart<T>(work: impl FnOnce() -> T) -> T {
    work()
}
