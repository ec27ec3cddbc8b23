//! Settings of this host that make it take its own frames for others', for
//! `doctor`.

use std::{fs, path::Path};

use super::{Interface, lookup};
use crate::{
    explain::{quoted, set_interface_sysctl},
    observe::Hazard,
};

/// Where the kernel shows the IPv6 settings of the calling namespace.
const CONF: &str = "/proc/sys/net/ipv6/conf";

/// Those of the network namespace that v6trace runs in.
pub(crate) fn hazards() -> Vec<Hazard> {
    let interfaces = lookup::here().unwrap_or_default();
    let ports = interfaces.iter().filter(|interface| interface.hairpin);
    let unrecognised = without_enhanced_dad(Path::new(CONF), &interfaces);
    ports.map(hairpin).chain(unrecognised).collect()
}

fn hairpin(port: &Interface) -> Hazard {
    let name = &port.name;
    let bridge = port.master.as_deref().unwrap_or("its bridge");
    Hazard {
        what: format!(
            "port {name} of {bridge} is in hairpin mode: it reflects what is behind it, duplicate \
             address detection included"
        ),
        fix: format!("bridge link set dev {} hairpin off", quoted(name)),
    }
}

/// Interfaces that do not recognise their own reflected solicitations. Either
/// of `conf.all` and the interface's own setting turns that on (RFC 7527).
fn without_enhanced_dad(conf: &Path, interfaces: &[Interface]) -> Vec<Hazard> {
    let is_off = |name: &str| {
        let value = fs::read_to_string(conf.join(name).join("enhanced_dad"));
        value.is_ok_and(|value| value.trim() == "0")
    };
    if !is_off("all") {
        return Vec::new();
    }
    let off = interfaces.iter().map(|interface| &interface.name);
    off.filter(|name| *name != "lo" && is_off(name))
        .map(|name| Hazard {
            what: format!(
                "enhanced DAD is off on {name}: it takes its own reflected solicitation for a \
                 duplicate address"
            ),
            fix: set_interface_sysctl(name, "enhanced_dad", 1),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str) -> Interface {
        Interface {
            ifindex: 3,
            name: name.to_owned(),
            mac: None,
            link: None,
            master: Some("br0".to_owned()),
            hairpin: true,
            prefix_len: None,
            address_flags: 0,
            anycast: None,
            proxy: None,
        }
    }

    #[test]
    fn either_setting_is_enough() {
        let conf = tempfile::tempdir().unwrap();
        let set = |name: &str, value: &str| {
            fs::create_dir_all(conf.path().join(name)).unwrap();
            fs::write(conf.path().join(name).join("enhanced_dad"), value).unwrap();
        };
        let interfaces = [interface("lo"), interface("eth0"), interface("eth1.5")];
        for name in ["lo", "eth0", "eth1.5"] {
            set(name, "0\n");
        }
        set("all", "1\n");
        assert_eq!(without_enhanced_dad(conf.path(), &interfaces), []);
        set("all", "0\n");
        set("eth0", "1\n");
        let [hazard] = &without_enhanced_dad(conf.path(), &interfaces)[..] else {
            panic!("eth1.5 alone is without");
        };
        assert!(hazard.what.contains("eth1.5"), "{hazard:?}");
        assert_eq!(hazard.fix, "sysctl -w net/ipv6/conf/eth1.5/enhanced_dad=1");
    }

    #[test]
    fn a_hairpin_port_is_named_with_its_bridge() {
        let hazard = hairpin(&interface("vnet 0"));
        assert!(hazard.what.contains("port vnet 0 of br0"), "{hazard:?}");
        assert_eq!(hazard.fix, "bridge link set dev 'vnet 0' hairpin off");
    }
}
