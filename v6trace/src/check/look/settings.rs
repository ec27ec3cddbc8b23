//! What netlink does not tell and procfs does, of the network namespace of the
//! calling thread.

use std::{fs, io, path::Path};

use crate::{check::Settings, families::bind};

/// Where the kernel shows the IPv6 settings of the calling thread's namespace.
const CONF: &str = "/proc/sys/net/ipv6/conf";
/// Where it counts the messages that each interface got.
const COUNTERS: &str = "/proc/thread-self/net/dev_snmp6";
/// Where it lists raw sockets.
const RAW: &str = "/proc/thread-self/net/raw6";

/// `IPPROTO_ICMPV6`, as what a raw socket has for a port.
const ICMPV6: &str = ":003A";

fn number<T: std::str::FromStr>(path: &Path) -> Option<T> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Settings of all interfaces together.
pub(super) fn of_all() -> Settings {
    let all = |name: &str| number(&Path::new(CONF).join("all").join(name));
    Settings {
        forwarding: all("forwarding"),
        enhanced_dad: all("enhanced_dad"),
        proxy_ndp: all("proxy_ndp"),
        nonlocal_bind: number(Path::new("/proc/sys/net/ipv6/ip_nonlocal_bind")),
        optmem_max: number(Path::new("/proc/sys/net/core/optmem_max")),
        ipv6_off: bind::disabled_at_boot(),
        default_use_tempaddr: number(&Path::new(CONF).join("default/use_tempaddr")),
        ip_forward: number(Path::new("/proc/sys/net/ipv4/ip_forward")),
        gc_thresh3: number(Path::new("/proc/sys/net/ipv6/neigh/default/gc_thresh3")),
    }
}

/// Router advertisements that an interface got, and solicitations that it sent.
pub(super) fn routers(interface: &str) -> [Option<u64>; 2] {
    // A name has no slash in it.
    let counters = fs::read_to_string(Path::new(COUNTERS).join(interface)).unwrap_or_default();
    ["Icmp6InRouterAdvertisements", "Icmp6OutRouterSolicits"].map(|name| counted(&counters, name))
}

fn counted(counters: &str, name: &str) -> Option<u64> {
    let count = counters.lines().find_map(|line| line.strip_prefix(name))?;
    count.trim().parse().ok()
}

/// Raw ICMPv6 sockets.
pub(super) fn raw_icmpv6() -> io::Result<u32> {
    let sockets = fs::read_to_string(RAW)?;
    Ok(count_raw(&sockets))
}

fn count_raw(sockets: &str) -> u32 {
    let own = sockets
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1));
    let icmpv6 = own.filter(|own| own.ends_with(ICMPV6));
    u32::try_from(icmpv6.count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_found_by_name() {
        let counters = "ifIndex                         \t2\n\
                        Icmp6InRouterSolicits           \t1\n\
                        Icmp6InRouterAdvertisements     \t12\n\
                        Icmp6OutRouterAdvertisements    \t7\n";
        assert_eq!(counted(counters, "Icmp6InRouterAdvertisements"), Some(12));
        assert_eq!(counted(counters, "Icmp6OutRouterAdvertisements"), Some(7));
        assert_eq!(counted(counters, "Icmp6OutRouterSolicits"), None);
    }

    #[test]
    fn only_raw_sockets_of_icmpv6_count() {
        let sockets = "  sl  local_address                         remote_address   st\n\
            3: 00000000000000000000000000000000:003A 00000000000000000000000000000000:0000 07\n\
            4: 00000000000000000000000000000000:0059 00000000000000000000000000000000:0000 07\n";
        assert_eq!(count_raw(sockets), 1);
    }
}
