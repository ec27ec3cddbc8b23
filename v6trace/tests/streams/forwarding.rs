//! What a write of forwarding took and gave is told as one where its end is in the
//! stream, and singly where that is lost.

use v6trace::{
    coverage::Status,
    families::anycast::{Advertised, AnycastUse, Use, UseKind},
    record::{Lost, Quiet, Record},
    report::Options,
};
use v6trace_common::{
    Hook,
    families::{
        anycast::{
            self, ACCEPT_RA_READ, ADDRESSES_COMPLETE, AnycastChange, FORWARDING_CHANGE, JOINED,
            PREFIX_FOUND, RELEASED, WRITTEN_ALL,
        },
        forwarding::{
            DefaultRoutesPurged, ForwardingWritten, PURGE, PurgedRoute, ROUTE_DELETE, WRITE,
        },
    },
};
use zerocopy::FromZeros as _;

use crate::stream::{self, EVENT_NS, HOST, diagnoses, session, text};

/// An address that interface number `n` took, so many nanoseconds into the stream.
fn taken(n: u8, at: u64) -> Record {
    change(n, at, JOINED)
}

fn change(n: u8, at: u64, change: u32) -> Record {
    let mut taken = AnycastChange {
        ifindex: u32::from(n),
        change,
        trigger: FORWARDING_CHANGE,
        written: WRITTEN_ALL,
        prefix_len: 64,
        accept_ra: 1,
        flags: PREFIX_FOUND | ADDRESSES_COMPLETE | ACCEPT_RA_READ,
        ..AnycastChange::new_zeroed()
    };
    taken.address[..2].copy_from_slice(&[0xfd, n]);
    taken.interface[..4].copy_from_slice(b"eth\0");
    taken.interface[3] = b'a' + n;
    let mut header = stream::header::<AnycastChange>(anycast::JOIN, HOST);
    header.boot_ns = EVENT_NS + at;
    stream::kernel(header, &taken)
}

/// The connection that used an address.
fn used(at: u64) -> Record {
    let uses = vec![Use {
        kind: UseKind::Tcp,
        detail: "[fd05::5]:40000 to port 179 (ESTABLISHED)".to_owned(),
        process: Some("bird[7]".to_owned()),
        inode: None,
        gone: None,
        more: 0,
    }];
    Record::from(AnycastUse {
        boot_ns: EVENT_NS + at,
        of: EVENT_NS + at,
        uses,
        complete: true,
        vrf: None,
        owner: None,
        advertised: None,
    })
}

/// Nobody uses it, and its interface has an address from an advertisement, if `has` says
/// so.
fn unused(at: u64, has: bool) -> Record {
    let address = ("fd00::7".parse().unwrap(), 64);
    Record::from(AnycastUse {
        boot_ns: EVENT_NS + at,
        of: EVENT_NS + at,
        uses: Vec::new(),
        complete: true,
        vrf: None,
        owner: None,
        advertised: Some(Advertised {
            addresses: if has { vec![address] } else { Vec::new() },
            routes: Vec::new(),
            purged: false,
        }),
    })
}

/// The default route of eth5 went.
fn purged(at: u64) -> Record {
    let mut purged = DefaultRoutesPurged {
        written: WRITTEN_ALL,
        count: 1,
        ..DefaultRoutesPurged::new_zeroed()
    };
    purged.routes[0] = PurgedRoute {
        gateway: [0xfe; 16],
        interface: *b"eth5\0\0\0\0\0\0\0\0\0\0\0\0",
        ifindex: 5,
        forwarding: 1,
        accept_ra: 1,
        table: 254,
    };
    let mut header = stream::header::<DefaultRoutesPurged>(PURGE, HOST);
    header.boot_ns = EVENT_NS + at;
    stream::kernel(header, &purged)
}

/// The end of a write of the thread `tid`.
fn written(tid: u32, began: u64, at: u64) -> Record {
    let written = ForwardingWritten {
        began_ns: EVENT_NS + began,
        written: WRITTEN_ALL,
        routers: 9,
        deaf: 8,
        anycast: 6,
        ..ForwardingWritten::new_zeroed()
    };
    let mut header = stream::header::<ForwardingWritten>(WRITE, HOST);
    header.boot_ns = EVENT_NS + at;
    header.tid = tid;
    stream::kernel(header, &written)
}

/// The thread of the others.
const WRITER: u32 = 812;

fn lost(hook: Hook) -> Record {
    Record::Lost(Lost {
        boot_ns: EVENT_NS + 10,
        hook: Some(hook),
        cpu: Some(0),
        count: 1,
    })
}

/// That nothing has come until then.
fn quiet(at: u64) -> Record {
    Record::from(Quiet {
        boot_ns: EVENT_NS + at,
    })
}

fn end() -> Record {
    Record::End {
        boot_ns: 60_000_000_000,
    }
}

/// The blocks of text, each in one line.
fn blocks(records: Vec<Record>) -> Vec<String> {
    let all = [session()].into_iter().chain(records);
    let (out, _) = text(Options::default(), all.collect());
    let blocks = out.split("\n\n").filter(|block| !block.is_empty());
    let joined = |block: &str| block.split_whitespace().collect::<Vec<_>>().join(" ");
    blocks.map(joined).collect()
}

