//! A local address that was refused: what the kernel tested of the socket, and who
//! has the address.
//!
//! One process is told of the same once, and a network namespace of so many a
//! minute: a service that is started again and again is another process each time.
//! Attempts that this holds back are counted with the next that is told, and are news
//! when they come again. What is in use has limits of its own, since programs try one port after the other, and since
//! nothing that is read here changes with whoever has a port.

use aya_ebpf::{EbpfContext, helpers::bpf_get_current_pid_tgid, macros::map};
use v6trace_common::{
    Hook, INTERFACE_NAME_LEN,
    families::bind::{
        CAPABILITIES_READ, DEVICE_ABSENT, DEVICE_FOUND, LOOPBACK_DISABLE_READ, LOOPBACK_READ,
        LocalAddressRefused, PORT_START_READ, REUSE_ADDRESS, REUSE_PORT, REUSE_READ, SOCKET_READ,
        UID_READ, V6ONLY, V6ONLY_READ,
    },
};

use super::{globals, search};
use crate::{
    address::{Address, UNSPECIFIED},
    attachment::Object as _,
    context,
    devices::{self, Found},
    kernel::{Net, Sock},
    limit::{HELD_BACK, Limit},
    output::Record,
    pointer::Pointer,
    scratch::Scratch,
};

/// What was asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) sock: u64,
    pub(super) ret: i32,
    pub(super) port: u32,
    pub(super) scope_id: u32,
    /// The interface by way of which the kernel looked for it, where that is not
    /// what follows from the scope and the socket.
    pub(super) ifindex: Option<u32>,
}

/// What is the same: whoever tries again and again is told once.
#[repr(C)]
#[derive(Clone, Copy)]
struct Same {
    address: Address,
    process: u32,
    ret: i32,
    ifindex: u32,
    netns: u32,
    hook: u32,
    ports: u32,
}

/// Ports are the same in these classes: any, those that may need a privilege,
/// others.
const ANY: u32 = 0;
const LOW: u32 = 1;
const HIGH: u32 = 2;
const FIRST_HIGH: u32 = 1024;
/// Those of services; programs that want any privileged port try the others
/// (`bindresvport`).
const SERVICE: u32 = 3;
const FIRST_TRIED: u32 = 512;

/// `-EADDRINUSE`. Whoever has the port is another for each of them: they are told
/// apart, and so are the protocols, from here on.
pub(super) const IN_USE: i32 = -98;
const EACH: u32 = 1 << 31;
const PROTOCOL_SHIFT: u32 = 16;

/// How soon the same is looked at again, and how soon it is told again where
/// nothing has changed.
const LOOK_AGAIN_NS: u64 = 1_000_000_000;
const TELL_AGAIN_NS: u64 = 3600 * 1_000_000_000;
/// The same of what is in use.
const IN_USE_AGAIN_NS: u64 = 60 * 1_000_000_000;
/// So much of a namespace is told within that time, whoever it is.
const MOST: u32 = 16;
const MOST_NS: u64 = 60 * 1_000_000_000;

#[map]
static BIND_SEEN: Limit<Same> = Limit::new(4096);

#[map]
static BIND_TOLD: Limit<Same> = Limit::new(4096);

/// Of ports that are in use: whoever tries all of them pushes out nothing else.
#[map]
static BIND_IN_USE: Limit<Same> = Limit::new(1024);

#[map]
static BIND_RECORD: Scratch<Record<LocalAddressRefused>> = Scratch::new();

/// Sends the record, unless the same was told before.
#[inline(always)]
pub(super) fn report<C: EbpfContext>(
    ctx: &C,
    hook: Hook,
    asked: Asked,
    address: [u8; 16],
) -> Option<()> {
    let sock = Sock(Pointer(asked.sock));
    let bound: u32 = sock.0.get(&globals::SOCK_BOUND)?;
    let own = Address::of(address);
    let ifindex = asked.ifindex.unwrap_or_else(|| {
        // A scope takes the place of what the socket was bound to.
        if own.is_link_local() && asked.scope_id != 0 {
            asked.scope_id
        } else {
            bound
        }
    });
    let net = sock.net()?;
    let netns = net.inum()?;
    let same = Same {
        address: own,
        process: (bpf_get_current_pid_tgid() >> 32) as u32,
        ret: asked.ret,
        ifindex,
        netns,
        hook: hook.0.into(),
        ports: ports(sock, asked),
    };
    let is_in_use = asked.ret == IN_USE;
    let mut suppressed = 0;
    if is_in_use {
        suppressed = same.not_told(&BIND_IN_USE, 0, IN_USE_AGAIN_NS)?;
    } else if BIND_SEEN.pass(&same, 0, LOOK_AGAIN_NS, 1) == HELD_BACK {
        return None;
    }
    let record = BIND_RECORD.get()?;
    let payload = &mut record.payload;
    payload.address = address;
    payload.ret = asked.ret;
    payload.ifindex = ifindex;
    payload.scope_id = asked.scope_id;
    payload.bound_ifindex = bound;
    payload.port = asked.port;
    payload.socket_inode = sock.inode().unwrap_or(0);
    payload.known = 0;
    let (capabilities, read) = context::capabilities(CAPABILITIES_READ);
    payload.capabilities = capabilities;
    payload.known |= read;
    of_socket(sock, payload);
    of_namespace(net, payload);
    // Of a port it does not matter who has the address.
    if is_in_use {
        search::skip(payload);
    } else {
        let states = search::find(net, own, payload);
        suppressed = same.not_told(&BIND_TOLD, states, TELL_AGAIN_NS)?;
    }
    payload.suppressed = suppressed;
    payload.unused = 0;
    // Either function waits for the socket's lock, or may.
    record.open_in(context::of_sleeper(), hook, netns);
    record.send(ctx, hook);
    Some(())
}

