//! Apps as graphs: what runs, when it does not run again, and what comes of it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod world;

use std::collections::BTreeSet;
use std::sync::Arc;

use kiln_build::app::{BaseImage, Facts, Graphed, NPMRC, Request, Surroundings, check_entry, lower};
use kiln_build::engine::{ExecMountKind, Op, Solver, Writes};
use kiln_finding::Diagnose;
use kiln_image::PackedLayer;
use kiln_node::{AppFacts, Lock, LockKind, PackageJson};
use kiln_oci::{Arch, Digest, ImageConfig};
use kiln_plan::{Overrides, Plan, plan};
use kiln_rootfs::{RootPath, Tree};
use world::{Trouble, World};

/// An install leaves one module, a build leaves `dist/server.js` beside the sources.
#[expect(clippy::unnecessary_wraps, reason = "other commands fail")]
fn command(argv: &[String]) -> Result<Option<&str>, Trouble> {
    let is_build = argv.iter().any(|word| word == "build");
    Ok(Some(if is_build { "app/dist/server.js" } else { "app/node_modules/express/index.js" }))
}

fn broken(argv: &[String]) -> Result<Option<&str>, Trouble> {
    let is_production = argv.iter().any(|word| word == "--omit=dev");
    if is_production { Err(Trouble("exit code 1".to_owned())) } else { command(argv) }
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

fn base() -> BaseImage {
    let mut config = ImageConfig::default();
    config.config.env.push("PATH=/usr/bin".to_owned());
    BaseImage {
        name: "kiln/node:24-debian13".to_owned(),
        digest: Digest::of(b"base"),
        layers: Vec::new(),
        config,
    }
}

fn graphed(plan: &Plan, source: &Tree, around: &Surroundings) -> Graphed {
    let facts = Facts { created: "1970-01-01T00:00:00Z".to_owned(), ..Facts::default() };
    lower(&Request {
        plan,
        source: &Arc::new(source.clone()),
        builder: Digest::of(b"builder"),
        base: &base(),
        arch: Arch::Amd64,
        facts: &facts,
        around,
    })
    .unwrap()
}

fn build(world: &World, plan: &Plan, source: &Tree) -> Result<Vec<PackedLayer>, kiln_build::Error> {
    let graphed = graphed(plan, source, &Surroundings::default());
    let solver = Solver::new(&graphed.graph, world, world, world, false);
    let layers = solver.layers(graphed.target.top)?;
    check_entry(plan, &graphed, &solver)?;
    Ok(layers.into_iter().map(|(_, layer)| layer).collect())
}

fn words(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[test]
fn a_second_build_does_nothing() {
    let world = World::new(command);
    let (plan, source) = app("node dist/server.js");
    let first = build(&world, &plan, &source).unwrap();
    let install = "npm ci --ignore-scripts --no-audit --no-fund";
    let production = "npm ci --omit=dev --ignore-scripts --no-audit --no-fund";
    let done = world.done();
    assert!(words(&[install, production, "npm run build", "copy the app"]).is_subset(&done), "{done:?}");
    assert_eq!(first.len(), 2);
    assert_eq!(build(&world, &plan, &source).unwrap(), first);
    assert_eq!(world.done(), words(&[]));
}

#[test]
fn a_changed_source_installs_nothing() {
    let world = World::new(command);
    let (plan, mut source) = app("node dist/server.js");
    let first = build(&world, &plan, &source).unwrap();
    world.done();
    source.insert_file("src/server.ts", 0o644, *b"// changed").unwrap();
    let second = build(&world, &plan, &source).unwrap();
    assert_eq!(first[0], second[0]);
    assert_eq!(world.done(), words(&["copy the app", "npm run build", "app"]));
}

#[test]
fn a_missing_entry_is_named_every_time() {
    let world = World::new(command);
    for (start, near) in [
        ("node dist/main.js", "`dist/server.js`"),
        ("node node_modules/x/y.js", "`node_modules/express/index.js`"),
    ] {
        let (plan, source) = app(start);
        for _ in 0..2 {
            let error = build(&world, &plan, &source).unwrap_err();
            assert_eq!(error.code(), "build.entry_missing");
            assert!(error.help().unwrap().contains(near), "{:?}", error.help());
        }
    }
    let (plan, source) = app("node node_modules/express/index.js");
    build(&world, &plan, &source).unwrap();
}

#[test]
fn the_command_that_failed_is_told() {
    let (plan, source) = app("node dist/server.js");
    for _ in 0..20 {
        let error = build(&World::new(broken), &plan, &source).unwrap_err();
        assert_eq!(error.code(), "test.trouble");
        assert!(error.to_string().contains("npm ci --omit=dev"), "{error}");
    }
}

/// Logins, downloads that are kept, secrets and agents: which commands have them.
#[test]
fn commands_see_what_they_need() {
    let around = Surroundings {
        secrets: vec!["TOKEN".to_owned(), "with-dash".to_owned()],
        agents: vec!["default".to_owned()],
        ..Surroundings::default()
    };
    let (plan, source) = app("node dist/server.js");
    let graphed = graphed(&plan, &source, &around);
    let mut seen = Vec::new();
    for step in &graphed.graph.steps {
        let Op::Run(exec) = &step.op else { continue };
        let has =
            |wanted: &dyn Fn(&ExecMountKind) -> bool| exec.mounts.iter().any(|mount| wanted(&mount.kind));
        let has_logins = has(&|kind| matches!(kind, ExecMountKind::Secret { id, .. } if id == NPMRC));
        let keeps = has(&|kind| matches!(kind, ExecMountKind::Cache { writes: Writes::Kept, .. }));
        let has_token = has(
            &|kind| matches!(kind, ExecMountKind::Secret { id, env: Some(env), .. } if id == "TOKEN" && env == "TOKEN"),
        );
        let has_file =
            has(&|kind| matches!(kind, ExecMountKind::Secret { id, env: None, .. } if id == "with-dash"));
        let has_agent = has(&|kind| matches!(kind, ExecMountKind::Ssh { .. }));
        assert_eq!((has_token, has_logins), (has_file, keeps));
        seen.push((step.origin.stage.clone(), exec.network, has_logins, has_token, has_agent));
    }
    let fetching = |stage: &str| (stage.to_owned(), true, true, false, true);
    assert_eq!(
        seen,
        [fetching("production"), fetching("install"), ("build".to_owned(), false, false, true, true)]
    );
}

#[test]
fn the_image_says_what_it_is() {
    let (plan, source) = app("node dist/server.js");
    let target = graphed(&plan, &source, &Surroundings::default()).target;
    let config = &target.config.config;
    assert_eq!(config.user, "65532");
    assert_eq!(config.entrypoint.as_ref().unwrap(), &["/nodejs/bin/node", "dist/server.js"]);
    assert_eq!(config.env, ["PATH=/usr/bin", "NODE_ENV=production"]);
    assert_eq!(config.healthcheck.as_ref().unwrap().test[0], "CMD");
    assert_eq!(config.labels, target.annotations);
    assert_eq!(config.labels["org.opencontainers.image.base.digest"], base().digest.to_string());
    assert_eq!(target.history.len(), 2);
}
