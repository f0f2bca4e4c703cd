use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A day of the Gregorian calendar, counted from 1970-01-01. Written `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(u32);

impl Date {
    /// The day that is `days` after 1970-01-01.
    pub fn from_days(days: u32) -> Self {
        Self(days)
    }

    /// The day a Unix time in seconds falls on.
    pub fn from_unix(seconds: u64) -> Self {
        Self(u32::try_from(seconds / 86_400).unwrap_or(u32::MAX))
    }

    /// Days after 1970-01-01.
    pub fn days(self) -> u32 {
        self.0
    }

    /// Days from `self` to `today`; 0 where `today` is earlier.
    pub fn age(self, today: Self) -> u32 {
        today.0.saturating_sub(self.0)
    }
}

/// A text that is no date.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a date of the form YYYY-MM-DD")]
pub struct DateError(String);

impl FromStr for Date {
    type Err = DateError;

    /// Reads the first ten characters, so a time after the day is accepted.
    fn from_str(text: &str) -> Result<Self, DateError> {
        read(text).ok_or_else(|| DateError(text.chars().take(40).collect()))
    }
}

/// Days from civil, after Howard Hinnant's description of the algorithm; years 1970 to 9999.
fn read(text: &str) -> Option<Date> {
    let mut parts = text.get(..10)?.split('-').map(|part| part.parse::<u32>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some()
        || !(1970..=9999).contains(&year)
        || !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
    {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let shifted = (month + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year;
    days.checked_sub(719_468).map(Date)
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = u64::from(self.0) + 719_468;
        let era = days / 146_097;
        let of_era = days % 146_097;
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        f.pad(&format!("{year:04}-{month:02}-{day:02}"))
    }
}

impl TryFrom<String> for Date {
    type Error = DateError;

    fn try_from(text: String) -> Result<Self, DateError> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_writes() {
        for days in (0..60_000).step_by(7) {
            let date = Date::from_days(days);
            assert_eq!(date.to_string().parse(), Ok(date));
        }
        assert_eq!(Date::from_unix(951_782_400).to_string(), "2000-02-29");
        assert_eq!("2026-04-08T00:00:00Z".parse(), Ok(Date::from_days(20_551)));
        for bad in ["", "2026", "2026-13-01", "2026-4-08", "1969-12-31", "äöüäöü"] {
            assert!(bad.parse::<Date>().is_err(), "{bad}");
        }
    }
}
