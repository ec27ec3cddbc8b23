//! What a membership costs on the running kernel.

use anyhow::{Context as _, Result, bail, ensure};

use super::{MulticastSocket, Netns, group};

/// Index of the loopback interface, in every namespace.
const LOOPBACK: u32 = 1;

/// `sizeof(struct ipv6_mc_socklist)`, with the lock that it once had and
/// without. Stable kernels lost it at different times, so the version does not
/// tell which it is.
const SIZES: [u64; 2] = [64, 56];

/// Bytes of option memory that a membership costs here: what the kernel itself
/// charges for one.
pub(crate) fn membership_size() -> Result<u64> {
    let socket = MulticastSocket::udp(&Netns::host()?)?;
    let before = socket.option_memory()?;
    socket
        .join(LOOPBACK, group(0))
        .context("cannot join a group on the loopback interface")?;
    let size = socket.option_memory()? - before;
    ensure!(
        SIZES.contains(&size),
        "a membership costs {size} bytes on this kernel, which none did so far"
    );
    Ok(size)
}

/// Checks [`membership_size`] against what was seen: exactly `joins` fit under
/// `limit` bytes, on a socket with nothing else in its option memory.
///
/// The kernel grants a charge that leaves the sum below the limit.
pub(crate) fn check_membership_size(limit: u64, joins: u64) -> Result<u64> {
    let size = membership_size()?;
    if joins * size < limit && (joins + 1) * size >= limit {
        return Ok(size);
    }
    bail!(
        "{joins} memberships fit into {limit} bytes: a membership of this kernel \
         does not cost the {size} bytes it was thought to"
    )
}
