//! One batch on all cores.

use std::{
    num::NonZero,
    panic,
    sync::{LazyLock, Mutex, PoisonError},
    thread,
};

use crate::suite::wiping_stack_once;

/// Items that must come to each thread for its start to pay: it costs as much as a few orders, a thread more of them being idle.
const PER_THREAD: usize = 64;

/// What the system gives this process; asked once, because it reads files for it.
static CORES: LazyLock<usize> = LazyLock::new(|| thread::available_parallelism().map_or(1, NonZero::get));

/// Does the work on the items, cut into as many pieces as there are cores that pay; the results in the order of the pieces. What
/// ciphers leave on the stack is wiped once for each piece.
///
/// The threads live for this call only: a pool would not survive a fork, and a forked child would wait for it for ever. Where the
/// system starts no more threads, this one does their work.
pub(crate) fn on_all<T: Send, U: Send>(items: &mut [T], work: impl Fn(&mut [T]) -> U + Sync) -> Vec<U> {
    let threads = (*CORES).min(items.len() / PER_THREAD).max(1);
    let size = items.len().div_ceil(threads).max(1);
    // A thread takes its piece out when it runs, so that the piece of one that does not start is still there.
    let pieces: Vec<_> = items.chunks_mut(size).map(|piece| Mutex::new(Some(piece))).collect();
    let take = |piece: &Mutex<Option<&mut [T]>>| {
        let piece = piece.lock().unwrap_or_else(PoisonError::into_inner).take();
        piece.map(|piece| wiping_stack_once(|| work(piece)))
    };
    let others = pieces.get(1..).unwrap_or_default();
    thread::scope(|scope| {
        let take = &take;
        let start = |piece| thread::Builder::new().spawn_scoped(scope, move || take(piece)).ok();
        let started: Vec<_> = others.iter().map(start).collect();
        let mut done = vec![pieces.first().map_or_else(|| Some(work(&mut [])), take)];
        for (piece, thread) in others.iter().zip(started) {
            done.push(match thread {
                Some(thread) => thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic)),
                None => take(piece),
            });
        }
        done.into_iter().flatten().collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_is_worked_on_once_and_stands_in_its_place() {
        for count in [0, 1, 63, 64, 127, 128, 129, 1_000, 10_007] {
            let mut items: Vec<usize> = (0..count).collect();
            let pieces = on_all(&mut items, |piece| {
                piece.iter_mut().for_each(|item| *item += 1);
                piece.to_vec()
            });
            assert!(pieces.concat() == items && items == (1..=count).collect::<Vec<_>>());
            assert!(pieces.len() == 1 || pieces.iter().all(|piece| piece.len() >= PER_THREAD / 2));
        }
    }

    #[test]
    fn a_panic_of_any_piece_is_the_callers() {
        let mut items = vec![0; 10_000];
        *items.last_mut().unwrap() = 1;
        let work = |piece: &mut [i32]| assert!(piece.iter().all(|item| *item == 0), "the last");
        let panicked = panic::catch_unwind(panic::AssertUnwindSafe(|| on_all(&mut items, work)));
        assert!(panicked.unwrap_err().downcast_ref::<&str>().is_some_and(|text| text.contains("the last")));
    }
}
