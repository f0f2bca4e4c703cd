//! What someone who runs code in a sandbox tries, one line of output each: the name of the attack and what became of it, an
//! errno by its name or what was found.
#![expect(unsafe_code, reason = "attacks are system calls that no library offers")]

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixStream};
use std::time::Duration;

type Call = (&'static str, libc::c_long, [i64; 6]);

const CHILD: i64 = libc::SIGCHLD as i64;
const NONE: i64 = 0;
/// The bit of x32 in a call number, on `getpid`.
const X32_GETPID: libc::c_long = 0x4000_0000 + 39;

/// Calls whose arguments would be refused anyhow (null pointers: EFAULT, EINVAL) where the filter let them pass.
const CALLS: &[Call] = &[
    ("clone user", libc::SYS_clone, [libc::CLONE_NEWUSER as i64 | CHILD, 0, 0, 0, 0, 0]),
    ("clone mount", libc::SYS_clone, [libc::CLONE_NEWNS as i64 | CHILD, 0, 0, 0, 0, 0]),
    ("clone network", libc::SYS_clone, [libc::CLONE_NEWNET as i64 | CHILD, 0, 0, 0, 0, 0]),
    ("clone process", libc::SYS_clone, [libc::CLONE_NEWPID as i64 | CHILD, 0, 0, 0, 0, 0]),
    ("clone3", libc::SYS_clone3, [NONE; 6]),
    ("unshare user", libc::SYS_unshare, [libc::CLONE_NEWUSER as i64, 0, 0, 0, 0, 0]),
    ("unshare network", libc::SYS_unshare, [libc::CLONE_NEWNET as i64, 0, 0, 0, 0, 0]),
    ("setns", libc::SYS_setns, [NONE; 6]),
    ("x32", X32_GETPID, [NONE; 6]),
    ("a call of the future", 2000, [NONE; 6]),
    ("ptrace attach", libc::SYS_ptrace, [libc::PTRACE_ATTACH as i64, 1, 0, 0, 0, 0]),
    ("ptrace seize", libc::SYS_ptrace, [libc::PTRACE_SEIZE as i64, 1, 0, 0, 0, 0]),
    ("pidfd_getfd", libc::SYS_pidfd_getfd, [NONE; 6]),
    ("mount", libc::SYS_mount, [NONE; 6]),
    ("umount2", libc::SYS_umount2, [NONE; 6]),
    ("pivot_root", libc::SYS_pivot_root, [NONE; 6]),
    ("mount_setattr", libc::SYS_mount_setattr, [NONE; 6]),
    ("move_mount", libc::SYS_move_mount, [NONE; 6]),
    ("open_tree", libc::SYS_open_tree, [NONE; 6]),
    ("fsopen", libc::SYS_fsopen, [NONE; 6]),
    ("fsmount", libc::SYS_fsmount, [NONE; 6]),
    ("io_uring_setup", libc::SYS_io_uring_setup, [NONE; 6]),
    ("kexec_load", libc::SYS_kexec_load, [NONE; 6]),
    ("kexec_file_load", libc::SYS_kexec_file_load, [NONE; 6]),
    ("bpf", libc::SYS_bpf, [NONE; 6]),
    ("perf_event_open", libc::SYS_perf_event_open, [NONE; 6]),
    ("userfaultfd", libc::SYS_userfaultfd, [NONE; 6]),
    ("keyctl", libc::SYS_keyctl, [NONE; 6]),
    ("add_key", libc::SYS_add_key, [NONE; 6]),
    ("request_key", libc::SYS_request_key, [NONE; 6]),
    ("init_module", libc::SYS_init_module, [NONE; 6]),
    ("finit_module", libc::SYS_finit_module, [NONE; 6]),
    ("delete_module", libc::SYS_delete_module, [NONE; 6]),
    ("swapon", libc::SYS_swapon, [NONE; 6]),
    ("reboot", libc::SYS_reboot, [NONE; 6]),
    ("clock_settime", libc::SYS_clock_settime, [NONE; 6]),
    ("syslog", libc::SYS_syslog, [NONE; 6]),
    ("quotactl", libc::SYS_quotactl, [NONE; 6]),
    ("open_by_handle_at", libc::SYS_open_by_handle_at, [NONE; 6]),
    ("acct", libc::SYS_acct, [NONE; 6]),
    ("sethostname", libc::SYS_sethostname, [NONE; 6]),
    ("personality", libc::SYS_personality, [libc::READ_IMPLIES_EXEC as i64, 0, 0, 0, 0, 0]),
    (
        "socket of the kernel's ciphers",
        libc::SYS_socket,
        [libc::AF_ALG as i64, libc::SOCK_SEQPACKET as i64, 0, 0, 0, 0],
    ),
    (
        "the same, in a disguise",
        libc::SYS_socket,
        [(1 << 32) | libc::AF_ALG as i64, libc::SOCK_SEQPACKET as i64, 0, 0, 0, 0],
    ),
    (
        "socket to the hypervisor",
        libc::SYS_socket,
        [libc::AF_VSOCK as i64, libc::SOCK_STREAM as i64, 0, 0, 0, 0],
    ),
    ("raw socket", libc::SYS_socket, [libc::AF_INET as i64, libc::SOCK_RAW as i64, 1, 0, 0, 0]),
    ("packet socket", libc::SYS_socket, [libc::AF_PACKET as i64, libc::SOCK_RAW as i64, 0, 0, 0, 0]),
];

/// Files, and how they are opened.
const FILES: &[(&str, &str, bool)] = &[
    ("terminal", "/dev/tty", true),
    ("new terminal", "/dev/ptmx", true),
    ("memory of the machine", "/dev/mem", false),
    ("memory of process 1", "/proc/1/mem", true),
    ("variables of process 1", "/proc/1/environ", false),
    ("sysrq", "/proc/sysrq-trigger", true),
    ("core_pattern", "/proc/sys/kernel/core_pattern", true),
    ("limit of namespaces", "/proc/sys/user/max_user_namespaces", true),
    ("limit of processes", "/proc/sys/kernel/pid_max", true),
];

/// Tries everything. `targets` are outside: a process, an abstract socket, a port of the loopback.
pub(crate) fn all(targets: &[&str]) -> io::Result<()> {
    let mut report = io::stdout().lock();
    let mut say = |name: &str, outcome: io::Result<String>| {
        let outcome = outcome.unwrap_or_else(|error| name_of(&error));
        writeln!(report, "{name}: {outcome}")
    };
    for &(name, number, arguments) in CALLS {
        say(name, call(number, arguments))?;
    }
    for &(name, path, write) in FILES {
        let opened = OpenOptions::new().read(!write).write(write).open(path);
        say(name, opened.map(|_| "opened".to_owned()))?;
    }
    for (name, mode) in [("character device", libc::S_IFCHR), ("block device", libc::S_IFBLK)] {
        say(name, make_device(mode))?;
    }
    say("type into the terminal", type_ahead())?;
    say("read from process 1", read_memory(1))?;
    say("another width of this CPU", Ok(other_width()))?;
    say("root of process 1", fs::read_link("/proc/1/root").map(|path| path.display().to_string()))?;
    say("channel of process 1", fs::read_link("/proc/1/fd/0").map(|path| path.display().to_string()))?;
    say("open files", open_files())?;
    say("current folder", std::env::current_dir().map(|path| path.display().to_string()))?;
    for name in ["kcore", "keys", "timer_list"] {
        say(name, first_byte(&format!("/proc/{name}")))?;
    }
    for kind in ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"] {
        say(&format!("{kind} namespaces"), read(&format!("/proc/sys/user/max_{kind}_namespaces")))?;
    }
    say("turn when memory is short", read("/proc/self/oom_score_adj"))?;
    say("end process 1", call(libc::SYS_kill, [1, libc::SIGKILL.into(), 0, 0, 0, 0]))?;
    if let [pid, socket, port] = targets {
        let pid = pid.parse().map_err(io::Error::other)?;
        say("signal to the outside", call(libc::SYS_kill, [pid, 0, 0, 0, 0, 0]))?;
        let address = UnixAddress::from_abstract_name(socket)?;
        say("abstract socket", UnixStream::connect_addr(&address).map(|_| "connected".to_owned()))?;
        let address = SocketAddr::from(([127, 0, 0, 1], port.parse().map_err(io::Error::other)?));
        say("loopback of the machine", TcpStream::connect(address).map(|_| "connected".to_owned()))?;
    }
    Ok(())
}

