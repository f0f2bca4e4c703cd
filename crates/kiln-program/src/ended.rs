use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

/// How much of what a program said is told, in characters.
const TOLD: usize = 500;

/// What a program printed, and how it ended.
#[derive(Clone, Debug)]
pub struct Ended {
    pub(crate) program: String,
    pub(crate) status: ExitStatus,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it said on standard error, where that is kept; the start of it.
    pub stderr: String,
}

impl Ended {
    /// Whether it ended with success.
    pub fn is_success(&self) -> bool {
        self.status.success()
    }

    /// How it ended.
    fn how(&self) -> String {
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("ended with exit code {code}"),
            (_, Some(signal)) => format!("was killed by signal {signal}"),
            _ => "ended".to_owned(),
        }
    }

    /// How it ended, and the last line that it said, on standard output where it said nothing on standard error: keepers of
    /// credentials tell there what is wrong. Without what moves a cursor.
    pub fn told_last(&self) -> String {
        let printed = String::from_utf8_lossy(&self.stdout);
        let mut lines = printed.lines().chain(self.stderr.lines()).rev();
        let last = lines.find(|line| !line.trim().is_empty()).unwrap_or_default();
        let last: String = last.trim().chars().filter(|char| !char.is_control()).take(TOLD).collect();
        let colon = if last.is_empty() { "" } else { ": " };
        format!("it {}{colon}{last}", self.how())
    }

    /// Who it was, how it ended, and the last that it said, as a sentence.
    pub fn told(&self) -> String {
        let how = self.how();
        let said = self.stderr.trim();
        let from = said.char_indices().rev().nth(TOLD - 1).map_or(0, |(at, _)| at);
        let said = said.get(from..).unwrap_or_default();
        let colon = if said.is_empty() { "" } else { ": " };
        format!("{} {how}{colon}{said}", self.program)
    }
}
