//! Publishing and verifying.
