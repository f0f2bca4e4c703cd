use kiln_rootfs::RootPath;

/// Which paths of a package are left out.
pub(super) struct Filter {
    drop: Vec<Vec<String>>,
    keep: Vec<Vec<String>>,
}

impl Filter {
    pub(super) fn new(drop: &[String], keep: &[String]) -> Self {
        let split = |list: &[String]| {
            list.iter().map(|pattern| pattern.split('/').map(str::to_owned).collect()).collect()
        };
        Self { drop: split(drop), keep: split(keep) }
    }

    /// A pattern takes what it names and all below it; what a `keep` pattern names stays.
    pub(super) fn keeps(&self, path: &RootPath) -> bool {
        let parts: Vec<&str> = path.parts().collect();
        self.keep.iter().any(|pattern| matches_start(pattern, &parts))
            || !self.drop.iter().any(|pattern| matches_start(pattern, &parts))
    }
}

fn matches_start(pattern: &[String], parts: &[&str]) -> bool {
    parts.len() >= pattern.len()
        && pattern.iter().zip(parts).all(|(pattern, part)| matches_part(pattern, part))
}

/// `*` stands for any run of characters.
fn matches_part(pattern: &str, part: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == part };
    let Some(tail) = part.strip_prefix(start) else { return false };
    if rest.is_empty() {
        return true;
    }
    (0..=tail.len()).filter(|&at| tail.is_char_boundary(at)).any(|at| matches_part(rest, &tail[at..]))
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
