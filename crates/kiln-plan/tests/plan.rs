//! One world that plans well; each test changes one thing.
#![expect(clippy::unwrap_used, reason = "tests")]

use kiln_finding::Diagnose;
use kiln_node::{AppFacts, Linker, Lock, LockKind, Manager, NodeRequest, PackageJson, Yarn};
use kiln_plan::{Health, HealthSetting, Overrides, Plan, Step, bundled, dockerfile, plan};
use kiln_rootfs::RootPath;

const PACKAGE: &str = r#"{"name": "@team/orders-api", "version": "1.4.0",
    "scripts": {"build": "tsc -p .", "start": "node dist/server.js"}, "dependencies": {"express": "^4.0.0"}}"#;
const LOCK: &str = r#"{"lockfileVersion": 3, "packages": {"": {"dependencies": {"express": "^4.0.0"}},
    "node_modules/express": {"version": "4.21.2", "integrity": "sha512-x"}}}"#;

fn path(text: &str) -> RootPath {
    RootPath::new(text).unwrap()
}

fn package(text: &str) -> PackageJson {
    PackageJson::read("package.json", text.as_bytes()).unwrap()
}

fn world() -> AppFacts {
    AppFacts {
        package: package(PACKAGE),
        lock: Some((LockKind::PackageLock, Lock::read(LockKind::PackageLock, "l", LOCK.as_bytes()).unwrap())),
        files: ["package.json", "package-lock.json", "src/server.ts", ".env"].map(path).to_vec(),
        sources: [(
            path("src/server.ts"),
            "app.get('/healthz'); listen(process.env.PORT ?? 3000)".to_owned(),
        )]
        .into(),
        ..AppFacts::default()
    }
}

fn planned(facts: &AppFacts) -> Plan {
    plan(facts, &Overrides::default()).unwrap()
}

fn refused(facts: &AppFacts) -> (&'static str, String) {
    let error = plan(facts, &Overrides::default()).unwrap_err();
    assert!(error.help().is_some());
    (error.code(), error.to_string())
}

#[test]
fn the_plain_app() {
    let plan = planned(&world());
    assert_eq!((plan.name.as_str(), plan.node, plan.manager), ("orders-api", 24, Manager::Npm));
    assert_eq!(plan.image(), "orders-api:1.4.0");
    assert_eq!(
        Plan { version: Some("1.0.0+build.5".to_owned()), ..plan.clone() }.image(),
        "orders-api:1.0.0-build.5"
    );
    assert_eq!(plan.entry, ["dist/server.js"]);
    assert_eq!(plan.port, Some(3000));
    assert_eq!(plan.health, Some(Health::Http { path: "/healthz".to_owned() }));
    assert_eq!(plan.manifests, [path("package-lock.json"), path("package.json")]);
    assert_eq!(plan.build[0].argv, ["npm", "run", "build"]);
    assert!(plan.production[0].argv.contains(&"--omit=dev".to_owned()));
    for about in ["package manager", "Node.js", "start", "build", "port", "health"] {
        assert!(plan.reasons.iter().any(|reason| reason.about == about), "{about} has no reason");
    }
}

