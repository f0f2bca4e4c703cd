//! Start scripts as people write them, and what each is planned to be, or the one thing that is missing.
#![expect(clippy::unwrap_used, reason = "tests")]

use kiln_node::{AppFacts, Lock, LockKind, PackageJson, StartCommand};
use kiln_plan::{Start, default_start, script_start};
use kiln_rootfs::RootPath;

/// An app with a few projects, that asks for every program of the table below.
fn facts(start: &str) -> AppFacts {
    let package = |text: &str| PackageJson::read("package.json", text.as_bytes()).unwrap();
    let mut root = package(
        r#"{"name": "shop", "scripts": {"build": "tsc && npm run assets", "start:prod": "node dist/main.js", "loop": "npm run loop",
            "db:migrate": "prisma migrate deploy", "assets": "webpack --mode production", "odd": "frobnicate", "styles": "webpack --mode styles",
            "serve": "node dist/serve.js"},
            "dependencies": {"dotenv": "17", "next": "16", "nuxt": "4", "@react-router/serve": "8", "directus": "12", "n8n": "2",
              "fastify-cli": "8", "probot": "14", "moleculer": "0.15", "gatsby": "5", "serve": "14", "micro": "10", "json-server": "1",
              "payload": "3", "newrelic": "13", "own-tool": "1"},
            "devDependencies": {"@nestjs/cli": "12", "ts-node": "10", "verdaccio": "6"}}"#,
    );
    root.scripts.insert("start".to_owned(), start.to_owned());
    let api = package(
        r#"{"name": "@shop/api", "scripts": {"start": "node server.js", "serve": "next start"}, "dependencies": {"next": "16"}}"#,
    );
    let web = package(r#"{"name": "web", "scripts": {"start": "node web.js"}}"#);
    let lock = r#"{"lockfileVersion": 3, "packages": {
        "node_modules/json-server": {"version": "1.0.0", "bin": {"json-server": "lib/bin.js"}},
        "node_modules/@react-router/serve": {"version": "8.4.0", "bin": {"react-router-serve": "bin.cjs"}},
        "node_modules/own-tool": {"version": "1.0.0", "bin": {"own": "./cli/own.js"}}}}"#;
    let path = |text: &str| RootPath::new(text).unwrap();
    AppFacts {
        package: root,
        workspace: [("apps/api".to_owned(), api), ("apps/web".to_owned(), web)].into(),
        lock: Some((LockKind::PackageLock, Lock::read(LockKind::PackageLock, "l", lock.as_bytes()).unwrap())),
        files: [
            "bin/www",
            "bin/shell",
            "start.sh",
            "server.js",
            "ecosystem.config.js",
            "two.config.js",
            "more.config.js",
        ]
        .map(path)
        .to_vec(),
        sources: [
            (
                path("ecosystem.config.js"),
                "module.exports = { apps: [{ name: 'a', script: './dist/main.js' }] }".to_owned(),
            ),
            (path("bin/www"), "#!/usr/bin/env node\n".to_owned()),
            (path("bin/shell"), "#!/bin/sh\nexec node server.js\n".to_owned()),
            (
                path("more.config.js"),
                "module.exports = { apps: [{ script: 'a.js', node_args: '--x' }] }".to_owned(),
            ),
            (
                path("two.config.js"),
                "module.exports = { apps: [{ script: 'a.js' }, { script: \"b.js\" }] }".to_owned(),
            ),
        ]
        .into(),
        ..AppFacts::default()
    }
}

fn planned(start: &str) -> Result<Start, String> {
    script_start(&facts(start), "", "start").map_err(|error| error.to_string())
}

/// What a script is planned as: `[FOLDER] [VARIABLES] node ARGUMENTS [:PORT]`.
fn shown(start: &Start) -> String {
    let folder = (!start.folder.is_empty()).then(|| format!("{}/", start.folder));
    let env = start.env.iter().map(|(name, value)| format!("{name}={value}"));
    let words = folder.into_iter().chain(env).chain(["node".to_owned()]).chain(start.argv.iter().cloned());
    let port = start.port.map(|port| format!(":{port}"));
    words.chain(port).collect::<Vec<_>>().join(" ")
}

