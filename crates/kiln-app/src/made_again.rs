//! What of an app is made again where it is built, and so need not come from the desk it lies on.

/// Who makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    /// The build script of the app: without one, what lies there is all there is.
    Build,
    /// Tests and caches of tools, which nothing that runs needs.
    Tools,
}

/// Folders that build scripts write.
const BUILT: [&str; 19] = [
    ".astro",
    ".docusaurus",
    ".next",
    ".nitro",
    ".nuxt",
    ".output",
    ".react-router",
    ".solid",
    ".svelte-kit",
    ".vercel",
    ".vinxi",
    "build",
    "cjs",
    "dist",
    "es",
    "esm",
    "lib",
    "out",
    "storybook-static",
];
/// Folders of tools.
const TOOLS: [&str; 13] = [
    ".angular",
    ".cache",
    ".eslintcache",
    ".nx",
    ".nyc_output",
    ".parcel-cache",
    ".rollup.cache",
    ".rpt2_cache",
    ".swc",
    ".turbo",
    ".vite",
    "coverage",
    "node_modules",
];

/// Who makes a file or folder of that name again.
pub(crate) fn maker(name: &str, is_dir: bool) -> Option<Maker> {
    if !is_dir {
        // With what tsc remembers of an older run it believes that its output is there.
        return name.ends_with(".tsbuildinfo").then_some(Maker::Build);
    }
    match () {
        () if TOOLS.contains(&name) => Some(Maker::Tools),
        () if BUILT.contains(&name) => Some(Maker::Build),
        () => None,
    }
}
