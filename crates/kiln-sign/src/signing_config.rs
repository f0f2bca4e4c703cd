use std::collections::BTreeMap;

use kiln_fetch::Url;
use serde::Deserialize;

use crate::Error;
use crate::error::ErrorKind;
use crate::services::log::{Generation, Log};

/// The largest file that is read, in bytes.
const CONFIG_MAX: usize = 1 << 20;
const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.signingconfig.v0.2+json";
/// How many services of one kind a file may name, and how many are asked for one signature.
const SERVICES_MAX: usize = 100;
const ASKED_MAX: usize = 8;

/// Which services a signature needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Services {
    /// Who makes certificates.
    pub authority: Option<String>,
    /// Who vouches for identities.
    pub issuer: Option<String>,
    /// Logs that each signature is written to.
    pub logs: Vec<Log>,
    /// Authorities that say when each signature was made.
    pub timestamps: Vec<String>,
}

/// Source: sigstore protobuf-specs, `sigstore_trustroot.proto`, `SigningConfig`, in its JSON form.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConfigJson {
    media_type: String,
    #[serde(default)]
    ca_urls: Vec<Service>,
    #[serde(default)]
    oidc_urls: Vec<Service>,
    #[serde(default)]
    rekor_tlog_urls: Vec<Service>,
    #[serde(default)]
    rekor_tlog_config: Selection,
    #[serde(default)]
    tsa_urls: Vec<Service>,
    #[serde(default)]
    tsa_config: Selection,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Service {
    url: String,
    major_api_version: u32,
    valid_for: Window,
    #[serde(default)]
    operator: String,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Window {
    start: jiff::Timestamp,
    #[serde(default)]
    end: Option<jiff::Timestamp>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Selection {
    #[serde(default)]
    selector: Selector,
    #[serde(default)]
    count: usize,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Selector {
    #[serde(rename = "SERVICE_SELECTOR_UNDEFINED")]
    Undefined,
    All,
    #[default]
    Any,
    Exact,
}

impl Services {
    /// Reads a signing configuration, and chooses from it what is good at `now` (seconds since 1970).
    pub fn read(json: &str, now: i64) -> Result<Self, Error> {
        let failed = |why: String| Error::from(ErrorKind::Config(why));
        if json.len() > CONFIG_MAX {
            return Err(failed("it is larger than 1 MiB".to_owned()));
        }
        let config: ConfigJson = serde_json::from_str(json).map_err(|error| failed(error.to_string()))?;
        if config.media_type != MEDIA_TYPE {
            return Err(failed("it is of another version than 0.2".to_owned()));
        }
        let all = [&config.ca_urls, &config.oidc_urls, &config.rekor_tlog_urls, &config.tsa_urls];
        for service in all.into_iter().flatten() {
            Url::read(&service.url).map_err(|error| failed(error.to_string()))?;
        }
        if all.iter().any(|services| services.len() > SERVICES_MAX) {
            return Err(failed("it names more than 100 services of one kind".to_owned()));
        }
        let one = |services: &[Service]| good(services, &[1], now).into_iter().next().map(|found| found.url);
        let logs = choose("log", &config.rekor_tlog_urls, &config.rekor_tlog_config, &[1, 2], now)?;
        let timestamps = choose("timestamp authority", &config.tsa_urls, &config.tsa_config, &[1], now)?;
        let generation = |version| if version == 1 { Generation::First } else { Generation::Second };
        Ok(Self {
            authority: one(&config.ca_urls),
            issuer: one(&config.oidc_urls),
            logs: logs
                .into_iter()
                .map(|log| Log { generation: generation(log.major_api_version), url: log.url })
                .collect(),
            timestamps: timestamps.into_iter().map(|service| service.url).collect(),
        })
    }

    /// Refuses what cannot make a signature that anyone would accept: a certificate is good for minutes, and somebody
    /// must say when it was used.
    pub(crate) fn can_certify(&self) -> Result<(), Error> {
        let says_when = |log: &Log| log.generation == Generation::First;
        if self.timestamps.is_empty() && !self.logs.iter().any(says_when) {
            return Err(ErrorKind::NoTime.into());
        }
        Ok(())
    }
}

/// Services that can be spoken to and are good now: one of each operator, of the newest generation that both sides know,
/// and of those the one that began last.
fn good(services: &[Service], versions: &[u32], now: i64) -> Vec<Service> {
    let is_good = |service: &&Service| {
        let Window { start, end } = &service.valid_for;
        versions.contains(&service.major_api_version)
            && start.as_second() <= now
            && end.is_none_or(|end| now <= end.as_second())
    };
    let mut best: BTreeMap<&str, (usize, &Service)> = BTreeMap::new();
    let rank = |service: &Service| (service.major_api_version, service.valid_for.start);
    for (at, service) in services.iter().enumerate().filter(|(_, service)| is_good(service)) {
        let other = best.entry(&service.operator).or_insert((at, service));
        if rank(service) > rank(other.1) {
            *other = (at, service);
        }
    }
    let mut found: Vec<(usize, &Service)> = best.into_values().collect();
    // The newest generation first, and otherwise the order of the file.
    found.sort_by_key(|(at, service)| (std::cmp::Reverse(service.major_api_version), *at));
    found.into_iter().map(|(_, service)| service.clone()).collect()
}

fn choose(
    what: &str,
    services: &[Service],
    selection: &Selection,
    versions: &[u32],
    now: i64,
) -> Result<Vec<Service>, Error> {
    let failed = |why: String| Err(ErrorKind::Config(why).into());
    if services.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = good(services, versions, now);
    let count = match selection.selector {
        Selector::All => found.len(),
        Selector::Any => 1,
        Selector::Exact if selection.count > 0 => selection.count,
        Selector::Exact => return failed(format!("it asks for exactly 0 of each {what}")),
        Selector::Undefined => return failed(format!("it does not say how many of each {what} to ask")),
    };
    if found.is_empty() || found.len() < count {
        let (has, wants) = (found.len(), count.max(1));
        return failed(format!("it asks for {wants} of its {what}s, and {has} can be asked now"));
    }
    if count > ASKED_MAX {
        return failed(format!("it asks for {count} of its {what}s; no more than {ASKED_MAX} are asked"));
    }
    found.truncate(count);
    Ok(found)
}

#[cfg(test)]
mod tests;
