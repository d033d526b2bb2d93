//! The floor as a contender.

use super::{Bytes, Contender, Op};
use crate::{
    Result,
    floor::Floor,
    order::{COURIERS, Reference},
    orders::REFERENCE_LENGTHS,
};

pub(crate) struct Parts {
    all: Floor,
    couriers: Floor,
}

impl Parts {
    pub(crate) fn new() -> Result<Self> {
        let floor = |lengths| Floor::of(lengths).map_err(|_| "cannot seal");
        Ok(Self { all: floor(&REFERENCE_LENGTHS)?, couriers: floor(&REFERENCE_LENGTHS[COURIERS])? })
    }
}

impl Contender for Parts {
    fn name(&self) -> &'static str {
        "floor"
    }

    fn bytes(&self) -> Bytes {
        let with_tags = REFERENCE_LENGTHS.iter().map(|len| len + 16).sum();
        Bytes { order: with_tags, secret: 0 }
    }

    fn check(&mut self, _: &Reference) -> Result<()> {
        for op in [Op::Seal, Op::OpenCourier, Op::OpenAll] {
            self.run(op)?;
        }
        let mut opened = self.all.buffers.iter().chain(&self.couriers.buffers).flatten();
        if opened.all(|byte| *byte == 7) { Ok(()) } else { Err("opened something else".into()) }
    }

    fn run(&mut self, op: Op) -> Result<usize> {
        let done = match op {
            Op::Seal => self.all.seal(),
            Op::OpenCourier => self.couriers.open(),
            Op::OpenAll => self.all.open(),
            Op::Disclose => return Ok(0),
        };
        done.map_err(|_| "wrong tag")?;
        Ok(1)
    }
}
