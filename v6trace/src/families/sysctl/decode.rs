//! A value that a sysctl refused.

use v6trace_common::families::sysctl as wire;

use crate::{
    errno::Errno,
    event::{Name, name, text},
    families::Decode,
};

/// A value that a sysctl refused.
#[derive(Clone, Debug, PartialEq)]
pub struct SysctlRefused {
    /// The value, without blanks around it.
    pub value: Option<String>,
    /// Whether that is all of it.
    pub is_whole: bool,
    /// The sysctl's own name.
    pub name: Name,
    /// The directories between `ipv6` and it, from above.
    pub directories: Vec<Name>,
    /// Within which bounds it takes numbers; `None` of one without.
    pub bounds: Option<Bounds>,
    /// The value that it has, where that is a number of 32 bits.
    pub current: Option<i32>,
    /// Why it was refused.
    pub errno: Errno,
    /// The interface that it is a setting of, where that is known.
    pub interface: Option<Interface>,
    /// Whether there is a secret to make stable addresses of.
    pub has_secret: Option<bool>,
    /// Writes that were refused likewise and not reported before this one.
    pub suppressed: u32,
}

/// Between which numbers a value has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The least.
    pub least: i64,
    /// The greatest.
    pub greatest: i64,
}

/// The interface that has a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its index.
    pub ifindex: u32,
    /// Its MTU, bytes.
    pub mtu: u32,
}

impl Decode for SysctlRefused {
    type Wire = wire::SysctlRefused;

    fn from_wire(wire: &Self::Wire) -> Self {
        let has = |flag| wire.read & flag != 0;
        let written = wire.value.trim_ascii_end();
        let end = written.iter().position(|&byte| byte == 0);
        let written = written[..end.unwrap_or(written.len())].trim_ascii();
        let above = [name(&wire.above), name(&wire.directory)];
        let depth = usize::try_from(wire.depth).unwrap_or(usize::MAX);
        Self {
            value: has(wire::VALUE_READ).then(|| text(written)),
            is_whole: usize::try_from(wire.length).is_ok_and(|length| length < wire::VALUE_LEN),
            name: name(&wire.name),
            directories: above[above.len().saturating_sub(depth)..].to_vec(),
            bounds: has(wire::BOUNDED).then(|| bounds(wire)),
            current: has(wire::CURRENT_READ).then_some(wire.current),
            errno: Errno(wire.ret.saturating_neg()),
            interface: has(wire::INTERFACE_READ).then_some(Interface {
                ifindex: wire.ifindex,
                mtu: wire.mtu,
            }),
            has_secret: has(wire::SECRET_READ).then(|| has(wire::HAS_SECRET)),
            suppressed: wire.suppressed,
        }
    }
}

/// The bounds; where the table has none, those of the type.
fn bounds(wire: &wire::SysctlRefused) -> Bounds {
    let has = |flag| wire.read & flag != 0;
    let (least, greatest) = match (has(wire::UNSIGNED), has(wire::BYTE)) {
        (_, true) => (0, u8::MAX.into()),
        (true, false) => (0, u32::MAX.into()),
        (false, false) => (i32::MIN.into(), i32::MAX.into()),
    };
    Bounds {
        least: if has(wire::LEAST_READ) {
            wire.least
        } else {
            least
        },
        greatest: if has(wire::GREATEST_READ) {
            wire.greatest
        } else {
            greatest
        },
    }
}

impl SysctlRefused {
    /// The sysctl, as `sysctl` takes it: with slashes, since an interface's name may hold
    /// dots.
    pub fn sysctl(&self) -> String {
        let mut path = "net/ipv6/".to_owned();
        for directory in &self.directories {
            path += directory;
            path.push('/');
        }
        path + &self.name
    }

    /// The interface whose setting it is.
    pub fn interface_name(&self) -> Option<&str> {
        match self.directories.as_slice() {
            [_, interface] if !["all", "default"].contains(&interface.as_str()) => Some(interface),
            _ => None,
        }
    }

    /// Whether it is this setting of an interface, or of all or future ones.
    pub(super) fn is_conf(&self, setting: &str) -> bool {
        self.name == setting
            && self
                .directories
                .first()
                .is_some_and(|above| above == "conf")
    }
}
