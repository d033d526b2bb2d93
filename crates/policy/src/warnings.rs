//! What the rules allow and a reviewer should still look at.

use crate::{Access, Field, Index, Mask, Normaliser, PartId, Policy};

/// Searches that a party has for a field unless its vault says otherwise.
const SEARCHES_AN_HOUR: u64 = 60;
const SEARCHES_A_DAY: u64 = 300;

/// The shop itself: expected to open everything.
const PLATFORM: &str = "platform";

impl Policy {
    /// What is allowed and yet worth a second look, in words, one sentence or two each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for role in self.roles() {
            let opened = self.role_parts(role);
            if role != PLATFORM && self.fields().iter().all(|field| opened.contains(&field.id)) {
                warnings.push(format!("{role} opens every field: a leak there is a leak of the whole order"));
            }
            self.guessable(role, &opened, &mut warnings);
        }
        for part in self.parts().filter(|part| !self.accesses().iter().any(|access| access.opens(part.id))) {
            warnings.push(format!("nobody opens {}: list it in a table, or do without it", part.name));
        }
        warnings
    }

    /// A mask hides nothing from who may try out what is behind it.
    fn guessable(&self, role: &str, opened: &[PartId], warnings: &mut Vec<String>) {
        let searches = |access: &Access, field: &Field| access.role == role && access.searches(field.id);
        for field in self.fields() {
            let Some(index) = &field.index else { continue };
            if !self.accesses().iter().any(|access| searches(access, field)) {
                continue;
            }
            for facet in field.facets.iter().filter(|facet| opened.contains(&facet.id)) {
                warnings.push(format!(
                    "{role} opens {} and may search by {}: it can find {} by trying. {}",
                    facet.full_name,
                    field.name,
                    target(index),
                    guesses(facet.mask, index)
                ));
            }
        }
    }
}

fn target(index: &Index) -> &'static str {
    match index.normaliser {
        Normaliser::Last4 => "the last four characters",
        _ => "the whole value",
    }
}

fn guesses(mask: Mask, index: &Index) -> String {
    match (mask, index.normaliser) {
        (Mask::Phone, Normaliser::Exact | Normaliser::Upper | Normaliser::Digits | Normaliser::Phone(_)) => {
            let candidates = 10_000;
            format!(
                "Of 11 digits the mask shows 7, which leaves 10,000 candidates: {} days at the default budget of \
                 {SEARCHES_AN_HOUR} searches an hour and {SEARCHES_A_DAY} a day",
                u64::div_ceil(candidates, SEARCHES_A_DAY)
            )
        }
        _ => format!(
            "The default budget is {SEARCHES_AN_HOUR} searches an hour and {SEARCHES_A_DAY} a day; \
             likely values are tried first"
        ),
    }
}
