//! The engine for Dockerfiles over a world in memory: what is made, what is found again, and that nothing panics.
#![expect(clippy::unwrap_used, reason = "tests")]

mod world;

use std::collections::{BTreeMap, BTreeSet};

use kiln_build::dockerfile::{Inputs, Remote, Request, lower};
use kiln_build::engine::{Base, Solver};
use kiln_finding::Diagnose;
use kiln_oci::{Arch, Digest, ImageConfig};
use kiln_rootfs::{Content, RootPath, Tree};
use proptest::prelude::*;
use world::{Trouble, World as Kept};

/// A context, and what is made of it.
struct World {
    context: Tree,
    kept: Kept,
}

/// `touch PATH` makes a file, `fail` fails; every other command changes nothing.
fn command(argv: &[String]) -> Result<Option<&str>, Trouble> {
    match argv.last().map(String::as_str).unwrap_or_default() {
        "fail" => Err(Trouble("it failed".to_owned())),
        line => Ok(line.strip_prefix("touch ")),
    }
}

impl World {
    fn of(files: &[(&str, &str)]) -> Self {
        let mut world = Self { context: Tree::new(), kept: Kept::new(command) };
        world.set(files);
        world
    }

    fn set(&mut self, files: &[(&str, &str)]) {
        for (path, text) in files {
            self.context.insert_file(path, 0o644, text.as_bytes()).unwrap();
        }
    }

    fn build(&self, text: &str) -> Result<Vec<Digest>, kiln_build::Error> {
        let file = kiln_dockerfile::parse(text);
        let (graph, target) = lower(&file, &request(), self)?;
        let layers = Solver::new(&graph, &self.kept, &self.kept, &self.kept, false).layers(target.top)?;
        Ok(layers.into_iter().map(|(_, layer)| layer.diff_id).collect())
    }

    fn done(&self) -> BTreeSet<String> {
        self.kept.done()
    }
}

fn request() -> Request {
    Request {
        target: None,
        build_args: BTreeMap::new(),
        arch: Arch::Amd64,
        host: Arch::Amd64,
        contexts: BTreeMap::new(),
    }
}

impl Inputs for World {
    type Error = Trouble;

    fn base(&self, name: &str, arch: Arch) -> Result<Base, Trouble> {
        let mut config = ImageConfig::default();
        arch.as_str().clone_into(&mut config.architecture);
        if name == "missing" {
            Err(Trouble("no such image".to_owned()))
        } else {
            Ok(Base { digest: Digest::of(name.as_bytes()), layers: Vec::new(), config })
        }
    }

    fn files(&self, _context: Option<&str>, paths: &[RootPath]) -> Result<Tree, Trouble> {
        let mut tree = self.context.clone();
        let near =
            |path: &RootPath| paths.iter().any(|wanted| path.starts_with(wanted) || wanted.starts_with(path));
        tree.retain(|path, _| near(path));
        Ok(tree)
    }

    fn remote(&self, remote: &Remote<'_>) -> Result<Tree, Trouble> {
        Err(Trouble(format!("no network for {}", remote.address)))
    }

    fn unpack(&self, _file: &Content) -> Result<Option<Tree>, Trouble> {
        Ok(None)
    }
}

const APP: &str = "FROM base AS build\nWORKDIR /w\nCOPY package.json .\nRUN touch w/installed\nCOPY src src\nRUN touch w/built\n\
    FROM scratch\nCOPY --from=build /w/built /app/\nCOPY static /app/static\n";

fn app() -> World {
    World::of(&[("package.json", "{}"), ("src/a.js", "a"), ("static/logo", "l")])
}

#[test]
fn what_was_made_is_found_again() {
    let mut world = app();
    let first = world.build(APP).unwrap();
    assert_eq!(first.len(), 2);
    assert_eq!(world.done().len(), 7);
    assert_eq!(world.build(APP).unwrap(), first);
    assert_eq!(world.done(), BTreeSet::new());

    world.set(&[("src/a.js", "changed")]);
    assert_eq!(world.build(APP).unwrap(), first, "what is built comes out the same");
    assert_eq!(world.done(), ["COPY src src", "RUN touch w/built"].map(str::to_owned).into());
}

#[test]
fn a_copy_stays_when_another_layer_changes() {
    let mut world = app();
    let file = "FROM scratch\nCOPY src /a/\nCOPY static /b/\n";
    let first = world.build(file).unwrap();
    world.done();
    world.set(&[("src/a.js", "changed")]);
    let second = world.build(file).unwrap();
    assert_eq!((first[0] == second[0], first[1] == second[1]), (false, true));
    assert_eq!(world.done(), ["COPY src /a/".to_owned()].into());
}

