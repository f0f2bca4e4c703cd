//! Whom `[trust]` lets in: every way in which a build takes something from an image, every spelling of its name, and everything that may
//! have been signed.

use std::fs;

use kiln_oci::Descriptor;

use crate::harness::{Run, World, needs, project};
use crate::instance::Instance;
use crate::names::spellings;
use crate::peers::{Server, registry};
use crate::platforms::{image_with, index};

/// What was signed about an image for two platforms, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signed {
    Nothing,
    /// Index and images, by a key that no rule names.
    WrongKey,
    /// The same, by somebody whom the authority knows, and no rule.
    WrongIdentity,
    /// The same, by whom the rule names.
    RightIdentity,
    Right,
    IndexOnly,
    ChildOnly,
}

use Signed::{ChildOnly, IndexOnly, Nothing, Right, RightIdentity, WrongIdentity, WrongKey};

const ALL: [Signed; 7] = [Nothing, WrongKey, WrongIdentity, RightIdentity, Right, IndexOnly, ChildOnly];
const OURS: &str = "ours@example.invalid";

impl Signed {
    fn tag(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

/// What a name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leads {
    /// The index: what is signed of it covers its images.
    Index,
    /// One image, of which nobody knows that it is in an index.
    Child,
    /// An image whose signatures stayed behind.
    Bare,
}

impl Leads {
    /// Whether it is let in.
    fn admits(self, signed: Signed) -> bool {
        match (self, signed) {
            (Self::Bare, _) | (_, Nothing | WrongKey | WrongIdentity) | (Self::Child, IndexOnly) => false,
            (Self::Index, IndexOnly) | (_, RightIdentity | Right | ChildOnly) => true,
        }
    }
}

struct Table {
    world: World,
    _server: Server,
    host: String,
    /// By what was signed: the index, and its image for this machine.
    images: Vec<(Signed, Descriptor, Descriptor)>,
    /// Answers as long as the table is asked.
    instance: Option<Instance>,
}

/// Images of every kind in a registry, under `library/node`; a mirror of Docker's registry leads there.
fn table() -> Option<Table> {
    if !needs(&["registry"]) {
        return None;
    }
    let world = World::new();
    let (server, host) = registry(&world);
    for key in ["ours", "theirs"] {
        world.run(["keygen", "--output-key-prefix", key]).exits(0);
    }
    let instance = needs(&["fulcio", "rekor", "timestamps"]).then(|| Instance::start(&world));
    let identity = |instance: &Instance| {
        format!("identities = [{{ issuer = '{}', subject = '{OURS}' }}]\n", instance.issuer.url)
    };
    let rule = format!("keys = ['ours.pub']\n{}", instance.as_ref().map(identity).unwrap_or_default());
    let root = instance.as_ref().map(|instance| format!("trusted-root = '{}'\n", instance.trusted_root()));
    fs::create_dir(world.path("app")).unwrap();
    fs::copy(world.path("ours.pub"), world.path("app/ours.pub")).unwrap();
    // An image that a rule does not recognise would be let in.
    let settings = format!(
        "[registry]\nmirrors = {{ 'docker.io' = ['{host}'] }}\n[trust]\nunmatched = 'allow'\n{}\n[[trust.rule]]\nimages = [\
         'node', '127.0.0.1:*/library/node', 'oci:*', 'oci-archive:*', 'docker-archive:*']\n{rule}",
        root.unwrap_or_default(),
    );
    fs::write(world.path("app/kiln.toml"), settings).unwrap();
    fs::write(world.path("app/file"), "1").unwrap();
    let mut table = Table { world, _server: server, host, images: Vec::new(), instance };
    for signed in ALL {
        if table.instance.is_some() || !matches!(signed, WrongIdentity | RightIdentity) {
            table.prepare(signed);
        }
    }
    Some(table)
}

impl Table {
    fn name(&self, signed: Signed) -> String {
        format!("{}/library/node:{}", self.host, signed.tag())
    }

