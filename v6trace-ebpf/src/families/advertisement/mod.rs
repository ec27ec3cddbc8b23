//! Router advertisements, and what of them the kernel does not heed.
//!
//! ```text
//! to a socket    remembers which raw socket was given the packet       TAKER
//! received       what the kernel drops ahead of everything else: sends it
//! advertisement  another than the router's last one, or another
//!                configuration: reads it, with TAKER           ADVERTISEMENT_RECORD
//! processed      sends it, with what became of the router's default route
//! address        remembers which one is to be made                     TRIAL
//! addressed      it was not: sends it
//! timer          nobody has answered: says so
//! ```
//!
//! A router repeats its advertisement every few seconds, so it is told only what
//! is not as it was the last time: the packet by its checksum and length, the
//! interface's configuration by what it heeds and its MTU, token and link-local address
//! where there is no other identifier, a program that takes advertisements itself by
//! being there. Where an interface ignores them as it forwards, that its last address
//! goes is news as well: only then it may miss what it ignores.
//! Whoever sends under ever new addresses is told a few times a second and counted in
//! between.
//!
//! All of this runs in softirqs (but for the sender's part of a loopback), in
//! which no other packet is received on the same CPU: what one program leaves for
//! the next is kept by CPU, not by thread.

mod address;
mod identifier;
mod packet;
mod received;
mod solicitation;
mod taker;

use crate::{
    address::Address,
    attachment::{Arguments, Object},
    families::route,
    interface_addresses,
    limit::{HELD_BACK, Limit, now},
    neighbour::copy,
    output::{self, Record},
    pointer::{Pointer, Reading},
    programs::programs,
    scratch::Scratch,
    search::functions,
};
use aya_ebpf::{EbpfContext, macros::map, maps::LruHashMap};
use packet::{Packet, Place};
use v6trace_common::{
    Hook,
    families::advertisement::{
        self as wire, ADDRESSES_COMPLETE, DEFAULT_ROUTE_WENT, FRAME_COPIED, LINK_LOCAL_USABLE,
        MIN_LFT_READ, MTU_READ, OWN_SOURCE, PFLAG_READ, ROUTE_INFO_READ, RouterAdvertisement,
        STILL_IGNORED, SYSCTLS_READ, WITHOUT_ADDRESS,
    },
};

mod globals {
    pub(super) use crate::globals::*;

    v6trace_common::advertisement_members!(members);
}

/// The same is told once, as long as it is remembered.
const FOREVER: u64 = u64::MAX;
/// Records of an interface within [`WHILE_NS`], whoever sends what.
const RECORDS: u32 = 8;
const WHILE_NS: u64 = 1_000_000_000;
/// A program that takes advertisements itself sets accept_ra to 0 a moment before
/// it opens its socket; after so many nanoseconds it has.
const SETTLED_NS: u64 = 10_000_000_000;

/// `accept_ra`: advertisements are heeded whether the interface forwards or not.
const HEEDED: i32 = 2;

/// A router on an interface.
#[repr(C)]
#[derive(Clone, Copy)]
struct Router {
    source: Address,
    place: Place,
}

/// An advertisement that was told, and ignored.
#[repr(C)]
#[derive(Clone, Copy)]
struct Awaited {
    boot_ns: u64,
    /// Its [`fold`].
    what: u64,
}

/// Routers whose advertisements nobody took so far, where somebody may be about to.
#[map]
static ADVERTISEMENTS_AWAITED: LruHashMap<Router, Awaited> = LruHashMap::with_max_entries(1024, 0);

/// What was told of each router.
#[map]
static ADVERTISEMENTS_TOLD: Limit<Router> = Limit::new(4096);

/// How much was told of each interface.
#[map]
static ADVERTISEMENTS_RATE: Limit<Place> = Limit::new(1024);

#[map]
static ADVERTISEMENT_RECORD: Scratch<Record<RouterAdvertisement>> = Scratch::new();

programs! {
    advertisement: kprobe router_advertisement_enter, fentry router_advertisement_fentry;
    processed: kretprobe router_advertisement_return, fexit router_advertisement_fexit;
}

