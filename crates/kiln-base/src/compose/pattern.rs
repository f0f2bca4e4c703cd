use kiln_rootfs::RootPath;
use kiln_text::Globs;

/// Which paths of a package are left out.
pub(super) struct Filter {
    drop: Globs,
    keep: Globs,
}

impl Filter {
    /// A pattern takes what it names and all below it; what a `keep` pattern names stays.
    pub(super) fn new(drop: &[String], keep: &[String]) -> Self {
        let globs = |list: &[String]| {
            let deep: Vec<String> = list.iter().map(|pattern| format!("{pattern}/**")).collect();
            Globs::or_literal(deep.iter().map(String::as_str)).expect("a test reads the recipe")
        };
        Self { drop: globs(drop), keep: globs(keep) }
    }

    pub(super) fn keeps(&self, path: &RootPath) -> bool {
        self.keep.is_match(path.as_str()) || !self.drop.is_match(path.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_below_and_keeps_exceptions() {
        let owned = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let filter = Filter::new(
            &owned(&["usr/share/doc", "usr/lib/*/gconv", "usr/lib/*/libmvec.*"]),
            &owned(&["usr/share/doc/*/copyright"]),
        );
        for (path, kept) in [
            ("usr/share/doc/a/changelog", false),
            ("usr/share/doc/a/copyright", true),
            ("usr/share/docs", true),
            ("usr/lib/x86_64-linux-gnu/gconv/a.so", false),
            ("usr/lib/x86_64-linux-gnu/libmvec.so.1", false),
            ("usr/lib/x86_64-linux-gnu/libm.so.6", true),
            ("usr/lib", true),
        ] {
            assert_eq!(filter.keeps(&RootPath::new(path).unwrap()), kept, "{path}");
        }
    }
}
