//! One shape of app after the other, and the lines that must come of it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use kiln_node::{Lock, LockKind, PackageJson, Yarn};
use kiln_rewrite::{Answer, Choice, Project, RewriteTarget, Rewritten, rewrite};
use kiln_rootfs::RootPath;

/// An app with an npm lock file, of these files.
fn app(package: &str, dockerfile: &str, files: &[(&str, &str)]) -> Project {
    let mut project = Project { dockerfile: dockerfile.to_owned(), ..Project::default() };
    project.facts.package = PackageJson::read("package.json", package.as_bytes()).unwrap();
    project.manifests.insert("package.json".to_owned(), package.to_owned());
    let lock = r#"{"lockfileVersion": 3, "packages": {}}"#;
    let lock = Lock::read(LockKind::PackageLock, "package-lock.json", lock.as_bytes()).unwrap();
    project.facts.lock = Some((LockKind::PackageLock, lock));
    let own = [("Dockerfile", ""), ("package-lock.json", ""), ("package.json", "")];
    for (path, text) in own.iter().chain(files) {
        let path = RootPath::normalise(path).unwrap();
        if path.as_str().ends_with("js") {
            project.facts.sources.insert(path.clone(), (*text).to_owned());
        }
        if path.as_str().contains(".sh") {
            project.scripts.insert(path.to_string(), (*text).to_owned());
        }
        project.facts.files.push(path);
    }
    project
}

const EXPRESS: &str =
    r#"{"name": "app", "scripts": {"start": "node server.js"}, "dependencies": {"express": "5.1.0"}}"#;
const SERVER: (&str, &str) = ("server.js", "app.listen(3000)");

fn answer(project: &Project, target: &str) -> Answer {
    let choice =
        Choice { target: RewriteTarget::find(target), today: "2026-11-21".to_owned(), ..Choice::default() };
    rewrite(project, &choice)
}

