//! How the packages are installed: by the manager that wrote the lock file, from the lock file, and without the scripts
//! of packages that have no need for them.

use kiln_node::{Manager, is_for_desk, is_needless_script, native};

use crate::commands::Step;
use crate::{Project, Recipe, RewriteTarget};

/// What gets the packages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Install {
    /// What the install reads, by folder.
    pub(crate) manifests: Vec<(String, Vec<String>)>,
    /// Gets the package manager, where the builder lacks it.
    pub(crate) bootstrap: Option<String>,
    /// Everything, to build with.
    pub(crate) all: String,
    /// Only what runs.
    pub(crate) production: String,
    /// Takes away what only the build needs, in place of `production`.
    pub(crate) prune: Option<String>,
    /// Where the manager keeps what it downloaded.
    pub(crate) cache: &'static str,
    /// Packages whose install scripts run, of those that are shipped.
    pub(crate) natives: Vec<String>,
    /// The same with those that only build.
    pub(crate) addons: Vec<String>,
    /// Runs them.
    pub(crate) rebuild: Option<String>,
    /// The same where everything is installed.
    pub(crate) rebuild_all: Option<String>,
    /// Variables for the builder.
    pub(crate) env: Vec<(&'static str, String)>,
    /// The app's own lifecycle scripts that a build needs.
    pub(crate) own_scripts: Vec<String>,
}

/// Files beside the manifests that change what is installed.
const SETTINGS: [&str; 6] =
    [".npmrc", ".yarnrc", ".yarnrc.yml", ".pnpmfile.cjs", "pnpm-workspace.yaml", ".pnp.cjs"];
/// What a lock file of pnpm was most likely written by, where nothing says so.
const PNPM: &str = "9.15.9";
const YARN: &str = "1.22.22";

pub(crate) fn install(
    project: &Project,
    recipe: &Recipe,
    target: &RewriteTarget,
    node: u32,
    app: &str,
) -> Option<Install> {
    let manager = project.manager()?;
    let for_build = natives(project, true);
    let natives = natives(project, false);
    let own_scripts = own_scripts(project);
    let is_berry = project.facts.yarn.is_some();
    let mut install = Install {
        manifests: manifests(project),
        bootstrap: bootstrap(project, recipe, target, node, manager),
        natives,
        own_scripts,
        ..Install::default()
    };
    let is_generated = !install.own_scripts.is_empty() || generates(project, recipe);
    let only = project.package(app).name.as_ref().filter(|_| !app.is_empty());
    let only = only.map(|name| format!(" --filter \"{name}...\"")).unwrap_or_default();
    let (cache, all, production, prune) = match manager {
        Manager::Npm => (
            "/root/.npm",
            "npm ci --ignore-scripts",
            "npm ci --omit=dev --ignore-scripts".to_owned(),
            "npm prune --omit=dev --ignore-scripts",
        ),
        Manager::Pnpm => (
            "/root/.local/share/pnpm/store",
            "pnpm install --frozen-lockfile --ignore-scripts",
            format!("pnpm install --prod --frozen-lockfile --ignore-scripts{only}"),
            "pnpm prune --prod --ignore-scripts",
        ),
        Manager::Yarn if is_berry => (
            "/root/.yarn/berry/cache",
            "yarn install --immutable --mode=skip-build",
            "yarn workspaces focus --all --production".to_owned(),
            "yarn workspaces focus --all --production",
        ),
        // Its lock file alone leads nowhere: `Project::manager` knows no bun.
        Manager::Bun => return None,
        Manager::Yarn => (
            "/usr/local/share/.cache/yarn",
            "yarn install --frozen-lockfile --ignore-scripts --non-interactive",
            "yarn install --production --frozen-lockfile --ignore-scripts --non-interactive".to_owned(),
            "yarn install --production --frozen-lockfile --ignore-scripts --non-interactive",
        ),
    };
    install.cache = cache;
    all.clone_into(&mut install.all);
    install.production = production;
    install.prune = is_generated.then(|| prune.to_owned());
    match manager {
        Manager::Pnpm => install.env.push(("CI", "true".to_owned())),
        Manager::Yarn if is_berry => install.env.push(("YARN_ENABLE_SCRIPTS", "false".to_owned())),
        Manager::Yarn | Manager::Npm | Manager::Bun => {}
    }
    if !install.natives.is_empty() || !for_build.is_empty() {
        let rebuild = match manager {
            // yarn 1 has no such command, and npm works on what it installed.
            Manager::Npm | Manager::Yarn | Manager::Bun => "npm rebuild",
            Manager::Pnpm => "pnpm rebuild",
        };
        install.addons = [install.natives.clone(), for_build].concat();
        let command =
            |names: &[String]| (!names.is_empty()).then(|| format!("{rebuild} {}", names.join(" ")));
        install.rebuild = command(&install.natives);
        install.rebuild_all = command(&install.addons);
        // Addons are compiled against the headers beside Node, which need not be downloaded.
        install.env.extend(target.headers.clone().map(|folder| ("npm_config_nodedir", folder)));
    }
    Some(install)
}

