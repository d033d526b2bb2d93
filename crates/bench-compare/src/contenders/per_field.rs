//! Peers that encrypt one text at a time: a call for each field.

use std::hint::black_box;

use super::{Bytes, Contender, Op, same};
use crate::{
    Result,
    order::{COURIERS, Reference},
};

pub(crate) trait FieldCipher {
    fn name(&self) -> &'static str;

    fn fields(&self) -> usize;

    /// Encrypts the order's field of this position.
    fn encrypt(&self, field: usize) -> Result<Vec<u8>>;

    fn decrypt(&self, field: usize, sealed: &[u8]) -> Result<Vec<u8>>;
}

pub(crate) struct PerField<C> {
    cipher: C,
    sealed: Vec<Vec<u8>>,
}

impl<C: FieldCipher> PerField<C> {
    pub(crate) fn of(cipher: C) -> Result<Self> {
        let sealed = (0..cipher.fields()).map(|n| cipher.encrypt(n)).collect::<Result<_>>()?;
        Ok(Self { cipher, sealed })
    }

    fn open(&self, fields: impl IntoIterator<Item = usize>) -> Result<()> {
        for n in fields {
            black_box(self.cipher.decrypt(n, &self.sealed[n])?);
        }
        Ok(())
    }
}

impl<C: FieldCipher> Contender for PerField<C> {
    fn name(&self) -> &'static str {
        self.cipher.name()
    }

    fn bytes(&self) -> Bytes {
        Bytes { order: self.sealed.iter().map(Vec::len).sum(), secret: 0 }
    }

    fn check(&mut self, order: &Reference) -> Result<()> {
        for (n, field) in order.fields.iter().enumerate() {
            same(&self.cipher.decrypt(n, &self.sealed[n])?, &field.text)?;
        }
        Ok(())
    }

    fn run(&mut self, op: Op) -> Result<usize> {
        match op {
            Op::Seal => {
                for n in 0..self.sealed.len() {
                    black_box(self.cipher.encrypt(n)?);
                }
            }
            Op::OpenCourier => self.open(COURIERS)?,
            Op::OpenAll => self.open(0..self.sealed.len())?,
            Op::Disclose => return Ok(0),
        }
        Ok(1)
    }
}
