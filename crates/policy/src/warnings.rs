//! What the rules allow and a reviewer should still look at.

use crate::{Access, Field, Index, Mask, Normaliser, PartId, Policy, leakage::count};

/// Searches in an hour that one party has for one field unless its vault says otherwise.
pub const SEARCHES_AN_HOUR: u64 = 60;

/// Searches in a day that one party has for one field unless its vault says otherwise.
pub const SEARCHES_A_DAY: u64 = 300;

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

/// What the mask leaves to be tried, and how long one party tries within its budget.
fn guesses(mask: Mask, index: &Index) -> String {
    let (shown, candidates) = match (mask, index.normaliser) {
        // Of 11 digits the mask shows the last four, and there is nothing left to try.
        (Mask::Phone, Normaliser::Last4) => ("Of 4 to 10 digits the mask shows the last 2", 100),
        (Mask::Phone, _) => ("Of 11 digits the mask shows 7", 10_000),
        (Mask::Last4, Normaliser::Last4) => {
            return "From 8 characters on the mask shows them already".to_owned();
        }
        (Mask::Last4, _) => ("Of 11 digits the mask shows 4", 10_000_000),
        (Mask::Name | Mask::City, _) => {
            return format!("The default budget is {}; likely values are tried first", budget());
        }
    };
    let left = count(candidates);
    format!(
        "{shown}, which leaves {left} candidates: {} at the default budget of {}",
        time(candidates),
        budget()
    )
}

fn budget() -> String {
    format!("{SEARCHES_AN_HOUR} searches an hour and {SEARCHES_A_DAY} a day")
}

/// How long so many searches take.
fn time(searches: u64) -> String {
    match (searches.div_ceil(SEARCHES_AN_HOUR), searches.div_ceil(SEARCHES_A_DAY)) {
        (hours, 1) => format!("{hours} hours"),
        (_, days) => format!("{} days", count(days)),
    }
}