/// Packages whose install scripts must run, because they compile an addon or fetch a part of themselves: those that run,
/// or those that only build.
fn natives(project: &Project, only_build: bool) -> Vec<String> {
    // The lock file of yarn 2 and newer does not tell of scripts, and yarn runs them by its own settings.
    let Some((_, lock)) = project.facts.lock.as_ref().filter(|_| project.facts.yarn.is_none()) else {
        return Vec::new();
    };
    let mut names: Vec<String> = Vec::new();
    for package in &lock.packages {
        // `prisma generate` fetches what these need.
        let is_prisma = matches!(package.name.as_str(), "prisma" | "@prisma/client" | "@prisma/engines");
        if is_prisma || is_needless_script(&package.name) || (package.is_dev == Some(true)) != only_build {
            continue;
        }
        let has_script = match (package.has_install_script, only_build) {
            (Some(has), false) => has,
            (Some(has), true) => has && is_known(&package.name, &package.version),
            // A lock file that does not tell is asked about packages that are known.
            (None, false) => is_known(&package.name, &package.version),
            (None, true) => false,
        };
        if has_script && !names.contains(&package.name) {
            names.push(package.name.clone());
        }
    }
    names.sort();
    names
}

/// Whether a package is known not to work without its install script.
fn is_known(name: &str, version: &str) -> bool {
    /// Versions before these fetched or compiled what later ones bring along.
    const UNTIL: [(&str, &str); 2] = [("sharp", "0.32"), ("sharp", "0.31")];
    let Some(native) = native(name) else { return false };
    let is_old = UNTIL.iter().any(|(old, line)| name == *old && version.starts_with(line));
    is_old || (native.script && !native.is_portable(version))
}

/// The app's own lifecycle scripts that do something for the build; `--ignore-scripts` would leave them out.
fn own_scripts(project: &Project) -> Vec<String> {
    let scripts = &project.facts.package.scripts;
    let of_install = ["preinstall", "install", "postinstall", "prepare"];
    let wanted = of_install.into_iter().filter(|name| {
        scripts.get(*name).is_some_and(|script| {
            let builds_only = *name == "prepare" && scripts.contains_key("build");
            !is_for_desk(script) && !builds_only
        })
    });
    wanted.map(str::to_owned).collect()
}

/// Whether something is generated into `node_modules`, which a fresh install would not have.
fn generates(project: &Project, recipe: &Recipe) -> bool {
    let builds = || {
        recipe
            .runs
            .iter()
            .any(|ran| matches!(&ran.step, Step::Build(text) if text.contains("prisma generate")))
    };
    let in_build =
        project.facts.package.scripts.get("build").is_some_and(|script| script.contains("prisma generate"));
    project.depends_on("@prisma/client") && (builds() || in_build)
}