#[test]
fn the_dockerfile_says_the_same() {
    let facts = world();
    let text = dockerfile(&planned(&facts), &facts);
    for line in [
        "FROM ${BUILDER} AS dependencies",
        "COPY package-lock.json package.json ./",
        "RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts --no-audit --no-fund",
        "COPY --from=build /app/dist ./dist",
        "USER 65532:65532",
        "ENTRYPOINT [\"/nodejs/bin/node\", \"dist/server.js\"]",
        "EXPOSE 3000",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(!text.contains("/app/.env") && !text.contains("/app/src"), "{text}");
}

#[test]
fn a_link_to_a_project_is_there_when_packages_are_installed() {
    let mut facts = world();
    facts.files.extend(["p/a b", "real/a/package.json"].map(path));
    facts.workspace.insert("real/a".to_owned(), package(r#"{"name": "a"}"#));
    facts.links.insert(path("p/a b"), "../real/a".to_owned());
    let plan = planned(&facts);
    let manifests = ["p/a b", "package-lock.json", "package.json", "real/a/package.json"];
    assert_eq!(plan.manifests, manifests.map(path));
    let text = dockerfile(&plan, &facts);
    let made = "COPY real/a/package.json ./real/a/\nRUN [\"mkdir\", \"-p\", \"p\"]\nRUN [\"ln\", \"-s\", \"../real/a\", \"p/a b\"]\nRUN --mount";
    assert_eq!(text.matches(made).count(), 2, "{text}");
}

#[test]
fn no_lock_file() {
    let facts = AppFacts { lock: None, ..world() };
    assert_eq!(refused(&facts).0, "plan.no_lock");
}

#[test]
fn a_lock_file_out_of_step() {
    let mut facts = world();
    facts.package.dependencies.insert("koa".to_owned(), "^3.0.0".to_owned());
    let (code, text) = refused(&facts);
    assert_eq!(code, "plan.lock_out_of_step");
    assert!(text.contains("koa ^3.0.0 is not in the lock file"), "{text}");
}

#[test]
fn npm_converts_the_first_version_of_its_lock_file() {
    let mut facts = world();
    let text = br#"{"lockfileVersion": 1, "dependencies": {
        "express": {"version": "4.21.2", "resolved": "https://r.invalid/express/-/express-4.21.2.tgz", "integrity": "sha512-x"},
        "tap": {"version": "1.0.0", "resolved": "https://r.invalid/tap/-/tap-1.0.0.tgz", "integrity": "sha512-x", "dev": true}}}"#;
    facts.lock = Some((LockKind::Shrinkwrap, Lock::read(LockKind::Shrinkwrap, "l", text).unwrap()));
    let plan = planned(&facts);
    assert!(plan.production[0].argv.contains(&"--legacy-peer-deps".to_owned()));
    let locked: Vec<&str> = plan.locked.iter().map(|place| place.folder.as_str()).collect();
    assert_eq!(locked, ["node_modules/express"]);
    let told = plan.reasons.iter().find(|reason| reason.is_told).unwrap();
    assert!(told.because.starts_with("npm-shrinkwrap.json is version 1; npm converts it"), "{told:?}");
    assert!(planned(&world()).locked.is_empty());
}

const BERRY: &str = "__metadata:\n  version: 8\n\n\"express@npm:^4.0.0\":\n  version: 4.21.2\n  resolution: \"express@npm:4.21.2\"\n  checksum: 10c0/x\n\n\
    \"orders-api@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"orders-api@workspace:.\"\n  dependencies:\n    express: \"npm:^4.0.0\"\n";

/// An app of yarn 2 or newer, as these settings say.
fn berry(lock: &str, version: Option<&str>, linker: Linker) -> AppFacts {
    let lock = Lock::read(LockKind::Berry, "yarn.lock", lock.as_bytes()).unwrap();
    let yarn = Yarn { version: version.map(str::to_owned), linker, ..Yarn::default() };
    AppFacts { lock: Some((LockKind::Berry, lock)), yarn: Some(yarn), ..world() }
}

#[test]
fn yarn_2_and_newer_fetches_once_and_runs_nothing_meanwhile() {
    let plan = planned(&berry(BERRY, Some("4.9.2"), Linker::NodeModules));
    let lines = |steps: &[Step]| steps.iter().map(|step| step.argv.join(" ")).collect::<Vec<_>>();
    assert_eq!(lines(&plan.install), ["yarn install --immutable --mode=skip-build"]);
    let production = [
        "yarn install --immutable --mode=skip-build",
        "npm pkg delete scripts devDependencies",
        "yarn install --no-immutable --mode=skip-build",
    ];
    assert_eq!(lines(&plan.production), production);
    let networks: Vec<bool> = plan.production.iter().map(|step| step.network).collect();
    assert_eq!(networks, [true, false, false]);
    assert_eq!(
        (plan.manager_version.as_deref(), plan.entry.as_slice()),
        (Some("4.9.2"), &["dist/server.js".to_owned()][..])
    );
    // What yarn is told to run, and kiln.toml is not, does not run.
    let mut facts = berry(BERRY, Some("4.9.2"), Linker::NodeModules);
    facts.package.dependencies_meta =
        Some(serde_json::json!({"a b": {"built": true}, "c": {"unplugged": true}}));
    let steps =
        kiln_plan::plan(&facts, &Overrides { allow_scripts: Some(Vec::new()), ..Overrides::default() })
            .unwrap()
            .production;
    assert_eq!(steps[2].argv, ["npm", "pkg", "delete", "dependenciesMeta[a b].built"]);
    let plan = planned(&berry(BERRY, Some("2.4.2"), Linker::Pnpm));
    assert!(lines(&plan.install)[0].ends_with("--skip-builds"));
}

#[test]
fn plug_n_play_is_loaded_before_the_app() {
    let mut facts = berry(BERRY, Some("4.9.2"), Linker::Pnp);
    assert_eq!(planned(&facts).entry, ["--require", "/app/.pnp.cjs", "dist/server.js"]);
    facts.package.module_type = Some("module".into());
    let entry = planned(&facts).entry;
    assert_eq!(entry[2..4], ["--experimental-loader", "/app/.pnp.loader.mjs"]);
    let mut module = berry(BERRY, Some("4.9.2"), Linker::Pnp);
    module.package.scripts.insert("start".to_owned(), "node dist/server.mjs".to_owned());
    assert!(refused(&module).1.contains("yarn writes its loader"));
    let mut old = berry(BERRY, Some("3.2.0"), Linker::Pnp);
    assert_eq!(planned(&old).entry[0], "--require");
    old.package.module_type = Some("module".into());
    assert_eq!(refused(&old).0, "plan.yarn");
    let text = dockerfile(&planned(&facts), &facts);
    assert!(
        text.contains("COPY --from=production /app/.pnp.* ./")
            && !text.contains("production /app/node_modules"),
        "{text}"
    );
    facts.package.scripts.insert("start".to_owned(), "next start".to_owned());
    facts.package.dependencies.insert("next".to_owned(), "^4.0.0".to_owned());
    let lock = BERRY
        .replace("    express: \"npm:^4.0.0\"\n", "    express: \"npm:^4.0.0\"\n    next: \"npm:^4.0.0\"\n");
    facts.lock = berry(&lock, None, Linker::Pnp).lock;
    let (code, text) = refused(&facts);
    assert!(code == "plan.yarn" && text.contains("archives"), "{text}");
}

#[test]
fn a_yarn_that_is_not_known_or_would_run_code_is_refused() {
    let elsewhere = |reference: &str| {
        format!("{BERRY}\n\"x@{reference}\":\n  version: 1.0.0\n  resolution: \"x@{reference}\"\n")
    };
    for (facts, word) in [
        (berry(BERRY, None, Linker::Pnp), "nothing says which yarn"),
        (berry(BERRY, Some("berry"), Linker::Pnp), "no exact version"),
        (berry(BERRY, Some("2.4.2"), Linker::Pnp), "does not read"),
        (berry(&elsewhere("exec:./gen.js"), Some("4.9.2"), Linker::Pnp), "elsewhere than a registry"),
        (
            berry(
                &elsewhere("https://github.example.invalid/a/x.git#commit=c0ffee"),
                Some("4.9.2"),
                Linker::Pnp,
            ),
            "elsewhere",
        ),
    ] {
        let (code, text) = refused(&facts);
        assert!(code == "plan.yarn" && text.contains(word), "{text}");
    }
    let mut facts = berry(BERRY, Some("4.9.2"), Linker::Pnp);
    facts.package.dependencies.insert("x".to_owned(), "exec:./gen.js".to_owned());
    assert_eq!(refused(&facts).0, "plan.lock_out_of_step");
    facts = berry(BERRY, Some("1.22.22"), Linker::Pnp);
    facts.package.package_manager = Some("yarn@1.22.22".to_owned());
    assert_eq!(refused(&facts).0, "plan.yarn");
}

#[test]
fn bun_installs_and_node_runs() {
    let text = r#"{"lockfileVersion": 1, "workspaces": {"": {"name": "a", "dependencies": {"express": "^4.0.0"}}},
        "packages": {"express": ["express@4.21.2", "", {}, "sha512-x"]}}"#;
    let lock = Lock::read(LockKind::Bun, "bun.lock", text.as_bytes()).unwrap();
    let mut facts = AppFacts { lock: Some((LockKind::Bun, lock)), ..world() };
    let plan = planned(&facts);
    assert_eq!(
        plan.production[0].argv.join(" "),
        "bun install --production --frozen-lockfile --ignore-scripts --linker=hoisted"
    );
    assert!(plan.manager_version.is_some() && plan.build[0].argv == ["bun", "run", "build"]);
    facts.package.scripts = [("start".to_owned(), "node index.js".to_owned())].into();
    facts.sources.insert(path("index.js"), "export default Bun.serve({})".to_owned());
    facts.files.push(path("index.js"));
    assert_eq!(refused(&facts).0, "plan.needs_bun");
    facts.package.scripts = [("start".to_owned(), "bun run index.ts".to_owned())].into();
    assert_eq!(refused(&facts).0, "plan.no_entry");
    facts.package.package_manager = Some("bun@1.1.38".to_owned());
    assert_eq!(refused(&facts).0, "plan.old_bun");
    let facts = AppFacts { lock: None, lock_files: vec!["bun.lockb".to_owned()], ..world() };
    assert_eq!(refused(&facts).0, "plan.binary_lock");
}

