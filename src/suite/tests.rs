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
fn commitments_tell_apart_inputs_that_concatenate_alike() {
    assert_ne!(commit("label", &[b"ab", b"c"]), commit("label", &[b"a", b"bc"]));
    assert_ne!(commit("label", &[b"ab"]), commit("labela", &[b"b"]));
}
