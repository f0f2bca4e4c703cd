//! What others write may be long: each parser and each algorithm over it must cost what its input is long, or stop at a named limit.
//!
//! Work is counted, not timed: valgrind counts the instructions of each case at a size and at twice that size. This program runs
//! itself under valgrind, `growth CASE SIZE`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a test without a harness says what it did")]

mod cases;

use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use cases::{CASES, Case};

/// Twice the input may cost this many times as much: n log n and some noise, and far from four, as n² would.
const MOST: f64 = 3.0;
/// How many cases are counted at a time.
const THREADS: usize = 2;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [name, size] = &arguments[..]
        && let (Some(case), Ok(size)) = (CASES.iter().find(|case| case.name == name), size.parse())
    {
        return (case.run)(size);
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("skipped: growth: no valgrind here (`valgrind --version` fails)");
        return;
    }
    let wanted = arguments.iter().find(|word| !word.starts_with('-'));
    let chosen: Vec<&Case> =
        CASES.iter().filter(|case| wanted.is_none_or(|word| case.name.contains(word.as_str()))).collect();
    let failed = count_all(&chosen);
    println!("growth: {} algorithms counted at a size and at twice that size", chosen.len());
    if failed > 0 {
        eprintln!("growth: {failed} cost more than {MOST} times as much");
        std::process::exit(1);
    }
}

fn count_all(cases: &[&Case]) -> usize {
    let (next, failed, start) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let nothing = instructions(case, 0);
                    let work = |size| instructions(case, size).saturating_sub(nothing).max(1);
                    let (one, two) = (work(case.size), work(2 * case.size));
                    #[expect(clippy::cast_precision_loss, reason = "a ratio of two counts")]
                    let ratio = two as f64 / one as f64;
                    let _line = start.lock();
                    println!("growth: {:34} {:>7} {one:>12} {two:>12}  {ratio:.2}", case.name, case.size);
                    failed.fetch_add(usize::from(ratio > MOST), Ordering::Relaxed);
                }
            });
        }
    });
    failed.into_inner()
}

/// How many instructions a case takes, as valgrind counts them.
fn instructions(case: &Case, size: usize) -> u64 {
    let this = std::env::current_exe().expect("this program has a path");
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(this)
        .args([case.name, &size.to_string()])
        .output()
        .expect("valgrind starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} at {size}: {said}", case.name);
    let line = said.lines().find(|line| line.contains("I   refs:") || line.contains("I refs:"));
    let number =
        line.and_then(|line| line.rsplit_once(':')).map(|(_, number)| number.trim().replace(',', ""));
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("valgrind counts nothing:\n{said}"))
}