fn call(number: libc::c_long, words: [i64; 6]) -> io::Result<String> {
    // SAFETY: pointers among the arguments are null, or the call changes nothing of this process's memory.
    let outcome =
        unsafe { libc::syscall(number, words[0], words[1], words[2], words[3], words[4], words[5]) };
    if outcome == -1 { Err(io::Error::last_os_error()) } else { Ok(format!("done ({outcome})")) }
}

fn name_of(error: &io::Error) -> String {
    let names = [
        (libc::EPERM, "EPERM"),
        (libc::ENOENT, "ENOENT"),
        (libc::ESRCH, "ESRCH"),
        (libc::ENXIO, "ENXIO"),
        (libc::EACCES, "EACCES"),
        (libc::ENOTTY, "ENOTTY"),
        (libc::EROFS, "EROFS"),
        (libc::ENOSYS, "ENOSYS"),
        (libc::ECONNREFUSED, "ECONNREFUSED"),
        (libc::EHOSTUNREACH, "EHOSTUNREACH"),
        (libc::ENETUNREACH, "ENETUNREACH"),
        (libc::EAFNOSUPPORT, "EAFNOSUPPORT"),
    ];
    let name = names.iter().find(|(number, _)| error.raw_os_error() == Some(*number));
    name.map_or_else(|| error.to_string(), |(_, name)| (*name).to_owned())
}

