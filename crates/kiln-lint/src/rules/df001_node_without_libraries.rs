use crate::facts::Libc;
use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF001",
    slug: "node_without_libraries",
    title: "The copied Node binary lacks its shared libraries",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &[],
    page: include_str!("../../tests/rules/DF001.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for (stage, step) in subject.model.steps() {
        let Command::Copy(copy) = &step.instruction.command else { continue };
        let Some(from) = &copy.from else { continue };
        if !copy.transfer.paths().any(|path| path.value.ends_with("/bin/node")) {
            continue;
        }
        let source = subject.model.copied_from(step);
        let image = source
            .map_or_else(|| Some(crate::facts::ImageName::parse(&from.value)), |source| source.root.clone());
        let Some(image) = image else { continue };
        let libc = crate::facts::base_of(&image).map_or(Libc::Unknown, |base| base.libc);
        let major = crate::facts::node_major(&image);
        let has = |name: &str| stage.end.installed.iter().any(|known| known.starts_with(name));
        let what = if stage.is_scratch {
            "nothing is there to load it: `scratch` has no C library".to_owned()
        } else if libc != Libc::Unknown && stage.libc() != Libc::Unknown && libc != stage.libc() {
            "it was linked with another C library".to_owned()
        } else if stage.libc() == Libc::Musl
            && !has("libstdc++")
            && stage.base.is_some_and(|base| base.node_path.is_none())
        {
            "`libstdc++.so.6` is missing: `apk add --no-cache libstdc++`".to_owned()
        } else if major.is_some_and(|major| major >= 26)
            && stage.libc() == Libc::Glibc
            && stage.base.is_some_and(|base| base.node_path.is_none() && base.os != "distroless")
            && !has("libatomic1")
        {
            "`libatomic.so.1` is missing, which Node needs from 26 on: install `libatomic1`".to_owned()
        } else {
            continue;
        };
        sink.at(step.instruction.head, format!("the Node binary will not start here: {what}"))
            .help("start from an image that has Node, or from kiln's base");
    }
}
