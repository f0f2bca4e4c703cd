use sigstore_verify::Verifier;
use sigstore_verify::crypto::parse_certificate_info;
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::TimeRange;

use crate::Error;
use crate::error::ErrorKind;

/// The largest trusted root that is read, in bytes.
const ROOT_MAX: usize = 4 << 20;
/// Logs of a root that are told apart.
const LOGS_MAX: usize = 16;

/// Whom signatures with certificates are traced back to: certificate authorities, logs and timestamp authorities, each
/// with the time in which it counts. Source: sigstore protobuf-specs, `sigstore_trustroot.proto`, in its JSON form.
pub struct TrustRoot {
    pub(crate) verifier: Verifier,
    /// The same, each with one of the logs alone; nothing where there is only one.
    pub(crate) each_log: Vec<Verifier>,
    has_certificate_logs: bool,
    has_logs: bool,
    origin: String,
}

impl TrustRoot {
    /// Reads a `trusted_root.json`.
    pub fn read(json: &str) -> Result<Self, Error> {
        let failed = |why: String| Error::from(ErrorKind::Root(why));
        if json.len() > ROOT_MAX {
            return Err(failed("it is larger than 4 MiB".to_owned()));
        }
        let mut root = TrustedRoot::from_json(json).map_err(|error| failed(error.to_string()))?;
        narrow(&mut root).map_err(failed)?;
        if root.certificate_authorities.is_empty() {
            return Err(failed("it names no certificate authority".to_owned()));
        }
        let verifier = Verifier::new(&root).map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            verifier,
            each_log: each_log(&root).map_err(failed)?,
            has_certificate_logs: !root.ctlogs.is_empty(),
            has_logs: !root.tlogs.is_empty(),
            origin: "the trusted root".to_owned(),
        })
    }

    /// The same, with what people are told of where it came from, and of its age.
    pub fn from_origin(self, origin: String) -> Self {
        Self { origin, ..self }
    }

    /// For people: where it came from.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether certificates are written to a log that it knows.
    pub fn has_certificate_logs(&self) -> bool {
        self.has_certificate_logs
    }

    /// Whether signatures are written to a log that it knows.
    pub fn has_logs(&self) -> bool {
        self.has_logs
    }
}

/// Verifiers that know one log each, so that logs can be counted.
fn each_log(root: &TrustedRoot) -> Result<Vec<Verifier>, String> {
    if root.tlogs.len() < 2 {
        return Ok(Vec::new());
    }
    let alone = |log: &_| {
        let mut root = root.clone();
        root.tlogs = vec![Clone::clone(log)];
        Verifier::new(&root).map_err(|error| error.to_string())
    };
    root.tlogs.iter().take(LOGS_MAX).map(alone).collect()
}

/// Lets each authority count only while all its own certificates are valid: the library takes them as they are, and asks
/// only for the window that the root gives (CVE-2026-24122).
fn narrow(root: &mut TrustedRoot) -> Result<(), String> {
    for authority in &mut root.certificate_authorities {
        for certificate in &authority.cert_chain.certificates {
            let info = parse_certificate_info(&certificate.raw_bytes).map_err(|error| error.to_string())?;
            let window = authority.valid_for;
            let start = window.map_or(info.not_before, |window| window.start.max(info.not_before));
            let end =
                window.and_then(|window| window.end).map_or(info.not_after, |end| end.min(info.not_after));
            authority.valid_for = Some(TimeRange::new(start, Some(end)));
        }
    }
    // One that is valid at no time can vouch for nothing.
    let is_ever = |window: Option<TimeRange>| window.is_none_or(|window| window.contains(window.start));
    root.certificate_authorities.retain(|authority| is_ever(authority.valid_for));
    Ok(())
}

impl std::fmt::Debug for TrustRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TrustRoot")
    }
}
