//! What a newer policy changes: who gains, who loses, and what no vault would accept.

use std::{collections::BTreeSet, fmt};

use crate::{Access, PartId, Policy};

/// What a newer policy changes. Displayed one change to a line: `+` a gain, `-` a loss, `~` a change of fields, `!` a change
/// that a vault refuses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diff {
    gains: Vec<Change>,
    losses: Vec<Change>,
    others: Vec<String>,
    incompatible: Vec<String>,
}

/// What a role gains or loses for a purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The role.
    pub role: String,
    /// The purpose.
    pub purpose: String,
    /// What it gains or loses.
    pub what: What,
}

/// What is gained or lost.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// A part is opened.
    Opens {
        /// Full name of the part.
        part: String,
        /// The property that picks its lines, if it is a list of which only some lines are open.
        lines: Option<String>,
        /// Seconds from put until when.
        expires: Option<u64>,
    },
    /// A field is searched.
    Searches {
        /// Name of the field.
        field: String,
    },
    /// What was open remains so for another time: longer in a gain, shorter in a loss.
    Expires {
        /// Seconds from put in the older policy.
        before: Option<u64>,
        /// Seconds from put in the newer one.
        after: Option<u64>,
    },
    /// Of a list that was open, other lines are: a rule added is a loss; one removed, or changed to another property, a gain.
    Lines {
        /// Name of the list.
        list: String,
        /// The property that picked lines in the older policy.
        before: Option<String>,
        /// The property that picks them in the newer one.
        after: Option<String>,
    },
}

impl Policy {
    /// What changes if `newer` takes the place of this policy. A part counts as the same if number and full name are.
    pub fn diff(&self, newer: &Policy) -> Diff {
        let mut diff = Diff::default();
        compare_parts(self, newer, &mut diff);
        diff.gains = gains(self, newer);
        // What is lost is what the way back would give. A rule for other lines was counted as a gain already.
        diff.losses = gains(newer, self).into_iter().filter_map(|change| change.reversed()).collect();
        diff
    }
}

impl Diff {
    /// Whether any role can do anything that it could not do before.
    pub fn anyone_gains(&self) -> bool {
        !self.gains.is_empty()
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What roles may newly do, by role and purpose.
    pub fn gains(&self) -> &[Change] {
        &self.gains
    }

    /// What roles may no longer do, by role and purpose.
    pub fn losses(&self) -> &[Change] {
        &self.losses
    }

    /// Fields and facets added and retired, indexes changed; in words.
    pub fn others(&self) -> &[String] {
        &self.others
    }

    /// Why a vault in use refuses the newer policy: sealed orders would be read as something else. In words; empty if it
    /// does not refuse.
    pub fn incompatible(&self) -> &[String] {
        &self.incompatible
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused = self.incompatible.iter().map(|line| format!("! {line}"));
        let gains = self.gains.iter().map(|change| format!("+ {change}"));
        let losses = self.losses.iter().map(|change| format!("- {change}"));
        let others = self.others.iter().map(|line| format!("~ {line}"));
        let lines: Vec<String> = refused.chain(gains).chain(losses).chain(others).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} {}", self.role, self.purpose, self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opens { part, lines, expires } => {
                write!(f, "opens {part}")?;
                if let Some(property) = lines {
                    write!(f, ", only lines whose {property} is its own")?;
                }
                if expires.is_some() {
                    write!(f, ", {}", Until(*expires))?;
                }
                Ok(())
            }
            Self::Searches { field } => write!(f, "searches by {field}"),
            Self::Expires { before, after } => {
                write!(f, "opens {} (before: {})", Until(*after), Until(*before))
            }
            Self::Lines { list, before, after } => {
                write!(
                    f,
                    "opens {} of {list} (before: {})",
                    Lines(after.as_deref()),
                    Lines(before.as_deref())
                )
            }
        }
    }
}

struct Lines<'a>(Option<&'a str>);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(property) => write!(f, "lines whose {property} is its own"),
            None => f.write_str("all lines"),
        }
    }
}

struct Until(Option<u64>);

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, char); 4] = [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')];
        let Some(seconds) = self.0 else { return f.write_str("without end") };
        let whole = UNITS.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit));
        let (unit, letter) = whole.unwrap_or((1, 's'));
        write!(f, "for {}{letter}", seconds / unit)
    }
}

