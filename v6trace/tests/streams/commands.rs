//! Commands to paste, of all families: whoever names interfaces and namespaces
//! does not choose what is run, and no command runs in the wrong namespace.

use std::net::Ipv6Addr;

use v6trace::{
    families::{
        anycast::{AnycastUse, Use, UseKind},
        dad::{self as found, Surroundings},
        source_selection::{self as route, Addresses},
    },
    frame::Mac,
    record::{Namespace, Record},
};
use v6trace_common::{
    Hook, Payload, RecordHeader,
    families::{
        advertisement::{self, AdvertisedAddressRefused},
        anycast::{self, AnycastChange, AnycastRequest},
        dad::{self, DadFailure, DadReflection},
        forwarding::{self, DefaultRoutesPurged},
        multicast_join::{self, MulticastJoin},
        set_token::{self, SetToken},
        source_selection::{self, SourceSelection},
    },
    neighbour::NeighbourFrame,
};
use zerocopy::FromZeros;

use crate::{
    advertisement::advertisement as heeded,
    stream::{self, EVENT_NS, GUEST, diagnoses},
};

const OTHER: u32 = 4_026_532_202;
/// What a container's root may call an interface.
const HOSTILE: &str = "x;id";
const OWN_MAC: [u8; 6] = [2, 0, 0, 0, 0, 0xa];
const OTHER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 0xb];

fn name() -> [u8; 16] {
    let mut name = [0; 16];
    name[..HOSTILE.len()].copy_from_slice(HOSTILE.as_bytes());
    name
}

fn event<P: Payload>(hook: Hook, payload: &P) -> Record {
    let header = RecordHeader {
        comm: name(),
        ..stream::header::<P>(hook, GUEST)
    };
    stream::kernel(header, payload)
}

/// An event of each cause whose fixes name an interface.
fn events() -> Vec<Record> {
    [
        joins(),
        tokens(),
        duplicates(),
        sources(),
        forwarding(),
        advertisements(),
    ]
    .concat()
}

fn joins() -> Vec<Record> {
    let join = |mtu, ret, flags| {
        let join = MulticastJoin {
            group: "ff02::2".parse::<Ipv6Addr>().unwrap().octets(),
            interface: name(),
            requested_ifindex: 4,
            mtu,
            ret,
            size: 56,
            sk_omem_alloc: 20_440,
            optmem_max: 20_480,
            flags: flags | multicast_join::GROUP_READ,
            ..MulticastJoin::new_zeroed()
        };
        event(multicast_join::JOIN, &join)
    };
    let no_inet6 = multicast_join::DEVICES_READ
        | multicast_join::DEVICE_FOUND
        | multicast_join::INET6_READ
        | multicast_join::MTU_READ;
    let full = multicast_join::OMEM_READ | multicast_join::LIMIT_READ;
    vec![
        join(1000, -22, no_inet6),
        join(1500, -22, no_inet6),
        join(1500, -12, full),
    ]
}

fn tokens() -> Vec<Record> {
    let token = |flags: i32, forwarding, accept_ra, router_solicitations| {
        let request = SetToken {
            interface: name(),
            ifindex: 4,
            ret: -22,
            flags: flags.cast_unsigned(),
            forwarding,
            accept_ra,
            router_solicitations,
            read: set_token::FLAGS_READ | set_token::SYSCTLS_READ | set_token::TOKEN_READ,
            ..SetToken::new_zeroed()
        };
        event(set_token::SET, &request)
    };
    vec![token(0x80, 1, 1, 0), token(0x8, 0, 0, -1)]
}

