//! How telephone numbers are written in each country: what the normaliser `phone:CC` needs (docs/format.md section 6).
//!
//! Countries (ISO 3166-1 codes, and XK), calling codes, trunk prefixes and lengths are as in the metadata of libphonenumber 9.0,
//! which takes the codes from ITU-T E.164; but for older prefixes still seen (Mexico, Chile,
//! Tajikistan, Uzbekistan, Lithuania, Belarus) and lengths lowered where no national number begins with the calling code
//! and is so long (Germany, Indonesia, Israel, Italy, Kosovo, Netherlands, Serbia).
//!
//! Search tags depend on every row: rows may be added, none is ever altered, not even when a country changes its numbers.

/// How the numbers of one calling code are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NumberingPlan {
    /// The calling code, such as `86`. None is the beginning of another.
    pub code: &'static str,
    /// What is dialled before a national number within the country, the longest first; often `0`, often nothing.
    pub trunk: &'static [&'static str],
    /// Most digits of a national number without trunk prefix, as far as it is told from one with trunk prefix or calling code.
    pub longest: usize,
    /// Its countries, by ISO 3166-1 code, each two letters, with spaces between them.
    pub countries: &'static str,
}

impl NumberingPlan {
    /// All plans, ascending by code as text.
    pub const fn all() -> &'static [Self] {
        &PLANS
    }

    /// The plan of a country, by its two capital letters.
    pub fn of_country(country: [u8; 2]) -> Option<&'static Self> {
        let row = BY_COUNTRY.get(place(country)?)?;
        PLANS.get(usize::from(row.checked_sub(1)?))
    }

    /// The plan of a number that begins with its calling code.
    pub fn of_number(digits: &str) -> Option<&'static Self> {
        // No code begins another, so that the last one not above the digits is the only one they can begin with.
        let below = PLANS.partition_point(|plan| plan.code <= digits);
        PLANS.get(below.checked_sub(1)?).filter(|plan| digits.starts_with(plan.code))
    }

    /// A national number without its trunk prefix. One that does not begin with 0 may begin a number as well: it is cut only
    /// from more digits than a number has.
    pub fn without_trunk<'d>(&self, mut national: &'d str) -> &'d str {
        let cut = |digits: &'d str| {
            let cuts = |trunk: &&&str| trunk.starts_with('0') || digits.len() > self.longest;
            self.trunk.iter().filter(cuts).find_map(|trunk| digits.strip_prefix(trunk))
        };
        while let Some(rest) = cut(national) {
            national = rest;
        }
        national
    }
}

const fn plan(
    code: &'static str,
    trunk: &'static [&'static str],
    longest: usize,
    countries: &'static str,
) -> NumberingPlan {
    NumberingPlan { code, trunk, longest, countries }
}

/// For each pair of letters one more than its row in `PLANS`; 0 for no country.
static BY_COUNTRY: [u8; 26 * 26] = by_country();

const fn place([a, b]: [u8; 2]) -> Option<usize> {
    if a.is_ascii_uppercase() && b.is_ascii_uppercase() {
        Some((a - b'A') as usize * 26 + (b - b'A') as usize)
    } else {
        None
    }
}

#[expect(clippy::cast_possible_truncation, reason = "there are fewer than 255 plans, or it does not compile")]
const fn by_country() -> [u8; 26 * 26] {
    assert!(PLANS.len() < 255);
    let mut rows = [0; 26 * 26];
    let mut row = 0;
    while row < PLANS.len() {
        let countries = PLANS[row].countries.as_bytes();
        let mut at = 0;
        while at < countries.len() {
            match place([countries[at], countries[at + 1]]) {
                Some(place) => {
                    assert!(rows[place] == 0, "a country stands twice");
                    rows[place] = row as u8 + 1;
                }
                None => panic!("a country is two capital letters"),
            }
            at += 3;
        }
        row += 1;
    }
    rows
}

