//! What is said of refused tokens where the values that the kernel tests could
//! not be read, or do not decide: no guest produces that on demand.

use serde_json::{Value, json};
use v6trace::{
    record::{Record, SessionInfo},
    render::Json,
    report::{Options, Report},
};
use v6trace_common::{
    Context, Hook, Kind, RecordHeader, SetToken, WIRE_VERSION,
    set_token::{FLAGS_READ, SYSCTLS_READ, TOKEN_READ},
};
use zerocopy::IntoBytes;

const HOST: u32 = 4_026_531_840;
const EINVAL: i32 = -22;
const ENODEV: i32 = -19;

/// A request for eth0, a host that listens to routers.
fn request(ret: i32, read: u32) -> SetToken {
    SetToken {
        token: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5],
        interface: *b"eth0\0\0\0\0\0\0\0\0\0\0\0\0",
        ifindex: 2,
        ret,
        flags: 0x1003,
        forwarding: 0,
        accept_ra: 1,
        router_solicitations: -1,
        read,
        with_addr_gen_mode: 0,
    }
}

/// What is said; null if nothing is.
fn said(request: &SetToken) -> Value {
    let size = size_of::<RecordHeader>() + size_of::<SetToken>();
    let header = RecordHeader {
        size: u16::try_from(size).unwrap(),
        kind: Kind::SetToken as u16,
        version: WIRE_VERSION,
        context: Context::Task as u8,
        hook: Hook::SetToken as u16,
        boot_ns: 3_000_000_000,
        cgroup_id: 1,
        cpu: 0,
        netns: HOST,
        pid: 812,
        tid: 812,
        comm: *b"ip\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    };
    let session = Record::Session(SessionInfo {
        own_netns: HOST,
        ..SessionInfo::default()
    });
    let event = Record::kernel([header.as_bytes(), request.as_bytes()].concat());
    let mut out = Vec::new();
    let mut report = Report::new(Options::default(), Json::new(&mut out, Vec::new()));
    for record in [session, event] {
        let _ = report.feed(&record).unwrap();
    }
    drop(report);
    out.split(|&byte| byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .find(|object| object["type"] == "diagnosis")
        .unwrap_or_default()
}

#[test]
fn a_token_that_no_condition_refuses_is_unexplained() {
    for (ret, errno) in [(EINVAL, "EINVAL"), (ENODEV, "ENODEV")] {
        let said = said(&request(ret, FLAGS_READ | SYSCTLS_READ | TOKEN_READ));
        assert_eq!(said["cause"], "token-unexplained");
        assert_eq!(said["confidence"], "likely");
        assert_eq!(said["errno"], errno);
        assert_eq!(said["address"], "::5");
        let summary = said["summary"].as_str().unwrap();
        assert!(summary.contains("none of the conditions"), "{summary}");
        assert_eq!(said["fix"], json!([]));
    }
}

#[test]
fn what_could_not_be_read_is_not_taken_for_zero() {
    let said = said(&request(EINVAL, 0));
    assert_eq!(said["cause"], "token-unexplained");
    assert_eq!(said["confidence"], "likely");
    assert_eq!(said["address"], Value::Null);
    for name in [
        "flags",
        "forwarding",
        "accept_ra",
        "router_solicitations",
        "token",
    ] {
        assert_eq!(said["evidence"][name], Value::Null, "{name}");
    }
    let summary = said["summary"].as_str().unwrap();
    assert!(summary.contains("could not be read"), "{summary}");
}

#[test]
fn a_reason_that_flags_may_precede_is_likely_without_them() {
    let mut request = request(EINVAL, SYSCTLS_READ | TOKEN_READ);
    request.forwarding = 1;
    let said = said(&request);
    assert_eq!(said["cause"], "token-forwarding");
    assert_eq!(said["confidence"], "likely");
    let summary = said["summary"].as_str().unwrap();
    assert!(summary.contains("could not be read"), "{summary}");
}

#[test]
fn a_mode_that_is_refused_beside_a_token_is_not_the_tokens_failure() {
    let mut request = request(EINVAL, FLAGS_READ | SYSCTLS_READ | TOKEN_READ);
    request.with_addr_gen_mode = 1;
    assert_eq!(said(&request), Value::Null);
}