fn manifests(project: &Project) -> Vec<(String, Vec<String>)> {
    let mut by_folder: Vec<(String, Vec<String>)> = Vec::new();
    let lock = project.lock_name().unwrap_or_default();
    let reveals = project.npmrc.as_deref().is_some_and(crate::secrets::has_credential);
    for path in &project.facts.files {
        let folder = path.parent().map(|parent| parent.as_str().to_owned()).unwrap_or_default();
        let name = path.file_name();
        let is_wanted = if folder.is_empty() {
            name == "package.json"
                || name == lock
                || (SETTINGS.contains(&name) && !(name == ".npmrc" && reveals))
        } else {
            (name == "package.json" && project.facts.workspace.contains_key(&folder))
                || folder == "patches"
                || folder.starts_with(".yarn/releases")
                || folder.starts_with(".yarn/plugins")
        };
        if is_wanted {
            match by_folder.iter_mut().find(|(known, _)| *known == folder) {
                Some((_, names)) => names.push(path.as_str().to_owned()),
                None => by_folder.push((folder, vec![path.as_str().to_owned()])),
            }
        }
    }
    by_folder.sort();
    for (_, names) in &mut by_folder {
        // As people write it: package.json first.
        names.sort_by_key(|name| (!name.ends_with("package.json"), name.starts_with('.'), name.clone()));
    }
    by_folder
}

fn bootstrap(
    project: &Project,
    recipe: &Recipe,
    target: &RewriteTarget,
    node: u32,
    manager: Manager,
) -> Option<String> {
    let pinned = project.facts.package.package_manager.as_deref().and_then(|pin| {
        let (name, version) = pin.split_once('@')?;
        (name == manager.as_str()).then(|| version.split('+').next().unwrap_or(version).to_owned())
    });
    let installed = recipe.runs.iter().find_map(|ran| match &ran.step {
        Step::Manager(Some(text)) => {
            let (name, version) = text.split_once('@')?;
            let is_exact =
                version.split('.').count() == 3 && version.starts_with(|c: char| c.is_ascii_digit());
            (name == manager.as_str() && is_exact).then(|| version.to_owned())
        }
        _ => None,
    });
    let is_there = target.managers.iter().any(|name| name == manager.as_str());
    // pnpm insists on the version that is pinned; what the builder has will do for the others.
    let is_fit = pinned.is_none() || manager != Manager::Pnpm;
    let version = pinned.or(installed);
    match manager {
        _ if is_there && is_fit && project.facts.yarn.is_none() => None,
        Manager::Npm | Manager::Bun => None,
        Manager::Pnpm => Some(format!("npm install --global pnpm@{}", version.as_deref().unwrap_or(PNPM))),
        Manager::Yarn => match &project.facts.yarn {
            Some(yarn) => {
                let version = yarn.version.clone().or(version)?;
                Some(format!("npm install --global --force @yarnpkg/cli-dist@{version}"))
            }
            // The official images before Node 26 come with it.
            None if node < 26 && !matches!(target.os.as_str(), "wolfi") && target.name != "dhi" => None,
            None => Some(format!("npm install --global yarn@{}", version.as_deref().unwrap_or(YARN))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::is_known;

    #[test]
    fn what_carries_its_build_needs_no_script() {
        for (name, version) in
            [("bcrypt", "5.1.1"), ("better-sqlite3", "12.4.1"), ("sharp", "0.32.6"), ("argon2", "0.31.0")]
        {
            assert!(is_known(name, version), "{name} {version}");
        }
        for (name, version) in
            [("bcrypt", "6.0.0"), ("argon2", "0.41.0"), ("sharp", "0.34.1"), ("express", "5.0.0")]
        {
            assert!(!is_known(name, version), "{name} {version}");
        }
    }
}
