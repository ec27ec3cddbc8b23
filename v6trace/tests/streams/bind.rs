//! What is said of refused local addresses where values could not be read, do not
//! decide, or are more than a record has room for: no guest produces that on
//! demand.

use serde_json::{Value, json};
use v6trace::families::bind::{Place, PortSocket, PortUse, Whereabouts};
use v6trace_common::{
    Hook,
    families::bind::{
        self as wire, ALL_LOOKED_AT, AS_ANYCAST, AddressHolder, CAPABILITIES_READ,
        INET6_FLAGS_READ, IPV6_DISABLE_READ, LocalAddressRefused, PORT_START_READ, REUSE_ADDRESS,
        REUSE_PORT, REUSE_READ, SOCKET_READ, SocketRefused, V6ONLY, V6ONLY_READ,
    },
};
use zerocopy::FromZeros as _;

use crate::stream::{self, GUEST, HOST, diagnosis};

const EACCES: i32 = -13;
const ENODEV: i32 = -19;
const EINVAL: i32 = -22;
const EAFNOSUPPORT: i32 = -97;
const EADDRNOTAVAIL: i32 = -99;

const OPTIMISTIC: u32 = 0x04;
const TENTATIVE: u32 = 0x40;
const PERMANENT: u32 = 0x80;

const ADDRESS: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
const LOCAL: [u8; 16] = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
const ETH0: [u8; 16] = *b"eth0\0\0\0\0\0\0\0\0\0\0\0\0";

fn refused(ret: i32, known: u32) -> LocalAddressRefused {
    LocalAddressRefused {
        address: ADDRESS,
        ret,
        port: 53,
        sk_type: 2,
        sk_protocol: 17,
        sk_state: 7,
        known,
        ..LocalAddressRefused::new_zeroed()
    }
}

/// The same with eth0 and the address on it.
fn held(ret: i32, address_flags: u32) -> LocalAddressRefused {
    let mut refused = refused(ret, SOCKET_READ | ALL_LOOKED_AT);
    refused.holder_count = 1;
    refused.holders[0] = AddressHolder {
        interface: ETH0,
        ifindex: 2,
        address_flags,
        prefix_len: 64,
        ..AddressHolder::new_zeroed()
    };
    refused
}

fn said_by(hook: Hook, refused: &LocalAddressRefused) -> Value {
    let header = stream::header::<LocalAddressRefused>(hook, HOST);
    diagnosis([stream::kernel(header, refused)])
}

/// What is said of a bind; null if nothing is.
fn said(refused: &LocalAddressRefused) -> Value {
    said_by(wire::BIND, refused)
}

#[test]
fn what_could_not_be_read_is_not_taken_for_zero() {
    for ret in [EACCES, ENODEV, EADDRNOTAVAIL] {
        let said = said(&refused(ret, 0));
        assert_eq!(said["cause"], "bind-unexplained", "{ret}");
        assert_eq!(said["confidence"], "likely");
        assert_eq!(said["fix"], json!([]));
    }
    assert_eq!(said(&refused(EINVAL, 0)), Value::Null);
    assert_eq!(said_by(wire::SEND_SOURCE, &refused(EINVAL, 0)), Value::Null);
}

#[test]
fn a_port_above_the_limit_is_not_refused_for_it() {
    let mut refused = refused(EACCES, PORT_START_READ | CAPABILITIES_READ);
    refused.unprivileged_port_start = 53;
    assert_eq!(said(&refused)["cause"], "bind-unexplained");
    refused.unprivileged_port_start = 54;
    let without = said(&refused);
    assert_eq!(without["cause"], "bind-port-privileged");
    assert_eq!(without["confidence"], "certain");
    // In which user namespace it has it, nobody knows.
    refused.capabilities = 1 << 10;
    let with = said(&refused);
    assert_eq!(with["cause"], "bind-port-privileged");
    assert_eq!(with["confidence"], "likely");
}

