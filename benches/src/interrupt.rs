//! Lets a run that is interrupted end like one that failed, so that no program and no database stays behind.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};

use crate::Failure;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Waits for the signals that ask a process to end.
pub fn listen() -> Result<(), Failure> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (mut interrupt, mut terminate) = {
        let _entered = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        INTERRUPTED.store(true, Ordering::Relaxed);
    });
    Ok(())
}

/// Fails after such a signal.
pub fn check() -> Result<(), Failure> {
    if INTERRUPTED.load(Ordering::Relaxed) { Err("interrupted".into()) } else { Ok(()) }
}
