//! Version orders against the programs whose orders they are, on many generated versions.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::cmp::Ordering;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kiln_pkg::version::{Range, SemVer, deb};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// The same values in every run.
fn generated(pattern: &str, count: usize) -> Vec<String> {
    let strategy = proptest::string::string_regex(pattern).unwrap();
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// Past the capture of test output, for the reader of the log.
fn skipped(test: &str, what: &str) {
    drop(writeln!(std::io::stderr(), "skipped: {test}: no {what} here"));
}

#[test]
fn debian_order_is_dpkgs_on_generated_versions() {
    if Command::new("dpkg").arg("--version").output().is_err() {
        return skipped("debian_order_is_dpkgs_on_generated_versions", "dpkg");
    }
    let versions = generated("([0-2]:)?[0-9]([0-9a-c.+~]{0,5})(-[0-9a-c.+~]{1,4})?", 600);
    for [a, b] in versions.as_chunks::<2>().0 {
        let says = |relation| {
            Command::new("dpkg").args(["--compare-versions", a, relation, b]).status().unwrap().success()
        };
        let expected = if says("lt") {
            Ordering::Less
        } else if says("eq") {
            Ordering::Equal
        } else {
            Ordering::Greater
        };
        assert_eq!(deb::compare(a, b), expected, "{a} {b}");
    }
}

/// Answers lines of `compare A B` and `satisfies VERSION RANGE` in the options that npm judges advisories with.
const ASK: &str = r"
const semver = require(process.argv[1]);
const options = { includePrerelease: true, loose: true };
const lines = require('node:fs').readFileSync(0, 'utf8').split('\n').filter(Boolean);
const answer = (line) => {
  const [what, a, ...rest] = line.split(' ');
  const b = rest.join(' ');
  return what === 'compare' ? semver.compare(a, b, options) : Number(semver.satisfies(a, b, options));
};
console.log(lines.map(answer).join('\n'));
";

/// The `semver` that npm itself is made with.
fn semver() -> Option<PathBuf> {
    let root =
        Command::new("npm").args(["root", "-g"]).output().ok().filter(|output| output.status.success())?;
    let path = Path::new(String::from_utf8(root.stdout).ok()?.trim()).join("npm/node_modules/semver");
    path.is_dir().then_some(path)
}

fn ask(semver: &Path, questions: &[String]) -> Vec<i8> {
    let mut node = Command::new("node")
        .args(["-e", ASK])
        .arg(semver)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    node.stdin.take().unwrap().write_all(questions.join("\n").as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).unwrap();
    answers.lines().map(|line| line.parse().unwrap()).collect()
}

const VERSION: &str = "[0-2]\\.[0-2]\\.[0-2](-(alpha|beta|rc|x-1|0|[1-9]{1,2})(\\.([1-9]{1,2}|a))?)?(\\+b1)?";

#[test]
fn npm_order_is_semvers_on_generated_versions() {
    let Some(semver) = semver() else {
        return skipped("npm_order_is_semvers_on_generated_versions", "npm");
    };
    let versions = generated(VERSION, 4000);
    let pairs = versions.as_chunks::<2>().0;
    let questions: Vec<String> = pairs.iter().map(|[a, b]| format!("compare {a} {b}")).collect();
    let answers = ask(&semver, &questions);
    assert_eq!(answers.len(), pairs.len());
    for ([a, b], says) in pairs.iter().zip(answers) {
        let order = SemVer::parse(a).unwrap().cmp(&SemVer::parse(b).unwrap());
        assert_eq!(order as i8, says, "{a} {b}");
    }
}

#[test]
fn npm_ranges_hold_what_semver_says_on_generated_ranges() {
    let Some(semver) = semver() else {
        return skipped("npm_ranges_hold_what_semver_says_on_generated_ranges", "npm");
    };
    let one = "(>=|<=|>|<|=|\\^|~|)[0-2](\\.[0-2](\\.[0-2](-(rc|beta)\\.[0-2])?)?)?";
    let ranges = generated(&format!("{one}( {one})?( \\|\\| {one}( {one})?)?"), 3000);
    let versions = generated(VERSION, 3000);
    let asked: Vec<_> = ranges.iter().zip(&versions).collect();
    let questions: Vec<String> =
        asked.iter().map(|(range, version)| format!("satisfies {version} {range}")).collect();
    let answers = ask(&semver, &questions);
    assert_eq!(answers.len(), asked.len());
    let differing: Vec<String> = asked
        .iter()
        .zip(answers)
        .filter(|((range, version), says)| {
            let holds = Range::parse(range).unwrap().contains(&SemVer::parse(version).unwrap());
            i8::from(holds) != *says
        })
        .map(|((range, version), says)| format!("{version} in {range}: semver says {says}"))
        .collect();
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
}
