use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::commands::Command;

/// Turns a Node.js app into a hardened, scanned, signed container image, and proves it.
#[derive(Parser)]
#[command(name = "kiln", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// What every command takes.
#[derive(clap::Args)]
pub(crate) struct Global {
    /// How results are written to standard output
    #[arg(long, global = true, value_enum, default_value_t = Output::Human)]
    pub(crate) format: Output,
    /// Say nothing on standard error but errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Use only what this machine already holds
    #[arg(long, global = true)]
    pub(crate) offline: bool,
    /// Read this file in place of kiln.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Keep images and keys here in place of the XDG data folder
    #[arg(long, global = true, value_name = "DIR", env = "KILN_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Keep downloads and build results here in place of the XDG cache folder
    #[arg(long, global = true, value_name = "DIR", env = "KILN_CACHE_DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
}

/// How results are written to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Human,
    /// For programs.
    Json,
    /// For programs that show findings in code (lint, check, scan).
    Sarif,
    /// For the log of a GitHub workflow (lint, check, scan).
    Github,
    /// For pages and pull requests (scan).
    Markdown,
    /// For the test reports of CI (scan).
    Junit,
    /// GitLab's report of container scanning, or of dependency scanning for what is no image (scan).
    Gitlab,
    /// CycloneDX with vulnerabilities and their analysis (scan).
    Cyclonedx,
    /// OpenVEX: what was taken out, and why (scan).
    Openvex,
}

/// What every command can write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Human,
    /// For programs.
    Json,
}

impl Output {
    /// The form that every command has which comes nearest.
    pub(crate) fn format(self) -> Format {
        match self {
            Self::Human | Self::Github | Self::Markdown | Self::Junit => Format::Human,
            Self::Json | Self::Sarif | Self::Gitlab | Self::Cyclonedx | Self::Openvex => Format::Json,
        }
    }
}
