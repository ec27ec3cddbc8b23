//! What is the answer of processes that are followed, where a guest does not decide who
//! comes first: calls that a family explains, or that went well later.

use serde_json::{Value, json};
use v6trace::{
    families::process::{CommandEnded, Following},
    record::Record,
    report::Options,
};
use v6trace_common::{
    Context, RecordHeader, families,
    families::{
        outgoing::{CONNECT, OutgoingLookup},
        process::{CALL, DATA_READ, Innermost, ProcessStarted, SOCKET_READ, START, SystemCall},
    },
};
use zerocopy::FromZeros as _;

use crate::stream::{self, EVENT_NS, HOST, objects, session};

const ENETUNREACH: i32 = -101;
const ECONNRESET: i32 = -104;
const ECONNREFUSED: i32 = -111;
const EINPROGRESS: i32 = -115;
const CONNECT_CALL: u32 = 42;
const SEND_CALL: u32 = 44;
const ERROR_CALL: u32 = 55;
const INET6: u8 = 10;
const NETLINK: u32 = 16;
const TCP: (u32, u32) = (1, 6);

/// The one of every header.
const FOLLOWED: u32 = 812;
const OTHER: u32 = 813;

fn bytes(address: &str) -> [u8; 16] {
    address.parse::<std::net::Ipv6Addr>().unwrap().octets()
}

fn following() -> Record {
    let following = Following {
        boot_ns: EVENT_NS,
        command: Some("radvd".to_owned()),
        processes: Vec::new(),
    };
    following.into()
}

fn ended(status: i32) -> Record {
    let ended = CommandEnded {
        boot_ns: EVENT_NS,
        status: Some(status),
        signal: None,
    };
    ended.into()
}

fn started(process: u32, is_followed: u32) -> Record {
    let header = RecordHeader {
        pid: 1,
        ..stream::header::<ProcessStarted>(START, HOST)
    };
    let started = ProcessStarted {
        process,
        is_followed,
    };
    stream::kernel(header, &started)
}

/// A connection of `pid` to an address.
fn connects(pid: u32, address: &str, ret: i32) -> Record {
    calls(pid, CONNECT_CALL, (address, 443), ret)
}

/// A call of `pid` about an address and a port.
fn calls(pid: u32, number: u32, (address, port): (&str, u16), ret: i32) -> Record {
    let mut call = SystemCall {
        number,
        ret,
        family: INET6.into(),
        socket_type: TCP.0,
        protocol: TCP.1,
        values: SOCKET_READ | DATA_READ,
        ..SystemCall::new_zeroed()
    };
    call.data[0] = INET6;
    call.data[2..4].copy_from_slice(&port.to_be_bytes());
    call.data[8..24].copy_from_slice(&bytes(address));
    let header = RecordHeader {
        pid,
        tid: pid,
        ..stream::header::<SystemCall>(CALL, HOST)
    };
    stream::kernel(header, &call)
}

/// That of a look-up which the family `outgoing` explains.
fn finds_no_way(pid: u32, address: &str) -> Record {
    let lookup = OutgoingLookup {
        destination: bytes(address),
        ret: ENETUNREACH,
        operation: CONNECT,
        socket_type: TCP.0,
        protocol: TCP.1,
        port: 443,
        ..OutgoingLookup::new_zeroed()
    };
    let header = RecordHeader {
        pid,
        tid: pid,
        ..stream::header::<OutgoingLookup>(families::outgoing::LOOKUP, HOST)
    };
    stream::kernel(header, &lookup)
}

/// The diagnoses of such a session, ahead of which the answer is.
fn answered(records: impl IntoIterator<Item = Record>, status: i32) -> Vec<Value> {
    let opening = [session(), following(), started(FOLLOWED, 1)];
    let end = Record::End {
        boot_ns: EVENT_NS + 1,
    };
    let stream = opening.into_iter().chain(records);
    let mut objects = objects(Options::default(), stream.chain([ended(status), end]));
    assert_eq!(objects.remove(0)["type"], "session");
    let answer = objects.remove(0);
    assert_eq!(answer["type"], "answer");
    assert_eq!(answer["status"], status);
    assert_eq!(objects.pop().unwrap()["type"], "summary");
    objects
}

fn causes(diagnoses: &[Value]) -> Vec<&str> {
    let causes = diagnoses.iter().map(|diagnosis| &diagnosis["cause"]);
    causes.filter_map(Value::as_str).collect()
}

