//! Joins that fail, as many a second as is asked for.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{MulticastSocket, group};

/// A pause takes this long at least, whatever was asked for.
const PAUSE: Duration = Duration::from_millis(1);

/// Fails to join `count` groups from the first on, on a socket that is full. A
/// machine that is too slow for the rate does it as fast as it goes.
pub(crate) fn fail_at_a_rate(
    socket: &MulticastSocket,
    ifindex: u32,
    a_second: u32,
    count: u32,
) -> Result<()> {
    let start = Instant::now();
    for n in 0..count {
        let due = Duration::from_secs(n.into()) / a_second;
        let ahead = due.saturating_sub(start.elapsed());
        if ahead >= PAUSE {
            sleep(ahead);
        }
        let refused = socket.join(ifindex, group(n)).err();
        let errno = refused.and_then(|error| error.raw_os_error());
        ensure!(
            errno == Some(libc::ENOMEM),
            "joining {} gave {errno:?}",
            group(n)
        );
    }
    Ok(())
}
