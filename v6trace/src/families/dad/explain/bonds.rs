//! Bonds: ports that are used together, by which an interface's own frames may
//! come back to it.

use crate::{
    explain::{Diagnosis, Value},
    families::dad::Bond,
};

/// To which of its ports a bond listens.
pub(super) enum Listens<'a> {
    /// To all: the switch is expected to take them for one.
    All,
    /// To all, though it sends by one alone.
    AllButSendsByOne,
    /// To those that the switch has agreed to take for one (LACP).
    Agreed,
    /// To one, where it is known which.
    One(Option<&'a str>),
}

impl<'a> Listens<'a> {
    pub(super) fn of(bond: &'a Bond) -> Self {
        match bond.mode.as_str() {
            "balance-rr" | "balance-xor" | "broadcast" => Self::All,
            _ if bond.all_ports_active => Self::AllButSendsByOne,
            "802.3ad" => Self::Agreed,
            _ => Self::One(bond.active.as_deref()),
        }
    }
}

/// What a bond has to do with frames that come back, in a sentence with a blank
/// before it.
pub(super) fn sentence(bond: &Bond, interface: &str) -> String {
    let Bond { name, mode, .. } = bond;
    let ports = match bond.ports.as_slice() {
        [] => "without ports".to_owned(),
        [port] => format!("port {port}"),
        ports => format!("ports {}", ports.join(", ")),
    };
    let is = if interface == name {
        "is"
    } else {
        "is stacked on"
    };
    let how = match Listens::of(bond) {
        Listens::All => "which listens to all of them: unless the switch takes them for one link as \
                         well, what leaves by one comes back by another"
            .to_owned(),
        Listens::AllButSendsByOne => {
            "which listens to idle ports as well (all_slaves_active): what leaves by one comes back \
             by another"
                .to_owned()
        }
        Listens::Agreed => "which listens to those that the switch has agreed to take for one link: \
                            most likely what reflects is behind them"
            .to_owned(),
        Listens::One(Some(port)) => format!(
            "which listens to {port} alone: most likely what reflects is behind that port"
        ),
        Listens::One(None) => {
            "which listens to one of them alone: most likely what reflects is behind that".to_owned()
        }
    };
    format!(" {interface} {is} the bond {name} ({mode}, {ports}), {how}.")
}

pub(super) fn evidence(diagnosis: Diagnosis, bond: &Bond) -> Diagnosis {
    let ports = bond.ports.iter().map(|port| port.as_str().into()).collect();
    diagnosis
        .with("bond", bond.name.as_str())
        .with("bond_mode", bond.mode.as_str())
        .with("bond_ports", Value::List(ports))
}
