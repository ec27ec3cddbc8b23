//! Addresses that the kernel refuses to add (`inet6_rtm_newaddr`, and
//! `addrconf_add_ifaddr` of programs like `ifconfig`) or to delete for these
//! (`addrconf_del_ifaddr`), what it refuses
//! of the settings by which it makes addresses itself (`inet6_validate_link_af`)
//! or gives up of those (`addrconf_dad_stop`), and what takes addresses away from an interface: a
//! write of `disable_ipv6`, an MTU below 1280, setting the interface down; and
//! interfaces that come up without a link-local address (`addrconf_notify`).

mod payloads;

use crate::{
    Candidate, Family, Hook, HookInfo, Programs,
    families::{advertisement, anycast, forwarding},
    kernel,
    member::{Shape, members},
};
pub use payloads::*;

/// Adding or changing an address.
pub const REQUEST: Hook = Hook(15);
/// Writing a `disable_ipv6` sysctl.
pub const DISABLE: Hook = Hook(16);
/// Telling of an interface's flags that changed, such as that it was set down.
pub const FLAGS_CHANGED: Hook = Hook(17);
/// Telling IPv6 of a change of an interface.
pub const NOTIFIED: Hook = Hook(18);
/// Checking an interface's token or address generation mode before it is set.
pub const SETTINGS: Hook = Hook(19);
/// Giving up an address that was found in use.
pub const TEMPORARY: Hook = Hook(20);

/// Adding an address by an ioctl.
pub const IOCTL: Hook = Hook(32);
/// Deleting an address by an ioctl.
pub const IOCTL_DELETE: Hook = Hook(34);

members! {
    $ address_members:
    NOTIFIER_DEV: Shape::Object, "netdev_notifier_info.dev",
        "addresses that interfaces lose are not explained";
    CHANGE_UPPER: Shape::Value, "netdev_cmd.NETDEV_CHANGEUPPER",
        "what an interface loses as it enters or leaves a VRF is not explained";
    NOTIFIER_UPPER: Shape::Object, "netdev_notifier_changeupper_info.upper_dev",
        "what an interface loses as it enters or leaves a VRF is not explained";
    NOTIFIER_LINKING: Shape::Bytes(1), "netdev_notifier_changeupper_info.linking",
        "what an interface loses as it enters or leaves a VRF is not explained";
    DEV_L3MDEV_OPS: Shape::Object, "net_device.l3mdev_ops",
        "what an interface loses as it enters or leaves a VRF is not explained";
    DEVCONF_USE_TEMPADDR: Shape::Bytes(4), "ipv6_devconf.use_tempaddr",
        "temporary addresses that stop are not recognised";
    DEVCONF_REGEN_MAX_RETRY: Shape::Bytes(4), "ipv6_devconf.regen_max_retry",
        "how often a temporary address is tried is not known";
    IFA_PUBLIC: Shape::Object, "inet6_ifaddr.ifpub",
        "beside which address temporary ones were made is not known";
}