fn make_device(mode: libc::mode_t) -> io::Result<String> {
    // SAFETY: the path is NUL-terminated.
    let outcome = unsafe { libc::mknod(c"/tmp/device".as_ptr(), mode | 0o600, libc::makedev(1, 1)) };
    if outcome == 0 { Ok("made".to_owned()) } else { Err(io::Error::last_os_error()) }
}

/// Reads a byte of another process, from where this one has its own program.
fn read_memory(pid: libc::pid_t) -> io::Result<String> {
    let mut byte = 0_u8;
    let local = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let remote = libc::iovec { iov_base: (read_memory as *mut ()).cast(), iov_len: 1 };
    // SAFETY: the kernel writes one byte into ours, if any.
    let count = unsafe { libc::process_vm_readv(pid, &raw const local, 1, &raw const remote, 1, 0) };
    if count < 0 { Err(io::Error::last_os_error()) } else { Ok(format!("read {count}")) }
}

/// Pushes a key into whatever could be a terminal.
fn type_ahead() -> io::Result<String> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
    let descriptors = (0..=2).chain(terminal.iter().map(AsRawFd::as_raw_fd));
    let mut last = io::Error::from_raw_os_error(libc::ENOTTY);
    for descriptor in descriptors {
        // SAFETY: the kernel reads one byte.
        if unsafe { libc::ioctl(descriptor, libc::TIOCSTI, c"x".as_ptr()) } == 0 {
            return Ok(format!("typed into {descriptor}"));
        }
        last = io::Error::last_os_error();
    }
    Err(last)
}

/// Makes a call as a 32-bit program would, in a process of its own.
#[cfg(target_arch = "x86_64")]
fn other_width() -> String {
    // SAFETY: this process has one thread; the child makes one call and ends.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: `getpid` of 32-bit programs changes nothing but the register of its result.
        unsafe {
            std::arch::asm!("int 0x80", inout("eax") 20 => _);
            libc::_exit(0);
        }
    }
    let mut status = 0;
    // SAFETY: the status is ours.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    if libc::WIFSIGNALED(status) { "killed" } else { "done" }.to_owned()
}

#[cfg(not(target_arch = "x86_64"))]
fn other_width() -> String {
    "killed".to_owned()
}

/// Descriptors that were not opened here.
fn open_files() -> io::Result<String> {
    let list = fs::read_dir("/proc/self/fd")?;
    let mut found: Vec<String> = Vec::new();
    for entry in list.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let target = fs::read_link(entry.path()).unwrap_or_default();
        let is_standard = matches!(&*name, "0" | "1" | "2");
        let target = target.display().to_string();
        let is_expected = if is_standard {
            target.starts_with("pipe:") || target == "/dev/null"
        } else {
            // What this list is read through.
            target.starts_with("/proc/")
        };
        if !is_expected {
            found.push(format!("{name} is {target}"));
        }
    }
    Ok(if found.is_empty() { "none".to_owned() } else { found.join(", ") })
}

fn first_byte(path: &str) -> io::Result<String> {
    let mut byte = [0];
    Ok(match fs::File::open(path)?.read(&mut byte)? {
        0 => "empty".to_owned(),
        _ => "read".to_owned(),
    })
}

fn read(path: &str) -> io::Result<String> {
    Ok(fs::read_to_string(path)?.trim().to_owned())
}

/// Tries to connect to addresses, or to abstract sockets by their names. The first line says which version of Landlock there
/// is; scopes came with the sixth.
pub(crate) fn reach(targets: &[&str]) -> io::Result<()> {
    let mut report = io::stdout().lock();
    // SAFETY: asks for the version, as landlock_create_ruleset(2) has it; no memory is looked at.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, NONE, NONE, 1) };
    writeln!(report, "landlock: {version}")?;
    for target in targets {
        let outcome = match target.parse::<SocketAddr>() {
            Ok(address) => TcpStream::connect_timeout(&address, Duration::from_secs(5)).map(drop),
            Err(_) => UnixStream::connect_addr(&UnixAddress::from_abstract_name(target)?).map(drop),
        };
        let outcome = outcome.map_or_else(|error| name_of(&error), |()| "connected".to_owned());
        writeln!(report, "{target}: {outcome}")?;
    }
    Ok(())
}

/// Says that it is there, and stays.
pub(crate) fn wait() -> io::Result<()> {
    writeln!(io::stdout(), "here")?;
    std::thread::sleep(Duration::from_mins(10));
    Ok(())
}

/// Starts processes until there are no more, and says how many there were.
pub(crate) fn fork_bomb() -> io::Result<()> {
    for count in 0..1_000_000 {
        // SAFETY: this process has one thread; the child does nothing but wait for its end.
        match unsafe { libc::fork() } {
            -1 => return Err(io::Error::other(format!("no more than {count} processes"))),
            0 => loop {
                // SAFETY: waits for a signal.
                unsafe { libc::pause() };
            },
            _ => {}
        }
    }
    Ok(())
}
