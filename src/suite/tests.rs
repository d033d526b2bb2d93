//! What a wrap and the generator must never do.

use super::*;
use zeroize::Zeroize;

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
fn commitments_tell_apart_inputs_that_concatenate_alike() {
    assert_ne!(commit("label", &[b"ab", b"c"]), commit("label", &[b"a", b"bc"]));
    assert_ne!(commit("label", &[b"ab"]), commit("labela", &[b"b"]));
}

/// Copies of a key in this process's memory, whose bytes are `made` of a salt: the key itself stands nowhere here.
#[cfg(target_os = "linux")]
fn copies(made: impl Fn(usize) -> u8) -> usize {
    use std::{
        fs,
        io::{Read, Seek, SeekFrom},
    };

    const PAGE: u64 = 4096;

    let mut memory = fs::File::open("/proc/self/mem").unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    // Pages with the end of the one before, wiped after each: the search must not find what it copied. On the heap, because it
    // must not overwrite the stack that it searches.
    let mut window = vec![0; 4096 + 31];
    let mut count = 0;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        let [from, to] = [from, to].map(|digits| u64::from_str_radix(digits, 16).unwrap());
        memory.seek(SeekFrom::Start(from)).unwrap();
        for _ in 0..(to - from) / PAGE {
            if memory.read_exact(&mut window[31..]).is_err() {
                break;
            }
            count += window
                .windows(32)
                .filter(|bytes| bytes.iter().enumerate().all(|(at, byte)| *byte == made(at)))
                .count();
            window.copy_within(4096.., 0);
            window[31..].zeroize();
        }
        window.as_mut_slice().zeroize();
    }
    count
}

/// A data key leaves nothing behind that was not there when it was made: ring does not wipe, so its stack is wiped for it.
#[cfg(target_os = "linux")]
#[cfg_attr(debug_assertions, ignore = "unoptimised code copies whatever it moves; run with --release")]
#[test]
fn sealing_and_opening_leave_no_copy_of_the_key() {
    use std::{sync::Barrier, thread};

    for suite in [Suite::Aes256Gcm, Suite::ChaCha20Poly1305] {
        let byte = |at: usize| (at * 37).to_le_bytes()[0] ^ 0x5a ^ suite.number();
        let mut key = Secret::new([0; 32]);
        key.expose_mut().iter_mut().enumerate().for_each(|(at, to)| *to = byte(at));
        // By a thread whose stack stays as it is while this one searches.
        let (searched, sealed) = (Barrier::new(2), Barrier::new(2));
        let left = thread::scope(|scope| {
            scope.spawn(|| {
                let mut buffer = [7; 200];
                let tag = seal_in_place(suite, &key, &[1; 12], b"data", &mut buffer).unwrap();
                open_in_place(suite, &key, &[1; 12], b"data", &mut buffer, &tag).unwrap();
                sealed.wait();
                searched.wait();
            });
            sealed.wait();
            let left = copies(byte);
            searched.wait();
            left
        });
        assert_eq!(left, 1, "{suite:?}: the one that is held");
    }
}
