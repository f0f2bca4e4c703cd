//! Real commands in a real sandbox. The root is made of this machine's own folders, read-only.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kiln_rootfs::{Attrs, Content, Delta, Entry, Kind, RootPath, write_delta};
use kiln_sandbox::{
    Finished, Ids, Job, Mount, Network, Placing, Root, Sandbox, User, collect, limits, read_upper, remove,
    unpack, write_upper,
};

/// A root of this machine's programs, and a job in it that runs a shell line.
fn job(folder: &Path, line: &str) -> Job {
    let root = folder.join("root");
    for name in ["usr", "etc", "work", "tmp", "proc", "dev"] {
        fs::create_dir_all(root.join(name)).unwrap();
    }
    for name in ["bin", "lib", "lib64"] {
        if !root.join(name).exists() && Path::new("/").join(name).exists() {
            std::os::unix::fs::symlink(format!("usr/{name}"), root.join(name)).unwrap();
        }
    }
    let usr = Mount::Bind { source: PathBuf::from("/usr"), target: path("usr"), read_only: true };
    Job {
        root: Root::ReadOnly(root),
        mounts: vec![usr, Mount::Tmpfs { target: path("tmp"), size: None }],
        argv: ["/bin/sh", "-c", line].map(str::to_owned).to_vec(),
        env: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        cwd: "/work".to_owned(),
        network: Network::None,
        timeout: Some(Duration::from_secs(30)),
        ..Job::default()
    }
}

fn path(text: &str) -> RootPath {
    RootPath::new(text).unwrap()
}

fn run(job: &Job) -> Finished {
    let sandbox = Sandbox::new(env!("CARGO_BIN_EXE_kiln-sandbox-test"));
    sandbox.run(job, &mut |_| {}).unwrap()
}

fn output(line: &str) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let finished = run(&job(folder.path(), line));
    (finished.code, finished.last_lines.join("\n"))
}

#[test]
fn the_command_is_root_and_alone() {
    let (code, text) = output("id -u; cat /proc/1/comm; hostname; umask; ls /proc | grep -c '^[0-9]'");
    assert_eq!(code, 0, "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "0");
    assert_eq!(lines[2..4], ["kiln", "0022"]);
    assert!(lines[4].parse::<u32>().unwrap() <= 6, "{text}");
}

#[test]
fn exit_codes_and_signals_come_back() {
    assert_eq!(output("exit 7").0, 7);
    assert_eq!(output("kill -TERM $$").0, 128 + 15);
}

#[test]
fn lines_that_are_written_over_come_as_they_end() {
    assert_eq!(output("printf '10 %%\\r20 %%\\r\\nready\\r\\n'").1, "20 %\nready");
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = job(folder.path(), "");
    job.argv = vec!["no-such-program".to_owned()];
    let error = Sandbox::new(env!("CARGO_BIN_EXE_kiln-sandbox-test")).run(&job, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("no-such-program"), "{error}");
}

#[test]
fn this_machine_is_out_of_reach() {
    let (code, text) = output("ls /home /root /var; echo x > /usr/x; touch /work/x; test -e /sys/kernel");
    assert_ne!(code, 0);
    assert!(text.contains("cannot access '/home'") && text.contains("Read-only file system"), "{text}");
}

#[test]
fn new_mounts_and_namespaces_are_refused() {
    let (_, text) =
        output("mount -t tmpfs x /tmp; unshare -U true; grep -E 'NoNewPrivs|Seccomp:' /proc/self/status");
    assert!(text.contains("NoNewPrivs:\t1") && text.contains("Seccomp:\t2"), "{text}");
    assert!(text.to_lowercase().contains("unshare failed: operation not permitted"), "{text}");
}

#[test]
fn there_is_no_network_but_the_loopback() {
    let (code, text) = output("cat /proc/net/dev | tail -n +3 | cut -d: -f1; cat /proc/net/route | wc -l");
    assert_eq!(code, 0);
    assert_eq!(text.split_whitespace().collect::<Vec<_>>(), ["lo", "1"], "{text}");
}

#[test]
fn time_runs_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = job(folder.path(), "sleep 60 & sleep 60");
    job.timeout = Some(Duration::from_millis(300));
    let finished = run(&job);
    assert!(finished.timed_out && finished.code != 0);
}

/// Where groups can be made, as by root on most machines.
#[test]
fn memory_and_processes_run_out() {
    let limits = limits();
    if limits.memory.is_none() || limits.processes.is_none() {
        let line = "skipped: memory_and_processes_run_out: no cgroups here (`kiln doctor` says so)";
        writeln!(std::io::stderr(), "{line}").unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let greedy = "cat /proc/self/cgroup; head -c 200000000 /dev/zero | tail | wc -c";
    let mut job = job(folder.path(), greedy);
    let finished = run(&job);
    assert_eq!((finished.code, finished.ran_out), (0, None), "{:?}", finished.last_lines);
    let group = finished.last_lines.iter().find_map(|line| line.split_once("/kiln-"));
    let (_, name) = group.expect("it is in a group of its own");
    job.memory = Some(64 << 20);
    assert_eq!(run(&job).ran_out, job.memory);
    // Nothing stays of either.
    let mut left = std::process::Command::new("find");
    let left = left.args(["/sys/fs/cgroup", "-name", &format!("kiln-{name}")]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&left.stdout), "");
}

