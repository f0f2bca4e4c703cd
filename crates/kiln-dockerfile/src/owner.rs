use serde::Serialize;

/// What `--chown` and `USER` name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Owner {
    /// The user.
    pub user: Id,
    /// The group, where one is named.
    pub group: Option<Id>,
}

/// A user or a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Id {
    /// By number.
    Number(u32),
    /// By name; the image's `/etc/passwd` and `/etc/group` know its number.
    Name(String),
}

impl Id {
    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            // Numbers above what a Linux id can be are nothing.
            return text.parse::<u32>().ok().filter(|id| i32::try_from(*id).is_ok()).map(Self::Number);
        }
        Some(Self::Name(text.to_owned()))
    }

    /// Whether it is the user (or group) 0, by number or by name.
    pub fn is_root(&self) -> bool {
        match self {
            Self::Number(number) => *number == 0,
            Self::Name(name) => name == "root",
        }
    }
}

impl Owner {
    /// Reads `user[:group]`, each a number or a name. `None` if a part is empty or too large.
    pub fn parse(text: &str) -> Option<Self> {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        let group = match group {
            // `user:` is the user alone.
            None | Some("") => None,
            Some(group) => Some(Id::parse(group)?),
        };
        Some(Self { user: Id::parse(user)?, group })
    }
}
