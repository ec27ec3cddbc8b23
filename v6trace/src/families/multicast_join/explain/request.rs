//! A join whose request is wrong whatever the interface: no group, or a group
//! that the socket has already.

use super::Story;
use crate::{
    explain::{Diagnosis, Fix},
    families::multicast_join::Cause,
};

impl Story<'_> {
    pub(super) fn already_joined(&self) -> Diagnosis {
        let requested = self.join.requested_ifindex;
        let wherever = match self.join.same_group_ifindex {
            Some(joined) if requested == 0 => format!(
                "its socket is a member already, through interface index {joined}; a request \
                 without an interface collides with a membership on any"
            ),
            _ => "its socket is a member already".to_owned(),
        };
        let summary = format!("{}: {wherever}.", self.opening());
        let mut diagnosis = self
            .start(Cause::AlreadyJoined, summary)
            .with("group", self.join.group.to_string())
            .with("requested_ifindex", requested)
            .with("joined_ifindex", self.join.same_group_ifindex)
            .with(
                "memberships",
                self.join.memberships.map(|memberships| memberships.count),
            );
        diagnosis = self.socket_evidence(diagnosis);
        diagnosis
            .fix(
                self.subject
                    .command("cat /proc/net/igmp6")
                    .remark("listed there: nothing is broken, take EADDRINUSE for success"),
            )
            .fix(
                Fix::new("if not, in the program: IPV6_DROP_MEMBERSHIP, then join again")
                    .remark("repairs a membership that the interface has lost meanwhile"),
            )
    }

    pub(super) fn group_not_multicast(&self) -> Diagnosis {
        let group = self.join.group;
        let mapped = group.to_ipv4_mapped();
        let why = match mapped {
            Some(v4) => format!("{group} is the IPv4 address {v4} in IPv6 form, no IPv6 group"),
            None => format!("{group} is not in ff00::/8"),
        };
        let summary = format!("{}: {why}.", self.opening());
        let diagnosis = self
            .start(Cause::GroupNotMulticast, summary)
            .with("group", group.to_string());
        self.socket_evidence(diagnosis).fix(Fix::new(match mapped {
            Some(v4) if v4.is_multicast() => {
                "in the program: join IPv4 groups with IP_ADD_MEMBERSHIP"
            }
            _ => "in the program or its configuration: give a group of ff00::/8",
        }))
    }
}
