use kiln_finding::Diagnose;
use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_767_323_045;

fn service(name: &str, version: u32, operator: &str, start: &str) -> Value {
    json!({
        "url": format!("https://{name}.invalid"), "majorApiVersion": version, "operator": operator,
        "validFor": { "start": start },
    })
}

fn config(logs: Vec<Value>, selection: Value) -> Value {
    json!({
        "mediaType": MEDIA_TYPE,
        "caUrls": [service("ca", 1, "a", "2020-01-01T00:00:00Z")],
        "oidcUrls": [service("issuer", 1, "a", "2020-01-01T00:00:00Z")],
        "rekorTlogUrls": logs,
        "rekorTlogConfig": selection,
        "tsaUrls": [service("tsa", 1, "a", "2020-01-01T00:00:00Z")],
        "tsaConfig": { "selector": "ANY" },
    })
}

fn logs(config: &Value) -> Result<Vec<String>, Error> {
    let services = Services::read(&config.to_string(), NOW)?;
    Ok(services.logs.into_iter().map(|log| log.url).collect())
}

#[track_caller]
fn chosen(logs_of: Vec<Value>, selection: Value, expected: &[&str]) {
    let expected: Vec<String> = expected.iter().map(|name| format!("https://{name}.invalid")).collect();
    assert_eq!(logs(&config(logs_of, selection)).unwrap(), expected);
}

#[test]
fn one_service_of_each_kind_is_chosen() {
    let one = service("log", 2, "a", "2020-01-01T00:00:00Z");
    let services = Services::read(&config(vec![one], json!({ "selector": "ANY" })).to_string(), NOW).unwrap();
    let log = Log { url: "https://log.invalid".to_owned(), generation: Generation::Second };
    let expected = Services {
        authority: Some("https://ca.invalid".to_owned()),
        issuer: Some("https://issuer.invalid".to_owned()),
        logs: vec![log],
        timestamps: vec!["https://tsa.invalid".to_owned()],
    };
    assert_eq!(services, expected);
    services.can_certify().unwrap();
    let no_time = Services { timestamps: Vec::new(), ..services };
    assert_eq!(no_time.can_certify().unwrap_err().code(), "sign.no_time");
}

#[test]
fn newer_generations_and_services_come_first() {
    let old = service("old", 1, "a", "2025-01-01T00:00:00Z");
    let new = service("new", 2, "a", "2020-01-01T00:00:00Z");
    let newer = service("newer", 2, "a", "2021-01-01T00:00:00Z");
    let unknown = service("unknown", 3, "a", "2021-01-01T00:00:00Z");
    chosen(vec![old.clone(), new, newer, unknown], json!({ "selector": "ANY" }), &["newer"]);
    chosen(vec![old], json!({}), &["old"]);
}

#[test]
fn only_what_is_good_now_is_chosen() {
    let later = service("later", 1, "a", "2027-01-01T00:00:00Z");
    let mut over = service("over", 1, "a", "2020-01-01T00:00:00Z");
    over["validFor"]["end"] = json!("2021-01-01T00:00:00Z");
    let mut ending = service("ending", 1, "a", "2020-01-01T00:00:00Z");
    ending["validFor"]["end"] = json!("2026-01-02T03:04:05Z");
    chosen(vec![later.clone(), over.clone(), ending], json!({ "selector": "ANY" }), &["ending"]);
    let none = logs(&config(vec![later, over], json!({ "selector": "ANY" }))).unwrap_err();
    assert_eq!((none.code(), none.to_string().contains("0 can be asked now")), ("sign.config", true));
}

#[test]
fn several_are_of_several_operators() {
    let one = service("one", 1, "a", "2020-01-01T00:00:00Z");
    let two = service("two", 1, "b", "2020-01-01T00:00:00Z");
    let three = service("three", 1, "b", "2021-01-01T00:00:00Z");
    let all = vec![one, two, three];
    chosen(all.clone(), json!({ "selector": "ALL" }), &["one", "three"]);
    chosen(all.clone(), json!({ "selector": "EXACT", "count": 2 }), &["one", "three"]);
    for selection in [
        json!({ "selector": "EXACT", "count": 3 }),
        json!({ "selector": "EXACT" }),
        json!({ "selector": "SERVICE_SELECTOR_UNDEFINED" }),
        json!({ "selector": "SOME" }),
    ] {
        assert_eq!(logs(&config(all.clone(), selection)).unwrap_err().code(), "sign.config");
    }
}

#[test]
fn what_is_no_configuration_is_refused() {
    let good = config(vec![service("log", 1, "a", "2020-01-01T00:00:00Z")], json!({}));
    logs(&good).unwrap();
    for (path, value) in [
        ("mediaType", json!("application/vnd.dev.sigstore.signingconfig.v0.1+json")),
        ("extra", json!(1)),
        ("caUrls", json!([{ "url": "https://ca.invalid", "majorApiVersion": 1 }])),
        ("caUrls", json!([service("", 1, "", "yesterday")])),
        (
            "caUrls",
            json!([{ "url": "file:///x", "majorApiVersion": 1, "validFor": { "start": "2020-01-01T00:00:00Z" } }]),
        ),
        ("caUrls", json!(vec![service("ca", 1, "", "2020-01-01T00:00:00Z"); SERVICES_MAX + 1])),
    ] {
        let mut bad = good.clone();
        bad[path] = value;
        assert_eq!(logs(&bad).unwrap_err().code(), "sign.config", "{path}");
    }
}
