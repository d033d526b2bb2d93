//! The step of searching.

use std::sync::Arc;

use super::Steps;
use crate::{index, store::Tag};

impl Steps {
    /// What makes the tags of a field's texts, as an order that is put now has them; none where the field has no index.
    pub fn tagging(&self, field: &str) -> impl Fn(&str) -> Option<Tag> + use<> {
        let registry = Arc::clone(&self.registry);
        let policy = registry.policy().ok();
        let indexed =
            policy.and_then(|policy| policy.field(field)).and_then(|field| Some((field.id, field.index?)));
        move |text| {
            let (field, index) = indexed.as_ref()?;
            index::tag(registry.current_epoch().ok()?, *field, index, text)
        }
    }
}
