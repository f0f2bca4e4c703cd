use serde::Serialize;

use kiln_finding::closest;

/// `RUN --mount=…`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mount {
    /// `type`
    pub kind: MountKind,
    /// `from`: a stage, a named context or an image.
    pub from: Option<String>,
    /// `source`, `src`
    pub source: Option<String>,
    /// `target`, `dst`, `destination`
    pub target: Option<String>,
    /// Whether the command cannot write; decided by the kind unless it is said.
    pub readonly: bool,
    /// `id`
    pub id: Option<String>,
    /// `sharing` of a cache
    pub sharing: Option<Sharing>,
    /// `required`: a missing secret or agent is an error.
    pub required: bool,
    /// `size` of a tmpfs, in bytes
    pub size: Option<u64>,
    /// `mode`
    pub mode: Option<u32>,
    /// `uid`
    pub uid: Option<u32>,
    /// `gid`
    pub gid: Option<u32>,
    /// `env`: the variable that holds the secret.
    pub env: Option<String>,
}

/// What is mounted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MountKind {
    /// Files of the context, a stage or an image.
    #[default]
    Bind,
    /// A folder that outlives the build.
    Cache,
    /// An empty folder in memory.
    Tmpfs,
    /// A file with a secret.
    Secret,
    /// The socket of an agent.
    Ssh,
}

impl MountKind {
    const NAMES: [&str; 5] = ["bind", "cache", "tmpfs", "secret", "ssh"];

    fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "bind" => Self::Bind,
            "cache" => Self::Cache,
            "tmpfs" => Self::Tmpfs,
            "secret" => Self::Secret,
            "ssh" => Self::Ssh,
            _ => return None,
        })
    }

    /// The name it has in a flag.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bind => "bind",
            Self::Cache => "cache",
            Self::Tmpfs => "tmpfs",
            Self::Secret => "secret",
            Self::Ssh => "ssh",
        }
    }
}

/// What several builds do with one cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sharing {
    /// All write at once.
    Shared,
    /// Each gets its own.
    Private,
    /// One waits for the other.
    Locked,
}

const KEYS: [&str; 19] = [
    "type",
    "from",
    "source",
    "src",
    "target",
    "dst",
    "destination",
    "readonly",
    "ro",
    "readwrite",
    "rw",
    "id",
    "sharing",
    "required",
    "size",
    "mode",
    "uid",
    "gid",
    "env",
];

/// Why a mount cannot be; a fragment, and a help.
pub type MountProblem = (String, Option<String>);

impl Mount {
    /// Reads the value of a `--mount` flag. Variables in it must be replaced before, but never in `from`.
    pub fn parse(text: &str) -> Result<Self, MountProblem> {
        let mut mount = Self::default();
        let mut readonly = None;
        let fields = fields(text)?;
        for field in &fields {
            let (key, value) = match field.split_once('=') {
                Some((key, value)) => (key.to_ascii_lowercase(), Some(value)),
                None => (field.to_ascii_lowercase(), None),
            };
            mount.set(&key, value, field, &mut readonly)?;
        }
        mount.finish(readonly)
    }

    fn set(
        &mut self,
        key: &str,
        value: Option<&str>,
        field: &str,
        readonly: &mut Option<bool>,
    ) -> Result<(), MountProblem> {
        let on = |value: Option<&str>| match value {
            None => Ok(true),
            Some(value) => {
                go_bool(value).ok_or_else(|| bare(format!("`{key}` is true or false, not `{value}`")))
            }
        };
        match key {
            "readonly" | "ro" => *readonly = Some(on(value)?),
            "readwrite" | "rw" => *readonly = Some(!on(value)?),
            "required" if matches!(self.kind, MountKind::Secret | MountKind::Ssh) => {
                self.required = on(value)?;
            }
            "required" => {
                return Err((
                    format!("a {} mount cannot be `required`", self.kind.as_str()),
                    Some("`type=secret` or `type=ssh` must come before it".to_owned()),
                ));
            }
            _ if !KEYS.contains(&key) => {
                let guess = closest(key, KEYS).map(|guess| format!("did you mean `{guess}`?"));
                return Err((format!("a mount has no `{key}`"), guess));
            }
            _ => {
                let value = value.ok_or_else(|| bare(format!("`{field}` needs a value: `{key}=…`")))?;
                self.set_value(key, value)?;
            }
        }
        Ok(())
    }

