use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A CPU architecture kiln composes images for, in the names of OCI (and of Debian).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// x86-64.
    Amd64,
    /// 64-bit ARM.
    Arm64,
}

impl Arch {
    /// The name that OCI and Debian share.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// The name that npm and Node.js use (`process.arch`).
    pub fn npm_name(self) -> &'static str {
        match self {
            Self::Amd64 => "x64",
            Self::Arm64 => "arm64",
        }
    }

    /// The architecture this program was compiled for; `None` on one kiln does not compose images for.
    pub fn host() -> Option<Self> {
        match std::env::consts::ARCH {
            "x86_64" => Some(Self::Amd64),
            "aarch64" => Some(Self::Arm64),
            _ => None,
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Arch {
    type Err = String;

    /// Accepts `amd64`, `arm64`, their other usual names, and both with `linux/` before them.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("linux/").unwrap_or(text) {
            "amd64" | "x86_64" | "x64" => Ok(Self::Amd64),
            "arm64" | "aarch64" | "arm64/v8" => Ok(Self::Arm64),
            _ => Err(format!("`{text}` is not a platform kiln builds for; use linux/amd64 or linux/arm64")),
        }
    }
}

/// Where an image runs. Source: image-spec, image-index.md.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// CPU architecture, in Go's names.
    pub architecture: String,
    /// Operating system, in Go's names.
    pub os: String,
    /// CPU variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl Platform {
    /// Linux on `arch`.
    pub fn linux(arch: Arch) -> Self {
        Self { architecture: arch.as_str().to_owned(), os: "linux".to_owned(), variant: None }
    }
}
