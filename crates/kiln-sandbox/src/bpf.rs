//! Filters of system calls, in classic BPF. seccomp(2), linux/filter.h.
#![expect(unsafe_code, reason = "seccomp has no safe form")]

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

use libc::sock_filter;

use crate::profile::{Answer, Operator, Way, Ways};

#[cfg(target_arch = "x86_64")]
const ARCH: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCH: u32 = 0xc000_00b7;

/// Offsets in `struct seccomp_data`.
const NUMBER_AT: u32 = 0;
const ARCH_AT: u32 = 4;
/// The first argument. Both CPUs keep the low half of a number in front.
const ARGUMENTS_AT: u32 = 16;

const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const AND: u32 = libc::BPF_ALU | libc::BPF_AND | libc::BPF_K;
const GO: u32 = libc::BPF_JMP | libc::BPF_JA;
const IF_EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
const IF_GREATER: u32 = libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K;
const IF_AT_LEAST: u32 = libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K;
const RETURN: u32 = libc::BPF_RET | libc::BPF_K;

const REFUSE: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM.cast_unsigned();
const UNKNOWN: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned();

/// One instruction: `yes` and `no` are how many instructions are passed over.
fn step(code: u32, yes: u8, no: u8, value: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: yes, jf: no, k: value }
}

/// Answers calls by an allow list. What is not in it is refused; a call with a larger number than any in the list was not
/// known when the list was made, and does not exist, so that programs fall back to what does. Calls of another CPU or of
/// another width of this one end the process.
pub(crate) fn allow_list(calls: &BTreeMap<u32, Ways>) -> Vec<sock_filter> {
    let last = calls.last_key_value().map_or(0, |(&number, _)| number);
    let mut program = vec![
        step(LOAD, 0, 0, ARCH_AT),
        step(IF_EQUAL, 1, 0, ARCH),
        step(RETURN, 0, 0, libc::SECCOMP_RET_KILL_PROCESS),
        step(LOAD, 0, 0, NUMBER_AT),
        // Numbers of x32 carry bit 30 and are larger than any.
        step(IF_GREATER, 0, 1, last),
        step(RETURN, 0, 0, UNKNOWN),
    ];
    program.extend(search(&blocks(calls)));
    program
}

/// Answers these calls, and lets all others pass to other filters.
pub(crate) fn answers(lists: &[(&[libc::c_long], u32)]) -> Vec<sock_filter> {
    let mut program = vec![
        step(LOAD, 0, 0, ARCH_AT),
        step(IF_EQUAL, 1, 0, ARCH),
        step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
        step(LOAD, 0, 0, NUMBER_AT),
    ];
    for &(calls, answer) in lists {
        for &call in calls {
            // Call numbers are small and never negative.
            program.push(step(IF_EQUAL, 0, 1, u32::try_from(call).unwrap_or(u32::MAX)));
            program.push(step(RETURN, 0, 0, answer));
        }
    }
    program.push(step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW));
    program
}

/// Numbers from here on, up to the next block, and what is done about them.
type Block = (u32, Vec<sock_filter>);

/// Neighbours that are treated alike are one block.
fn blocks(calls: &BTreeMap<u32, Ways>) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut add = |from: u32, body: Vec<sock_filter>| {
        let is_same =
            |known: &Block| known.1.iter().copied().map(fields).eq(body.iter().copied().map(fields));
        if !blocks.last().is_some_and(is_same) {
            blocks.push((from, body));
        }
    };
    let (mut next, mut was_plain) = (0, false);
    for (&number, ways) in calls {
        if number > next {
            add(next, vec![step(RETURN, 0, 0, REFUSE)]);
        }
        let is_plain = matches!(&ways[..], [Way { tests, answer: Answer::Allow }] if tests.is_empty());
        // Most are, and follow one that is: nothing to be made and compared.
        if !(is_plain && number == next && was_plain) {
            add(number, decide(ways));
        }
        (next, was_plain) = (number + 1, is_plain);
    }
    blocks
}

fn fields(sock_filter { code, jt, jf, k }: sock_filter) -> (u16, u8, u8, u32) {
    (code, jt, jf, k)
}

/// A tree of comparisons: every call is asked about few times, however long the list is.
fn search(blocks: &[Block]) -> Vec<sock_filter> {
    match blocks {
        [] => vec![step(RETURN, 0, 0, REFUSE)],
        [(_, body)] => body.clone(),
        _ => {
            let (below, above) = blocks.split_at(blocks.len() / 2);
            let lower = search(below);
            // The conditional jump is too short for half a program.
            let mut program = vec![step(IF_AT_LEAST, 0, 1, above[0].0), step(GO, 0, 0, lower.len() as u32)];
            program.extend(lower);
            program.extend(search(above));
            program
        }
    }
}

fn decide(ways: &Ways) -> Vec<sock_filter> {
    if let Some(way) = ways.iter().find(|way| way.tests.is_empty()) {
        return vec![step(RETURN, 0, 0, answer(way))];
    }
    let mut program: Vec<sock_filter> = ways.iter().flat_map(attempt).collect();
    program.push(step(RETURN, 0, 0, REFUSE));
    program
}

