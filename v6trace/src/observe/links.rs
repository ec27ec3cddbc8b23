//! The interfaces of the calling thread's network namespace, over netlink.

use std::io;

use netlink_packet_route::{
    RouteNetlinkMessage,
    link::{
        AfSpecInet6, AfSpecUnspec, BondAllPortActive, BridgeBooleanOptionFlags,
        BridgeMulticastRouterType, Inet6DevConf, InfoBond, InfoBridge, InfoBridgePort, InfoData,
        InfoKind, InfoPortData, InfoVrf, LinkAttribute, LinkFlags, LinkHeader, LinkInfo,
        LinkMessage,
    },
};
use netlink_sys::protocols::NETLINK_ROUTE;

use super::netlink;
use crate::{event::text, frame::Mac};

/// An interface, as netlink describes it.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of its own that netlink tells"
)]
pub(crate) struct Link {
    pub(crate) ifindex: u32,
    pub(crate) name: String,
    /// `None` where its link layer has none of six bytes.
    pub(crate) mac: Option<Mac>,
    /// Its own address on the link and the one for all others there, or a
    /// tunnel's two ends.
    pub(crate) lladdrs: Vec<Vec<u8>>,
    /// The index of its peer, or of what it is stacked on (`IFLA_LINK`).
    pub(crate) other_end: Option<u32>,
    /// The namespace that it is in, where that is another, by the number that
    /// this one has for it (`IFLA_LINK_NETNSID`).
    pub(crate) other_end_nsid: Option<i32>,
    /// The index of the bridge, bond or VRF that it belongs to.
    pub(crate) master: Option<u32>,
    pub(crate) is_vrf: bool,
    /// The table of a VRF.
    pub(crate) vrf_table: Option<u32>,
    pub(crate) is_up: bool,
    /// `IFF_*`
    pub(crate) flags: u32,
    /// `ARPHRD_*`
    pub(crate) device_type: u16,
    pub(crate) mtu: u32,
    /// What sort of virtual device it is.
    pub(crate) kind: Option<String>,
    /// Whether its link is there (`IFF_LOWER_UP`, which only what is up has).
    pub(crate) has_carrier: bool,
    /// Whether it is a bridge's port in hairpin mode.
    pub(crate) hairpin: bool,
    /// What a bond is told to do.
    pub(crate) bond: Option<Bond>,
    /// What a bridge does with multicast.
    pub(crate) bridge: Option<Bridge>,
    /// All of `net.ipv6.conf.IF`; `None` where it has no IPv6.
    pub(crate) settings: Option<Inet6DevConf>,
    /// `net.ipv6.conf.IF.addr_gen_mode`, likewise.
    pub(crate) addr_gen_mode: Option<u32>,
}

/// The settings of a bond.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bond {
    /// The name of its mode.
    pub(crate) mode: String,
    /// The index of the port that is in use, where it uses one alone.
    pub(crate) active: Option<u32>,
    /// Whether it listens to its ports that are not in use as well.
    pub(crate) all_ports_active: bool,
}

/// What a bridge does with multicast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bridge {
    /// Whether it listens to who joins groups (`mcast_snooping`).
    pub(crate) snoops: bool,
    /// Whether it asks for members itself (`mcast_querier`).
    pub(crate) is_querier: bool,
    /// Whether what it lists does not tell who is handed multicast: each VLAN has its own
    /// settings (`mcast_vlan_snooping`), or routers are not listed (`mcast_router` = 0).
    pub(crate) is_opaque: bool,
}

/// All interfaces of the namespace.
pub(crate) fn list() -> io::Result<Vec<Link>> {
    let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
    netlink::dump(NETLINK_ROUTE, &request, |answer| match answer {
        RouteNetlinkMessage::NewLink(LinkMessage {
            header, attributes, ..
        }) => Some(Link::new(&header, attributes)),
        _ => None,
    })
}

/// The interface with this index.
pub(crate) fn by_index(links: &[Link], ifindex: u32) -> Option<&Link> {
    links.iter().find(|link| link.ifindex == ifindex)
}

/// The bridge, bond or VRF that an interface belongs to.
pub(crate) fn master_of<'l>(links: &'l [Link], link: &Link) -> Option<&'l Link> {
    by_index(links, link.master?)
}

/// The VRF that has a table.
pub(crate) fn vrf_of(links: &[Link], table: u32) -> Option<&Link> {
    let mut vrfs = links.iter().filter(|link| link.is_vrf);
    vrfs.find(|vrf| vrf.vrf_table == Some(table))
}

