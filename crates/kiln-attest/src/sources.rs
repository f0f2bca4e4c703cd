use kiln_oci::Digest;
use serde::{Deserialize, Serialize};

/// The commit that the sources of a build were taken from, and how they differ from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCommit {
    /// Address of the repository without credentials, as `https://git.example/org/app`; none where it has no remote, or one that
    /// is a place on this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// `refs/heads/main`; none where no branch is checked out.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Its name, in hexadecimal digits.
    pub commit: String,
    /// Folder of the app in it; empty for the top.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub folder: String,
    /// What is not as in the commit; none where every file that was built from is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<SourceChanges>,
}

/// How sources differ from their commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceChanges {
    /// Files that are changed, added or gone, sorted.
    pub files: Vec<String>,
    /// Names the difference: digest of the files that are changed or added, and of the names of those that are gone.
    pub digest: Digest,
}

impl SourceCommit {
    /// Where the sources are, as SLSA names it, where they are exactly those of the commit of a known repository:
    /// `git+https://git.example/org/app@refs/heads/main`.
    pub fn uri(&self) -> Option<String> {
        if self.changes.is_some() {
            return None;
        }
        let at = self.reference.as_deref().map(|name| format!("@{name}")).unwrap_or_default();
        self.repository.as_ref().map(|repository| format!("git+{repository}{at}"))
    }
}

impl std::fmt::Display for SourceCommit {
    /// For people, on one line: `commit 1a2b3c4d5e6f`, or `commit 1a2b3c4d5e6f, changed: server.js and 2 more files`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "commit {}", self.commit.get(..12).unwrap_or(&self.commit))?;
        match self.changes.as_ref().and_then(|changes| changes.files.split_first()) {
            None => Ok(()),
            Some((only, [])) => write!(f, ", changed: {only}"),
            Some((first, rest)) => write!(f, ", changed: {first} and {} more", rest.len()),
        }
    }
}
