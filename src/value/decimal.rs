//! Decimal numbers and money that keep the digits they were given with.

use super::{expected, opaque_debug};
use crate::error::{Error, Result};
use std::{fmt, str::FromStr};

/// A decimal number as it was written: 0.50 is not 0.5.
///
/// At most 18 digits, before and after the point together; a zero before the point is not counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    pub(super) digits: i64,
    pub(super) scale: u8,
}

/// An amount in a currency.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Money {
    pub(super) amount: Decimal,
    /// Invariant: three letters A to Z.
    currency: [u8; 3],
}

opaque_debug!(Decimal, Money);

const MAX_DIGITS: usize = 18;
/// The first number with more than 18 digits.
const DIGITS_END: u64 = 1_000_000_000_000_000_000;

impl Decimal {
    /// What the parser takes, for messages.
    pub(crate) const EXPECTED: &'static str =
        "expected a decimal number as text, such as \"14.50\", of at most 18 digits";

    /// The number `digits` / 10^`scale`, written with `scale` digits after the point: 14.50 is 1450 and 2.
    ///
    /// # Errors
    /// `Input` for more than 18 digits or a scale above 18.
    pub fn new(digits: i64, scale: u8) -> Result<Self> {
        Self::checked(digits, scale).ok_or_else(|| expected(Self::EXPECTED))
    }

    pub(crate) fn checked(digits: i64, scale: u8) -> Option<Self> {
        (digits.unsigned_abs() < DIGITS_END && usize::from(scale) <= MAX_DIGITS)
            .then_some(Self { digits, scale })
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((_, "")) => return None,
            Some((whole, fraction)) => (whole, fraction),
            None => (unsigned, ""),
        };
        let whole_digits = match whole.as_bytes() {
            [] | [b'0', _, ..] => return None,
            b"0" => "",
            _ => whole,
        };
        if whole_digits.len() + fraction.len() > MAX_DIGITS {
            return None;
        }
        let mut digits = 0i64;
        for byte in whole_digits.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return None;
            }
            digits = digits * 10 + i64::from(byte - b'0');
        }
        if negative && digits == 0 {
            return None;
        }
        Self::checked(if negative { -digits } else { digits }, u8::try_from(fraction.len()).ok()?)
    }

    /// All digits as a whole number, with the sign.
    pub fn digits(self) -> i64 {
        self.digits
    }

    /// How many of the digits stand after the point.
    pub fn scale(self) -> u8 {
        self.scale
    }
}

impl FromStr for Decimal {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text).ok_or_else(|| expected(Self::EXPECTED))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10u64.pow(u32::from(self.scale));
        let digits = self.digits.unsigned_abs();
        if self.digits < 0 {
            f.write_str("-")?;
        }
        write!(f, "{}", digits / unit)?;
        if self.scale > 0 {
            write!(f, ".{:0width$}", digits % unit, width = usize::from(self.scale))?;
        }
        Ok(())
    }
}

impl Money {
    /// What a currency must be, for messages.
    pub(crate) const EXPECTED_CURRENCY: &'static str =
        "expected a currency code of three letters A to Z (ISO 4217), such as \"EUR\"";

    /// An amount in the currency of this ISO 4217 code.
    ///
    /// # Errors
    /// `Input` where the code is not three letters A to Z.
    pub fn new(amount: Decimal, currency: &str) -> Result<Self> {
        <[u8; 3]>::try_from(currency.as_bytes())
            .ok()
            .and_then(|currency| Self::checked(amount, currency))
            .ok_or_else(|| expected(Self::EXPECTED_CURRENCY))
    }

    pub(crate) fn checked(amount: Decimal, currency: [u8; 3]) -> Option<Self> {
        currency.iter().all(u8::is_ascii_uppercase).then_some(Self { amount, currency })
    }

    /// The amount.
    pub fn amount(self) -> Decimal {
        self.amount
    }

    /// The ISO 4217 code of the currency.
    pub fn currency(&self) -> &str {
        str::from_utf8(&self.currency).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::samples;
    use proptest::prelude::*;

    #[test]
    fn prints_the_text_it_was_parsed_from() {
        for (text, digits, scale) in [
            ("472.38", 47_238, 2),
            ("0.50", 50, 2),
            ("-1.00", -100, 2),
            ("-0.50", -50, 2),
            ("14", 14, 0),
            ("0", 0, 0),
            ("0.00", 0, 2),
            ("999999999999999999", 999_999_999_999_999_999, 0),
            ("-99999999.9999999999", -999_999_999_999_999_999, 10),
            ("0.000000000000000001", 1, 18),
        ] {
            let decimal: Decimal = text.parse().unwrap();
            assert_eq!((decimal.digits(), decimal.scale()), (digits, scale), "{text}");
            assert_eq!(decimal.to_string(), text);
        }
    }

    #[test]
    fn refuses_a_second_way_to_write_a_number() {
        for text in [
            "",
            "-",
            "+1",
            "01",
            "00",
            "00.5",
            ".5",
            "5.",
            ".",
            "-.5",
            "-0",
            "-0.00",
            "1e3",
            "1E3",
            "1,5",
            " 1",
            "1 ",
            "1.2.3",
            "--1",
            "1.-2",
            "0x1",
            "1_000",
            "NaN",
            "inf",
            "١٢",
            "1.٥",
            "1000000000000000000",
            "0.0000000000000000001",
            "100000000.0000000000",
        ] {
            let error = text.parse::<Decimal>().unwrap_err();
            assert_eq!(error.to_string(), Decimal::EXPECTED);
        }
        assert!(Decimal::new(1_000_000_000_000_000_000, 0).is_err());
        assert!(Decimal::new(i64::MIN, 0).is_err());
        assert!(Decimal::new(1, 19).is_err());
    }

    #[test]
    fn a_currency_is_three_capital_letters() {
        let amount = Decimal::new(1450, 2).unwrap();
        let money = Money::new(amount, "EUR").unwrap();
        assert_eq!((money.amount(), money.currency()), (amount, "EUR"));
        for currency in ["", "EU", "EURO", "eur", "E1R", "€", "É1"] {
            assert!(Money::new(amount, currency).is_err(), "{currency}");
        }
    }

    proptest! {
        #[test]
        fn print_and_parse_are_inverse(decimal in samples::decimal()) {
            prop_assert_eq!(decimal.to_string().parse::<Decimal>().unwrap(), decimal);
        }

        #[test]
        fn what_parses_prints_the_same(text in "-?[0-9.]{0,20}") {
            if let Ok(decimal) = text.parse::<Decimal>() {
                prop_assert_eq!(decimal.to_string(), text);
            }
        }
    }
}
