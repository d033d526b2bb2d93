//! Bytes and times as text.

/// Hexadecimal digits, small. Not for secrets.
pub(crate) fn hex(bytes: &[u8]) -> String {
    format!("{:x}", base16ct::HexDisplay(bytes))
}

/// Seconds since 1970 as RFC 3339, such as `2026-11-11T12:14:05Z`; their number where no calendar has them.
pub(crate) fn time(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.map_or_else(|| seconds.to_string(), |time| time.to_string())
}
