//! How telephone numbers are written in each country: what the normaliser `phone:CC` needs (docs/format.md section 6).
//!
//! Countries (ISO 3166-1 codes, and XK), calling codes, trunk prefixes and lengths are as in the metadata of libphonenumber 9.0,
//! which takes the codes from ITU-T E.164; but for older prefixes still seen (Mexico, Chile,
//! Tajikistan, Uzbekistan, Lithuania, Belarus) and lengths lowered where no national number begins with the calling code
//! and is so long (Germany, Indonesia, Israel, Italy, Kosovo, Netherlands, Serbia; and Cuba, Liechtenstein, Monaco, Mongolia, where
//! most numbers are shorter and are written without the trunk prefix).
//!
//! International prefixes are from there, too, where there is just one, or one beside others that cannot be mistaken for it. Where
//! `00` begins several (001 and 002 in Hong Kong, 00 and a carrier in Brazil), there is none here.
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
    /// What is dialled before a calling code, if that is one string of digits which begins no other; often `00`. Empty where it is not.
    pub abroad: &'static str,
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

    /// What follows the international prefix. One that does not begin with 0 may begin a number as well: it is cut only from more
    /// digits than a number has.
    pub fn after_abroad<'d>(&self, digits: &'d str) -> Option<&'d str> {
        let cuts = !self.abroad.is_empty() && (self.abroad.starts_with('0') || digits.len() > self.longest);
        digits.strip_prefix(self.abroad).filter(|_| cuts)
    }

    /// A national number without its trunk prefix, or none if a second one follows. One that does not begin with 0 may begin a
    /// number as well: it is cut only from more digits than a number has.
    pub fn without_trunk<'d>(&self, national: &'d str) -> Option<&'d str> {
        let cut = |digits: &'d str| {
            let cuts = |trunk: &&&str| trunk.starts_with('0') || digits.len() > self.longest;
            self.trunk.iter().filter(cuts).find_map(|trunk| digits.strip_prefix(trunk))
        };
        match cut(national) {
            None => Some(national),
            Some(rest) if cut(rest).is_none() => Some(rest),
            Some(_) => None,
        }
    }
}

