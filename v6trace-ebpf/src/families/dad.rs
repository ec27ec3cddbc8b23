//! Duplicate address detection.
//!
//! ```text
//! solicitation  remembers the nonces that an interface sends      SENT[target]
//!               and which interface sent a nonce                  SENDERS[nonce]
//! reflection    finds the newest of them in what comes in: sends a record. What asks
//!               for a neighbour goes to the family of these
//! failure       an address under test is in use: reads the frame that the
//!               kernel takes for proof, the address, SENT and SENDERS; sends
//!               a record
//! ```
//!
//! A reflecting segment repeats itself, so an occasion is reported once a
//! second. What comes earlier is held back: the newest of it, with the number of
//! those before it. The next report counts it; where none follows, userspace
//! takes it out of the map and tells it.

use aya_ebpf::{macros::map, maps::LruHashMap, programs::ProbeContext};
use v6trace_common::{
    Hook, INTERFACE_NAME_LEN,
    families::dad::{
        self as wire, DadFailure, DadReflection, FLAGS_READ, NONCE_READ, NONCES, RETRIES_READ,
        SYSCTLS_READ,
    },
    held::QUIET_NS,
};

use super::neighbour::proxy::solicited;
use crate::{
    address::{Address, UNSPECIFIED},
    attachment::Arguments as _,
    kernel::{Device, Net},
    limit::{Counting, HELD_BACK, Held, Limit, now},
    neighbour::{copy_frame, nonce},
    output::Record,
    pointer::{Pointer, Reading},
    programs::programs,
    scratch::Scratch,
};

mod globals {
    pub(super) use crate::globals::*;

    v6trace_common::dad_members!(members);
}

/// `INET6_IFADDR_STATE_DAD`: in any other state a failure changes nothing.
const STATE_DAD: i32 = 1;
/// ICMPv6 type of a neighbour solicitation.
const SOLICITATION: u8 = 135;
/// Bytes from the beginning of a solicitation to its target.
const TARGET: u64 = 8;
/// Bytes from the beginning of an IPv6 header to the source.
const IPV6_SOURCE: u64 = 8;

/// An address on an interface.
#[repr(C)]
#[derive(Clone, Copy)]
struct Target {
    address: Address,
    netns: u32,
    ifindex: u32,
}

/// What an interface asked for an address.
#[repr(C)]
#[derive(Clone, Copy)]
struct Sent {
    /// Newest first.
    nonces: [u64; NONCES],
    boot_ns: u64,
    count: u64,
}

/// A nonce that was sent for an address. Not a secret: whoever sees it can send
/// it as well, but only for this address does it mean anything.
#[repr(C)]
#[derive(Clone, Copy)]
struct Asked {
    address: Address,
    nonce: u64,
}

/// The interface that sent it.
#[repr(C)]
#[derive(Clone, Copy)]
struct Sender {
    boot_ns: u64,
    netns: u32,
    ifindex: u32,
    name: [u8; INTERFACE_NAME_LEN],
}

/// What is reported once a second.
#[repr(C)]
#[derive(Clone, Copy)]
struct Occasion {
    target: Target,
    hook: u64,
}

#[map]
static SENT: LruHashMap<Target, Sent> = LruHashMap::with_max_entries(1024, 0);

#[map]
static SENDERS: LruHashMap<Asked, Sender> = LruHashMap::with_max_entries(4096, 0);

#[map]
static DAD_REPORTED: Limit<Occasion> = Limit::new(1024);

#[map]
static DAD_FAILURES_HELD: Held<Target, DadFailure> = Held::new(1024);

#[map]
static DAD_REFLECTIONS_HELD: Held<Target, DadReflection> = Held::new(1024);

#[map]
static DAD_FAILURE: Scratch<Record<DadFailure>> = Scratch::new();

#[map]
static DAD_REFLECTION: Scratch<Record<DadReflection>> = Scratch::new();

impl Counting for DadFailure {
    #[inline(always)]
    fn suppressed(&mut self) -> &mut u32 {
        &mut self.suppressed
    }
}

impl Counting for DadReflection {
    #[inline(always)]
    fn suppressed(&mut self) -> &mut u32 {
        &mut self.suppressed
    }
}

programs! {
    solicitation: kprobe dad_solicitation;
    reflection: kprobe dad_reflection;
    failure: kprobe dad_failure;
}

