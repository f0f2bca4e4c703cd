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

    /// How far it is from what is wanted; `None` where it is another. Where no variant is wanted, the usual one is nearest.
    pub fn fits(&self, wanted: &Self) -> Option<usize> {
        if self.os != wanted.os || self.architecture != wanted.architecture {
            return None;
        }
        let usual = usual_variant(&self.architecture);
        let own = self.variant.as_deref().filter(|variant| !variant.is_empty()).or(usual);
        match wanted.variant.as_deref().or(usual) {
            wanted if wanted == own => Some(0),
            _ => wanted.variant.is_none().then_some(1),
        }
    }
}

/// The variant that is meant where none is written. Source: containerd, `platforms/defaults`.
fn usual_variant(architecture: &str) -> Option<&'static str> {
    match architecture {
        "arm64" => Some("v8"),
        "arm" => Some("v7"),
        _ => None,
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

impl FromStr for Platform {
    type Err = String;

    /// `OS/ARCHITECTURE[/VARIANT]`, or an architecture of Linux, by the names that people use.
    fn from_str(text: &str) -> Result<Self, String> {
        let is_word = |word: &str| {
            !word.is_empty()
                && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        };
        let words: Vec<&str> = text.split('/').collect();
        let (os, architecture, variant) = match words[..] {
            [architecture] => ("linux", architecture, None),
            [os, architecture] => (os, architecture, None),
            [os, architecture, variant] => (os, architecture, Some(variant)),
            _ => return Err(unread(text)),
        };
        if !words.iter().copied().all(is_word) {
            return Err(unread(text));
        }
        let (architecture, implied) = match architecture {
            "x86_64" | "x86-64" | "x64" => ("amd64", None),
            "aarch64" => ("arm64", None),
            "armhf" => ("arm", Some("v7")),
            "armel" => ("arm", Some("v6")),
            "i386" | "i686" => ("386", None),
            other => (other, None),
        };
        let variant = variant.or(implied).map(str::to_owned);
        Ok(Self { architecture: architecture.to_owned(), os: os.to_owned(), variant })
    }
}

fn unread(text: &str) -> String {
    format!("`{text}` is no platform; write linux/amd64, linux/arm64, linux/arm/v7")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        text.parse().unwrap()
    }

    #[test]
    fn reads_what_people_write() {
        for (text, shown) in [
            ("amd64", "linux/amd64"),
            ("linux/x86_64", "linux/amd64"),
            ("linux/aarch64", "linux/arm64"),
            ("linux/arm/v6", "linux/arm/v6"),
            ("armhf", "linux/arm/v7"),
            ("windows/amd64", "windows/amd64"),
        ] {
            assert_eq!(platform(text).to_string(), shown);
        }
        for text in ["", "/", "linux/", "linux/arm/v7/x", "linux/a b", "linux//v7"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_usual_variant_is_meant_where_none_is_written() {
        for (own, wanted, fits) in [
            ("linux/amd64", "linux/amd64", Some(0)),
            ("linux/arm64/v8", "linux/arm64", Some(0)),
            ("linux/arm64", "linux/arm64/v8", Some(0)),
            ("linux/arm/v6", "linux/arm", Some(1)),
            ("linux/arm/v7", "linux/arm", Some(0)),
            ("linux/arm/v6", "linux/arm/v7", None),
            ("linux/amd64/v3", "linux/amd64", Some(1)),
            ("windows/amd64", "linux/amd64", None),
            ("unknown/unknown", "linux/amd64", None),
        ] {
            assert_eq!(platform(own).fits(&platform(wanted)), fits, "{own} for {wanted}");
        }
    }
}
