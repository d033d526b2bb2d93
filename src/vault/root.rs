//! The root key that a vault works under, and the one that it changes to.

use std::{ops::Deref, sync::Arc};

use super::{Vault, lookup::held};
use crate::{
    error::{Error, ErrorKind, Result},
    keys::RootKey,
    registry::Registry,
    store::Item,
};

/// A root key that is ready, and the parameters that it was made ready by.
#[derive(Clone)]
pub(crate) struct Root {
    pub(crate) key: SharedKey,
    pub(crate) parameters: Vec<u8>,
}

/// A root key where it was made: an `Arc<dyn RootKey>` of the box would be a copy, and leave the key in memory that nobody wipes.
#[derive(Clone)]
pub(crate) struct SharedKey(Arc<Box<dyn RootKey>>);

impl From<Box<dyn RootKey>> for SharedKey {
    fn from(key: Box<dyn RootKey>) -> Self {
        Self(Arc::new(key))
    }
}

impl Deref for SharedKey {
    type Target = dyn RootKey;

    fn deref(&self) -> &Self::Target {
        &**self.0
    }
}

/// The root key in force, and the one that an announced change leads to: which of them opens keys.db only keys.db can say.
pub(super) struct Roots {
    pub(super) current: Root,
    pub(super) next: Option<Root>,
}

impl Vault {
    /// The root key in force.
    pub(crate) fn root(&self) -> Root {
        held(&self.0.roots).current.clone()
    }

    /// The root key that a change, once it is written, leads to.
    pub(crate) fn expect_root(&self, next: Root) {
        held(&self.0.roots).next = Some(next);
    }

    /// The snapshot after `earlier`.
    pub(super) fn newer_registry(&self, items: Vec<Item>, earlier: &Registry) -> Result<Registry> {
        let mut roots = held(&self.0.roots);
        if !earlier.was_rewrapped(&items) {
            return Registry::load_after(items, &*roots.current.key, earlier);
        }
        let next = roots.next.clone().ok_or_else(root_changed)?;
        let registry = Registry::load(items, &*next.key).map_err(|e| match e.kind() {
            ErrorKind::RootKey => root_changed(),
            _ => e,
        })?;
        roots.current = next;
        roots.next = None;
        Ok(registry)
    }
}

fn root_changed() -> Error {
    Error::root_key("the root key was changed: unlock again")
        .with_hint("with the new one; the old one opens no more")
}
