//! What a wrap and the generator must never do.

use super::*;

#[test]
fn a_wrap_opens_only_whole_and_under_its_key_and_data() {
    for suite in [Suite::Aes256Gcm, Suite::ChaCha20Poly1305] {
        let (key, other) = (Secret::new([1; 32]), Secret::new([2; 32]));
        let wrapped = wrap(suite, &key, &mut SealRng::from_seed([9; 32]), b"here", b"key bytes").unwrap();
        let open = |key, aad: &[u8], wrapped: &[u8]| unwrap(suite, key, aad, wrapped, &mut [0; 9]);
        assert_eq!(open(&key, b"here", &wrapped), Ok(()));
        assert_eq!(open(&other, b"here", &wrapped), Err(Unauthentic));
        assert_eq!(open(&key, b"there", &wrapped), Err(Unauthentic));
        for at in 0..wrapped.len() {
            let mut bad = wrapped.clone();
            bad[at] ^= 1;
            assert_eq!(open(&key, b"here", &bad), Err(Unauthentic), "byte {at}");
            assert_eq!(open(&key, b"here", &wrapped[..at]), Err(Unauthentic), "cut at {at}");
        }
    }
}

#[test]
fn a_generator_seeds_anew_after_64_kib_and_after_a_fork() {
    let draw = || SealRng::with(|rng| (rng.refresh(), rng.left, rng.array::<16>())).unwrap();
    let (_, first_left, first) = draw();
    let (_, second_left, second) = draw();
    assert_ne!(first, second);
    assert_eq!(second_left, first_left - 16, "the same generator goes on");
    after_fork();
    assert_eq!(draw().1, 64 * 1024, "a fork seeds anew");
    SealRng::with(|rng| rng.fill(&mut vec![0; 64 * 1024])).unwrap();
    assert_eq!(draw().1, 64 * 1024, "64 KiB seed anew");
}

#[test]
fn derivations_in_one_call_are_those_of_single_calls() {
    for suite in [Suite::Aes256Gcm, Suite::ChaCha20Poly1305] {
        let kdf = Kdf::new(suite, &[7; 32]);
        for count in (0..=9).chain([31, 32, 33, 64, 65]) {
            let inputs: Vec<[u8; 12]> = (0..count).map(|n| [n; 12]).collect();
            let mut out: Vec<_> = inputs.iter().map(|_| Secret::new([0; 32])).collect();
            kdf.derive_all(&inputs, &mut out);
            for (input, made) in inputs.iter().zip(&out) {
                assert!(made.equals(kdf.derive(input).expose()), "{suite:?}, {count} at once");
            }
        }
    }
}

#[test]
fn commitments_tell_apart_inputs_that_concatenate_alike() {
    assert_ne!(commit("label", &[b"ab", b"c"]), commit("label", &[b"a", b"bc"]));
    assert_ne!(commit("label", &[b"ab"]), commit("labela", &[b"b"]));
}

/// How often each of these 16 bytes stands on the stack of a thread that has done `work` and waits.
#[cfg(target_os = "linux")]
pub(crate) fn left_on_stack<T: Send>(
    work: impl FnOnce() -> T + Send,
    sought: impl FnOnce(&T) -> Vec<[u8; 16]>,
) -> Vec<usize> {
    use std::{sync::mpsc, thread};

    let (done, is_done) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let made = Box::new(work());
            let here = (&raw const made).addr() as u64;
            done.send((here, made)).unwrap();
            let _ = goes_on.recv();
        });
        let (here, made) = is_done.recv().unwrap();
        let counts = count_in_stack(here, &sought(&made));
        drop(go_on);
        counts
    })
}

#[cfg(target_os = "linux")]
fn count_in_stack(address: u64, sought: &[[u8; 16]]) -> Vec<usize> {
    use std::{
        fs,
        io::{Read, Seek, SeekFrom},
    };

    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let stack = maps.lines().find_map(|line| {
        let (from, to) = line.split_once(' ')?.0.split_once('-')?;
        let [from, to] = [from, to].map(|digits| u64::from_str_radix(digits, 16).unwrap());
        (from..to).contains(&address).then_some((from, to))
    });
    let (from, to) = stack.expect("no memory has this address");
    let mut memory = fs::File::open("/proc/self/mem").unwrap();
    memory.seek(SeekFrom::Start(from)).unwrap();
    let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
    memory.read_exact(&mut bytes).unwrap();
    sought.iter().map(|sought| bytes.windows(16).filter(|bytes| bytes == sought).count()).collect()
}

