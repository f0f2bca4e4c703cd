use super::found::Trust;
use crate::Stamp;

pub(crate) fn render(trust: &Trust<'_>, _: &Stamp) -> String {
    let report = trust.report;
    let rejected: Vec<_> = report.rejected().map(|(_, rejection)| rejection).collect();
    serde_json::json!({
        "digest": report.image,
        "root": trust.root,
        "verified": report.is_satisfied(),
        "required": report.outcomes,
        "rejected": rejected,
        "examined": report.examined,
        "left_out": report.left_out,
    })
    .to_string()
}
