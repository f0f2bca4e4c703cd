use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF085",
    slug: "add_for_copy",
    title: "ADD does more than is needed here",
    level: Level::Info,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &["DL3020", "DS-0005", "CKV_DOCKER_4"],
    page: include_str!("../../tests/rules/DF085.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    const ARCHIVES: [&str; 10] =
        [".tar", ".tgz", ".tbz", ".txz", ".tbz2", ".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst", ".gz"];
    for (_, step) in subject.model.steps() {
        let Command::Add(add) = &step.instruction.command else { continue };
        let needs_add = add.checksum.is_some()
            || add.unpack.is_some()
            || add.keep_git_dir
            || add.transfer.paths().any(|path| {
                let text = path.value.trim_matches('"');
                text.contains("://")
                    || text.starts_with("git@")
                    || text.contains('$')
                    || ARCHIVES.iter().any(|end| text.ends_with(end))
                    || text.ends_with('*')
            });
        if !needs_add {
            sink.at(step.instruction.keyword.span, "ADD also downloads and unpacks; here a copy is meant")
                .help("write COPY")
                .safe("write COPY", vec![Edit::replace(step.instruction.keyword.span, "COPY")]);
        }
    }
}