impl Link {
    fn new(header: &LinkHeader, attributes: Vec<LinkAttribute>) -> Self {
        let mut link = Self {
            ifindex: header.index,
            is_up: header.flags.contains(LinkFlags::Up),
            has_carrier: header.flags.contains(LinkFlags::LowerUp),
            flags: header.flags.bits(),
            device_type: header.link_layer_type.into(),
            ..Self::default()
        };
        for attribute in attributes {
            match attribute {
                LinkAttribute::IfName(name) => link.name = text(name.as_bytes()),
                LinkAttribute::Address(bytes) => {
                    link.mac = <[u8; 6]>::try_from(bytes.as_slice()).ok().map(Mac);
                    link.lladdrs.push(bytes);
                }
                LinkAttribute::Broadcast(bytes) => link.lladdrs.push(bytes),
                LinkAttribute::Mtu(mtu) => link.mtu = mtu,
                LinkAttribute::Link(ifindex) => link.other_end = Some(ifindex),
                LinkAttribute::LinkNetNsId(id) => link.other_end_nsid = Some(id),
                LinkAttribute::Controller(ifindex) => link.master = Some(ifindex),
                LinkAttribute::LinkInfo(infos) => {
                    link.kind = infos.iter().find_map(kind);
                    link.is_vrf = infos.contains(&LinkInfo::Kind(InfoKind::Vrf));
                    link.vrf_table = infos.iter().find_map(vrf_table);
                    link.bond = infos.iter().find_map(bond);
                    link.bridge = infos.iter().find_map(bridge);
                    link.hairpin = infos.iter().any(is_hairpin);
                }
                LinkAttribute::AfSpecUnspec(specs) => link.ipv6(&specs),
                _ => {}
            }
        }
        link
    }

    /// Takes what IPv6 says of it.
    fn ipv6(&mut self, specs: &[AfSpecUnspec]) {
        let specs = specs.iter().filter_map(|spec| match spec {
            AfSpecUnspec::Inet6(ipv6) => Some(ipv6),
            _ => None,
        });
        for spec in specs.flatten() {
            match spec {
                AfSpecInet6::DevConf(settings) => self.settings = Some(*settings),
                AfSpecInet6::AddrGenMode(mode) => {
                    self.addr_gen_mode = Some(u8::from(mode).into());
                }
                _ => {}
            }
        }
    }
}

fn kind(info: &LinkInfo) -> Option<String> {
    match info {
        LinkInfo::Kind(kind) => Some(text(kind.to_string().as_bytes())),
        _ => None,
    }
}

fn vrf_table(info: &LinkInfo) -> Option<u32> {
    let LinkInfo::Data(InfoData::Vrf(vrf)) = info else {
        return None;
    };
    vrf.iter().find_map(|value| match value {
        InfoVrf::TableId(table) => Some(*table),
        _ => None,
    })
}

fn bond(info: &LinkInfo) -> Option<Bond> {
    let LinkInfo::Data(InfoData::Bond(values)) = info else {
        return None;
    };
    let mut bond = Bond::default();
    for value in values {
        match value {
            InfoBond::Mode(mode) => bond.mode = mode.to_string(),
            InfoBond::ActivePort(ifindex) => bond.active = Some(*ifindex),
            InfoBond::AllPortsActive(active) => {
                bond.all_ports_active = *active == BondAllPortActive::Delivered;
            }
            _ => {}
        }
    }
    Some(bond)
}

fn bridge(info: &LinkInfo) -> Option<Bridge> {
    let LinkInfo::Data(InfoData::Bridge(values)) = info else {
        return None;
    };
    let mut bridge = Bridge::default();
    for value in values {
        match value {
            InfoBridge::MulticastSnooping(snoops) => bridge.snoops = *snoops,
            InfoBridge::MulticastQuerier(is_querier) => bridge.is_querier = *is_querier,
            InfoBridge::MultiBoolOpt(options) => {
                let by_vlan = BridgeBooleanOptionFlags::VlanMulticastSnooping;
                bridge.is_opaque |= options.value.contains(by_vlan);
            }
            InfoBridge::MulticastRouter(BridgeMulticastRouterType::Disabled) => {
                bridge.is_opaque = true;
            }
            _ => {}
        }
    }
    Some(bridge)
}

fn is_hairpin(info: &LinkInfo) -> bool {
    let LinkInfo::PortData(InfoPortData::BridgePort(port)) = info else {
        return false;
    };
    port.iter()
        .any(|value| matches!(value, InfoBridgePort::HairpinMode(true)))
}
