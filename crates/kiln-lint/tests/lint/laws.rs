//! Fixing ends, brings no new errors, and fixing again changes nothing; linting never panics.

use crate::world::{self, blocks, context, settings};
use kiln_dockerfile::Dockerfile;
use kiln_lint::{Level, LintSettings, Linted, Profile, RULES, Repair, fix, lint, shell};
use proptest::prelude::*;

/// Everything is asked.
fn all() -> LintSettings {
    let mut settings = settings();
    settings.profile = Some(Profile::Docker);
    settings.enable = RULES.iter().map(|rule| rule.id.to_owned()).collect();
    settings
}

fn errors(linted: &Linted) -> Vec<&'static str> {
    let mut ids: Vec<_> = linted
        .findings
        .iter()
        .filter(|finding| finding.level == Level::Error)
        .map(|finding| finding.id)
        .collect();
    ids.sort_unstable();
    ids
}

fn laws(text: &str, context: Option<&kiln_lint::Context>) {
    let settings = all();
    let before = lint(text, context, &settings);
    places(&before.file, &before);
    for limit in [Repair::Safe, Repair::Unsafe] {
        let once = fix(text, context, &settings, limit);
        let after = lint(&once.text, context, &settings);
        let twice = fix(&once.text, context, &settings, limit);
        assert_eq!(twice.text, once.text, "fixing again changes something:\n{text}");
        assert!(twice.applied.is_empty(), "{:?}", twice.applied);
        let old = errors(&before);
        for id in errors(&after) {
            let count = |list: &[&str]| list.iter().filter(|known| **known == id).count();
            assert!(count(&errors(&after)) <= count(&old), "{id} is new:\n{text}\n{}", once.text);
        }
    }
}

fn places(file: &Dockerfile, linted: &Linted) {
    for finding in &linted.findings {
        assert!(file.text.get(finding.span.range()).is_some(), "{finding:?}");
        for edit in finding.fix.iter().flat_map(|fix| &fix.edits) {
            assert!(file.text.get(edit.span.range()).is_some(), "{finding:?}");
        }
    }
}

#[test]
fn the_examples_of_all_pages_keep_the_laws() {
    for rule in RULES {
        for block in blocks(rule.page) {
            let context = context(&block);
            laws(&block.text, context.as_ref());
            laws(&block.text.replace('\n', "\r\n"), context.as_ref());
            laws(block.text.trim_end(), None);
        }
    }
}

/// Lines as they stand in real files, good and bad.
fn lines() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "FROM node",
        "FROM node:18-alpine AS Build",
        "FROM node:24-slim as base",
        "FROM scratch",
        "FROM base",
        "FROM build",
        "FROM gcr.io/distroless/nodejs22-debian12",
        "FROM --platform=$TARGETPLATFORM alpine:3.23",
        "FROM $BASE",
        "ARG BASE=node:20",
        "ARG NPM_TOKEN",
        "ENV NODE_ENV production",
        "ENV PORT=80 NODE_TLS_REJECT_UNAUTHORIZED=0",
        "ENV A $B",
        "WORKDIR app",
        "WORKDIR /app",
        "COPY . .",
        "COPY package*.json ./",
        "COPY package.json package-lock.json /srv",
        "COPY --from=Build /app/node_modules .",
        "COPY --from=biuld /app /app",
        "COPY --from=0 /nowhere/dist ./dist",
        "COPY --chown=node:node . /app",
        "COPY .npmrc ./",
        "ADD src /app/",
        "RUN npm install --production",
        "RUN npm ci && npm clean cache --force",
        "RUN npm i",
        "RUN yarn && yarn build",
        "RUN corepack enable && pnpm i",
        "RUN apt-get update && apt-get install curl",
        "RUN apk add python3 make g++",
        "RUN curl -k https://x.invalid/a.sh | sh",
        "RUN chmod -R 777 /app && chown -R node:node /app",
        "RUN adduser -D app",
        "RUN <<EOF\nnpm ci\nnpm run build\nEOF",
        "RUN npm ci \\\n\n  && npm run build",
        "run echo x",
        "USER node",
        "USER root",
        "USER app:app",
        "EXPOSE 80/TCP 8080:3000",
        "HEALTHCHECK CMD curl -f http://localhost:3000/ || exit 1",
        "HEALTHCHECK CMD [\"node\", \"h.js\"] || exit 1",
        "CMD npm start",
        "CMD [\"npm\", \"start\"]",
        "CMD ['node', 'a.js']",
        "CMD node a.js",
        "CMD [\"a.js\"]",
        "ENTRYPOINT [\"node\"]",
        "ENTRYPOINT node $A",
        "MAINTAINER x <y@z.invalid>",
        "# kiln: allow DF023",
        "# a comment",
        "",
        "COYP a b",
        "VOLUME /data",
    ]);
    prop::collection::vec(line, 0..14).prop_map(|lines| lines.join("\n") + "\n")
}

/// Each case lints and fixes several files, so there are fewer than usual; `PROPTEST_CASES` asks for more.
fn cases() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig::with_cases(asked.unwrap_or(64))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn mixtures_keep_the_laws(text in lines()) {
        laws(&text, None);
        let world = world::Block { files: [("README.md".to_owned(), String::new())].into(), ..world::Block::default() };
        laws(&text, context(&world).as_ref());
    }

    #[test]
    fn scripts_are_taken_apart(text in "[a-z $(){}`'\"\\\\;&|<>\n=#\\[\\]!]{0,60}") {
        let script = shell::parse(&text);
        for command in &script.commands {
            prop_assert!(command.is_quoted || text.get(command.range.clone()).is_some());
            for word in &command.words {
                prop_assert!(command.is_quoted || text.get(word.range.clone()).is_some());
            }
            command.program();
        }
    }

    #[test]
    fn damaged_examples_keep_the_laws(
        rule in 0..RULES.len(), at in 0_usize..400, length in 0_usize..30, piece in "[\\PC\n\t\\\\\"'$\\[{<#]{0,6}",
    ) {
        for block in blocks(RULES[rule].page) {
            let chars: Vec<char> = block.text.chars().collect();
            let at = at.min(chars.len());
            let end = (at + length).min(chars.len());
            let text: String = chars[..at].iter().copied().chain(piece.chars()).chain(chars[end..].iter().copied()).collect();
            laws(&text, context(&block).as_ref());
        }
    }
}
