//! Joins on sockets of the kernel itself, which no restart of the program
//! that asked for them frees.

use anyhow::{Result, ensure};

use crate::guest::{
    MulticastSocket, Netns, OptmemMax, Tracing, group, ip_batch, ip_fails, membership_size,
};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("optmem-exhausted-autojoin", autojoin),
    scenario("ipv6-disabled-on-device-vxlan", vxlan),
];

/// `ip address add … autojoin` uses one socket per namespace.
fn autojoin() -> Result<()> {
    let netns = Netns::new("auto")?;
    let interface = netns.dummy("d0")?;
    let size = membership_size()?;
    let full: u32 = 30;
    let optmem_max = size * u64::from(full) + 1;
    let _limit = OptmemMax::set(&netns, optmem_max)?;
    let tracer = Tracing::start()?;
    let add = |n| format!("addr add {}/128 dev d0 autojoin nodad", group(n));
    let commands: Vec<_> = (0..full).map(add).collect();
    ip_batch(netns.name(), &commands)?;
    // A user's socket has a budget of its own.
    let user = MulticastSocket::udp(&netns)?;
    user.join(interface.ifindex, group(5000))?;
    let message = ip_fails(&netns.ip_words(&add(full)))?;
    // Newer kernels say what failed, and then iproute2 does not say the errno.
    let messages = ["Cannot allocate memory", "Multicast auto join failed"];
    ensure!(
        messages.iter().any(|part| message.contains(part)),
        "{message}"
    );
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("optmem-exhausted")?;
    let group = group(full).to_string();
    diagnosis
        .expect()
        .field("severity", "failure")
        .field("operation", "multicast-join")
        .field("errno", "ENOMEM")
        .field("comm", "ip")
        .field("netns", netns.inode())
        .field("ifindex", interface.ifindex)
        .field("interface", "d0")
        .field("address", group.as_str())
        .evidence("kernel_socket", true)
        .evidence("sk_omem_alloc", size * u64::from(full))
        .evidence("size", size)
        .evidence("optmem_max", optmem_max)
        .evidence("memberships", full)
        .evidence("stale_memberships", 0)
        .summary_has(["d0", group.as_str()])
        .summary_has_one_of(&["kernel"])
        .no_fix_has("restart")
        .some_fix_has("net.core.optmem_max")
        .check()
}

/// A tunnel that is to join on a device without IPv6.
fn vxlan() -> Result<()> {
    let netns = Netns::new("tunnel")?;
    let under = netns.dummy("d0")?;
    netns.ip("link set d0 mtu 1279")?;
    netns.ip("link add vx0 type vxlan id 7 group ff05::100 dev d0 dstport 4789")?;
    let tracer = Tracing::start()?;
    let message = ip_fails(&netns.ip_words("link set vx0 up"))?;
    ensure!(message.contains("Invalid argument"), "{message}");
    let report = tracer.finish()?;
    report.complete()?;
    report
        .only("ipv6-disabled-on-device")?
        .expect()
        .field("severity", "failure")
        .field("errno", "EINVAL")
        .field("comm", "ip")
        .field("netns", netns.inode())
        .field("ifindex", under.ifindex)
        .field("interface", "d0")
        .field("address", "ff05::100")
        .evidence("kernel_socket", true)
        .evidence("mtu", 1279)
        .evidence("ip6_ptr", 0)
        .summary_has(["d0", "ff05::100", "1279", "1280"])
        .summary_has_one_of(&["kernel"])
        .check()
}
