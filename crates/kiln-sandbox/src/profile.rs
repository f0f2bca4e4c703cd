//! Docker's default seccomp profile, as a table: which system calls a job may make, and on which terms.
//! `data/seccomp.tsv` is made from the published one by `ci/seccomp-table`.

use std::collections::BTreeMap;

use rustix::thread::CapabilitySet;

const TABLE: &str = include_str!("../data/seccomp.tsv");

/// What becomes of a call. All ways are tried in order; if none fits, it is refused.
pub(crate) type Ways = Vec<Way>;

/// One set of terms, and what is answered where all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) tests: Vec<Test>,
    pub(crate) answer: Answer,
}

/// A question about the low half of an argument. The kernel looks at no more of those that the profile asks about, so what
/// stands in the upper half must not change the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) argument: u32,
    pub(crate) operator: Operator,
    pub(crate) value: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Less,
    Equal,
    Greater,
    /// None of the bits is set.
    Clear,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Allow,
    Errno(u32),
}

/// The calls that someone with these capabilities may make on this CPU (`x86_64` or `aarch64`), by number. `None` if the
/// table says something that is not understood here.
pub(crate) fn calls(cpu: &str, capabilities: CapabilitySet) -> Option<BTreeMap<u32, Ways>> {
    let column = match cpu {
        "x86_64" => 0,
        "aarch64" => 1,
        _ => return None,
    };
    let mut calls = BTreeMap::<u32, Ways>::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut cells = line.split('\t').skip(1);
        let numbers = [cells.next()?, cells.next()?];
        let number = numbers[column];
        if number == "-" {
            continue;
        }
        if let Some(way) = parse_way(cells.next().unwrap_or_default(), capabilities)? {
            calls.entry(number.parse().ok()?).or_default().push(way);
        }
    }
    Some(calls)
}

/// `Some(None)` where the terms ask for other capabilities.
#[expect(
    clippy::option_option,
    reason = "not understood, not for these capabilities, and a way are three things"
)]
fn parse_way(terms: &str, capabilities: CapabilitySet) -> Option<Option<Way>> {
    let mut way = Way { tests: Vec::new(), answer: Answer::Allow };
    for term in terms.split(", ").filter(|term| !term.is_empty()) {
        let words: Vec<&str> = term.split(' ').collect();
        match words[..] {
            ["with", name] if !capabilities.contains(capability(name)?) => return Some(None),
            ["without", name] if capabilities.contains(capability(name)?) => return Some(None),
            ["with" | "without", _] => {}
            ["errno", number] => way.answer = Answer::Errno(number.parse().ok()?),
            [argument, operator, value] => way.tests.push(parse_test(argument, operator, value)?),
            _ => return None,
        }
    }
    Some(Some(way))
}

fn parse_test(argument: &str, operator: &str, value: &str) -> Option<Test> {
    let operator = match operator {
        "lt" => Operator::Less,
        "eq" => Operator::Equal,
        "gt" => Operator::Greater,
        "clear" => Operator::Clear,
        _ => return None,
    };
    let argument = argument.strip_prefix("arg")?.parse().ok().filter(|&argument| argument < 6)?;
    let value = u32::from_str_radix(value.strip_prefix("0x")?, 16).ok()?;
    Some(Test { argument, operator, value })
}

fn capability(name: &str) -> Option<CapabilitySet> {
    CapabilitySet::from_name(name.strip_prefix("CAP_")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_cpus_have_their_calls() {
        let none = CapabilitySet::empty();
        let (intel, arm) = (calls("x86_64", none).unwrap(), calls("aarch64", none).unwrap());
        assert!(intel.len() > 300 && arm.len() > 250, "{} {}", intel.len(), arm.len());
        assert!(calls("riscv64", none).is_none());
    }

    /// The numbers of the table are those that this machine's C library knows.
    #[test]
    fn numbers_are_right() {
        let calls = calls(std::env::consts::ARCH, CapabilitySet::all()).unwrap();
        let known = [
            libc::SYS_read,
            libc::SYS_clone,
            libc::SYS_clone3,
            libc::SYS_personality,
            libc::SYS_socket,
            libc::SYS_chroot,
            libc::SYS_mount,
            libc::SYS_seccomp,
            libc::SYS_openat2,
            libc::SYS_close_range,
            libc::SYS_ptrace,
            libc::SYS_bpf,
        ];
        for number in known {
            assert!(calls.contains_key(&u32::try_from(number).unwrap()), "{number}");
        }
        for number in
            [libc::SYS_io_uring_setup, libc::SYS_keyctl, libc::SYS_userfaultfd, libc::SYS_pivot_root]
        {
            assert!(!calls.contains_key(&u32::try_from(number).unwrap()), "{number}");
        }
    }

    #[test]
    fn capabilities_decide() {
        let ways = |capabilities, number: libc::c_long| {
            let mut calls = calls(std::env::consts::ARCH, capabilities).unwrap();
            calls.remove(&u32::try_from(number).unwrap())
        };
        let none = CapabilitySet::empty();
        assert_eq!(ways(none, libc::SYS_chroot), None);
        assert_eq!(ways(CapabilitySet::SYS_CHROOT, libc::SYS_chroot).unwrap()[0].answer, Answer::Allow);
        assert_eq!(ways(none, libc::SYS_clone3).unwrap()[0].answer, Answer::Errno(38));
        let test = Test { argument: 0, operator: Operator::Clear, value: 0x7e02_0000 };
        assert_eq!(ways(none, libc::SYS_clone).unwrap()[0].tests, [test]);
        assert_eq!(ways(CapabilitySet::SYS_ADMIN, libc::SYS_clone).unwrap()[0].tests, []);
    }

    #[test]
    fn what_is_not_understood_is_no_rule() {
        let none = CapabilitySet::empty();
        for terms in ["with CAP_NONE", "arg0 like 0x1", "arg9 eq 0x1", "arg0 eq 1", "errno x", "odd"] {
            assert_eq!(parse_way(terms, none), None, "{terms}");
        }
    }
}
