//! Programs that do as they should, and those that do not.

use std::time::Duration;

use kiln_program::{Call, Ended, Error};

fn sh(script: &str) -> Call {
    Call::new("sh").args(["-c", script])
}

fn run(script: &str) -> Ended {
    sh(script).run().expect("a shell runs")
}

/// Whether a process with that id, which a script printed, is alive.
fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    // A zombie has ended.
    stat.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with('Z'))
}

fn ends(pid: &str) {
    for _ in 0..2000 {
        if !is_alive(pid) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{pid} lives on");
}

#[test]
fn input_goes_in_and_output_comes_out() {
    let ended = sh("cat; echo said >&2").input(vec![b'x'; 1 << 19]).run().unwrap();
    assert!(ended.is_success());
    assert_eq!((ended.stdout.len(), ended.stderr.as_str()), (1 << 19, "said\n"));
    assert_eq!(run("cat").stdout, b"");
    // Nobody reads it.
    assert!(sh("exit 0").input(vec![b'x'; 1 << 20]).run().unwrap().is_success());
}

#[test]
fn an_error_names_the_program_and_how_it_ended() {
    assert_eq!(run("echo first >&2; echo why >&2; exit 3").told(), "sh ended with exit code 3: first\nwhy");
    assert_eq!(run("kill -9 $$").told(), "sh was killed by signal 9");
    let long = run("yes | head -c 5000 >&2; echo end >&2; exit 1").told();
    assert!(long.ends_with("end") && long.len() < 600, "{long}");
    let missing = Call::new("kiln-no-such-program").run().unwrap_err();
    assert!(missing.is_missing(), "{missing}");
    assert_eq!(missing.to_string(), "start kiln-no-such-program");
}

#[test]
fn what_takes_too_long_is_ended_with_all_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let script = "sleep 1000 & echo $! >child; sleep 1000";
    let error = sh(script).folder(folder.path()).limit(Duration::from_millis(300)).run().unwrap_err();
    assert!(matches!(error, Error::Late { .. }), "{error}");
    assert_eq!(error.to_string(), "sh was still running after 300 ms");
    ends(&std::fs::read_to_string(folder.path().join("child")).unwrap());
}

#[test]
fn what_it_leaves_behind_is_ended_too() {
    let ended = run("sleep 1000 >/dev/null 2>&1 & echo $!");
    ends(&String::from_utf8(ended.stdout).unwrap());
    // It holds the stream, and is not waited for.
    let ended = run("sleep 1000 & echo $!");
    ends(&String::from_utf8(ended.stdout).unwrap());
}

#[test]
fn what_prints_too_much_is_ended() {
    let error = sh("yes").most(1000).limit(Duration::from_mins(10)).run().unwrap_err();
    assert!(matches!(error, Error::Long { .. }), "{error}");
    let error = sh("yes | head -c 1001").most(1000).run().unwrap_err();
    assert_eq!(error.to_string(), "sh printed more than 1000 bytes");
    assert_eq!(sh("yes | head -c 1000").most(1000).run().unwrap().stdout.len(), 1000);
}

#[test]
fn it_sees_the_variables_that_are_named() {
    let seen = |call: Call| String::from_utf8(call.run().unwrap().stdout).unwrap();
    let names = |call: Call| -> Vec<String> {
        seen(call).lines().filter_map(|line| Some(line.split_once('=')?.0.to_owned())).collect()
    };
    let own = ["PWD", "SHLVL", "_", "OLDPWD"];
    let is_common =
        |name: &str| own.contains(&name) || name.starts_with("LC_") || kiln_program::COMMON.contains(&name);
    // Cargo sets this for every test.
    assert!(std::env::var_os("CARGO_PKG_NAME").is_some());
    let plain = names(sh("env"));
    assert!(plain.iter().all(|name| is_common(name)), "{plain:?}");
    assert!(plain.iter().any(|name| name == "PATH"));
    let more = names(sh("env").keeps(&["CARGO_PKG_*"]).env("OWN", "1"));
    assert!(more.iter().any(|name| name == "CARGO_PKG_NAME") && more.iter().any(|name| name == "OWN"));
    let only = names(Call::new("/usr/bin/env").keeps_only(&["CARGO_PKG_NAME"]));
    assert_eq!(only, ["CARGO_PKG_NAME"]);
}