impl Same {
    /// How many attempts were not told before it, since too much was told of its namespace;
    /// `None` where it is not to be told either, for that reason or since it is no
    /// news under these circumstances.
    #[inline(always)]
    fn not_told(&self, told: &Limit<Self>, circumstances: u32, again: u64) -> Option<u32> {
        if told.pass_while(self, 0, circumstances, again, 1) == HELD_BACK {
            return None;
        }
        match told.pass(&self.of_namespace(), 0, MOST_NS, MOST) {
            HELD_BACK => {
                told.forget(self);
                None
            }
            suppressed => Some(suppressed as u32),
        }
    }

    /// Whoever it is, and whatever is asked for.
    #[inline(always)]
    fn of_namespace(&self) -> Self {
        Self {
            address: UNSPECIFIED,
            process: 0,
            ret: 0,
            ifindex: 0,
            netns: self.netns,
            hook: self.hook,
            ports: match self.ports & EACH {
                0 => ANY,
                _ => class(self.ports & u32::from(u16::MAX)),
            },
        }
    }
}

/// What is the same of a port.
#[inline(always)]
fn ports(sock: Sock<Pointer>, asked: Asked) -> u32 {
    if asked.ret == IN_USE {
        let protocol: u16 = sock.0.or_zero(&globals::SOCK_PROTOCOL);
        return EACH | u32::from(protocol) << PROTOCOL_SHIFT | asked.port;
    }
    match asked.port {
        0 => ANY,
        1..FIRST_HIGH => LOW,
        _ => HIGH,
    }
}

/// To which of the limits for ports that are in use one counts.
#[inline(always)]
fn class(port: u32) -> u32 {
    match port {
        0..FIRST_TRIED => SERVICE,
        FIRST_TRIED..FIRST_HIGH => LOW,
        _ => HIGH,
    }
}

/// What is tested of the socket.
#[inline(always)]
fn of_socket(sock: Sock<Pointer>, payload: &mut LocalAddressRefused) {
    let state = sock.state();
    payload.sk_type = state.kind;
    payload.sk_protocol = state.protocol;
    payload.sk_state = state.state;
    payload.inet_num = state.number;
    payload.known |= SOCKET_READ & state.read;
    payload.known |= sock.v6only(V6ONLY_READ, V6ONLY);
    if let Some(address) = sock.0.bits(&globals::SOCK_REUSE)
        && let Some(port) = sock.0.bits(&globals::SOCK_REUSEPORT)
    {
        payload.known |= REUSE_READ;
        payload.known |= if address != 0 { REUSE_ADDRESS } else { 0 };
        payload.known |= if port != 0 { REUSE_PORT } else { 0 };
    }
    let (uid, read) = sock.0.flagged(&globals::SOCK_UID, UID_READ);
    payload.sk_uid = uid;
    payload.known |= read;
}

/// What is tested of its namespace.
#[inline(always)]
fn of_namespace(net: Net, payload: &mut LocalAddressRefused) {
    let (start, read) = net.0.flagged(&globals::NET_PORT_START, PORT_START_READ);
    payload.unprivileged_port_start = start;
    payload.known |= read;
    let loopback = Pointer(net.0.or_zero(&globals::NET_LOOPBACK));
    let (flags, read) = loopback.flagged(&globals::DEV_FLAGS, LOOPBACK_READ);
    payload.loopback_flags = flags;
    payload.known |= read;
    let inet6_dev = Pointer(loopback.or_zero(&globals::DEV_IP6_PTR));
    let own = inet6_dev.member(&globals::INET6_DEV_CNF);
    let own = own.unwrap_or(Pointer(0));
    let (off, read) = own.flagged(&globals::DEVCONF_DISABLE_IPV6, LOOPBACK_DISABLE_READ);
    payload.loopback_disable_ipv6 = off;
    payload.known |= read;
    payload.interface = [0; INTERFACE_NAME_LEN];
    if payload.ifindex == 0 {
        return;
    }
    match devices::find(net, payload.ifindex) {
        Found::At(device) => {
            payload.known |= DEVICE_FOUND;
            device.name_into(&mut payload.interface);
        }
        Found::Nowhere => payload.known |= DEVICE_ABSENT,
        Found::Unknown => {}
    }
}
