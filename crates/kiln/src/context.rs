use std::path::{Path, PathBuf};

use kiln_finding::Failure;
use kiln_images::Machine;

use crate::config::Config;
use crate::folders::{InUse, say_damaged};
use crate::global::{Format, Global};
use crate::output;

/// What a command may know of the world around it.
pub(crate) struct Context {
    pub(crate) format: Format,
    /// What was asked for, where a command knows more forms.
    pub(crate) output: &'static kiln_report::Format,
    pub(crate) quiet: bool,
    /// kiln.toml of the folder that the command is about, or the file named on the command line.
    pub(crate) config: Config,
    pub(crate) machine: Machine,
    in_use: Option<InUse>,
}

impl Context {
    /// `project` is the folder whose kiln.toml counts, where one does.
    pub(crate) fn new(global: Global, project: Option<&Path>) -> Result<Self, Failure> {
        let config = project.map(|project| Config::read(global.config.as_deref(), project));
        let config = config.transpose()?.unwrap_or_default();
        let machine = Machine {
            data_dir: folder(global.data_dir, "XDG_DATA_HOME", ".local/share")?,
            cache_dir: folder(global.cache_dir, "XDG_CACHE_HOME", ".cache")?,
            offline: global.offline,
            registry: config.registry.clone(),
            on_damage: say_damaged,
        };
        Ok(Self {
            format: Format::of(global.format),
            output: global.format,
            quiet: global.quiet,
            config,
            machine,
            in_use: None,
        })
    }

    /// Says that an image is not where its name says.
    pub(crate) fn say_note(&self, note: Option<&str>) {
        if let Some(note) = note.filter(|_| !self.quiet) {
            output::talk(&format!("note: {note}"));
        }
    }

    /// The same for a command that uses what is kept: until it ends, nothing of that is pruned.
    pub(crate) fn in_use(mut self) -> Result<Self, Failure> {
        let in_use = InUse::begin(&self.machine.data_dir, &self.machine.cache_dir, self.quiet)?;
        if let Some(stand_in) = in_use.stand_in() {
            self.machine.cache_dir = stand_in;
        }
        self.in_use = Some(in_use);
        Ok(self)
    }
}

/// What the user named, else kiln's folder under an XDG base folder (XDG Base Directory Specification 0.8). Steps run in other
/// folders than this process, so it is one from the root on.
fn folder(named: Option<PathBuf>, variable: &str, below_home: &str) -> Result<PathBuf, Failure> {
    if let Some(named) = named {
        return std::path::absolute(&named).map_err(|error| {
            Failure::usage(format!("find the folder `{}`", named.display())).with_cause(error.to_string())
        });
    }
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(variable)
        .or_else(|| absolute("HOME").map(|home| home.join(Path::new(below_home))))
        .map(|base| base.join("kiln"))
        .ok_or_else(|| {
            Failure::usage(format!("find a folder to keep things in: neither {variable} nor HOME is set"))
                .with_help("set HOME, or pass --data-dir and --cache-dir")
        })
}
