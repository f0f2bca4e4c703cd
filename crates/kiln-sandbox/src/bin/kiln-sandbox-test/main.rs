//! The program that the tests of this crate start as a sandbox; kiln itself is that program otherwise. It is also what plays
//! the attacker inside one.

mod attacks;

use std::io::{self, Write};
use std::process::ExitCode;

use kiln_sandbox::{Bridge, Ids, Job, Sandbox};

fn main() -> ExitCode {
    if let Some(code) = kiln_sandbox::enter() {
        return code;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["run", job] => read(job).and_then(|job| run(&job, None)),
        ["run-bridged", job] => read(job).and_then(|job| run(&job, Bridge::find().ok())),
        ["run-many", job] => run_many(job),
        ["attack", ref targets @ ..] => attacks::all(targets),
        ["wait"] => attacks::wait(),
        ["reach", ref targets @ ..] => attacks::reach(targets),
        ["bomb"] => attacks::fork_bomb(),
        _ => Err(io::Error::other(
            "usage: run JOB.json | run-bridged JOB.json | run-many JOB.json | attack [PID ABSTRACT_SOCKET PORT] | reach TARGET... | wait | bomb",
        )),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
    }
}

fn read(path: &str) -> io::Result<Job> {
    serde_json::from_slice(&std::fs::read(path)?).map_err(io::Error::other)
}

/// Runs a job with the best ids that this user may have.
fn run_many(path: &str) -> io::Result<()> {
    const MARK: &str = "KILN_SANDBOX_TEST_IDS";
    if std::env::var_os(MARK).is_none() {
        kiln_sandbox::adopt(&std::env::current_exe()?, (MARK, "many"))?;
    }
    let mut job = read(path)?;
    job.ids = Ids::best();
    if job.ids == Ids::One {
        return Err(io::Error::other("there are no ids to be had"));
    }
    run(&job, None)
}

fn run(job: &Job, bridge: Option<Bridge>) -> io::Result<()> {
    let sandbox = Sandbox::new(std::env::current_exe()?).with_bridge(bridge);
    let mut print = |line: &str| drop(writeln!(io::stdout(), "{line}"));
    let finished = sandbox.run(job, &mut print).map_err(io::Error::other)?;
    if let Some(memory) = finished.ran_out {
        return Err(io::Error::other(format!("it took all of its {memory} bytes of memory")));
    }
    if finished.code == 0 { Ok(()) } else { Err(io::Error::other(format!("exit code {}", finished.code))) }
}
