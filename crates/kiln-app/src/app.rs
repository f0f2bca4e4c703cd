use std::path::Path;

use kiln_finding::{Class, Failure};
use kiln_node::{AppFacts, PackageJson};
use kiln_rootfs::{Kind, RootPath, Tree};

use crate::{Folder, Rules, facts, walk};

/// An app as it is planned, built and rewritten from: by [`Rules::for_ship`].
#[derive(Debug)]
pub struct App {
    /// All that is known of it.
    pub facts: AppFacts,
    /// Its files; content stays on disk.
    pub tree: Tree,
}

impl App {
    /// Reads it. What cannot be read is an error, as an image must not lack what nobody saw.
    pub fn collect(path: &Path) -> Result<Self, Failure> {
        Self::read(path, None)
    }

    /// The same for an app whose Dockerfile may have a `.dockerignore` of its own.
    pub fn collect_beside(path: &Path, dockerfile: &Path) -> Result<Self, Failure> {
        Self::read(path, Some(dockerfile))
    }

    fn read(path: &Path, dockerfile: Option<&Path>) -> Result<Self, Failure> {
        let folder = Folder::open(path)?;
        let rules = Rules::for_ship(&folder, dockerfile)?;
        let found = folder.dir().meta(&facts::path("package.json"));
        if found.is_ok_and(|found| !found.is_dir()) {
            return Self::of(&folder, &rules);
        }
        let what = format!("find the app: there is no package.json in {}", path.display());
        Err(Failure::new("kiln.no_app", Class::Usage, what)
            .with_help("name the folder of a Node.js app: `kiln ship path/to/app`"))
    }

    fn of(folder: &Folder, rules: &Rules) -> Result<Self, Failure> {
        let (tree, missed) = walk::read(folder.dir(), rules);
        if let Some(missed) = missed.first() {
            return Err(missed.failure(folder.place()));
        }
        let package = PackageJson::read("package.json", &facts::bytes(&tree, "package.json")?)?;
        let facts = facts::all(folder, &tree, package)?;
        Ok(Self { facts, tree })
    }

    /// The text of a file of it; `None` where there is none.
    pub fn text(&self, path: &str) -> Result<Option<String>, Failure> {
        facts::text(&self.tree, path)
    }

    /// The texts of the `package.json` of the app and of each project of its workspace, by path.
    pub fn manifests(&self) -> Result<Vec<(String, String)>, Failure> {
        let of_projects = self.facts.workspace.keys().map(|folder| format!("{folder}/package.json"));
        let paths = std::iter::once("package.json".to_owned()).chain(of_projects);
        let read = paths.map(|path| Ok(self.text(&path)?.map(|text| (path, text))));
        read.filter_map(Result::transpose).collect()
    }

    /// The shell scripts at its top and one folder below, where start scripts lie.
    pub fn scripts(&self) -> Result<Vec<(String, String)>, Failure> {
        let is_script = |path: &RootPath| {
            path.parts().count() <= 2
                && (path.as_str().rsplit_once('.').is_some_and(|(_, ending)| ending == "sh")
                    || path.file_name() == "docker-entrypoint")
        };
        let is_small = |kind: &Kind| match kind {
            Kind::File(content) => content.size() <= facts::SOURCE_MAX,
            _ => false,
        };
        let scripts = self.tree.iter().filter(|(path, entry)| is_script(path) && is_small(&entry.kind));
        let read = scripts.map(|(path, _)| {
            let text = self.text(path.as_str())?;
            Ok(text.map(|text| (path.to_string(), text)))
        });
        read.filter_map(Result::transpose).collect()
    }
}
