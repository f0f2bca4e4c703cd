//! VEX documents: of files, of kiln.toml, and of statements on the image that a given key signed.

mod settings;

use std::path::{Path, PathBuf};

use kiln_attest::{Vex, predicate};
use kiln_disk::DOCUMENT_MAX;
use kiln_finding::{Class, Failure};
use kiln_images::{NamedImage, Place};
use kiln_proof::read_public;
use kiln_vuln::VexSource;

pub(crate) use self::settings::VexSettings;
use crate::context::Context;
use crate::output;
use crate::target::ScanTarget;

/// Which VEX documents are applied.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Statements {
    /// Apply this VEX document: OpenVEX or CycloneDX
    #[arg(long, value_name = "FILE")]
    vex: Vec<PathBuf>,
    /// Apply the VEX statements on the image that this public key signed
    #[arg(long, value_name = "FILE")]
    vex_key: Option<PathBuf>,
}

impl Statements {
    /// The documents of files: those of kiln.toml first, so that the command line overrules them.
    pub(crate) fn files(&self, settings: &VexSettings) -> Result<Vec<VexSource>, Failure> {
        settings.vex.iter().chain(&self.vex).map(|path| read(path)).collect()
    }

    /// The documents on the image that are signed by the key of the command line or of kiln.toml. Without a key none is believed;
    /// how many there are is said, and given.
    pub(crate) fn attested(
        &self,
        settings: &VexSettings,
        subject: &ScanTarget,
        context: &Context,
    ) -> Result<(Vec<VexSource>, usize), Failure> {
        let ScanTarget::Image(subject) = subject else { return Ok((Vec::new(), 0)) };
        let Some(path) = self.vex_key.as_ref().or(settings.vex_key.as_ref()) else {
            return Ok((Vec::new(), announced(subject, context)));
        };
        let (key, descriptor) = (read_public(path)?, &subject.image.descriptor);
        let report = kiln_proof::verify(subject.place(), descriptor, &key.into(), &[])?;
        let mut sources = Vec::new();
        for statement in &report.statements {
            let statement = statement.get();
            if !statement.predicate_type.starts_with(predicate::OPENVEX_FAMILY) {
                continue;
            }
            let document = statement.predicate.as_ref().map(ToString::to_string).unwrap_or_default();
            let place = format!("a statement on {} by {}", subject.text, path.display());
            sources.push(VexSource { place, document: Vex::read(document.as_bytes())? });
        }
        if !context.quiet {
            for (_, rejected) in report.rejected() {
                output::talk(&format!("not applied: a statement on {}: {}", subject.text, rejected.why));
            }
        }
        Ok((sources, 0))
    }
}

/// How many VEX documents lie on an image of this machine. A registry is not asked for what nobody wants to know.
fn announced(subject: &NamedImage, context: &Context) -> usize {
    let is_here = !matches!(subject.place(), Place::Registry(_));
    let digest = &subject.image.descriptor.digest;
    let count =
        if is_here { kiln_proof::count(subject.place(), digest, predicate::OPENVEX_FAMILY) } else { 0 };
    if count > 0 && !context.quiet {
        let documents = if count == 1 { "document lies" } else { "documents lie" };
        output::talk(&format!(
            "not applied: {count} VEX {documents} on {}; --vex-key says whose are believed",
            subject.text
        ));
    }
    count
}

fn read(path: &Path) -> Result<VexSource, Failure> {
    let bytes = kiln_disk::read_given(path, DOCUMENT_MAX).map_err(|error| {
        Failure::new("kiln.vex", Class::Usage, format!("read the VEX document {}", path.display()))
            .with_cause(error.to_string())
    })?;
    let document = Vex::read(&bytes).map_err(|error| {
        let mut failure = Failure::from(error);
        failure.causes.insert(0, failure.sentence());
        failure.what = format!("read the VEX document {}", path.display());
        failure
    })?;
    Ok(VexSource { place: path.display().to_string(), document })
}