#[cfg(target_os = "linux")]
pub(crate) fn halves(key: &[u8; 32]) -> [[u8; 16]; 2] {
    [0, 16].map(|from| std::array::from_fn(|at| key[from + at]))
}

/// Of a data key that lies elsewhere, sealing and opening leave no half on the stack, nor the key of Poly1305 that is made of it.
#[cfg(target_os = "linux")]
#[cfg_attr(debug_assertions, ignore = "unoptimised code copies whatever it moves; run with --release")]
#[test]
fn sealing_and_opening_leave_no_copy_of_the_key() {
    use chacha20::{ChaCha20, KeyIvInit, cipher::StreamCipher};

    /// Bits of r that Poly1305 clears.
    const CLAMP: u128 = 0x0fff_fffc_0fff_fffc_0fff_fffc_0fff_ffff;

    // From 1,024 bytes on, all registers of AVX-512 are in use.
    for length in [16, 200, 400, 900, 2_000, 100_000] {
        for suite in [Suite::Aes256Gcm, Suite::ChaCha20Poly1305] {
            let key: [u8; 32] =
                std::array::from_fn(|at| (at * 37 + length).to_le_bytes()[0] ^ 0x5a ^ suite.number());
            let key = Secret::new(key);
            let mut buffer = vec![7; length];
            let work = || {
                let tag =
                    wiping_stack(|| seal_in_place(suite, &key, &[1; 12], b"data", &mut buffer)).unwrap();
                wiping_stack(|| open_in_place(suite, &key, &[1; 12], b"data", &mut buffer, &tag)).unwrap();
            };
            let left = left_on_stack(work, |()| {
                let mut one_time = [0; 32];
                ChaCha20::new(key.expose().into(), &[1; 12].into()).apply_keystream(&mut one_time);
                let [r, s] = halves(&one_time);
                let r = (u128::from_le_bytes(r) & CLAMP).to_le_bytes();
                [halves(key.expose()).as_slice(), &[r, s]].concat()
            });
            assert_eq!(left, [0; 4], "{suite:?}, {length} bytes");
        }
    }
}

/// Of the key that one wrap derives.
#[cfg(target_os = "linux")]
#[cfg_attr(debug_assertions, ignore = "unoptimised code copies whatever it moves; run with --release")]
#[test]
fn wrapping_and_unwrapping_leave_no_copy_of_the_key() {
    for suite in [Suite::Aes256Gcm, Suite::ChaCha20Poly1305] {
        let key = WrapKey::new(suite, Secret::new([1; 32]));
        let work = || {
            let (mut wrapped, mut opened) = ([0; wrapped_len(64)], [0; 64]);
            let mut rng = SealRng::from_seed([9; 32]);
            key.wrap(&mut rng, &[0; 16], b"here", &[7; 64], &mut wrapped).unwrap();
            key.unwrap(b"here", &wrapped, &mut opened).unwrap();
            wrapped
        };
        let left = left_on_stack(work, |wrapped| halves(&key.derived_for(wrapped)).to_vec());
        assert_eq!(left, [0; 2], "{suite:?}");
    }
}

/// Without the wiping there are copies: the search finds them.
#[cfg(target_os = "linux")]
#[test]
fn a_cipher_alone_leaves_copies_that_are_found() {
    let key = Secret::new(std::array::from_fn(|at| at.to_le_bytes()[0] ^ 0x5a));
    let mut buffer = vec![7; 2_000];
    let work = || seal_in_place(Suite::ChaCha20Poly1305, &key, &[1; 12], b"data", &mut buffer).is_ok();
    let left = left_on_stack(work, |_| halves(key.expose()).to_vec());
    assert_ne!(left, [0; 2]);
}
