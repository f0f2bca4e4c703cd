//! Builds with ports that only remember: what runs, when it does not run again, and what comes of it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::cell::RefCell;
use std::collections::BTreeMap;

use kiln_build::{BaseImage, Built, Facts, Input, Keep, Run, Runner, assemble, build};
use kiln_finding::{Class, Diagnose};
use kiln_image::{PackedLayer, pack_layer};
use kiln_node::{AppFacts, Lock, LockKind, PackageJson};
use kiln_oci::{Arch, Digest, ImageConfig, Manifest};
use kiln_plan::{Overrides, Plan, plan};
use kiln_rootfs::{RootPath, Tree};

#[derive(Debug)]
struct Never;

impl std::fmt::Display for Never {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("never")
    }
}

impl std::error::Error for Never {}

impl Diagnose for Never {
    fn code(&self) -> &'static str {
        "test.never"
    }

    fn class(&self) -> Class {
        Class::Bug
    }
}

/// Runs nothing: an install leaves one module, a build leaves `dist/server.js` beside the sources.
#[derive(Default)]
struct World {
    ran: RefCell<Vec<&'static str>>,
    records: RefCell<BTreeMap<Digest, Vec<u8>>>,
}

impl Runner for World {
    type Error = Never;

    fn prepare(&self, run: &Run<'_>) -> Result<(), Never> {
        self.ran.borrow_mut().push(run.stage);
        Ok(())
    }

    fn yields(&self, run: &Run<'_>) -> Result<Tree, Never> {
        self.ran.borrow_mut().push(run.stage);
        let mut tree = run.files.clone();
        let made = if run.stage == "build" { "dist/server.js" } else { "node_modules/express/index.js" };
        tree.insert_file(made, 0o644, *b"x").unwrap();
        Ok(tree)
    }

    fn release(&self, _: &Run<'_>) {}
}

impl Keep for World {
    type Error = Never;

    fn record(&self, key: &Digest) -> Result<Option<Vec<u8>>, Never> {
        Ok(self.records.borrow().get(key).cloned())
    }

    fn remember(&self, key: &Digest, record: &[u8]) -> Result<(), Never> {
        self.records.borrow_mut().insert(*key, record.to_owned());
        Ok(())
    }

    fn has_layer(&self, _: &PackedLayer) -> Result<bool, Never> {
        Ok(true)
    }

    fn pack(&self, tree: &Tree) -> Result<PackedLayer, Never> {
        Ok(pack_layer(tree, 0, 1, std::io::sink()).unwrap().1)
    }
}

impl World {
    fn build(&self, plan: &Plan, source: &Tree) -> Result<Built, kiln_build::Error> {
        build(&Input { plan, source, builder: Digest::of(b"builder"), mtime: 0 }, self, self)
    }

    fn ran(&self) -> Vec<&'static str> {
        self.ran.take()
    }
}

fn app(start: &str) -> (Plan, Tree) {
    let package = format!(
        r#"{{"name": "app", "version": "1.0.0", "scripts": {{"build": "tsc", "start": "{start}"}}}}"#
    );
    let lock = br#"{"lockfileVersion": 3, "packages": {"": {}}}"#;
    let mut source = Tree::new();
    source.insert_file("package.json", 0o644, package.as_bytes()).unwrap();
    source.insert_file("package-lock.json", 0o644, *lock).unwrap();
    source.insert_file("src/server.ts", 0o644, *b"listen(process.env.PORT ?? 3000)").unwrap();
    let facts = AppFacts {
        package: PackageJson::read("package.json", package.as_bytes()).unwrap(),
        lock: Some((LockKind::PackageLock, Lock::read(LockKind::PackageLock, "l", lock).unwrap())),
        files: source.iter().map(|(path, _)| path.clone()).collect(),
        sources: [(RootPath::new("src/server.ts").unwrap(), "listen(process.env.PORT ?? 3000)".to_owned())]
            .into(),
        ..AppFacts::default()
    };
    (plan(&facts, &Overrides::default()).unwrap(), source)
}

#[test]
fn a_second_build_does_nothing() {
    let world = World::default();
    let (plan, source) = app("node dist/server.js");
    let first = world.build(&plan, &source).unwrap();
    assert_eq!(world.ran(), ["production", "install", "build"]);
    let second = world.build(&plan, &source).unwrap();
    assert!(world.ran().is_empty() && second.app.cached && second.dependencies.cached);
    assert_eq!(first.app.layer, second.app.layer);
}

#[test]
fn a_changed_source_installs_nothing_for_production() {
    let world = World::default();
    let (plan, mut source) = app("node dist/server.js");
    world.build(&plan, &source).unwrap();
    world.ran();
    source.insert_file("src/server.ts", 0o644, *b"// changed").unwrap();
    let built = world.build(&plan, &source).unwrap();
    assert!(built.dependencies.cached && !built.app.cached);
    assert_eq!(world.ran(), ["install", "build"]);
}

#[test]
fn a_missing_entry_is_named_every_time() {
    let world = World::default();
    let (plan, source) = app("node dist/main.js");
    for _ in 0..2 {
        let error = world.build(&plan, &source).unwrap_err();
        assert_eq!(error.code(), "build.entry_missing");
        assert!(error.help().unwrap().contains("`dist/server.js`"));
    }
}

#[test]
fn the_image_says_what_it_is() {
    let world = World::default();
    let (plan, source) = app("node dist/server.js");
    let built = world.build(&plan, &source).unwrap();
    let mut base_config = ImageConfig::default();
    base_config.config.env.push("PATH=/usr/bin".to_owned());
    base_config.rootfs.diff_ids.push(Digest::of(b"os"));
    let base = BaseImage {
        name: "kiln/node:24-debian13".to_owned(),
        digest: Digest::of(b"base"),
        layers: vec![built.app.layer.clone()],
        config: base_config,
    };
    let layers = [("dependencies", &built.dependencies.layer), ("app", &built.app.layer)];
    let facts = Facts { created: "1970-01-01T00:00:00Z".to_owned(), ..Facts::default() };
    let image = assemble(&plan, &base, &layers, Arch::Amd64, &facts);
    let config: ImageConfig = serde_json::from_slice(&image.config.1).unwrap();
    assert_eq!(config.config.user, "65532");
    assert_eq!(config.config.entrypoint.as_ref().unwrap(), &["/nodejs/bin/node", "dist/server.js"]);
    assert_eq!(config.config.env, ["PATH=/usr/bin", "NODE_ENV=production"]);
    assert_eq!(config.config.healthcheck.as_ref().unwrap().test[0], "CMD");
    assert_eq!(config.config.labels["org.opencontainers.image.base.digest"], base.digest.to_string());
    let manifest: Manifest = serde_json::from_slice(&image.manifest.1).unwrap();
    assert_eq!((manifest.layers.len(), config.rootfs.diff_ids.len()), (3, 3));
    assert_eq!(manifest.config.digest, Digest::of(&image.config.1));
}
