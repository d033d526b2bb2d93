//! Medians and what lies around them.

/// Median of the samples, and their spread: a tenth of them lies below `low`, a tenth above `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Summary {
    /// None of no samples.
    pub(crate) fn of(samples: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = samples.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            low: quantile(&sorted, 0.1)?,
            median: quantile(&sorted, 0.5)?,
            high: quantile(&sorted, 0.9)?,
        })
    }
}

/// Between two samples, the line between them.
fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let at = q * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (*sorted.get(at.floor() as usize)?, *sorted.get(at.ceil() as usize)?);
    Some(below + (above - below) * at.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_needs_no_order_and_no_odd_number() {
        let median = |samples: &[f64]| Summary::of(samples.iter().copied()).map(|all| all.median);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&[5.0]), Some(5.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn a_tenth_lies_outside_on_either_side() {
        let summary = Summary::of((0..=10).rev().map(f64::from)).unwrap();
        assert_eq!(summary, Summary { low: 1.0, median: 5.0, high: 9.0 });
    }

    #[test]
    fn one_sample_that_was_interrupted_moves_no_median() {
        let calm = [10.0, 11.0, 12.0, 13.0, 14.0];
        let interrupted = [10.0, 11.0, 12.0, 13.0, 9000.0];
        assert_eq!(Summary::of(calm).unwrap().median, Summary::of(interrupted).unwrap().median);
    }
}