    fn set_value(&mut self, key: &str, value: &str) -> Result<(), MountProblem> {
        let text = || Some(value.to_owned());
        let number = |radix, what: &str| {
            u32::from_str_radix(value, radix)
                .map(Some)
                .map_err(|_| bare(format!("`{key}` is {what}, not `{value}`")))
        };
        match key {
            "type" => {
                self.kind = MountKind::parse(value).ok_or_else(|| {
                    let guess =
                        closest(value, MountKind::NAMES).map(|guess| format!("did you mean `{guess}`?"));
                    let known = || format!("the types are {}", MountKind::NAMES.join(", "));
                    (format!("there is no mount of type `{value}`"), guess.or_else(|| Some(known())))
                })?;
            }
            "from" => self.from = text(),
            "source" | "src" => self.source = text(),
            "target" | "dst" | "destination" => self.target = text(),
            "id" => self.id = text(),
            "env" => self.env = text(),
            "sharing" => {
                self.sharing = Some(match value.to_ascii_lowercase().as_str() {
                    "shared" => Sharing::Shared,
                    "private" => Sharing::Private,
                    "locked" => Sharing::Locked,
                    _ => return Err(bare(format!("`sharing` is shared, private or locked, not `{value}`"))),
                });
            }
            "size" if self.kind == MountKind::Tmpfs => {
                self.size = Some(bytes(value).ok_or_else(|| {
                    bare(format!("`size` is a number of bytes such as 64m, not `{value}`"))
                })?);
            }
            "size" => {
                return Err(bare(format!(
                    "only a tmpfs mount has a size, this is a {} mount",
                    self.kind.as_str()
                )));
            }
            "mode" => self.mode = number(8, "an octal number")?,
            "uid" => self.uid = number(10, "a number")?,
            "gid" => self.gid = number(10, "a number")?,
            _ => {}
        }
        Ok(())
    }

    fn finish(mut self, readonly: Option<bool>) -> Result<Self, MountProblem> {
        let kind = self.kind;
        if matches!(kind, MountKind::Bind | MountKind::Tmpfs) {
            let owned = [("mode", self.mode), ("uid", self.uid), ("gid", self.gid)];
            if let Some((key, _)) = owned.iter().find(|(_, value)| value.is_some()) {
                return Err(bare(format!("a {} mount takes no `{key}`", kind.as_str())));
            }
        }
        if kind != MountKind::Cache && self.sharing.is_some() {
            return Err(bare(format!("only a cache is shared, this is a {} mount", kind.as_str())));
        }
        if kind == MountKind::Secret {
            if self.from.is_some() {
                return Err(bare("a secret comes from the command line, so it has no `from`".to_owned()));
            }
            if self.source.is_none() && self.target.is_none() && self.id.is_none() {
                return Err(bare("a secret needs an `id`, or a `target`".to_owned()));
            }
            if self.source.is_some() && self.id.is_some() {
                return Err(bare("`source` and `id` of a secret are the same; give one".to_owned()));
            }
        }
        let is_writable = matches!(kind, MountKind::Cache | MountKind::Tmpfs);
        self.readonly = readonly.unwrap_or(!is_writable);
        Ok(self)
    }

    /// Whether the text names variables, so that it means something only after they are replaced.
    pub fn has_variables(text: &str) -> bool {
        text.contains('$')
    }
}

fn bare(message: String) -> MountProblem {
    (message, None)
}

/// The fields of one line of comma-separated values.
pub fn mount_fields(text: &str) -> Option<Vec<String>> {
    fields(text).ok()
}

fn fields(text: &str) -> Result<Vec<String>, MountProblem> {
    let mut list = Vec::new();
    let mut rest = text;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (field, after) = quoted_field(quoted)
                .ok_or_else(|| bare("a quoted field of the mount has no end, or text after it".to_owned()))?;
            list.push(field);
            match after.strip_prefix(',') {
                Some(after) => rest = after,
                None => return Ok(list),
            }
        } else {
            let (field, after) = match rest.split_once(',') {
                Some((field, after)) => (field, Some(after)),
                None => (rest, None),
            };
            if field.contains('"') {
                return Err((
                    format!("a quote inside the field `{field}`"),
                    Some("quote the whole field: \"key=value\"".to_owned()),
                ));
            }
            list.push(field.to_owned());
            match after {
                Some(after) => rest = after,
                None => return Ok(list),
            }
        }
    }
}

/// A field after its first quote, `""` standing for a quote; and what follows.
fn quoted_field(text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        field.push_str(before);
        match after.strip_prefix('"') {
            Some(after) => {
                field.push('"');
                rest = after;
            }
            None if after.is_empty() || after.starts_with(',') => return Some((field, after)),
            None => return None,
        }
    }
}

/// The spellings of true and false that Go knows.
fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// `64m`, `1.5GiB`; units are powers of 1024.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let unit = unit.trim_start().to_ascii_lowercase();
    let letters = unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(&unit);
    let power = ["", "k", "m", "g", "t", "p"].iter().position(|letter| *letter == letters)?;
    let value = number * 1024_f64.powi(i32::try_from(power).ok()?);
    #[expect(clippy::cast_sign_loss, reason = "a number without a sign was read")]
    (value.is_finite() && value < 2_f64.powi(63)).then_some(value as u64)
}