#[test]
fn an_overlay_takes_the_changes() {
    let folder = tempfile::tempdir().unwrap();
    let [lower, upper, work] = ["lower", "upper", "overlay-work"].map(|name| folder.path().join(name));
    for new in [&lower, &upper, &work] {
        fs::create_dir(new).unwrap();
    }
    fs::write(lower.join("kept"), "old").unwrap();
    let mut job =
        job(folder.path(), "cat kept; echo new > kept; mkdir -p a/b; echo x > a/b/c; ln -s c a/b/d");
    job.mounts.push(Mount::Overlay {
        lower: vec![lower.clone()],
        upper: upper.clone(),
        work: work.clone(),
        target: path("work"),
    });
    let finished = run(&job);
    assert_eq!((finished.code, finished.last_lines), (0, vec!["old".to_owned()]));
    assert_eq!(fs::read_to_string(lower.join("kept")).unwrap(), "old");
    let tree = collect(&upper).unwrap();
    let names: Vec<&str> = tree.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(names, ["a", "a/b", "a/b/c", "a/b/d", "kept"]);
    let copy = folder.path().join("copy");
    unpack(&tree, &copy).unwrap();
    assert_eq!(fs::read_to_string(copy.join("kept")).unwrap(), "new\n");
    remove(&work).unwrap();
    assert!(!work.exists());
}

#[test]
fn a_link_in_the_place_of_a_mount_point_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = job(folder.path(), "true");
    std::os::unix::fs::symlink("/etc", folder.path().join("root/trap")).unwrap();
    job.mounts.push(Mount::Tmpfs { target: path("trap/inside"), size: None });
    let error = Sandbox::new(env!("CARGO_BIN_EXE_kiln-sandbox-test")).run(&job, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("a symbolic link is in the way"), "{error}");
}

#[test]
fn root_gives_a_job_many_ids() {
    let ids = Ids::best();
    if ids == Ids::One {
        return; // What cannot be had is no failure; as root, it can.
    }
    let folder = tempfile::tempdir().unwrap();
    let mut job = job(
        folder.path(),
        "id -u; id -G; cp /usr/bin/env /tmp/x && chown 1000:50 /tmp/x && stat -c %u:%g /tmp/x",
    );
    job.ids = ids;
    let finished = run(&job);
    assert_eq!(finished.last_lines, ["0", "0", "1000:50"]);
    job.user = User { uid: 1000, gid: 50, groups: vec![50, 7] };
    job.argv[2] = "id -u; id -G; touch /proc/sys/kernel/core_pattern 2>/dev/null || echo locked".to_owned();
    assert_eq!(run(&job).last_lines, ["1000", "50 7", "locked"]);
}

#[test]
fn without_many_ids_the_user_is_the_only_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = job(folder.path(), "id -u; id -g; touch /tmp/x && stat -c %u /tmp/x");
    job.user = User { uid: 1000, gid: 50, groups: vec![7] };
    assert_eq!(run(&job).last_lines, ["1000", "50", "1000"]);
}

/// A layer with every kind of change comes back from disk as it was written.
#[test]
fn layers_survive_the_disk() {
    for ids in [Ids::One, Ids::best()] {
        let folder = tempfile::tempdir().unwrap();
        let mut delta = Delta::default();
        let attrs =
            Attrs { mode: 0o4711, uid: 1000, gid: 7, xattrs: [("user.x".to_owned(), vec![1])].into() };
        let content = Content::Bytes(b"bytes".as_slice().into());
        delta.tree.insert(path("a/b"), Entry { attrs, kind: Kind::File(content) }).unwrap();
        delta.tree.insert_dir("locked", 0o555).unwrap();
        delta.tree.insert_file("locked/file", 0o000, *b"").unwrap();
        delta.tree.insert_symlink("link", "/nowhere").unwrap();
        let link = Entry {
            attrs: delta.tree.get(&path("a/b")).unwrap().attrs.clone(),
            kind: Kind::Hardlink(path("a/b")),
        };
        delta.tree.insert(path("c"), link).unwrap();
        delta.removed.insert(path("gone/file"));
        delta.opaque.insert(path("locked"));
        write_upper(&delta, &folder.path().join("layer"), ids, Placing::Copy).unwrap();
        let read = read_upper(&folder.path().join("layer"), ids, &User::default()).unwrap();
        delta.tree.insert_dir("gone", 0o755).unwrap();
        assert_eq!(
            write_delta(&read, Vec::new(), 0).unwrap(),
            write_delta(&delta, Vec::new(), 0).unwrap(),
            "{ids:?}"
        );
    }
}

#[test]
fn with_one_id_owners_are_noted() {
    let folder = tempfile::tempdir().unwrap();
    let (upper, work) = (folder.path().join("upper"), folder.path().join("work"));
    for made in [&upper, &work] {
        fs::create_dir(made).unwrap();
    }
    let mut job = job(
        folder.path(),
        "cd /work && touch a b c && ln -s a l && mkdir d && chown 5:6 a && chown -h 7 l && chgrp 8 b && chown -R 9:9 d \
         && chmod 4755 c && chown 3 c && python3 -c 'import os; os.setgroups([1]); os.setresuid(4,4,4)' && echo done",
    );
    let Root::ReadOnly(root) = job.root else { unreachable!() };
    job.root = Root::Overlay { lower: vec![root], upper: upper.clone(), work };
    let finished = run(&job);
    assert_eq!(finished.last_lines, ["done"]);
    let delta = read_upper(&upper, Ids::One, &User::default()).unwrap();
    let owner = |name: &str| {
        let attrs = &delta.tree.get(&path(&format!("work/{name}"))).unwrap().attrs;
        (attrs.uid, attrs.gid, attrs.mode)
    };
    assert_eq!((owner("a"), owner("b"), owner("d")), ((5, 6, 0o644), (0, 8, 0o644), (9, 9, 0o755)));
    assert_eq!(owner("c"), (3, 0, 0o755));
}
