use kiln_dockerfile::Scope;
use kiln_oci::{Arch, ImageConfig};
use serde_json::Value;

use super::{Origin, StepId};

/// Where programs are looked for if an image does not say.
pub(super) const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A stage between two of its instructions.
#[derive(Clone, Debug)]
pub(super) struct StageState {
    pub(super) top: StepId,
    pub(super) config: ImageConfig,
    pub(super) arch: Arch,
    pub(super) scope: Scope,
    pub(super) history: Vec<(String, Option<StepId>)>,
    /// `CMD` stood in this stage, so that `ENTRYPOINT` does not drop it.
    pub(super) cmd_set: bool,
    pub(super) origin: Origin,
}

impl StageState {
    pub(super) fn new(top: StepId, config: ImageConfig, arch: Arch, scope: Scope) -> Self {
        Self { top, config, arch, scope, history: Vec::new(), cmd_set: false, origin: Origin::default() }
    }

    /// What holds in every stage from its start.
    pub(super) fn start(&mut self) {
        let config = &mut self.config.config;
        if config.env_value("PATH").is_none() {
            config.env.insert(0, format!("PATH={DEFAULT_PATH}"));
            self.scope.set("PATH", DEFAULT_PATH);
        }
    }

    /// The instructions that the base image left, which are gone from the result.
    pub(super) fn take_triggers(&mut self) -> Vec<String> {
        let list = self.config.config.other.remove("OnBuild");
        let Some(Value::Array(list)) = list else { return Vec::new() };
        list.into_iter().filter_map(|text| text.as_str().map(str::to_owned)).collect()
    }

    /// What runs the lines that are no lists.
    pub(super) fn shell(&self) -> Vec<String> {
        let default = || vec!["/bin/sh".to_owned(), "-c".to_owned()];
        self.config.config.shell.clone().filter(|shell| !shell.is_empty()).unwrap_or_else(default)
    }

    /// A path below the working directory, unless it is absolute. A slash at the end stays.
    pub(super) fn path(&self, path: &str) -> String {
        if path.starts_with('/') {
            return path.to_owned();
        }
        let folder = path.is_empty() || path == "." || path.ends_with("/.");
        let joined = format!("{}/{path}", self.config.config.working_dir.trim_end_matches('/'));
        if folder { format!("{joined}/") } else { joined }
    }

    /// Where commands run.
    pub(super) fn folder(&self) -> &str {
        let folder = &self.config.config.working_dir;
        if folder.is_empty() { "/" } else { folder }
    }

    pub(super) fn note(&mut self, text: String, step: Option<StepId>) {
        self.history.push((text, step));
    }
}
