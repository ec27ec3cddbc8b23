//! What lets an interface heed what it ignores.

use super::router;
use crate::{
    explain::{Fix, Site, quoted},
    frame::Frame,
};

/// Something to do about it.
pub(super) enum Remedy {
    /// Setting one of the interface's sysctls.
    Set {
        sysctl: &'static str,
        value: i32,
        remark: &'static str,
    },
    /// Setting the interface's MTU.
    Mtu { mtu: u32, remark: &'static str },
    /// Giving the interface a link-local address, of the operator's choice.
    LinkLocal { remark: &'static str },
    /// What no command does here.
    Say(String),
}

impl Remedy {
    pub(super) fn set(sysctl: &'static str, value: i32, remark: &'static str) -> Self {
        Self::Set {
            sysctl,
            value,
            remark,
        }
    }

    /// What is wrong with a message is its sender's to mend.
    pub(super) fn mend(frame: &Frame) -> Self {
        Self::Say(format!("mend its sender, {}", router(frame)))
    }

    pub(super) fn fix(self, interface: &str, site: Site<'_>) -> Fix {
        match self {
            Self::Set {
                sysctl,
                value,
                remark,
            } => site.set(interface, sysctl, value).remark(remark),
            Self::Mtu { mtu, remark } => site
                .command(&format!("ip link set dev {} mtu {mtu}", quoted(interface)))
                .remark(remark),
            Self::LinkLocal { remark } => site
                .command(&format!(
                    "ip -6 address add fe80::ADDRESS/64 dev {}",
                    quoted(interface)
                ))
                .remark(remark),
            Self::Say(text) => Fix::new(text),
        }
    }
}
