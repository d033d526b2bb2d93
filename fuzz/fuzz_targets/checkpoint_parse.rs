//! Notes, checkpoints, signature lines, keys and trust policies from outside: what is read is written the same, and checking the
//! signatures of what nobody signed refuses it.
#![no_main]

use std::sync::LazyLock;

use consignee::tlog::{
    Checkpoint, Note, NoteKey, NoteSignature, SignedCheckpoint, TrustPolicy, VerifierKey, WitnessRequest,
};
use libfuzzer_sys::fuzz_target;

/// The key of Go's example, by which inputs of the corpus are signed.
static KEY: LazyLock<VerifierKey> = LazyLock::new(|| {
    VerifierKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").expect("a key")
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
        let _signed = note.signed_by(&KEY);
        for signature in note.signatures() {
            assert_eq!(NoteSignature::parse(&signature.to_string()).as_ref().ok(), Some(signature));
        }
        if let Ok(checkpoint) = Checkpoint::parse(note.text()) {
            // Lines after the third are the log's own.
            assert!(note.text().starts_with(&checkpoint.to_string()));
            assert_eq!(Checkpoint::parse(&checkpoint.to_string()).ok(), Some(checkpoint));
        }
    }
    if let Ok(signed) = SignedCheckpoint::parse(bytes) {
        assert_eq!(signed.to_string().as_bytes(), bytes);
        let policy = TrustPolicy::log_only(KEY.clone());
        assert_eq!(policy.check(&signed).is_ok(), signed.check_log(&KEY).is_ok());
        assert_eq!(SignedCheckpoint::verify(bytes, &KEY).is_ok(), signed.check_log(&KEY).is_ok());
    }
    if let Ok(request) = WitnessRequest::parse(bytes) {
        assert_eq!(request.to_string().as_bytes(), bytes);
    }
    if let Ok(policy) = TrustPolicy::parse(bytes) {
        let written = policy.to_bytes();
        let again = TrustPolicy::parse(&written).expect("it was written");
        assert_eq!((&again, again.to_bytes()), (&policy, written));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(key) = VerifierKey::parse(text) {
        assert_eq!(key.to_string(), text.trim_ascii());
    }
    if let Ok(signature) = NoteSignature::parse(text) {
        assert_eq!(signature.to_string(), text);
    }
    let _key_or_error = NoteKey::parse(text).map(drop);
});