const A: &str = "2001:db8:7::9";
const B: &str = "2001:db8:8::9";

#[test]
fn what_a_family_explains_is_told_once() {
    let said = answered(
        [
            finds_no_way(FOLLOWED, A),
            connects(FOLLOWED, A, ENETUNREACH),
        ],
        1,
    );
    assert_eq!(causes(&said), ["outgoing-unexplained"]);
    assert_eq!(said[0]["evidence"]["got_over"], Value::Null);
    // Another address is told as well, as what the host may be used to.
    let both = [
        finds_no_way(FOLLOWED, A),
        connects(FOLLOWED, A, ENETUNREACH),
        connects(FOLLOWED, B, ENETUNREACH),
    ];
    let said = answered(both, 1);
    assert_eq!(causes(&said), ["outgoing-unexplained", "call-failed"]);
    assert_eq!(
        (&said[1]["address"], &said[1]["severity"]),
        (&B.into(), &"notice".into())
    );
}

#[test]
fn what_went_well_later_comes_last() {
    let stream = || {
        [
            connects(FOLLOWED, A, ECONNREFUSED),
            connects(FOLLOWED, A, 0),
        ]
    };
    let said = answered(stream(), 1);
    assert_eq!(causes(&said), ["call-failed"]);
    assert_eq!(said[0]["evidence"]["got_over"], true);
    assert_eq!(said[0]["confidence"], "likely");
    // A command that ended well is not asked about it.
    assert_eq!(answered(stream(), 0), [json!(null); 0]);
    // And that another connected is no comfort.
    let others = [
        started(OTHER, 1),
        connects(FOLLOWED, A, ECONNREFUSED),
        connects(OTHER, A, 0),
    ];
    let said = answered(others, 1);
    assert_eq!(said[0]["evidence"]["got_over"], Value::Null);
    // Nor that it connected to another place, or began to.
    for later in [
        connects(FOLLOWED, B, 0),
        connects(FOLLOWED, A, EINPROGRESS),
        calls(FOLLOWED, CONNECT_CALL, (A, 80), 0),
        calls(FOLLOWED, SEND_CALL, (A, 443), 0),
    ] {
        let said = answered([connects(FOLLOWED, A, ECONNREFUSED), later], 1);
        assert_eq!(said[0]["evidence"]["got_over"], Value::Null);
    }
    // A later connection to the same that comes about is known by SO_ERROR.
    let later = [
        connects(FOLLOWED, A, EINPROGRESS),
        calls(FOLLOWED, ERROR_CALL, (A, 443), ECONNREFUSED),
        calls(FOLLOWED, ERROR_CALL, (A, 443), 0),
    ];
    let said = answered(later, 1);
    assert_eq!(causes(&said), ["call-failed"]);
    assert_eq!(said[0]["operation"], "connect");
    assert_eq!(said[0]["evidence"]["got_over"], true);
}

#[test]
fn what_has_no_outcome_is_named() {
    let open = |records: Vec<Record>| {
        let end = Record::End {
            boot_ns: EVENT_NS + 1,
        };
        let opening = vec![session(), following(), started(FOLLOWED, 1)];
        let stream = [opening, records, vec![ended(1), end]].concat();
        let (_, said) = stream::text(Options::default(), stream.clone());
        assert!(said.contains("saw nothing of IPv6 fail"), "{said}");
        (objects(Options::default(), stream)[1]["open"].clone(), said)
    };
    let (begun, said) = open(vec![connects(FOLLOWED, A, EINPROGRESS)]);
    assert_eq!(
        begun,
        json!([{"call": "connect", "address": A, "port": 443, "pid": FOLLOWED}])
    );
    let named = "v6trace: no outcome was seen of connect() to [2001:db8:7::9]:443\n";
    assert!(said.contains(named), "{said}");
    // It came about; it was another's; it is none of IPv6.
    let (begun, said) = open(vec![
        connects(FOLLOWED, A, EINPROGRESS),
        calls(FOLLOWED, ERROR_CALL, (A, 443), 0),
        connects(OTHER, B, EINPROGRESS),
        connects(FOLLOWED, "::ffff:192.0.2.1", EINPROGRESS),
    ]);
    assert_eq!(begun, json!([]));
    assert!(!said.contains("no outcome"), "{said}");
}

