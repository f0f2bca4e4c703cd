use std::sync::LazyLock;

use kiln_text::Globs;

static BUNDLERS: LazyLock<Globs> = LazyLock::new(|| {
    let rows = include_str!("../data/bundlers.txt").lines().filter(|line| !line.starts_with('#'));
    Globs::or_literal(rows).expect("a test reads the embedded list")
});

/// Whether the package `name` copies code of packages into files of the project that asks for it: `data/bundlers.txt`.
pub fn is_bundler(name: &str) -> bool {
    BUNDLERS.is_match(name)
}

#[cfg(test)]
mod tests {
    use super::is_bundler;

    #[test]
    fn the_list_is_read() {
        assert!(["esbuild", "@rspack/core", "@nx/vite"].into_iter().all(is_bundler));
        assert!(!is_bundler("typescript") && !is_bundler("# Packages"));
    }
}