/// `ndisc_router_discovery(skb)`: the packet's data begins at the ICMPv6 header and
/// is in one piece.
#[inline(always)]
fn advertisement<A: Arguments>(ctx: &A) -> Option<()> {
    let last = ADVERTISEMENT_RECORD.get()?;
    if last.header.size != 0 {
        // Its return was missed.
        output::not_kept(wire::ADVERTISEMENT);
        last.header.size = 0;
    }
    let packet = Packet::of(ctx.object(0))?;
    let device = packet.device();
    let (source, place) = (packet.source()?, packet.place()?);
    let (taker, takers) = taker::of(&packet);
    let identifiers = identifier::of_links_without(packet.device_type(), device, source);
    let configuration = packet.inet6_dev()?;
    let accept_ra: i32 = configuration.value(&globals::CNF_ACCEPT_RA).unwrap_or(1);
    let forwarding: i32 = configuration.value(&globals::CNF_FORWARDING).unwrap_or(0);
    let without = if forwarding != 0 && accept_ra != HEEDED {
        without_address(device.inet6()?, source)
    } else {
        0
    };
    let link = u64::from(packet.mtu()) << 32 | u64::from(identifiers | without);
    let what = fold(&packet, configuration, takers != 0, link)?;
    let router = Router { source, place };
    let (suppressed, still) = match is_news(&ADVERTISEMENTS_TOLD, &router, place, what) {
        Some(suppressed) => {
            await_takers(&router, what, accept_ra, takers);
            (suppressed, 0)
        }
        None if accept_ra == 0 && is_still_ignored(&router, what) => (0, STILL_IGNORED),
        None => return None,
    };
    let inet6_dev = device.inet6()?;
    let record = ADVERTISEMENT_RECORD.get()?;
    record.open(wire::ADVERTISEMENT, place.netns);
    let payload = &mut record.payload;
    payload.suppressed = suppressed;
    payload.taker = taker;
    payload.takers = takers;
    payload.ifindex = place.ifindex;
    device.name_into(&mut payload.interface);
    let (mtu, mtu_read) = device.0.flagged(&globals::DEV_MTU, MTU_READ);
    payload.mtu = mtu;
    payload.read = still | without | mtu_read | own(inet6_dev, source);
    advertisement_sysctls(inet6_dev.0);
    identifier::read(inet6_dev);
    let payload = &mut ADVERTISEMENT_RECORD.get()?.payload;
    let frame = &mut payload.frame;
    let copied = copy(packet.skb(), &mut frame.bytes, FRAME_COPIED);
    frame.copied = copied.copied;
    frame.length = copied.length;
    frame.network = copied.network;
    frame.transport = copied.transport;
    Some(())
}

/// Absent where the advertisement is no news.
#[inline(always)]
fn processed<C: EbpfContext>(ctx: &C) -> Option<()> {
    let record = ADVERTISEMENT_RECORD.get()?;
    if record.header.size == 0 {
        return None;
    }
    if route::default_route_went() {
        record.payload.read |= DEFAULT_ROUTE_WENT;
    }
    record.send(ctx, wire::ADVERTISEMENT);
    record.header.size = 0;
    Some(())
}

/// Has the next one told again that comes once whoever set accept_ra to 0 has had
/// the time to open a socket.
#[inline(always)]
fn await_takers(router: &Router, what: u32, accept_ra: i32, takers: u32) {
    if accept_ra == 0 && takers == 0 {
        let awaited = Awaited {
            boot_ns: now(),
            what: what.into(),
        };
        // What cannot be remembered is not told again.
        let _ = ADVERTISEMENTS_AWAITED.insert(router, &awaited, 0);
    }
}

/// Whether the same was told that long ago, and not again.
#[inline(always)]
fn is_still_ignored(router: &Router, what: u32) -> bool {
    // SAFETY: copied at once; entries are replaced as a whole.
    let Some(awaited) = (unsafe { ADVERTISEMENTS_AWAITED.get(router).copied() }) else {
        return false;
    };
    awaited.what == u64::from(what)
        && now().wrapping_sub(awaited.boot_ns) >= SETTLED_NS
        && ADVERTISEMENTS_AWAITED.remove(router).is_ok()
}

/// A number that another packet, another configuration, another MTU, an identifier that
/// comes or goes, or a program that begins or ceases to take advertisements would make
/// another.
#[inline(always)]
fn fold<O: Object>(packet: &Packet<O>, inet6_dev: O, taken: bool, link: u64) -> Option<u32> {
    // Type, code and checksum.
    let header: u32 = packet.icmpv6()?;
    let length = packet.len()?;
    let packet = u64::from(header) << 32 | u64::from(length) << 1 | u64::from(taken);
    let fold = lift(packet ^ lift(link));
    Some(spread(settings(inet6_dev, fold)) as u32)
}

/// The same number with what the interface heeds of advertisements, by its settings.
#[inline(always)]
fn settings<O: Object>(inet6_dev: O, fold: u64) -> u64 {
    let mut fold = fold;
    for setting in [
        &globals::CNF_FORWARDING,
        &globals::CNF_ACCEPT_RA,
        &globals::CNF_DEFRTR,
        &globals::CNF_PINFO,
        &globals::CNF_MIN_HOP_LIMIT,
        &globals::CNF_RA_MTU,
        &globals::CNF_FROM_LOCAL,
        &globals::CNF_AUTOCONF,
        &globals::CNF_RTR_PREF,
        &globals::CNF_RT_INFO_MIN,
        &globals::CNF_RT_INFO_MAX,
        &globals::CNF_MIN_LFT,
        &globals::CNF_ADDR_GEN_MODE,
    ] {
        let value: Option<u32> = inet6_dev.value(setting);
        fold = lift(fold ^ u64::from(value.unwrap_or(0)));
    }
    let pflag: Option<u8> = inet6_dev.value(&globals::CNF_PFLAG);
    fold ^ u64::from(pflag.unwrap_or(0))
}

