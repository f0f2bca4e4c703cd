/// Tools that bring packages of their own, below the folder that Node.js installs global packages to.
const TOOLS: &[&str] = &["corepack", "npm", "pnpm", "yarn"];
/// Where corepack keeps what it downloads. Source: corepack, `folderUtils.ts`.
const COREPACK: &str = "node/corepack/";

/// The tool that the manifest at `path` belongs to: `lib/node_modules/npm/…`; `opt/yarn-v1.22.22/package.json`, where the
/// Docker official images put yarn.
pub(crate) fn tool_of(path: &str) -> Option<&'static str> {
    if path.contains(COREPACK) {
        return Some("corepack");
    }
    if let Some((folder, "package.json")) =
        path.strip_prefix("opt/yarn-v").and_then(|rest| rest.split_once('/'))
        && folder.starts_with(|c: char| c.is_ascii_digit())
    {
        return Some("yarn");
    }
    let global =
        path.strip_prefix("lib/node_modules/").or_else(|| Some(path.split_once("/lib/node_modules/")?.1))?;
    let name = global.split('/').next()?;
    TOOLS.iter().find(|tool| **tool == name).copied()
}

#[cfg(test)]
mod tests {
    use super::tool_of;

    #[test]
    fn names_the_tool_that_brings_a_package() {
        for (path, tool) in [
            ("usr/local/lib/node_modules/npm/package.json", Some("npm")),
            ("usr/local/lib/node_modules/npm/node_modules/tar/package.json", Some("npm")),
            ("lib/node_modules/corepack/package.json", Some("corepack")),
            ("root/.cache/node/corepack/v1/pnpm/9.1.0/package.json", Some("corepack")),
            ("opt/yarn-v1.22.22/package.json", Some("yarn")),
            ("opt/yarn-v1.22.22/lib/package.json", None),
            ("app/node_modules/npm/package.json", None),
            ("usr/local/lib/node_modules/npm-run-all/package.json", None),
        ] {
            assert_eq!(tool_of(path), tool, "{path}");
        }
    }
}
