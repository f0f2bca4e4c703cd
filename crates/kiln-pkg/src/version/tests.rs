use std::cmp::Ordering;
use std::io::Write as _;
use std::process::Command;

use proptest::prelude::*;

use super::{Range, SemVer, apk, deb};
use crate::Ecosystem;

/// Rising; neighbours differ. Recorded from `dpkg --compare-versions` and deb-version(7).
const DEBIAN: &[&str] = &[
    "0~~",
    "0~~a",
    "0~",
    "0",
    "0-0.1",
    "0a",
    "0+b1",
    "0.1",
    "1.0~beta1~svn1245",
    "1.0~beta1",
    "1.0",
    "1.0-1~deb12u1",
    "1.0-1",
    "1.0-1+b1",
    "1.0-1+deb12u1",
    "1.0-1.1",
    "1.0-10",
    "1.0a-1",
    "1.0+dfsg-1",
    "1.0.1-1",
    "1.2.13.dfsg-1",
    "1.10-1",
    "20230311",
    "1:0.9-1",
    "1:1.3.dfsg+really1.3.1-1",
    "1:1.3.dfsg+really1.3.1-1+b1",
    "2:0",
];

#[test]
fn debian_versions_rise() {
    rises(DEBIAN, deb::compare);
    assert_eq!(deb::compare("1.0", "1.00"), Ordering::Equal);
    assert_eq!(deb::compare("0:1.0-0", "1.0"), Ordering::Equal);
    assert_eq!(deb::upstream("1:1.2-3-4"), "1.2-3");
}

#[test]
fn debian_order_is_dpkgs() {
    if Command::new("dpkg").arg("--version").output().is_err() {
        // Past the capture of test output, for the reader of the log.
        drop(writeln!(std::io::stderr(), "skipped: debian_order_is_dpkgs: no dpkg here"));
        return;
    }
    for a in DEBIAN {
        for b in DEBIAN.iter().step_by(3) {
            let status = Command::new("dpkg").args(["--compare-versions", a, "lt", b]).status().unwrap();
            assert_eq!(status.success(), deb::compare(a, b).is_lt(), "{a} < {b}");
        }
    }
}

#[test]
fn go_python_and_rust_versions_rise() {
    for (ecosystem, versions) in [
        (
            Ecosystem::Go,
            &[
                "v0.0.0-20190101000000-abcdefabcdef",
                "v0.0.0-20230822172742-b8732ec3820d",
                "v0.1.0",
                "v1.2.3-0.20230822172742-b8732ec3820d",
                "v1.2.3",
                "1.22.1",
                "v2.0.0+incompatible",
            ][..],
        ),
        (
            Ecosystem::PyPi,
            &["1.0.dev1", "1.0a1", "1.0b2", "1.0rc1", "1.0", "1.0+local.1", "1.0.post1", "1.1", "1!0.1"],
        ),
        (Ecosystem::Cargo, &["1.0.0-alpha.2", "1.0.0-alpha.10", "1.0.0", "1.0.1", "1.10.0"]),
    ] {
        for pair in versions.windows(2) {
            assert_eq!(ecosystem.compare(pair[0], pair[1]), Some(Ordering::Less), "{pair:?}");
        }
        assert_eq!(ecosystem.compare("(devel)", "1.0"), None);
    }
}

#[test]
fn apk_versions_rise() {
    let versions = [
        "0.1_alpha",
        "0.1_alpha2",
        "0.1_beta",
        "0.1_pre1",
        "0.1_rc1",
        "0.1_rc1-r1",
        "0.1",
        "0.1-r1",
        "0.1-r10",
        "0.1_git20200101",
        "0.1_p1",
        "0.1_p1-r1",
        "0.1a",
        "0.1b",
        "0.1.01",
        "0.1.1",
        "0.1.2",
        "0.1.10",
        "1",
        "1.1.1w-r1",
        "1.1.1x-r0",
        "20191112-r0",
    ];
    rises(&versions, apk::compare);
    assert!(!apk::is_valid("1.0-1") && !apk::is_valid("v1") && !apk::is_valid(""));
}

#[test]
fn npm_versions_rise() {
    let versions = [
        "0.0.0-0",
        "0.0.0",
        "1.0.0-0",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1",
        "1.2.0",
        "1.10.0",
        "2.0.0",
    ];
    rises(&versions, |a, b| SemVer::parse(a).unwrap().cmp(&SemVer::parse(b).unwrap()));
    assert_eq!(SemVer::parse("v1.2.3beta+build"), SemVer::parse("=1.2.3-beta"));
    assert_eq!(SemVer::parse_bound("6.0"), Some(SemVer::new(6, 0, 0)));
    for bad in ["", "1", "1.2", "1.2.3.4", "latest", "1.2.x", "99999999999999999999.0.0"] {
        assert_eq!(SemVer::parse(bad), None, "{bad}");
    }
}