#[test]
fn a_socket_that_is_bound_already_is_refused_for_that() {
    let mut refused = refused(EINVAL, SOCKET_READ);
    refused.address = LOCAL;
    assert_eq!(said(&refused)["cause"], "bind-no-scope");
    refused.inet_num = 5353;
    assert_eq!(said(&refused), Value::Null);
    // Of a raw socket that is its protocol.
    refused.sk_type = 3;
    assert_eq!(said(&refused)["cause"], "bind-no-scope");
    refused.sk_state = 1;
    assert_eq!(said(&refused), Value::Null);
}

#[test]
fn what_can_be_used_is_refused_for_its_vrf_alone() {
    for flags in [PERMANENT, TENTATIVE | OPTIMISTIC] {
        let said = said(&held(EADDRNOTAVAIL, flags));
        assert_eq!(said["cause"], "bind-address-absent");
        assert_eq!(said["confidence"], "likely");
        assert_eq!(said["interface"], "eth0");
        // What else the control data has is not known.
        let sent = said_by(wire::SEND_SOURCE, &held(EINVAL, flags));
        assert_eq!(sent, Value::Null);
    }
}

#[test]
fn a_vrf_comes_before_the_state_of_the_address() {
    let place = |vrf: Option<&str>| Whereabouts {
        boot_ns: stream::EVENT_NS,
        netns: GUEST,
        here: vec![Place {
            ifindex: 2,
            vrf: vrf.map(str::to_owned),
        }],
        elsewhere: Vec::new(),
        complete: true,
        processes: Vec::new(),
    };
    let said = |vrf| {
        let header = stream::header::<LocalAddressRefused>(wire::BIND, GUEST);
        let record = stream::kernel(header, &held(EADDRNOTAVAIL, TENTATIVE));
        diagnosis([place(vrf).into(), record])
    };
    let here = said(None);
    assert_eq!(here["cause"], "bind-address-tentative");
    assert_eq!(here["confidence"], "certain");
    // By now it could be used, and is in no other VRF.
    let header = stream::header::<LocalAddressRefused>(wire::BIND, GUEST);
    let record = stream::kernel(header, &held(EADDRNOTAVAIL, PERMANENT));
    let by_now = diagnosis([place(None).into(), record]);
    assert_eq!(by_now["cause"], "bind-unexplained");
    assert_eq!(by_now["confidence"], "likely");
    let there = said(Some("blue"));
    assert_eq!(there["cause"], "bind-address-absent");
    assert_eq!(there["confidence"], "certain");
    assert_eq!(there["evidence"]["vrf"], "blue");
}

#[test]
fn an_interface_of_which_nothing_is_known_is_not_said_to_lack_a_carrier() {
    let mut refused = held(EADDRNOTAVAIL, TENTATIVE);
    let summary = said(&refused)["summary"].as_str().unwrap().to_owned();
    assert!(!summary.contains("has not begun"), "{summary}");
    refused.holders[0].held_as = INET6_FLAGS_READ;
    let summary = said(&refused)["summary"].as_str().unwrap().to_owned();
    assert!(summary.contains("is not ready"), "{summary}");
    assert!(!summary.contains("carrier"), "{summary}");
}

#[test]
fn a_name_does_not_choose_what_is_run() {
    let mut refused = held(EADDRNOTAVAIL, TENTATIVE | PERMANENT);
    refused.holders[0].interface = *b"a;reboot\0\0\0\0\0\0\0\0";
    let said = said(&refused);
    let fixes = said["fix"].as_array().unwrap();
    let commands = fixes.iter().filter_map(Value::as_str);
    let mut named = commands.filter(|fix| fix.contains("reboot")).peekable();
    assert!(named.peek().is_some());
    assert!(named.all(|fix| fix.contains("'a;reboot'")), "{fixes:?}");
}