#[test]
fn another_package_manager_than_the_lock_file_s() {
    let mut facts = world();
    facts.package.package_manager = Some("pnpm@10.18.0".to_owned());
    assert_eq!(refused(&facts).0, "plan.wrong_manager");
}

/// npm 6 loads code that settings of the app name, while it has logins.
#[test]
fn an_npm_that_runs_settings_of_the_app() {
    for (pin, is_refused) in
        [("npm@6.14.18", true), ("npm@5.0.0", true), ("npm@7.0.0", false), ("npm@11.4.2", false)]
    {
        let mut facts = world();
        facts.package.package_manager = Some(pin.to_owned());
        match plan(&facts, &Overrides::default()) {
            Ok(_) => assert!(!is_refused, "{pin}"),
            Err(error) => assert!(is_refused && error.code() == "plan.old_npm", "{pin} {error}"),
        }
    }
}

#[test]
fn start_scripts_are_taken_apart() {
    for (start, entry) in [
        (
            "NODE_ENV=production node --enable-source-maps dist/x.js",
            vec!["--enable-source-maps", "dist/x.js"],
        ),
        ("npm run serve", vec!["dist/serve.js"]),
        ("nest start", vec!["dist/main.js"]),
    ] {
        let mut facts = world();
        facts.package.scripts.insert("start".to_owned(), start.to_owned());
        facts.package.scripts.insert("serve".to_owned(), "node dist/serve.js".to_owned());
        assert_eq!(planned(&facts).entry, entry, "{start}");
    }
}

