//! Tap interfaces, as virtual machines and tunnels use them: with a program
//! behind each, so that the link has carrier.

use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd as _;

use anyhow::{Context as _, Result};

use super::{Link, Netns, ip_batch};

/// A batch of taps, deleted together on request or with their last user.
pub(crate) struct Taps {
    links: Vec<Link>,
    /// The programs' ends; closing one deletes its tap.
    programs: Vec<File>,
}

impl Taps {
    /// The interface group that lets one request delete a whole batch.
    const GROUP: u32 = 77;

    /// Makes `count` taps called `prefix` and a number, and brings them up.
    pub(crate) fn new(netns: &Netns, prefix: &str, count: u32) -> Result<Self> {
        let names: Vec<_> = (0..count).map(|n| format!("{prefix}{n}")).collect();
        let programs = netns.enter(|| names.iter().map(|name| attach(name, TAP)).collect())?;
        let group = Self::GROUP;
        let up: Vec<_> = names
            .iter()
            .map(|name| format!("link set {name} group {group} addrgenmode eui64 up"))
            .collect();
        ip_batch(netns.name(), &up)?;
        let links = names
            .iter()
            .map(|name| Link::find(netns, name))
            .collect::<Result<_>>()?;
        Ok(Self { links, programs })
    }

    /// The interfaces.
    pub(crate) fn links(&self) -> &[Link] {
        &self.links
    }

    /// Deletes all of the namespace's taps in one go.
    pub(crate) fn delete(self, netns: &Netns) -> Result<()> {
        netns.ip(&format!("link del group {}", Self::GROUP))?;
        // Only then: closing them would delete the taps one by one.
        drop(self.programs);
        Ok(())
    }
}

/// `struct ifreq` as `TUNSETIFF` reads it.
#[repr(C)]
struct TunRequest {
    name: [u8; 16],
    flags: u16,
    unused: [u8; 22],
}

const _: () = assert!(size_of::<TunRequest>() == size_of::<libc::ifreq>());

/// `IFF_TUN | IFF_NO_PI` and `IFF_TAP | IFF_NO_PI` of `linux/if_tun.h`.
pub(super) const TUN: u16 = 0x1001;
const TAP: u16 = 0x1002;

/// Opens a tap or tun of that name in the namespace of the calling thread.
pub(super) fn attach(name: &str, flags: u16) -> Result<File> {
    let tun = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/net/tun")
        .context("cannot open /dev/net/tun")?;
    let mut request = TunRequest {
        name: [0; 16],
        flags,
        unused: [0; 22],
    };
    // The last byte stays zero: it ends the name.
    for (to, from) in request.name[..15].iter_mut().zip(name.bytes()) {
        *to = from;
    }
    // SAFETY: TUNSETIFF reads and writes one struct ifreq, whose size and
    // layout `request` has; the descriptor is open.
    let done = unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
    if done != 0 {
        return Err(std::io::Error::last_os_error()).with_context(|| format!("cannot make {name}"));
    }
    Ok(tun)
}
