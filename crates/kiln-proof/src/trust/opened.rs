//! A rule with its keys and roots.

use std::num::NonZeroUsize;
use std::sync::Arc;

use kiln_disk::{DOCUMENT_MAX, disk_failure, read_given};
use kiln_finding::Failure;
use kiln_images::Machine;
use kiln_trust::{Authority, Certified, Identity, ImageRule, Requirement};

use super::place::path;
use super::roots::root;
use super::rule::{Rule, Who, unfit};
use super::settings::TrustSettings;
use crate::keys::{key_below, read_public};
use crate::statements::predicate_type;

impl Rule {
    /// Everything that its verdict depends on besides the image: the files that it names, as they are now.
    pub(crate) fn inputs(&self, machine: &Machine, settings: &TrustSettings) -> Result<Vec<u8>, Failure> {
        let mut inputs = serde_json::to_vec(self).expect("a rule is texts and lists");
        let roots = settings.root_file().unwrap_or_else(|| path(machine));
        let roots = (!self.identities.is_empty()).then_some(roots).filter(|path| path.exists());
        for key in &self.keys {
            inputs.extend(read_public(&key_below(&settings.folder, key))?.spki());
        }
        if let Some(path) = roots {
            let bytes =
                read_given(&path, DOCUMENT_MAX).map_err(|error| disk_failure("read", &path, &error))?;
            inputs.extend(kiln_oci::Digest::of(&bytes).as_bytes());
        }
        Ok(inputs)
    }

    /// The rule with its keys and roots.
    pub(crate) fn open(&self, machine: &Machine, settings: &TrustSettings) -> Result<ImageRule, Failure> {
        let mut authorities = Vec::new();
        for key in &self.keys {
            authorities.push(Authority::from(read_public(&key_below(&settings.folder, key))?));
        }
        let identities: Vec<Identity> =
            self.identities.iter().map(Who::identity).collect::<Result<_, _>>()?;
        if !identities.is_empty() {
            let root = Arc::new(root(machine, settings, None)?);
            for (who, identity) in self.identities.iter().zip(identities) {
                let certified = Certified {
                    root: Arc::clone(&root),
                    identity,
                    needs_certificate_log: !who.ignore_sct,
                    logs: if who.ignore_tlog { 0 } else { who.logs.map_or(1, NonZeroUsize::get) },
                };
                authorities.push(Authority::Certificate(Box::new(certified)));
            }
        }
        if authorities.is_empty() {
            return Err(unfit(&self.images, "it names neither keys nor identities"));
        }
        if self.require.is_empty() {
            return Err(unfit(&self.images, "it requires nothing"));
        }
        let required: Result<_, Failure> =
            self.require.iter().map(|name| Ok(Requirement::of(&predicate_type(name)?))).collect();
        Ok(ImageRule { images: self.images.clone(), authorities, required: required? })
    }
}
