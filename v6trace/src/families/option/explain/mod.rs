//! Why a socket option was refused.

mod interface;
mod other;
mod routing;

use super::{Cause, OptionRefused, SocketState, names};
use crate::{
    catalogue::Severity,
    errno::Errno,
    explain::{Diagnosis, Fix, Subject},
};

const OPERATION: &str = "set-option";

/// `SOCK_STREAM` and `SOCK_RAW`
const STREAM: u32 = 1;
const RAW: u32 = 3;

/// Bytes of a number.
const NUMBER: u32 = 4;

/// Explains an option that was refused.
pub(super) fn refused(refused: &OptionRefused, subject: Subject<'_>) -> Diagnosis {
    let story = Story { refused, subject };
    let verdict = match refused.option {
        names::IPV6_MULTICAST_IF => story.multicast_interface(),
        names::IPV6_UNICAST_IF => story.unicast_interface(),
        option if names::is_routing(option) => story.routing(),
        _ => story.other(),
    };
    story.told(verdict)
}

/// An option that was refused, with what it is explained by.
struct Story<'a> {
    refused: &'a OptionRefused,
    subject: Subject<'a>,
}

/// What is the matter, and what to do.
struct Verdict {
    cause: Cause,
    why: String,
    is_certain: bool,
    is_notice: bool,
    fix: Vec<Fix>,
}

impl Verdict {
    /// What was read decides.
    fn certain(cause: Cause, why: impl Into<String>) -> Self {
        Self {
            cause,
            why: why.into(),
            is_certain: true,
            is_notice: false,
            fix: Vec::new(),
        }
    }

    /// It does not.
    fn likely(cause: Cause, why: impl Into<String>) -> Self {
        Self {
            is_certain: false,
            ..Self::certain(cause, why)
        }
    }

    /// Programs take this error for an answer.
    fn notice(self) -> Self {
        Self {
            is_notice: true,
            ..self
        }
    }

    fn fix(mut self, fix: Fix) -> Self {
        self.fix.push(fix);
        self
    }
}

impl Story<'_> {
    fn told(&self, verdict: Verdict) -> Diagnosis {
        let refused = self.refused;
        let socket = refused.socket.as_ref();
        let who = self.subject.who("the kernel");
        let option = names::of(refused.option);
        let value = match refused.value {
            Some(value) if !names::is_routing(refused.option) && self.is_number() => {
                format!(" to {value}")
            }
            _ => String::new(),
        };
        let summary = format!(
            "{who} could not set {option}{value} ({}): {}.",
            refused.errno, verdict.why
        );
        let mut diagnosis = Diagnosis::new(self.subject.event, verdict.cause, OPERATION, summary)
            .with("option", option.into_owned())
            .with("optlen", refused.length)
            .with("value", refused.value)
            .with("bound_ifindex", socket.map(|socket| socket.bound_ifindex))
            .with("sk_type", socket.map(|socket| socket.kind))
            .with("sk_protocol", socket.map(|socket| socket.protocol))
            .with("sk_state", socket.map(|socket| socket.state))
            .with("inet_num", socket.map(|socket| socket.number))
            .with("v6only", refused.v6only)
            .with("socket", refused.socket_inode)
            .with("suppressed", refused.suppressed);
        diagnosis.errno = Some(refused.errno);
        if !verdict.is_certain {
            diagnosis = diagnosis.likely();
        }
        if verdict.is_notice {
            diagnosis.severity = Severity::Notice;
        }
        verdict.fix.into_iter().fold(diagnosis, Diagnosis::fix)
    }

    /// Whether the value is a number, as far as it is known.
    fn is_number(&self) -> bool {
        names::takes_a_number(self.refused.option) && self.refused.length == NUMBER
    }

    fn socket(&self) -> Option<&SocketState> {
        self.refused.socket.as_ref()
    }

    fn is_of_type(&self, kind: u32) -> bool {
        self.socket().is_some_and(|socket| socket.kind == kind)
    }

    /// The interface that the socket is bound to, with its name; `None` without.
    fn bound(&self) -> Option<String> {
        let socket = self.socket()?;
        let (ifindex, name) = (socket.bound_ifindex, &socket.bound_interface);
        if ifindex == 0 {
            None
        } else if name.is_empty() {
            Some(format!("interface {ifindex}, which is not there any more"))
        } else {
            Some(format!("{name} (interface {ifindex})"))
        }
    }

    /// What is asked for, with its name.
    fn interface(&self) -> String {
        let ifindex = self.refused.ifindex;
        match super::Occurrence::interface(self.refused) {
            Some(name) => format!("{name} (interface {ifindex})"),
            None => format!("interface {ifindex}"),
        }
    }

    /// A value that is shorter than what the option takes.
    fn too_short(&self, cause: Cause, needed: u32) -> Option<Verdict> {
        let length = self.refused.length;
        let is_short = self.refused.errno == Errno::EINVAL && length < needed;
        is_short.then(|| {
            let why = format!("its value has {length} bytes, and it takes {needed}");
            Verdict::certain(cause, why)
        })
    }

    fn no_such_interface(&self, cause: Cause) -> Verdict {
        let why = format!(
            "no interface of this network namespace has index {}",
            self.refused.ifindex
        );
        Verdict::certain(cause, why).fix(
            self.subject
                .command("ip link")
                .remark("the indexes there are; a link that comes back usually has a new one"),
        )
    }

    /// Whether the task has a capability, as far as that is known.
    fn may(&self, capability: u32) -> Option<bool> {
        let capabilities = self.refused.capabilities?;
        Some(capabilities & 1 << capability != 0)
    }

    /// Refused for want of a capability: all of these, by name and number.
    fn without(&self, cause: Cause, wanted: &[(&str, u32)]) -> Verdict {
        let names: Vec<_> = wanted.iter().map(|(name, _)| *name).collect();
        let names = names.join(" or ");
        let has: Option<Vec<bool>> = wanted.iter().map(|(_, number)| self.may(*number)).collect();
        let of = "in the user namespace that this network namespace belongs to";
        let verdict = match has {
            Some(has) if has.contains(&true) => {
                return Verdict::likely(
                    cause,
                    format!(
                        "it takes {names} {of}. The program has that: in another user namespace \
                         only (a container's), or a security module (AppArmor, SELinux) does not \
                         let it use it"
                    ),
                )
                .fix(
                    Fix::new("journalctl -k --grep 'apparmor|avc'")
                        .remark("whether a security module refused the capability"),
                );
            }
            Some(_) => Verdict::certain(
                cause,
                format!("it takes {names} {of}, and the program has not got that"),
            ),
            None => Verdict::likely(
                cause,
                format!("it takes {names} {of}; whether the program has that could not be read"),
            ),
        };
        let first = wanted.first().map_or("", |(name, _)| *name);
        verdict.fix(Fix::new(format!(
            "give the service the capability: AmbientCapabilities={first} in its unit"
        )))
    }
}

fn unexplained(cause: Cause) -> Verdict {
    Verdict::likely(
        cause,
        "none of the conditions that are known to give this errno held when the kernel had answered, \
         as far as they could be read",
    )
}