#[test]
fn more_interfaces_than_there_is_room_for_are_counted() {
    let mut refused = held(EADDRNOTAVAIL, TENTATIVE);
    refused.holders = [refused.holders[0]; wire::HOLDERS];
    refused.holder_count = u32::MAX;
    let said = said(&refused);
    let listed = said["evidence"]["held_by"].as_array().unwrap();
    assert_eq!(listed.len(), wire::HOLDERS);
    assert_eq!(said["cause"], "bind-address-tentative");
}

#[test]
fn an_anycast_address_may_be_a_source() {
    let mut refused = held(EINVAL, 0);
    refused.holders[0].held_as = AS_ANYCAST;
    assert_eq!(said_by(wire::SEND_SOURCE, &refused), Value::Null);
    refused.ret = EADDRNOTAVAIL;
    assert_eq!(said(&refused)["cause"], "bind-address-anycast");
}

#[test]
fn ipv6_is_off_for_the_parameter_or_for_something_else() {
    let said = |disable, parameters| {
        let refused = SocketRefused {
            ret: EAFNOSUPPORT,
            socket_type: 1,
            ipv6_disable: disable,
            parameters,
            ..SocketRefused::new_zeroed()
        };
        let header = stream::header::<SocketRefused>(wire::SOCKET, HOST);
        diagnosis([stream::kernel(header, &refused)])
    };
    let off = said(1, IPV6_DISABLE_READ);
    assert_eq!(off["cause"], "ipv6-off");
    assert_eq!(off["severity"], "notice");
    assert_eq!(off["confidence"], "certain");
    assert_eq!(off["evidence"]["disable"], 1);
    for (disable, parameters, evidence) in [(0, IPV6_DISABLE_READ, json!(0)), (0, 0, Value::Null)] {
        let said = said(disable, parameters);
        assert_eq!(said["cause"], "ipv6-off");
        assert_eq!(said["confidence"], "likely");
        assert_eq!(said["evidence"]["disable"], evidence);
        let fixes = said["fix"].to_string();
        assert!(!fixes.contains("command line"), "{fixes}");
    }
}

const EADDRINUSE: i32 = -98;
const TCP: u32 = 6;
const LISTEN: u8 = 10;

/// A TCP socket for a port of `::` that is refused, with what it has set.
fn in_use(known: u32) -> LocalAddressRefused {
    LocalAddressRefused {
        address: [0; 16],
        sk_type: 1,
        sk_protocol: TCP,
        port: 53,
        socket_inode: 9,
        unprivileged_port_start: 1024,
        known: SOCKET_READ | PORT_START_READ | known,
        ..refused(EADDRINUSE, 0)
    }
}

/// A socket of another process that listens.
fn listens(address: &str) -> PortSocket {
    PortSocket {
        address: address.parse().unwrap(),
        peer: None,
        state: LISTEN,
        bound: Some(0),
        uid: 0,
        inode: 7,
        v6only: Some(false),
        process: Some((77, "named".to_owned())),
        own: false,
    }
}

fn said_beside(refused: &LocalAddressRefused, sockets: &[PortSocket]) -> Value {
    let found = PortUse {
        boot_ns: stream::EVENT_NS,
        netns: HOST,
        protocol: TCP,
        port: 53,
        sockets: sockets.to_vec(),
        complete: true,
    };
    said_of(refused, found)
}

fn said_of(refused: &LocalAddressRefused, found: PortUse) -> Value {
    let header = stream::header::<LocalAddressRefused>(wire::BIND, HOST);
    diagnosis([found.into(), stream::kernel(header, refused)])
}

#[test]
fn a_port_that_nobody_can_be_named_for_is_not_talked_about() {
    let read = in_use(REUSE_READ | V6ONLY_READ);
    assert_eq!(said(&read), Value::Null);
    assert_eq!(said_beside(&read, &[]), Value::Null);
    let mut of_the_kernel = listens("::");
    of_the_kernel.process = None;
    assert_eq!(said_beside(&read, &[of_the_kernel]), Value::Null);
    let mut itself = listens("::");
    itself.inode = 9;
    assert_eq!(said_beside(&read, &[itself]), Value::Null);
    // Another protocol's, and another port's.
    let mut other = in_use(REUSE_READ | V6ONLY_READ);
    other.sk_protocol = 17;
    assert_eq!(said_beside(&other, &[listens("::")]), Value::Null);
    other.sk_protocol = TCP;
    other.port = 54;
    assert_eq!(said_beside(&other, &[listens("::")]), Value::Null);
}

