//! What is said of refused tokens where the values that the kernel tests could
//! not be read, or do not decide: no guest produces that on demand.

use serde_json::{Value, json};
use v6trace_common::{
    families, families::set_token::FLAGS_READ, families::set_token::SYSCTLS_READ,
    families::set_token::SetToken, families::set_token::TOKEN_READ,
};

use crate::stream::{self, HOST, diagnosis};

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
    let header = stream::header::<SetToken>(families::set_token::SET, HOST);
    diagnosis([stream::kernel(header, request)])
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
