//! Subordinate ids: with them an ordinary user has as many as an image needs. kiln then becomes root of a user namespace of
//! its own, and from there on everything is as for root. Source: subuid(5), newuidmap(1), user_namespaces(7).
#![expect(unsafe_code, reason = "unshare has no safe form")]

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use kiln_program::Call;
use rustix::thread::UnshareFlags;

use crate::Ids;

/// First argument of the process that asks for the ids from outside.
pub(crate) const MAP: &str = "__map_ids";
/// The largest `subuid` or `passwd` that is read, in bytes.
const FILE_MAX: u64 = 4 << 20;
const MAPPERS: [&str; 2] = ["newuidmap", "newgidmap"];

/// Ids that an administrator gave to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    first: u32,
    count: u32,
}

/// What is asked for.
struct Grant {
    /// Of users, of groups.
    ranges: [Range; 2],
    mappers: [PathBuf; 2],
}

/// Starts `program`, which must be this one, again in this very process: with the same arguments and `mark` in its
/// environment, as root of a user namespace that has the subordinate ids of the user.
///
/// Returns where there is nothing to be had: for root, for a user without such ids or without the programs that hand them
/// out, and in a process with several threads. If they are refused halfway, the program starts as the user it was, with
/// `one` in `mark`. Fails only where the program cannot be started again.
pub fn adopt(program: &Path, mark: (&str, &str)) -> io::Result<()> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let Some(grant) = Grant::find() else { return Ok(()) };
    let Ok(mut outside) = ask(program, &grant) else { return Ok(()) };
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    // SAFETY: neither memory nor files are unshared; the kernel refuses this to a process with several threads.
    if unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWUSER) }.is_err() {
        drop(outside.kill());
        drop(outside.wait());
        return Ok(());
    }
    let is_granted = answer(&mut outside);
    if !is_granted {
        keep_own("uid_map", uid);
        keep_own("gid_map", gid);
    }
    let mut again = Command::new(program);
    again.args(std::env::args_os().skip(1)).env(mark.0, if is_granted { mark.1 } else { "one" });
    Err(again.exec())
}

/// Starts the process outside, which waits for a word. Only from there can ids be handed out.
fn ask(program: &Path, grant: &Grant) -> io::Result<Child> {
    let mut command = Command::new(program);
    command.arg(MAP).arg(std::process::id().to_string());
    for (mapper, range) in grant.mappers.iter().zip(&grant.ranges) {
        command.arg(mapper).arg(range.first.to_string()).arg(range.count.to_string());
    }
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

/// Gives the process outside the word, and waits for it to be done.
fn answer(outside: &mut Child) -> bool {
    let is_told = outside.stdin.take().is_some_and(|mut stdin| stdin.write_all(b"\n").is_ok());
    outside.wait().is_ok_and(|status| is_told && status.success())
}

/// Without a map nobody is anybody. A map that is there already stays.
fn keep_own(map: &str, id: u32) {
    // The kernel wants this before the map of groups (CVE-2014-8989); for the other map it does no harm.
    drop(fs::write("/proc/self/setgroups", "deny"));
    drop(fs::write(format!("/proc/self/{map}"), format!("{id} {id} 1")));
}

/// The process outside: `__map_ids PID NEWUIDMAP FIRST COUNT NEWGIDMAP FIRST COUNT`.
pub(crate) fn hand_out(arguments: &[String]) -> ExitCode {
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let [pid, of_users @ .., _, _, _] = arguments else { return ExitCode::FAILURE };
    let of_groups = arguments.get(arguments.len().saturating_sub(3)..).unwrap_or_default();
    let mut word = [0];
    // No word comes where the namespace could not be made.
    if !matches!(io::stdin().read(&mut word), Ok(1)) {
        return ExitCode::FAILURE;
    }
    let are_mapped = [(of_users, uid), (of_groups, gid)].into_iter().all(|(arguments, own)| {
        let [mapper, first, count] = arguments else { return false };
        let own = own.to_string();
        let call = Call::new(mapper).args([pid, "0", own.as_str(), "1", "1", first, count]);
        call.run().is_ok_and(|ended| ended.is_success())
    });
    if are_mapped { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Grant {
    /// What this process's user has been given, if that is enough for an image.
    fn find() -> Option<Self> {
        let uid = rustix::process::getuid().as_raw();
        let name = user_name(&read("/etc/passwd"), uid);
        let range = |file: &str| largest(&read(file), name.as_deref(), uid);
        let ranges = [range("/etc/subuid")?, range("/etc/subgid")?];
        let mappers = [on_path(MAPPERS[0])?, on_path(MAPPERS[1])?];
        Some(Self { ranges, mappers })
    }
}

fn read(path: &str) -> String {
    let mut text = String::new();
    if let Ok(file) = fs::File::open(path) {
        // What cannot be read grants nothing.
        drop(file.take(FILE_MAX).read_to_string(&mut text));
    }
    text
}

pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The name of a user, of a `passwd`.
fn user_name(passwd: &str, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    let mut users = passwd.lines().map(|line| line.split(':'));
    users.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

/// The largest range that a `subuid` gives to a user, named or numbered, if it holds enough ids for an image.
fn largest(subuid: &str, name: Option<&str>, uid: u32) -> Option<Range> {
    let uid = uid.to_string();
    let ranges = subuid.lines().filter_map(|line| {
        let mut fields = line.trim().split(':');
        let whose = fields.next()?;
        let is_ours = Some(whose) == name || whose == uid;
        let range = Range { first: fields.next()?.parse().ok()?, count: fields.next()?.parse().ok()? };
        (is_ours && range.count >= Ids::LEAST).then_some(range)
    });
    ranges.max_by_key(|range| range.count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_range_counts() {
        let text =
            "# comment\nada:100000:65536\nbob:1:9\nada:300000:100000\n1000:500000:65536\n::\nada:x:y\n";
        assert_eq!(largest(text, Some("ada"), 1), Some(Range { first: 300_000, count: 100_000 }));
        assert_eq!(largest(text, Some("bob"), 1000), Some(Range { first: 500_000, count: 65_536 }));
        assert_eq!(largest(text, Some("bob"), 2), None);
        assert_eq!(largest(text, None, 3), None);
    }

    #[test]
    fn users_have_names() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\nada:x:1000:1000::/home/ada:/bin/sh\n";
        assert_eq!(user_name(passwd, 1000).as_deref(), Some("ada"));
        assert_eq!(user_name(passwd, 7), None);
    }
}
