//! What an event carries beside its header, by name: for `--events`.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::decode::{
    AnycastChange, DadFailure, DadReflection, DefaultRoutesPurged, Event, MulticastJoin, Payload,
    SetToken, SourceSelection, anycast::Written, dad::Message,
};

/// A value where the event has it: there may be millions of them.
pub(super) enum Field<'e> {
    Number(i64),
    Flag(bool),
    Text(&'e str),
    /// Something that has a form as text.
    Shown(&'e dyn fmt::Display),
    List(Vec<&'e str>),
    Unknown,
}

/// What takes the fields, one after the other.
type Take<'t> = &'t mut dyn FnMut(&'static str, Field<'_>);

/// Gives the names and values of an event's payload.
pub(super) fn each(event: &Event, take: Take<'_>) {
    match &event.payload {
        Payload::MulticastJoin(join) => multicast_join(join, take),
        Payload::SetToken(request) => set_token(request, take),
        Payload::SourceSelection(selection) => source_selection(selection, take),
        Payload::AnycastChange(change) => anycast_change(change, take),
        Payload::DefaultRoutesPurged(purged) => default_routes_purged(purged, take),
        Payload::DadFailure(failure) => dad_failure(failure, take),
        Payload::DadReflection(reflection) => dad_reflection(reflection, take),
    }
}

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Shown(value) => serializer.collect_str(value),
            Self::List(values) => values.serialize(serializer),
            Self::Unknown => serializer.serialize_none(),
        }
    }
}

macro_rules! field_from {
    ($($from:ty => $make:expr;)*) => {
        $(impl<'e> From<$from> for Field<'e> {
            fn from(value: $from) -> Self {
                ($make)(value)
            }
        })*
    };
}
field_from! {
    i32 => |v| Field::Number(i64::from(v));
    u32 => |v| Field::Number(i64::from(v));
    // Inode numbers beyond i64 do not occur.
    u64 => |v| i64::try_from(v).map_or(Field::Unknown, Field::Number);
    bool => Field::Flag;
    &'e str => Field::Text;
}

impl<'e, T: Into<Field<'e>>> From<Option<T>> for Field<'e> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Unknown, Into::into)
    }
}

/// A value in its own form as text.
fn shown(value: &impl fmt::Display) -> Field<'_> {
    Field::Shown(value)
}

/// The same, where there may be none.
fn text<T: fmt::Display>(value: Option<&T>) -> Field<'_> {
    value.map_or(Field::Unknown, |value| Field::Shown(value))
}

fn multicast_join(join: &MulticastJoin, take: Take<'_>) {
    take("group", shown(&join.group));
    take("requested_ifindex", join.requested_ifindex.into());
    take("interface", join.interface().into());
    take("errno", text(join.errno.as_ref()));
    take("size", join.charge.size.into());
    take("sk_omem_alloc", join.charge.sk_omem_alloc.into());
    take("optmem_max", join.charge.optmem_max.into());
    take("socket", join.socket.inode.into());
    take("kernel_socket", join.socket.kernel.into());
}

fn set_token(request: &SetToken, take: Take<'_>) {
    let sysctls = request.sysctls;
    take("token", text(request.token.as_ref()));
    take("ifindex", request.ifindex.into());
    take("interface", request.interface.as_str().into());
    take("errno", text(request.errno.as_ref()));
    take("flags", request.flags.into());
    take(
        "forwarding",
        sysctls.map(|sysctls| sysctls.forwarding).into(),
    );
    take("accept_ra", sysctls.map(|sysctls| sysctls.accept_ra).into());
    take(
        "router_solicitations",
        sysctls.map(|sysctls| sysctls.router_solicitations).into(),
    );
}

fn source_selection(selection: &SourceSelection, take: Take<'_>) {
    let route = &selection.route;
    take("destination", shown(&selection.destination));
    take("protocol", selection.protocol.map(u32::from).into());
    take("next_hop", shown(&route.next_hop));
    take("ifindex", selection.ifindex.into());
    take("interface", selection.interface.as_str().into());
    take("source", text(selection.source.as_ref()));
    take("on_interface", selection.on_interface.into());
    take("by_gateway_bits", selection.by_gateway_bits.into());
    take("prefsrc", text(route.prefsrc.as_ref()));
    take("suppressed", selection.suppressed.into());
}

fn anycast_change(change: &AnycastChange, take: Take<'_>) {
    let written = change.written.as_ref();
    take("address", shown(&change.address));
    take("ifindex", change.ifindex.into());
    take("interface", change.interface.as_str().into());
    take("joined", change.joined.into());
    take("trigger", change.trigger.name().into());
    take("written", written.map(Written::name).into());
    take("prefix_len", change.prefix_len.into());
    take("own_address", change.own_address.into());
    take("forwarding", change.forwarding.into());
    take("all_forwarding", change.all_forwarding.into());
    take("accept_ra", change.accept_ra.into());
    take("force_forwarding", change.force_forwarding.into());
}

fn default_routes_purged(purged: &DefaultRoutesPurged, take: Take<'_>) {
    let written = purged.written.as_ref();
    let interfaces = purged.routes.iter();
    let interfaces = interfaces.map(|route| route.interface.as_str());
    take("interfaces", Field::List(interfaces.collect()));
    take("count", purged.count.into());
    take("written", written.map(Written::name).into());
}

fn dad_failure(failure: &DadFailure, take: Take<'_>) {
    let frame = &failure.frame;
    take("address", shown(&failure.address));
    take("prefix_len", failure.prefix_len.into());
    take("ifindex", failure.ifindex.into());
    take("interface", failure.interface.as_str().into());
    take("message", frame.message().map(Message::name).into());
    take("source_mac", text(frame.source_mac().as_ref()));
    take("own_mac", text(failure.own_mac.as_ref()));
    take("nonce", text(frame.nonce().as_ref()));
    take("dad_nonce", text(failure.dad_nonce.as_ref()));
    take("flags", failure.flags.into());
    take("suppressed", failure.suppressed.into());
}

fn dad_reflection(reflection: &DadReflection, take: Take<'_>) {
    take("address", shown(&reflection.address));
    take("ifindex", reflection.ifindex.into());
    take("interface", reflection.interface.as_str().into());
    take("source_mac", text(reflection.frame.source_mac().as_ref()));
    take("nonce", shown(&reflection.nonce));
    take("suppressed", reflection.suppressed.into());
}
