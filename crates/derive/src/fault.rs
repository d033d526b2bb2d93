//! Mistakes of whoever uses the derives: all of them at once, each where it stands.

use std::fmt::Display;

use proc_macro2::Span;
use syn::{Error, Result};

/// Mistakes found so far.
#[derive(Default)]
pub(crate) struct Faults(Option<Error>);

impl Faults {
    /// A mistake at a place.
    pub(crate) fn add(&mut self, at: Span, message: impl Display) {
        self.push(Error::new(at, message));
    }

    pub(crate) fn push(&mut self, error: Error) {
        self.0 = Some(std::mem::take(self).and(error));
    }

    /// What was read, if it may be used; else its mistake goes to the others.
    pub(crate) fn take<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// All mistakes, this one the last.
    pub(crate) fn and(self, last: Error) -> Error {
        match self.0 {
            Some(mut all) => {
                all.combine(last);
                all
            }
            None => last,
        }
    }

    /// `value`, if there was no mistake.
    pub(crate) fn finish<T>(self, value: T) -> Result<T> {
        self.0.map_or(Ok(value), Err)
    }
}