#[test]
fn start_scripts_that_cannot_be() {
    for start in ["tsx src/server.ts", "node a.js && node b.js", "npm run start", "npm run gone"] {
        let mut facts = world();
        facts.package.scripts.insert("start".to_owned(), start.to_owned());
        assert_eq!(refused(&facts).0, "plan.no_entry", "{start}");
    }
}

#[test]
fn engines_choose_the_line() {
    for (range, node) in [(">=20", 24), ("^22.1.0", 22), ("20.x", 20), (">=26", 26), ("20 || 22", 22)] {
        let mut facts = world();
        facts.package.engines = Some(serde_json::json!({ "node": range }));
        assert_eq!(planned(&facts).node, node, "{range}");
    }
    let mut facts = world();
    facts.package.engines = Some(serde_json::json!({ "node": "<18" }));
    assert_eq!(refused(&facts).0, "plan.no_node");
}

/// Files for version managers choose among the lines that `engines` takes; what asks for another is told.
#[test]
fn files_for_version_managers_choose_the_line() {
    for (engines, asked, node, told) in [
        (None, "22", 22, false),
        (None, "v22.14.0", 22, false),
        (None, "lts/jod", 22, false),
        (None, "lts/*", 24, false),
        (None, "latest", 24, false),
        (None, "18", 24, true),
        (Some(">=20"), "22.14", 22, false),
        (Some(">=24"), "22", 24, true),
        (Some("20.x"), "20", 20, true),
        (Some("23.x"), "23", 24, true),
        (Some("25"), "26", 26, false),
    ] {
        let mut facts = world();
        facts.package.engines = engines.map(|range| serde_json::json!({ "node": range }));
        facts.node_requests = vec![NodeRequest { by: ".nvmrc", range: asked.to_owned() }];
        let plan = planned(&facts);
        assert_eq!(plan.node, node, "{engines:?} {asked}");
        let is_told = plan.reasons.iter().any(|reason| reason.about == "Node.js" && reason.is_told);
        assert_eq!(is_told, told, "{engines:?} {asked}");
    }
}

