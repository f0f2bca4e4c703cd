//! How old advisories may be.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Date;
use crate::build::FeedKind;

/// Most days since a feed was complete: for all feeds, and for some of them another number. Written as a number, or as a table of
/// feeds in which `default` is all others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct MaxAge {
    default: Option<u32>,
    feeds: BTreeMap<String, u32>,
}

/// Both ways to write it.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Days(u32),
    Feeds(BTreeMap<String, u32>),
}

const DEFAULT: &str = "default";

impl MaxAge {
    /// The same for every feed.
    pub fn days(days: u32) -> Self {
        Self { default: Some(days), feeds: BTreeMap::new() }
    }

    /// The most days for this feed, by the name of its slice; `None` where any age will do.
    pub fn of(&self, feed: &str) -> Option<u32> {
        self.feeds.get(feed).copied().or(self.default)
    }

    /// The same, with `other` for what is not said here.
    #[must_use]
    pub fn or(mut self, other: &Self) -> Self {
        self.default = self.default.or(other.default);
        self
    }

    fn named(feeds: BTreeMap<String, u32>) -> Result<Self, String> {
        let mut age = Self { default: None, feeds };
        age.default = age.feeds.remove(DEFAULT);
        let known = || FeedKind::names().filter(|name| !matches!(*name, "kev" | "epss"));
        match age.feeds.keys().find(|name| !known().any(|known| known == name.as_str())) {
            None => Ok(age),
            Some(name) => {
                let names: Vec<&str> = known().collect();
                Err(format!("`{name}` is no feed: it is none of {DEFAULT}, {}", names.join(", ")))
            }
        }
    }
}

impl TryFrom<Written> for MaxAge {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Days(days) => Ok(Self::days(days)),
            Written::Feeds(feeds) => Self::named(feeds),
        }
    }
}

impl From<MaxAge> for Written {
    fn from(age: MaxAge) -> Self {
        match age.default {
            Some(days) if age.feeds.is_empty() => Self::Days(days),
            default => {
                let default = default.map(|days| (DEFAULT.to_owned(), days));
                Self::Feeds(age.feeds.into_iter().chain(default).collect())
            }
        }
    }
}

impl FromStr for MaxAge {
    type Err = String;

    /// `30`, or `30,npm=7`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut feeds = BTreeMap::new();
        for part in text.split(',').map(str::trim) {
            let (feed, days) = part.split_once('=').unwrap_or((DEFAULT, part));
            let days = days.parse().map_err(|_| format!("`{days}` is no number of days"))?;
            if feeds.insert(feed.to_owned(), days).is_some() {
                return Err(format!("`{feed}` is said twice"));
            }
        }
        Self::named(feeds)
    }
}

/// What a judgement depends on besides advisories and packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The day it is made.
    pub today: Date,
    /// When a feed is called stale.
    pub stale_after: MaxAge,
}

/// Days after which a feed is stale where nobody says otherwise.
const STALE_AFTER: u32 = 30;

impl Terms {
    /// The usual ones, on that day.
    pub fn on(today: Date) -> Self {
        Self { today, stale_after: MaxAge::days(STALE_AFTER) }
    }

    /// The same, where feeds are stale after `age`.
    #[must_use]
    pub fn stale_after(mut self, age: &MaxAge) -> Self {
        self.stale_after = age.clone().or(&self.stale_after);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feeds_may_have_their_own() {
        let age: MaxAge = "30, npm=7".parse().unwrap();
        assert_eq!((age.of("npm"), age.of("debian")), (Some(7), Some(30)));
        let only: MaxAge = "debian=1".parse().unwrap();
        assert_eq!((only.of("npm"), only.of("debian")), (None, Some(1)));
        assert_eq!(Terms::on(Date::default()).stale_after(&only).stale_after.of("npm"), Some(STALE_AFTER));
        for wrong in ["", "x", "npm=", "nmp=7", "7,8", "kev=3", "-1"] {
            assert!(wrong.parse::<MaxAge>().is_err(), "{wrong}");
        }
        let read = |text: &str| serde_json::from_str::<MaxAge>(text);
        assert_eq!(read("30").unwrap(), MaxAge::days(30));
        assert_eq!(read(r#"{"default":30,"npm":7}"#).unwrap(), age);
        assert!(read(r#"{"nmp":7}"#).is_err());
        assert_eq!(serde_json::to_string(&age).unwrap(), r#"{"default":30,"npm":7}"#);
        assert_eq!(serde_json::to_string(&MaxAge::days(3)).unwrap(), "3");
    }
}
