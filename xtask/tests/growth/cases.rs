//! One function for each parser and algorithm over what others write; `n` is how long its input is.

use std::fmt::Write as _;

use kiln_attest::{Envelope, Vex};
use kiln_dockerfile::{Ignore, Parents, Wildcard};
use kiln_inventory::{Machine, combine, scan_folder, scan_layer};
use kiln_lint::LintSettings;
use kiln_node::{Lock, LockFormat, LockKind, PackageJson, WorkspaceGlobs, commands};
use kiln_oci::{Digest, Index, Reference};
use kiln_pkg::{Ecosystem, Inventory, Licence, Package, Purl};
use kiln_rootfs::{Content, Delta, LayerReader, Limits, RootPath, Tree, write_delta};
use kiln_text::Glob;
use kiln_vuln::{Database, Date, Terms, build::Builder, check};

/// One of them.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// How long its input is the first time.
    pub(crate) size: usize,
    pub(crate) run: fn(usize),
}

const fn case(name: &'static str, size: usize, run: fn(usize)) -> Case {
    Case { name, size, run }
}

pub(crate) static CASES: &[Case] = &[
    case("layer-whiteouts", 4000, whiteouts),
    case("layer-opaque-folders", 2000, opaque_folders),
    case("layer-hard-links", 4000, hard_links),
    case("layer-replaced-files", 2000, replaced),
    case("layer-scan", 1000, layer_scan),
    case("dockerfile-instructions", 600, |n| lint(&repeat(n, |at| format!("RUN echo {at} && cd /a{at}\n")))),
    case("dockerfile-continued-line", 2000, |n| {
        lint(&format!("FROM a\nRUN x {}\n", "\\\n  && y ".repeat(n)));
    }),
    case("dockerfile-one-long-word", 20_000, |n| lint(&format!("FROM a\nRUN {}\n", "x".repeat(n)))),
    case("dockerfile-quotes", 4000, |n| lint(&format!("FROM a\nRUN {}\n", "\"'`$(".repeat(n)))),
    case("dockerfile-stages", 400, |n| {
        lint(&repeat(n, |at| format!("FROM a AS s{at}\nCOPY --from=s0 /a /b\n")));
    }),
    case("dockerfile-variables", 600, |n| {
        lint(&repeat(n, |at| format!("ARG A{at}=${{A{at}:-x}}\nENV B{at}=$A{at}\n")));
    }),
    case("dockerfile-heredocs", 300, |n| lint(&repeat(n, |at| format!("RUN <<E{at}\necho {at}\nE{at}\n")))),
    case("dockerfile-comments", 2000, |n| lint(&repeat(n, |at| format!("# {at}\n")))),
    case("dockerfile-labels", 1000, |n| {
        lint(&format!(
            "FROM a\nLABEL {}\n",
            repeat(n, |at| format!("l{at}=v ")).trim_start_matches("FROM a\n")
        ));
    }),
    case("dockerfile-fixes", 100, fixes),
    case("dockerignore-patterns", 1000, ignore_patterns),
    case("dockerignore-one-pattern", 1000, ignore_pattern),
    case("dockerignore-folders-in-folders", 4000, |n| ignored(&format!("{}b", "**/".repeat(n)))),
    case("dockerignore-folders-and-stars", 2000, |n| ignored(&format!("{}b", "**/*".repeat(n)))),
    case("dockerignore-stars", 10_000, |n| ignored(&format!("{}b", "*".repeat(n)))),
    case("dockerignore-question-marks", 10_000, |n| ignored(&"?".repeat(n))),
    case("dockerignore-longer-than-any", 100_000, |n| ignored(&"*?".repeat(n))),
    case("wildcard", 1000, wildcard),
    case("wildcard-stars", 10_000, |n| {
        Wildcard::parse(&"*".repeat(n)).expect("a pattern").is_match("a/b");
    }),
    case("glob", 4000, glob),
    case("workspace-globs", 1000, workspace_globs),
    case("workspace-deep-glob", 400, workspace_deep),
    case("package-json", 2000, package_json),
    case("package-lock", 1000, |n| lock(LockKind::PackageLock, "package-lock.json", &npm_lock(n))),
    case("package-lock-nested", 300, |n| lock(LockKind::PackageLock, "package-lock.json", &nested_lock(n))),
    case("package-lock-deep", 100, |n| lock(LockKind::PackageLock, "package-lock.json", &deep_lock(n))),
    case("yarn-lock-one-needs-all", 1000, |n| lock(LockKind::Yarn, "yarn.lock", &broad_lock(n))),
    case("bun-lock", 300, bun_lock),
    case("pnpm-lock", 500, |n| lock(LockKind::Pnpm, "pnpm-lock.yaml", &pnpm_lock(n))),
    case("yarn-lock", 1000, |n| lock(LockKind::Yarn, "yarn.lock", &yarn_lock(n))),
    case("start-script", 4000, |n| drop(commands(&"a 'b' \"c\" && ".repeat(n)))),
    case("image-name", 4000, |n| drop("a/".repeat(n).parse::<Reference>())),
    case("image-index", 1000, image_index),
    case("package-url", 4000, |n| {
        drop(format!("pkg:npm/{}@1?{}", "%40".repeat(n), "a=b&".repeat(n)).parse::<Purl>());
    }),
    case("licence", 1000, |n| drop(Licence::declared(&vec!["MIT"; n + 1].join(" OR ")))),
    case("licence-parentheses", 1000, |n| {
        drop(Licence::declared(&format!("{}MIT{}", "(".repeat(n), ")".repeat(n))));
    }),
    case("versions", 2000, versions),
    case("dpkg-status", 1000, dpkg_status),
    case("apk-installed", 1000, apk_installed),
    case("node-modules", 300, node_modules),
    case("sbom-cyclonedx", 500, cyclonedx),
    case("sbom-spdx", 500, spdx),
    case("envelope", 20_000, |n| {
        drop(Envelope::read(format!(r#"{{"payload":"{}"}}"#, "A".repeat(4 * n)).as_bytes()));
    }),
    case("vex-statements", 500, vex),
    case("advisories-of-one-package", 500, advisories),
    case("advisories-that-are-one", 500, joined_advisories),
];

/// A Dockerfile with `n` pieces.
fn repeat(n: usize, piece: impl Fn(usize) -> String) -> String {
    (0..n).fold("FROM a\n".to_owned(), |text, at| text + &piece(at))
}

fn lint(text: &str) {
    kiln_lint::lint(text, None, &LintSettings::new("2026-01-01"));
}

fn fixes(n: usize) {
    let text = repeat(n, |at| format!("MAINTAINER a{at}\nRUN apt-get install -y p{at}\nWORKDIR a{at}\n"));
    kiln_lint::fix(&text, None, &LintSettings::new("2026-01-01"), kiln_lint::Repair::Safe);
}

fn path(text: &str) -> RootPath {
    RootPath::normalise(text).expect("a path")
}

/// A layer as it is read back from its tar.
fn round(delta: &Delta) -> Delta {
    let tar = write_delta(delta, Vec::new(), 0).expect("memory takes it");
    let mut reader = LayerReader::new(&tar[..], Limits::default());
    Delta::read(&mut reader, &mut |_, _| Ok(Content::Bytes([].into()))).expect("what is written is read")
}

fn files(n: usize) -> Tree {
    let mut tree = Tree::new();
    for at in 0..n {
        tree.insert_file(&format!("d/f{at}"), 0o644, *b"").expect("a path");
    }
    tree
}

fn whiteouts(n: usize) {
    let mut below = files(n);
    let removed = (0..n).map(|at| path(&format!("d/f{at}"))).collect();
    round(&Delta { removed, ..Delta::default() }).apply(&mut below).expect("it fits");
    assert!(below.len() <= 1);
}

fn opaque_folders(n: usize) {
    let mut below = Tree::new();
    for at in 0..n {
        below.insert_file(&format!("d{at}/f"), 0o644, *b"").expect("a path");
    }
    let opaque = (0..n).map(|at| path(&format!("d{at}"))).collect();
    round(&Delta { opaque, ..Delta::default() }).apply(&mut below).expect("it fits");
}

fn hard_links(n: usize) {
    let mut tree = files(1);
    for at in 1..n {
        let attrs = kiln_rootfs::Attrs::root(0o644);
        let kind = kiln_rootfs::Kind::Hardlink(path("d/f0"));
        tree.insert(path(&format!("d/l{at}")), kiln_rootfs::Entry { attrs, kind }).expect("a path");
    }
    let mut below = Tree::new();
    round(&Delta::placing(tree)).apply(&mut below).expect("it fits");
    // The file goes, and another of its names becomes it.
    round(&Delta { removed: [path("d/f0")].into(), ..Delta::default() }).apply(&mut below).expect("it fits");
}

fn replaced(n: usize) {
    let mut tree = files(n);
    for at in 0..n {
        tree.insert_dir(&format!("d/f{at}"), 0o755).expect("a path");
        tree.insert_file(&format!("d/f{at}/x"), 0o644, *b"").expect("a path");
        tree.insert_file(&format!("d/f{at}"), 0o644, *b"").expect("a path");
    }
    assert!(tree.len() <= n + 1);
}

fn layer_scan(n: usize) {
    let mut tree = files(n);
    for at in 0..n {
        tree.insert_file(&format!("etc/.env{at}"), 0o4755, *b"TOKEN=x").expect("a path");
    }
    scan(tree);
}

fn scan(tree: Tree) {
    let tar = write_delta(&Delta::placing(tree), Vec::new(), 0).expect("memory takes it");
    let mut reader = LayerReader::new(&tar[..], Limits::default());
    let facts = scan_layer(&mut reader, Digest::of(b"")).expect("a layer");
    drop(combine(&[facts]));
}

fn one_file(name: &str, text: &str) {
    let mut tree = Tree::new();
    tree.insert_file(name, 0o644, text.as_bytes()).expect("a path");
    scan(tree);
}

fn list(n: usize, piece: impl Fn(usize) -> String) -> String {
    (0..n).fold(String::new(), |text, at| text + &piece(at))
}

fn ignore_patterns(n: usize) {
    let ignore = Ignore::parse(&list(n, |at| format!("**/x{at}*\n!y{at}\n")));
    let mut parents = Parents::default();
    for folder in ["a", "a/b", "a/b/c"] {
        parents = ignore.enter(folder, &parents).1;
    }
}

fn ignore_pattern(n: usize) {
    let ignore = Ignore::parse(&format!("{}z\n", "*a".repeat(n.min(200))));
    ignore.is_ignored(&"a".repeat(n));
}

/// Some paths held against a pattern of any length.
fn ignored(pattern: &str) {
    let ignore = Ignore::parse(pattern);
    for path in ["aaaaaaaaaaaaaaaaaaaaaaaa", "a/b/c/d/e/f/g", "node_modules/.bin/something"] {
        ignore.is_ignored(path);
    }
}

fn wildcard(n: usize) {
    Wildcard::parse("*a*a*a*b").expect("a pattern").is_match(&"a".repeat(n));
}

fn glob(n: usize) {
    Glob::parse("**/*a*a*a*[!x]{b,*c}/**/z").expect("a glob").is_match(&"aa/".repeat(n));
}

fn workspace_globs(n: usize) {
    let globs: Vec<String> = (0..n).map(|at| format!("p{at}/*")).collect();
    let globs = WorkspaceGlobs::new(&globs).expect("globs");
    globs.holds("p7/a");
}

fn workspace_deep(n: usize) {
    let globs = WorkspaceGlobs::new(&["**/**/**/**/**/**/**/**/x".to_owned()]).expect("globs");
    globs.holds(&vec!["a"; n + 1].join("/"));
}

fn package_json(n: usize) {
    let text = format!(
        r#"{{"name":"a","dependencies":{{{}"z":"1"}}}}"#,
        list(n, |at| format!(r#""p{at}":"^1.0.{at}","#))
    );
    let package = PackageJson::read("package.json", text.as_bytes()).expect("a package");
    package.workspace_globs();
}

fn lock(kind: LockKind, name: &str, text: &str) {
    let Ok(lock) = Lock::read(kind, name, text.as_bytes()) else { return };
    lock.without_integrity("x64");
    let mut tree = Tree::new();
    tree.insert_file(&format!("app/{name}"), 0o644, text.as_bytes()).expect("a path");
    tree.insert_file("app/package.json", 0o644, *br#"{"name":"a","dependencies":{"p1":"1"}}"#)
        .expect("a path");
    scan_folder(&tree, Machine { os: "linux", cpu: "x64", libc: "glibc" }).expect("a folder");
}

fn npm_lock(n: usize) -> String {
    let entry = |at: usize| {
        format!(r#","node_modules/p{at}":{{"version":"1.0.{at}","dependencies":{{"p{}":"^1"}}}}"#, at + 1)
    };
    format!(r#"{{"lockfileVersion":3,"packages":{{"":{{"dependencies":{{"p0":"1"}}}}{}}}}}"#, list(n, entry))
}

fn nested_lock(n: usize) -> String {
    let mut path = String::new();
    let mut entries = String::new();
    // A path as deep as the number of packages would itself be long: 20 levels, again and again.
    for at in 0..n {
        if at % 20 == 0 {
            path.clear();
        }
        let _ = write!(path, "{}node_modules/p{at}", if path.is_empty() { "" } else { "/" });
        let _ = write!(entries, r#","{path}":{{"version":"1.0.0","dependencies":{{"p{}":"1"}}}}"#, at + 1);
    }
    format!(r#"{{"lockfileVersion":3,"packages":{{"":{{"dependencies":{{"p0":"1"}}}}{entries}}}}}"#)
}

/// One package as deep as a path can be, which needs what is nowhere.
fn deep_lock(n: usize) -> String {
    let place = "node_modules/a/".repeat(270);
    let needs = list(n, |at| format!(r#""x{at}":"1","#));
    format!(
        r#"{{"lockfileVersion":3,"packages":{{"":{{}},"{}":{{"version":"1.0.0","dependencies":{{{}}}}}}}}}"#,
        place.trim_end_matches('/'),
        needs.trim_end_matches(',')
    )
}

fn broad_lock(n: usize) -> String {
    "# yarn lockfile v1\n\np0@1:\n  version \"1.0.0\"\n  dependencies:\n".to_owned()
        + &list(n, |at| format!("    q{at} \"1\"\n"))
        + &list(n, |at| format!("\nq{at}@1:\n  version \"1.0.0\"\n"))
}

fn bun_lock(n: usize) {
    let deep = "a/".repeat(1000);
    let needs = list(n, |at| format!(r#""p{at}":"1","#));
    let packages = list(n, |at| format!(r#""p{at}":["p{at}@1.0.{at}","",{{}},""],"#));
    let text = format!(
        r#"{{"lockfileVersion":1,"packages":{{{packages}"{deep}b":["b@1.0.0","",{{"dependencies":{{{needs}}}}},""]}}}}"#
    );
    let lock = Lock::read_any(LockFormat::Bun, "bun.lock", text.as_bytes()).expect("a lock file");
    assert_eq!(lock.packages.len(), n + 1);
}

fn pnpm_lock(n: usize) -> String {
    let packages = list(n, |at| format!("  p{at}@1.0.0:\n    resolution: {{integrity: sha512-AA==}}\n"));
    let snapshots = list(n, |at| format!("  p{at}@1.0.0:\n    dependencies:\n      p{}: 1.0.0\n", at + 1));
    format!(
        "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      p0:\n        specifier: ^1\n        version: 1.0.0\n\
         packages:\n{packages}snapshots:\n{snapshots}"
    )
}

fn yarn_lock(n: usize) -> String {
    "# yarn lockfile v1\n\n".to_owned()
        + &list(n, |at| {
            format!("p{at}@^1:\n  version \"1.0.0\"\n  dependencies:\n    p{} \"^1\"\n\n", at + 1)
        })
}

fn image_index(n: usize) {
    let entry = |at: usize| {
        let digest = Digest::of(&at.to_le_bytes());
        format!(r#"{{"mediaType":"m","digest":"{digest}","size":1,"annotations":{{"a":"{at}"}}}},"#)
    };
    let text = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, list(n, entry).trim_end_matches(','));
    let index: Index = serde_json::from_str(&text).expect("an index");
    assert_eq!(index.manifests.len(), n);
}

fn versions(n: usize) {
    let (one, other) = ("1.".repeat(n) + "1", "1.".repeat(n) + "2");
    for ecosystem in Ecosystem::ALL {
        ecosystem.compare(&one, &other);
        ecosystem.compare(&"9".repeat(n + 1), &"9a".repeat(n + 1));
    }
}

fn dpkg_status(n: usize) {
    let entry = |at: usize| {
        format!(
            "Package: p{at}\nStatus: install ok installed\nVersion: 1:1.{at}-1\nArchitecture: amd64\nDepends: p{}\n\n",
            at + 1
        )
    };
    one_file("var/lib/dpkg/status", &list(n, entry));
}

fn apk_installed(n: usize) {
    one_file(
        "lib/apk/db/installed",
        &list(n, |at| format!("P:p{at}\nV:1.{at}-r0\nA:x86_64\nF:usr\nR:f{at}\n\n")),
    );
}

fn node_modules(n: usize) {
    let mut tree = Tree::new();
    for at in 0..n {
        let text = format!(r#"{{"name":"p{at}","version":"1.0.0","dependencies":{{"p{}":"^1"}}}}"#, at + 1);
        tree.insert_file(&format!("app/node_modules/p{at}/package.json"), 0o644, text.into_bytes())
            .expect("a path");
    }
    scan(tree);
}

fn cyclonedx(n: usize) {
    let component = |at: usize| {
        format!(
            r#"{{"type":"library","bom-ref":"r{at}","name":"p{at}","version":"1","purl":"pkg:npm/p{at}@1"}},"#
        )
    };
    let needs = |at: usize| format!(r#"{{"ref":"r{at}","dependsOn":["r{}"]}},"#, at + 1);
    let text = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{}],"dependencies":[{}]}}"#,
        list(n, component).trim_end_matches(','),
        list(n, needs).trim_end_matches(',')
    );
    drop(kiln_sbom::read(text.as_bytes()));
}

fn spdx(n: usize) {
    let package = |at: usize| {
        let url = format!(r#"{{"referenceType":"purl","referenceLocator":"pkg:npm/p{at}@1"}}"#);
        format!(r#"{{"SPDXID":"SPDXRef-{at}","name":"p{at}","versionInfo":"1","externalRefs":[{url}]}},"#)
    };
    let needs = |at: usize| {
        let to = at + 1;
        format!(
            r#"{{"spdxElementId":"SPDXRef-{at}","relationshipType":"DEPENDS_ON","relatedSpdxElement":"SPDXRef-{to}"}},"#
        )
    };
    let text = format!(
        r#"{{"spdxVersion":"SPDX-2.3","packages":[{}],"relationships":[{}]}}"#,
        list(n, package).trim_end_matches(','),
        list(n, needs).trim_end_matches(',')
    );
    drop(kiln_sbom::read(text.as_bytes()));
}

fn vex(n: usize) {
    let statement = |at: usize| {
        format!(
            r#"{{"vulnerability":{{"name":"CVE-{at}"}},"status":"fixed","products":[{{"@id":"pkg:npm/p{at}@1"}}]}},"#
        )
    };
    let text = format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"x","author":"a","timestamp":"2026-01-01T00:00:00Z","version":1,"statements":[{}]}}"#,
        list(n, statement).trim_end_matches(',')
    );
    drop(Vex::read(text.as_bytes()));
}

/// Advisories of one npm package, with these aliases.
fn osv(n: usize, aliases: impl Fn(usize) -> String) {
    let mut builder = Builder::default();
    for at in 0..n {
        let text = format!(
            r#"{{"id":"GHSA-{at}","modified":"2026-01-01T00:00:00Z","aliases":[{}],"affected":[{{"package":{{"ecosystem":"npm","name":"p"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}},{{"fixed":"9.0.0"}}]}}]}}]}}"#,
            aliases(at)
        );
        builder.add("feed", text.as_bytes(), None).expect("an advisory");
    }
    let Ok(compiled) = builder.finish("2026-01-01".parse().expect("a date")) else { return };
    let database = Database::open(&compiled).expect("what is compiled opens");
    let packages = vec![Package::new(Ecosystem::Npm, "p", "1.0.0")];
    check(&database, &Inventory { packages, ..Inventory::default() }, &Terms::on(Date::default()))
        .expect("it answers");
}

fn advisories(n: usize) {
    osv(n, |at| format!(r#""CVE-2026-{at}""#));
}

fn joined_advisories(n: usize) {
    osv(n, |at| format!(r#""CVE-2026-{}","CVE-2026-{}""#, at, at + 1));
}
