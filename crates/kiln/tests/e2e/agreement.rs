//! plan, ship, fix, lint, `build -f` and scan are asked about the same folders: which files there are, what is left out, how
//! the app starts and with which Node. They differ only where ARCHITECTURE.md ("Who sees which files") says so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::differential::look;
use crate::harness::{Run, World};

const FOLDERS: &str = include_str!("agreement/folders.md");
/// Scans tell where they find this, and so which files they read.
const CREDENTIAL: &str = "// AKIAQ3EGRJ5TKWXYZ2B7 \n";
/// What kiln plans from, wherever a `.dockerignore` leaves it.
const PLANNED_FROM: [&str; 2] = ["package.json", "package-lock.json"];

type Names = BTreeSet<String>;

/// A folder, and what is right to say of it.
struct Case {
    name: &'static str,
    right: BTreeMap<&'static str, &'static str>,
    files: BTreeMap<&'static str, String>,
}

fn cases() -> Vec<Case> {
    FOLDERS.split("\n==== ").skip(1).map(case).collect()
}

fn case(text: &'static str) -> Case {
    let mut parts = text.split("\n---- ");
    let mut head = parts.next().unwrap_or_default().lines();
    let name = head.next().unwrap();
    let right = head.map(|line| line.split_once(": ").unwrap()).collect();
    let file = |part: &'static str| {
        let (path, text) = part.split_once('\n').unwrap_or((part, ""));
        let text = if text.is_empty() { String::new() } else { format!("{}\n", text.trim_end_matches('\n')) };
        (path, if is_marked(path) { text + CREDENTIAL } else { text })
    };
    Case { name, right, files: parts.map(file).collect() }
}

/// Files that no program reads by a grammar.
fn is_marked(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|end| ["html", "js", "md", "ts", "txt"].iter().any(|one| end == *one))
}

impl Case {
    fn list(&self, what: &str) -> Names {
        self.right.get(what).map(|line| line.split(' ').map(str::to_owned).collect()).unwrap_or_default()
    }

    fn all(&self) -> Names {
        self.files.keys().map(|path| (*path).to_owned()).collect()
    }

    fn without(&self, out: &Names) -> Names {
        self.all().difference(out).cloned().collect()
    }

    fn is_app(&self) -> bool {
        self.files.contains_key("package.json")
    }
}

struct Asked<'a> {
    case: &'a Case,
    world: World,
    folder: PathBuf,
}

impl<'a> Asked<'a> {
    fn new(case: &'a Case) -> Self {
        let world = World::new();
        let files: Vec<(&str, &str)> = case.files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let folder = world.app(&files);
        Self { case, world, folder }
    }

    fn run(&self, command: &str, args: &[&str]) -> Run {
        let mut kiln = self.world.kiln();
        // Nothing of other runs, so that nothing is there that ship could go on with.
        kiln.env("KILN_CACHE_DIR", self.world.path("cache"));
        Run::of(kiln.arg(command).arg(&self.folder).args(args))
    }

    /// What `COPY . /` brings into an image.
    fn built(&self) -> Names {
        let probe = self.world.path("probe");
        fs::write(&probe, "FROM scratch\nCOPY . /\n").unwrap();
        self.run("build", &["-q", "-t", "probe:1", "-f", probe.to_str().unwrap()]).exits(0);
        let layout = self.world.path("layout");
        self.world.run(["copy", "-q", "probe:1", &format!("oci:{}:1", layout.display())]).exits(0);
        let paths = look(&layout).paths;
        paths.into_iter().filter(|(_, what)| what.contains(" file ")).map(|(path, _)| path).collect()
    }

    /// What lint says is left out, of all files, and of those only.
    fn left_out_by_lint(&self) -> Names {
        let probe = self.world.path("probe");
        let copies: Vec<String> = self.case.files.keys().map(|path| format!("COPY {path} /x/")).collect();
        fs::write(&probe, format!("FROM scratch\n{}\n", copies.join("\n"))).unwrap();
        let folder = self.folder.to_str().unwrap();
        let args =
            ["lint", "--fail-on", "never", "--format", "json", "--context", folder, probe.to_str().unwrap()];
        let reports = self.world.run(args).exits(0).json();
        assert_eq!(reports[0]["has_context"], true, "{}", self.case.name);
        let findings = reports[0]["findings"].as_array().unwrap().iter().filter(|one| one["id"] == "DF053");
        let message = |finding: &Value| {
            let message = finding["message"].as_str().unwrap().to_owned();
            let left = message.strip_prefix(".dockerignore leaves out ").map(str::to_owned);
            let left = left.unwrap_or_else(|| panic!("{}: {message}", self.case.name));
            left.split(',').next().unwrap().to_owned()
        };
        findings.map(message).collect()
    }

    fn scanned(&self) -> Names {
        let scans = self.run("scan", &["--format", "json", "--offline"]).exits(0).json();
        let secrets = scans[0]["secrets"].as_array().unwrap().iter();
        secrets.map(|secret| secret["place"]["path"].as_str().unwrap().to_owned()).collect()
    }

