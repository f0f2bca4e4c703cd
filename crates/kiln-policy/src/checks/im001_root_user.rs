use crate::verdict::{fail, pass};
use crate::{Check, Evidence, Judged, PolicySettings, Stage};

pub(super) static CHECK: Check = Check {
    id: "IM001",
    slug: "root-user",
    title: "Numeric user other than root",
    stage: Stage::Built,
    page: include_str!("../../tests/checks/IM001.md"),
    check,
};

fn check(evidence: &Evidence, _: &PolicySettings) -> Judged {
    let user = &evidence.config()?.config.user;
    let name = user.split(':').next().unwrap_or_default();
    let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let reason = match name.parse::<u32>() {
        _ if user.is_empty() => "no user is set, which means root".to_owned(),
        _ if name == "root" => "the user is root".to_owned(),
        Ok(0) => format!("the user is {user}, which is root"),
        Ok(_) if is_number => return pass(format!("user {user}")),
        _ => format!("the user `{user}` is no number, so a cluster cannot tell that it is not root"),
    };
    fail(reason, "USER 65532, or build with kiln, which sets it")
}
