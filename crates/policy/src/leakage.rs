//! What search indexes show to a thief of the database, for reviewers.

use crate::{Field, Index, Normaliser, Policy};

/// What one index shows to a thief of the database, and to whom it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leakage {
    /// Name of the field.
    pub field: String,
    /// The form values are compared in.
    pub normaliser: Normaliser,
    /// How many distinct values the policy expects.
    pub expect: u64,
    /// Length of a search tag.
    pub bits: u32,
    /// The number of orders it is judged for; none where it is not known.
    pub orders: Option<u64>,
    /// Whether at that many orders two with one tag most likely have one value.
    pub identifies: bool,
    /// Who may search by it: role and purpose, ascending.
    pub searched_by: Vec<(String, String)>,
    /// All this in a line of plain words. The words may change.
    pub line: String,
}

impl Policy {
    /// What each index shows to a thief of the database that holds so many orders, by number of the field.
    pub fn leakage(&self, orders: Option<u64>) -> Vec<Leakage> {
        self.fields().iter().filter_map(|field| self.of_index(field, field.index?, orders)).collect()
    }

    fn of_index(&self, field: &Field, index: Index, orders: Option<u64>) -> Option<Leakage> {
        let tags = 1u64.checked_shl(index.bits())?;
        let searching = self.accesses().iter().filter(|access| access.searches(field.id));
        let searched_by: Vec<_> =
            searching.map(|access| (access.role.clone(), access.purpose.clone())).collect();
        let line = format!(
            "index on {} ({}): {}; {}",
            field.name,
            index.normaliser,
            shows(orders, tags),
            who(&searched_by)
        );
        Some(Leakage {
            field: field.name.clone(),
            normaliser: index.normaliser,
            expect: index.expect,
            bits: index.bits(),
            orders,
            identifies: orders.is_some_and(|orders| orders > 0 && orders < tags),
            searched_by,
            line,
        })
    }
}

/// Equal values have equal tags always, different ones by chance: one pair in `tags`.
fn shows(orders: Option<u64>, tags: u64) -> String {
    let over = format!("over {} tags", count(tags));
    match orders {
        None => format!(
            "{} tags; a thief of the database sees which orders share one, which up to that many orders means most likely \
             the same value, and values of very many orders stand out whatever the number of tags",
            count(tags)
        ),
        Some(0) => format!("no orders {over}; nothing to see yet"),
        Some(orders) if orders < tags => format!(
            "{} {over}, by chance about 1 in {} shares its tag with another: two with the same tag most likely have the same \
             value, which a thief of the database sees, and of a customer he knows one order of, the others; a smaller \
             `expect` hides it and makes searches slower",
            counted(orders),
            count(tags / orders),
        ),
        Some(orders) => format!(
            "{} {over}, about {} to a tag by chance: equal tags alone do not tell a thief of the database equal values, \
             but a value of many more orders than that stands out",
            counted(orders),
            count(orders / tags),
        ),
    }
}

fn who(searched_by: &[(String, String)]) -> String {
    if searched_by.is_empty() {
        return "nobody may search by it".to_owned();
    }
    let named: Vec<String> = searched_by.iter().map(|(role, purpose)| format!("{role}/{purpose}")).collect();
    format!("{} may search by it", named.join(", "))
}

fn counted(orders: u64) -> String {
    format!("{} {}", count(orders), if orders == 1 { "order" } else { "orders" })
}

/// A number with commas between thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
