//! What follows from the edges of a lock file: what only development needs, what may be missing.

use std::collections::BTreeMap;

use crate::PackageJson;
use crate::lock::{Direct, Lock, Need};

/// All that are pinned for a name. Where a range was replaced (`resolutions`, catalogs), any of them may be meant.
pub(crate) fn of_name(by_range: &BTreeMap<String, usize>, name: &str) -> Vec<usize> {
    let start = format!("{name}@");
    let keys = by_range.range(start.clone()..).take_while(|(key, _)| key.starts_with(&start));
    let mut found: Vec<usize> = keys.map(|(_, at)| *at).collect();
    found.sort_unstable();
    found.dedup();
    found
}

impl Lock {
    /// Takes in what the projects ask for, by folder, where the file itself does not tell; and works out for each package
    /// whether only development needs it and whether it may be missing, where the file does not tell that.
    pub fn relate(&mut self, projects: &BTreeMap<String, PackageJson>) {
        for (folder, package) in projects {
            if !self.by_range.is_empty() {
                let direct = self.asked_by(package);
                self.direct.insert(folder.clone(), direct);
            }
        }
        let (production, required) = (
            self.reached(|direct| !direct.dev, |_| true),
            self.reached(|direct| !direct.optional, |need| !need.optional),
        );
        // Without a single project there is nothing to start from.
        if self.direct.values().all(Vec::is_empty) {
            return;
        }
        for (at, package) in self.packages.iter_mut().enumerate() {
            let missing_in = |reached: &[bool]| !reached.get(at).copied().unwrap_or_default();
            package.is_dev.get_or_insert(missing_in(&production));
            package.is_optional.get_or_insert(missing_in(&required));
        }
    }

    fn asked_by(&self, package: &PackageJson) -> Vec<Direct> {
        let find = |name: &String, range: &String| -> Vec<usize> {
            let keys = [format!("{name}@{range}"), format!("{name}@npm:{range}"), name.clone()];
            match keys.iter().find_map(|key| self.by_range.get(key)) {
                Some(at) => vec![*at],
                None => of_name(&self.by_range, name),
            }
        };
        let of = |map: &BTreeMap<String, String>, dev: bool, optional: bool| -> Vec<Direct> {
            let found = map.iter().flat_map(|(name, range)| find(name, range));
            found.map(|package| Direct { package, dev, optional }).collect()
        };
        let mut direct = of(&package.dependencies, false, false);
        direct.extend(of(&package.dev_dependencies, true, false));
        direct.extend(of(&package.optional_dependencies, false, true));
        direct
    }

    /// Which packages can be reached from the direct ones that `start` wants, along the edges that `follow` wants.
    fn reached(&self, start: impl Fn(&Direct) -> bool, follow: impl Fn(&Need) -> bool) -> Vec<bool> {
        let mut seen = vec![false; self.packages.len()];
        let mut open: Vec<usize> = self
            .direct
            .values()
            .flatten()
            .filter(|direct| start(direct))
            .map(|direct| direct.package)
            .collect();
        while let Some(at) = open.pop() {
            let Some(package) = self.packages.get(at) else { continue };
            if let Some(seen) = seen.get_mut(at).filter(|seen| !**seen) {
                *seen = true;
                open.extend(package.needs.iter().filter(|need| follow(need)).map(|need| need.package));
            }
        }
        seen
    }

    /// Which packages are not installed on such a machine: optional ones that do not fit it, and what only those need.
    pub fn left_out(&self, os: &str, cpu: &str, libc: &str) -> Vec<bool> {
        let optional =
            |at: usize| self.packages.get(at).and_then(|package| package.is_optional) == Some(true);
        let mut out: Vec<bool> = self
            .packages
            .iter()
            .enumerate()
            .map(|(at, package)| optional(at) && !package.platforms.fit(os, cpu, libc))
            .collect();
        let mut needed_by: Vec<usize> = vec![0; self.packages.len()];
        let needs = |at: usize| self.packages.get(at).into_iter().flat_map(|package| &package.needs);
        let direct = self.direct.values().flatten().map(|direct| direct.package);
        for to in (0..self.packages.len()).flat_map(needs).map(|need| need.package).chain(direct) {
            if let Some(count) = needed_by.get_mut(to) {
                *count += 1;
            }
        }
        let mut open: Vec<usize> = (0..out.len()).filter(|at| out[*at]).collect();
        while let Some(at) = open.pop() {
            for need in needs(at) {
                let Some(count) = needed_by.get_mut(need.package) else { continue };
                *count = count.saturating_sub(1);
                if *count == 0 && optional(need.package) && !out[need.package] {
                    out[need.package] = true;
                    open.push(need.package);
                }
            }
        }
        out
    }
}
