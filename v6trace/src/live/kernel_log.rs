//! What the programs log about themselves (`-vv`), through aya-log.

use std::io;

use aya::Ebpf;
use aya_log::EbpfLogger;
use tokio::io::{Interest, unix::AsyncFd};

/// Passes the programs' messages on to the `log` crate, until the runtime ends.
pub fn start(ebpf: &mut Ebpf) -> anyhow::Result<()> {
    let logger = EbpfLogger::init(ebpf)?;
    // SAFETY: the logger owns the map whose descriptor it returns, always the
    // same one, and keeps it open until it is dropped together with the AsyncFd.
    let logger = unsafe { AsyncFd::register_with_interest(logger, Interest::READABLE) };
    let mut logger = logger.map_err(io::Error::from)?;
    tokio::spawn(async move {
        while let Ok(mut guard) = logger.readable_mut().await {
            guard.get_inner_mut().flush();
            guard.clear_ready();
        }
    });
    Ok(())
}
