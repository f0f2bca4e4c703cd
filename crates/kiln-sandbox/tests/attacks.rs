//! Someone hostile runs code in a sandbox whose caller has a terminal, open files and neighbours. What each attack comes to is
//! in one table, for whoever runs kiln: root, a user with subordinate ids, a user without.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use kiln_rootfs::RootPath;
use kiln_sandbox::{Job, Mount, Root};

/// Attack and outcome. Several outcomes where users differ.
const TABLE: &[(&str, &[&str])] = &[
    ("clone user", &["EPERM"]),
    ("clone mount", &["EPERM"]),
    ("clone network", &["EPERM"]),
    ("clone process", &["EPERM"]),
    ("clone3", &["ENOSYS"]),
    ("unshare user", &["EPERM"]),
    ("unshare network", &["EPERM"]),
    ("setns", &["EPERM"]),
    ("x32", &["ENOSYS"]),
    ("a call of the future", &["ENOSYS"]),
    ("ptrace attach", &["EPERM"]),
    ("ptrace seize", &["EPERM"]),
    ("pidfd_getfd", &["EPERM"]),
    ("mount", &["EPERM"]),
    ("umount2", &["EPERM"]),
    ("pivot_root", &["EPERM"]),
    ("mount_setattr", &["EPERM"]),
    ("move_mount", &["EPERM"]),
    ("open_tree", &["EPERM"]),
    ("fsopen", &["EPERM"]),
    ("fsmount", &["EPERM"]),
    ("io_uring_setup", &["EPERM"]),
    ("kexec_load", &["EPERM"]),
    ("kexec_file_load", &["EPERM"]),
    ("bpf", &["EPERM"]),
    ("perf_event_open", &["EPERM"]),
    ("userfaultfd", &["EPERM"]),
    ("keyctl", &["EPERM"]),
    ("add_key", &["EPERM"]),
    ("request_key", &["EPERM"]),
    ("init_module", &["EPERM"]),
    ("finit_module", &["EPERM"]),
    ("delete_module", &["EPERM"]),
    ("swapon", &["EPERM"]),
    ("reboot", &["EPERM"]),
    ("clock_settime", &["EPERM"]),
    ("syslog", &["EPERM"]),
    ("quotactl", &["EPERM"]),
    ("open_by_handle_at", &["EPERM"]),
    ("acct", &["EPERM"]),
    ("sethostname", &["EPERM"]),
    ("personality", &["EPERM"]),
    ("socket of the kernel's ciphers", &["EPERM"]),
    ("the same, in a disguise", &["EPERM"]),
    ("socket to the hypervisor", &["EPERM"]),
    ("raw socket", &["EPERM"]),
    ("packet socket", &["EPERM"]),
    ("terminal", &["ENXIO"]),
    ("new terminal", &["ENOENT"]),
    ("memory of the machine", &["ENOENT"]),
    ("memory of process 1", &["EACCES"]),
    ("variables of process 1", &["EACCES"]),
    ("sysrq", &["EROFS", "EACCES", "ENOENT"]),
    ("core_pattern", &["EROFS", "EACCES"]),
    ("limit of namespaces", &["EROFS", "EACCES"]),
    ("limit of processes", &["EROFS", "EACCES"]),
    ("character device", &["EPERM"]),
    ("block device", &["EPERM"]),
    ("type into the terminal", &["ENOTTY"]),
    ("read from process 1", &["EPERM"]),
    ("another width of this CPU", &["killed"]),
    ("root of process 1", &["EACCES"]),
    ("channel of process 1", &["EACCES"]),
    ("open files", &["none"]),
    ("current folder", &["/srv"]),
    ("kcore", &["empty", "ENOENT"]),
    ("keys", &["empty", "ENOENT"]),
    ("timer_list", &["empty", "ENOENT"]),
    ("user namespaces", &["0"]),
    ("mnt namespaces", &["0"]),
    ("pid namespaces", &["0"]),
    ("net namespaces", &["0"]),
    ("ipc namespaces", &["0"]),
    ("uts namespaces", &["0"]),
    ("cgroup namespaces", &["0"]),
    ("turn when memory is short", &["1000"]),
    // Process 1 takes no such signal from inside.
    ("end process 1", &["done (0)"]),
    ("signal to the outside", &["ESRCH"]),
    ("abstract socket", &["ECONNREFUSED"]),
    ("loopback of the machine", &["ECONNREFUSED"]),
];

/// A folder that any user may read, with a root of this machine's programs and the attacker in it.
struct Den {
    folder: tempfile::TempDir,
}

impl Den {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["usr", "etc", "srv", "tmp", "proc", "dev", "sys"] {
            fs::create_dir_all(folder.path().join("root").join(name)).unwrap();
        }
        for name in ["bin", "lib", "lib64"] {
            if Path::new("/").join(name).exists() {
                std::os::unix::fs::symlink(format!("usr/{name}"), folder.path().join("root").join(name))
                    .unwrap();
            }
        }
        fs::copy(env!("CARGO_BIN_EXE_kiln-sandbox-test"), folder.path().join("test")).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_kiln-sandbox-test"), folder.path().join("root/srv/attacker")).unwrap();
        Self { folder }
    }

    fn job(&self, argv: &[&str]) -> Job {
        let path = |text: &str| RootPath::new(text).unwrap();
        Job {
            root: Root::ReadOnly(self.folder.path().join("root")),
            mounts: vec![
                Mount::Bind { source: PathBuf::from("/usr"), target: path("usr"), read_only: true },
                Mount::Tmpfs { target: path("tmp"), size: Some(1 << 20) },
                Mount::Sys,
            ],
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
            env: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
            cwd: "/srv".to_owned(),
            timeout: Some(Duration::from_mins(2)),
            ..Job::default()
        }
    }

    /// Runs a job as someone, at a terminal and with a file open. Yields its exit code and output.
    fn run(&self, who: &Who, job: &Job) -> (bool, String) {
        let path = self.folder.path().join("job.json");
        fs::write(&path, serde_json::to_vec(job).unwrap()).unwrap();
        let program = self.folder.path().join("test").display().to_string();
        let words = [who.prefix, &program, who.command, &path.display().to_string()].join(" ");
        let mut terminal = Command::new("script");
        let line = format!("exec 9</etc/passwd; exec {words}");
        let output = terminal
            .args(["--quiet", "--return", "--command", &line, "/dev/null"])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).replace('\r', ""))
    }
}

