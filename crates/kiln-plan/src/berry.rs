//! How yarn 2 and newer installs: one step fetches by yarn's own settings, and those after it have no network.

use kiln_node::{AppFacts, Linker, Lock, PackageJson, Yarn};
use kiln_pkg::version::SemVer;
use serde_json::Value;

use crate::error::ErrorKind;
use crate::{Error, Start, Step};

/// Where a package and the app are in the image.
const TABLE: &str = "/app/.pnp.cjs";
const LOADER: &str = "/app/.pnp.loader.mjs";

/// How the name of a module of ECMAScript ends, whatever package.json says.
const MODULE: &str = ".mjs";

/// The first release whose loader Node.js 20 and newer was seen to take.
const FIRST_LOADER: (u64, u64, u64) = (3, 2, 3);

/// Yarn at the version that the app asks for.
pub(crate) struct Berry<'a> {
    pub(crate) version: &'a str,
    pub(crate) linker: Linker,
    major: u64,
    has_workspace: bool,
    /// What the app tells yarn itself to run the scripts of, as it is written.
    built: Vec<String>,
}

impl<'a> Berry<'a> {
    /// The error says what is not known of it, or what it would fetch that is not from a registry.
    pub(crate) fn of(facts: &'a AppFacts, yarn: &'a Yarn, lock: &Lock) -> Result<Self, Error> {
        let unfit =
            |why: String, help: &str| -> Error { ErrorKind::Yarn { why, help: help.to_owned() }.into() };
        let version = yarn.version.as_deref().ok_or_else(|| {
            unfit(
                "nothing says which yarn wrote `yarn.lock`".to_owned(),
                "write it into package.json: `yarn set version 4.9.2`, or the one you have",
            )
        })?;
        let exact = SemVer::parse(version).filter(|version| version.major > 1);
        let major = exact.map(|version| version.major).ok_or_else(|| {
            unfit(format!("`yarn.lock` was written by yarn 2 or newer, and `yarn@{version}` is no exact version of one"), "run `yarn set version stable`")
        })?;
        if major == 2 && yarn.linker == Linker::Pnp {
            return Err(unfit(
                "yarn 2 keeps packages in archives that today's Node.js does not read".to_owned(),
                "run `yarn set version stable` and `yarn install`, or write `nodeLinker: node-modules` into .yarnrc.yml",
            ));
        }
        if let Some(package) = lock.packages.iter().find(|package| package.elsewhere.is_some()) {
            return Err(unfit(
                format!(
                    "`yarn.lock` takes `{}` from elsewhere than a registry, which may run its code while it is fetched",
                    package.name
                ),
                "publish it to a registry, or make it a project of the workspace",
            ));
        }
        Ok(Self {
            version,
            linker: yarn.linker,
            major,
            has_workspace: !facts.workspace.is_empty(),
            built: built(&facts.package),
        })
    }

    /// What installs everything, or what production needs. `natives` run their scripts, and no others.
    pub(crate) fn install_steps(&self, natives: &[String], production: bool) -> Vec<Step> {
        let skip = if self.major == 2 { "--skip-builds" } else { "--mode=skip-build" };
        let mut steps = vec![Step::downloading(&format!("yarn install --immutable {skip}"))];
        if !production && natives.is_empty() {
            return steps;
        }
        // The second install has what the first fetched. Scripts of the app run later, over the app.
        let what = if production { "scripts devDependencies" } else { "scripts" };
        let all = if self.has_workspace { " --workspaces --include-workspace-root" } else { "" };
        steps.push(Step::new(&format!("npm pkg delete {what}{all}")));
        let meta = |verb: &str, name: &String, more: &str| {
            let mut step = Step::new(&format!("npm pkg {verb}"));
            step.argv.push(format!("dependenciesMeta[{name}].built{more}"));
            step
        };
        // Whom yarn is told of was decided already, with what kiln.toml says.
        steps.extend(self.built.iter().map(|name| meta("delete", name, "")));
        steps.extend(natives.iter().map(|name| meta("set --json", name, "=true")));
        let skip = if natives.is_empty() { format!(" {skip}") } else { String::new() };
        steps.push(Step::new(&format!("yarn install --no-immutable{skip}")));
        steps
    }

    /// Loads yarn's table of packages before the app, where node finds them by that.
    pub(crate) fn load_table(&self, facts: &AppFacts, yarn: &Yarn, start: &mut Start) -> Result<(), Error> {
        if self.linker != Linker::Pnp {
            return Ok(());
        }
        let is_installed = |word: &&String| {
            word.trim_start_matches("../").trim_start_matches("./").starts_with("node_modules/")
        };
        if let Some(file) = start.argv.iter().find(is_installed) {
            let why = format!(
                "the app starts `{file}`, and with Plug'n'Play there is no such file: packages are in archives"
            );
            let help = "write a file that imports what starts, and start that; or write `nodeLinker: node-modules` into .yarnrc.yml";
            return Err(ErrorKind::Yarn { why, help: help.to_owned() }.into());
        }
        let is_module =
            |package: &PackageJson| package.module_type.as_ref().is_some_and(|kind| kind == "module");
        let has_loader = yarn.has_loader || facts.projects().any(|(_, package)| is_module(package));
        // Its imports are not found without the loader, which yarn may have written for a dependency that is a module.
        if let Some(entry) = start.argv.iter().find(|word| word.ends_with(MODULE)).filter(|_| !has_loader) {
            let why =
                format!("the app starts the module `{entry}`, and nothing says that yarn writes its loader");
            let help = "write `pnpEnableEsmLoader: true` or `nodeLinker: node-modules` into .yarnrc.yml and install again";
            return Err(ErrorKind::Yarn { why, help: help.to_owned() }.into());
        }
        let mut first = vec!["--require", TABLE];
        if has_loader
            && SemVer::parse(self.version)
                .is_none_or(|yarn| (yarn.major, yarn.minor, yarn.patch) < FIRST_LOADER)
        {
            let why = format!(
                "the loader of modules that yarn {} writes ends today's Node.js at once",
                self.version
            );
            let help = "run `yarn set version stable` and `yarn install`, or write `nodeLinker: node-modules` into .yarnrc.yml";
            return Err(ErrorKind::Yarn { why, help: help.to_owned() }.into());
        }
        if has_loader {
            first.extend(["--experimental-loader", LOADER]);
        }
        start.argv.splice(0..0, first.into_iter().map(str::to_owned));
        Ok(())
    }
}

/// The packages whose scripts yarn runs whatever `enableScripts` says.
fn built(package: &PackageJson) -> Vec<String> {
    let meta = package.dependencies_meta.as_ref().and_then(Value::as_object);
    let is_built = |about: &Value| about["built"] == true;
    meta.into_iter().flatten().filter(|(_, about)| is_built(about)).map(|(name, _)| name.clone()).collect()
}
