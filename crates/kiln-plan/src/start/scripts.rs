//! What a package manager or a runner of tasks is asked for.

/// A script, and of which project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Called<'a> {
    /// Folder or name of the project; none for the one that asks.
    pub(super) project: Option<&'a str>,
    /// Name of the script.
    pub(super) script: &'a str,
    /// What the script is given besides.
    pub(super) more: Vec<&'a str>,
    /// More than one project is named.
    pub(super) is_of_several: bool,
}

/// Options that name a project.
const PROJECT: [&str; 8] = ["-w", "--workspace", "--prefix", "--filter", "-F", "-C", "--dir", "--cwd"];
/// Verbs behind which the name of a script stands.
const RUN: [&str; 4] = ["run", "run-script", "rum", "urn"];

/// What is called; none where the program is no manager, or where it runs no script.
pub(super) fn called<'a>(words: &'a [&'a str]) -> Option<Called<'a>> {
    let (program, rest) = words.split_first()?;
    if !["npm", "pnpm", "yarn", "bun", "turbo", "nx", "lerna"].contains(program) {
        return None;
    }
    let mut reader = Reader { program, rest, projects: Vec::new() };
    let script = reader.script()?;
    if *program == "nx" {
        return reader.of_nx(script);
    }
    reader.options_behind();
    let own = reader.rest.iter().position(|word| *word == "--").unwrap_or(reader.rest.len());
    let (before, behind) = reader.rest.split_at(own);
    // Options before `--` are npm's own; the others give a script all.
    let before = before.iter().filter(|word| *program != "npm" || !word.starts_with('-'));
    let more = before.chain(behind.iter().skip(1)).copied().collect();
    Some(reader.called(script, more))
}

struct Reader<'a> {
    program: &'a str,
    rest: &'a [&'a str],
    projects: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    fn called(&self, script: &'a str, more: Vec<&'a str>) -> Called<'a> {
        Called {
            project: self.projects.first().copied(),
            script,
            more,
            is_of_several: self.projects.len() > 1,
        }
    }

    fn next(&mut self) -> Option<&'a str> {
        let (word, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(word)
    }

    /// The name of the script, behind options and the verb.
    fn script(&mut self) -> Option<&'a str> {
        let mut has_verb = false;
        loop {
            if self.takes_project() {
                continue;
            }
            let word = self.next()?;
            if self.program == "yarn" && word == "workspace" && !has_verb {
                let project = self.next();
                self.projects.extend(project);
            } else if !has_verb && RUN.contains(&word) {
                has_verb = true;
            } else if !word.starts_with('-') {
                return Some(word);
            }
        }
    }

    /// Whether an option that names a project came, which is taken then.
    fn takes_project(&mut self) -> bool {
        let Some(word) = self.rest.first() else { return false };
        let (name, joined) = word.split_once('=').map_or((*word, None), |(name, value)| (name, Some(value)));
        // pnpm's `-w` names no project: it is the root.
        if !PROJECT.contains(&name) || (self.program == "pnpm" && name == "-w") {
            return false;
        }
        self.next();
        let project = joined.or_else(|| self.next());
        self.projects.extend(project);
        true
    }

    /// Options of the manager may stand behind the script, too; yarn hands them on.
    fn options_behind(&mut self) {
        while self.program != "yarn" && self.takes_project() {}
    }

    /// `nx start api`, `nx run api:start`
    fn of_nx(mut self, word: &'a str) -> Option<Called<'a>> {
        let (project, script) = match word.split_once(':') {
            Some((project, script)) => (project, script),
            None => (self.next().filter(|project| !project.starts_with('-'))?, word),
        };
        self.projects.push(project);
        let more = self.rest.to_vec();
        Some(self.called(script, more))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_call_a_script_is_known() {
        for (line, expected) in [
            ("npm start", (None, "start", "")),
            ("npm run start:prod", (None, "start:prod", "")),
            ("npm run -s serve -- --port 3", (None, "serve", "--port 3")),
            ("npm run serve a --silent b -- -c", (None, "serve", "a b -c")),
            ("yarn serve a --b", (None, "serve", "a --b")),
            ("npm start --workspace=apps/api", (Some("apps/api"), "start", "")),
            ("npm start -w api", (Some("api"), "start", "")),
            ("npm -w api run serve", (Some("api"), "serve", "")),
            ("npm --prefix apps/api start", (Some("apps/api"), "start", "")),
            ("yarn start:prod", (None, "start:prod", "")),
            ("yarn workspace api start", (Some("api"), "start", "")),
            ("pnpm --filter api start", (Some("api"), "start", "")),
            ("pnpm -F api run serve", (Some("api"), "serve", "")),
            ("pnpm -w start", (None, "start", "")),
            ("turbo start --filter=web", (Some("web"), "start", "")),
            ("turbo run start --filter web", (Some("web"), "start", "")),
            ("nx start api", (Some("api"), "start", "")),
            ("nx run api:start", (Some("api"), "start", "")),
            ("bun run start", (None, "start", "")),
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            let found = called(&words).unwrap();
            assert_eq!((found.project, found.script, found.more.join(" ").as_str()), expected, "{line}");
        }
        for line in ["node a.js", "npm", "npm --version", "nx start"] {
            assert_eq!(called(&line.split(' ').collect::<Vec<_>>()), None, "{line}");
        }
    }
}
