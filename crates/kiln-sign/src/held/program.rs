use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::unfit;
use crate::Error;
use crate::error::ErrorKind;

/// The most that a program may answer, in bytes.
const ANSWER_MAX: u64 = 1 << 20;
/// How long a program may take: somebody may have to touch a button.
const TIME_MAX: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_millis(5);

/// What a program answered.
pub(super) struct Answer {
    pub(super) stdout: Vec<u8>,
    pub(super) is_success: bool,
}

/// Runs a program with `input`. What it says on standard error is for the user.
pub(super) fn run(program: &str, command: &mut Command, input: &[u8]) -> Result<Answer, Error> {
    let failed = |source| Error::from(ErrorKind::Program { program: program.to_owned(), source });
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(failed)?;
    let (mut stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let input = input.to_owned();
    // A program may end without having read what it is given.
    let writing = std::thread::spawn(move || drop(stdin.as_mut().map(|stdin| stdin.write_all(&input))));
    let reading = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.map(|stdout| stdout.take(ANSWER_MAX + 1).read_to_end(&mut bytes));
        read.unwrap_or(Ok(0)).map(|_| bytes)
    });
    let until = Instant::now() + TIME_MAX;
    let status = loop {
        match child.try_wait().map_err(failed)? {
            Some(status) => break status,
            None if Instant::now() < until => std::thread::sleep(PAUSE),
            None => {
                drop(child.kill());
                drop(child.wait());
                return Err(unfit(format!("{program} took more than {} seconds", TIME_MAX.as_secs())));
            }
        }
    };
    drop(writing.join());
    let stdout = reading.join().map_err(|_| unfit(format!("{program} cannot be heard")))?.map_err(failed)?;
    if stdout.len() as u64 > ANSWER_MAX {
        return Err(unfit(format!("{program} answered more than {ANSWER_MAX} bytes")));
    }
    Ok(Answer { stdout, is_success: status.success() })
}
