//! Commands that fail in many ways, each with the answer that it gets: the table of
//! `docs/why.md`, which is made of this one.

use anyhow::{Result, ensure};
use serde_json::Value;

use super::Answered;
use crate::guest::Netns;
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("why-each-in-the-table", each)];

/// What there is in the namespace, and what each command is answered.
const PLACE: &[&str] = &[
    "link set lo up",
    "link add d0 up type dummy",
    "addr add 2001:db8:5::1/64 dev d0 nodad",
    "link add small up mtu 1279 type dummy",
    "link add idle type dummy",
    "link add off up type dummy",
    "-6 route add unreachable 2001:db8:66::/64",
];

/// A command, the errno, the cause that it is answered, and the kernel function that was
/// the first to return it, of those that are watched: the one or the other, by the kernel;
/// none where the cause is certain, or no function is watched that did.
pub(super) const TABLE: &[(&str, &str, &str, &str)] = &[
    ("ip token set ::1 dev lo", "EINVAL", "token-loopback", ""),
    ("ip token set ::1 dev d0", "EINVAL", "token-noarp", ""),
    (
        "ip -6 route add 2001:db8:6::/64 via 2001:db8:99::1",
        "EHOSTUNREACH",
        "route-gateway-not-on-link",
        "",
    ),
    (
        "ip -6 route add 2001:db8:6::/64 via 2001:db8:5::1",
        "EINVAL",
        "route-gateway-own-address",
        "",
    ),
    (
        "ip -6 route add 2001:db8:6::/64 via fe80::1",
        "EINVAL",
        "route-gateway-without-interface",
        "",
    ),
    (
        "ip -6 route add 2001:db8:6::/64 dev d0 src 2001:db8:99::1",
        "EINVAL",
        "route-source-not-local",
        "",
    ),
    (
        "ip -6 route add 2001:db8:5::/64 dev d0 proto kernel metric 256",
        "EEXIST",
        "route-exists",
        "",
    ),
    (
        "ip -6 route del 2001:db8:77::/64",
        "ESRCH",
        "route-absent",
        "",
    ),
    (
        "ip -6 route add 2001:db8:6::/64 dev small",
        "ENODEV",
        "route-ipv6-off-mtu",
        "",
    ),
    (
        "ip -6 route add 2001:db8:6::/64 dev off",
        "EACCES",
        "route-ipv6-disabled",
        "",
    ),
    (
        "ip -6 route add 2001:db8:6::/64 dev idle",
        "ENETDOWN",
        "route-interface-down",
        "",
    ),
    (
        "ip addr add 2001:db8:8::1/64 dev off",
        "EACCES",
        "address-ipv6-disabled",
        "",
    ),
    (
        "ip addr add 2001:db8:8::1/64 dev small",
        "EINVAL",
        "address-ipv6-off-mtu",
        "",
    ),
    (
        "ip addr add 2001:db8:5::1/64 dev d0",
        "EEXIST",
        "address-exists",
        "",
    ),
    (
        "ip addr add ::1/128 dev d0",
        "EADDRNOTAVAIL",
        "address-loopback",
        "",
    ),
    (
        "ip addr add ff02::5/64 dev d0",
        "EADDRNOTAVAIL",
        "address-multicast",
        "",
    ),
    (
        "ip addr add 2001:db8:8::1/48 dev d0 mngtmpaddr",
        "EINVAL",
        "address-mngtmpaddr",
        "",
    ),
    (
        "ip link set d0 addrgenmode stable_secret",
        "EINVAL",
        "stable-secret-unset",
        "",
    ),
    (
        "ip -6 rule del table 77",
        "ENOENT",
        "request-refused",
        "fib_nl_delrule or fib_delrule",
    ),
    (
        "ip -6 rule add table 0",
        "EINVAL",
        "request-refused",
        "fib6_rule_configure",
    ),
    (
        "ip -6 neigh del 2001:db8:5::9 dev d0",
        "ENOENT",
        "request-refused",
        "neigh_delete",
    ),
    (
        "ip -6 neigh del proxy 2001:db8:5::9 dev d0",
        "ENOENT",
        "request-refused",
        "pneigh_delete",
    ),
    (
        "ip -6 neigh change 2001:db8:5::9 lladdr 02:00:00:00:00:09 dev d0",
        "ENOENT",
        "request-refused",
        "neigh_add",
    ),
    (
        "ip nexthop del id 77",
        "ENOENT",
        "request-refused",
        "rtm_del_nexthop",
    ),
    (
        "ip -6 nexthop add id 7 via 2001:db8:99::1 dev d0",
        "EHOSTUNREACH",
        "request-refused",
        "fib6_nh_init",
    ),
    (
        "ip addrlabel add prefix ::/0 label 1",
        "EEXIST",
        "request-refused",
        "ip6addrlbl_add or __ip6addrlbl_add",
    ),
    (
        "ip addrlabel del prefix 2001:db8:7::/64 label 9",
        "ESRCH",
        "request-refused",
        "ip6addrlbl_newdel",
    ),
    (
        "ip -6 route get 2001:db8:7::9",
        "ENETUNREACH",
        "route-get-refused",
        "inet6_rtm_getroute",
    ),
    ("ping -c 1 2001:db8:7::9", "ENETUNREACH", "no-route", ""),
    (
        "ping -c 1 2001:db8:66::9",
        "EHOSTUNREACH",
        "route-rejects",
        "",
    ),
    (
        "ping -c 1 -I 2001:db8:99::1 2001:db8:5::2",
        "EADDRNOTAVAIL",
        "bind-address-absent",
        "",
    ),
    (
        "ping -c 1 -M do -s 3000 2001:db8:5::2",
        "EMSGSIZE",
        "call-failed",
        "ip6_append_data or __ip6_append_data",
    ),
    (
        "sh -c 'ping -c 1 -F 0xfffff ::1 && ping -c 1 -F 0xfffff ::1'",
        "EPERM",
        "option-refused",
        "ipv6_flowlabel_opt",
    ),
    (
        "bash -c '{ :; } 3<>/dev/tcp/ff02::9/9'",
        "ENETUNREACH",
        "call-failed",
        "tcp_v6_connect",
    ),
    (
        "bash -c '{ :; } 3<>/dev/tcp/2001:db8:5::1/9'",
        "ECONNREFUSED",
        "call-failed",
        "",
    ),
];