#[test]
fn stages_that_nobody_needs_are_not_looked_at() {
    let world = app();
    world.build("FROM missing AS one\nRUN touch x\nFROM scratch\nCOPY static /\n").unwrap();
    let error = world.build("FROM missing\n").unwrap_err();
    assert_eq!((error.line(), error.code()), (Some(1), "test.trouble"));
}

#[test]
fn what_cannot_be_is_told_with_its_line() {
    for (file, line, part) in [
        ("FROM base\nCOPY nothing.js /\n", 2, "COPY nothing.js"),
        ("FROM base\nCOPY --from=9 / /\n", 2, "--from=9"),
        ("FROM base\nRUN --mount=type=cache,target=/ touch x\n", 2, "--mount"),
        ("FROM base\nCOPY --chown=nobody static /\n", 2, "--chown=nobody"),
        ("FROM base\nENV A=${B:?no B}\n", 2, "ENV"),
    ] {
        let error = app().build(file).unwrap_err();
        assert_eq!(error.line(), Some(line), "{file}: {error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

/// Two stages at once: whichever comes to its end first, what failed is told, never that a neighbour was stopped for it.
#[test]
fn a_failure_is_told_by_its_cause() {
    let stage = |number: u32| {
        format!("FROM base AS s{number}\nRUN touch a{number}\nRUN touch b{number}\nRUN touch c{number}\n")
    };
    let stages = (0..8).map(stage).collect::<Vec<_>>().concat();
    let copy = |number: u32| format!("COPY --from=s{number} /c{number} /\n");
    let copies = (0..8).map(copy).collect::<Vec<_>>().concat();
    let file = format!("{stages}FROM base AS bad\nRUN fail\nFROM scratch\n{copies}COPY --from=bad / /\n");
    for _ in 0..50 {
        let error = app().build(&file).unwrap_err();
        assert_eq!((error.code(), error.line()), ("test.trouble", Some(34)), "{error}");
    }
}

/// Lines that may stand in a Dockerfile, right and wrong.
fn line() -> impl Strategy<Value = String> {
    let path = prop::sample::select(vec![
        "src",
        "static/",
        "package.json",
        "/",
        ".",
        "..",
        "*",
        "[",
        "$V/x",
        "\"q\"",
        "nothing",
    ]);
    let flag = prop::sample::select(vec![
        "",
        "--chown=5:6 ",
        "--chmod=u+x ",
        "--link ",
        "--parents ",
        "--exclude=*.js ",
        "--from=one ",
        "--from=0 ",
        "--from=1 ",
        "--chown=$V ",
    ]);
    prop_oneof![
        (flag, path.clone(), path.clone()).prop_map(|(flag, from, to)| format!("COPY {flag}{from} {to}")),
        (path.clone(), path.clone()).prop_map(|(from, to)| format!("ADD {from} {to}")),
        path.clone().prop_map(|path| format!("WORKDIR {path}")),
        path.clone().prop_map(|path| format!("RUN touch {path}")),
        path.prop_map(|path| format!("RUN --mount=type=bind,source={path},target=/m touch a")),
        prop::sample::select(vec![
            "FROM scratch",
            "FROM base AS one",
            "FROM one",
            "ARG V=src",
            "ENV V=a W=$V",
            "USER 5",
            "USER node",
            "CMD x",
            "ENTRYPOINT [\"a\"]",
            "ONBUILD RUN touch x",
            "VOLUME /a",
            "EXPOSE 80-82",
            "HEALTHCHECK NONE",
            "SHELL [\"/x\"]",
            "LABEL a=$V",
            "RUN <<E\ntouch y\nE",
            "COPY <<E /h\n$V\nE",
            "STOPSIGNAL 9",
            "FROM $V",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    /// Whatever a Dockerfile says, building it ends, and twice the same.
    #[test]
    fn nothing_panics_and_the_same_comes_out(lines in prop::collection::vec(line(), 1..14)) {
        let text = format!("FROM base AS one\n{}\n", lines.join("\n"));
        let told = |world: &World| world.build(&text).map_err(|error| error.to_string());
        let first = told(&app());
        prop_assert_eq!(&first, &told(&app()), "{}", text);
        let world = app();
        prop_assert_eq!(&first, &told(&world));
        prop_assert_eq!(&first, &told(&world), "with what is kept: {}", text);
    }
}
