//! A value that a sysctl below `net.ipv6` refuses (`proc_sys_write`).

use crate::{
    Candidate, Family, Hook, HookInfo, Programs, kernel,
    kind::{constants, layout},
    member::{Shape, Variable, members},
};

/// Writing a sysctl.
pub const WRITE: Hook = Hook(45);

/// Bytes of a value that a record has room for.
pub const VALUE_LEN: usize = 64;

layout! {
    /// A value was refused.
    ///
    /// What decides is read when the call returned; the flags in [`read`](Self::read)
    /// say what of it was.
    pub struct SysctlRefused: kind 31, 184 bytes {
        /// The value as it was written, as far as there is room ([`VALUE_READ`]).
        pub value: [u8; VALUE_LEN],
        /// Name of the sysctl, NUL-padded.
        pub name: [u8; 40],
        /// The directory that it is in, where that is not `ipv6` itself, NUL-padded: of
        /// an interface's, its name.
        pub directory: [u8; 16],
        /// The directory above that, likewise: `conf` or `neigh`.
        pub above: [u8; 16],
        /// The least value that it takes ([`LEAST_READ`]).
        pub least: i64,
        /// The greatest ([`GREATEST_READ`]).
        pub greatest: i64,
        /// The value that it has ([`CURRENT_READ`]).
        pub current: i32,
        /// What the function returned: a negative errno.
        pub ret: i32,
        /// Bytes of the value that were written.
        pub length: u32,
        /// Directories between `ipv6` and the sysctl.
        pub depth: u32,
        /// Index of the interface that it is a setting of ([`INTERFACE_READ`]).
        pub ifindex: u32,
        /// MTU of that interface, bytes.
        pub mtu: u32,
        /// Writes that were refused likewise and not reported before this one.
        pub suppressed: u32,
        /// What was read.
        pub read: u32,
    }
}

constants! {
    READ of read:
    /// `value` was read.
    VALUE_READ = 1 << 0;
    /// It takes a number of 32 bits within bounds.
    BOUNDED = 1 << 1;
    /// That number has no sign.
    UNSIGNED = 1 << 2;
    /// It has 8 bits.
    BYTE = 1 << 3;
    /// `least` was read.
    LEAST_READ = 1 << 4;
    /// `greatest` was read.
    GREATEST_READ = 1 << 5;
    /// `current` was read.
    CURRENT_READ = 1 << 6;
    /// `ifindex` and `mtu` were read.
    INTERFACE_READ = 1 << 7;
    /// Whether there is a secret to make stable addresses of was read.
    SECRET_READ = 1 << 8;
    /// There is one.
    HAS_SECRET = 1 << 9;
}

members! {
    $ sysctl_members:
    IOCB_FILE: Shape::Object, "kiocb.ki_filp",
        "values that sysctls refuse are not explained";
    PROC_INODE: Shape::Object, "proc_inode.vfs_inode",
        "values that sysctls refuse are not explained";
    PROC_HEADER: Shape::Object, "proc_inode.sysctl",
        "values that sysctls refuse are not explained";
    PROC_ENTRY: Shape::Object, "proc_inode.sysctl_entry",
        "values that sysctls refuse are not explained";
    HEADER_PARENT: Shape::Object, "ctl_table_header.parent",
        "values that sysctls refuse are not explained";
    HEADER_TABLE: Shape::Object, "ctl_table_header.ctl_table",
        "values that sysctls refuse are not explained";
    HEADER_SET: Shape::Object, "ctl_table_header.set",
        "values that sysctls refuse are not explained";
    NET_SYSCTLS: Shape::Object, "net.sysctls",
        "values that sysctls refuse are not explained";
    CTL_NAME: Shape::Object, "ctl_table.procname",
        "values that sysctls refuse are not explained";
    CTL_HANDLER: Shape::Object, "ctl_table.proc_handler",
        "within which bounds a sysctl takes values is not known";
    CTL_SIZE: Shape::Bytes(4), "ctl_table.maxlen",
        "the value that a sysctl has is not known";
    // A buffer itself, or the first of a list.
    ITER_BUFFER: Shape::Object, "iov_iter.ubuf or iov_iter.iov",
        "which value a sysctl refuses is not known";
    ITER_COUNT: Shape::Bytes(8), "iov_iter.count",
        "which value a sysctl refuses is not known";
}

/// This family's line in every table.
pub const FAMILY: Family = Family {
    name: "sysctl",
    about: "values that sysctls of IPv6 refuse",
    on_request: None,
    payloads: &[&SysctlRefused::LAYOUT],
    parts: &[],
    constants: &[&READ],
    hooks: &[HookInfo {
        hook: WRITE,
        name: "sysctl-write",
        about: "writing a sysctl",
        without: "values that sysctls refuse are not explained",
        candidates: &[Candidate {
            function: "proc_sys_write",
            kprobes: Programs::both("sysctl_write_enter", "sysctl_write_return"),
            trampoline: None,
            needs: &[
                &IOCB_FILE,
                &kernel::FILE_INODE,
                &PROC_INODE,
                &PROC_HEADER,
                &PROC_ENTRY,
                &HEADER_PARENT,
                &HEADER_TABLE,
                &HEADER_SET,
                &NET_SYSCTLS,
                &CTL_NAME,
                &kernel::NET_INUM,
            ],
            note: None,
        }],
    }],
    also: &[],
    members: MEMBERS,
    variables: &[
        Variable {
            global: "BOUNDED_INT",
            symbols: &[("proc_dointvec_minmax", None)],
            unless: None,
            without: "within which bounds a sysctl takes values is not known",
        },
        Variable {
            global: "BOUNDED_UNSIGNED",
            symbols: &[("proc_douintvec_minmax", None)],
            unless: None,
            without: "within which bounds a sysctl takes values is not known",
        },
        // From 5.13 on.
        Variable {
            global: "BOUNDED_BYTE",
            symbols: &[
                ("proc_dou8vec_minmax", None),
                ("proc_dointvec_minmax", None),
            ],
            unless: None,
            without: "within which bounds a sysctl takes values is not known",
        },
    ],
};