/// Spreads the bits, upwards.
#[inline(always)]
fn lift(word: u64) -> u64 {
    // Any odd number would do: no two words become the same.
    word.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Spreads the bits, those at the top as well.
#[inline(always)]
fn spread(word: u64) -> u64 {
    let word = lift(word);
    word ^ (word >> 32)
}

// A function of its own: in one with the rest it would need more stack than there is.
functions! {
    /// Reads what decides into the record, and which of it could be read.
    fn advertisement_sysctls(inet6_dev: u64) -> u32 {
        let Some(record) = ADVERTISEMENT_RECORD.get() else {
            return 0;
        };
        let read = read_sysctls(Pointer(inet6_dev), &mut record.payload);
        record.payload.read |= read;
        read
    }
}

/// Reads what decides; which of it could be read.
#[inline(always)]
fn read_sysctls(inet6_dev: Pointer, payload: &mut RouterAdvertisement) -> u32 {
    let mut all = Reading::new();
    payload.forwarding = all.get(inet6_dev, &globals::CNF_FORWARDING);
    payload.accept_ra = all.get(inet6_dev, &globals::CNF_ACCEPT_RA);
    payload.accept_ra_defrtr = all.get(inet6_dev, &globals::CNF_DEFRTR);
    payload.accept_ra_pinfo = all.get(inet6_dev, &globals::CNF_PINFO);
    payload.accept_ra_min_hop_limit = all.get(inet6_dev, &globals::CNF_MIN_HOP_LIMIT);
    payload.accept_ra_mtu = all.get(inet6_dev, &globals::CNF_RA_MTU);
    payload.accept_ra_from_local = all.get(inet6_dev, &globals::CNF_FROM_LOCAL);
    payload.autoconf = all.get(inet6_dev, &globals::CNF_AUTOCONF);
    // A kernel may be built without.
    let mut routes = Reading::new();
    payload.accept_ra_rtr_pref = routes.get(inet6_dev, &globals::CNF_RTR_PREF);
    payload.accept_ra_rt_info_min_plen = routes.get(inet6_dev, &globals::CNF_RT_INFO_MIN);
    payload.accept_ra_rt_info_max_plen = routes.get(inet6_dev, &globals::CNF_RT_INFO_MAX);
    let (min_lft, min_lft_read) = inet6_dev.flagged(&globals::CNF_MIN_LFT, MIN_LFT_READ);
    payload.accept_ra_min_lft = min_lft;
    let (pflag, pflag_read) = inet6_dev.flagged::<u8>(&globals::CNF_PFLAG, PFLAG_READ);
    payload.ra_honor_pio_pflag = i32::from(pflag);
    (SYSCTLS_READ & all.mask()) | (ROUTE_INFO_READ & routes.mask()) | min_lft_read | pflag_read
}

/// Whether the interface itself has the source as an address.
#[inline(always)]
fn own(inet6_dev: Pointer, source: Address) -> u32 {
    let found = interface_addresses::find_for_advertisement(inet6_dev, source);
    let own = if found.is_own() { OWN_SOURCE } else { 0 };
    let complete = if found.complete {
        ADDRESSES_COMPLETE
    } else {
        0
    };
    let link_local = if found.link_local {
        LINK_LOCAL_USABLE
    } else {
        0
    };
    own | complete | link_local
}

/// [`WITHOUT_ADDRESS`] where the interface has but its link-local address.
#[inline(always)]
fn without_address(inet6_dev: Pointer, source: Address) -> u32 {
    let found = interface_addresses::find_for_advertisement(inet6_dev, source);
    if found.complete && found.count <= u32::from(found.link_local) {
        WITHOUT_ADDRESS
    } else {
        0
    }
}

/// `None` where the same was told before; else how much was not, since too much
/// was told of the interface.
#[inline(always)]
fn is_news<K>(told: &Limit<K>, same: &K, place: Place, what: u32) -> Option<u32> {
    if told.has(same, what) {
        return None;
    }
    told.pass(same, what, FOREVER, 1);
    let suppressed = ADVERTISEMENTS_RATE.pass(&place, 0, WHILE_NS, RECORDS);
    if suppressed == HELD_BACK {
        // It was not told after all.
        told.forget(same);
        return None;
    }
    Some(suppressed as u32)
}

/// Opens a record, and sends what `fill` makes of it.
#[inline(always)]
fn send<C: EbpfContext, P: v6trace_common::Payload>(
    ctx: &C,
    hook: Hook,
    netns: u32,
    record: &mut Record<P>,
    fill: impl FnOnce(&mut P),
) {
    record.open(hook, netns);
    fill(&mut record.payload);
    record.send(ctx, hook);
}
