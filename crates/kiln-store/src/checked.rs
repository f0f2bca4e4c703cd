use std::io::{self, Read};

use kiln_oci::{Descriptor, HashingReader};

/// Reads content and fails at its end where digest or size are not the promised ones.
pub(crate) struct CheckedReader<R: Read> {
    input: Option<HashingReader<R>>,
    promised: Descriptor,
    left: u64,
}

impl<R: Read> CheckedReader<R> {
    pub(crate) fn new(input: R, promised: &Descriptor) -> Self {
        Self { input: Some(HashingReader::new(input)), promised: promised.clone(), left: promised.size }
    }
}

impl<R: Read> Read for CheckedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(input) = &mut self.input else { return Ok(0) };
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = input.read(buffer)?;
        let bad = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            bad(format!("{} is longer than the {} bytes promised", self.promised.digest, self.promised.size))
        })?;
        if count > 0 {
            return Ok(count);
        }
        let (_, digest, size) = self.input.take().expect("it was there a moment ago").finish();
        if digest == self.promised.digest && size == self.promised.size {
            return Ok(0);
        }
        Err(bad(format!("{size} bytes with digest {digest} stand in the place of {}", self.promised.digest)))
    }
}
