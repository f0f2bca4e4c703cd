//! What bun installs for node, and what only bun runs.

use kiln_node::{AppFacts, NodeArguments};
use kiln_rootfs::RootPath;

use crate::error::ErrorKind;
use crate::{Error, Start};

/// The release that installs where nobody pins one.
pub(crate) const VERSION: &str = "1.3.10";
/// What imports a module that only bun has.
const MODULES: [&str; 4] = ["\"bun\"", "'bun'", "\"bun:", "'bun:"];

/// The error says that the file which starts the app needs bun: the image has node.
pub(crate) fn check_entry(facts: &AppFacts, start: &Start) -> Result<(), Error> {
    let Some(file) = NodeArguments::read(&start.argv).file else { return Ok(()) };
    let path = RootPath::normalise(&format!("{}/{file}", start.folder)).ok();
    let Some(text) = path.and_then(|path| facts.sources.get(&path)) else { return Ok(()) };
    match needs(text) {
        Some(what) => Err(ErrorKind::NeedsBun { file, what }.into()),
        None => Ok(()),
    }
}

/// What of a source only bun has.
fn needs(text: &str) -> Option<String> {
    if let Some(module) = MODULES.iter().find(|module| text.contains(*module)) {
        let name = if module.contains(':') { "bun:…" } else { "bun" };
        return Some(format!("the module `{name}`"));
    }
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.');
    let is_global = |at: usize| !text[..at].ends_with(is_name);
    text.match_indices("Bun.").any(|(at, _)| is_global(at)).then(|| "`Bun`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::needs;

    #[test]
    fn what_only_bun_has_is_seen() {
        for text in [
            "Bun.serve({ fetch })",
            "import { serve } from \"bun\";",
            "const db = require('bun:sqlite')",
            "x=Bun.env",
        ] {
            assert!(needs(text).is_some(), "{text}");
        }
        for text in ["import x from 'bunyan'", "HotBun.sell()", "my.Bun.x", "Bunny.hop()", ""] {
            assert!(needs(text).is_none(), "{text}");
        }
    }
}
