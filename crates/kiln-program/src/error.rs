use std::io;
use std::time::Duration;

/// Why a program gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not there, or cannot be run.
    #[error("start {program}")]
    Start {
        /// Which.
        program: String,
        /// What the system says.
        source: io::Error,
    },
    /// It was ended.
    #[error("{program} was still running after {}", seconds(*.limit))]
    Late {
        /// Which.
        program: String,
        /// How long it may take.
        limit: Duration,
    },
    /// It was ended.
    #[error("{program} printed more than {most} bytes")]
    Long {
        /// Which.
        program: String,
        /// How much it may print.
        most: usize,
    },
    /// The system lost it.
    #[error("wait for {program}")]
    Lost {
        /// Which.
        program: String,
        /// What the system says.
        source: io::Error,
    },
}

impl Error {
    /// Whether there is no such program.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Start { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

fn seconds(limit: Duration) -> String {
    let seconds = limit.as_secs();
    match seconds {
        0 => format!("{} ms", limit.as_millis()),
        1 => "a second".to_owned(),
        seconds if seconds > 60 && seconds % 60 == 0 => format!("{} minutes", seconds / 60),
        seconds => format!("{seconds} seconds"),
    }
}