#[test]
fn addresses_of_ipv4_are_none_of_ipv6() {
    let said = answered([connects(FOLLOWED, "::ffff:192.0.2.1", ECONNREFUSED)], 1);
    assert_eq!(causes(&said), [""; 0]);
}

#[test]
fn the_error_of_what_was_accepted_is_a_notice() {
    let said = answered([calls(FOLLOWED, ERROR_CALL, (A, 5000), ECONNRESET)], 1);
    assert_eq!(causes(&said), ["call-failed"]);
    assert_eq!(
        (&said[0]["operation"], &said[0]["severity"]),
        (&"socket-error".into(), &"notice".into())
    );
}

#[test]
fn others_are_no_answer() {
    let said = answered([connects(OTHER, A, ECONNREFUSED)], 1);
    assert_eq!(causes(&said), [""; 0]);
    // One that was followed has ended, and its id is another's.
    let said = answered(
        [started(FOLLOWED, 0), connects(FOLLOWED, A, ECONNREFUSED)],
        1,
    );
    assert_eq!(causes(&said), [""; 0]);
    // Who was interrupted did nothing.
    let mut stream = connects(FOLLOWED, A, ECONNREFUSED);
    if let Record::Kernel(record) = &mut stream {
        let mut bytes = record.bytes.to_vec();
        bytes[5] = Context::Softirq as u8;
        stream = Record::kernel(bytes);
    }
    assert_eq!(causes(&answered([stream], 1)), [""; 0]);
}

#[test]
fn sockets_of_others_are_none_of_ipv6() {
    let call = SystemCall {
        number: CONNECT_CALL,
        ret: ECONNREFUSED,
        family: NETLINK,
        values: SOCKET_READ,
        ..SystemCall::new_zeroed()
    };
    let header = stream::header::<SystemCall>(CALL, HOST);
    assert_eq!(
        causes(&answered([stream::kernel(header, &call)], 1)),
        [""; 0]
    );
}

/// A function that was the first to fail, in the thread of `pid`.
fn fails_first(pid: u32, name: &str, ret: i32) -> Record {
    let mut innermost = Innermost {
        ret,
        ..Innermost::new_zeroed()
    };
    innermost.function[..name.len()].copy_from_slice(name.as_bytes());
    let header = RecordHeader {
        pid,
        tid: pid,
        ..stream::header::<Innermost>(CALL, HOST)
    };
    stream::kernel(header, &innermost)
}

#[test]
fn the_function_that_fails_first_is_that_of_the_next_call() {
    let functions = |diagnoses: &[Value]| -> Vec<Value> {
        let functions = diagnoses.iter();
        let functions = functions.map(|diagnosis| diagnosis["evidence"]["function"].clone());
        functions.collect()
    };
    // It counts once, for its own thread, and where it is the same errno.
    let said = answered(
        [
            fails_first(OTHER, "of_another", ECONNREFUSED),
            fails_first(FOLLOWED, "tcp_v6_connect", ENETUNREACH),
            connects(FOLLOWED, A, ECONNREFUSED),
            connects(FOLLOWED, B, ENETUNREACH),
        ],
        1,
    );
    assert_eq!(functions(&said), [Value::Null, Value::Null]);
    let said = answered(
        [
            fails_first(FOLLOWED, "of_a_newer_kernel", ECONNREFUSED),
            connects(FOLLOWED, A, ECONNREFUSED),
            fails_first(FOLLOWED, "tcp_v6_connect", ENETUNREACH),
            connects(FOLLOWED, B, ENETUNREACH),
        ],
        1,
    );
    assert_eq!(
        functions(&said),
        [json!("of_a_newer_kernel"), json!("tcp_v6_connect")]
    );
    let summary = |index: usize| said[index]["summary"].as_str().unwrap();
    let named = "of_a_newer_kernel() was the first to return it.";
    assert!(summary(0).ends_with(named), "{}", summary(0));
    let tests = "as far as is known for this: the destination is a multicast group; or";
    assert!(summary(1).contains(tests), "{}", summary(1));
}

#[test]
fn what_is_certain_has_no_function() {
    let said = answered(
        [
            finds_no_way(FOLLOWED, A),
            fails_first(FOLLOWED, "ip6_dst_lookup_flow", ENETUNREACH),
            connects(FOLLOWED, A, ENETUNREACH),
        ],
        1,
    );
    assert_eq!(said.len(), 1);
    if said[0]["confidence"] == "certain" {
        assert_eq!(said[0]["evidence"]["function"], Value::Null);
    }
}