/// Returns where all tests hold, and goes on behind itself where one does not.
fn attempt(way: &Way) -> Vec<sock_filter> {
    let mut body = vec![step(RETURN, 0, 0, answer(way))];
    for test in way.tests.iter().rev() {
        let past = body.len() as u8;
        let load = step(LOAD, 0, 0, ARGUMENTS_AT + 8 * test.argument);
        let mut asked = match test.operator {
            Operator::Less => vec![load, step(IF_AT_LEAST, past, 0, test.value)],
            Operator::Equal => vec![load, step(IF_EQUAL, 0, past, test.value)],
            Operator::Greater => vec![load, step(IF_GREATER, 0, past, test.value)],
            Operator::Clear => vec![load, step(AND, 0, 0, test.value), step(IF_EQUAL, 0, past, 0)],
        };
        asked.append(&mut body);
        body = asked;
    }
    body
}

fn answer(way: &Way) -> u32 {
    match way.answer {
        Answer::Allow => libc::SECCOMP_RET_ALLOW,
        Answer::Errno(number) => libc::SECCOMP_RET_ERRNO | number,
    }
}

/// From now on the kernel asks the program about this process and all it starts.
pub(crate) fn apply(program: &[sock_filter]) -> io::Result<()> {
    install(program, 0).map(drop)
}

/// The same, with a descriptor at which the kernel asks about calls that the program answers with
/// `SECCOMP_RET_USER_NOTIF`.
pub(crate) fn listen(program: &[sock_filter]) -> io::Result<OwnedFd> {
    let fd = install(program, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER)?;
    // SAFETY: the kernel gave this descriptor to us alone; it is closed on exec.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

fn install(program: &[sock_filter], flags: libc::c_ulong) -> io::Result<libc::c_long> {
    let length = u16::try_from(program.len()).map_err(io::Error::other)?;
    let filter = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    // SAFETY: the program outlives the call, and its length is right.
    let outcome =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const filter) };
    if outcome < 0 { Err(io::Error::last_os_error()) } else { Ok(outcome) }
}

#[cfg(test)]
mod tests {
    use rustix::thread::CapabilitySet;

    use super::*;
    use crate::profile::{Test, calls};

    /// What the kernel would do: classic BPF over `struct seccomp_data`.
    fn run(program: &[sock_filter], arch: u32, number: u32, arguments: &[u64]) -> u32 {
        let mut data = [number.to_le_bytes(), arch.to_le_bytes()].concat();
        data.extend([0; 8]);
        for at in 0..6 {
            data.extend(arguments.get(at).copied().unwrap_or(0).to_le_bytes());
        }
        let (mut at, mut value) = (0, 0);
        loop {
            let sock_filter { code, jt, jf, k } = program[at];
            at += 1;
            let mut jump = |yes: bool| at += usize::from(if yes { jt } else { jf });
            match u32::from(code) {
                LOAD => value = u32::from_le_bytes(data[k as usize..][..4].try_into().unwrap()),
                AND => value &= k,
                GO => at += k as usize,
                IF_EQUAL => jump(value == k),
                IF_GREATER => jump(value > k),
                IF_AT_LEAST => jump(value >= k),
                RETURN => return k,
                other => panic!("{other}"),
            }
        }
    }

    fn holds(test: &Test, arguments: &[u64]) -> bool {
        let value = arguments[test.argument as usize] as u32;
        match test.operator {
            Operator::Less => value < test.value,
            Operator::Equal => value == test.value,
            Operator::Greater => value > test.value,
            Operator::Clear => value & test.value == 0,
        }
    }

    /// Every number from the first to past the last is answered as the table says, with arguments around its limits.
    #[test]
    fn the_program_answers_as_the_table() {
        for cpu in ["x86_64", "aarch64"] {
            let table = calls(cpu, CapabilitySet::SYS_CHROOT).unwrap();
            let program = allow_list(&table);
            assert!(program.len() < 4096);
            let last = *table.last_key_value().unwrap().0;
            for number in 0..=last {
                for value in [0, 1, 8, 9, 37, 38, 39, 40, 41, 0x20000, 0x20008, 0x0200_0000, 0xffff_ffff] {
                    let arguments = [value, 0, 0, 0, 0, 0];
                    let ways = table.get(&number).cloned().unwrap_or_default();
                    let way = ways.iter().find(|way| way.tests.iter().all(|test| holds(test, &arguments)));
                    let expected = way.map_or(REFUSE, answer);
                    assert_eq!(run(&program, ARCH, number, &arguments), expected, "{cpu} {number} {value}");
                }
            }
            assert_eq!(run(&program, ARCH, last + 1, &[]), UNKNOWN);
            assert_eq!(run(&program, ARCH, 0x4000_0000, &[]), UNKNOWN);
            assert_eq!(run(&program, ARCH ^ 1, 0, &[]), libc::SECCOMP_RET_KILL_PROCESS);
        }
    }

    /// `socket(AF_ALG)` with rubbish in the upper half, which the kernel does not look at.
    #[test]
    fn upper_halves_do_not_count() {
        let program = allow_list(&calls(std::env::consts::ARCH, CapabilitySet::empty()).unwrap());
        let socket = u32::try_from(libc::SYS_socket).unwrap();
        assert_eq!(run(&program, ARCH, socket, &[0x1_0000_0026]), REFUSE);
        assert_eq!(run(&program, ARCH, socket, &[0x1_0000_0002]), libc::SECCOMP_RET_ALLOW);
    }
}
