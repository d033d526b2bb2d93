//! Forks: what the child must not share with its parent.

use std::{
    cell::RefCell,
    sync::{Once, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use crate::handle;

static REGISTERED: Once = Once::new();

/// Held by each call that uses a party, or writes a text. A fork waits for them, so that the child has parties and texts whole, and
/// nobody who is not there holds their locks. Vaults are not waited for: a child has no use of them.
static UNDER_WAY: RwLock<()> = RwLock::new(());

/// A part of a call that a fork must not cut in two. It has no other one within: a fork that waits between them would wait for ever.
pub(crate) struct Whole(
    #[expect(dead_code, reason = "it is there to be dropped")] RwLockReadGuard<'static, ()>,
);

impl Whole {
    pub(crate) fn begin() -> Self {
        Self(UNDER_WAY.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Has this library told of forks, from its first call on.
pub(crate) fn register() {
    REGISTERED.call_once(|| {
        // SAFETY: the functions take no arguments, do not unwind, and are there as long as the library. It fails for want of memory
        // only; a vault notices the new process by itself all the same.
        #[cfg(unix)]
        let _told = unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
    });
}

thread_local! {
    static HELD: RefCell<Option<RwLockWriteGuard<'static, ()>>> = const { RefCell::new(None) };
}

// In this order, as calls take them: what is under way may need the table to end.
extern "C" fn before() {
    let none_under_way = UNDER_WAY.write().unwrap_or_else(PoisonError::into_inner);
    let _nobody_asks_at_the_end_of_a_thread = HELD.try_with(|held| held.replace(Some(none_under_way)));
    handle::hold();
}

extern "C" fn in_parent() {
    handle::release();
    let _nobody_asks_at_the_end_of_a_thread = HELD.try_with(|held| held.take());
}

extern "C" fn in_child() {
    in_parent();
    consignee::after_fork();
}

/// To be called in the child by whoever forks without fork(2), whose children pthread_atfork does not see: after clone(2). After
/// fork(2) the library calls it by itself. From then on nothing that is drawn at random is what the parent draws.
#[unsafe(no_mangle)]
pub extern "C" fn consignee_after_fork() {
    consignee::after_fork();
}
