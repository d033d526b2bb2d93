//! Many short rounds. In each of them every operation of every contender has a turn of about two milliseconds, so that whatever
//! slows the machine for a while slows all of them alike.

use std::time::{Duration, Instant};

use crate::{
    Result,
    contenders::{Bytes, Contender, Op},
    statistics::Summary,
};

const TURN: Duration = Duration::from_millis(2);

/// What one contender's operation took.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) op: Op,
    /// Nanoseconds an order.
    pub(crate) ns: Summary,
    /// Median of the rounds' ratios, each to the floor of its own round.
    pub(crate) ratio: f64,
    pub(crate) bytes: Bytes,
}

/// One operation of one contender.
struct Cell {
    contender: usize,
    op: Op,
    calls: u32,
    /// Nanoseconds an order, by round.
    samples: Vec<f64>,
}

/// Rows by operation, and within it as the contenders stand; the floor is the first of these.
pub(crate) fn measure(contenders: &mut [Box<dyn Contender>], rounds: usize) -> Result<Vec<Row>> {
    let mut cells = Vec::new();
    for op in Op::ALL {
        for (n, contender) in contenders.iter_mut().enumerate() {
            if contender.run(op)? > 0 {
                let calls = calls_in_a_turn(contender.as_mut(), op)?;
                cells.push(Cell { contender: n, op, calls, samples: Vec::with_capacity(rounds) });
            }
        }
    }
    for round in 0..rounds {
        if round % 10 == 0 {
            eprintln!("round {round} of {rounds}");
        }
        for turn in 0..cells.len() {
            let at = (turn + round) % cells.len();
            let cell = &mut cells[at];
            let contender = contenders[cell.contender].as_mut();
            contender.run(cell.op)?;
            let (time, orders) = time(contender, cell.op, cell.calls)?;
            cell.samples.push(time.as_nanos() as f64 / orders as f64);
        }
    }
    cells.iter().map(|cell| row(cell, &cells, contenders)).collect()
}

fn calls_in_a_turn(contender: &mut dyn Contender, op: Op) -> Result<u32> {
    let mut calls = 1;
    loop {
        let (took, _) = time(contender, op, calls)?;
        if took >= TURN / 2 {
            let calls = f64::from(calls) * TURN.as_secs_f64() / took.as_secs_f64();
            return Ok(calls.round().max(1.0) as u32);
        }
        calls *= 2;
    }
}

fn time(contender: &mut dyn Contender, op: Op, calls: u32) -> Result<(Duration, usize)> {
    let mut orders = 0;
    let start = Instant::now();
    for _ in 0..calls {
        orders += contender.run(op)?;
    }
    Ok((start.elapsed(), orders))
}

fn row(cell: &Cell, cells: &[Cell], contenders: &[Box<dyn Contender>]) -> Result<Row> {
    let of_floor = |floor: &&Cell| floor.contender == 0 && floor.op == cell.op.of_floor();
    let floor = cells.iter().find(of_floor).ok_or("the floor has no such operation")?;
    let ratios = cell.samples.iter().zip(&floor.samples).map(|(ns, floor)| ns / floor);
    let contender = &contenders[cell.contender];
    Ok(Row {
        name: contender.name(),
        op: cell.op,
        ns: Summary::of(cell.samples.iter().copied()).ok_or("no rounds")?,
        ratio: Summary::of(ratios).ok_or("no rounds")?.median,
        bytes: contender.bytes(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Reference;

    struct Made(&'static str, usize);

    impl Contender for Made {
        fn name(&self) -> &'static str {
            self.0
        }

        fn bytes(&self) -> Bytes {
            Bytes::default()
        }

        fn check(&mut self, _: &Reference) -> Result<()> {
            Ok(())
        }

        fn run(&mut self, op: Op) -> Result<usize> {
            Ok(if op == Op::Disclose { self.1 } else { 1 })
        }
    }

    #[test]
    fn every_operation_that_a_contender_has_is_a_row_and_the_floors_ratio_is_1() {
        let mut contenders: Vec<Box<dyn Contender>> =
            vec![Box::new(Made("floor", 0)), Box::new(Made("other", 1))];
        let rows = measure(&mut contenders, 3).unwrap();
        let names: Vec<_> = rows.iter().map(|row| (row.op.name(), row.name)).collect();
        let expected = [
            ("seal", "floor"),
            ("seal", "other"),
            ("open_courier", "floor"),
            ("open_courier", "other"),
            ("open_all", "floor"),
            ("open_all", "other"),
            ("disclose", "other"),
        ];
        assert_eq!(names, expected);
        assert!(rows.iter().filter(|row| row.name == "floor").all(|row| row.ratio == 1.0));
    }
}
