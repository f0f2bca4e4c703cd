//! Programs that packages for development bring, and scripts that need them.

use kiln_node::PackageJson;

use crate::shell::{self, Joined, SimpleCommand};

/// Programs of packages for development whose names differ from their packages'.
const TOOLS: [(&str, &str); 22] = [
    ("tsc", "typescript"),
    ("nest", "@nestjs/cli"),
    ("ng", "@angular/cli"),
    ("vue-cli-service", "@vue/cli-service"),
    ("remix", "@remix-run/dev"),
    ("react-router", "@react-router/dev"),
    ("svelte-kit", "@sveltejs/kit"),
    ("webpack", "webpack-cli"),
    ("babel", "@babel/cli"),
    ("swc", "@swc/cli"),
    ("ncc", "@vercel/ncc"),
    ("nx", "nx"),
    ("tsc-alias", "tsc-alias"),
    ("run-s", "npm-run-all"),
    ("run-p", "npm-run-all"),
    ("prisma", "prisma"),
    ("husky", "husky"),
    ("lerna", "lerna"),
    ("turbo", "turbo"),
    ("patch-package", "patch-package"),
    ("electron-builder", "electron-builder"),
    ("ts-node", "ts-node"),
];

/// The package that has a program.
fn package_of(program: &str) -> &str {
    TOOLS.iter().find(|(tool, _)| *tool == program).map_or(program, |(_, package)| package)
}

/// The program of a script that only packages for development bring, and without which the script fails.
pub fn development_tool(script: &str, package: &PackageJson) -> Option<&'static str> {
    let script = shell::parse(script);
    let missing = |command: &SimpleCommand| {
        let name = package_of(command.program());
        let is_dev = package.dev_dependencies.contains_key(name) && !package.dependencies.contains_key(name);
        is_dev.then(|| name.to_owned())
    };
    let fails = |(at, command): (usize, &SimpleCommand)| {
        let name = missing(command)?;
        let rest = script.commands.get(at + 1..).unwrap_or_default();
        let mut instead = rest.iter().take_while(|next| next.joined == Joined::Or);
        // `husky || true` may fail; in `is-ci || husky` both are missing.
        instead.all(|next| missing(next).is_some()).then_some(name)
    };
    let name = script.commands.iter().enumerate().find_map(fails)?;
    let known = TOOLS.iter().find(|(_, package)| *package == name).map(|(tool, _)| *tool);
    Some(known.unwrap_or("a package for development"))
}

/// Whether a program belongs to a package that the project depends on.
pub(crate) fn tool_is_own(program: &str, package: &PackageJson) -> bool {
    let name = package_of(program);
    package.dependencies.contains_key(name) || package.dev_dependencies.contains_key(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_may_fail_needs_nothing() {
        let package = br#"{"devDependencies": {"husky": "9", "is-ci": "4"}}"#;
        let package = PackageJson::read("package.json", package).unwrap();
        for script in ["husky", "husky install", "is-ci || husky", "echo a && husky"] {
            assert!(development_tool(script, &package).is_some(), "{script}");
        }
        for script in ["husky || true", "is-ci || husky || exit 0", "node x.js", "tsc"] {
            assert_eq!(development_tool(script, &package), None, "{script}");
        }
    }
}
