//! What an operator may see of the work: which operation, how many orders, how many of them failed and with which kind of error,
//! the role and the purpose, how long it took. Never a value, an order number, an alias, a record id or a party's name.
//!
//! The counters of [`Stats`](crate::Stats) are always kept; spans exist with the feature `tracing` only.

use std::{
    array,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::error::{Error, ErrorKind, Result};

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Put,
    Open,
    Find,
    Update,
    Shred,
    ResolveAlias,
    WhoSaw,
    ApplyPolicy,
    AddParty,
    RevokeParty,
    IssueKeyring,
    Share,
    Close,
    ChangeRoot,
    Rotate,
    Rewrap,
    Reseal,
    DestroyEpoch,
    Doctor,
    Create,
    Unlock,
    #[cfg(feature = "sqlite")]
    Backup,
    #[cfg(feature = "sqlite")]
    Restore,
    /// A step of the others: entries on their way to the ledger.
    Append,
    /// A step of the others: the checkpoint outside is moved on.
    KeepCheckpoint,
    /// A step of the others: waiting for another writer.
    Wait,
}

const OPERATIONS: usize = Operation::Wait as usize + 1;
const KINDS: usize = ErrorKind::ALL.len();

/// What a vault has done since it was unlocked. Counted without locks.
pub(crate) struct Counters {
    done: [AtomicU64; OPERATIONS],
    unchanged: AtomicU64,
    errors: [AtomicU64; KINDS],
}

impl Default for Counters {
    fn default() -> Self {
        let zero = |_| AtomicU64::new(0);
        Self { done: array::from_fn(zero), unchanged: AtomicU64::new(0), errors: array::from_fn(zero) }
    }
}

impl Counters {
    pub(crate) fn done(&self, operation: Operation) -> u64 {
        self.done[operation as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn unchanged(&self) -> u64 {
        self.unchanged.load(Ordering::Relaxed)
    }

    /// Kinds of error that were met, with their number.
    pub(crate) fn errors(&self) -> impl Iterator<Item = (&'static ErrorKind, u64)> {
        let counts = self.errors.iter().map(|count| count.load(Ordering::Relaxed));
        ErrorKind::ALL.iter().zip(counts).filter(|(_, count)| *count > 0)
    }
}

/// One run of an operation, until it is dropped.
pub(crate) struct Watch<'a> {
    operation: Operation,
    counters: Option<&'a Counters>,
    span: span::Span,
}

impl<'a> Watch<'a> {
    /// An operation on a number of orders.
    pub(crate) fn new(operation: Operation, orders: usize, counters: &'a Counters) -> Self {
        Self { operation, counters: Some(counters), span: span::Span::new(operation, orders) }
    }

    /// A step of other operations, or one that has no vault as yet.
    pub(crate) fn uncounted(operation: Operation, number: usize) -> Self {
        Self { operation, counters: None, span: span::Span::new(operation, number) }
    }

    /// Who acts, as the policy calls it. A purpose that no policy knows is the caller's text, and is not shown.
    pub(crate) fn acts(&self, role: &str, purpose: Option<&str>) {
        self.span.acts(role, purpose);
    }

    /// How many orders it was, where that is known afterwards only.
    pub(crate) fn orders(&self, orders: usize) {
        self.span.orders(orders);
    }

    /// How many of them failed, where there is no error that says so.
    pub(crate) fn failed(&self, failed: usize) {
        self.span.failed(failed);
    }

    /// Passes the result on.
    pub(crate) fn one<T>(&self, result: Result<T>) -> Result<T> {
        match &result {
            Ok(_) => self.count_done(1),
            Err(error) => self.count_failure(error),
        }
        result
    }

    /// Passes the result on, where it has a result of its own for each order: of these, [`Watch::many`] is told afterwards.
    pub(crate) fn one_of_many<T>(&self, result: Result<T>) -> Result<T> {
        result.inspect_err(|error| self.count_failure(error))
    }

    /// Passes the results on, one per order.
    pub(crate) fn many<T>(&self, results: Result<Vec<Result<T>>>) -> Result<Vec<Result<T>>> {
        self.count_many(&results, |_| true);
        results
    }

    /// The same, where some results mean that nothing had to be done.
    pub(crate) fn many_changed<T>(
        &self,
        results: Result<Vec<Result<T>>>,
        changed: impl Fn(&T) -> bool,
    ) -> Result<Vec<Result<T>>> {
        self.count_many(&results, changed);
        results
    }

    fn count_many<T>(&self, results: &Result<Vec<Result<T>>>, changed: impl Fn(&T) -> bool) {
        let results = match results {
            Ok(results) => results,
            Err(error) => return self.count_failure(error),
        };
        let (mut done, mut unchanged, mut kinds) = (0, 0, [0u64; KINDS]);
        for result in results {
            match result {
                Ok(value) if changed(value) => done += 1,
                Ok(_) => unchanged += 1,
                Err(error) => kinds[place(error)] += 1,
            }
        }
        self.count_done(done);
        if let Some(counters) = self.counters {
            counters.unchanged.fetch_add(unchanged, Ordering::Relaxed);
        }
        let failed = kinds.iter().zip(ErrorKind::ALL).enumerate().filter(|(_, (count, _))| **count > 0);
        for (at, (count, kind)) in failed {
            if let Some(counters) = self.counters {
                counters.errors[at].fetch_add(*count, Ordering::Relaxed);
            }
            self.span.orders_failed(kind.name(), *count);
        }
        self.span.failed(results.len() - results.iter().flatten().count());
    }