#[test]
fn what_matters_most_leads_and_nothing_is_hidden() {
    let mut records: Vec<_> = (0..5).map(|n| taken(n, n.into())).collect();
    records.extend([used(5), taken(5, 5), purged(6)]);
    records.push(written(WRITER, 0, 7));
    let told = blocks(records.clone());
    assert_eq!(told.len(), 1, "{told:?}");
    for part in [
        "HAZARD subnet-router-anycast radvd[812]",
        "radvd turned forwarding on (net.ipv6.conf.all.forwarding), so this host now owns fd05::, \
         the subnet-router anycast address of fd05::/64 on ethf, and answers for it. The TCP \
         connection of bird[7] to it times out",
        "The kernel removed the default route",
        "This host now owns 5 addresses as subnet-router anycast (fd00:: on etha, fd01:: on ethb, \
         fd02:: on ethc and 2 more)",
        "9 interfaces that are up became routers, of which 8 ignore router advertisements",
        "also default-route-purged",
        "accept_ra=2",
    ] {
        assert!(told[0].contains(part), "no {part:?} in {}", told[0]);
    }
    // For programs, each is itself.
    assert_eq!(diagnoses(records).len(), 7);
}

#[test]
fn what_advertisements_gave_can_be_kept() {
    let told = |has: bool| {
        let records = (0..6).flat_map(|n| [unused(n.into(), has), taken(n, n.into())]);
        let told = blocks(records.chain([written(WRITER, 0, 7)]).collect());
        assert_eq!(told.len(), 1, "{told:?}");
        told[0].clone()
    };
    let gone = told(true);
    for part in [
        "What advertisements gave to etha, ethb, ethc and 3 more runs out",
        "net/ipv6/conf/etha/accept_ra=2",
        "net/ipv6/conf/ethc/accept_ra=2",
        "the same on the others",
    ] {
        assert!(gone.contains(part), "no {part:?} in {gone}");
    }
    assert!(!gone.contains("nothing to do"), "{gone}");
    assert!(!gone.contains("conf/ethd/"), "{gone}");
    let none = told(false);
    assert!(none.contains("nothing to do"), "{none}");
    assert!(!none.contains("accept_ra=2"), "{none}");
}

#[test]
fn a_look_that_failed_is_told() {
    let records = [
        taken(1, 1),
        unused(2, false),
        taken(2, 2),
        written(WRITER, 0, 3),
    ];
    let told = blocks(records.into());
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("Of 1 not all that may use them could be looked up."));
    assert!(told[0].contains("anycast_addresses 2"), "{told:?}");
    assert!(!told[0].contains("nothing to do"), "{told:?}");
}

#[test]
fn one_thing_alone_reads_as_ever() {
    let alone = blocks(vec![taken(1, 1), end()]);
    assert_eq!(blocks(vec![taken(1, 1), written(WRITER, 0, 2)]), alone);
    assert!(alone[0].contains("so this host now owns fd01::,"));
}

#[test]
fn only_the_parts_of_one_write_are_told_together() {
    let parts = || [taken(1, 1), taken(2, 2)];
    let with = |more: &[Record]| blocks(parts().into_iter().chain(more.iter().cloned()).collect());
    // The end was lost: at the end of the session, at the loss, or after a while.
    for ended in [
        vec![end()],
        vec![lost(WRITE), end()],
        vec![taken(3, 3_000_000_000)],
        vec![quiet(2_000_000_003)],
    ] {
        let told = with(&ended);
        assert_eq!(told.len(), 2, "{told:?}");
        let line = "1 more like it in less than 0.1 s: ethc";
        assert!(told[1].contains(line), "{told:?}");
    }
    assert_eq!(with(&[quiet(2_000_000_001)]).len(), 0);
    // Another hook lost something: the end may still come.
    assert_eq!(with(&[lost(PURGE)]).len(), 0);
    assert_eq!(with(&[lost(PURGE), written(WRITER, 0, 11)]).len(), 1);
    // The write of another thread, and one that began later.
    assert_eq!(with(&[written(WRITER + 1, 0, 3)]).len(), 0);
    let later = with(&[taken(3, 5), taken(4, 6), written(WRITER, 4, 7), end()]);
    assert_eq!(later.len(), 3, "{later:?}");
    assert!(later[1].contains("(fd03:: on ethd, fd04:: on ethe)"));
}

#[test]
fn what_was_given_up_is_told_together_as_well() {
    let parts = (1..5).map(|n| change(n, n.into(), RELEASED));
    let told = blocks(parts.chain([written(WRITER, 0, 9)]).collect());
    assert_eq!(told.len(), 1, "{told:?}");
    let phrase = "so this host no longer owns 4 addresses as subnet-router anycast (fd01:: on \
                  ethb, fd02:: on ethc, fd03:: on ethd and 1 more): neighbours there";
    assert!(told[0].contains(phrase), "{told:?}");
}

/// What nobody counted is not none.
#[test]
fn default_routes_that_were_not_counted_are_not_known() {
    for (status, is_said) in [(Status::Attached, true), (Status::Refused, false)] {
        let session = stream::covering(&[PURGE, ROUTE_DELETE], status);
        let records = [session, taken(1, 1), taken(2, 2), written(WRITER, 0, 9)];
        let (out, _) = text(Options::default(), records.into());
        assert!(out.contains("in_use 0"), "{out}");
        assert_eq!(out.contains("default_routes 0"), is_said, "{out}");
    }
}

#[test]
fn who_wants_a_number_of_diagnoses_gets_that_many() {
    let records = [session(), taken(1, 1), taken(2, 2), taken(3, 3), end()];
    let options = Options {
        count: Some(2),
        ..Options::default()
    };
    let (out, err) = text(options, records.into());
    assert_eq!(out.matches("NOTICE").count(), 2, "{out}");
    assert!(err.contains("2  subnet-router-anycast"), "{err}");
}
