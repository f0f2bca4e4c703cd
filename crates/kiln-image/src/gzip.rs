use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use flate2::{Compress, Compression, Crc, FlushCompress};

/// Input bytes that are compressed as one piece. It fixes the output, so it must never change: the digest of
/// every layer depends on it.
const BLOCK: usize = 1 << 20;
/// Deflate looks back this far.
const WINDOW: usize = 32 << 10;
const LEVEL: u32 = 6;
/// Magic, deflate, no flags, no time, no extra flags, unknown system. Source: RFC 1952 §2.3.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Compresses to one gzip member, in parallel. The output depends on the input alone, not on how many threads
/// there are nor on how the input was cut into writes.
///
/// Each block is deflated with the end of the block before it as its dictionary and ends on a byte boundary
/// (a sync flush), so the pieces joined are one deflate stream.
pub struct GzipWriter<W> {
    output: W,
    block: Vec<u8>,
    dictionary: Arc<[u8]>,
    crc: Crc,
    started: bool,
    workers: Workers,
}

impl<W: Write> GzipWriter<W> {
    /// Compresses into `output` on `threads` threads beside the caller's.
    pub fn new(output: W, threads: usize) -> Self {
        Self {
            output,
            block: Vec::with_capacity(BLOCK),
            dictionary: Arc::from([]),
            crc: Crc::new(),
            started: false,
            workers: Workers::start(threads.max(1)),
        }
    }

    /// Writes what is left and gives the output back.
    pub fn finish(mut self) -> io::Result<W> {
        self.submit(true);
        while let Some(piece) = self.workers.take_next() {
            self.write_piece(&piece?)?;
        }
        self.output.write_all(&self.crc.sum().to_le_bytes())?;
        self.output.write_all(&self.crc.amount().to_le_bytes())?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn submit(&mut self, last: bool) {
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK));
        self.crc.update(&block);
        let dictionary =
            std::mem::replace(&mut self.dictionary, block[block.len().saturating_sub(WINDOW)..].into());
        self.workers.submit(Job { block, dictionary, last });
    }

    fn write_piece(&mut self, piece: &[u8]) -> io::Result<()> {
        if !self.started {
            self.output.write_all(&HEADER)?;
            self.started = true;
        }
        self.output.write_all(piece)
    }
}

impl<W: Write> Write for GzipWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..count]);
        if self.block.len() == BLOCK {
            self.submit(false);
            while self.workers.are_full() {
                let Some(piece) = self.workers.take_next() else { break };
                self.write_piece(&piece?)?;
            }
        }
        Ok(count)
    }

    /// Does nothing: a flush point would change the bytes.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Job {
    block: Vec<u8>,
    dictionary: Arc<[u8]>,
    last: bool,
}

type Piece = io::Result<Vec<u8>>;
type Request = (Job, Sender<Piece>);

/// Threads that deflate blocks, and the replies still awaited, in the order of the blocks.
struct Workers {
    jobs: Option<Sender<Request>>,
    replies: VecDeque<Receiver<Piece>>,
    capacity: usize,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    fn start(count: usize) -> Self {
        let (jobs, queue) = channel::<Request>();
        let queue = Arc::new(Mutex::new(queue));
        let work = |queue: Arc<Mutex<Receiver<Request>>>| {
            move || {
                loop {
                    let next = queue.lock().expect("no worker panics while it holds the queue").recv();
                    let Ok((job, reply)) = next else { return };
                    // A reply nobody waits for belongs to a writer that was dropped.
                    drop(reply.send(deflate(&job)));
                }
            }
        };
        let threads = (0..count).map(|_| std::thread::spawn(work(Arc::clone(&queue)))).collect();
        Self { jobs: Some(jobs), replies: VecDeque::new(), capacity: 2 * count, threads }
    }

    fn submit(&mut self, job: Job) {
        let (reply, receiver) = channel();
        self.replies.push_back(receiver);
        let jobs = self.jobs.as_ref().expect("the queue is open until the workers are dropped");
        // The threads end only when the queue is closed, so sending cannot fail.
        drop(jobs.send((job, reply)));
    }

    fn are_full(&self) -> bool {
        self.replies.len() >= self.capacity
    }

    /// Waits for the oldest block; `None` where none is awaited.
    fn take_next(&mut self) -> Option<Piece> {
        let reply = self.replies.pop_front()?;
        Some(reply.recv().unwrap_or_else(|_| Err(io::Error::other("a compression thread died"))))
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked was noticed by its missing reply.
            drop(thread.join());
        }
    }
}

fn deflate(job: &Job) -> Piece {
    let mut compress = Compress::new(Compression::new(LEVEL), false);
    if !job.dictionary.is_empty() {
        compress.set_dictionary(&job.dictionary).map_err(io::Error::other)?;
    }
    let mut output = Vec::with_capacity(job.block.len() / 2 + 1024);
    let flush = if job.last { FlushCompress::Finish } else { FlushCompress::Sync };
    loop {
        let consumed = compress.total_in() as usize;
        let status =
            compress.compress_vec(&job.block[consumed..], &mut output, flush).map_err(io::Error::other)?;
        let all_read = compress.total_in() as usize == job.block.len();
        let has_room = output.len() < output.capacity();
        if status == flate2::Status::StreamEnd || (!job.last && all_read && has_room) {
            return Ok(output);
        }
        output.reserve(BLOCK / 4);
    }
}