    fn count_done(&self, done: u64) {
        if let Some(counters) = self.counters {
            counters.done[self.operation as usize].fetch_add(done, Ordering::Relaxed);
        }
    }

    fn count_failure(&self, error: &Error) {
        if let Some(counters) = self.counters {
            counters.errors[place(error)].fetch_add(1, Ordering::Relaxed);
        }
        self.span.call_failed(error.kind().name());
    }
}

fn place(error: &Error) -> usize {
    ErrorKind::ALL.iter().position(|kind| kind.status() == error.kind().status()).unwrap_or(KINDS - 1)
}

#[cfg(feature = "tracing")]
mod span {
    use tracing::{debug_span, field::Empty, info_span, span::EnteredSpan, warn};

    use super::Operation;

    /// Entered until it is dropped, so its time is the operation's.
    pub(super) struct Span {
        span: EnteredSpan,
        is_step: bool,
    }

    // A span's name belongs to the place in the code where it is made.
    macro_rules! operation {
        ($name:literal, $orders:expr) => {
            info_span!(
                target: "consignee", $name,
                orders = $orders, failed = Empty, role = Empty, purpose = Empty, error = Empty,
            )
        };
    }

    impl Span {
        pub(super) fn new(operation: Operation, number: usize) -> Self {
            let span = match operation {
                Operation::Put => operation!("put", number),
                Operation::Open => operation!("open", number),
                Operation::Find => operation!("find", Empty),
                Operation::Update => operation!("update", number),
                Operation::Shred => operation!("shred", number),
                Operation::ResolveAlias => operation!("resolve_alias", number),
                Operation::ApplyPolicy => operation!("apply_policy", Empty),
                Operation::AddParty => operation!("add_party", Empty),
                Operation::RevokeParty => operation!("revoke_party", Empty),
                Operation::IssueKeyring => operation!("issue_keyring", Empty),
                Operation::Share => operation!("share", number),
                Operation::WhoSaw => operation!("who_saw", number),
                Operation::Close => operation!("close", number),
                Operation::ChangeRoot => operation!("change_root", Empty),
                Operation::Rotate => operation!("rotate", Empty),
                Operation::Rewrap => operation!("rewrap", Empty),
                Operation::Reseal => operation!("reseal", Empty),
                Operation::DestroyEpoch => operation!("destroy_epoch", Empty),
                Operation::Doctor => operation!("doctor", Empty),
                Operation::Create => operation!("create", Empty),
                Operation::Unlock => operation!("unlock", Empty),
                #[cfg(feature = "sqlite")]
                Operation::Backup => operation!("backup", Empty),
                #[cfg(feature = "sqlite")]
                Operation::Restore => operation!("restore", Empty),
                Operation::Append => {
                    debug_span!(target: "consignee", "append", entries = number, error = Empty)
                }
                Operation::KeepCheckpoint => {
                    debug_span!(target: "consignee", "keep_checkpoint", error = Empty)
                }
                Operation::Wait => debug_span!(target: "consignee", "wait_for_writer", error = Empty),
            };
            let is_step = matches!(operation, Operation::Append | Operation::Wait);
            Self { span: span.entered(), is_step }
        }

        pub(super) fn acts(&self, role: &str, purpose: Option<&str>) {
            self.span.record("role", role);
            if let Some(purpose) = purpose {
                self.span.record("purpose", purpose);
            }
        }

        pub(super) fn orders(&self, orders: usize) {
            self.span.record("orders", orders);
        }

        pub(super) fn failed(&self, failed: usize) {
            self.span.record("failed", failed);
        }

        pub(super) fn orders_failed(&self, error: &str, orders: u64) {
            warn!(target: "consignee", error, orders, "orders failed");
        }

        pub(super) fn call_failed(&self, error: &str) {
            self.span.record("error", error);
            // The operation that the step belongs to says so.
            if !self.is_step {
                warn!(target: "consignee", error, "the call failed");
            }
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod span {
    use super::Operation;

    /// Nothing.
    pub(super) struct Span;

    impl Span {
        pub(super) fn new(_operation: Operation, _number: usize) -> Self {
            Self
        }

        pub(super) fn acts(&self, _role: &str, _purpose: Option<&str>) {}

        pub(super) fn orders(&self, _orders: usize) {}

        pub(super) fn failed(&self, _failed: usize) {}

        pub(super) fn orders_failed(&self, _error: &str, _orders: u64) {}

        pub(super) fn call_failed(&self, _error: &str) {}
    }
}