/// One after the other, in one session.
fn each() -> Result<()> {
    let netns = Netns::new("shop")?;
    for words in PLACE {
        netns.ip(words)?;
    }
    netns.set_sysctl("ipv6/conf/off/disable_ipv6", "1")?;
    let within = |(command, ..): &(&str, _, _, _)| {
        format!("ip netns exec {} {command} && exit 90", netns.name())
    };
    let commands: Vec<String> = TABLE.iter().map(within).collect();
    let answered = Answered::of_script(&(commands.join("\n") + "\nexit 3"))?;
    answered.says(
        3,
        "sh ended with status 3; what failed of IPv6, the most decisive first",
    )?;
    // By time, whichever decides the more.
    let mut diagnoses: Vec<_> = answered.diagnoses.iter().collect();
    diagnoses.sort_by_key(|diagnosis| diagnosis.field("boot_ns").as_u64());
    let wanted: Vec<_> = TABLE
        .iter()
        .map(|(_, errno, cause, _)| (*cause, *errno))
        .collect();
    let found = diagnoses.iter().map(|diagnosis| {
        let errno = diagnosis.field("errno").as_str().unwrap_or_default();
        (diagnosis.cause(), errno)
    });
    let found: Vec<_> = found.collect();
    ensure!(
        found == wanted,
        "{found:#?} are not {wanted:#?}: {}",
        answered.done
    );
    for (diagnosis, (command, .., functions)) in diagnoses.iter().zip(TABLE) {
        let found = diagnosis.evidence("function").and_then(Value::as_str);
        let mut functions = functions.split(" or ");
        ensure!(
            functions.any(|function| function == found.unwrap_or_default()),
            "{command}: {found:?}: {diagnosis}"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::{env, fs, path::Path};

    use v6trace::catalogue::Cause;

    use super::TABLE;

    const BEGIN: &str = "<!-- From the tests: see tests/src/scenarios/why/table.rs. -->\n";
    const END: &str = "<!-- The end of that. -->\n";

    /// `SNAPSHOTS=overwrite cargo test --package v6trace-tests` writes it anew.
    #[test]
    fn the_document_has_the_table() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/why.md");
        let document = fs::read_to_string(&path).expect("the document can be read");
        let (before, rest) = document.split_once(BEGIN).expect("the table begins");
        let (written, after) = rest.split_once(END).expect("the table ends");
        let mut table =
            "| command | errno | answer | | first function |\n|---|---|---|---|---|\n".to_owned();
        for (command, errno, code, functions) in TABLE {
            let cause = Cause::from_code(code).expect("it is a cause");
            let title = cause.title();
            let functions = functions.split(" or ").filter(|name| !name.is_empty());
            let functions: Vec<_> = functions.map(|name| format!("`{name}`")).collect();
            let functions = functions.join(" or ");
            let _ = writeln!(
                table,
                "| `{command}` | {errno} | `{code}` | {title} | {functions} |"
            );
        }
        if env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
            let document = [before, BEGIN, &table, END, after].concat();
            fs::write(&path, document).expect("the document can be written");
            return;
        }
        assert_eq!(written, table, "docs/why.md is not what the tests do");
    }
}