/// `ndisc_send_ns(dev, solicit, daddr, saddr, nonce)`
#[inline(always)]
fn solicitation(ctx: &ProbeContext) -> Option<()> {
    let source = ctx.object(3);
    // Only duplicate address detection asks without an address of its own.
    if source.0 == 0 || source.read::<Address>()? != UNSPECIFIED {
        return None;
    }
    let device = Device(ctx.object(0));
    let target = target(device, ctx.object(1).read()?)?;
    let nonce = ctx.number(4);
    let now = now();
    if nonce != 0 {
        let asked = Asked {
            address: target.address,
            nonce,
        };
        let sender = Sender {
            boot_ns: now,
            netns: target.netns,
            ifindex: target.ifindex,
            name: device.name(),
        };
        // What cannot be remembered shows later as not seen.
        let _ = SENDERS.insert(&asked, &sender, 0);
    }
    if let Some(sent) = SENT.get_ptr_mut(&target) {
        // SAFETY: the pointer is to a map value, checked for null. Another CPU
        // may write at the same time only where one interface asks twice for
        // one address at once, which the kernel does not.
        let sent = unsafe { &mut *sent };
        sent.boot_ns = now;
        if sent.nonces[0] != nonce {
            sent.nonces[3] = sent.nonces[2];
            sent.nonces[2] = sent.nonces[1];
            sent.nonces[1] = sent.nonces[0];
            sent.nonces[0] = nonce;
            if sent.count < NONCES as u64 {
                sent.count += 1;
            }
        }
        return None;
    }
    let sent = Sent {
        nonces: [nonce, 0, 0, 0],
        boot_ns: now,
        count: 1,
    };
    // What cannot be remembered shows later as not seen.
    let _ = SENT.insert(&target, &sent, 0);
    Some(())
}

/// `ndisc_recv_ns(skb)`: the packet's data begins at the ICMPv6 header and is
/// in one piece.
#[inline(always)]
fn reflection(ctx: &ProbeContext) -> Option<()> {
    let skb = ctx.object(0);
    let head = skb.follow(&globals::SKB_HEAD)?;
    let network: u16 = skb.get(&globals::SKB_NETWORK_HEADER)?;
    let source: Address = Pointer(head.0 + u64::from(network) + IPV6_SOURCE).read()?;
    let transport: u16 = skb.get(&globals::SKB_TRANSPORT_HEADER)?;
    let solicitation = Pointer(head.0 + u64::from(transport));
    let device = Device(skb.follow(&globals::SKB_DEV)?);
    let address: Address = Pointer(solicitation.0 + TARGET).read()?;
    if source != UNSPECIFIED {
        // It asks for a neighbour, not whether the address is in use.
        return solicited(ctx, device, source, address);
    }
    let length: u32 = skb.get(&globals::SKB_LEN)?;
    let nonce = nonce(solicitation, u64::from(length))?;
    let target = target(device, address)?;
    // SAFETY: copied at once; a torn copy would need the interface to ask for
    // the address again at this very moment.
    let sent = unsafe { *SENT.get_ptr(&target)? };
    if sent.nonces[0] != nonce {
        return None;
    }
    let is_due = is_due(target, wire::REFLECTION);
    let record = DAD_REFLECTION.get()?;
    record.open(wire::REFLECTION, target.netns);
    record.payload.address = address.bytes();
    device.name_into(&mut record.payload.interface);
    record.payload.nonce = nonce;
    record.payload.sent_boot_ns = sent.boot_ns;
    record.payload.ifindex = target.ifindex;
    record.payload.suppressed = 0;
    copy_frame(skb, &mut record.payload.frame);
    DAD_REFLECTIONS_HELD.settle(ctx, wire::REFLECTION, &target, record, is_due);
    Some(())
}

/// `addrconf_dad_failure(skb, ifp)`
#[inline(always)]
fn failure(ctx: &ProbeContext) -> Option<()> {
    let skb = ctx.object(0);
    let ifaddr = ctx.object(1);
    if ifaddr.get::<i32>(&globals::IFA_STATE)? != STATE_DAD {
        return None;
    }
    let mut reading = Reading::new();
    let address: Address = reading.get(ifaddr, &globals::IFA_ADDR);
    let inet6_dev = Pointer(reading.get(ifaddr, &globals::IFA_IDEV));
    let device = Device(Pointer(reading.get(inet6_dev, &globals::INET6_DEV_DEV)));
    if !reading.is_complete() {
        return None;
    }
    let target = target(device, address)?;
    let is_due = is_due(target, wire::FAILURE);
    let record = DAD_FAILURE.get()?;
    record.open(wire::FAILURE, target.netns);
    let payload = &mut record.payload;
    payload.address = address.bytes();
    device.name_into(&mut payload.interface);
    payload.ifindex = target.ifindex;
    payload.suppressed = 0;
    payload.own_mac_len = device.0.or_zero(&globals::DEV_ADDR_LEN);
    let mac = Pointer(device.0.or_zero(&globals::DEV_ADDR));
    mac.read_into(&mut payload.own_mac);
    let net = Pointer(device.0.or_zero(&globals::DEV_NET));
    payload.read = read_address(ifaddr, net, payload) | read_sysctls(inet6_dev, net, payload);
    match SENT.get_ptr(&target) {
        Some(sent) => {
            // SAFETY: as in reflection().
            let sent = unsafe { &*sent };
            payload.sent_nonces = sent.nonces;
            payload.sent_boot_ns = sent.boot_ns;
            payload.sent_count = sent.count as u32;
        }
        None => {
            payload.sent_nonces = [0; NONCES];
            payload.sent_boot_ns = 0;
            payload.sent_count = 0;
        }
    }
    payload.sender_boot_ns = 0;
    payload.sender_ifindex = 0;
    payload.sender_netns = 0;
    payload.sender_interface = [0; INTERFACE_NAME_LEN];
    if let Some(sender) = sender(skb, address) {
        payload.sender_boot_ns = sender.boot_ns;
        payload.sender_ifindex = sender.ifindex;
        payload.sender_netns = sender.netns;
        payload.sender_interface = sender.name;
    }
    copy_frame(skb, &mut payload.frame);
    DAD_FAILURES_HELD.settle(ctx, wire::FAILURE, &target, record, is_due);
    Some(())
}