fn duplicates() -> Vec<Record> {
    let failure = |source: [u8; 6], message, flags, accept_dad| {
        let mut frame = NeighbourFrame::new_zeroed();
        frame.bytes[6..12].copy_from_slice(&source);
        frame.bytes[54] = message;
        (frame.network, frame.transport) = (14, 54);
        (frame.length, frame.copied) = (78, 78);
        let failure = DadFailure {
            frame,
            address: "fe80::ff:fe00:a".parse::<Ipv6Addr>().unwrap().octets(),
            interface: name(),
            own_mac: OWN_MAC,
            own_mac_len: 6,
            ifindex: 2,
            prefix_len: 64,
            flags,
            accept_dad,
            read: dad::SYSCTLS_READ | dad::FLAGS_READ | dad::NONCE_READ,
            ..DadFailure::new_zeroed()
        };
        event(dad::FAILURE, &failure)
    };
    let mut unread = DadFailure::new_zeroed();
    unread.interface = name();
    let mut reflection = DadReflection::new_zeroed();
    reflection.interface = name();
    reflection.ifindex = 2;
    vec![
        // Another's, one's own reflected, a clone's.
        failure(OTHER_MAC, 136, 0x80, 1),
        failure(OWN_MAC, 135, 0x80, 1),
        failure(OWN_MAC, 136, 0x80, 2),
        event(dad::FAILURE, &unread),
        event(dad::REFLECTION, &reflection),
    ]
}

fn sources() -> Vec<Record> {
    let by_bits = source_selection::ON_INTERFACE | source_selection::BY_GATEWAY_BITS;
    let selection = |source, nexthop_id, flags| {
        let selection = SourceSelection {
            next_hop: "fe80::1".parse::<Ipv6Addr>().unwrap().octets(),
            interface: name(),
            destination: [198, 51, 100, 9],
            prefix: [198, 51, 100, 0],
            source,
            ifindex: 2,
            table: 254,
            nexthop_id,
            flags: source_selection::PREFIX_READ | source_selection::L3MDEV_READ | flags,
            prefix_len: 24,
            protocol: 6,
            route_protocol: 3,
            ..SourceSelection::new_zeroed()
        };
        event(source_selection::SELECTION, &selection)
    };
    vec![
        selection([0; 4], 0, 0),
        selection([0; 4], 7, 0),
        selection([192, 0, 2, 1], 0, 0),
        selection([192, 0, 2, 1], 0, by_bits),
    ]
}

fn advertisements() -> Vec<Record> {
    let mut ignored = heeded(&[]);
    (ignored.interface, ignored.forwarding) = (name(), 1);
    let mut mtu = heeded(&[5, 1, 0, 0, 0, 0, 0x23, 0x28]);
    mtu.interface = name();
    let mut refused = AdvertisedAddressRefused::new_zeroed();
    refused.interface = name();
    (refused.addresses, refused.max_addresses) = (16, 16);
    refused.read_sysctls = advertisement::SYSCTLS_READ;
    vec![
        event(advertisement::ADVERTISEMENT, &ignored),
        event(advertisement::ADVERTISEMENT, &mtu),
        event(advertisement::PREFIX, &refused),
    ]
}

fn forwarding() -> Vec<Record> {
    let change = |change, all_forwarding| {
        let change = AnycastChange {
            address: "fd00:4::".parse::<Ipv6Addr>().unwrap().octets(),
            interface: name(),
            written_interface: name(),
            ifindex: 2,
            change,
            trigger: anycast::FORWARDING_CHANGE,
            written: anycast::WRITTEN_INTERFACE,
            prefix_len: 64,
            forwarding: 1,
            flags: anycast::PREFIX_FOUND
                | anycast::ADDRESSES_COMPLETE
                | anycast::FORWARDING_READ
                | anycast::FORCE_FORWARDING_READ
                | all_forwarding,
            ..AnycastChange::new_zeroed()
        };
        event(anycast::JOIN, &change)
    };
    let request = |errno: i32, flags| {
        let request = AnycastRequest {
            address: "fd00:4::".parse::<Ipv6Addr>().unwrap().octets(),
            interface: name(),
            requested_ifindex: 2,
            ret: -errno,
            flags: anycast::DEVICE_FOUND | flags,
            ..AnycastRequest::new_zeroed()
        };
        event(anycast::REQUEST, &request)
    };
    let mut purged = DefaultRoutesPurged::new_zeroed();
    purged.count = 1;
    purged.routes[0].interface = name();
    purged.routes[0].ifindex = 2;
    vec![
        change(anycast::JOINED, anycast::ALL_FORWARDING_READ),
        // It may be on.
        change(anycast::JOINED, 0),
        change(anycast::RELEASED, 0),
        event(forwarding::PURGE, &purged),
        request(1, 0),
        request(
            12,
            anycast::SIZE_READ | anycast::OMEM_READ | anycast::LIMIT_READ,
        ),
        request(19, anycast::INET6_READ | anycast::MTU_READ),
        request(22, anycast::ADDRESS_READ),
        request(99, anycast::ADDRESS_READ),
    ]
}

