//! Tests of slips.
