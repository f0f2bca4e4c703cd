//! Comments that allow findings, and the names that other tools have for rules.

use kiln_lint::{Linted, Profile, RULES, lint};

use crate::world::settings;

fn ids(linted: &Linted) -> Vec<&'static str> {
    linted.findings.iter().map(|finding| finding.id).collect()
}

fn look(text: &str) -> Linted {
    lint(text, None, &settings())
}

const OPEN: &str = "RUN mkdir /a && chmod 777 /a\nUSER 1000\n";

#[test]
fn a_comment_with_a_reason_allows() {
    for comment in [
        "# kiln: allow DF046 every pod has its own user",
        "# kiln: allow world_writable every pod has its own user",
        "# kiln: allow world-writable: every pod has its own user",
        "# kiln: allow DF010, DF046 every pod has its own user",
        "#kiln:allow DF046 so",
    ] {
        let linted = look(&format!("FROM alpine:3.23\n{comment}\n{OPEN}"));
        assert_eq!(ids(&linted), [""; 0], "{comment}");
        assert_eq!(linted.allowed.len(), 1, "{comment}");
    }
}

#[test]
fn without_a_reason_or_elsewhere_it_does_not() {
    assert_eq!(ids(&look(&format!("FROM alpine:3.23\n# kiln: allow DF046\n{OPEN}"))), ["DF090", "DF046"]);
    assert_eq!(ids(&look(&format!("# kiln: allow DF046 so\nFROM alpine:3.23\n{OPEN}"))), ["DF046"]);
    assert_eq!(
        ids(&look("FROM alpine:3.23\n# kiln: allow DF046 so\nRUN true\nRUN chmod 777 /a\nUSER 1000\n")),
        ["DF046"]
    );
}

#[test]
fn a_comment_inside_the_instruction_counts_too() {
    let text =
        "FROM alpine:3.23\nRUN mkdir /a && \\\n    # kiln: allow DF046 so\n    chmod 777 /a\nUSER 1000\n";
    assert_eq!(ids(&look(text)), [""; 0]);
}

#[test]
fn pragmas_of_others_are_honoured() {
    let add = "ADD a /a\nUSER 1000\n";
    assert_eq!(ids(&look(&format!("FROM alpine:3.23\n{add}"))), ["DF085"]);
    for text in [
        format!("FROM alpine:3.23\n# hadolint ignore=DL3020\n{add}"),
        format!("FROM alpine:3.23\n# hadolint ignore=DL3007,DL3020\n{add}"),
        format!("# hadolint global ignore=DL3020\nFROM alpine:3.23\n{add}"),
    ] {
        assert_eq!(ids(&look(&text)), [""; 0], "{text}");
    }
    let maintainer = "FROM alpine:3.23\nMAINTAINER x\nUSER 1000\n";
    for text in [
        format!("# check=skip=MaintainerDeprecated\n{maintainer}"),
        format!("# check=skip=all\n{maintainer}"),
        maintainer.replace("MAINT", "# check=skip=MaintainerDeprecated;error=true\nMAINT"),
    ] {
        assert_eq!(ids(&look(&text)), [""; 0], "{text}");
    }
    // `all` is all of BuildKit's, and root is not among them.
    assert_eq!(ids(&look("# check=skip=all\nFROM alpine:3.23\nRUN true\n")), ["DF023"]);
}

#[test]
fn every_check_of_buildkit_has_a_rule() {
    // InvalidBaseImagePlatform compares with the image in the registry, which this crate does not see.
    let checks = [
        "StageNameCasing",
        "FromAsCasing",
        "NoEmptyContinuation",
        "ConsistentInstructionCasing",
        "DuplicateStageName",
        "ReservedStageName",
        "JSONArgsRecommended",
        "MaintainerDeprecated",
        "UndefinedArgInFrom",
        "WorkdirRelativePath",
        "UndefinedVar",
        "MultipleInstructionsDisallowed",
        "LegacyKeyValueFormat",
        "RedundantTargetPlatform",
        "SecretsUsedInArgOrEnv",
        "InvalidDefaultArgInFrom",
        "FromPlatformFlagConstDisallowed",
        "CopyIgnoredFile",
        "InvalidDefinitionDescription",
        "ExposeProtoCasing",
        "ExposeInvalidFormat",
    ];
    for check in checks {
        assert!(RULES.iter().any(|rule| rule.aliases.contains(&check)), "{check}");
    }
}

#[test]
fn profiles_ask_more() {
    let text = "FROM node:24-slim\nWORKDIR /app\nENV NODE_ENV=production\nCOPY a.js ./\nUSER 1000\nEXPOSE 3000\nCMD [\"node\", \"a.js\"]\n";
    assert_eq!(ids(&look(text)), [""; 0]);
    let mut docker = settings();
    docker.profile = Some(Profile::Docker);
    assert_eq!(ids(&lint(text, None, &docker)), ["DF048"]);
}
