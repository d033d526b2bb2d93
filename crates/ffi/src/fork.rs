//! Forks: what the child must not share with its parent.

use std::{
    cell::{Cell, RefCell},
    sync::{Once, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

static REGISTERED: Once = Once::new();

/// Held by each call. A fork waits for them, so that the child has all objects whole, and no lock of this library's or of SQLite's is
/// held by a thread that is not there.
static UNDER_WAY: RwLock<()> = RwLock::new(());

thread_local! {
    static IN_CALL: Cell<bool> = const { Cell::new(false) };
}

/// Does work that no fork cuts in two.
pub(crate) fn whole<T>(work: impl FnOnce() -> T) -> T {
    // The lock is taken once: for a second one this thread would wait behind a fork, which waits for the first.
    let _whole = (!IN_CALL.get()).then(Whole::begin);
    work()
}

struct Whole(#[expect(dead_code, reason = "it is there to be dropped")] RwLockReadGuard<'static, ()>);

impl Whole {
    fn begin() -> Self {
        let guard = UNDER_WAY.read().unwrap_or_else(PoisonError::into_inner);
        IN_CALL.set(true);
        Self(guard)
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        IN_CALL.set(false);
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

extern "C" fn before() {
    let none_under_way = UNDER_WAY.write().unwrap_or_else(PoisonError::into_inner);
    let _nobody_asks_at_the_end_of_a_thread = HELD.try_with(|held| held.replace(Some(none_under_way)));
}

extern "C" fn in_parent() {
    let _nobody_asks_at_the_end_of_a_thread = HELD.try_with(|held| held.take());
}

extern "C" fn in_child() {
    in_parent();
    consignee::after_fork();
}

/// To be called in the child by whoever forks without fork(2), whose children pthread_atfork does not see: after clone(2). After
/// fork(2) the library calls it by itself. From then on nothing that is drawn at random is what the parent draws. It frees no locks:
/// let no other thread be in a call of this library at such a fork.
#[unsafe(no_mangle)]
pub extern "C" fn consignee_after_fork() {
    consignee::after_fork();
}
