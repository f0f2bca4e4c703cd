//! The engine for Dockerfiles over a world in memory: what is made, what is found again, and that nothing panics.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use kiln_build::dockerfile::{
    Base, Depth, Form, Inputs, Job, Layer, Notes, Origin, Remote, Request, Solver, Watch, Workshop, lower,
};
use kiln_finding::{Class, Diagnose};
use kiln_image::{PackedLayer, pack_delta};
use kiln_oci::{Arch, Digest, ImageConfig};
use kiln_rootfs::{Content, Delta, RootPath, Tree};
use proptest::prelude::*;

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Trouble(String);

impl Diagnose for Trouble {
    fn code(&self) -> &'static str {
        "test.trouble"
    }

    fn class(&self) -> Class {
        Class::Bug
    }
}

/// Contexts, layers and notes in memory. A command `touch PATH` makes a file; every other one changes nothing.
#[derive(Default)]
struct World {
    context: Tree,
    made: Mutex<BTreeMap<Digest, Arc<Delta>>>,
    notes: Mutex<BTreeMap<Digest, Vec<u8>>>,
    /// What was done since it was last asked.
    done: Mutex<Vec<String>>,
}

impl World {
    fn of(files: &[(&str, &str)]) -> Self {
        let mut world = Self::default();
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
        let layers = Solver::new(&graph, self, self, self, false).layers(target.top)?;
        Ok(layers.into_iter().map(|(_, layer)| layer.diff_id).collect())
    }

    fn done(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.done.lock().unwrap()).into_iter().collect()
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

impl Workshop for World {
    type Error = Trouble;

    fn has(&self, key: &Digest) -> Result<bool, Trouble> {
        Ok(self.made.lock().unwrap().contains_key(key))
    }

    fn read(&self, layer: &Layer, _depth: Depth) -> Result<Arc<Delta>, Trouble> {
        let Layer::Made(key) = layer else { return Err(Trouble("bases are empty here".to_owned())) };
        self.made.lock().unwrap().get(key).cloned().ok_or_else(|| Trouble("lost".to_owned()))
    }

    fn keep(&self, key: &Digest, delta: &Delta, _form: Form) -> Result<(), Trouble> {
        self.made.lock().unwrap().insert(*key, Arc::new(delta.clone()));
        Ok(())
    }

    fn run(&self, key: &Digest, job: &Job<'_>) -> Result<bool, Trouble> {
        let line = job.exec.argv.last().cloned().unwrap_or_default();
        let Some(path) = line.strip_prefix("touch ") else { return Ok(false) };
        let mut tree = Tree::new();
        tree.insert_file(path, 0o644, *b"touched").map_err(|error| Trouble(error.to_string()))?;
        self.keep(key, &Delta::placing(tree), Form::Folder)?;
        Ok(true)
    }

    fn pack(&self, layer: &Layer) -> Result<PackedLayer, Trouble> {
        let delta = self.read(layer, Depth::Content)?;
        let packed = pack_delta(&delta, 0, kiln_image::Compression::Gzip, 1, std::io::sink());
        packed.map(|(_, layer)| layer).map_err(|error| Trouble(error.to_string()))
    }
}

impl Notes for World {
    type Error = Trouble;

    fn recall(&self, key: &Digest) -> Result<Option<Vec<u8>>, Trouble> {
        Ok(self.notes.lock().unwrap().get(key).cloned())
    }

    fn note(&self, key: &Digest, fact: &[u8]) -> Result<(), Trouble> {
        self.notes.lock().unwrap().insert(*key, fact.to_vec());
        Ok(())
    }
}

impl Watch for World {
    fn step(&self, origin: &Origin, is_cached: bool) {
        if !is_cached {
            self.done.lock().unwrap().push(origin.text.clone());
        }
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