#[test]
fn install_scripts_need_a_name() {
    let lock = LOCK.replace("\"sha512-x\"", "\"sha512-x\", \"hasInstallScript\": true");
    let mut facts = world();
    facts.lock =
        Some((LockKind::PackageLock, Lock::read(LockKind::PackageLock, "l", lock.as_bytes()).unwrap()));
    let without = planned(&facts);
    assert!(without.natives.is_empty() && without.production.len() == 1);
    assert!(without.reasons.iter().any(|reason| reason.decision == "not run for express"));
    let overrides = Overrides { allow_scripts: Some(vec!["express".to_owned()]), ..Overrides::default() };
    let with = plan(&facts, &overrides).unwrap();
    assert_eq!(with.natives, ["express"]);
    assert_eq!(with.production[1].argv.last().unwrap(), "express@4.21.2");
}

/// One more package in the world: its name, its version, and what else the lock file says of it.
fn with_package(name: &str, version: &str, more: &str) -> AppFacts {
    let entry =
        format!("\"node_modules/{name}\": {{\"version\": \"{version}\", \"integrity\": \"sha512-y\"{more}}}");
    let lock = LOCK.replace("\"node_modules/express\"", &format!("{entry},\n    \"node_modules/express\""));
    let lock = Lock::read(LockKind::PackageLock, "l", lock.as_bytes()).unwrap();
    AppFacts { lock: Some((LockKind::PackageLock, lock)), ..world() }
}

#[test]
fn what_does_not_work_without_its_script_runs_it() {
    for (name, version, more, runs) in [
        ("better-sqlite3", "12.4.1", "", true),
        ("bcrypt", "5.1.1", "", true),
        ("bcrypt", "6.0.0", ", \"hasInstallScript\": true", false),
        ("sharp", "0.34.1", ", \"hasInstallScript\": true", false),
        ("better-sqlite3", "12.4.1", ", \"dev\": true", false),
        ("cpu-features", "0.0.10", ", \"hasInstallScript\": true, \"optional\": true", false),
    ] {
        let plan = planned(&with_package(name, version, more));
        assert_eq!(!plan.natives.is_empty(), runs, "{name} {version}");
    }
}

/// What is called so and is from elsewhere is another package: nobody named it.
#[test]
fn a_name_alone_runs_no_script() {
    let from = ", \"resolved\": \"git+ssh://git@example.invalid/x.git#0123456789012345678901234567890123456789\", \"hasInstallScript\": true";
    assert!(planned(&with_package("better-sqlite3", "12.4.1", from)).natives.is_empty());
}

