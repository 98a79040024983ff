//! How many passwords this machine can hash, which no login can be faster than.

use std::{
    thread,
    time::{Duration, Instant},
};

use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::Failure;

/// Argon2id with the parameters that OWASP recommends and every program uses: KiB, passes, lanes.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// Hashes a second with one thread for each core, each with memory of its own that it keeps.
pub fn limit(time: Duration) -> Result<f64, Failure> {
    let threads = thread::available_parallelism()?.get();
    let workers: Vec<_> = (0..threads).map(|_| thread::spawn(move || rate(time))).collect();
    let mut sum = 0.0;
    for worker in workers {
        sum += worker.join().map_err(|_| "a thread that hashes panicked")??;
    }
    Ok(sum)
}

fn rate(time: Duration) -> Result<f64, Failure> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None)?;
    let mut blocks = vec![Block::default(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut output = [0; 32];
    let start = Instant::now();
    let mut hashes = 0_u32;
    while start.elapsed() < time {
        argon2.hash_password_into_with_memory(b"correct horse", &[7; 16], &mut output, &mut blocks)?;
        hashes += 1;
    }
    Ok(f64::from(hashes) / start.elapsed().as_secs_f64())
}
