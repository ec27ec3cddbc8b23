//! What is said of refused sysctls where values could not be read, and where names are
//! hostile.

use serde_json::Value;
use v6trace_common::families::sysctl::{
    BOUNDED, CURRENT_READ, GREATEST_READ, INTERFACE_READ, LEAST_READ, SECRET_READ, SysctlRefused,
    VALUE_READ, WRITE,
};
use zerocopy::FromZeros as _;

use crate::stream::{self, HOST, diagnosis};

/// A setting of an interface, and a value that was read as a whole.
fn refused(setting: &str, value: &str, ret: i32) -> SysctlRefused {
    let mut refused = SysctlRefused {
        ret,
        depth: 2,
        length: u32::try_from(value.len()).unwrap(),
        read: VALUE_READ,
        ..SysctlRefused::new_zeroed()
    };
    let take = value.len().min(63);
    refused.value[..take].copy_from_slice(&value.as_bytes()[..take]);
    refused.name[..setting.len()].copy_from_slice(setting.as_bytes());
    refused.above[..4].copy_from_slice(b"conf");
    refused.directory[..8].copy_from_slice(b"a; echo ");
    refused
}

fn said(refused: &SysctlRefused) -> Value {
    let header = stream::header::<SysctlRefused>(WRITE, HOST);
    diagnosis([stream::kernel(header, refused)])
}

fn has(said: &Value, text: &str) -> bool {
    said["summary"].as_str().unwrap().contains(text)
}

const INVALID: i32 = -22;

#[test]
fn what_was_not_read_is_not_claimed() {
    for refused in [
        // The value, or its end.
        SysctlRefused {
            read: 0,
            ..refused("mtu", "1", INVALID)
        },
        refused("mtu", &"1".repeat(64), INVALID),
        // The interface's MTU.
        refused("mtu", "1600", INVALID),
        // Whether there is a secret.
        refused("addr_gen_mode", "2", INVALID),
        // Within its bounds.
        SysctlRefused {
            read: VALUE_READ | BOUNDED | LEAST_READ | GREATEST_READ,
            least: 1,
            greatest: 2,
            ..refused("hop_limit", "2", INVALID)
        },
        refused("stable_secret", "fd00::7", -5),
        refused("accept_ra", "1", INVALID),
        refused("accept_ra", "1", -1),
        refused("accept_ra", "1", i32::MIN),
    ] {
        let said = said(&refused);
        assert_eq!(said["confidence"], "likely", "{said}");
        assert_eq!(said["fix"], serde_json::json!([]), "{said}");
    }
    let bounded = SysctlRefused {
        read: VALUE_READ | BOUNDED,
        ..refused("hop_limit", "4294967296\n", INVALID)
    };
    assert!(has(&said(&bounded), "it takes -2147483648 to 2147483647"));
}

#[test]
fn where_a_sysctl_is_shows_in_its_path() {
    let mut refused = refused("flush", "x", INVALID);
    for (depth, path) in [
        (0, "net/ipv6/flush"),
        (1, "net/ipv6/a; echo /flush"),
        (2, "net/ipv6/conf/a; echo /flush"),
        (7, "net/ipv6/conf/a; echo /flush"),
    ] {
        refused.depth = depth;
        assert_eq!(said(&refused)["evidence"]["sysctl"], path);
    }
}

#[test]
fn names_do_not_run() {
    let refused = [
        refused("mtu", "7", INVALID),
        SysctlRefused {
            read: VALUE_READ | INTERFACE_READ | CURRENT_READ,
            mtu: 1500,
            ..refused("mtu", "1600", INVALID)
        },
        SysctlRefused {
            read: VALUE_READ | SECRET_READ,
            ..refused("addr_gen_mode", "2", INVALID)
        },
    ];
    for refused in &refused {
        let said = said(refused);
        let fixes = said["fix"].as_array().unwrap();
        assert!(!fixes.is_empty(), "{said}");
        for fix in fixes.iter().map(|fix| fix.as_str().unwrap()) {
            let is_command = fix.contains("sysctl -w") || fix.contains("ip link");
            assert!(!is_command || fix.contains('\''), "{fix}");
        }
    }
}