const PLANS: [NumberingPlan; 205] = [
    plan("1", &["1"], 10, "AG AI AS BB BM BS CA DM DO GD GU JM KN KY LC MP MS PR SX TC TT US VC VG VI"),
    plan("20", &["0"], 10, "EG"),
    plan("211", &["0"], 9, "SS"),
    plan("212", &["0"], 9, "EH MA"),
    plan("213", &["0"], 9, "DZ"),
    plan("216", &[], 8, "TN"),
    plan("218", &["0"], 9, "LY"),
    plan("220", &[], 9, "GM"),
    plan("221", &[], 9, "SN"),
    plan("222", &[], 8, "MR"),
    plan("223", &[], 8, "ML"),
    plan("224", &[], 9, "GN"),
    plan("225", &[], 10, "CI"),
    plan("226", &[], 8, "BF"),
    plan("227", &[], 8, "NE"),
    plan("228", &[], 8, "TG"),
    plan("229", &[], 10, "BJ"),
    plan("230", &[], 8, "MU"),
    plan("231", &["0"], 9, "LR"),
    plan("232", &["0"], 8, "SL"),
    plan("233", &["0"], 9, "GH"),
    plan("234", &["0"], 10, "NG"),
    plan("235", &[], 8, "TD"),
    plan("236", &[], 8, "CF"),
    plan("237", &[], 9, "CM"),
    plan("238", &[], 7, "CV"),
    plan("239", &[], 7, "ST"),
    plan("240", &[], 9, "GQ"),
    plan("241", &[], 8, "GA"),
    plan("242", &[], 9, "CG"),
    plan("243", &["0"], 10, "CD"),
    plan("244", &[], 9, "AO"),
    plan("245", &[], 9, "GW"),
    plan("246", &[], 7, "IO"),
    plan("248", &[], 7, "SC"),
    plan("249", &["0"], 9, "SD"),
    plan("250", &["0"], 9, "RW"),
    plan("251", &["0"], 9, "ET"),
    plan("252", &["0"], 9, "SO"),
    plan("253", &[], 8, "DJ"),
    plan("254", &["0"], 9, "KE"),
    plan("255", &["0"], 9, "TZ"),
    plan("256", &["0"], 9, "UG"),
    plan("257", &[], 8, "BI"),
    plan("258", &[], 9, "MZ"),
    plan("260", &["0"], 9, "ZM"),
    plan("261", &["0"], 9, "MG"),
    plan("262", &["0"], 9, "RE YT"),
    plan("263", &["0"], 9, "ZW"),
    plan("264", &["0"], 9, "NA"),
    plan("265", &["0"], 9, "MW"),
    plan("266", &[], 8, "LS"),
    plan("267", &[], 8, "BW"),
    plan("268", &[], 8, "SZ"),
    plan("269", &[], 7, "KM"),
    plan("27", &["0"], 9, "ZA"),
    plan("290", &[], 5, "SH"),
    plan("291", &["0"], 7, "ER"),
    plan("297", &[], 7, "AW"),
    plan("298", &[], 6, "FO"),
    plan("299", &[], 6, "GL"),
    plan("30", &[], 10, "GR"),
    plan("31", &["0"], 9, "NL"),
    plan("32", &["0"], 9, "BE"),
    plan("33", &["0"], 9, "FR"),
    plan("34", &[], 9, "ES"),
    plan("350", &[], 8, "GI"),
    plan("351", &[], 9, "PT"),
    plan("352", &[], 11, "LU"),
    plan("353", &["0"], 10, "IE"),
    plan("354", &[], 9, "IS"),
    plan("355", &["0"], 9, "AL"),
    plan("356", &[], 8, "MT"),
    plan("357", &[], 8, "CY"),
    plan("358", &["0"], 10, "AX FI"),
    plan("359", &["0"], 9, "BG"),
    plan("36", &["06"], 9, "HU"),
    plan("370", &["0", "8"], 8, "LT"),
    plan("371", &[], 8, "LV"),
    plan("372", &[], 8, "EE"),
    plan("373", &["0"], 8, "MD"),
    plan("374", &["0"], 8, "AM"),
    plan("375", &["80", "8", "0"], 9, "BY"),
    plan("376", &[], 9, "AD"),
    plan("377", &["0"], 9, "MC"),
    plan("378", &[], 10, "SM"),
    plan("380", &["0"], 9, "UA"),
    plan("381", &["0"], 10, "RS"),
    plan("382", &["0"], 8, "ME"),
    plan("383", &["0"], 9, "XK"),
    plan("385", &["0"], 9, "HR"),
    plan("386", &["0"], 8, "SI"),
    plan("387", &["0"], 9, "BA"),
    plan("389", &["0"], 8, "MK"),
    plan("39", &[], 11, "IT VA"),
    plan("40", &["0"], 9, "RO"),
    plan("41", &["0"], 9, "CH"),
    plan("420", &[], 9, "CZ"),
    plan("421", &["0"], 9, "SK"),
    plan("423", &["0"], 9, "LI"),
    plan("43", &["0"], 13, "AT"),
    plan("44", &["0"], 10, "GB GG IM JE"),
    plan("45", &[], 8, "DK"),
    plan("46", &["0"], 9, "SE"),
    plan("47", &[], 8, "NO SJ"),
    plan("48", &[], 9, "PL"),
    plan("49", &["0"], 11, "DE"),
    plan("500", &[], 5, "FK"),
    plan("501", &[], 7, "BZ"),
    plan("502", &[], 8, "GT"),
    plan("503", &[], 8, "SV"),
    plan("504", &[], 8, "HN"),
    plan("505", &[], 8, "NI"),
    plan("506", &[], 8, "CR"),
    plan("507", &[], 8, "PA"),
    plan("508", &["0"], 9, "PM"),
    plan("509", &[], 8, "HT"),
    plan("51", &["0"], 9, "PE"),
    plan("52", &["01", "044", "045"], 10, "MX"),
    plan("53", &["0"], 10, "CU"),
    plan("54", &["0"], 11, "AR"),
    plan("55", &["0"], 11, "BR"),
    plan("56", &["0"], 9, "CL"),
    plan("57", &["0"], 10, "CO"),
    plan("58", &["0"], 10, "VE"),
    plan("590", &["0"], 9, "BL GP MF"),
    plan("591", &["0"], 8, "BO"),
    plan("592", &[], 7, "GY"),
    plan("593", &["0"], 9, "EC"),
    plan("594", &["0"], 9, "GF"),
    plan("595", &["0"], 9, "PY"),
    plan("596", &["0"], 9, "MQ"),
    plan("597", &[], 7, "SR"),
    plan("598", &["0"], 8, "UY"),
    plan("599", &[], 8, "BQ CW"),
    plan("60", &["0"], 10, "MY"),
    plan("61", &["0"], 9, "AU CC CX"),
    plan("62", &["0"], 10, "ID"),
    plan("63", &["0"], 10, "PH"),
    plan("64", &["0"], 10, "NZ"),
    plan("65", &[], 8, "SG"),
    plan("66", &["0"], 9, "TH"),
    plan("670", &[], 8, "TL"),
    plan("672", &[], 6, "NF"),
    plan("673", &[], 7, "BN"),
    plan("674", &[], 7, "NR"),
    plan("675", &[], 8, "PG"),
    plan("676", &[], 7, "TO"),
    plan("677", &[], 7, "SB"),
    plan("678", &[], 7, "VU"),
    plan("679", &[], 7, "FJ"),
    plan("680", &[], 7, "PW"),
    plan("681", &[], 6, "WF"),
    plan("682", &[], 5, "CK"),
    plan("683", &[], 7, "NU"),
    plan("685", &[], 10, "WS"),
    plan("686", &["0"], 8, "KI"),
    plan("687", &[], 6, "NC"),
    plan("688", &[], 7, "TV"),
    plan("689", &[], 8, "PF"),
    plan("690", &[], 7, "TK"),
    plan("691", &[], 7, "FM"),
    plan("692", &["1"], 7, "MH"),
    plan("7", &["8"], 10, "KZ RU"),
    plan("81", &["0"], 10, "JP"),
    plan("82", &["0"], 10, "KR"),
    plan("84", &["0"], 10, "VN"),
    plan("850", &["0"], 10, "KP"),
    plan("852", &[], 8, "HK"),
    plan("853", &[], 8, "MO"),
    plan("855", &["0"], 9, "KH"),
    plan("856", &["0"], 10, "LA"),
    plan("86", &["0"], 11, "CN"),
    plan("880", &["0"], 10, "BD"),
    plan("886", &["0"], 9, "TW"),
    plan("90", &["0"], 10, "TR"),
    plan("91", &["0"], 10, "IN"),
    plan("92", &["0"], 10, "PK"),
    plan("93", &["0"], 9, "AF"),
    plan("94", &["0"], 9, "LK"),
    plan("95", &["0"], 10, "MM"),
    plan("960", &[], 7, "MV"),
    plan("961", &["0"], 8, "LB"),
    plan("962", &["0"], 9, "JO"),
    plan("963", &["0"], 9, "SY"),
    plan("964", &["0"], 10, "IQ"),
    plan("965", &[], 8, "KW"),
    plan("966", &["0"], 9, "SA"),
    plan("967", &["0"], 9, "YE"),
    plan("968", &[], 8, "OM"),
    plan("970", &["0"], 9, "PS"),
    plan("971", &["0"], 9, "AE"),
    plan("972", &["0"], 9, "IL"),
    plan("973", &[], 8, "BH"),
    plan("974", &[], 8, "QA"),
    plan("975", &[], 8, "BT"),
    plan("976", &["0"], 10, "MN"),
    plan("977", &["0"], 10, "NP"),
    plan("98", &["0"], 10, "IR"),
    plan("992", &["8"], 9, "TJ"),
    plan("993", &["8"], 8, "TM"),
    plan("994", &["0"], 9, "AZ"),
    plan("995", &["0"], 9, "GE"),
    plan("996", &["0"], 9, "KG"),
    plan("998", &["8"], 9, "UZ"),
];
