//! Setting the token of an interface, the lower half of its autoconfigured
//! addresses (`ip token set`), as `inet6_set_iftoken` left it.

use crate::{
    Candidate, Family, Hook, HookInfo, INTERFACE_NAME_LEN, Programs, kernel,
    kind::{constants, layout},
};

/// Setting the token of an interface.
pub const SET: Hook = Hook(2);

layout! {
    /// A request to set an interface's token returned.
    ///
    /// The interface's values are those before the call, which is when the kernel
    /// tests them; each counts only where its flag is set in [`read`](Self::read).
    pub struct SetToken: kind 2, 64 bytes {
        /// The token; the kernel uses its lower 64 bits.
        pub token: [u8; 16],
        /// Name of the interface, NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Index of the interface.
        pub ifindex: u32,
        /// What the function returned: 0 or a negative errno.
        pub ret: i32,
        /// `net_device.flags` (`IFF_*`).
        pub flags: u32,
        /// `net.ipv6.conf.IF.forwarding`
        pub forwarding: i32,
        /// `net.ipv6.conf.IF.accept_ra`
        pub accept_ra: i32,
        /// `net.ipv6.conf.IF.router_solicitations`
        pub router_solicitations: i32,
        /// Which of the values above were read.
        pub read: u32,
        /// Not 0: the request also set the address generation mode, which fails
        /// with the same errno.
        pub with_addr_gen_mode: u32,
    }
}

constants! {
    READ of read:
    /// `flags` was read.
    FLAGS_READ = 1 << 0;
    /// `forwarding`, `accept_ra` and `router_solicitations` were read.
    SYSCTLS_READ = 1 << 1;
    /// `token` was read.
    TOKEN_READ = 1 << 2;
}

/// This family's line in every table.
pub const FAMILY: Family = Family {
    name: "set-token",
    about: "tokens of interfaces",
    on_request: None,
    payloads: &[&SetToken::LAYOUT],
    parts: &[],
    constants: &[&READ],
    hooks: &[HookInfo {
        hook: SET,
        name: "set-token",
        about: "setting the token of an interface",
        without: "refused interface tokens are not explained",
        candidates: &[
            Candidate {
                function: "inet6_set_iftoken",
                kprobes: Programs::both("set_token_enter", "set_token_return"),
                trampoline: None,
                needs: &[&kernel::INET6_DEV_DEV, &kernel::DEV_NET, &kernel::NET_INUM],
                note: None,
            },
            Candidate {
                function: "inet6_set_link_af",
                kprobes: Programs::both("set_link_af_enter", "set_token_return"),
                trampoline: None,
                needs: &[&kernel::DEV_NET, &kernel::NET_INUM],
                note: Some("inlined into its caller, which is watched for requests with a token"),
            },
        ],
    }],
    also: &[],
    members: &[],
    variables: &[],
};
