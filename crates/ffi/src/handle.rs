//! Objects that C holds. A handle is a number with the place of the object in one table and a count of how often that place was used, and
//! looks like a pointer that no object has (its lowest bit is set). So a handle that was freed, is of another kind, or was made up, is
//! told from a good one without following it, and an object that another thread frees lives until the call that uses it ends.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, PoisonError, RwLock, RwLockWriteGuard},
};

use consignee::Keyring;

use crate::{
    boundary::Fault,
    buffer::Buffer,
    party::{BundleObject, PartyObject},
    results::Results,
};

const INDEX_BITS: u32 = (usize::BITS - 1) / 2;
const MOST: usize = (1 << INDEX_BITS) - 1;
/// What the other bits hold.
const LAST_GENERATION: usize = usize::MAX >> (INDEX_BITS + 1);

/// An object of some kind.
#[derive(Clone)]
pub(crate) enum Object {
    Buffer(Arc<Buffer>),
    Party(Arc<PartyObject>),
    Keyring(Arc<Keyring>),
    Bundle(Arc<BundleObject>),
    Results(Arc<Results>),
    #[cfg(feature = "vault")]
    Vault(Arc<consignee::Vault>),
}

/// A kind of object, and the type that C knows it by.
pub(crate) trait Kind: Sized {
    /// Opaque, never made.
    type Handle;
    /// Its name, for messages.
    const NAME: &'static str;
    fn wrap(object: Arc<Self>) -> Object;
    fn unwrap(object: &Object) -> Option<&Arc<Self>>;
}

macro_rules! kinds {
    ($($(#[$attribute:meta])* $type:ty, $handle:ty, $variant:ident, $name:literal;)+) => { $(
        $(#[$attribute])*
        impl Kind for $type {
            type Handle = $handle;
            const NAME: &'static str = $name;
            fn wrap(object: Arc<Self>) -> Object {
                Object::$variant(object)
            }
            fn unwrap(object: &Object) -> Option<&Arc<Self>> {
                match object {
                    Object::$variant(object) => Some(object),
                    _ => None,
                }
            }
        }
    )+ };
}

kinds! {
    Buffer, crate::consignee_buffer, Buffer, "buffer";
    PartyObject, crate::consignee_party, Party, "party";
    Keyring, crate::consignee_keyring, Keyring, "keyring";
    BundleObject, crate::consignee_bundle, Bundle, "bundle";
    Results, crate::consignee_results, Results, "results";
    #[cfg(feature = "vault")] consignee::Vault, crate::consignee_vault, Vault, "vault";
}

struct Slot {
    /// How often the place was used before, counted from a number at random.
    generation: usize,
    object: Option<Object>,
}

struct Table {
    slots: Vec<Slot>,
    /// Places that can be used again.
    free: Vec<usize>,
}

static TABLE: RwLock<Table> = RwLock::new(Table { slots: Vec::new(), free: Vec::new() });

// Nothing panics while it holds the lock, and there is nothing half done to be found.
fn write() -> RwLockWriteGuard<'static, Table> {
    TABLE.write().unwrap_or_else(PoisonError::into_inner)
}

/// Takes an object in, for C to hold.
///
/// # Errors
/// `Handle` where the table is full: 2^31 objects, of 32-bit processes 32,767.
pub(crate) fn insert<T: Kind>(object: T) -> Result<*mut T::Handle, Fault> {
    let object = Some(T::wrap(Arc::new(object)));
    let mut table = write();
    let index = match table.free.pop() {
        Some(index) => index,
        None if table.slots.len() >= MOST => return Err(Fault::Handle("there is no room for more objects")),
        None => {
            // At random, so that small numbers are no handles.
            let generation =
                usize::try_from(RandomState::new().hash_one(()) >> 33).unwrap_or(1) & (LAST_GENERATION >> 1);
            table.slots.push(Slot { generation, object: None });
            table.slots.len() - 1
        }
    };
    let generation = table.slots.get_mut(index).map_or(0, |slot| {
        slot.object = object;
        slot.generation
    });
    Ok(std::ptr::without_provenance_mut((generation << INDEX_BITS | index) << 1 | 1))
}

fn place<H>(handle: *const H) -> Option<(usize, usize)> {
    let number = handle.addr();
    (number & 1 == 1).then_some((number >> 1 & MOST, number >> (INDEX_BITS + 1)))
}

/// The object of a handle.
///
/// # Errors
/// `Handle`.
pub(crate) fn get<T: Kind>(handle: *const T::Handle) -> Result<Arc<T>, Fault> {
    let found = place(handle).and_then(|(index, generation)| {
        let table = TABLE.read().unwrap_or_else(PoisonError::into_inner);
        let slot = table.slots.get(index).filter(|slot| slot.generation == generation)?;
        T::unwrap(slot.object.as_ref()?).map(Arc::clone)
    });
    found.ok_or(Fault::Handle(T::NAME))
}

/// Takes the object of a handle out; none where there is none of this kind. It is dropped by the caller, after the lock.
pub(crate) fn remove<T: Kind>(handle: *const T::Handle) -> Option<Object> {
    let (index, generation) = place(handle)?;
    let mut table = write();
    let slot = table.slots.get_mut(index).filter(|slot| slot.generation == generation)?;
    T::unwrap(slot.object.as_ref()?)?;
    let object = slot.object.take();
    // A place that was used as often as can be counted is not used again: an old handle would be good for a new object.
    if slot.generation < LAST_GENERATION {
        slot.generation += 1;
        table.free.push(index);
    }
    object
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn buffer(byte: u8) -> *mut crate::consignee_buffer {
        insert(Buffer::new(vec![byte])).unwrap()
    }

    #[test]
    fn a_handle_is_good_until_it_is_freed_and_never_again() {
        let old = buffer(1);
        assert!(get::<Buffer>(old).is_ok());
        assert!(
            get::<Results>(old.cast()).is_err() && remove::<Results>(old.cast()).is_none(),
            "another kind"
        );
        let used = get::<Buffer>(old).unwrap();
        assert!(remove::<Buffer>(old).is_some());
        assert_eq!(used.bytes(), [1], "whoever uses it has it");
        assert!(get::<Buffer>(old).is_err() && remove::<Buffer>(old).is_none());
        // Whether its place is taken again or not.
        let later: Vec<_> = (0..100).map(|_| buffer(2)).collect();
        assert!(get::<Buffer>(old).is_err() && !later.contains(&old));
        later.into_iter().for_each(|handle| drop(remove::<Buffer>(handle)));
    }

    #[test]
    fn what_nobody_made_is_no_handle() {
        let real = buffer(1);
        for number in
            [0, 1 << 12, usize::MAX, usize::MAX - 1, real.addr() ^ 1 << (usize::BITS - 1), real.addr() - 1]
        {
            assert!(get::<Buffer>(std::ptr::without_provenance(number)).is_err(), "{number:x}");
        }
        let on_the_stack = 0_u64;
        assert!(get::<Buffer>((&raw const on_the_stack).cast()).is_err());
        drop(remove::<Buffer>(real));
    }
}