#[test]
fn what_is_in_nobodys_way_is_not_named() {
    let mut only = in_use(REUSE_READ | V6ONLY_READ | V6ONLY);
    assert_eq!(said_beside(&only, &[listens("0.0.0.0")]), Value::Null);
    only.bound_ifindex = 2;
    let mut elsewhere = listens("::");
    elsewhere.bound = Some(3);
    assert_eq!(said_beside(&only, &[elsewhere]), Value::Null);
    let mut specific = in_use(REUSE_READ);
    specific.address = ADDRESS;
    assert_eq!(said_beside(&specific, &[listens("fd00::8")]), Value::Null);
}

#[test]
fn another_process_is_named_rather_than_the_same_one() {
    let mut own = listens("0.0.0.0");
    own.own = true;
    own.process = Some((812, "radvd".to_owned()));
    let read = in_use(REUSE_READ | V6ONLY_READ);
    let said = said_beside(&read, &[own.clone(), listens("::")]);
    assert_eq!(said["evidence"]["holder"], "named");
    assert_eq!(said["severity"], "failure");
    assert_eq!(said["confidence"], "certain");
    // It may have bound that only after it was refused.
    let said = said_beside(&read, &[own.clone()]);
    assert_eq!(said["evidence"]["conflict"], "asked-for-ipv4-as-well");
    assert_eq!(said["severity"], "notice");
    assert_eq!(said["confidence"], "likely");
    own.address = "::".parse().unwrap();
    assert_eq!(said_beside(&read, &[own]), Value::Null);
}

#[test]
fn what_was_not_read_or_listed_does_not_make_it_certain() {
    let mut unlisted = listens("0.0.0.0");
    unlisted.bound = None;
    let mut bound = in_use(REUSE_READ | V6ONLY_READ);
    bound.bound_ifindex = 2;
    assert_eq!(said_beside(&bound, &[unlisted])["confidence"], "likely");
    for known in [0, REUSE_READ, V6ONLY_READ] {
        let said = said_beside(&in_use(known), &[listens("0.0.0.0")]);
        assert_eq!(said["cause"], "bind-address-in-use");
        assert_eq!(said["confidence"], "likely");
    }
}

#[test]
fn ipv6_alone_helps_where_nothing_of_ipv6_is_in_the_way() {
    let helps = |said: &Value| said.to_string().contains("V6ONLY before");
    let read = in_use(REUSE_READ | V6ONLY_READ);
    let ipv4 = listens("0.0.0.0");
    assert!(helps(&said_beside(&read, std::slice::from_ref(&ipv4))));
    let mut ipv6 = listens("::");
    ipv6.v6only = Some(true);
    let both = said_beside(&read, &[ipv4.clone(), ipv6.clone()]);
    assert_eq!(both["evidence"]["conflict"], "same-address");
    assert_eq!(both["confidence"], "certain");
    assert!(!both.to_string().contains("bindv6only"), "{both}");
    // The same, of a process that was not found, and of the refused one.
    let mut unnamed = ipv6.clone();
    unnamed.process = None;
    let mut own = ipv6;
    own.own = true;
    for other in [unnamed, own] {
        let said = said_beside(&read, &[ipv4.clone(), other]);
        assert_eq!(said["evidence"]["conflict"], "asked-for-ipv4-as-well");
        assert!(!helps(&said), "{said}");
        assert!(!said.to_string().contains("alone"), "{said}");
    }
    let cut = PortUse {
        boot_ns: stream::EVENT_NS,
        netns: HOST,
        protocol: TCP,
        port: 53,
        sockets: vec![ipv4],
        complete: false,
    };
    assert!(!helps(&said_of(&read, cut)));
}