#[test]
fn what_would_not_work_in_the_image_stops() {
    let overrides = |allow: Option<&[&str]>, skip: &[&str]| {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        Overrides { allow_scripts: allow.map(owned), skip_scripts: owned(skip), ..Overrides::default() }
    };
    let code =
        |facts: &AppFacts, overrides: &Overrides| plan(facts, overrides).err().map(|error| error.code());
    let (sqlite, canvas) =
        (with_package("better-sqlite3", "12.4.1", ""), with_package("canvas", "3.2.0", ""));
    let puppeteer = with_package("puppeteer", "24.1.0", "");
    for (facts, allow, skip, stops) in [
        (&sqlite, None, vec![], false),
        (&sqlite, Some(&[][..]), vec![], true),
        (&sqlite, Some(&[]), vec!["better-sqlite3"], false),
        (&sqlite, Some(&["x"]), vec![], false),
        (&canvas, None, vec![], true),
        (&canvas, Some(&["canvas"]), vec![], false),
        (&puppeteer, None, vec![], true),
        (&puppeteer, None, vec!["puppeteer"], false),
    ] {
        let found = code(facts, &overrides(allow, &skip));
        assert_eq!(found, stops.then_some("plan.needs_script"), "{allow:?} {skip:?}");
    }
    let mut denied = sqlite;
    denied.scripts.denied.insert("better-sqlite3".to_owned());
    assert_eq!(code(&denied, &Overrides::default()), Some("plan.needs_script"));
}

#[test]
fn what_the_package_manager_is_told_is_heard() {
    let mut facts = with_package("odd-addon", "1.0.0", ", \"hasInstallScript\": true");
    assert!(planned(&facts).natives.is_empty());
    facts.scripts.allowed.insert("odd-addon".to_owned());
    assert_eq!(planned(&facts).natives, ["odd-addon"]);
    // It brings what it needs as packages, and building it from its sources would fail.
    let mut sharp = with_package("sharp", "0.34.1", ", \"hasInstallScript\": true");
    sharp.scripts.allowed.insert("sharp".to_owned());
    assert!(planned(&sharp).natives.is_empty());
}

/// As fastify's template has it: nothing else compiles the TypeScript.
#[test]
fn what_a_start_builds_first_is_a_step_of_the_build() {
    let steps = |scripts: &str, start: &str| -> Vec<String> {
        let mut facts = world();
        facts.package = package(&PACKAGE.replace(r#""build": "tsc -p .", "#, scripts));
        facts.package.scripts.insert("start".to_owned(), start.to_owned());
        planned(&facts).build.iter().map(|step| step.argv.join(" ")).collect()
    };
    let own = r#""build:ts": "tsc", "#;
    assert_eq!(steps(own, "npm run build:ts && node dist/server.js"), ["npm run build:ts"]);
    assert_eq!(steps("", "tsc -p . && node dist/server.js"), ["npm exec --offline -- tsc -p ."]);
    let both = r#""build": "node css.js", "#;
    assert_eq!(steps(both, "tsc && node dist/server.js"), ["npm run build", "npm exec --offline -- tsc"]);
}

#[test]
fn own_scripts_run_as_an_install_runs_them() {
    let steps = |scripts: &[(&str, &str)], overrides: &Overrides| -> Vec<String> {
        let mut facts = world();
        let scripts = scripts.iter().map(|(name, script)| ((*name).to_owned(), (*script).to_owned()));
        facts.package.scripts.extend(scripts);
        plan(&facts, overrides).unwrap().scripts().iter().map(|step| step.argv.join(" ")).collect()
    };
    let usual = Overrides::default();
    assert_eq!(steps(&[("postinstall", "patch-package")], &usual), ["npm run postinstall", "npm run build"]);
    // `npm run install` runs the others along.
    let all = [("preinstall", "node a.js"), ("install", "node b.js"), ("postinstall", "node c.js")];
    assert_eq!(steps(&all, &usual), ["npm run install", "npm run build"]);
    for idle in
        ["husky", "husky install || true", "npx only-allow pnpm", "is-ci || husky install", "tsc -p ."]
    {
        assert_eq!(steps(&[("prepare", idle)], &usual), ["npm run build"], "{idle}");
    }
    assert_eq!(steps(&[("prepare", "husky && node gen.js")], &usual), ["npm run prepare", "npm run build"]);
    let skips = Overrides { skip_scripts: vec!["postinstall".to_owned()], ..Overrides::default() };
    assert_eq!(steps(&[("postinstall", "node a.js")], &skips), ["npm run build"]);
}

/// What a bundler may put into its result is more than there is, and never less.
#[test]
fn packages_that_a_bundler_may_take_are_known() {
    let found_with = |package: &str, source: &str| {
        let lock = r#"{"lockfileVersion": 3, "packages": {
            "": {"dependencies": {"express": "1"}, "devDependencies": {"svelte": "1", "vite": "1", "typescript": "1", "@types/node": "1"}},
            "node_modules/express": {"version": "1.0.0", "dependencies": {"shared": "1"}},
            "node_modules/shared": {"version": "1.0.0"},
            "node_modules/svelte": {"version": "1.0.0", "dev": true, "dependencies": {"devalue": "1", "shared": "1"}},
            "node_modules/devalue": {"version": "1.0.0", "dev": true},
            "node_modules/vite": {"version": "1.0.0", "dev": true, "dependencies": {"only-of-vite": "1"}},
            "node_modules/only-of-vite": {"version": "1.0.0", "dev": true},
            "node_modules/typescript": {"version": "1.0.0", "dev": true},
            "node_modules/@types/node": {"version": "1.0.0", "dev": true}}}"#;
        let mut lock = Lock::read(LockKind::PackageLock, "l", lock.as_bytes()).unwrap();
        let package = self::package(package);
        lock.relate(&[(String::new(), package.clone())].into());
        lock.asked.clear();
        let mut facts = AppFacts { package, lock: Some((LockKind::PackageLock, lock)), ..world() };
        facts.sources.insert(RootPath::normalise("src/a.ts").unwrap(), source.to_owned());
        let plan = planned(&facts);
        let lock = &facts.lock.as_ref().unwrap().1;
        bundled(&facts, &plan)
            .unwrap_or_default()
            .into_iter()
            .map(|at| lock.packages[at].name.clone())
            .collect::<Vec<_>>()
    };
    let app = r#"{"scripts": {"build": "vite build", "start": "node build/index.js"}, "dependencies": {"express": "1"},
        "devDependencies": {"svelte": "1", "vite": "1", "typescript": "1", "@types/node": "1"}}"#;
    let found = |package: &str| found_with(package, "");
    assert_eq!(found(app), ["devalue", "svelte"]);
    let named = "import x from 'only-of-vite/x.js'; import 'vite'";
    assert_eq!(
        found_with(app, named),
        ["devalue", "only-of-vite", "svelte"],
        "what a tool brings can be imported"
    );
    assert!(found(&app.replace("\"vite\": \"1\", ", "")).is_empty(), "a compiler bundles nothing");
    assert!(found(&app.replace("\"build\": \"vite build\", ", "")).is_empty(), "nothing is built");
}