#[test]
fn ranges_hold_what_node_semver_says() {
    let cases = [
        ("^1.2.3", "1.2.3 1.9.0", "1.2.2 2.0.0 2.0.0-rc.1"),
        ("^0.2.3", "0.2.3 0.2.9", "0.3.0"),
        ("^0.0.3", "0.0.3", "0.0.4"),
        ("~1.2", "1.2.0 1.2.9", "1.3.0 1.1.9"),
        ("8.x || ^10.1.0", "8.0.0 8.99.0 10.1.0", "9.0.0 10.0.9 11.0.0"),
        ("1.2 - 2.3", "1.2.0 2.3.9", "2.4.0 1.1.0"),
        (">= 1.0.0 < 1.4.6 || 2.0.0", "1.0.0 1.4.5 2.0.0 1.4.6-rc.1", "1.4.6 2.0.1 0.9.9"),
        ("*", "0.0.0 9.9.9", ""),
        ("<= 1.0", "0.1.0 1.0.9", "1.1.0"),
        (">1.2.3", "1.2.4", "1.2.3"),
        (">1", "2.0.0", "1.9.9"),
        ("1.2.3-beta.1", "1.2.3-beta.1", "1.2.3 1.2.3-beta.2"),
    ];
    for (range, inside, outside) in cases {
        let parsed = Range::parse(range).unwrap();
        for version in inside.split_whitespace() {
            assert!(parsed.contains(&SemVer::parse(version).unwrap()), "{version} in {range}");
        }
        for version in outside.split_whitespace() {
            assert!(!parsed.contains(&SemVer::parse(version).unwrap()), "{version} not in {range}");
        }
    }
    assert_eq!(Range::parse("latest"), None);
    assert_eq!(Range::parse("git+https://x/y"), None);
}

