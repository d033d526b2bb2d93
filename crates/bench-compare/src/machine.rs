//! Where, when and how it was measured.

use std::fs;

const FLAGS: [&str; 8] = ["aes", "pclmulqdq", "sse4_1", "bmi2", "avx2", "vaes", "vpclmulqdq", "avx512f"];

/// Two lines, for a page as for a terminal.
pub(crate) fn description(rounds: usize) -> String {
    let rustflags = match env!("BUILT_RUSTFLAGS") {
        "" => "none".to_owned(),
        flags => format!("`{flags}`"),
    };
    format!(
        "{}, medians of {rounds} rounds on one thread; {}; {}, RUSTFLAGS {rustflags}, profile {}.\n{}.",
        jiff::Timestamp::now().strftime("%-d %B %Y"),
        cpu(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default()),
        env!("BUILT_RUSTC"),
        env!("BUILT_PROFILE"),
        env!("BUILT_VERSIONS"),
    )
}

fn cpu(info: &str) -> String {
    let value = |key: &str| {
        let line = info.lines().find(|line| line.split(':').next().is_some_and(|k| k.trim() == key));
        line.and_then(|line| line.split(':').nth(1)).unwrap_or_default().trim()
    };
    let has = |flag: &&str| value("flags").split_whitespace().any(|f| f == *flag);
    let flags: Vec<&str> = FLAGS.into_iter().filter(has).collect();
    let name = match value("model name") {
        "" => "processor unknown",
        name => name,
    };
    let numbers = format!("family {}, model {}", value("cpu family"), value("model"));
    format!("{name} ({numbers}) with {}", flags.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_is_known_by_name_numbers_and_flags() {
        let info = "processor\t: 0\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: Some 9\nflags\t\t: fpu aes avx2 aesx\n";
        assert_eq!(cpu(info), "Some 9 (family 25, model 17) with aes, avx2");
        assert!(cpu("").starts_with("processor unknown"));
    }
}
