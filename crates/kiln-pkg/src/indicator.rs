use serde::{Deserialize, Serialize};

use crate::Place;

/// A file that matters for hardening, whatever package it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Indicator {
    /// Why it matters.
    pub kind: IndicatorKind,
    /// The file.
    pub place: Place,
    /// A later layer deletes or replaces it; it is in the image, but no container sees it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

/// Why a file matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IndicatorKind {
    /// A command interpreter an intruder could use.
    Shell,
    /// A program that installs more programs.
    PackageManager,
    /// Runs as its owner, whoever starts it.
    SetUid,
    /// Runs as its group, whoever starts it.
    SetGid,
    /// Holds kernel capabilities, which it gains whoever starts it.
    FileCapabilities,
    /// Anyone may change it. A directory counts only without the sticky bit.
    WorldWritable,
    /// A source map of the app's: shows the sources behind the shipped code.
    SourceMap,
}

impl IndicatorKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Shell,
        Self::PackageManager,
        Self::SetUid,
        Self::SetGid,
        Self::FileCapabilities,
        Self::WorldWritable,
        Self::SourceMap,
    ];

    /// The name used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::PackageManager => "package-manager",
            Self::SetUid => "set-uid",
            Self::SetGid => "set-gid",
            Self::FileCapabilities => "file-capabilities",
            Self::WorldWritable => "world-writable",
            Self::SourceMap => "source-map",
        }
    }
}

/// Something that looks like a credential. The credential itself is never kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Secret {
    /// Stable name of the rule that found it, as `npm-token`.
    pub rule: String,
    /// The file, or a configuration key (`config.Env[3]`).
    pub place: Place,
    /// Its first characters and its length, as `npm_… (40 characters)`.
    pub shown: String,
    /// The file is no longer visible in the finished image, but anyone who pulls the image can still read it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// The file came with an installed npm package, so it is most likely a fixture that anyone can download.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub published: bool,
}
