//! Processes that `v6trace why` follows: a command, or a process that runs already, and
//! whatever they start.

use crate::{
    Candidate, Family, Hook, HookInfo, Programs,
    kind::layout,
    member::{Shape, members},
};

/// Starting a process.
pub const START: Hook = Hook(42);

layout! {
    /// A process that is followed started another, which is followed as well; or the id
    /// of one that was followed has become another's, which is not.
    ///
    /// The header has who started it.
    pub struct ProcessStarted: kind 30, 8 bytes {
        /// Process id of the new one, in the initial pid namespace.
        pub process: u32,
        /// Not 0: it is followed.
        pub is_followed: u32,
    }
}

members! {
    $ process_members:
    TASK_TGID: Shape::Bytes(4), "task_struct.tgid", "processes are not followed";
    TASK_PID: Shape::Bytes(4), "task_struct.pid", "processes are not followed";
    TASK_NSPROXY: Shape::Object, "task_struct.nsproxy",
        "the network namespace in which a process is started is not known";
    NSPROXY_NET: Shape::Object, "nsproxy.net_ns",
        "the network namespace in which a process is started is not known";
}

/// This family's line in every table.
pub const FAMILY: Family = Family {
    name: "process",
    about: "processes that `v6trace why` follows",
    on_request: Some("`v6trace why` alone follows processes"),
    payloads: &[&ProcessStarted::LAYOUT],
    parts: &[],
    constants: &[],
    hooks: &[HookInfo {
        hook: START,
        name: "process-start",
        about: "starting a process",
        without: "what a command starts is not followed",
        candidates: &[Candidate {
            function: "wake_up_new_task",
            kprobes: Programs::entry("process_start_enter"),
            trampoline: None,
            needs: &[&TASK_TGID, &TASK_PID],
            note: None,
        }],
    }],
    also: &[],
    members: MEMBERS,
    variables: &[],
};
