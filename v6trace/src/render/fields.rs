//! What an event carries beside its header, by name: for `--events`.

use crate::{
    decode::{
        AnycastChange, DadFailure, DadReflection, DefaultRoutesPurged, Event, MulticastJoin,
        Payload, SetToken, SourceSelection, anycast::Written, dad::Message,
    },
    diagnose::Value,
    errno::Errno,
};

/// Names and values of an event's payload.
pub(super) fn of(event: &Event) -> Vec<(&'static str, Value)> {
    match &event.payload {
        Payload::MulticastJoin(join) => multicast_join(join),
        Payload::SetToken(request) => set_token(request),
        Payload::SourceSelection(selection) => source_selection(selection),
        Payload::AnycastChange(change) => anycast_change(change),
        Payload::DefaultRoutesPurged(purged) => default_routes_purged(purged),
        Payload::DadFailure(failure) => dad_failure(failure),
        Payload::DadReflection(reflection) => dad_reflection(reflection),
    }
}

fn multicast_join(join: &MulticastJoin) -> Vec<(&'static str, Value)> {
    vec![
        ("group", join.group.to_string().into()),
        ("requested_ifindex", join.requested_ifindex.into()),
        ("interface", join.interface().into()),
        ("errno", join.errno.as_ref().map(Errno::to_string).into()),
        ("size", join.charge.size.into()),
        ("sk_omem_alloc", join.charge.sk_omem_alloc.into()),
        ("optmem_max", join.charge.optmem_max.into()),
        ("socket", join.socket.inode.into()),
        ("kernel_socket", join.socket.kernel.into()),
    ]
}

fn set_token(request: &SetToken) -> Vec<(&'static str, Value)> {
    let sysctls = request.sysctls;
    vec![
        ("token", request.token.map(|token| token.to_string()).into()),
        ("ifindex", request.ifindex.into()),
        ("interface", request.interface.as_str().into()),
        ("errno", request.errno.as_ref().map(Errno::to_string).into()),
        ("flags", request.flags.into()),
        (
            "forwarding",
            sysctls.map(|sysctls| sysctls.forwarding).into(),
        ),
        ("accept_ra", sysctls.map(|sysctls| sysctls.accept_ra).into()),
        (
            "router_solicitations",
            sysctls.map(|sysctls| sysctls.router_solicitations).into(),
        ),
    ]
}

fn source_selection(selection: &SourceSelection) -> Vec<(&'static str, Value)> {
    let route = &selection.route;
    vec![
        ("destination", selection.destination.to_string().into()),
        ("protocol", selection.protocol.map(u32::from).into()),
        ("next_hop", route.next_hop.to_string().into()),
        ("ifindex", selection.ifindex.into()),
        ("interface", selection.interface.as_str().into()),
        (
            "source",
            selection.source.map(|source| source.to_string()).into(),
        ),
        ("on_interface", selection.on_interface.into()),
        ("by_gateway_bits", selection.by_gateway_bits.into()),
        (
            "prefsrc",
            route.prefsrc.map(|prefsrc| prefsrc.to_string()).into(),
        ),
        ("suppressed", selection.suppressed.into()),
    ]
}

fn anycast_change(change: &AnycastChange) -> Vec<(&'static str, Value)> {
    let written = change.written.as_ref();
    vec![
        ("address", change.address.to_string().into()),
        ("ifindex", change.ifindex.into()),
        ("interface", change.interface.as_str().into()),
        ("joined", change.joined.into()),
        ("trigger", change.trigger.name().into()),
        ("written", written.map(Written::name).into()),
        ("prefix_len", change.prefix_len.into()),
        ("own_address", change.own_address.into()),
        ("forwarding", change.forwarding.into()),
        ("all_forwarding", change.all_forwarding.into()),
        ("accept_ra", change.accept_ra.into()),
        ("force_forwarding", change.force_forwarding.into()),
    ]
}

fn default_routes_purged(purged: &DefaultRoutesPurged) -> Vec<(&'static str, Value)> {
    let written = purged.written.as_ref();
    let interfaces = purged.routes.iter();
    let interfaces = interfaces.map(|route| route.interface.as_str().into());
    vec![
        ("interfaces", Value::List(interfaces.collect())),
        ("count", purged.count.into()),
        ("written", written.map(Written::name).into()),
    ]
}

fn dad_failure(failure: &DadFailure) -> Vec<(&'static str, Value)> {
    let frame = &failure.frame;
    vec![
        ("address", failure.address.to_string().into()),
        ("prefix_len", failure.prefix_len.into()),
        ("ifindex", failure.ifindex.into()),
        ("interface", failure.interface.as_str().into()),
        ("message", frame.message().map(Message::name).into()),
        ("source_mac", text(frame.source_mac())),
        ("own_mac", text(failure.own_mac)),
        ("nonce", text(frame.nonce())),
        ("dad_nonce", text(failure.dad_nonce)),
        ("flags", failure.flags.into()),
        ("suppressed", failure.suppressed.into()),
    ]
}

fn dad_reflection(reflection: &DadReflection) -> Vec<(&'static str, Value)> {
    vec![
        ("address", reflection.address.to_string().into()),
        ("ifindex", reflection.ifindex.into()),
        ("interface", reflection.interface.as_str().into()),
        ("source_mac", text(reflection.frame.source_mac())),
        ("nonce", reflection.nonce.to_string().into()),
        ("suppressed", reflection.suppressed.into()),
    ]
}

fn text(value: Option<impl ToString>) -> Value {
    value.map(|value| value.to_string()).into()
}
