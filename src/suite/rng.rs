//! Randomness: long-lived keys straight from the operating system, what every order needs from a generator per thread.

use std::{
    cell::RefCell,
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use chacha20::ChaCha20Rng;
use rand::{Rng, SeedableRng, TryRng, rngs::SysRng};
use zeroize::Zeroize;

use super::Secret;

/// Bytes after which a generator is seeded anew.
const RESEED_AFTER: usize = 64 * 1024;

/// Counts forks. A generator seeded under another number is not used again.
static GENERATION: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static RNG: RefCell<Option<SealRng>> = const { RefCell::new(None) };
}

/// Makes every thread seed its generator anew before it draws again. For a child process right after `fork`.
///
/// The vault notices a changed process id by itself at its next call; bindings register this function all the same
/// (`os.register_at_fork`, `pthread_atfork`), so that not even a call in progress repeats a byte.
pub fn after_fork() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// The operating system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RandomFailed;

/// Fills `out` straight from the operating system, for keys that live long.
pub(crate) fn os_random(out: &mut [u8]) -> Result<(), RandomFailed> {
    SysRng.try_fill_bytes(out).map_err(|_| RandomFailed)
}

/// The generator of one thread: ChaCha20, seeded by the operating system, seeded anew every 64 KiB and after a fork.
///
/// `rand`'s `ThreadRng` is not reseeded in a forked child: two workers of a preforked pool would draw the same secrets and
/// nonces, and GCM would give both orders away.
pub(crate) struct SealRng {
    rng: ChaCha20Rng,
    pub(super) left: usize,
    /// Where it was seeded; `None` for a fixed seed, which nothing replaces.
    seeding: Option<Seeding>,
}

/// The process that a generator was seeded in, by its number and by the count of forks. Each generator has its own, so that no
/// thread has to tell the others.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seeding {
    process: u32,
    generation: u64,
}

impl Seeding {
    fn now() -> Self {
        Self { process: process::id(), generation: GENERATION.load(Ordering::Relaxed) }
    }
}

impl SealRng {
    /// Runs `work` with this thread's generator, after checking for a fork. Once per call into the vault, not per order.
    pub(crate) fn with<T>(work: impl FnOnce(&mut Self) -> T) -> Result<T, RandomFailed> {
        let now = Some(Seeding::now());
        RNG.with(|cell| {
            let mut slot = cell.try_borrow_mut().map_err(|_| RandomFailed)?;
            match &mut *slot {
                Some(rng) if rng.seeding == now => Ok(work(rng)),
                slot => Ok(work(slot.insert(Self::seeded()?))),
            }
        })
    }

    /// A generator of its own, seeded by the operating system.
    pub(crate) fn seeded() -> Result<Self, RandomFailed> {
        let seeding = Some(Seeding::now());
        let mut seed = [0; 32];
        os_random(&mut seed)?;
        let rng = ChaCha20Rng::from_seed(seed);
        seed.zeroize();
        Ok(Self { rng, left: RESEED_AFTER, seeding })
    }

    /// A generator with a seed of the caller's choice, for vectors and for the attack of two equal generators.
    #[cfg(any(test, constant_time))]
    pub(crate) fn from_seed(seed: [u8; 32]) -> Self {
        Self { rng: ChaCha20Rng::from_seed(seed), left: usize::MAX, seeding: None }
    }

    /// Seeds anew where that is due. Called before each sealing, so that one draws all its bytes from one seed.
    ///
    /// Whether it was: then what was drawn before, to be used later, is dropped.
    ///
    /// # Errors
    /// The operating system gave no seed. Going on with the old one after a fork would repeat another process's bytes.
    pub(crate) fn refresh(&mut self) -> Result<bool, RandomFailed> {
        let forked = self.seeding.is_some_and(|seen| seen.generation != GENERATION.load(Ordering::Relaxed));
        let due = forked || self.left == 0;
        if due {
            *self = Self::seeded()?;
        }
        Ok(due)
    }

    /// For crates that draw by themselves. What they draw is not counted: for a generator of its own.
    pub(super) fn generator(&mut self) -> &mut ChaCha20Rng {
        &mut self.rng
    }

    /// Fills `out` with random bytes.
    pub(crate) fn fill(&mut self, out: &mut [u8]) {
        self.left = self.left.saturating_sub(out.len());
        self.rng.fill_bytes(out);
    }

    pub(crate) fn secret<const N: usize>(&mut self) -> Secret<N> {
        let mut secret = Secret::new([0; N]);
        self.fill(secret.expose_mut());
        secret
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}
