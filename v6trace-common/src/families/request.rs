//! Requests of IPv6 over rtnetlink that the kernel refuses (`netlink_ack`): for
//! addresses, routes, rules, neighbours, next hops, address labels and interfaces'
//! settings. What another family has judged is left to that one.

use super::route::{REQUEST_LEN, SAID_LEN};
use crate::{
    Candidate, Family, Hook, HookInfo, INTERFACE_NAME_LEN, Programs, kernel,
    kind::{constants, layout},
    member::{Shape, members},
};

/// Answering a request over netlink.
pub const ANSWER: Hook = Hook(38);

layout! {
    /// A request was refused, and no other family has judged it.
    pub struct RequestRefused: kind 24, 392 bytes {
        /// The request as it was sent, behind its `struct nlmsghdr`; zeros behind it.
        pub request: [u8; REQUEST_LEN],
        /// What the kernel says of it beside the errno: `netlink_ext_ack._msg`,
        /// NUL-padded.
        pub said: [u8; SAID_LEN],
        /// Name of the interface that the request names by index, NUL-padded
        /// ([`INTERFACE_FOUND`]).
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Bytes of the request; those beyond [`REQUEST_LEN`] are not in it.
        pub request_len: u32,
        /// What was asked for: `nlmsghdr.nlmsg_type` (`RTM_*`).
        pub message_type: u32,
        /// How: `nlmsghdr.nlmsg_flags` (`NLM_F_*`).
        pub message_flags: u32,
        /// The answer: a negative errno.
        pub ret: i32,
        /// Index of the interface that the request names, 0 without: of a question for a
        /// way the one that it comes in by, if it names one.
        pub ifindex: u32,
        /// Where in the request, behind its `struct nlmsghdr`, the attribute is that
        /// the kernel points at: `netlink_ext_ack.bad_attr` ([`ATTRIBUTE_FOUND`]).
        pub bad_attribute: u32,
        /// The lower half of `cred.cap_effective` of the task ([`TASK_READ`]).
        pub capabilities: u32,
        /// Which values were read, and what was found.
        pub found: u32,
        /// Such refusals that were not reported since the last report.
        pub suppressed: u32,
        /// The MTU of that interface, bytes ([`MTU_READ`]).
        pub mtu: u32,
    }
}

constants! {
    FOUND of found:
    /// The request was read.
    REQUEST_READ = 1 << 0;
    /// Whether the kernel says something of it was read.
    SAID_READ = 1 << 1;
    /// An interface with that index exists.
    INTERFACE_FOUND = 1 << 2;
    /// No interface has that index.
    INTERFACE_ABSENT = 1 << 3;
    /// The kernel points at an attribute.
    ATTRIBUTE_FOUND = 1 << 4;
    /// `capabilities` was read.
    TASK_READ = 1 << 5;
    /// `mtu` was read.
    MTU_READ = 1 << 6;
    /// It waited until the session's end, with `suppressed` others before it.
    HELD_BACK = 1 << 7;
}

members! {
    $ request_members:
    EXTACK_ATTRIBUTE: Shape::Object, "netlink_ext_ack.bad_attr",
        "which attribute of a refused request the kernel points at is not known";
}

/// This family's line in every table.
pub const FAMILY: Family = Family {
    name: "request",
    about: "requests over netlink that are refused, and that no other family explains",
    on_request: None,
    payloads: &[&RequestRefused::LAYOUT],
    parts: &[],
    constants: &[&FOUND],
    hooks: &[HookInfo {
        hook: ANSWER,
        name: "request-answer",
        about: "answering a request over netlink",
        without: "refused rules, neighbours, next hops, address labels and deletions are not \
                  explained",
        candidates: &[Candidate {
            function: "netlink_ack",
            kprobes: Programs::entry("request_answer_enter"),
            trampoline: Some(Programs::entry("request_answer_fentry")),
            needs: &[
                &kernel::SKB_SK,
                &kernel::SOCK_NET,
                &kernel::SOCK_PROTOCOL,
                &kernel::NET_INUM,
            ],
            note: None,
        }],
    }],
    also: &[],
    members: MEMBERS,
    variables: &[],
};
