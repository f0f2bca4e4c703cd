/// Names of Linux signals, without `SIG`, from 1.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// The first and the last signal for real-time use.
const REALTIME: (u32, u32) = (34, 64);

/// The number of a signal: a number but 0, or a name with or without `SIG`, in any case.
pub fn parse_signal(text: &str) -> Option<u32> {
    if let Ok(number) = text.parse::<i32>() {
        return u32::try_from(number).ok().filter(|number| *number > 0);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let alias = match name {
        "IOT" => "ABRT",
        "CLD" => "CHLD",
        "POLL" => "IO",
        "UNUSED" => "SYS",
        name => name,
    };
    let plain = NAMES.iter().position(|known| *known == alias).and_then(|at| u32::try_from(at + 1).ok());
    plain.or_else(|| realtime(name))
}

fn realtime(name: &str) -> Option<u32> {
    let (first, last) = REALTIME;
    let (base, offset) = match name.strip_prefix("RTMIN") {
        Some("") => return Some(first),
        Some(offset) => (i64::from(first), offset.strip_prefix('+')?.parse::<i64>().ok()?),
        None => match name.strip_prefix("RTMAX")? {
            "" => return Some(last),
            offset => (i64::from(last), -offset.strip_prefix('-')?.parse::<i64>().ok()?),
        },
    };
    u32::try_from(base + offset).ok().filter(|number| (first..=last).contains(number))
}

/// The names that may be meant by something that is no signal.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_numbers() {
        assert_eq!(parse_signal("SIGTERM"), Some(15));
        assert_eq!(parse_signal("quit"), Some(3));
        assert_eq!(parse_signal("9"), Some(9));
        assert_eq!(parse_signal("SIGRTMIN+3"), Some(37));
        assert_eq!(parse_signal("RTMAX-1"), Some(63));
        for text in ["", "0", "-1", "SIGNOPE", "RTMIN+99", "RTMAX+1", "99999999999"] {
            assert_eq!(parse_signal(text), None, "{text}");
        }
    }
}
