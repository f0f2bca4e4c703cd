//! What holds for every Dockerfile: a rewrite parses, is rewritten no more, and runs as nobody's root.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use kiln_dockerfile::parse;
use kiln_node::{AppFacts, Lock, LockKind, PackageJson};
use kiln_rewrite::{Answer, Choice, Project, RewriteTarget, rewrite};
use kiln_rootfs::RootPath;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const PACKAGE: &str = r#"{
    "name": "app", "version": "1.0.0",
    "scripts": {"start": "node dist/server.js", "build": "tsc", "dev": "nodemon", "prepare": "husky"},
    "dependencies": {"express": "5.1.0", "bcrypt": "5.1.1"}, "devDependencies": {"typescript": "5.9.3"}
}"#;
const LOCK: &str = r#"{"lockfileVersion": 3, "packages": {
    "": {"dependencies": {"express": "5.1.0", "bcrypt": "5.1.1"}, "devDependencies": {"typescript": "5.9.3"}},
    "node_modules/express": {"version": "5.1.0", "integrity": "x"},
    "node_modules/bcrypt": {"version": "5.1.1", "integrity": "x", "hasInstallScript": true},
    "node_modules/typescript": {"version": "5.9.3", "integrity": "x", "dev": true}
}}"#;

/// Instructions that people write, in the order in which they mostly do.
const LINES: [&str; 44] = [
    "ARG NODE_ENV=production",
    "# where it lives",
    "WORKDIR /usr/src/app",
    "WORKDIR src",
    "ARG NPM_TOKEN",
    "ENV A=1 SECRET_KEY=2 NODE_ENV=production",
    "ENV B two words",
    "LABEL a=b",
    "MAINTAINER \"me\"",
    "RUN apt-get update && apt-get install -y python3 ffmpeg tini curl",
    "RUN apk add --no-cache dumb-init vips-dev",
    "RUN echo \"//r.invalid/:_authToken=$NPM_TOKEN\" > .npmrc",
    "SHELL [\"/bin/bash\", \"-c\"]",
    "COPY package*.json ./",
    "COPY . .",
    "ADD . /usr/src/app",
    "COPY --chown=node:node src ./src",
    "COPY docker-entrypoint.sh /usr/local/bin/",
    "RUN npm ci --only=production",
    "RUN npm install && npm run build && npm prune --production",
    "RUN npm i -g pm2@5 typescript",
    "RUN yarn install",
    "RUN npx tsc && rm -rf src",
    "RUN if [ -f a ]; then npm ci; fi",
    "RUN <<EOF\nnpm ci\nnpm run build\nEOF",
    "RUN ln -s /dev/stdout /var/log/app.log",
    "RUN mkdir -p data /var/lib/app && chown -R node data",
    "RUN chmod +x docker-entrypoint.sh",
    "RUN adduser -D app",
    "USER node",
    "USER 0",
    "USER 1000:1000",
    "VOLUME [\"/data\"]",
    "VOLUME /usr/src/app/uploads",
    "EXPOSE 3000 9229/udp",
    "STOPSIGNAL SIGINT",
    "HEALTHCHECK CMD curl -f http://localhost:3000/health",
    "HEALTHCHECK NONE",
    "ENTRYPOINT [\"tini\", \"--\"]",
    "ENTRYPOINT [\"docker-entrypoint.sh\"]",
    "CMD [\"npm\", \"start\"]",
    "CMD node dist/server.js",
    "CMD npx prisma migrate deploy && node dist/server.js",
    "CMD [\"node\", \"server.js\"]",
];
const BASES: [&str; 12] = [
    "node:24",
    "node:22-alpine3.22",
    "node:20.11-slim",
    "node:lts",
    "node",
    "gcr.io/distroless/nodejs20-debian12",
    "gcr.io/distroless/nodejs24-debian13:nonroot",
    "cgr.dev/chainguard/node:latest",
    "dhi.io/node:24-debian13",
    "debian:12",
    "alpine",
    "scratch",
];

