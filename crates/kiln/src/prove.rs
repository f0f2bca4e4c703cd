//! Proof that a rewritten Dockerfile is better: both are built from a copy of the app, scanned and compared.

use std::path::Path;

use kiln_finding::Failure;
use kiln_image::Image;
use kiln_lint::Level;
use kiln_pkg::{Interest, InterestKind};
use kiln_sandbox::{collect_with, unpack};
use kiln_store::Layout;
use kiln_vuln::check;
use serde::Serialize;

use crate::context::Context;
use crate::dockerfile::{self, DockerfileOptions};
use crate::progress::{Stages, size};
use crate::scratch::Scratch;
use crate::{database, lint, subject};

/// Folders that no image is built from.
const NOT_COPIED: [&str; 2] = ["node_modules", ".git"];

/// Both sides of a proof.
#[derive(Serialize)]
pub(crate) struct Proof {
    /// Nothing, and why, where the old Dockerfile cannot be built here.
    pub(crate) before: Result<Side, String>,
    pub(crate) after: Side,
}

/// What came out of one Dockerfile.
#[derive(Serialize)]
pub(crate) struct Side {
    bytes: u64,
    layers: usize,
    user: String,
    shells: usize,
    packages: usize,
    vulnerabilities: usize,
    findings: usize,
}

/// Builds the app as it is and with `files` in place of its own. The app stays untouched.
pub(crate) fn prove(app: &Path, files: &[(String, String)], context: &Context) -> Result<Proof, Failure> {
    let scratch = Scratch::create(&context.cache_dir.join("spool"))?;
    let copy = scratch.path().join("app");
    let tree = collect_with(app, &mut |path, is_dir| !(is_dir && NOT_COPIED.contains(&path.file_name())))?;
    unpack(&tree, &copy)?;
    let layout = context.layout()?;
    let before = side(&copy, context, &layout).map_err(|failure| {
        let cause = failure.causes.last().map_or_else(String::new, |cause| format!(": {cause}"));
        format!("{}{cause}", failure.sentence())
    });
    for (name, text) in files {
        let path = copy.join(name);
        kiln_store::replace_file(&path, text.as_bytes())?;
    }
    Ok(Proof { before, after: side(&copy, context, &layout)? })
}

fn side(folder: &Path, context: &Context, layout: &Layout) -> Result<Side, Failure> {
    let stages = Stages::new(context.quiet);
    let options = DockerfileOptions::of(folder.join("Dockerfile"));
    let built = dockerfile::build(folder, &options, None, context, layout, &stages)?;
    stages.finish();
    let image = Image::read(layout, &built.manifest)?;
    let inventory = subject::inventory(&image, layout, context)?;
    let report = check(&database::newest(context)?.database, &inventory)?;
    let is_shell = |interest: &&Interest| interest.kind == InterestKind::Shell && !interest.deleted;
    let shells = inventory.interests.iter().filter(is_shell).count();
    let settings = lint::Choice::default().settings()?;
    let linted = lint::lint(&[folder.join("Dockerfile")], Some(folder), &settings)?;
    let findings = linted.iter().flat_map(|report| &report.linted.findings);
    let user = &image.config.config.user;
    Ok(Side {
        bytes: image.compressed_size(),
        layers: image.manifest.layers.len(),
        user: if user.is_empty() { "root".to_owned() } else { user.clone() },
        shells,
        packages: inventory.packages.len(),
        vulnerabilities: report.matches.len(),
        findings: findings.filter(|finding| finding.level != Level::Info).count(),
    })
}

impl Proof {
    /// The comparison as people read it.
    pub(crate) fn as_text(&self) -> String {
        let before = self.before.as_ref().ok();
        let mut table = kiln_report::Table::new(&["", "before", "after"]);
        let mut row = |what: &str, show: &dyn Fn(&Side) -> String| {
            table.row(vec![what.to_owned(), before.map_or_else(|| "-".to_owned(), show), show(&self.after)]);
        };
        row("size", &|side| size(side.bytes));
        row("layers", &|side| side.layers.to_string());
        row("user", &|side| side.user.clone());
        row("shells", &|side| side.shells.to_string());
        row("packages", &|side| side.packages.to_string());
        row("known vulnerabilities", &|side| side.vulnerabilities.to_string());
        row("findings in the Dockerfile", &|side| side.findings.to_string());
        match &self.before {
            Ok(_) => table.render(),
            Err(why) => format!("{}\nbefore: it could not be built here: {why}", table.render()),
        }
    }
}
