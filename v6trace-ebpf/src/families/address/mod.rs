//! Addresses that are refused, and what takes addresses away.
//!
//! ```text
//! request   inet6_rtm_newaddr refuses: reads what was asked for, what the
//!           interface says, and who set its disable_ipv6; sends a record
//! ioctl     addrconf_add_ifaddr or addrconf_del_ifaddr refuses: the same
//! disable   a write of disable_ipv6: remembers who            WRITERS[interface]
//! notified  IPv6 is told that an interface was set down, or has a smaller MTU
//!           disable and notified each open an empty list      ADDRESS_LOSSES[thread]
//! gone      an address or a route goes: into the list of its thread
//! lost      at the return of disable and notified: sends the list, unless it is
//!           still empty
//! came_up   at the return of notified: an interface came up, and no link-local
//!           address is made: sends a record
//! settings  inet6_validate_link_af refuses a token or a mode: sends a record
//! temporary addrconf_dad_stop gives temporary addresses up for good, or an
//!           advertised address comes and none may be made: sends a record
//! ```

mod came_up;
mod gone;
mod ioctl;
mod lost;
mod notified;
mod often;
mod request;
mod settings;
mod temporary;
mod writers;

use crate::programs::programs;
pub(crate) use gone::{address_gone, route_gone};
use ioctl::{answered as ioctl_answered, asked as ioctl_asked, deleted as ioctl_deleted};
pub(crate) use notified::is_set_down;
use notified::{flags_changed, flags_told, notified, told};
use request::{answered, asked};
use settings::{answered as settings_answered, asked as settings_asked};
pub(crate) use temporary::{after_advertised, before_advertised};
use temporary::{given_up, giving_up};
use writers::{write, written};

mod globals {
    pub(super) use crate::globals::*;

    v6trace_common::address_members!(members);
}

/// `RTM_DELADDR`, the event of an address that goes.
pub(crate) const GONE: i32 = 21;

programs! {
    asked: kprobe address_request_enter;
    answered: kretprobe address_request_return;
    ioctl_asked: kprobe address_ioctl_enter;
    ioctl_answered: kretprobe address_ioctl_return;
    ioctl_asked: kprobe address_ioctl_delete_enter;
    ioctl_deleted: kretprobe address_ioctl_delete_return;
    write: kprobe disable_ipv6_write_enter;
    written: kretprobe disable_ipv6_write_return;
    flags_changed: kprobe interface_flags_enter;
    flags_told: kretprobe interface_flags_return;
    notified: kprobe interface_change_enter;
    told: kretprobe interface_change_return;
    settings_asked: kprobe interface_settings_enter;
    settings_answered: kretprobe interface_settings_return;
    giving_up: kprobe address_given_up_enter;
    given_up: kretprobe address_given_up_return;
}
