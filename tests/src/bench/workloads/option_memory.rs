//! A socket that uses option memory without joining anything: a bystander,
//! whose every charge is watched all the same.

use anyhow::Result;

use super::{Operation, Workload};
use crate::bench::place::Place;
use crate::guest::MulticastSocket;

pub(super) const WORKLOAD: Workload = Workload {
    name: "option-memory",
    count: 16000,
    prepare,
};

fn prepare(place: &Place) -> Result<Operation> {
    let socket = MulticastSocket::udp(&place.netns)?;
    Ok(Box::new(move |_| socket.stick_destination_options(8)))
}
