//! `docs/record-layouts.md`, from which other programs are written, against the
//! types themselves: every field and every constant is there, with its offset,
//! size and value.

use std::mem::offset_of;

use v6trace_common::{
    AnycastChange, DadFailure, DadReflection, DefaultRoutesPurged, HOOKS, MulticastJoin,
    NeighbourFrame, SetToken, SourceSelection, forwarding::PurgedRoute,
};

const DOCUMENT: &str = include_str!("../../docs/record-layouts.md");

/// The rows of the first table behind a line of the document, each as its cells;
/// what is before the first bar and behind the last one counts as cells, too.
fn rows_after(line: &str) -> Vec<Vec<&'static str>> {
    let lines = DOCUMENT.lines().skip_while(|other| *other != line).skip(1);
    let table = lines.skip_while(|line| !line.starts_with('|'));
    let rows = table.take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect());
    // Without the head and the line below it.
    cells.skip(2).collect()
}

fn size_of_field<T, F>(_: impl Fn(&T) -> &F) -> usize {
    size_of::<F>()
}

/// Offset, size and name of each field; one that is missing here does not
/// compile.
macro_rules! fields {
    ($payload:ident { $($field:ident),* $(,)? }) => {{
        let _ = |$payload { $($field: _),* }: $payload| ();
        vec![$((
            offset_of!($payload, $field).to_string(),
            size_of_field(|payload: &$payload| &payload.$field).to_string(),
            format!("`{}`", stringify!($field)),
        )),*]
    }};
}

fn check(line: &str, expected: &[(String, String, String)]) {
    let documented: Vec<_> = rows_after(line)
        .iter()
        .map(|cells| {
            (
                cells[1].to_owned(),
                cells[2].to_owned(),
                cells[4].to_owned(),
            )
        })
        .collect();
    assert_eq!(documented, expected, "{line}");
}

#[test]
fn hooks() {
    let documented: Vec<_> = rows_after("## Hooks")
        .iter()
        .map(|cells| (cells[1].to_owned(), cells[2].to_owned()))
        .collect();
    let hooks = HOOKS
        .iter()
        .map(|info| ((info.hook as u16).to_string(), format!("`{}`", info.name)));
    assert_eq!(documented, hooks.collect::<Vec<_>>());
}

#[test]
fn multicast_join() {
    check(
        "## Kind 1: multicast join",
        &fields!(MulticastJoin {
            socket_inode,
            group,
            interface,
            requested_ifindex,
            mtu,
            ret,
            mode,
            size,
            sk_omem_alloc,
            optmem_max,
            memberships,
            stale_memberships,
            same_group_ifindex,
            flags,
            sk_protocol
        }),
    );
}

#[test]
fn set_token() {
    check(
        "## Kind 2: set token",
        &fields!(SetToken {
            token,
            interface,
            ifindex,
            ret,
            flags,
            forwarding,
            accept_ra,
            router_solicitations,
            read,
            with_addr_gen_mode
        }),
    );
}

#[test]
fn source_selection() {
    check(
        "## Kind 3: source selection",
        &fields!(SourceSelection {
            suppressed,
            next_hop,
            interface,
            destination,
            source,
            prefsrc,
            prefix,
            ifindex,
            oif,
            l3mdev,
            table,
            metric,
            nexthop_id,
            flags,
            prefix_len,
            protocol,
            next_hop_flags,
            route_protocol
        }),
    );
}

#[test]
fn anycast_change() {
    check(
        "## Kind 4: anycast change",
        &fields!(AnycastChange {
            address,
            interface,
            written_interface,
            ifindex,
            change,
            trigger,
            written,
            prefix_len,
            forwarding,
            all_forwarding,
            accept_ra,
            force_forwarding,
            flags
        }),
    );
}

#[test]
fn default_routes_purged() {
    check(
        "## Kind 5: default routes purged",
        &fields!(DefaultRoutesPurged {
            routes,
            written_interface,
            written,
            count
        }),
    );
    check(
        "Each route:",
        &fields!(PurgedRoute {
            gateway,
            interface,
            ifindex,
            forwarding,
            accept_ra,
            table
        }),
    );
}

#[test]
fn dad_failure() {
    check(
        "## Kind 6: DAD failure",
        &fields!(DadFailure {
            frame,
            address,
            interface,
            own_mac,
            own_mac_len,
            stable_privacy_retry,
            dad_nonce,
            sent_nonces,
            sent_boot_ns,
            sender_boot_ns,
            sent_count,
            sender_ifindex,
            sender_netns,
            sender_interface,
            ifindex,
            prefix_len,
            flags,
            accept_dad,
            all_accept_dad,
            enhanced_dad,
            all_enhanced_dad,
            disable_ipv6,
            idgen_retries,
            suppressed,
            read
        }),
    );
    check(
        "The frame:",
        &fields!(NeighbourFrame {
            bytes,
            copied,
            length,
            network,
            transport
        }),
    );
}

#[test]
fn dad_reflection() {
    check(
        "## Kind 7: DAD reflection",
        &fields!(DadReflection {
            frame,
            address,
            interface,
            nonce,
            sent_boot_ns,
            ifindex,
            suppressed
        }),
    );
}

/// Numbers that are in no record: how much the kernel side copies.
const INTERNAL: &[&str] = &["FRAME_COPIED"];

#[test]
fn constants() {
    for source in [
        include_str!("../src/multicast_join.rs"),
        include_str!("../src/set_token.rs"),
        include_str!("../src/source_selection.rs"),
        include_str!("../src/anycast.rs"),
        include_str!("../src/dad.rs"),
    ] {
        let constants = source.lines().filter_map(|line| {
            let declared = line.strip_prefix("pub const ")?.strip_suffix(';')?;
            declared.split_once(": u32 = ")
        });
        let mut seen = 0;
        for (name, value) in constants.filter(|(name, _)| !INTERNAL.contains(name)) {
            let value = match value.strip_prefix("1 << ") {
                Some(bit) => format!("{:#x}", 1_u32 << bit.parse::<u32>().unwrap()),
                None => value.to_owned(),
            };
            let row = format!("| {value} | `{name}` |");
            assert!(DOCUMENT.contains(&row), "{row} is not in the document");
            seen += 1;
        }
        assert!(seen > 0, "no constants in {source}");
    }
}