#[track_caller]
fn rewritten(project: &Project, target: &str) -> (String, Rewritten) {
    match answer(project, target) {
        Answer::Rewritten(rewritten) => {
            let text = rewritten.files.iter().find(|(name, _)| name == "Dockerfile").unwrap().1.clone();
            (text, rewritten)
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn has(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn what_is_generated_into_modules_is_kept() {
    let package = r#"{"name": "app", "scripts": {"build": "tsc", "postinstall": "prisma generate", "start": "node dist/a.js"},
        "dependencies": {"@prisma/client": "6.0.0"}, "devDependencies": {"prisma": "6.0.0", "typescript": "5.0.0"}}"#;
    let project = app(package, "FROM node:24\nCOPY . .\nRUN npm ci && npm run build\nCMD npm start\n", &[]);
    let (text, _) = rewritten(&project, "distroless");
    has(
        &text,
        &[
            "RUN npm run postinstall\n",
            "FROM build AS prod-deps\nRUN npm prune --omit=dev",
            "CMD [\"dist/a.js\"]",
        ],
    );
}

#[test]
fn scripts_for_desks_are_left_out() {
    let package = r#"{"name": "app", "main": "server.js", "scripts": {"prepare": "husky", "preinstall": "npx only-allow npm"},
        "devDependencies": {"husky": "9.1.7"}}"#;
    let (text, new) =
        rewritten(&app(package, "FROM node:24\nCOPY . .\nRUN npm install\nCMD node .\n", &[SERVER]), "slim");
    assert!(!text.contains("husky") && !text.contains("only-allow") && !text.contains("AS build"), "{text}");
    let manifest = new.files.iter().find(|(name, _)| name == "package.json").unwrap();
    assert_eq!(manifest.1, package.replace("husky\", \"pre", "husky || true\", \"pre"));
}

#[test]
fn yarn_of_today_needs_its_version_and_modules() {
    let mut project = app(
        EXPRESS,
        "FROM node:24\nCOPY . .\nRUN yarn\nCMD yarn start\n",
        &[SERVER, ("yarn.lock", ""), (".yarnrc.yml", "")],
    );
    project.facts.lock = None;
    project.facts.yarn =
        Some(Yarn { version: Some("4.10.3".to_owned()), has_node_modules: true, ..Yarn::default() });
    let (text, _) = rewritten(&project, "distroless");
    has(
        &text,
        &[
            "RUN npm install --global --force @yarnpkg/cli-dist@4.10.3\n",
            "COPY package.json yarn.lock .yarnrc.yml ./\n",
            "yarn workspaces focus --all --production\n",
        ],
    );
    project.facts.yarn = Some(Yarn { version: None, has_node_modules: false, ..Yarn::default() });
    assert!(
        matches!(answer(&project, "distroless"), Answer::Refused(why) if why[0].why.contains("nodeLinker"))
    );
}

#[test]
fn a_credential_in_clear_becomes_a_secret() {
    let mut project =
        app(EXPRESS, "FROM node:24\nCOPY . .\nRUN npm ci\nCMD npm start\n", &[SERVER, (".npmrc", "")]);
    project.npmrc = Some("//npm.example.invalid/:_authToken=abc\n".to_owned());
    let (text, rewritten) = rewritten(&project, "distroless");
    has(&text, &["--mount=type=secret,id=npmrc,target=/app/.npmrc"]);
    assert!(!text.contains("COPY package.json package-lock.json .npmrc"), "{text}");
    let ignored = &rewritten.files.iter().find(|(name, _)| name == ".dockerignore").unwrap().1;
    assert!(ignored.contains("\n.npmrc\n"), "{ignored}");
}

#[test]
fn signals_reach_the_app() {
    let dockerfile = "FROM node:24-slim\nRUN apt-get update && apt-get install -y tini\nCOPY . .\nRUN npm ci\n\
                      ENTRYPOINT [\"tini\", \"--\"]\nCMD [\"npm\", \"start\"]\n";
    let project = app(EXPRESS, dockerfile, &[SERVER]);
    let (text, _) = rewritten(&project, "distroless");
    has(
        &text,
        &[
            "--no-install-recommends tini",
            "COPY --from=base /usr/bin/tini-static /usr/bin/tini\n",
            "ENTRYPOINT [\"/usr/bin/tini\", \"--\", \"/nodejs/bin/node\"]\nCMD [\"server.js\"]",
        ],
    );
    has(
        &rewritten(&project, "alpine").0,
        &[
            "RUN apk add --no-cache tini\n",
            "ENTRYPOINT [\"/sbin/tini\", \"--\"]\nCMD [\"node\", \"server.js\"]",
        ],
    );
    let listens = app(EXPRESS, dockerfile, &[("server.js", "process.on('SIGTERM', stop); app.listen(3000)")]);
    assert!(!rewritten(&listens, "distroless").0.contains("tini"), "the app listens itself");
}

#[test]
fn what_needs_a_shell_gets_one_or_nothing() {
    let dockerfile = "FROM node:24\nCOPY . .\nRUN npm ci\nCMD npx prisma migrate deploy && node server.js\n";
    let project = app(EXPRESS, dockerfile, &[SERVER]);
    let (text, _) = rewritten(&project, "slim");
    has(&text, &["CMD [\"sh\", \"-c\", \"npx prisma migrate deploy && exec node server.js\"]"]);
    assert!(matches!(answer(&project, "dhi"), Answer::Refused(why) if why[0].why.contains("needs a shell")));
    let dockerfile =
        "FROM node:24\nCOPY . .\nRUN npm ci\nRUN ln -s /dev/stdout /var/log/app.log\nCMD node server.js\n";
    let project = app(EXPRESS, dockerfile, &[SERVER]);
    has(
        &rewritten(&project, "slim").0,
        &["FROM node:24-bookworm-slim\nRUN ln -s /dev/stdout /var/log/app.log\n"],
    );
    assert!(matches!(answer(&project, "kiln"), Answer::Refused(why) if why[0].line == Some(4)));
}

#[test]
fn a_start_script_that_wants_root_is_refused() {
    let dockerfile =
        "FROM node:24\nCOPY . .\nRUN npm ci\nENTRYPOINT [\"./start.sh\"]\nCMD [\"node\", \"server.js\"]\n";
    let script = ("start.sh", "#!/bin/sh\nchown -R node /data\nexec gosu node \"$@\"\n");
    let refused = answer(&app(EXPRESS, dockerfile, &[SERVER, script]), "slim");
    assert!(matches!(refused, Answer::Refused(why) if why.iter().any(|one| one.why.contains("gosu"))));
    let script = ("start.sh", "#!/bin/sh\nexec \"$@\"\n");
    let (text, _) = rewritten(&app(EXPRESS, dockerfile, &[SERVER, script]), "slim");
    has(
        &text,
        &[
            "COPY --chmod=755 start.sh /app/start.sh\n",
            "ENTRYPOINT [\"/app/start.sh\"]\nCMD [\"node\", \"server.js\"]",
        ],
    );
}

#[test]
fn what_the_file_says_stays_said() {
    let dockerfile = "# syntax=docker/dockerfile:1\r\n# check=skip=StageNameCasing\r\n\r\n# Ours.\r\n\r\nARG VERSION=24.1.0\r\n\
        FROM --platform=linux/amd64 node:${VERSION}-slim\r\nWORKDIR /srv\r\nCOPY . .\r\nRUN npm ci\r\n# who and what\r\nARG SHA\r\n\
        LABEL sha=$SHA \\\r\n  team=\"a b\"\r\nENV LANG C.UTF-8\r\nVOLUME /srv/up\r\nSTOPSIGNAL SIGINT\r\nEXPOSE 80/tcp\r\n\
        HEALTHCHECK --interval=5s --retries=9 CMD wget -qO- http://localhost/up\r\n# go\r\nCMD node server.js\r\n";
    let (text, _) = rewritten(&app(EXPRESS, dockerfile, &[SERVER]), "slim");
    has(
        &text,
        &[
            "# check=skip=StageNameCasing\n\n# Ours.\n\nARG VERSION=24.1.0\n",
            "FROM node:${VERSION}-slim AS base\nWORKDIR /srv\n",
            "FROM --platform=linux/amd64 node:${VERSION}-slim\n",
            "# who and what\nARG SHA\nLABEL sha=$SHA \\\n  team=\"a b\"\nENV LANG=C.UTF-8\nVOLUME /srv/up\nSTOPSIGNAL SIGINT\nEXPOSE 80/tcp\n",
            "COPY --from=prod-deps --chown=1000:1000 /srv/up ./up\n",
            "HEALTHCHECK --interval=5s --retries=9 \\\n  CMD [\"node\", \"-e\", \"fetch(",
            "# go\nCMD [\"node\", \"server.js\"]\n",
        ],
    );
    assert!(!text.contains('\r') && text.contains("'/up'"), "{text}");
}

#[test]
fn packages_that_run_need_a_base_that_has_them() {
    let dockerfile = "FROM node:24-alpine\nRUN apk add --no-cache ffmpeg font-noto\nCOPY . .\nRUN npm ci\nCMD node server.js\n";
    let project = app(EXPRESS, dockerfile, &[SERVER]);
    has(&rewritten(&project, "alpine").0, &["RUN apk add --no-cache ffmpeg font-noto\n"]);
    assert!(matches!(answer(&project, "slim"), Answer::Refused(why) if why[0].why.contains("font-noto")));
    // Without a wish, a base is chosen that fits.
    let Answer::Rewritten(chosen) = answer(&project, "") else { panic!("alpine fits") };
    assert_eq!(chosen.target, Some("alpine"));
    assert!(chosen.notes[0].contains("distroless has no package manager"), "{:?}", chosen.notes);
}

#[test]
fn a_good_file_is_left_alone() {
    let dockerfile = "FROM node:24-slim AS deps\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci --omit=dev\n\n\
        FROM gcr.io/distroless/nodejs24-debian13:nonroot\nWORKDIR /app\nENV NODE_ENV=production\n\
        COPY --from=deps /app/node_modules ./node_modules\nCOPY package.json server.js ./\nUSER 65532\nCMD [\"server.js\"]\n";
    let mut project = app(EXPRESS, dockerfile, &[SERVER]);
    project.dockerignore =
        Some(".git\n.aws\n.ssh\n**/node_modules\n**/.env*\n**/*.pem\n**/*.key\n*.log\ncoverage\n".to_owned());
    assert_eq!(answer(&project, ""), Answer::Fine);
    assert_eq!(answer(&project, "distroless"), Answer::Fine);
    assert!(rewritten(&project, "slim").1.faults[0].what.contains("--to slim"));
    project.dockerignore = Some("**/node_modules\npackage-lock.json\n".to_owned());
    let Answer::Rewritten(only) = answer(&project, "") else {
        panic!(".dockerignore leaves much to be wished")
    };
    assert_eq!((only.files.len(), only.target), (1, None));
    assert!(only.files[0].1.ends_with("!package-lock.json\n"), "{}", only.files[0].1);
}

#[test]
fn a_digest_is_never_lost() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let dockerfile =
        format!("FROM node:24.1-alpine3.22@{digest}\nCOPY . .\nRUN npm install\nCMD npm start\n");
    let (text, _) = rewritten(&app(EXPRESS, &dockerfile, &[SERVER]), "alpine");
    let image = format!("FROM node:24.1-alpine3.22@{digest}");
    assert_eq!(text.matches(&image).count(), 2, "{text}");
    assert!(!rewritten(&app(EXPRESS, &dockerfile, &[SERVER]), "distroless").0.contains(&digest));
}

#[test]
fn scripts_that_ask_for_lock_files_are_decided() {
    let run = |yarn: &str, npm: &str| {
        format!(
            "RUN if [ -f yarn.lock ]; then {yarn}; \\\n  elif [ -f package-lock.json ]; then {npm}; \\\n  else exit 1; fi\n"
        )
    };
    let dockerfile = format!(
        "FROM node:24-alpine AS base\nFROM base AS b\nWORKDIR /app\nCOPY . .\n{}{}FROM base\nWORKDIR /app\n\
         COPY --from=b /app/dist ./dist\nCOPY --from=b /app/node_modules ./node_modules\nUSER node\nCMD [\"node\", \"dist/a.js\"]\n",
        run("yarn --frozen-lockfile", "npm ci"),
        run("yarn build", "npm run build"),
    );
    let (text, _) = rewritten(&app(EXPRESS, &dockerfile, &[SERVER]), "distroless");
    has(&text, &["COPY . .\nRUN npm run build\n\n", "COPY --from=build /app/dist ./dist\n"]);
    assert!(!text.contains("yarn") && !text.contains("then"), "{text}");
}

#[test]
fn files_keep_the_names_they_are_given() {
    let dockerfile = "FROM node:24-alpine AS b\nWORKDIR /app\nCOPY . .\nRUN npm ci && npm run build\nFROM node:24-alpine\n\
        WORKDIR /app\nCOPY --from=b /app/dist/index.js ./server.js\nCOPY --from=b /app/node_modules ./node_modules\n\
        COPY config/live.json ./config/\nCOPY config/live.json /etc/app.json\nUSER node\nCMD [\"node\", \"server.js\"]\n";
    let (text, _) = rewritten(&app(EXPRESS, dockerfile, &[SERVER, ("config/live.json", "{}")]), "distroless");
    has(&text, &["COPY --from=build /app/dist/index.js ./server.js\n", "COPY config/live.json ./config/\n"]);
}

#[test]
fn names_with_blanks_are_names() {
    let dockerfile = "FROM node:24\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD node server.js\n";
    let (text, _) = rewritten(&app(EXPRESS, dockerfile, &[SERVER, ("a b.json", "")]), "distroless");
    has(&text, &["COPY [\"package.json\", \"a b.json\", \"server.js\", \"./\"]\n"]);
    let refused = answer(&app(EXPRESS, &dockerfile.replace("/app", "\"/my app\""), &[SERVER]), "distroless");
    assert!(matches!(refused, Answer::Refused(why) if why[0].why.contains("plain path")));
}