impl Change {
    /// A gain of the way back, as the loss of the way there.
    fn reversed(self) -> Option<Self> {
        let what = match self.what {
            What::Expires { before, after } => What::Expires { before: after, after: before },
            What::Lines { list, before: Some(added), after: None } => {
                What::Lines { list, before: None, after: Some(added) }
            }
            What::Lines { .. } => return None,
            what => what,
        };
        Some(Self { what, ..self })
    }
}

fn gains(old: &Policy, new: &Policy) -> Vec<Change> {
    let mut gains = Vec::new();
    for access in new.accesses() {
        let before = old.access(&access.role, &access.purpose);
        let mut gain = |what| {
            gains.push(Change { role: access.role.clone(), purpose: access.purpose.clone(), what });
        };
        if let Some(before) = before
            && longer(before.expires, access.expires)
        {
            gain(What::Expires { before: before.expires, after: access.expires });
        }
        for part in access.open.iter().filter_map(|id| new.part(*id)) {
            let lines = access.lines_of(part.id).map(str::to_owned);
            match before.filter(|before| before.opens(part.id) && old.same_part(part.id, part.name)) {
                None => gain(What::Opens { part: part.name.to_owned(), lines, expires: access.expires }),
                Some(before) => {
                    let before = before.lines_of(part.id).map(str::to_owned);
                    if before.is_some() && before != lines {
                        gain(What::Lines { list: part.name.to_owned(), before, after: lines });
                    }
                }
            }
        }
        for field in access.search.iter().filter_map(|id| new.part(*id)) {
            let searched = |before: &Access| before.searches(field.id) && old.same_part(field.id, field.name);
            if !before.is_some_and(searched) {
                gain(What::Searches { field: field.name.to_owned() });
            }
        }
    }
    gains
}

/// Whether `after` ends later than `before`; none is never.
fn longer(before: Option<u64>, after: Option<u64>) -> bool {
    before.is_some_and(|before| after.is_none_or(|after| after > before))
}

impl Policy {
    fn same_part(&self, id: PartId, name: &str) -> bool {
        self.part(id).is_some_and(|part| part.name == name)
    }
}

fn compare_parts(old: &Policy, new: &Policy, diff: &mut Diff) {
    let refuse = &mut diff.incompatible;
    let tell = &mut diff.others;
    let was_retired: BTreeSet<PartId> = old.retired().iter().copied().collect();
    let is_retired: BTreeSet<PartId> = new.retired().iter().copied().collect();

    for part in old.parts() {
        let (id, name) = (part.id, part.name);
        let Some(now) = new.part(id) else {
            if is_retired.contains(&id) {
                tell.push(format!("{name} (number {id}) is retired"));
            } else {
                refuse.push(format!("{name} is removed: its number {id} must be added to retired"));
            }
            continue;
        };
        if now.name != name {
            refuse.push(format!(
                "number {id} was {name} and is now {}: give that a number of its own",
                now.name
            ));
        } else if now.ty != part.ty {
            refuse.push(format!(
                "{name} (number {id}) was {} and is now {}: retire the number and take a new one",
                part.ty.name(),
                now.ty.name()
            ));
        } else if now.facet.map(|facet| facet.mask) != part.facet.map(|facet| facet.mask) {
            refuse
                .push(format!("{name} (number {id}) has another mask: retire the number and take a new one"));
        } else if part.facet.is_none() && now.field.index != part.field.index {
            tell.push(match (part.field.index, now.field.index) {
                (None, _) => format!("{name} gets an index"),
                (_, None) => format!("{name} loses its index"),
                _ => format!("{name} gets another index"),
            });
        }
    }
    for part in new.parts().filter(|part| old.part(part.id).is_none() && !was_retired.contains(&part.id)) {
        tell.push(format!("{} (number {}) is new; orders sealed before do not have it", part.name, part.id));
    }
    for id in was_retired.difference(&is_retired) {
        refuse.push(format!(
            "number {id} is no longer retired: orders sealed long ago may hold it; put it back"
        ));
    }
    for id in is_retired.difference(&was_retired).filter(|id| old.part(**id).is_none()) {
        tell.push(format!("number {id}, which was not in use, is retired"));
    }
}
