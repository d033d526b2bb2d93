//! Forks: what the child must not share with its parent.

use std::sync::Once;

use crate::handle;

static REGISTERED: Once = Once::new();

/// Has this library told of forks, from its first call on.
pub(crate) fn register() {
    REGISTERED.call_once(|| {
        // SAFETY: the functions take no arguments, do not unwind, and are there as long as the library. It fails for want of memory
        // only; a vault notices the new process by itself all the same.
        #[cfg(unix)]
        let _told = unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
    });
}

extern "C" fn before() {
    handle::hold();
}

extern "C" fn in_parent() {
    handle::release();
}

extern "C" fn in_child() {
    handle::release();
    consignee::after_fork();
}

/// To be called in the child by whoever forks without fork(2), whose children pthread_atfork does not see: after clone(2). After
/// fork(2) the library calls it by itself. From then on nothing that is drawn at random is what the parent draws.
#[unsafe(no_mangle)]
pub extern "C" fn consignee_after_fork() {
    consignee::after_fork();
}