/// Thousands of answers of the semver that npm brings, about releases and, as `contains` has it, about prereleases too.
#[test]
fn ranges_hold_what_the_semver_of_npm_says() {
    let pieces = ["1", "1.2", "1.2.3", "0.0.3", "0.2", "2.x", "x", "*", "1.2.3-rc.1", "v1.0", "10.0.0+b"];
    let comparators: Vec<String> = ["", "=", "^", "~", "~>", "<", "<=", ">", ">=", ">= ", "^ "]
        .iter()
        .flat_map(|operator| pieces.iter().map(move |piece| format!("{operator}{piece}")))
        .collect();
    let joint = |a: &String, at: usize| {
        let b = &comparators[(at * 37 + 11) % comparators.len()];
        [format!("{a} {b}"), format!("{a} || {b}"), format!("{a}||{b}||3")]
    };
    let hyphens = pieces.iter().flat_map(|low| pieces.iter().map(move |high| format!("{low} - {high}")));
    let odd = ["", " ", "latest", "1 2", "||", "1.2.3.4", "=>1", "^1.2.3 ^1.4", ">1 <1", "!1", "1.2.3 - 2"];
    let ranges: Vec<String> = comparators
        .iter()
        .enumerate()
        .flat_map(|(at, one)| joint(one, at))
        .chain(comparators.iter().cloned())
        .chain(hyphens)
        .chain(odd.map(str::to_owned))
        .collect();
    let versions = [
        "0.0.0",
        "0.0.3",
        "0.0.4",
        "0.2.0",
        "0.3.0",
        "1.0.0",
        "1.0.0-0",
        "1.1.9",
        "1.2.0",
        "1.2.2",
        "1.2.3-rc.1",
        "1.2.3-rc.2",
        "1.2.3",
        "1.2.4",
        "1.2.4-0",
        "1.3.0",
        "1.9.9",
        "2.0.0-rc.1",
        "2.0.0",
        "2.1.0",
        "3.0.0",
        "10.0.0",
    ];
    let question = serde_json::json!({ "ranges": ranges, "versions": versions });
    let Some(answers) = semver_of_npm(&question) else {
        drop(writeln!(std::io::stderr(), "skipped: ranges_hold_what_the_semver_of_npm_says: no npm here"));
        return;
    };
    let mut wrong = Vec::new();
    for (range, answer) in ranges.iter().zip(&answers) {
        let ours = Range::parse(range)
            .map(|range| versions.map(|version| range.contains(&SemVer::parse(version).unwrap())).to_vec());
        if ours != *answer {
            wrong.push(format!("`{range}`: {ours:?}, not {answer:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), ranges.len(), wrong.join("\n"));
}

/// For each range which versions it holds; `None` of one that is no range. Nothing where npm is not installed.
fn semver_of_npm(question: &serde_json::Value) -> Option<Vec<Option<Vec<bool>>>> {
    let root = Command::new("npm").args(["root", "--global"]).output().ok()?;
    let root = String::from_utf8(root.stdout).ok()?;
    let script = r"
        const semver = require(process.argv[1] + '/npm/node_modules/semver');
        const { ranges, versions } = JSON.parse(require('fs').readFileSync(0));
        const options = { loose: true, includePrerelease: true };
        const held = range => semver.validRange(range, options) === null
            ? null : versions.map(version => semver.satisfies(version, range, options));
        console.log(JSON.stringify(ranges.map(held)));
    ";
    let mut child = Command::new("node")
        .args(["-e", script, root.trim()])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(question.to_string().as_bytes()).ok()?;
    let answer = child.wait_with_output().ok()?;
    assert!(answer.status.success(), "node failed");
    Some(serde_json::from_slice(&answer.stdout).unwrap())
}

fn rises(versions: &[&str], compare: impl Fn(&str, &str) -> Ordering) {
    for (i, a) in versions.iter().enumerate() {
        for (j, b) in versions.iter().enumerate() {
            assert_eq!(compare(a, b), i.cmp(&j), "{a} {b}");
        }
    }
}

/// Antisymmetry and transitivity, which together with totality make a preorder.
fn is_order(
    a: &str,
    b: &str,
    c: &str,
    compare: impl Fn(&str, &str) -> Ordering,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(compare(a, b), compare(b, a).reverse());
    prop_assert_eq!(compare(a, a), Ordering::Equal);
    if compare(a, b).is_le() && compare(b, c).is_le() {
        prop_assert!(compare(a, c).is_le(), "{} {} {}", a, b, c);
    }
    Ok(())
}

proptest! {
    #[test]
    fn debian_order_is_total(a in "[0-2:.~+a-]{0,6}", b in "[0-2:.~+a-]{0,6}", c in "[0-2:.~+a-]{0,6}") {
        is_order(&a, &b, &c, deb::compare)?;
    }

    #[test]
    fn apk_order_is_total(
        a in "[0-2]{1,2}(\\.[0-2]{1,2}){0,2}[ab]?(_(rc|p|git)[0-2]?){0,2}(-r[0-2])?",
        b in "[0-2]{1,2}(\\.[0-2]{1,2}){0,2}[ab]?(_(rc|p|git)[0-2]?){0,2}(-r[0-2])?",
        c in "[0-2.]{1,5}[ab]?(_(rc|p|git)[0-2]?){0,2}(-r[0-2])?",
    ) {
        is_order(&a, &b, &c, apk::compare)?;
    }

    #[test]
    fn npm_order_is_total(a in "[0-2]\\.[0-2]\\.[0-2](-[0-2a.]{1,4})?", b in "[0-2]\\.[0-2]\\.[0-2](-[0-2a.]{1,4})?", c in "[0-2]\\.[0-2]\\.[0-2](-[0-2a.]{1,4})?") {
        let parsed = (SemVer::parse(&a), SemVer::parse(&b), SemVer::parse(&c));
        if let (Some(a), Some(b), Some(c)) = parsed {
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            prop_assert!(!(a <= b && b <= c) || a <= c);
            prop_assert_eq!(SemVer::parse(&a.to_string()), Some(a));
        }
    }

    #[test]
    fn nothing_panics(a in "\\PC{0,20}", b in "[-0-9a-z.~_:+|<>=^x* ]{0,20}") {
        let _ = (deb::compare(&a, &b), apk::compare(&a, &b), SemVer::parse(&b), Range::parse(&b), Range::parse(&a));
    }
}

#[test]
fn debian_versions_order_pair_by_pair() {
    let rising = [
        "0~~",
        "0~~a",
        "0~",
        "0",
        "0-0a",
        "0a",
        "0a1",
        "0+",
        "1.0~rc1",
        "1.0",
        "1.0-1~deb12u1",
        "1.0-1",
        "1.0-1+b1",
        "1.0-2",
        "1.0-10",
        "1.0a",
        "1.0+dfsg",
        "1.0.1",
        "1.9",
        "1.10",
        "99999999999999999999999",
        "1:0.1",
    ];
    for pair in rising.windows(2) {
        assert_eq!(deb::compare(pair[0], pair[1]), Ordering::Less, "{} < {}", pair[0], pair[1]);
        assert_eq!(deb::compare(pair[1], pair[0]), Ordering::Greater, "{} > {}", pair[1], pair[0]);
    }
}

#[test]
fn what_dpkg_calls_equal_is_equal() {
    for (left, right) in [("1.0", "1.0-0"), ("01.0", "1.00"), ("0:1", "1"), ("1.0", "1.0-")] {
        assert_eq!(deb::compare(left, right), Ordering::Equal, "{left} {right}");
    }
}