    fn files_agree(&self) {
        let name = self.case.name;
        let (out, made) = (self.case.list("out"), self.case.list("made"));
        assert_eq!(self.built(), self.case.without(&out), "{name}: build -f");
        let marked: Names = self.case.all().into_iter().filter(|path| is_marked(path)).collect();
        assert_eq!(self.scanned(), marked, "{name}: scan");
        if !self.case.is_app() {
            return;
        }
        assert_eq!(self.left_out_by_lint(), out, "{name}: lint");
        if self.case.right.contains_key("refused") {
            return;
        }
        let of_app: Names =
            out.iter().filter(|path| !PLANNED_FROM.contains(&path.as_str())).cloned().collect();
        let shipped = self.case.without(&of_app.union(&made).cloned().collect());
        let planned = self.run("plan", &["--format", "json"]).exits(0).json();
        let planned: Names = serde_json::from_value(planned["files"].clone()).unwrap();
        assert_eq!(planned, shipped, "{name}: plan");
    }

    /// ship, which stops at the base that it may not fetch, and fix, of the simplest Dockerfile.
    fn start_agrees(&self) {
        let name = self.case.name;
        let plan = self.run("plan", &["--format", "json"]);
        let ship = self.run("ship", &["--offline"]);
        if let Some(code) = self.case.right.get("refused") {
            for run in [plan, ship] {
                let told = format!("{}{}", run.stdout, run.stderr);
                assert!(told.contains(code), "{name}: {code} in {told}");
            }
            return;
        }
        let plan = plan.exits(0).json();
        let start = self.case.right["start"];
        let planned: Vec<&str> =
            plan["plan"]["entry"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        assert_eq!(planned.join(" "), start, "{name}: plan");
        let ship = ship.stderr;
        assert!(ship.contains(&format!("→ node {start}  ")), "{name}: ship: {ship}");
        let node = self.case.right.get("node");
        if let Some(node) = node {
            assert_eq!(plan["plan"]["node"].to_string(), *node, "{name}: plan");
        }
        if self.case.right.get("fix") == Some(&"no") {
            return;
        }
        let simple = "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm install\nCMD [\"npm\", \"start\"]\n";
        fs::write(self.folder.join("Dockerfile"), simple).unwrap();
        let fixed = self.run("fix", &["--diff", "--to", "slim", "--format", "json"]).exits(0).json();
        let diff = fixed["diff"].as_str().unwrap();
        let command = format!("+CMD [\"node\", \"{}\"]", start.replace(' ', "\", \""));
        assert!(diff.contains(&command), "{name}: fix: {diff}");
        if let Some(node) = node {
            assert!(diff.contains(&format!("+FROM node:{node}-")), "{name}: fix: {diff}");
        }
    }
}

#[test]
fn there_are_thirty_folders() {
    assert!(cases().len() >= 30);
}

#[test]
fn all_commands_see_the_same_files() {
    for case in cases() {
        Asked::new(&case).files_agree();
    }
}

#[test]
fn all_commands_start_the_same() {
    for case in cases().iter().filter(|case| case.is_app()) {
        Asked::new(case).start_agrees();
    }
}

#[test]
fn all_commands_say_the_same_of_what_is_no_folder() {
    let world = World::new();
    let app = world.app(&[("file.txt", "")]);
    let (gone, file) = (app.join("gone"), app.join("file.txt"));
    let (gone, file) = (gone.to_str().unwrap(), file.to_str().unwrap());
    fs::write(world.path("Dockerfile"), "FROM scratch\nCOPY . /\n").unwrap();
    let commands: [&[&str]; 7] = [
        &["plan"],
        &["ship"],
        &["fix"],
        &["lint"],
        &["scan"],
        &["build", "-f", "Dockerfile"],
        &["lint", "Dockerfile", "--context"],
    ];
    for command in commands {
        let run = world.run(command.iter().chain([&gone])).exits(2);
        let said = format!("error[app.no_folder]: cannot find {gone}: there is no such file or folder");
        assert!(run.stderr.contains(&said), "{command:?}: {}", run.stderr);
    }
    // fix, lint and scan take files, too.
    let folders: [&[&str]; 5] = [
        &["plan"],
        &["ship"],
        &["build"],
        &["build", "-f", "Dockerfile"],
        &["lint", "Dockerfile", "--context"],
    ];
    for command in folders {
        let run = world.run(command.iter().chain([&file])).exits(2);
        let said = format!("error[app.no_folder]: cannot open the folder {file}: it is no folder");
        assert!(run.stderr.contains(&said), "{command:?}: {}", run.stderr);
    }
    let run = world.run(["scan", &format!("dir:{file}")]).exits(2);
    assert!(run.stderr.contains("app.no_folder"), "{}", run.stderr);
}
