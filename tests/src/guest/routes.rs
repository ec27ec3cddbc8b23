//! Default routes that the kernel learned from router advertisements.

use std::fs;
use std::net::Ipv6Addr;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::{Netns, finish, until_some};

/// `RTF_ADDRCONF | RTF_DEFAULT` of `linux/ipv6_route.h`.
const LEARNT_DEFAULT: u32 = 0x0005_0000;

/// The gateway of the namespace's first default route from an advertisement,
/// in whatever table.
pub(crate) fn default_route(netns: &Netns) -> Result<Option<String>> {
    Ok(default_routes(netns)?.into_iter().next().map(|(to, _)| to))
}

/// Gateway and interface of each such route.
pub(crate) fn default_routes(netns: &Netns) -> Result<Vec<(String, String)>> {
    let table = netns.enter(|| {
        fs::read_to_string("/proc/thread-self/net/ipv6_route").context("cannot read the routes")
    })?;
    let mut found = Vec::new();
    for line in table.lines() {
        let columns: Vec<_> = line.split_whitespace().collect();
        if let [_, length, _, _, gateway, _, _, _, flags, interface] = columns.as_slice()
            && *length == "00"
            && u32::from_str_radix(flags, 16)? & LEARNT_DEFAULT == LEARNT_DEFAULT
        {
            let gateway = Ipv6Addr::from(u128::from_str_radix(gateway, 16)?);
            found.push((gateway.to_string(), (*interface).to_owned()));
        }
    }
    Ok(found)
}

/// Waits until another advertisement has renewed the namespace's default route:
/// then it is heeded, and so is what else is in it.
///
/// # Errors
/// There is no such route, or it runs out.
pub(crate) fn renewed(netns: &Netns) -> Result<()> {
    let left = || -> Result<Option<u32>> {
        let words = netns.ip_words("-6 route show default proto ra");
        let mut ip = Command::new("ip");
        let shown = finish(ip.args(words.split_whitespace()), Duration::from_secs(5))?;
        let mut words = shown.stdout.split_whitespace();
        let seconds = words.find(|word| *word == "expires").and(words.next());
        Ok(seconds.and_then(|seconds| seconds.trim_end_matches("sec").parse().ok()))
    };
    let mut least = left()?.context("no default route from an advertisement")?;
    let what = "an advertisement should renew the default route";
    until_some(what, Duration::from_secs(10), || {
        sleep(Duration::from_millis(300));
        let now = left()?.context("the default route has run out")?;
        let longer = now > least;
        least = least.min(now);
        Ok(longer.then_some(()))
    })
}
