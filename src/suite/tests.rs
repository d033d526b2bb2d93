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

/// Copies, in the stack that this address lies in, of 16 bytes that are `made`.
#[cfg(target_os = "linux")]
fn copies(address: u64, made: impl Fn(usize) -> u8) -> usize {
    use std::{
        fs,
        io::{Read, Seek, SeekFrom},
    };

    const PAGE: u64 = 4096;

    let mut memory = fs::File::open("/proc/self/mem").unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    // Pages with the end of the one before.
    let mut window = vec![0; 4096 + 15];
    let mut count = 0;
    for line in maps.lines() {
        let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        let [from, to] = [from, to].map(|digits| u64::from_str_radix(digits, 16).unwrap());
        if !(from..to).contains(&address) {
            continue;
        }
        memory.seek(SeekFrom::Start(from)).unwrap();
        for _ in 0..(to - from) / PAGE {
            memory.read_exact(&mut window[15..]).unwrap();
            let is_it = |bytes: &&[u8]| bytes.iter().enumerate().all(|(at, byte)| *byte == made(at));
            count += window.windows(16).filter(is_it).count();
            window.copy_within(4096.., 0);
        }
        return count;
    }
    panic!("no memory has this address");
}

/// Of a data key that lies elsewhere, sealing and opening leave no copy on the stack; in suite 2 not half of it, nor of Poly1305's
/// key that is made of it: ring does not wipe, so its stack is wiped for it.
#[cfg(target_os = "linux")]
#[cfg_attr(debug_assertions, ignore = "unoptimised code copies whatever it moves; run with --release")]
#[test]
fn sealing_and_opening_leave_no_copy_of_the_key() {
    use std::{
        sync::{
            Barrier,
            atomic::{AtomicU64, Ordering},
        },
        thread,
    };

    use chacha20::{ChaCha20, KeyIvInit, cipher::StreamCipher};

    const MASK: u8 = 0xa5;
    /// Bits of r that Poly1305 clears.
    const CLAMP: [u8; 16] = [255, 255, 255, 15, 252, 255, 255, 15, 252, 255, 255, 15, 252, 255, 255, 15];

    // From 64 blocks on, the AES of a CPU with AVX-512 leaves its round keys behind (threat model, "Memory").
    let lengths = [16, 200, 400, 900, 2_000, 100_000];
    let aes = lengths[..4].iter().map(|length| (Suite::Aes256Gcm, *length));
    let chacha = lengths.iter().map(|length| (Suite::ChaCha20Poly1305, *length));
    for (suite, length) in aes.chain(chacha) {
        let byte = |at: usize| (at * 37 + length).to_le_bytes()[0] ^ 0x5a ^ suite.number();
        let mut key = Secret::new([0; 32]);
        key.expose_mut().iter_mut().enumerate().for_each(|(at, to)| *to = byte(at));
        // The one-time key of Poly1305, r and s, behind a mask.
        let mut one_time = [MASK; 32];
        ChaCha20::new(key.expose().into(), &[1; 12].into()).apply_keystream(&mut one_time);
        // By a thread whose stack stays as it is while this one searches.
        let (sealed, searched) = (Barrier::new(2), Barrier::new(2));
        let (mut buffer, stack) = (vec![7; length], AtomicU64::new(0));
        let left = thread::scope(|scope| {
            scope.spawn(|| {
                let tag = seal_in_place(suite, &key, &[1; 12], b"data", &mut buffer).unwrap();
                open_in_place(suite, &key, &[1; 12], b"data", &mut buffer, &tag).unwrap();
                let here = (&raw const tag).addr() as u64;
                stack.store(here, Ordering::SeqCst);
                sealed.wait();
                searched.wait();
            });
            sealed.wait();
            let stack = stack.load(Ordering::SeqCst);
            let left = [
                copies(stack, byte),
                copies(stack, |at| byte(at + 16)),
                copies(stack, |at| (one_time[at] ^ MASK) & CLAMP[at]),
                copies(stack, |at| one_time[at + 16] ^ MASK),
            ];
            searched.wait();
            left
        });
        // The first half of an AES key is the first round's, and may be left where a register was saved.
        let counted = usize::from(suite == Suite::Aes256Gcm);
        assert_eq!(left[counted..], [0; 4][counted..], "{suite:?}, {length} bytes");
    }
}