fn project(dockerfile: String) -> Project {
    let file = |path: &str| RootPath::normalise(path).unwrap();
    let files = [
        "Dockerfile",
        "docker-entrypoint.sh",
        "package-lock.json",
        "package.json",
        "server.js",
        "src/server.ts",
    ];
    Project {
        dockerfile,
        npm_lock: Some(LOCK.to_owned()),
        facts: AppFacts {
            package: PackageJson::read("package.json", PACKAGE.as_bytes()).unwrap(),
            lock: Some((
                LockKind::PackageLock,
                Lock::read(LockKind::PackageLock, "x", LOCK.as_bytes()).unwrap(),
            )),
            files: files.into_iter().map(file).collect(),
            sources: [(file("server.js"), "app.listen(process.env.PORT || 3000)".to_owned())].into(),
            ..AppFacts::default()
        },
        scripts: [("docker-entrypoint.sh".to_owned(), "#!/bin/sh\nexec \"$@\"\n".to_owned())].into(),
        ..Project::default()
    }
}

fn stage() -> impl Strategy<Value = String> {
    (select(&BASES[..]), subsequence(&LINES[..], 0..14))
        .prop_map(|(base, lines)| format!("FROM {base} AS NAME\n{}\n", lines.join("\n")))
}

fn dockerfile() -> impl Strategy<Value = String> {
    (proptest::collection::vec(stage(), 1..4), any::<bool>(), any::<bool>()).prop_map(|(stages, copies, inherits)| {
        let mut text: String =
            stages.iter().enumerate().map(|(at, stage)| stage.replace("NAME", &format!("s{at}"))).collect();
        if inherits && stages.len() > 1 {
            // The last stage goes on where the first one ended.
            let from = text.rfind("FROM ").unwrap_or_default();
            let end = text[from..].find(" AS ").unwrap_or_default();
            text.replace_range(from..from + end, "FROM s0");
        }
        if copies && stages.len() > 1 {
            text.push_str("COPY --from=s0 /usr/src/app/dist ./dist\nCOPY --from=s0 /usr/src/app/node_modules node_modules\n");
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn a_rewrite_is_a_fixed_point_and_no_root(text in dockerfile(), target in 0..7_usize, may in any::<bool>()) {
        let choice = Choice {
            target: RewriteTarget::all().get(target),
            may_change_node: may,
            today: "2026-11-21".to_owned(),
        };
        let before = project(text.clone());
        let Answer::Rewritten(rewritten) = rewrite(&before, &choice) else { return Ok(()) };
        let mut after = before;
        for (name, text) in &rewritten.files {
            match name.as_str() {
                "Dockerfile" => after.dockerfile.clone_from(text),
                ".dockerignore" => after.dockerignore = Some(text.clone()),
                ".npmrc" => after.npmrc = Some(text.clone()),
                other => prop_assert!(false, "{other}"),
            }
        }
        let file = parse(&after.dockerfile);
        prop_assert!(!file.has_errors(), "{:?}\n{}\n{}", file.problems, text, after.dockerfile);
        let shown = format!("{text}\n---\n{}", after.dockerfile);
        prop_assert_eq!(rewrite(&after, &choice), Answer::Fine, "{}", shown);
        if rewritten.target.is_some() {
            prop_assert!(after.dockerfile.contains("\nUSER 65532:65532\n") || after.dockerfile.contains("\nUSER 1000:1000\n"));
            let leaks = ["SECRET_KEY=", "ARG NPM_TOKEN", "npm install &&", "MAINTAINER", "RUN then ", "RUN fi"];
            prop_assert!(!leaks.iter().any(|leak| after.dockerfile.contains(leak)), "{}", shown);
        }
    }

    #[test]
    fn nothing_panics(text in "(FROM|RUN|COPY|CMD|ENV|ARG|# |\\\\\n|\\[|\"|a|/| |\n|\\$\\{|\\}|<<EOF|--from=){0,40}") {
        let choice = Choice { today: "2026-11-21".to_owned(), ..Choice::default() };
        drop(rewrite(&project(text), &choice));
    }
}