    fn prepare(&mut self, signed: Signed) {
        let (world, tag, name) = (&self.world, signed.tag(), self.name(signed));
        let folder = world.path("images");
        let images = ["linux/amd64", "linux/arm64"].map(|platform| image_with(&folder, platform, &tag));
        let root = index(&folder, &tag, images.to_vec());
        world.run(["copy", "-q", &format!("oci:images:{tag}"), &name]).exits(0);
        let sign = |args: &[&str]| world.run([&["sign", "-q", &name], args].concat()).exits(0);
        match signed {
            Nothing => {}
            WrongKey => drop(sign(&["-r", "--key", "theirs.key"])),
            Right => drop(sign(&["-r", "--key", "ours.key"])),
            IndexOnly => drop(sign(&["--key", "ours.key"])),
            ChildOnly => drop(sign(&["--platform", "linux/amd64", "--key", "ours.key"])),
            WrongIdentity | RightIdentity => {
                let who = if signed == RightIdentity { OURS } else { "theirs@example.invalid" };
                let instance = self.instance.as_ref().expect("these are signed only where there is one");
                let (config, token) = (instance.signing_config(1), instance.token(who));
                let by = ["-r", "--signing-config", &config, "--identity-token", &token, "--trusted-root"];
                drop(sign(&[&by[..], &[&instance.trusted_root()]].concat()));
            }
        }
        let [child, _] = images;
        self.images.push((signed, root, child));
    }

