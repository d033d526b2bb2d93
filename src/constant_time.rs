//! Doors for `tests/constant-time`: single steps with keys from outside, so that Valgrind can be told which bytes are secret.
//! Only there with `--cfg constant_time`.

use consignee_policy::{Normaliser, PartId, Policy};
use zeroize::Zeroizing;

use crate::{
    alias::{Alias, AliasKey},
    keys::{
        FieldKey, HandleKey, IdKey, IndexKey, OrderSecret, QueryKey, RecordId, RegistryKey, VaultId,
        argon2id, key_line, parse_key_line,
    },
    normalise,
    registry::authentic,
    suite::{self, Kdf, SealRng, Secret, Suite, WrapKey},
};

type Key = [u8; 32];

const VAULT: VaultId = VaultId([1; 16]);
const ORDER: RecordId = RecordId([2; 16]);

/// Encrypts in place; the tag.
pub fn seal(suite: Suite, key: Key, aad: &[u8], buffer: &mut [u8]) -> Option<[u8; 16]> {
    suite::seal_in_place(suite, &Secret::new(key), &[3; 12], aad, buffer).ok()
}

/// Decrypts in place; whether the tag was right.
pub fn open(suite: Suite, key: Key, aad: &[u8], buffer: &mut [u8], tag: &[u8; 16]) -> bool {
    suite::open_in_place(suite, &Secret::new(key), &[3; 12], aad, buffer, tag).is_ok()
}

/// Nine derivations, one more than are made at once.
pub fn derive(suite: Suite, key: Key, inputs: &[[u8; 12]; 9]) -> [Key; 9] {
    let mut out = [(); 9].map(|()| Secret::new([0; 32]));
    Kdf::new(suite, &key).derive_all(inputs, &mut out);
    out.map(|secret| *secret.expose())
}

/// An order secret from a generator with this seed, its ticket part, and the data key it makes with a field key.
pub fn data_key(suite: Suite, seed: Key, field_key: Key) -> Option<Key> {
    let part = PartId::new(3)?;
    let mut rng = SealRng::from_seed(seed);
    rng.refresh().ok()?;
    let (secret, mut tickets) = (OrderSecret::draw(suite, &mut rng), Vec::new());
    secret.ticket_parts(ORDER, std::iter::once(part), &mut tickets);
    let key = FieldKey::new(suite, Secret::new(field_key)).data_key(&[4; 10], tickets.first()?);
    Some(*key.expose())
}

/// Wraps under a nonce from a generator with this seed.
pub fn wrap(suite: Suite, key: Key, seed: Key, aad: &[u8], plaintext: &Key) -> Option<[u8; 72]> {
    let mut out = [0; 72];
    WrapKey::new(suite, Secret::new(key))
        .wrap(&mut SealRng::from_seed(seed), &ORDER.0, aad, plaintext, &mut out)
        .ok()?;
    Some(out)
}

/// Unwraps into `out`; whether the tag was right.
pub fn unwrap(suite: Suite, key: Key, aad: &[u8], wrapped: &[u8; 72], out: &mut Key) -> bool {
    WrapKey::new(suite, Secret::new(key)).unwrap(aad, wrapped, out).is_ok()
}

/// The id of an order, its handle, the name of a query and a search tag, each under its own key.
pub fn names(key: Key, text: &str) -> Option<([u8; 16], [u8; 16], [u8; 32], u64)> {
    let policy = Policy::built_in();
    let field = policy.field("consignee.phone")?;
    let (raw, index) = (Secret::new(key), field.index?);
    Some((
        IdKey::new(&raw).record_id(text).0,
        HandleKey::new(Secret::new(key)).handle(&[5; 16]),
        QueryKey::new(&raw).query(&[5; 16], field.id, &index, text),
        IndexKey::new(&raw).tag(field.id, &index, text),
    ))
}

/// The commitments to an order secret and to a field key.
pub fn commitments(suite: Suite, secret: Key, field_key: Key) -> Option<(Key, Key)> {
    let secret = OrderSecret::new(suite, Secret::new(secret)).commitment(ORDER, &[4; 10]);
    Some((secret, FieldKey::new(suite, Secret::new(field_key)).commitment(VAULT, 1, PartId::new(3)?, suite)))
}

/// The tag of an item of the key store.
pub fn registry_tag(key: Key, body: &[u8]) -> [u8; 32] {
    RegistryKey::new(&Secret::new(key)).tag(VAULT, 32, 1, 0, body)
}

/// Whether an item ends in its tag.
pub fn registry_item(key: Key, item: &[u8]) -> bool {
    authentic(&RegistryKey::new(&Secret::new(key)), VAULT, (32, 1, 0), item).is_ok()
}

/// The fingerprint of an order's values.
pub fn fingerprint(key: Key, secret: Key, values: &[u8]) -> [u8; 16] {
    let secret = OrderSecret::new(Suite::Aes256Gcm, Secret::new(secret));
    IdKey::new(&Secret::new(key)).fingerprint(ORDER, &secret, values)
}

/// Whether this is the fingerprint of an order's values.
pub fn same_fingerprint(key: Key, secret: Key, values: &[u8], stored: &[u8]) -> bool {
    let secret = OrderSecret::new(Suite::Aes256Gcm, Secret::new(secret));
    IdKey::new(&Secret::new(key)).is_fingerprint(stored, ORDER, &secret, values)
}

/// The alias of an order.
pub fn alias(key: Key, party: u32, serial: u64) -> Option<Alias> {
    AliasKey::new(VAULT, &Secret::new(key))?.alias(party, serial)
}

/// Party and serial of an alias.
pub fn resolve(key: Key, alias: &Alias) -> Option<(u32, u64)> {
    AliasKey::new(VAULT, &Secret::new(key))?.resolve(alias)
}

/// The line of a key file.
pub fn key_file(key: Key) -> Option<Zeroizing<Vec<u8>>> {
    Some(key_line(&Secret::new(key)))
}

/// The key in a line of a key file.
pub fn read_key_file(line: &[u8]) -> Option<Key> {
    parse_key_line(line).map(|key| *key.expose())
}

/// A root key from a passphrase, at the least cost that Argon2id has.
pub fn passphrase(text: &str) -> Option<Key> {
    argon2id(text, &[6; 16], (8, 1, 1)).ok().map(|key| *key.expose())
}

/// Whether two texts have the same form.
pub fn same_form(one: &str, other: &str) -> bool {
    normalise::normalise(Normaliser::Exact, one) == normalise::normalise(Normaliser::Exact, other)
}