/// This family's line in every table.
pub const FAMILY: Family = Family {
    name: "address",
    about: "addresses that are refused or not made, and what takes addresses away",
    on_request: None,
    payloads: &[
        &AddressRequest::LAYOUT,
        &AddressesLost::LAYOUT,
        &SettingsRefused::LAYOUT,
        &TemporaryStopped::LAYOUT,
        &LinkLocalMissing::LAYOUT,
    ],
    parts: &[&LostAddress::LAYOUT, &LostRoute::LAYOUT],
    constants: &[&READ, &WROTE, &TRIGGERS, &WAYS_UP, &SETTINGS_FLAGS],
    hooks: &[
        HookInfo {
            hook: REQUEST,
            name: "address-request",
            about: "adding or changing an address",
            without: "refused addresses are not explained",
            candidates: &[Candidate {
                function: "inet6_rtm_newaddr",
                kprobes: Programs::both("address_request_enter", "address_request_return"),
                trampoline: None,
                needs: &[&kernel::SKB_SK, &kernel::SOCK_NET, &kernel::NET_INUM],
                note: None,
            }],
        },
        HookInfo {
            hook: IOCTL,
            name: "address-ioctl",
            about: "adding an address by an ioctl, as ifconfig does",
            without: "refused addresses of ifconfig are not explained",
            candidates: &[Candidate {
                function: "addrconf_add_ifaddr",
                kprobes: Programs::both("address_ioctl_enter", "address_ioctl_return"),
                trampoline: None,
                needs: &[&kernel::NET_INUM],
                note: None,
            }],
        },
        HookInfo {
            hook: IOCTL_DELETE,
            name: "address-ioctl-delete",
            about: "deleting an address by an ioctl, as ifconfig does",
            without: "addresses that ifconfig could not delete are not explained",
            candidates: &[Candidate {
                function: "addrconf_del_ifaddr",
                kprobes: Programs::both(
                    "address_ioctl_delete_enter",
                    "address_ioctl_delete_return",
                ),
                trampoline: None,
                needs: &[&kernel::NET_INUM],
                note: None,
            }],
        },
        HookInfo {
            hook: DISABLE,
            name: "disable-ipv6-write",
            about: "writing a disable_ipv6 sysctl",
            without: "who set disable_ipv6, and what that took away, is not known",
            candidates: &[Candidate {
                function: "addrconf_sysctl_disable",
                kprobes: Programs::both("disable_ipv6_write_enter", "disable_ipv6_write_return"),
                trampoline: None,
                needs: &[
                    &kernel::CTL_DATA,
                    &kernel::CTL_IDEV,
                    &kernel::CTL_NET,
                    &kernel::NET_DEVCONF_ALL,
                    &kernel::NET_DEVCONF_DEFAULT,
                    &kernel::DEVCONF_DISABLE_IPV6,
                    &kernel::NET_INUM,
                ],
                note: None,
            }],
        },
        HookInfo {
            hook: FLAGS_CHANGED,
            name: "interface-flags",
            about: "telling of an interface's flags that changed, such as that it was set down",
            without: "addresses that go when an interface is set down are not explained",
            candidates: &[Candidate {
                function: "__dev_notify_flags",
                kprobes: Programs::both("interface_flags_enter", "interface_flags_return"),
                trampoline: None,
                needs: &[],
                note: None,
            }],
        },
        HookInfo {
            hook: NOTIFIED,
            name: "interface-change",
            about: "telling IPv6 of a change of an interface",
            without: "addresses that go with an interface's MTU, or when it is set down, are not \
                      explained, nor a link-local address that is not made",
            candidates: &[Candidate {
                function: "addrconf_notify",
                kprobes: Programs::both("interface_change_enter", "interface_change_return"),
                trampoline: None,
                needs: &[
                    &NOTIFIER_DEV,
                    &kernel::DEV_MTU,
                    &kernel::DEV_NET,
                    &kernel::DEV_IFINDEX,
                    &kernel::NET_INUM,
                ],
                note: None,
            }],
        },
        HookInfo {
            hook: SETTINGS,
            name: "interface-settings",
            about: "checking an interface's token or address generation mode before it is set",
            without: "tokens and modes of interfaces without IPv6 or secret are not explained",
            candidates: &[Candidate {
                function: "inet6_validate_link_af",
                kprobes: Programs::both("interface_settings_enter", "interface_settings_return"),
                trampoline: None,
                needs: &[&kernel::DEV_NET, &kernel::DEV_IFINDEX, &kernel::NET_INUM],
                note: None,
            }],
        },
        HookInfo {
            hook: TEMPORARY,
            name: "address-given-up",
            about: "giving up an address that was found in use",
            without: "temporary addresses that stop are not explained",
            candidates: &[Candidate {
                function: "addrconf_dad_stop",
                kprobes: Programs::both("address_given_up_enter", "address_given_up_return"),
                trampoline: None,
                needs: &[
                    &kernel::IFA_FLAGS,
                    &kernel::IFA_IDEV,
                    &kernel::INET6_DEV_CNF,
                    &kernel::INET6_DEV_DEV,
                    &DEVCONF_USE_TEMPADDR,
                    &kernel::DEV_NET,
                    &kernel::NET_INUM,
                ],
                note: None,
            }],
        },
    ],
    also: &[
        anycast::USABLE,
        forwarding::ROUTE_DELETE,
        advertisement::PREFIX,
    ],
    members: MEMBERS,
    variables: &[],
};
