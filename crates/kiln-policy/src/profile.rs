use crate::error::ErrorKind;
use crate::{CHECKS, Error, Exception, Overrides, PolicySettings};

/// The default profile.
const HARDENED: &str = "hardened";
static PROFILES: &[(&str, &str)] = &[(HARDENED, include_str!("../data/hardened.toml"))];

impl PolicySettings {
    /// The profile `hardened`, unchanged.
    pub fn hardened() -> Self {
        profile(HARDENED, PROFILES[0].1)
    }

    /// A profile with changes and exceptions. Fails on a profile, check or exception that does not exist.
    pub fn new(overrides: &Overrides, exceptions: Vec<Exception>) -> Result<Self, Error> {
        let name = overrides.profile.as_deref().unwrap_or(HARDENED);
        let (name, text) = PROFILES
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| ErrorKind::Profile { name: name.to_owned() })?;
        let mut settings = profile(name, text);
        settings.change(overrides.clone());
        if let Some(id) = settings.checks.iter().find(|id| !is_check(id)) {
            return Err(ErrorKind::Check { id: id.clone() }.into());
        }
        exceptions.iter().try_for_each(validate)?;
        settings.exceptions = exceptions;
        Ok(settings)
    }
}

fn profile(name: &str, text: &str) -> PolicySettings {
    let mut settings: PolicySettings = toml::from_str(text).expect("a test reads every embedded profile");
    if settings.checks.is_empty() {
        settings.checks = CHECKS.iter().map(|check| check.id.to_owned()).collect();
    }
    PolicySettings { profile: name.to_owned(), ..settings }
}

fn is_check(id: &str) -> bool {
    CHECKS.iter().any(|check| check.id == id)
}

/// Refuses an exception for nothing, by nobody, or without a reason.
fn validate(exception: &Exception) -> Result<(), Error> {
    let id = exception.id.clone();
    if !exception.is_about_advisory() && !is_check(&id) {
        return Err(ErrorKind::Exception { id }.into());
    }
    let fields =
        [("subject", &exception.subject), ("reason", &exception.reason), ("owner", &exception.owner)];
    match fields.into_iter().find(|(_, value)| value.trim().is_empty()) {
        Some((field, _)) => Err(ErrorKind::Blank { id, field }.into()),
        None => Ok(()),
    }
}