/// What is looked up before each event.
fn around() -> Vec<Record> {
    let interface = |ifindex, mac, hairpin| found::Interface {
        ifindex,
        name: HOSTILE.to_owned(),
        mac: Some(Mac(mac)),
        link: None,
        master: Some(HOSTILE.to_owned()),
        hairpin,
        prefix_len: Some(64),
        address_flags: 0,
        anycast: Some(true),
        proxy: Some(true),
    };
    let own = route::Interface {
        ifindex: 2,
        name: HOSTILE.to_owned(),
        master: None,
        is_vrf: true,
        vrf_table: Some(10),
        state: None,
    };
    let used = Use {
        kind: UseKind::Gateway,
        detail: "fd00:7::/64".to_owned(),
        process: None,
        inode: None,
        gone: None,
        more: 0,
    };
    vec![
        Record::from(Surroundings {
            boot_ns: EVENT_NS,
            netns: GUEST,
            here: Some(vec![interface(2, OWN_MAC, false)]),
            elsewhere: vec![
                (OTHER, interface(5, OTHER_MAC, false)),
                (OTHER, interface(6, OWN_MAC, true)),
            ],
            other_end: None,
            bond: Some(found::Bond {
                netns: OTHER,
                name: HOSTILE.to_owned(),
                mode: "balance-rr".to_owned(),
                ports: vec![HOSTILE.to_owned()],
                active: None,
                all_ports_active: false,
            }),
            complete: true,
            processes: Vec::new(),
        }),
        Record::from(Addresses {
            boot_ns: EVENT_NS,
            netns: GUEST,
            interfaces: vec![own],
            addresses: Vec::new(),
        }),
        Record::from(AnycastUse {
            boot_ns: EVENT_NS,
            of: EVENT_NS,
            uses: vec![used],
            complete: true,
            vrf: None,
            owner: None,
            advertised: None,
        }),
    ]
}

/// The fixes for all events, after `known`.
fn fixes(known: Vec<Record>) -> Vec<String> {
    let events = events();
    let count = events.len();
    let events = events
        .into_iter()
        .flat_map(|event| around().into_iter().chain([event]));
    let diagnoses = diagnoses(known.into_iter().chain(events));
    assert_eq!(diagnoses.len(), count, "each event is explained");
    let fixes = diagnoses.iter().flat_map(|diagnosis| {
        let fixes = diagnosis["fix"].as_array().unwrap();
        assert!(!fixes.is_empty(), "{diagnosis}");
        fixes.iter().map(|fix| fix.as_str().unwrap().to_owned())
    });
    fixes.collect()
}

/// The line as a shell takes it, without what is between quotes.
fn unquoted(line: &str) -> String {
    let mut bare = String::new();
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match quote {
            None if c == '\'' || c == '"' => quote = Some(c),
            None => bare.push(c),
            Some('"') if c == '\\' => drop(chars.next()),
            Some(end) if c == end => quote = None,
            Some(_) => {}
        }
    }
    bare
}

#[test]
fn names_are_quoted_in_every_fix() {
    let names = [GUEST, OTHER].map(|inode| {
        Record::from(Namespace {
            boot_ns: 1,
            inode,
            name: Some(format!("n;{HOSTILE}")),
        })
    });
    for fix in fixes(names.into()) {
        assert!(!unquoted(&fix).contains(HOSTILE), "{fix}");
        // What a shell is given to run is a line of its own.
        let words = shlex::split(&fix).unwrap_or_default();
        let script = words.iter().skip_while(|word| *word != "-c").nth(1);
        let script = script.map_or_else(String::new, |script| unquoted(script));
        assert!(!script.contains(HOSTILE), "{fix}");
    }
}

#[test]
fn no_command_is_bare_where_nothing_leads_into_its_namespace() {
    for fix in fixes(Vec::new()) {
        let command = fix.split(' ').next().unwrap_or_default();
        // The first namespace's limit counts for all on some kernels.
        if fix.starts_with("sysctl -w net.core.optmem_max=") {
            continue;
        }
        assert!(
            !["ip", "bridge", "sh", "sysctl", "tcpdump"].contains(&command),
            "{fix}"
        );
    }
}