#[test]
fn the_one_project_that_starts_is_the_app() {
    let mut facts = world();
    facts.package.scripts.clear();
    facts.lock.as_mut().unwrap().1.asked.clear();
    facts
        .workspace
        .insert("apps/api".to_owned(), package(r#"{"name": "api", "scripts": {"start": "node a.js"}}"#));
    facts.workspace.insert("packages/x".to_owned(), package("{}"));
    let plan = planned(&facts);
    assert_eq!((plan.folder.as_str(), plan.name.as_str()), ("apps/api", "api"));
    facts.workspace.insert("apps/b".to_owned(), package(r#"{"scripts": {"start": "node a.js"}}"#));
    let (code, text) = refused(&facts);
    assert!(code == "plan.no_entry" && text.contains("apps/api, apps/b"), "{text}");
}

#[test]
fn the_user_decides() {
    let overrides = Overrides {
        name: Some("shop".to_owned()),
        entry: Some(vec!["x.js".to_owned()]),
        port: Some(80),
        health: Some(HealthSetting::Off),
        node: Some(22),
        ..Overrides::default()
    };
    let plan = plan(&world(), &overrides).unwrap();
    assert_eq!((plan.name.as_str(), plan.node, plan.port, plan.health), ("shop", 22, Some(80), None));
    assert_eq!(plan.entry, ["x.js"]);
}

#[test]
fn another_cpu_is_a_matter_of_what_is_installed() {
    let mut plan = planned(&world());
    plan.production_for("arm64").unwrap();
    assert_eq!(plan.production[0].argv.last().unwrap(), "--cpu=arm64");
    plan.natives.push("better-sqlite3".to_owned());
    assert!(plan.production_for("arm64").unwrap_err().contains("better-sqlite3"));
}
