use std::collections::BTreeMap;
use std::sync::Arc;

use rpds::{RedBlackTreeMapSync, RedBlackTreeSetSync, VectorSync};

use super::{Error, Lookup, expand};
use crate::ArgDecl;

/// Arguments that need no `ARG`: every `RUN` sees them where they are given. Neither history nor cache keys do.
pub const PREDEFINED: [&str; 10] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "FTP_PROXY",
    "ftp_proxy",
    "NO_PROXY",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// Arguments that a builder sets by itself: on every `FROM` line, and in a stage after a bare `ARG NAME`.
pub const PLATFORM: [&str; 11] = [
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDOSVERSION",
    "BUILDARCH",
    "BUILDVARIANT",
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETOSVERSION",
    "TARGETARCH",
    "TARGETVARIANT",
    "TARGETSTAGE",
];

/// A name and its value, where it has one.
pub type Variable = (String, Option<String>);

/// The variables that instructions see, from one instruction to the next.
///
/// `ENV` and `ARG` write the same variables, so the last of them counts. One instruction sees what was set before it:
/// expand all of its words before writing any. A clone shares what it has in common with the other: every instruction of a long
/// file may keep one.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    build_args: Arc<BTreeMap<String, String>>,
    /// What the arguments before the first `FROM` are; empty in the global scope itself.
    globals: RedBlackTreeMapSync<String, String>,
    values: RedBlackTreeMapSync<String, String>,
    args: VectorSync<Variable>,
    declared: RedBlackTreeSetSync<String>,
}

impl Scope {
    /// The scope of `ARG` before the first `FROM`, and of the `FROM` lines. `build_args` are those of the command line,
    /// `automatic` are the values of [`PLATFORM`].
    pub fn global(build_args: BTreeMap<String, String>, automatic: BTreeMap<String, String>) -> Self {
        let values = automatic.into_iter().map(|(name, value)| {
            let value = build_args.get(&name).cloned().unwrap_or(value);
            (name, value)
        });
        let values = values.collect();
        Self { build_args: Arc::new(build_args), values, ..Self::default() }
    }

    /// The scope of a stage, called on the global one. `env` is the environment of the image it starts from. A stage
    /// that starts from a stage gets a clone of that stage's scope.
    pub fn stage(&self, env: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            build_args: Arc::clone(&self.build_args),
            globals: self.values.clone(),
            values: env.into_iter().collect(),
            ..Self::default()
        }
    }

    /// What an `ARG` does. Returns its names with the values they have now.
    pub fn declare(&mut self, args: &[ArgDecl], escape: char) -> Result<Vec<Variable>, Error> {
        let mut declared = Vec::new();
        for arg in args {
            let name = &arg.name.value;
            let value = match (self.build_args.get(name), &arg.default) {
                (Some(given), _) => Some(given.clone()),
                (None, Some(default)) => Some(expand(&default.value, self, escape)?.value),
                (None, None) => self.globals.get(name).cloned(),
            };
            if let Some(value) = &value {
                self.values.insert_mut(name.clone(), value.clone());
            }
            declared.push((name.clone(), value));
        }
        for (name, value) in &declared {
            self.declared.insert_mut(name.clone());
            self.args.push_back_mut((name.clone(), value.clone()));
        }
        Ok(declared)
    }

    /// What an `ENV` does with one pair.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.values.insert_mut(name.into(), value.into());
    }

    /// All variables that are set, by name.
    pub fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What was declared with `ARG` so far, in that order; a name may come twice.
    pub fn args(&self) -> impl Iterator<Item = &Variable> {
        self.args.iter()
    }

    /// Whether an `ARG` declared this name so far.
    pub fn is_declared(&self, name: &str) -> bool {
        self.declared.contains(name)
    }
}

impl Lookup for Scope {
    fn get(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }
}
