//! Proof that a rewritten Dockerfile is better: both are built from a copy of the app, scanned and compared.

use std::path::Path;

use kiln_app::{Folder, INSTALLED};
use kiln_disk::Scratch;
use kiln_executor::dockerfile::{self, Options};
use kiln_finding::{Failure, size};
use kiln_image::Image;
use kiln_lint::Level;
use kiln_pkg::{Indicator, IndicatorKind};
use kiln_rootfs::{Kind, Tree};
use kiln_sandbox::unpack;
use kiln_store::Layout;
use kiln_vuln::check;
use serde::Serialize;

use crate::context::Context;
use crate::lint;
use crate::progress::Stages;

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
    let scratch = Scratch::create(&context.machine.cache_dir.join("spool"))?;
    let copy = scratch.path().join("app");
    unpack(&copied(app)?, &copy)?;
    let layout = context.machine.layout()?;
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

/// The app without what is installed, which no image is built from.
fn copied(app: &Path) -> Result<Tree, Failure> {
    let folder = Folder::open(app)?;
    let (mut tree, missed) = folder.everything(&INSTALLED);
    if let Some(missed) = missed.first() {
        return Err(missed.failure(folder.place()));
    }
    tree.retain(|path, entry| !(matches!(entry.kind, Kind::Dir) && INSTALLED.contains(&path.file_name())));
    Ok(tree)
}

fn side(folder: &Path, context: &Context, layout: &Layout) -> Result<Side, Failure> {
    let stages = Stages::new(context.quiet);
    // As this machine would build it, with its npm settings.
    let options = Options { file: Some(folder.join("Dockerfile")), npm_settings: true, ..Options::default() };
    let settings = context.config.of_builds();
    let manifest = dockerfile::build(folder, &options, &settings, &context.machine, layout, &stages)?;
    stages.finish();
    let image = Image::read(layout, &manifest)?;
    let inventory = kiln_proof::inventory(&image, layout, &context.machine)?;
    let database = kiln_proof::advisories::newest(&context.machine)?.database;
    let report = check(&database, &inventory, &context.config.database.terms())?;
    let is_shell = |indicator: &&Indicator| indicator.kind == IndicatorKind::Shell && !indicator.deleted;
    let shells = inventory.indicators.iter().filter(is_shell).count();
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