const fn plan(
    code: &'static str,
    trunk: &'static [&'static str],
    longest: usize,
    abroad: &'static str,
    countries: &'static str,
) -> NumberingPlan {
    NumberingPlan { code, trunk, longest, abroad, countries }
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
    plan(
        "1",
        &["1"],
        10,
        "011",
        "AG AI AS BB BM BS CA DM DO GD GU JM KN KY LC MP MS PR SX TC TT US VC VG VI",
    ),
    plan("20", &["0"], 10, "00", "EG"),
    plan("211", &["0"], 9, "00", "SS"),
    plan("212", &["0"], 9, "00", "EH MA"),
    plan("213", &["0"], 9, "00", "DZ"),
    plan("216", &[], 8, "00", "TN"),
    plan("218", &["0"], 9, "00", "LY"),
    plan("220", &[], 9, "00", "GM"),
    plan("221", &[], 9, "00", "SN"),
    plan("222", &[], 8, "00", "MR"),
    plan("223", &[], 8, "00", "ML"),
    plan("224", &[], 9, "00", "GN"),
    plan("225", &[], 10, "00", "CI"),
    plan("226", &[], 8, "00", "BF"),
    plan("227", &[], 8, "00", "NE"),
    plan("228", &[], 8, "00", "TG"),
    plan("229", &[], 10, "00", "BJ"),
    plan("230", &[], 8, "00", "MU"),
    plan("231", &["0"], 9, "00", "LR"),
    plan("232", &["0"], 8, "00", "SL"),
    plan("233", &["0"], 9, "00", "GH"),
    plan("234", &["0"], 10, "", "NG"),
    plan("235", &[], 8, "00", "TD"),
    plan("236", &[], 8, "00", "CF"),
    plan("237", &[], 9, "00", "CM"),
    plan("238", &[], 7, "", "CV"),
    plan("239", &[], 7, "00", "ST"),
    plan("240", &[], 9, "00", "GQ"),
    plan("241", &[], 8, "00", "GA"),
    plan("242", &[], 9, "00", "CG"),
    plan("243", &["0"], 10, "00", "CD"),
    plan("244", &[], 9, "00", "AO"),
    plan("245", &[], 9, "00", "GW"),
    plan("246", &[], 7, "00", "IO"),
    plan("248", &[], 7, "", "SC"),
    plan("249", &["0"], 9, "00", "SD"),
    plan("250", &["0"], 9, "00", "RW"),
    plan("251", &["0"], 9, "00", "ET"),
    plan("252", &["0"], 9, "00", "SO"),
    plan("253", &[], 8, "00", "DJ"),
    plan("254", &["0"], 9, "000", "KE"),
    plan("255", &["0"], 9, "", "TZ"),
    plan("256", &["0"], 9, "", "UG"),
    plan("257", &[], 8, "00", "BI"),
    plan("258", &[], 9, "00", "MZ"),
    plan("260", &["0"], 9, "00", "ZM"),
    plan("261", &["0"], 9, "00", "MG"),
    plan("262", &["0"], 9, "00", "RE YT"),
    plan("263", &["0"], 9, "00", "ZW"),
    plan("264", &["0"], 9, "00", "NA"),
    plan("265", &["0"], 9, "00", "MW"),
    plan("266", &[], 8, "00", "LS"),
    plan("267", &[], 8, "00", "BW"),
    plan("268", &[], 8, "00", "SZ"),
    plan("269", &[], 7, "00", "KM"),
    plan("27", &["0"], 9, "00", "ZA"),
    plan("290", &[], 5, "00", "SH"),
    plan("291", &["0"], 7, "00", "ER"),
    plan("297", &[], 7, "00", "AW"),
    plan("298", &[], 6, "00", "FO"),
    plan("299", &[], 6, "00", "GL"),
    plan("30", &[], 10, "00", "GR"),
    plan("31", &["0"], 9, "00", "NL"),
    plan("32", &["0"], 9, "00", "BE"),
    plan("33", &["0"], 9, "00", "FR"),
    plan("34", &[], 9, "00", "ES"),
    plan("350", &[], 8, "00", "GI"),
    plan("351", &[], 9, "00", "PT"),
    plan("352", &[], 11, "00", "LU"),
    plan("353", &["0"], 10, "00", "IE"),
    plan("354", &[], 9, "00", "IS"),
    plan("355", &["0"], 9, "00", "AL"),
    plan("356", &[], 8, "00", "MT"),
    plan("357", &[], 8, "00", "CY"),
    plan("358", &["0"], 10, "00", "AX FI"),
    plan("359", &["0"], 9, "00", "BG"),
    plan("36", &["06"], 9, "00", "HU"),
    plan("370", &["0", "8"], 8, "00", "LT"),
    plan("371", &[], 8, "00", "LV"),
    plan("372", &[], 8, "00", "EE"),
    plan("373", &["0"], 8, "00", "MD"),
    plan("374", &["0"], 8, "00", "AM"),
    plan("375", &["80", "8", "0"], 9, "810", "BY"),
    plan("376", &[], 9, "00", "AD"),
    plan("377", &["0"], 8, "00", "MC"),
    plan("378", &[], 10, "00", "SM"),
    plan("380", &["0"], 9, "00", "UA"),
    plan("381", &["0"], 10, "00", "RS"),
    plan("382", &["0"], 8, "00", "ME"),
    plan("383", &["0"], 9, "00", "XK"),
    plan("385", &["0"], 9, "00", "HR"),
    plan("386", &["0"], 8, "00", "SI"),
    plan("387", &["0"], 9, "00", "BA"),
    plan("389", &["0"], 8, "00", "MK"),
    plan("39", &[], 11, "00", "IT VA"),
    plan("40", &["0"], 9, "00", "RO"),
    plan("41", &["0"], 9, "00", "CH"),
    plan("420", &[], 9, "00", "CZ"),
    plan("421", &["0"], 9, "00", "SK"),
    plan("423", &["0"], 7, "00", "LI"),
    plan("43", &["0"], 13, "00", "AT"),
    plan("44", &["0"], 10, "00", "GB GG IM JE"),
    plan("45", &[], 8, "00", "DK"),
    plan("46", &["0"], 9, "00", "SE"),
    plan("47", &[], 8, "00", "NO SJ"),
    plan("48", &[], 9, "00", "PL"),
    plan("49", &["0"], 11, "00", "DE"),
    plan("500", &[], 5, "00", "FK"),
    plan("501", &[], 7, "00", "BZ"),
    plan("502", &[], 8, "00", "GT"),
    plan("503", &[], 8, "00", "SV"),
    plan("504", &[], 8, "00", "HN"),
    plan("505", &[], 8, "00", "NI"),
    plan("506", &[], 8, "00", "CR"),
    plan("507", &[], 8, "00", "PA"),
    plan("508", &["0"], 9, "00", "PM"),
    plan("509", &[], 8, "00", "HT"),
    plan("51", &["0"], 9, "00", "PE"),
    plan("52", &["01", "044", "045"], 10, "00", "MX"),
    plan("53", &["0"], 8, "", "CU"),
    plan("54", &["0"], 11, "00", "AR"),
    plan("55", &["0"], 11, "", "BR"),
    plan("56", &["0"], 9, "00", "CL"),
    plan("57", &["0"], 10, "", "CO"),
    plan("58", &["0"], 10, "00", "VE"),
    plan("590", &["0"], 9, "00", "BL GP MF"),
    plan("591", &["0"], 8, "", "BO"),
    plan("592", &[], 7, "", "GY"),
    plan("593", &["0"], 9, "00", "EC"),
    plan("594", &["0"], 9, "00", "GF"),
    plan("595", &["0"], 9, "00", "PY"),
    plan("596", &["0"], 9, "00", "MQ"),
    plan("597", &[], 7, "00", "SR"),
    plan("598", &["0"], 8, "00", "UY"),
    plan("599", &[], 8, "00", "BQ CW"),
    plan("60", &["0"], 10, "00", "MY"),
    plan("61", &["0"], 9, "0011", "AU CC CX"),
    plan("62", &["0"], 10, "", "ID"),
    plan("63", &["0"], 10, "00", "PH"),
    plan("64", &["0"], 10, "00", "NZ"),
    plan("65", &[], 8, "", "SG"),
    plan("66", &["0"], 9, "", "TH"),
    plan("670", &[], 8, "00", "TL"),
    plan("672", &[], 6, "00", "NF"),
    plan("673", &[], 7, "00", "BN"),
    plan("674", &[], 7, "00", "NR"),
    plan("675", &[], 8, "00", "PG"),
    plan("676", &[], 7, "00", "TO"),
    plan("677", &[], 7, "00", "SB"),
    plan("678", &[], 7, "00", "VU"),
    plan("679", &[], 7, "00", "FJ"),
    plan("680", &[], 7, "", "PW"),
    plan("681", &[], 6, "00", "WF"),
    plan("682", &[], 5, "00", "CK"),
    plan("683", &[], 7, "00", "NU"),
    plan("685", &[], 10, "", "WS"),
    plan("686", &["0"], 8, "00", "KI"),
    plan("687", &[], 6, "00", "NC"),
    plan("688", &[], 7, "00", "TV"),
    plan("689", &[], 8, "00", "PF"),
    plan("690", &[], 7, "00", "TK"),
    plan("691", &[], 7, "00", "FM"),
    plan("692", &["1"], 7, "011", "MH"),
    plan("7", &["8"], 10, "810", "KZ RU"),
    plan("81", &["0"], 10, "010", "JP"),
    plan("82", &["0"], 10, "", "KR"),
    plan("84", &["0"], 10, "00", "VN"),
    plan("850", &["0"], 10, "00", "KP"),
    plan("852", &[], 8, "", "HK"),
    plan("853", &[], 8, "00", "MO"),
    plan("855", &["0"], 9, "", "KH"),
    plan("856", &["0"], 10, "00", "LA"),
    plan("86", &["0"], 11, "00", "CN"),
    plan("880", &["0"], 10, "00", "BD"),
    plan("886", &["0"], 9, "", "TW"),
    plan("90", &["0"], 10, "00", "TR"),
    plan("91", &["0"], 10, "00", "IN"),
    plan("92", &["0"], 10, "00", "PK"),
    plan("93", &["0"], 9, "00", "AF"),
    plan("94", &["0"], 9, "00", "LK"),
    plan("95", &["0"], 10, "00", "MM"),
    plan("960", &[], 7, "00", "MV"),
    plan("961", &["0"], 8, "00", "LB"),
    plan("962", &["0"], 9, "00", "JO"),
    plan("963", &["0"], 9, "00", "SY"),
    plan("964", &["0"], 10, "00", "IQ"),
    plan("965", &[], 8, "00", "KW"),
    plan("966", &["0"], 9, "00", "SA"),
    plan("967", &["0"], 9, "00", "YE"),
    plan("968", &[], 8, "00", "OM"),
    plan("970", &["0"], 9, "00", "PS"),
    plan("971", &["0"], 9, "00", "AE"),
    plan("972", &["0"], 9, "00", "IL"),
    plan("973", &[], 8, "00", "BH"),
    plan("974", &[], 8, "00", "QA"),
    plan("975", &[], 8, "00", "BT"),
    plan("976", &["0"], 8, "", "MN"),
    plan("977", &["0"], 10, "00", "NP"),
    plan("98", &["0"], 10, "00", "IR"),
    plan("992", &["8"], 9, "810", "TJ"),
    plan("993", &["8"], 8, "810", "TM"),
    plan("994", &["0"], 9, "00", "AZ"),
    plan("995", &["0"], 9, "00", "GE"),
    plan("996", &["0"], 9, "00", "KG"),
    plan("998", &["8"], 9, "00", "UZ"),
];
