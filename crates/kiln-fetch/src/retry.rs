use std::time::{Duration, Instant};

use ureq::http::header::RETRY_AFTER;

use crate::network::{NetworkError, Response, Trouble};

/// The longest pause between two attempts that kiln chooses itself.
const PAUSE_MAX: Duration = Duration::from_secs(20);

/// When the same is asked again: after trouble that may pass, with pauses that double, or as long as the server asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How often one thing is asked.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles from one attempt to the next.
    pub backoff: Duration,
    /// The longest pause a server may ask for with `Retry-After`.
    pub retry_after_max: Duration,
    /// Whether a host that is not there is asked again: one of many mirrors is not worth it, the only place of a thing is.
    pub waits_for_hosts: bool,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 5,
            backoff: Duration::from_millis(400),
            retry_after_max: Duration::from_mins(1),
            waits_for_hosts: true,
        }
    }
}

/// The attempts at one thing.
#[derive(Debug)]
pub struct Tries<'a> {
    retry: &'a Retry,
    made: u32,
}

impl Retry {
    /// Before the first attempt.
    pub fn tries(&self) -> Tries<'_> {
        Tries { retry: self, made: 1 }
    }

    /// Whether a request that met this error may work a moment later.
    pub fn may_pass(&self, error: &NetworkError) -> bool {
        match Trouble::of(error) {
            Trouble::Passing => true,
            Trouble::Absent => self.waits_for_hosts,
            Trouble::Certificate | Trouble::Lasting => false,
        }
    }

    /// Whether a server may ask for that pause.
    pub fn allows(&self, wanted: Option<Duration>) -> bool {
        wanted.is_none_or(|wanted| wanted <= self.retry_after_max)
    }
}

impl Tries<'_> {
    /// Whether no other attempt follows.
    pub fn is_last(&self) -> bool {
        self.made >= self.retry.attempts
    }

    /// Waits for the next attempt: as long as the server asked for, or by the doubling pauses.
    pub fn wait(&mut self, wanted: Option<Duration>) {
        self.wait_until(wanted, None);
    }

    /// The same, where everything must be over by then: no attempt follows where the pause would not be, and nothing is waited for.
    pub fn wait_until(&mut self, wanted: Option<Duration>, until: Option<Instant>) -> bool {
        let pause = wanted.unwrap_or_else(|| self.pause());
        if until.is_some_and(|until| Instant::now() + pause >= until) {
            return false;
        }
        std::thread::sleep(pause);
        self.made += 1;
        true
    }

    fn pause(&self) -> Duration {
        self.retry.backoff.saturating_mul(1 << self.made.saturating_sub(1).min(10)).min(PAUSE_MAX)
    }
}

/// Whether a request that met this status may work a moment later.
pub fn passes(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502..=504)
}

/// How long the server wants to be left alone: seconds or a date. Source: RFC 9110 §10.2.3.
pub fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let when = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    let seconds = when.as_second() - jiff::Timestamp::now().as_second();
    Some(Duration::from_secs(seconds.max(0).unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_cap() {
        let retry = Retry { attempts: 100, backoff: Duration::from_secs(1), ..Retry::default() };
        let pauses: Vec<u64> = (1..8).map(|made| Tries { retry: &retry, made }.pause().as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 20, 20]);
        assert!(Tries { retry: &retry, made: 100 }.is_last() && !retry.tries().is_last());
        assert_eq!(Tries { retry: &retry, made: u32::MAX }.pause(), PAUSE_MAX);
        assert!(retry.allows(None) && retry.allows(Some(Duration::from_mins(1))));
        assert!(!retry.allows(Some(Duration::from_hours(1))));
    }

    #[test]
    fn no_pause_is_longer_than_there_is_time() {
        let retry = Retry { backoff: Duration::from_hours(1), ..Retry::default() };
        let soon = Some(Instant::now() + Duration::from_secs(10));
        let mut tries = retry.tries();
        assert!(!tries.wait_until(None, soon) && !tries.wait_until(Some(Duration::from_hours(1)), soon));
        assert!(tries.wait_until(Some(Duration::ZERO), soon) && tries.made == 2);
    }

    #[test]
    fn what_may_pass_is_told_from_what_lasts() {
        let (waits, not) = (Retry::default(), Retry { waits_for_hosts: false, ..Retry::default() });
        let refused = || NetworkError::Io(std::io::ErrorKind::ConnectionRefused.into());
        assert!(waits.may_pass(&refused()) && !not.may_pass(&refused()));
        let reset = NetworkError::Io(std::io::ErrorKind::ConnectionReset.into());
        assert!(waits.may_pass(&reset) && not.may_pass(&reset));
        let closed = NetworkError::Io(std::io::ErrorKind::PermissionDenied.into());
        assert!(!waits.may_pass(&closed));
    }
}
