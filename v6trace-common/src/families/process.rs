//! Processes that `v6trace why` follows: a command, or a process that runs already, and
//! whatever they start.

use super::request;
use crate::{
    Candidate, Family, Hook, HookInfo, Programs,
    kind::{constants, layout},
    member::{Shape, Variable, members},
};

/// Starting a process.
pub const START: Hook = Hook(47);
/// A system call that returns.
pub const CALL: Hook = Hook(48);

/// Of a process in the map `FOLLOWED`: what it starts is followed, and it is not. So is
/// v6trace itself, which starts the command.
pub const STARTS: u32 = 0;
/// It is followed.
pub const IS_FOLLOWED: u32 = 1;

/// Bytes of what a call was given that a record has room for.
pub const DATA_LEN: usize = 48;

/// Bytes of a kernel function's name that a record has room for.
pub const FUNCTION_LEN: usize = 32;

/// The program that watches kernel functions return, many of them, and the map of their
/// names by address.
pub const INNERMOST: &str = "process_innermost_return";
/// See [`INNERMOST`].
pub const FUNCTIONS: &str = "FUNCTIONS";

layout! {
    /// A process that is followed started another, which is followed as well; or the id
    /// of one that was followed has become another's, which is not.
    ///
    /// The header has who started it.
    pub struct ProcessStarted: kind 32, 8 bytes {
        /// Process id of the new one, in the initial pid namespace.
        pub process: u32,
        /// Not 0: it is followed.
        pub is_followed: u32,
    }
}

layout! {
    /// A system call on a socket by a process that is followed, which came out otherwise
    /// than the like of it before, or is the first.
    pub struct SystemCall: kind 33, 152 bytes {
        /// Its arguments.
        pub arguments: [u64; 6],
        /// The address that it was given (`struct sockaddr`), or what was sent over
        /// netlink, as far as there is room ([`DATA_READ`]); zeros behind it.
        pub data: [u8; DATA_LEN],
        /// Where the socket is connected to: `skc_v6_daddr` ([`PEER_READ`]).
        pub peer: [u8; 16],
        /// Its number on x86-64.
        pub number: u32,
        /// What it returned: a negative errno, or a result; of `getsockopt` with
        /// `SO_ERROR` the error that it told, made negative, and 0 of a connection that
        /// came about. Of `connect` `EINPROGRESS` says that it goes on, for whichever
        /// reason the call returned.
        pub ret: i32,
        /// `skc_family` of the socket (`AF_*`) ([`SOCKET_READ`]).
        pub family: u32,
        /// `sk_type` of the socket (`SOCK_*`) ([`SOCKET_READ`]).
        pub socket_type: u32,
        /// `sk_protocol` of the socket (`IPPROTO_*`, of netlink `NETLINK_*`)
        /// ([`SOCKET_READ`]).
        pub protocol: u32,
        /// The port that it is connected to: `skc_dport` as a number ([`PEER_READ`]).
        pub peer_port: u32,
        /// Which values were read.
        pub values: u32,
        /// Not 0: it is the error that `getsockopt` told of an earlier call.
        pub is_earlier: u32,
        /// The beginning of an option's value, 0 without ([`VALUE_READ`]).
        pub value: i32,
        /// Always 0.
        pub reserved: u32,
    }
}

layout! {
    /// The first kernel function that returned an errno of those that are watched, as that
    /// became the answer to a process that is followed. The record of what failed follows
    /// from the same thread, where there is one.
    pub struct Innermost: kind 35, 40 bytes {
        /// Its name, NUL-padded.
        pub function: [u8; FUNCTION_LEN],
        /// What it returned: a negative errno.
        pub ret: i32,
        /// Always 0.
        pub unused: u32,
    }
}

constants! {
    VALUES of values:
    /// `family`, `socket_type` and `protocol` were read, and the namespace.
    SOCKET_READ = 1 << 0;
    /// `data` was read.
    DATA_READ = 1 << 1;
    /// `peer` and `peer_port` were read.
    PEER_READ = 1 << 2;
    /// `value` was read.
    VALUE_READ = 1 << 3;
}

members! {
    $ process_members:
    PT_REGS_NUMBER: Shape::Bytes(8), "pt_regs.orig_ax", "system calls are not explained";
    PT_REGS_CS: Shape::Object, "pt_regs.cs", "system calls are not explained";
    PT_REGS_ARG0: Shape::Bytes(8), "pt_regs.di", "system calls are not explained";
    PT_REGS_ARG1: Shape::Bytes(8), "pt_regs.si", "system calls are not explained";
    PT_REGS_ARG2: Shape::Bytes(8), "pt_regs.dx", "system calls are not explained";
    PT_REGS_ARG3: Shape::Bytes(8), "pt_regs.r10", "system calls are not explained";
    PT_REGS_ARG4: Shape::Bytes(8), "pt_regs.r8", "system calls are not explained";
    PT_REGS_ARG5: Shape::Bytes(8), "pt_regs.r9", "system calls are not explained";
    TASK_FILES: Shape::Object, "task_struct.files",
        "the socket of a system call is not known";
    FILES_TABLE: Shape::Object, "files_struct.fdt",
        "the socket of a system call is not known";
    TABLE_FILES: Shape::Object, "fdtable.fd",
        "the socket of a system call is not known";
    TABLE_LEN: Shape::Bytes(4), "fdtable.max_fds",
        "the socket of a system call is not known";
    FILE_DATA: Shape::Object, "file.private_data",
        "the socket of a system call is not known";
    SOCK_PEER_PORT: Shape::Bytes(2), "sock.__sk_common.skc_dport",
        "where the socket of a system call is connected to is not known";
    KPROBE_ADDRESS: Shape::Object, "kprobe.addr",
        "which kernel function failed first is not known";
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
    payloads: &[
        &ProcessStarted::LAYOUT,
        &SystemCall::LAYOUT,
        &Innermost::LAYOUT,
    ],
    parts: &[],
    constants: &[&VALUES],
    hooks: &[
        HookInfo {
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
        },
        HookInfo {
            hook: CALL,
            name: "system-call",
            about: "a system call that returns, of a process that is followed",
            without: "what a command asked of its sockets, and which kernel function failed first, \
                      is not known",
            candidates: &[Candidate {
                // What the tracepoint sys_exit calls. A kprobe, since a program of the
                // tracepoint itself may be preempted from 6.13 on, and misses calls then.
                function: "__traceiter_sys_exit",
                kprobes: Programs::entry("process_call_enter")
                    .opened(&["process_call_opener", "process_call_opener_too"]),
                trampoline: None,
                needs: &[&PT_REGS_NUMBER, &PT_REGS_CS, &PT_REGS_ARG0, &PT_REGS_ARG1],
                note: None,
            }],
        },
    ],
    // What a request over netlink comes to is told there.
    also: &[request::ANSWER],
    members: MEMBERS,
    variables: &[
        // Per CPU: the probe whose program runs.
        Variable {
            global: "CURRENT_KPROBE",
            symbols: &[("current_kprobe", None)],
            unless: None,
            without: "which kernel function failed first is not known",
        },
    ],
};