    /// Builds a Dockerfile for the platform of the signed image. Nobody asks a registry beyond this machine.
    fn build(&self, dockerfile: &str, args: &[&str]) -> Run {
        fs::write(self.world.path("app/Dockerfile"), dockerfile).unwrap();
        let build = ["build", "app", "-f", "app/Dockerfile", "--platform", "linux/amd64"];
        let mut kiln = self.world.kiln();
        kiln.args(build).args(args).env("HTTPS_PROXY", "http://127.0.0.1:1").env("NO_PROXY", "127.0.0.1");
        Run::of(&mut kiln)
    }
}

#[track_caller]
fn holds(way: &str, name: &str, leads: Leads, signed: Signed, run: &Run) {
    let refusals = ["error[trust.base]", "error[trust.not_known]"];
    let is_refused = refusals.iter().any(|code| run.stderr.contains(code));
    let is_admitted = !is_refused && !run.stderr.contains("error[registry.");
    // An error of another kind is no verdict.
    let is_found = !["find the base image", "find the image"].iter().any(|part| run.stderr.contains(part));
    assert!(!is_admitted || is_found, "{way} of {name}, {signed:?}:\n{}", run.stderr);
    assert_eq!(is_admitted, leads.admits(signed), "{way} of {name}, {signed:?}:\n{}", run.stderr);
    assert!(is_admitted || matches!(run.code, Some(1 | 3)), "{way} of {name}: {:?}", run.code);
}

/// Ways in which a Dockerfile takes something from an image.
const WAYS: [(&str, &str); 6] = [
    ("FROM", "FROM NAME\nCOPY file /\n"),
    ("COPY --from", "FROM scratch\nCOPY --from=NAME /app /\n"),
    ("RUN --mount", "FROM scratch\nRUN --mount=type=bind,from=NAME,target=/base [\"/none\"]\n"),
    ("ARG", "ARG BASE=NAME\nFROM $BASE AS one\nFROM scratch\nCOPY --from=one /app /\n"),
    ("stage", "FROM NAME AS one\nFROM one\nCOPY file /\n"),
    ("named context", "FROM base\nCOPY file /\n"),
];

#[test]
fn every_way_and_every_spelling_is_judged_alike() {
    let Some(table) = table() else { return };
    for (signed, root, child) in &table.images {
        let tag = signed.tag();
        let mut names: Vec<(String, Leads)> =
            spellings(&format!("node:{tag}")).into_iter().map(|name| (name, Leads::Index)).collect();
        let direct = table.name(*signed);
        let repository = direct.rsplit_once(':').unwrap().0;
        names.extend([
            (direct.clone(), Leads::Index),
            (format!("registry:{direct}"), Leads::Index),
            (format!("{direct}@{}", root.digest), Leads::Index),
            (format!("{repository}@{}", root.digest), Leads::Index),
            (format!("node:{tag}@{}", root.digest), Leads::Index),
            (format!("{repository}@{}", child.digest), Leads::Child),
            (format!("library/node@{}", child.digest), Leads::Child),
        ]);
        for (name, leads) in &names {
            for (way, dockerfile) in WAYS {
                let context = format!("base=docker-image://{name}");
                let args =
                    if way == "named context" { vec!["--build-context", context.as_str()] } else { vec![] };
                let run = table.build(&dockerfile.replace("NAME", name), &args);
                holds(way, name, *leads, *signed, &run);
            }
        }
    }
}

#[test]
fn images_on_this_machine_are_judged_by_what_lies_beside_them() {
    let Some(table) = table() else { return };
    let world = &table.world;
    for (signed, ..) in &table.images {
        let (tag, name) = (signed.tag(), table.name(*signed));
        let layout = format!("oci:layout-{tag}:1");
        for to in [&layout, &format!("oci-archive:{tag}.tar")] {
            world.run(["copy", "-q", "--all", &name, to]).exits(0);
        }
        world
            .run([
                "copy",
                "-q",
                "--platform",
                "linux/amd64",
                &name,
                &format!("docker-archive:{tag}-docker.tar"),
            ])
            .exits(0);
        world
            .run(["copy", "-q", "--all", "--platform", "linux/amd64", &name, &format!("oci:child-{tag}:1")])
            .exits(0);
        world.run(["copy", "-q", "--platform", "linux/amd64", &name, &format!("oci:bare-{tag}:1")]).exits(0);
        world.run(["pull", "-q", "--all", "--all-platforms", &name]).exits(0);
        for (name, leads) in [
            // First: what was let in once is not asked again.
            (format!("oci:bare-{tag}:1"), Leads::Bare),
            (layout, Leads::Index),
            (format!("oci-archive:{tag}.tar"), Leads::Index),
            (format!("docker-archive:{tag}-docker.tar"), Leads::Bare),
            (format!("oci:child-{tag}:1"), Leads::Child),
            (format!("store:{name}"), Leads::Index),
        ] {
            for (way, dockerfile) in WAYS.into_iter().filter(|(way, _)| *way != "named context") {
                let run = table.build(&dockerfile.replace("NAME", &name), &[]);
                holds(way, &name, leads, *signed, &run);
            }
        }
    }
}

/// What is kept of a build, and what an image brings along to be done, are judged as if they stood in the Dockerfile.
#[test]
fn what_was_built_before_and_what_triggers_ask_for_is_judged() {
    let Some(table) = table() else { return };
    let rules = fs::read_to_string(table.world.path("app/kiln.toml")).unwrap();
    for (signed, ..) in &table.images {
        let name = table.name(*signed);
        let dockerfile = format!("FROM {name}\nCOPY file /\n");
        fs::write(table.world.path("app/kiln.toml"), "").unwrap();
        table.build(&dockerfile, &[]).exits(0);
        let parent = format!("FROM scratch\nCOPY file /\nONBUILD COPY --from={name} /app /\n");
        table.build(&parent, &["-t", "parent:1"]).exits(0);
        fs::write(table.world.path("app/kiln.toml"), &rules).unwrap();
        holds("cached step", &name, Leads::Index, *signed, &table.build(&dockerfile, &[]));
        let child = table.build("FROM parent:1\nCOPY file /\n", &[]);
        holds("ONBUILD", &name, Leads::Index, *signed, &child);
        // `kiln verify` gives the same answer by the same rules.
        let mut verify = table.world.kiln();
        verify.current_dir(table.world.path("app")).args(["verify", &name]);
        let code = Run::of(&mut verify).code;
        assert_eq!(code == Some(0), Leads::Index.admits(*signed), "{signed:?}: {code:?}");
    }
}

/// The tables of this file hold what it says it does.
#[test]
fn the_table_is_whole() {
    assert_eq!(ALL.iter().filter(|signed| Leads::Index.admits(**signed)).count(), 4);
    assert_eq!(ALL.iter().filter(|signed| Leads::Child.admits(**signed)).count(), 3);
    assert!(project().join("crates/kiln-oci/data/hosts.tsv").is_file() && spellings("node:1").len() > 5);
}
