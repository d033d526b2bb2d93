//! The floor: what sealing a record's parts costs if nothing is done but the encryption. For each part a new AES-256-GCM key, and one
//! call in place with 16 bytes of associated data, on buffers of the record's padded lengths; the crates' features are ours.

use std::{hint::black_box, iter::zip};

use aes::Aes256Enc;
use aes_gcm::{
    AesGcm,
    aead::{AeadInOut, Error, KeyInit, consts::U12},
};

type Aes256Gcm = AesGcm<Aes256Enc, U12>;

pub(crate) struct Floor {
    /// The parts: sealed or opened, whatever was done last.
    pub(crate) buffers: Vec<Vec<u8>>,
    tags: Vec<[u8; 16]>,
    /// For opening: the parts as they were sealed once.
    sealed: Vec<(Vec<u8>, [u8; 16])>,
}

impl Floor {
    /// Of parts of these padded lengths.
    pub(crate) fn of(lengths: &[usize]) -> Result<Self, Error> {
        let buffers = lengths.iter().map(|len| vec![7; *len]).collect();
        let mut floor = Self { buffers, tags: vec![[0; 16]; lengths.len()], sealed: Vec::new() };
        floor.seal()?;
        floor.sealed = zip(floor.buffers.iter().cloned(), floor.tags.iter().copied()).collect();
        Ok(floor)
    }

    /// Seals whatever the buffers hold.
    pub(crate) fn seal(&mut self) -> Result<(), Error> {
        for (n, (buffer, tag)) in (0..).zip(zip(&mut self.buffers, &mut self.tags)) {
            let buffer = buffer.as_mut_slice().into();
            *tag = key(n).encrypt_inout_detached(&[1; 12].into(), &[2; 16], buffer)?.0;
        }
        Ok(())
    }

    /// Opens the parts that were sealed once.
    pub(crate) fn open(&mut self) -> Result<(), Error> {
        for (n, (buffer, (sealed, tag))) in (0..).zip(zip(&mut self.buffers, &self.sealed)) {
            buffer.copy_from_slice(sealed);
            let buffer = buffer.as_mut_slice().into();
            key(n).decrypt_inout_detached(&[1; 12].into(), &[2; 16], buffer, tag.into())?;
        }
        Ok(())
    }
}

fn key(n: u8) -> Aes256Gcm {
    Aes256Gcm::new(&[black_box(n); 32].into())
}