/// The interface of this host that sent the solicitation, by its nonce.
#[inline(always)]
fn sender(skb: Pointer, address: Address) -> Option<Sender> {
    let mut reading = Reading::new();
    let head: u64 = reading.get(skb, &globals::SKB_HEAD);
    let transport: u16 = reading.get(skb, &globals::SKB_TRANSPORT_HEADER);
    let length: u32 = reading.get(skb, &globals::SKB_LEN);
    let message = Pointer(head + u64::from(transport));
    if !reading.is_complete() || message.read() != Some(SOLICITATION) {
        return None;
    }
    let nonce = nonce(message, u64::from(length))?;
    // SAFETY: copied at once; entries are replaced as a whole.
    unsafe { SENDERS.get(&Asked { address, nonce }).copied() }
}

/// Reads what the address says, and how often it may be tried anew; which of it
/// could be read.
#[inline(always)]
fn read_address(ifaddr: Pointer, net: Pointer, payload: &mut DadFailure) -> u32 {
    payload.prefix_len = ifaddr.or_zero(&globals::IFA_PREFIX_LEN);
    // One says nothing without the other.
    let mut retries = Reading::new();
    payload.stable_privacy_retry = retries.get(ifaddr, &globals::IFA_STABLE_PRIVACY_RETRY);
    payload.idgen_retries = retries.get(net, &globals::NET_IDGEN_RETRIES);
    let (flags, flags_read) = ifaddr.flagged(&globals::IFA_FLAGS, FLAGS_READ);
    let (nonce, nonce_read) = ifaddr.flagged(&globals::IFA_DAD_NONCE, NONCE_READ);
    payload.flags = flags;
    payload.dad_nonce = nonce;
    flags_read | nonce_read | (RETRIES_READ & retries.mask())
}

/// Reads the sysctls that decide; which of them could be read.
#[inline(always)]
fn read_sysctls(inet6_dev: Pointer, net: Pointer, payload: &mut DadFailure) -> u32 {
    let own = inet6_dev.member(&globals::INET6_DEV_CNF);
    let own = own.unwrap_or(Pointer(0));
    let mut reading = Reading::new();
    let all = Pointer(reading.get(net, &globals::NET_DEVCONF_ALL));
    payload.accept_dad = reading.get(own, &globals::DEVCONF_ACCEPT_DAD);
    payload.all_accept_dad = reading.get(all, &globals::DEVCONF_ACCEPT_DAD);
    payload.enhanced_dad = reading.get(own, &globals::DEVCONF_ENHANCED_DAD);
    payload.all_enhanced_dad = reading.get(all, &globals::DEVCONF_ENHANCED_DAD);
    payload.disable_ipv6 = reading.get(own, &globals::DEVCONF_DISABLE_IPV6);
    SYSCTLS_READ & reading.mask()
}

#[inline(always)]
fn target(device: Device, address: Address) -> Option<Target> {
    let mut reading = Reading::new();
    let net = Net(Pointer(reading.get(device.0, &globals::DEV_NET)));
    let target = Target {
        address,
        netns: net.inum()?,
        ifindex: reading.get(device.0, &globals::DEV_IFINDEX),
    };
    reading.is_complete().then_some(target)
}

/// Whether the occasion is to be reported now, and not held back.
#[inline(always)]
fn is_due(target: Target, hook: Hook) -> bool {
    let occasion = Occasion {
        target,
        hook: hook.0.into(),
    };
    DAD_REPORTED.pass(&occasion, 0, QUIET_NS, 1) != HELD_BACK
}