#[test]
fn sockets_of_one_interface_alone_may_be_of_another_vrf() {
    let read = in_use(REUSE_READ | V6ONLY_READ);
    let mut holder = listens("::");
    holder.bound = Some(3);
    assert_eq!(
        said_beside(&read, &[holder.clone()])["confidence"],
        "likely"
    );
    holder.bound = None;
    assert_eq!(
        said_beside(&read, &[holder.clone()])["confidence"],
        "likely"
    );
    let mut bound = read;
    bound.bound_ifindex = 3;
    holder.bound = Some(0);
    assert_eq!(
        said_beside(&bound, &[holder.clone()])["confidence"],
        "likely"
    );
    holder.bound = Some(3);
    assert_eq!(said_beside(&bound, &[holder])["confidence"], "certain");
}

#[test]
fn of_several_that_may_share_the_port_none_is_said_to_be_it() {
    let shares = in_use(REUSE_READ | REUSE_PORT | V6ONLY_READ);
    let one = listens("::");
    let mut other = listens("::");
    other.process = Some((78, "avahi-daemon".to_owned()));
    let alone = said_beside(&shares, &[one.clone(), one.clone()]);
    assert_eq!(alone["evidence"]["holder"], "named");
    let several = said_beside(&shares, &[one.clone(), other]);
    assert_eq!(several["confidence"], "likely");
    assert_eq!(
        several["evidence"]["candidates"],
        json!(["named (pid 77)", "avahi-daemon (pid 78)"])
    );
    assert!(!several["fix"].to_string().contains("stop"), "{several}");
    // Where two may be of other VRFs, neither is.
    let mut bound = listens("::");
    bound.bound = Some(3);
    let mut elsewhere = bound.clone();
    (elsewhere.bound, elsewhere.process) = (Some(4), Some((79, "unbound".to_owned())));
    let plain = in_use(REUSE_READ | V6ONLY_READ);
    let said = said_beside(&plain, &[bound.clone(), elsewhere]);
    assert_eq!(said["evidence"]["candidates"].as_array().unwrap().len(), 2);
    assert_eq!(said["severity"], "failure");
    // One that is in the way for sure, of which nobody knows whose it is.
    let mut unnamed = listens("::");
    unnamed.process = None;
    assert_eq!(said_beside(&plain, &[bound, unnamed]), Value::Null);
    // What is left of a connection is not the reason where ends are shared.
    let mut left = listens("::1");
    (left.state, left.inode, left.process) = (6, 0, None);
    let read = in_use(REUSE_READ | V6ONLY_READ);
    let summary = said_beside(&read, &[left.clone()])["summary"].to_string();
    assert!(summary.contains("TIME_WAIT"), "{summary}");
    let reuses = in_use(REUSE_READ | REUSE_ADDRESS | V6ONLY_READ);
    assert_eq!(said_beside(&reuses, &[left.clone()]), Value::Null);
    let mut connected = one;
    connected.state = 1;
    let said = said_beside(&reuses, &[connected, left]);
    assert_eq!(said["evidence"]["candidates"].as_array().unwrap().len(), 2);
}

#[test]
fn what_systemd_has_is_of_a_unit() {
    let mut passed = listens("::");
    passed.process = Some((1, "systemd".to_owned()));
    let said = said_beside(&in_use(REUSE_READ | V6ONLY_READ), &[passed]);
    let fixes = said["fix"].as_array().unwrap();
    assert_eq!(fixes.len(), 1);
    assert!(
        fixes[0]
            .as_str()
            .unwrap()
            .starts_with("systemctl list-sockets")
    );
}

/// What a namespace's cap held back is counted, where there is any.
#[test]
fn what_was_not_told_is_counted() {
    let mut wire = held(EADDRNOTAVAIL, 0x40);
    assert!(said(&wire)["evidence"].get("suppressed").is_none());
    wire.suppressed = 8;
    assert_eq!(said(&wire)["evidence"]["suppressed"], 8);
}
