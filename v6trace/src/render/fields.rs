//! What an event carries beside its header, by name: for `--events`.

use crate::{
    decode::{Event, MulticastJoin, Payload},
    diagnose::Value,
    errno::Errno,
};

/// Names and values of an event's payload.
pub(super) fn of(event: &Event) -> Vec<(&'static str, Value)> {
    match &event.payload {
        Payload::MulticastJoin(join) => multicast_join(join),
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
