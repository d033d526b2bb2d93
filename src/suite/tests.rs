//! Published vectors of the key derivations and wraps, and what the generator must never do.

use chacha20::{R20, hchacha};

use super::*;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// C2SP XAES-256-GCM, "Test vectors": (key byte, derived key, associated data, ciphertext and tag).
const XAES: [(u8, &str, &str, &str); 2] = [
    (
        1,
        "c8612c9ed53fe43e8e005b828a1631a0bbcb6ab2f46514ec4f439fcfd0fa969b",
        "",
        "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271",
    ),
    (
        3,
        "e9c621d4cdd9b11b00a6427ad7e559aeedd66b3857646677748f8ca796cb3fd8",
        "c2sp.org/XAES-256-GCM",
        "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d",
    ),
];

#[test]
fn suite_1_derives_and_unwraps_as_xaes_256_gcm() {
    for (key, derived, aad, sealed) in XAES {
        let key = Secret::new([key; 32]);
        let made = Kdf::new(Suite::Aes256Gcm, key.expose()).derive(b"ABCDEFGHIJKL");
        assert_eq!(made.expose().as_slice(), hex(derived));
        let wrapped = [b"ABCDEFGHIJKLMNOPQRSTUVWX".as_slice(), &hex(sealed)].concat();
        let mut out = [0; 12];
        unwrap(Suite::Aes256Gcm, &key, aad.as_bytes(), &wrapped, &mut out).unwrap();
        assert_eq!(&out, b"XAES-256-GCM");
    }
}

/// draft-irtf-cfrg-xchacha-03, section 2.2.1.
#[test]
fn hchacha20_is_the_published_one() {
    let key: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
    let input: [u8; 16] = hex("000000090000004a0000000031415927").try_into().unwrap();
    let out = hchacha::<R20>(&key.into(), &input.into());
    assert_eq!(out.as_slice(), hex("82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"));
}

/// draft-irtf-cfrg-xchacha-03, appendix A.3.1 (the wrap of suite 2).
#[test]
fn suite_2_unwraps_as_xchacha20_poly1305() {
    let key: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap() + 0x80);
    let sealed = concat!(
        "404142434445464748494a4b4c4d4e4f5051525354555657",
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb",
        "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452",
        "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9",
        "21f9664c97637da9768812f615c68b13b52e",
        "c0875924c1c7987947deafd8780acf49"
    );
    let mut out = [0; 114];
    unwrap(
        Suite::ChaCha20Poly1305,
        &Secret::new(key),
        &hex("50515253c0c1c2c3c4c5c6c7"),
        &hex(sealed),
        &mut out,
    )
    .unwrap();
    assert!(out.starts_with(b"Ladies and Gentlemen of the class of '99"));
}

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