/// A script, and what it is planned as.
const RIGHT: &[(&str, &str)] = &[
    ("node -r dotenv/config server.js", "node -r dotenv/config server.js"),
    (
        "node -r ./tracing.js --enable-source-maps server.js a",
        "node -r ./tracing.js --enable-source-maps server.js a",
    ),
    ("NODE_ENV=production node server.js", "NODE_ENV=production node server.js"),
    ("cross-env-shell NODE_ENV=production node server.js", "NODE_ENV=production node server.js"),
    ("cross-env A=1 B=2 node server.js", "A=1 B=2 node server.js"),
    ("exec node server.js", "node server.js"),
    ("tini -- node server.js", "node server.js"),
    ("dotenv -e .env -- node server.js", "node server.js"),
    ("dotenv -- node server.js", "node server.js"),
    ("dotenvx run -- node server.js", "node server.js"),
    ("dotenvx run -f .env.production -- node server.js", "node server.js"),
    ("env-cmd -f .env node server.js", "node server.js"),
    ("node --env-file=.env server.js", "node --env-file-if-exists=.env server.js"),
    ("node --inspect=0.0.0.0:9229 server.js", "node server.js"),
    ("npm run build && npm run start:prod", "node dist/main.js"),
    ("npm run start:prod", "node dist/main.js"),
    ("yarn start:prod", "node dist/main.js"),
    ("pnpm start:prod", "node dist/main.js"),
    ("npm start --workspace=apps/api", "apps/api/ node server.js"),
    ("npm start -w @shop/api", "apps/api/ node server.js"),
    ("yarn workspace @shop/api start", "apps/api/ node server.js"),
    ("pnpm --filter api start", "apps/api/ node server.js"),
    ("turbo start --filter=web", "apps/web/ node web.js"),
    ("turbo run start --filter=web", "apps/web/ node web.js"),
    ("nx start web", "apps/web/ node web.js"),
    ("npm run serve -w api", "apps/api/ node ../../node_modules/next/dist/bin/next start :3000"),
    ("cd dist && node server.js", "dist/ node server.js"),
    ("cd apps/api && npm start", "apps/api/ node server.js"),
    ("node .", "node ."),
    ("node dist", "node dist"),
    ("node server", "node server"),
    (
        "NODE_OPTIONS='--max-old-space-size=4096' node server.js",
        "NODE_OPTIONS=--max-old-space-size=4096 node server.js",
    ),
    ("node server.js | pino-pretty", "node server.js"),
    ("node server.js | npx pino-pretty -c", "node server.js"),
    ("prisma migrate deploy && node server.js", "node server.js"),
    ("npx prisma migrate deploy && npx prisma db seed && node server.js", "node server.js"),
    ("npm run db:migrate && node server.js", "node server.js"),
    ("npm run assets; node server.js", "node server.js"),
    ("tsc && node server.js", "node server.js"),
    ("rimraf dist && echo ok && npm run build && node server.js", "node server.js"),
    ("npm run serve a -- --b", "node dist/serve.js a --b"),
    ("node --run serve", "node dist/serve.js"),
    ("A=1; node server.js", "node server.js"),
    (r#"node server.js "^\d+""#, r"node server.js ^\d+"),
    ("NODE_OPTIONS='--inspect=0.0.0.0 --title=a' node server.js", "NODE_OPTIONS=--title=a node server.js"),
    ("pm2-runtime --name api -i max dist/main.js -- --port 3", "node dist/main.js --port 3"),
    ("pm2-runtime npm -- run serve", "node dist/serve.js"),
    ("forever -m 5 server.js --port 3", "node server.js --port 3"),
    ("dotenv -v PORT=4000 -- node server.js", "PORT=4000 node server.js"),
    ("env-cmd -r ./rc.js node server.js", "node server.js"),
    ("node ace migration:run --force && node bin/server.js", "node bin/server.js"),
    ("export NODE_ENV=production && node server.js", "NODE_ENV=production node server.js"),
    ("next start -p $PORT", "node node_modules/next/dist/bin/next start :3000"),
    ("next start -p ${PORT:-8080}", "PORT=8080 node node_modules/next/dist/bin/next start :8080"),
    ("PORT=4000 next start", "PORT=4000 node node_modules/next/dist/bin/next start :3000"),
    ("next start -p 8080", "node node_modules/next/dist/bin/next start -p 8080 :8080"),
    ("npx next start", "node node_modules/next/dist/bin/next start :3000"),
    ("./node_modules/.bin/next start", "node node_modules/next/dist/bin/next start :3000"),
    ("nest start", "node dist/main.js"),
    ("nuxt start", "node .output/server/index.mjs :3000"),
    (
        "react-router-serve ./build/server/index.js",
        "node node_modules/@react-router/serve/bin.cjs ./build/server/index.js :3000",
    ),
    ("payload start", "node node_modules/payload/bin.js start"),
    ("directus start", "node node_modules/directus/cli.js start :8055"),
    ("n8n start", "node node_modules/n8n/bin/n8n start :5678"),
    (
        "fastify start -l info dist/app.js",
        "FASTIFY_ADDRESS=0.0.0.0 node node_modules/fastify-cli/cli.js start -l info dist/app.js :3000",
    ),
    ("probot run ./index.js", "node node_modules/probot/bin/probot.js run ./index.js :3000"),
    ("moleculer-runner services", "node node_modules/moleculer/bin/moleculer-runner.js services"),
    ("gatsby serve", "node node_modules/gatsby/cli.js serve :9000"),
    ("serve -s build", "node node_modules/serve/build/main.js -s build :3000"),
    ("micro", "node node_modules/micro/dist/src/bin/micro.js :3000"),
    ("json-server db.json", "node node_modules/json-server/lib/bin.js db.json --host 0.0.0.0 :3000"),
    ("json-server db.json --host=::", "node node_modules/json-server/lib/bin.js db.json --host=:: :3000"),
    ("own --flag", "node node_modules/own-tool/cli/own.js --flag"),
    ("pm2-runtime start ecosystem.config.js", "node ./dist/main.js"),
    ("pm2-runtime dist/main.js", "node dist/main.js"),
    ("pm2 start dist/main.js --no-daemon", "node dist/main.js"),
    ("forever server.js", "node server.js"),
    ("./bin/www", "node bin/www"),
    ("node src/server.ts", "node src/server.ts"),
    ("node --import newrelic server.js", "node --import newrelic server.js"),
];

#[test]
fn scripts_lead_to_what_node_runs() {
    for (script, expected) in RIGHT {
        match planned(script) {
            Ok(start) => assert_eq!(shown(&start), *expected, "{script}"),
            Err(why) => panic!("{script}: {why}"),
        }
    }
}

#[test]
fn what_cannot_be_followed_names_what_is_missing() {
    for (script, missing) in [
        ("node -p \"1\"", "runs no file"),
        ("node --watch server.js", "--watch"),
        ("astro preview", "dist/server/entry.mjs"),
        ("vite preview", "a server of the app's own"),
        ("ng serve", "ng build"),
        ("react-scripts start", "react-scripts build"),
        ("adonis serve", "node ace build"),
        ("nodemon server.js", "for development"),
        ("next dev", "for development"),
        ("nest start --watch", "for development"),
        ("nx serve api", "for development"),
        ("tsx src/server.ts", "not among dependencies"),
        ("node --import tsx src/server.ts", "does not ask for `tsx`"),
        ("node -r ts-node/register src/server.ts", "`ts-node` is among devDependencies"),
        ("verdaccio", "`verdaccio` is among devDependencies"),
        ("strapi start", "does not ask for `@strapi/strapi`"),
        ("bun run src/index.ts", "`bun` runs `src/index.ts`"),
        ("./start.sh", "is no program of node"),
        ("./gone.js", "there is no file"),
        ("graphql-hive start", "does not know which file of which dependency"),
        ("pm2-runtime start two.config.js", "several programs"),
        ("pm2-runtime start gone.config.js", "no plain `script"),
        ("node a.js && node b.js", "does not know what for"),
        ("cp config.prod.json config.json && node a.js", "does not know what for"),
        ("NODE_ENV=x npm run styles && node a.js", "the build script does not"),
        ("cd deep && npm run styles && node a.js", "the build script does not"),
        ("node a.js | npx anything", "sends its output"),
        ("npm start -w api -w web", "several projects"),
        ("pm2-runtime --odd server.js", "the option `--odd`"),
        ("pm2-runtime start more.config.js", "`node_args`"),
        ("env-cmd --odd node server.js", "the option `--odd`"),
        ("./bin/shell", "does not say that it is a program of node"),
        ("nest start --entryFile other", "something else than usual"),
        ("npm run odd && node b.js", "does not know what for"),
        ("node a.js & node b.js", "several programs"),
        ("node a.js || node b.js", "several programs"),
        ("node a.js | tee log", "sends its output"),
        ("node a.js > log", "a redirection"),
        ("concurrently \"node a.js\" \"node b.js\"", "several programs"),
        ("node server.js --port $PORT", "`$PORT`"),
        ("npm run gone", "no script `gone`"),
        ("npm run loop", "one call too deep"),
        ("npm start -w nobody", "the workspace has none"),
        ("cd /srv && node a.js", "leaves the app"),
        ("cd ../.. && node a.js", "leaves the app"),
        ("A=1", "starts nothing"),
        ("", "no command"),
        ("sudo node server.js", "not root"),
    ] {
        match planned(script) {
            Ok(start) => panic!("{script} became {}", shown(&start)),
            Err(why) => assert!(why.contains(missing), "{script}: {why}"),
        }
    }
}

/// What a start builds first and the build script does not, the build of the image does.
#[test]
fn what_a_start_builds_is_built() {
    let start = planned("npm run styles && node a.js").unwrap();
    assert_eq!(start.builds, [["npm", "run", "styles"]]);
    assert_eq!(planned("tsc -p . && node a.js").unwrap().builds, [["tsc", "-p", "."]]);
    assert!(planned("npm run build && node a.js").unwrap().builds.is_empty());
    let of_another = planned("npm run build --prefix apps/web && node a.js");
    assert!(of_another.is_ok_and(|start| !start.builds.is_empty()), "the build script does not build it");
}

#[test]
fn what_is_set_aside_is_told() {
    let aside = |script: &str| {
        let start = planned(script).unwrap();
        start.aside.into_iter().map(|aside| format!("{:?} {}", aside.what, aside.command)).collect::<Vec<_>>()
    };
    assert_eq!(
        aside("npx prisma migrate deploy && npm run build && node s.js | pino-pretty"),
        ["Migration npx prisma migrate deploy", "Build npm run build", "Logs pino-pretty",]
    );
    assert!(planned("dotenv -- node server.js").unwrap().notes[0].contains("files of variables"));
    assert!(planned("node --inspect server.js").unwrap().notes[0].contains("debugger"));
}

#[test]
fn what_npm_runs_before_is_set_aside_or_stops() {
    let mut facts = facts("node server.js");
    facts.package.scripts.insert("prestart".to_owned(), "npm run build".to_owned());
    let start = script_start(&facts, "", "start").unwrap();
    assert_eq!(start.aside.len(), 1);
    facts.package.scripts.insert("prestart".to_owned(), "node check.js".to_owned());
    assert!(script_start(&facts, "", "start").unwrap_err().to_string().contains("prestart"));
}

/// An old line of Node neither runs TypeScript nor knows that a file may be missing.
#[test]
fn what_a_line_of_node_cannot_is_not_asked_of_it() {
    let on = |start: &str| {
        let mut facts = facts(start);
        facts.package.engines = Some(serde_json::json!({ "node": "20.x" }));
        script_start(&facts, "", "start").map_err(|error| error.to_string())
    };
    assert_eq!(on("node --env-file .env server.js").unwrap().argv, ["server.js"]);
    assert!(on("node src/server.ts").unwrap_err().contains("Node.js 20 does not run"));
}

/// What builds of frameworks leave, where there is no start script.
#[test]
fn results_of_builds_are_started() {
    let started = |package: &str, config: Option<(&str, &str)>| {
        let package = PackageJson::read("package.json", package.as_bytes()).unwrap();
        let sources =
            config.map(|(path, text)| (RootPath::new(path).unwrap(), text.to_owned())).into_iter().collect();
        default_start(&AppFacts { package, sources, ..AppFacts::default() }, "").ok()
    };
    let file = |package, config| started(package, config).map(|start| start.argv.join(" "));
    let nuxt = r#"{"scripts": {"build": "nuxt build"}, "dependencies": {"nuxt": "4"}}"#;
    assert_eq!(file(nuxt, None).unwrap(), ".output/server/index.mjs");
    assert_eq!(started(nuxt, None).unwrap().port, Some(3000));
    let svelte = r#"{"scripts": {"build": "vite build"}, "devDependencies": {"@sveltejs/kit": "2", "@sveltejs/adapter-node": "5"}}"#;
    assert_eq!(file(svelte, None).unwrap(), "build/index.js");
    let astro =
        r#"{"scripts": {"build": "astro build"}, "dependencies": {"astro": "5", "@astrojs/node": "9"}}"#;
    let alone =
        ("astro.config.mjs", "export default defineConfig({ adapter: node({ mode: \"standalone\" }) })");
    assert_eq!(file(astro, Some(alone)).unwrap(), "dist/server/entry.mjs");
    assert_eq!(started(astro, Some(alone)).unwrap().env, [("HOST".to_owned(), "0.0.0.0".to_owned())]);
    // A start script says it better, and what serves nobody is no server.
    let own = nuxt.replace("\"build\"", "\"start\": \"node own.js\", \"build\"");
    assert_eq!(file(&own, None).unwrap(), "own.js");
    let production = own.replace("\"start\"", "\"start:prod\"");
    assert_eq!(file(&production, None).unwrap(), "own.js");
    let middleware = ("astro.config.mjs", "adapter: node({ mode: 'middleware' })");
    for (package, config) in
        [(astro, Some(middleware)), (astro, None), (r#"{"dependencies": {"nuxt": "4"}}"#, None)]
    {
        assert_eq!(file(package, config), None, "{package}");
    }
}

/// A Procfile or a Dockerfile starts what has no start script; where both say something else, that is told.
#[test]
fn files_beside_the_app_say_how_it_starts() {
    let command = |by, command: &str| StartCommand { by, command: command.to_owned() };
    let facts = |package: &str, commands: Vec<StartCommand>| {
        let package = PackageJson::read("package.json", package.as_bytes()).unwrap();
        let lock = Lock::read(LockKind::PackageLock, "l", br#"{"lockfileVersion": 3, "packages": {"": {}}}"#)
            .unwrap();
        AppFacts { package, commands, lock: Some((LockKind::PackageLock, lock)), ..AppFacts::default() }
    };
    let bare = facts(
        "{}",
        vec![command("Procfile", "node --enable-source-maps web.js"), command("Dockerfile", "node d.js")],
    );
    assert_eq!(default_start(&bare, "").unwrap().argv, ["--enable-source-maps", "web.js"]);
    let desk =
        facts(r#"{"scripts": {"start": "nx serve"}}"#, vec![command("Dockerfile", "node dist/main.js")]);
    assert_eq!(default_start(&desk, "").unwrap().argv, ["dist/main.js"]);
    let worked_on = AppFacts {
        files: vec![RootPath::new("src/index.js").unwrap()],
        ..facts(r#"{"scripts": {"dev": "nodemon -L src/index.js"}}"#, Vec::new())
    };
    assert!(default_start(&worked_on, "").unwrap_err().to_string().contains("src/index.js"));
    let shell = facts("{}", vec![command("Dockerfile", "./start.sh")]);
    assert!(default_start(&shell, "").unwrap_err().to_string().contains("Dockerfile"));
    let told = |facts: &AppFacts| {
        let plan = kiln_plan::plan(facts, &kiln_plan::Overrides::default()).unwrap();
        plan.reasons
            .iter()
            .any(|reason| reason.about == "start" && reason.decision == "differs" && reason.is_told)
    };
    let scripted = r#"{"scripts": {"start": "node server.js"}}"#;
    assert!(told(&facts(scripted, vec![command("Dockerfile", "node dist/main.js")])));
    for same in ["node ./server.js", "node server", "npm start", "npm run start"] {
        assert!(!told(&facts(scripted, vec![command("Dockerfile", same)])), "{same}");
    }
}

/// A configuration of pm2 that is data is read with the variables it sets; what else it says stops.
#[test]
fn a_configuration_of_pm2_in_json() {
    let started = |text: &str| {
        let package = PackageJson::read(
            "package.json",
            br#"{"scripts": {"start": "pm2 start ecosystem.config.json --no-daemon"}}"#,
        )
        .unwrap();
        let sources = [(RootPath::new("ecosystem.config.json").unwrap(), text.to_owned())].into();
        default_start(&AppFacts { package, sources, ..AppFacts::default() }, "").ok()
    };
    let start = started(
        r#"{"apps": [{"name": "app", "script": "src/index.js", "instances": 1, "env": {"NODE_ENV": "production", "PORT": 2}}]}"#,
    );
    let start = start.unwrap();
    assert_eq!(start.argv, ["src/index.js"]);
    let env = [("NODE_ENV".to_owned(), "production".to_owned()), ("PORT".to_owned(), "2".to_owned())];
    assert_eq!(start.env, env);
    for other in [
        r#"{"apps": [{"script": "a.js"}, {"script": "b.js"}]}"#,
        r#"{"apps": [{"script": "a.js", "args": "x"}]}"#,
        r#"{"apps": [{"script": "a.js", "env": {"A": {"b": 1}}}]}"#,
        r#"{"apps": [{"script": "a.js", "env": {"DB_PASS": "x"}}]}"#,
        r#"{"apps": []}"#,
    ] {
        assert_eq!(started(other), None, "{other}");
    }
}
