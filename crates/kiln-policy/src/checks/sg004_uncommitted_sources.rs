use kiln_attest::SourceCommit;

use crate::verdict::{fail, need, not_applicable, pass};
use crate::{Check, Evidence, Judged, PolicySettings, Stage};

pub(super) static CHECK: Check = Check {
    id: "SG004",
    slug: "uncommitted-sources",
    title: "Sources committed",
    stage: Stage::Built,
    page: include_str!("../../tests/checks/SG004.md"),
    check,
};

const COMMIT: &str = "commit what is built from, or say in .dockerignore what is not";
const KNOW: &str = "build where the sources are in a git repository, with git installed";

fn check(evidence: &Evidence, settings: &PolicySettings) -> Judged {
    let found = need(&evidence.sources, KNOW);
    if let Ok(Some(commit @ SourceCommit { changes: None, .. })) = &found {
        let of = commit.repository.as_deref().map(|from| format!(" of {from}")).unwrap_or_default();
        return pass(format!("every file is as in {commit}{of}"));
    }
    if !settings.committed_sources {
        return not_applicable(match found {
            Ok(Some(commit)) => format!("{commit}, which [policy] committed-sources would refuse"),
            _ => "of no known commit, which [policy] committed-sources would refuse".to_owned(),
        });
    }
    let Some(commit) = found? else {
        return fail("the sources are in no git repository", COMMIT);
    };
    fail(commit.to_string(), COMMIT)
}
