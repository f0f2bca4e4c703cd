#![no_main]
//! A `kiln.lock`: what is read is written back as the same value.

use kiln_base::Lock;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(lock) = Lock::read(text) {
        assert_eq!(Lock::read(&lock.render()).expect("what is written can be read"), lock);
        lock.date();
    }
});
