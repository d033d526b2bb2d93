//! Points in time that keep the text they were given as.

use super::{expected, opaque_debug};
use crate::error::{Error, Result};
use jiff::{SignedDuration, civil::DateTime};
use std::{fmt, ops::RangeInclusive, str::FromStr};

/// A point in time, given and printed as the same RFC 3339 text: `Z` stays `Z`, the offset and the digits of the fraction
/// are kept.
///
/// There is one way to write each: capital `T` and `Z`, no leap second, at most 9 digits of fraction, no `-00:00`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Timestamp {
    pub(super) seconds: i64,
    pub(super) nanoseconds: u32,
    /// Minutes east of UTC; `None` for `Z`.
    offset: Option<i16>,
    fraction_digits: u8,
}

opaque_debug!(Timestamp);

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
/// The years 0001 to 9999, in seconds since 1970.
const YEARS: RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
/// 23:59, the largest offset RFC 3339 can write.
const MAX_OFFSET: i16 = 23 * 60 + 59;

impl Timestamp {
    /// What the parser takes, for messages.
    pub(crate) const EXPECTED: &'static str =
        "expected a time as text in the form of RFC 3339, such as \"2026-01-31T12:30:00Z\"";

    /// Puts the parts of the wire form together; `None` where no text has these parts.
    pub(crate) fn new(
        seconds: i64,
        nanoseconds: u32,
        offset: Option<i16>,
        fraction_digits: u8,
    ) -> Option<Self> {
        let unit = 10u32.pow(9u32.checked_sub(fraction_digits.into())?);
        let local = seconds.checked_add(i64::from(offset.unwrap_or(0)) * 60)?;
        let fits = nanoseconds < 1_000_000_000
            && nanoseconds.is_multiple_of(unit)
            && offset.is_none_or(|minutes| (-MAX_OFFSET..=MAX_OFFSET).contains(&minutes))
            && YEARS.contains(&local);
        fits.then_some(Self { seconds, nanoseconds, offset, fraction_digits })
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (local, rest) = text.as_bytes().split_at_checked(19)?;
        let &[y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T', h1, h2, b':', mi1, mi2, b':', s1, s2] =
            local
        else {
            return None;
        };
        let (year_high, year_low) = (two(y1, y2)?, two(y3, y4)?);
        let year = i16::from(year_high) * 100 + i16::from(year_low);
        let local =
            DateTime::new(year, two(mo1, mo2)?, two(d1, d2)?, two(h1, h2)?, two(mi1, mi2)?, two(s1, s2)?, 0)
                .ok()?;

        let (nanoseconds, fraction_digits, zone) = match rest.strip_prefix(b".") {
            Some(rest) => fraction(rest)?,
            None => (0, 0, rest),
        };
        let offset = match *zone {
            [b'Z'] => None,
            [b'+', h1, h2, b':', m1, m2] => Some(minutes(two(h1, h2)?, two(m1, m2)?)?),
            [b'-', h1, h2, b':', m1, m2] => {
                // "-00:00" says that the offset is unknown; that would be a third zero.
                Some(-minutes(two(h1, h2)?, two(m1, m2)?).filter(|m| *m != 0)?)
            }
            _ => return None,
        };
        let seconds = local.duration_since(EPOCH).as_secs() - i64::from(offset.unwrap_or(0)) * 60;
        Self::new(seconds, nanoseconds, offset, fraction_digits)
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, negative before.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds after the whole second.
    pub fn nanoseconds(self) -> u32 {
        self.nanoseconds
    }

    /// Minutes east of UTC as written; `None` where the text says `Z`.
    pub fn offset(self) -> Option<i16> {
        self.offset
    }

    pub(crate) fn fraction_digits(self) -> u8 {
        self.fraction_digits
    }

    /// Date and time of day as written, without the fraction.
    fn local(self) -> Option<DateTime> {
        let seconds = self.seconds.checked_add(i64::from(self.offset.unwrap_or(0)) * 60)?;
        EPOCH.checked_add(SignedDuration::from_secs(seconds)).ok()
    }
}

fn two(tens: u8, ones: u8) -> Option<i8> {
    if !tens.is_ascii_digit() || !ones.is_ascii_digit() {
        return None;
    }
    i8::try_from((tens - b'0') * 10 + (ones - b'0')).ok()
}

fn minutes(hours: i8, minutes: i8) -> Option<i16> {
    (hours <= 23 && minutes <= 59).then(|| i16::from(hours) * 60 + i16::from(minutes))
}

/// Nanoseconds, number of digits, and what follows them.
fn fraction(text: &[u8]) -> Option<(u32, u8, &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&count) {
        return None;
    }
    let (digits, rest) = text.split_at_checked(count)?;
    let zeros = std::iter::repeat_n(&b'0', 9 - count);
    let nanoseconds = digits.iter().chain(zeros).fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    Some((nanoseconds, u8::try_from(count).ok()?, rest))
}

impl FromStr for Timestamp {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text).ok_or_else(|| expected(Self::EXPECTED))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.local().ok_or(fmt::Error)?;
        let (year, month, day) = (local.year(), local.month(), local.day());
        let (hour, minute, second) = (local.hour(), local.minute(), local.second());
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if self.fraction_digits > 0 {
            let unit = 10u32.pow(9 - u32::from(self.fraction_digits));
            write!(f, ".{:0width$}", self.nanoseconds / unit, width = usize::from(self.fraction_digits))?;
        }
        match self.offset {
            None => f.write_str("Z"),
            Some(minutes) => {
                let sign = if minutes < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::samples;
    use proptest::prelude::*;

    #[test]
    fn prints_the_text_it_was_parsed_from() {
        for (text, seconds, nanoseconds, offset) in [
            ("1970-01-01T00:00:00Z", 0, 0, None),
            ("1996-07-04T00:00:00Z", 836_438_400, 0, None),
            ("1996-07-04T08:00:00+08:00", 836_438_400, 0, Some(480)),
            ("1996-07-03T14:30:00-09:30", 836_438_400, 0, Some(-570)),
            ("1970-01-01T00:00:00+00:00", 0, 0, Some(0)),
            ("1969-12-31T23:59:59.5Z", -1, 500_000_000, None),
            ("2026-02-28T23:59:59.500Z", 1_772_323_199, 500_000_000, None),
            ("2024-02-29T12:00:00.000000001-00:01", 1_709_208_060, 1, Some(-1)),
            ("0001-01-01T00:00:00+23:59", -62_135_683_140, 0, Some(1439)),
            ("9999-12-31T23:59:59.999999999-23:59", 253_402_387_139, 999_999_999, Some(-1439)),
        ] {
            let time: Timestamp = text.parse().unwrap();
            assert_eq!(
                (time.seconds(), time.nanoseconds(), time.offset()),
                (seconds, nanoseconds, offset),
                "{text}"
            );
            assert_eq!(time.to_string(), text);
        }
    }

    #[test]
    fn refuses_what_would_not_come_back_the_same() {
        for text in [
            "",
            "1996-07-04",
            "1996-07-04T00:00Z",
            "1996-07-04T00:00:00",
            "1996-07-04t00:00:00Z",
            "1996-07-04T00:00:00z",
            "1996-07-04 00:00:00Z",
            "1996-07-04T00:00:00-00:00",
            "2016-12-31T23:59:60Z",
            "1996-07-04T24:00:00Z",
            "1996-07-04T00:60:00Z",
            "1996-02-30T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "1996-13-01T00:00:00Z",
            "1996-00-01T00:00:00Z",
            "1996-07-04T00:00:00.Z",
            "1996-07-04T00:00:00.0123456789Z",
            "1996-07-04T00:00:00,5Z",
            "1996-07-04T00:00:00+24:00",
            "1996-07-04T00:00:00+08:60",
            "1996-07-04T00:00:00+0800",
            "1996-07-04T00:00:00+08",
            "1996-07-04T00:00:00Z ",
            " 1996-07-04T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "-001-01-01T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "1996-7-04T00:00:00Z",
            "١٩٩٦-07-04T00:00:00Z",
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap_err().to_string(), Timestamp::EXPECTED, "{text}");
        }
    }

    #[test]
    fn refuses_parts_no_text_has() {
        assert!(Timestamp::new(0, 1_000_000_000, None, 9).is_none());
        assert!(Timestamp::new(0, 500_000_000, None, 0).is_none());
        assert!(Timestamp::new(0, 123, None, 8).is_none());
        assert!(Timestamp::new(0, 0, None, 10).is_none());
        assert!(Timestamp::new(0, 0, Some(1440), 0).is_none());
        assert!(Timestamp::new(0, 0, Some(-1440), 0).is_none());
        assert!(Timestamp::new(-62_135_596_801, 0, None, 0).is_none());
        assert!(Timestamp::new(-62_135_596_800, 0, Some(-1), 0).is_none());
        assert!(Timestamp::new(253_402_300_800, 0, None, 0).is_none());
        assert!(Timestamp::new(253_402_300_799, 0, Some(1), 0).is_none());
        assert!(Timestamp::new(i64::MAX, 0, Some(1439), 0).is_none());
        assert!(Timestamp::new(i64::MIN, 0, Some(-1439), 0).is_none());
    }

    proptest! {
        #[test]
        fn print_and_parse_are_inverse(time in samples::timestamp()) {
            prop_assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
        }

        #[test]
        fn what_parses_prints_the_same(text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10})?(Z|[+-][0-2][0-9]:[0-6][0-9])") {
            if let Ok(time) = text.parse::<Timestamp>() {
                prop_assert_eq!(time.to_string(), text);
            }
        }
    }
}