/// Someone who runs kiln.
struct Who {
    name: &'static str,
    prefix: &'static str,
    command: &'static str,
    /// What there must be for this someone.
    need: &'static str,
    /// Fails where that is not here.
    probe: &'static str,
}

const EVERYONE: [Who; 4] = [
    Who { name: "root", prefix: "", command: "run-many", need: "root", probe: "test $(id -u) = 0" },
    Who { name: "root with one id", prefix: "", command: "run", need: "nothing", probe: "true" },
    Who {
        name: "a user with subordinate ids",
        prefix: "setpriv --reuid kiln-peer --regid kiln-peer --clear-groups",
        command: "run-many",
        need: "subordinate-ids",
        probe: "test $(id -u) = 0 && command -v newuidmap && grep -q ^kiln-peer: /etc/subuid",
    },
    Who {
        name: "a user without",
        prefix: "setpriv --reuid 4242 --regid 4242 --clear-groups",
        command: "run",
        need: "namespaces",
        probe: "setpriv --reuid 4242 --regid 4242 --clear-groups unshare --user true",
    },
];

impl Who {
    /// Says past the capture of test output if not.
    #[expect(clippy::explicit_write, reason = "the macro would be captured")]
    fn is_here(&self) -> bool {
        let mut probe = Command::new("sh");
        let is_here = probe.args(["-c", self.probe]).output().unwrap().status.success();
        if !is_here {
            let thread = std::thread::current();
            let (test, need) = (thread.name().unwrap_or("a test"), self.need);
            writeln!(std::io::stderr(), "skipped: {test}: no {need} here (`{}` fails)", self.probe).unwrap();
        }
        is_here
    }
}

#[test]
fn no_attack_succeeds() {
    let pid = std::process::id().to_string();
    let name = format!("kiln-sandbox-test-{pid}");
    let _abstract = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let loopback = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = loopback.local_addr().unwrap().port().to_string();
    for who in EVERYONE.iter().filter(|who| who.is_here()) {
        let den = Den::new();
        let (is_fine, output) = den.run(who, &den.job(&["./attacker", "attack", &pid, &name, &port]));
        assert!(is_fine, "{}: {output}", who.name);
        let found: Vec<(&str, &str)> = output.lines().filter_map(|line| line.split_once(": ")).collect();
        for (attack, outcomes) in TABLE {
            let outcome = found.iter().find(|(name, _)| name == attack).map(|(_, outcome)| *outcome);
            assert!(
                outcome.is_some_and(|outcome| outcomes.contains(&outcome)),
                "{}: {attack}: {outcome:?}\n{output}",
                who.name
            );
        }
        assert_eq!(found.len(), TABLE.len(), "every attack has its line in the table\n{output}");
    }
}

/// All that the bomb started ends with it, and what it started is bounded.
#[test]
fn a_fork_bomb_ends() {
    for who in EVERYONE.iter().filter(|who| who.is_here()) {
        let den = Den::new();
        let mark = format!("bomb-{}", std::process::id());
        fs::rename(
            den.folder.path().join("root/srv/attacker"),
            den.folder.path().join("root/srv").join(&mark),
        )
        .unwrap();
        let (is_fine, output) = den.run(who, &den.job(&[&format!("./{mark}"), "bomb"]));
        assert!(!is_fine && output.contains("no more than "), "{}: {output}", who.name);
        let left = fs::read_dir("/proc").unwrap().flatten().filter(|process| {
            fs::read(process.path().join("cmdline"))
                .is_ok_and(|line| line.starts_with(format!("./{mark}").as_bytes()))
        });
        assert_eq!(left.count(), 0, "{}", who.name);
    }
}

/// What is mounted below a folder that is read-only in the job is read-only, too.
#[test]
fn read_only_goes_all_the_way_down() {
    let den = Den::new();
    let shown = den.folder.path().join("shown");
    fs::create_dir_all(shown.join("a b/mount")).unwrap();
    let mut job = den.job(&[
        "sh",
        "-c",
        "exec 2>&1; touch /tmp/x /mnt/x; touch '/mnt/a b/mount/x'; ls '/mnt/a b/mount'",
    ]);
    fs::create_dir(den.folder.path().join("root/mnt")).unwrap();
    let target = RootPath::new("mnt").unwrap();
    job.mounts.push(Mount::Bind { source: shown.clone(), target, read_only: true });
    let path = den.folder.path().join("job.json");
    fs::write(&path, serde_json::to_vec(&job).unwrap()).unwrap();
    let inside = "mount -t tmpfs x \"$1/a b/mount\" && touch \"$1/a b/mount/seen\" && exec \"$2\" run \"$3\"";
    let mut outside = Command::new("unshare");
    outside.args(["--user", "--map-root-user", "--mount", "sh", "-c", inside, "sh"]);
    outside.arg(&shown).arg(den.folder.path().join("test")).arg(&path);
    let output = outside.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        text.matches("Read-only file system").count(),
        2,
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.ends_with("seen\n"), "{text}");
}
