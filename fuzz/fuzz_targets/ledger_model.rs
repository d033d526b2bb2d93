//! A ledger beside a plain list: batches are appended, published tiles are continued from where they were, and roots and proofs between
//! any two sizes are those of the definition over the list.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|steps: Vec<(u8, u16, u16)>| consignee::fuzzing::ledger(&steps));
