//! Somebody has the registry key, so that he can make every tag and the seal anew, and no root key: what binds a wrapped key to its
//! place is then its associated data alone.

use super::{
    items::{insert_key, insert_tagged, untagged},
    *,
};
use crate::{
    Setup, Vault,
    keys::{KeyFile, RootKeyProvider},
    store::Memory,
};

const ROOT: [u8; 32] = [42; 32];
const PARAMETERS: [u8; 1] = [1];

/// Kind, id and generation of an item.
type Place = (u8, u32, u32);

/// A vault's items, with all that is needed to forge them.
struct Stolen {
    vault: VaultId,
    items: Items,
    registry_key: RegistryKey,
    root: Box<dyn RootKey>,
}

impl Stolen {
    /// With field and index keys of two epochs and two release keys.
    fn new(suite: Suite) -> Self {
        let stores = Memory::stores();
        Vault::begin(stores.clone(), &KeyFile::from_bytes(ROOT), &Setup { suite, ..Setup::default() })
            .unwrap();
        let root = KeyFile::from_bytes(ROOT).unlock(&PARAMETERS).unwrap();
        let items = stores.keys.items().unwrap();
        let vault = peek_vault(&items).unwrap().vault;
        let mut items: Items = items.into_iter().map(|i| ((i.kind, i.id, i.generation), i.body)).collect();
        let (_, key) = load_key(&items, &*root, &PARAMETERS, vault, KeyKind::Registry, 0, 0).unwrap();
        let registry_key = RegistryKey::new(&key);
        let known = items.keys().copied().collect::<Vec<_>>().into_iter();
        for (kind, id, _) in known.filter(|(kind, ..)| *kind <= KeyKind::Release as u8) {
            let kind = [KeyKind::Field, KeyKind::Index, KeyKind::Release][usize::from(kind) - 1];
            let context = WrapContext { vault, kind, id, generation: 2, suite: Some(suite) };
            insert_key(&mut items, &registry_key, &*root, &PARAMETERS, context, &new_key().unwrap()).unwrap();
        }
        Self { vault, items, registry_key, root }
    }

    fn keys(&self) -> impl Iterator<Item = Place> {
        self.items.keys().copied().filter(|(kind, ..)| *kind <= KeyKind::Query as u8)
    }

    /// The wrapped key in this place, with the number of its suite.
    fn body(&self, place: Place) -> Vec<u8> {
        untagged(&self.items[&place]).unwrap().to_vec()
    }

    /// Loads the items with these bodies in these places, all tags and the seal made anew.
    fn load_with(&self, bodies: &[(Place, Vec<u8>)]) -> Result<Registry> {
        let mut items = self.items.clone();
        for (place, body) in bodies {
            insert_tagged(&mut items, &self.registry_key, self.vault, *place, body.clone());
        }
        seal_items(&mut items, &self.registry_key, self.vault);
        let item = |((kind, id, generation), body)| Item { kind, id, generation, body };
        Registry::load(items.into_iter().map(item).collect(), &*self.root)
    }

    fn refuses(&self, bodies: &[(Place, Vec<u8>)]) -> bool {
        self.load_with(bodies).is_err_and(|e| *e.kind() == ErrorKind::RootKey)
    }
}

/// Every pair of wrapped keys: of different fields, kinds, epochs and generations.
#[test]
fn two_wrapped_keys_that_change_places_are_refused_though_all_tags_are_right() {
    for suite in [Suite::Aes256Gcm, Suite::ChaCha20Poly1305] {
        let stolen = Stolen::new(suite);
        let keys: Vec<_> = stolen.keys().collect();
        assert!(keys.len() > 20 && stolen.load_with(&[]).is_ok_and(|registry| registry.epochs.len() == 2));
        let own = keys.iter().map(|place| (*place, stolen.body(*place))).collect::<Vec<_>>();
        assert!(stolen.load_with(&own).is_ok(), "whoever puts each back where it was changes nothing");
        for (at, one) in keys.iter().enumerate() {
            for other in &keys[..at] {
                let (of_one, of_other) = (stolen.body(*one), stolen.body(*other));
                assert!(
                    stolen.refuses(&[(*one, of_other.clone()), (*other, of_one.clone())]),
                    "{one:?} {other:?}"
                );
                // One of them alone, with the suite that belongs to its place.
                let copied = [&of_one[..1], &of_other[1..]].concat();
                assert!(stolen.refuses(&[(*one, copied)]), "{other:?} copied to {one:?}");
            }
        }
    }
}

/// The same place in another vault with the same root key, and the other suite in front of a key.
#[test]
fn a_wrapped_key_of_another_vault_or_suite_is_refused_though_all_tags_are_right() {
    let (stolen, other) = (Stolen::new(Suite::Aes256Gcm), Stolen::new(Suite::Aes256Gcm));
    for place in stolen.keys() {
        assert!(stolen.refuses(&[(place, other.body(place))]), "{place:?}");
        let mut of_another_suite = stolen.body(place);
        of_another_suite[0] ^= 3;
        assert!(stolen.load_with(&[(place, of_another_suite)]).is_err(), "{place:?}");
    }
}
