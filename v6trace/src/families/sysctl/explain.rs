//! Why a sysctl refused a value.
//!
//! The kernel reads a number first, where the sysctl takes one, then compares it: with
//! the two bounds of its table, or as the setting's own function does.

use std::net::Ipv6Addr;

use super::{Cause, SysctlRefused};
use crate::{
    catalogue::Severity,
    errno::Errno,
    explain::{Diagnosis, Fix, IPV6_MIN_MTU, Subject, quoted},
};

/// Explains a value that was refused.
pub(super) fn explain(refused: &SysctlRefused, subject: Subject<'_>) -> Diagnosis {
    let story = Story { refused, subject };
    let verdict = story.verdict();
    let sysctl = refused.sysctl();
    let value = match &refused.value {
        Some(value) => format!("to {value:?}"),
        None => "to a value that could not be read".to_owned(),
    };
    let summary = format!(
        "{} could not set {sysctl} {value} ({}): {}.",
        subject.who("Somebody"),
        refused.errno,
        verdict.why
    );
    let interface = refused.interface;
    let mut diagnosis = Diagnosis::new(subject.event, Cause::Refused, "sysctl-write", summary)
        .with("sysctl", sysctl)
        .with("value", refused.value.clone())
        .with("least", verdict.least)
        .with("greatest", verdict.greatest)
        .with("current", refused.current)
        .with("mtu", interface.map(|interface| interface.mtu))
        .with("stable_secret", refused.has_secret)
        .with("suppressed", refused.suppressed);
    diagnosis.errno = Some(refused.errno);
    diagnosis.severity = verdict.severity;
    if !verdict.is_certain {
        diagnosis = diagnosis.likely();
    }
    verdict.fixes.into_iter().fold(diagnosis, Diagnosis::fix)
}

/// Modes of `addr_gen_mode`: the last, that of a secret, and that of a random one.
const LAST_MODE: i128 = 3;
const STABLE_PRIVACY: i128 = 2;
const RANDOM: i128 = 3;

/// Why.
struct Verdict {
    why: String,
    severity: Severity,
    is_certain: bool,
    /// The bounds that it rests on.
    least: Option<i64>,
    greatest: Option<i64>,
    fixes: Vec<Fix>,
}

impl Verdict {
    fn certain(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            severity: Severity::Failure,
            is_certain: true,
            least: None,
            greatest: None,
            fixes: Vec::new(),
        }
    }

    fn likely(why: impl Into<String>) -> Self {
        Self {
            is_certain: false,
            ..Self::certain(why)
        }
    }

    fn within(self, least: Option<i64>, greatest: Option<i64>) -> Self {
        Self {
            least,
            greatest,
            ..self
        }
    }

    fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }
}

/// A refusal and where it happened.
struct Story<'a> {
    refused: &'a SysctlRefused,
    subject: Subject<'a>,
}

impl Story<'_> {
    fn verdict(&self) -> Verdict {
        let refused = self.refused;
        let value = refused.value.as_deref().filter(|_| refused.is_whole);
        let found = match (refused.errno, value) {
            (Errno::EIO, Some(value)) => self.secret(value),
            (Errno::EINVAL | Errno::ERANGE, Some(value)) => self.number(value),
            (Errno::EPERM, _) => Some(Verdict::likely(
                "who writes may not set it, though the file could be opened for writing, or a BPF \
                 program of its cgroup forbids it",
            )),
            _ => None,
        };
        found.unwrap_or_else(|| Verdict::likely("why is not known"))
    }

    /// `stable_secret` is an address, in form.
    fn secret(&self, value: &str) -> Option<Verdict> {
        let is_secret = self.refused.is_conf("stable_secret");
        let verdict = Verdict::certain("it takes 128 bits in the form of an IPv6 address");
        (is_secret && value.parse::<Ipv6Addr>().is_err()).then_some(verdict)
    }

    fn number(&self, value: &str) -> Option<Verdict> {
        let refused = self.refused;
        let of_interface = refused.directories.len() == 2;
        if refused.bounds.is_none() && (!of_interface || refused.name == "stable_secret") {
            return None;
        }
        let Some(number) = first_number(value) else {
            return Some(Verdict::certain(
                "it takes a number of 32 bits, and this is none",
            ));
        };
        if let Some(bounds) = refused.bounds {
            return self.out_of(number, bounds.least, bounds.greatest);
        }
        if refused.is_conf("mtu") {
            return self.mtu(number);
        }
        if refused.is_conf("addr_gen_mode") {
            return self.mode(number);
        }
        let fits = (i32::MIN.into()..=u32::MAX.into()).contains(&number);
        (!fits).then(|| Verdict::certain("it takes a number of 32 bits, and this has more"))
    }

    fn out_of(&self, number: i128, least: i64, greatest: i64) -> Option<Verdict> {
        let (nearest, remark) = if number < least.into() {
            (least, "the least that it takes")
        } else if number > greatest.into() {
            (greatest, "the greatest that it takes")
        } else {
            return None;
        };
        Some(
            Verdict::certain(format!("it takes {least} to {greatest}"))
                .within(Some(least), Some(greatest))
                .fix(self.set(&nearest.to_string()).remark(remark)),
        )
    }

    /// That of IPv6 is between what IPv6 needs and what the link carries.
    fn mtu(&self, number: i128) -> Option<Verdict> {
        let least = i64::from(IPV6_MIN_MTU);
        if number < least.into() {
            let why = format!("IPv6 needs an MTU of {least} at least");
            let set = self.set(&least.to_string());
            let verdict = Verdict::certain(why).within(Some(least), None);
            return Some(verdict.fix(set.remark("the least that it takes")));
        }
        let greatest = self.refused.interface?.mtu;
        if number <= greatest.into() {
            return None;
        }
        let name = self.refused.interface_name()?;
        let is_at_most = i64::from(self.refused.current?) == i64::from(greatest);
        let mut verdict = Verdict::certain(format!(
            "it is no more than the MTU of {name} itself, which is {greatest}{}",
            if is_at_most {
                ", and IPv6 uses that already"
            } else {
                ""
            }
        ))
        .within(Some(least), Some(greatest.into()));
        if is_at_most {
            verdict.severity = Severity::Notice;
        }
        let raise = format!("ip link set dev {} mtu {number}", quoted(name));
        Some(verdict.fix(
            self.subject.command(&raise).remark(
                "raises both, where the device takes it and all on the link take such frames",
            ),
        ))
    }

    fn mode(&self, number: i128) -> Option<Verdict> {
        if !(0..=LAST_MODE).contains(&number) {
            let why = "it takes 0 (of the MAC), 1 (none), 2 (of a secret) and 3 (of a random one)";
            return Some(Verdict::certain(why).within(Some(0), Some(3)));
        }
        if number != STABLE_PRIVACY || self.refused.has_secret != Some(false) {
            return None;
        }
        let name = self.refused.interface_name()?;
        let verdict = Verdict::certain(format!(
            "mode 2 makes addresses of a secret, and neither {name} nor `default` has one \
             (stable_secret)"
        ));
        let secret = Fix::new(format!(
            "write a secret to {}",
            self.refused
                .sysctl()
                .replace("addr_gen_mode", "stable_secret")
        ));
        Some(
            verdict
                .fix(secret.remark("128 random bits as an IPv6 address; sets the mode as well"))
                .fix(
                    self.set(&RANDOM.to_string()).remark(
                        "the kernel makes a secret up: addresses are others after each boot",
                    ),
                ),
        )
    }

    /// Setting it to another value.
    fn set(&self, value: &str) -> Fix {
        let setting = format!("{}={value}", self.refused.sysctl());
        let setting = match self.refused.interface_name() {
            Some(name) if quoted(name) != name => quoted(&setting).into_owned(),
            _ => setting,
        };
        self.subject.command(&format!("sysctl -w {setting}"))
    }
}

/// The number that the kernel reads: the first word, in C's notation. `None` where that
/// is none, or beyond all bounds of a sysctl's.
fn first_number(value: &str) -> Option<i128> {
    let word = value.split_ascii_whitespace().next()?;
    let (sign, digits) = match word.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, word),
    };
    let hexadecimal = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
    let (digits, radix) = match (hexadecimal, digits) {
        (Some(digits), _) => (digits, 16),
        (None, digits) if digits.len() > 1 && digits.starts_with('0') => (digits, 8),
        (None, digits) => (digits, 10),
    };
    // No other sign follows.
    let is_plain = digits.chars().all(|digit| digit.is_digit(radix));
    let number = is_plain.then(|| i128::from_str_radix(digits, radix).ok())?;
    number.map(|number| sign * number)
}

#[cfg(test)]
mod tests {
    use super::first_number;

    #[test]
    fn numbers_are_read_as_the_kernel_reads_them() {
        for (value, number) in [
            ("1500", Some(1500)),
            ("-1 7", Some(-1)),
            ("0x500", Some(1280)),
            ("010", Some(8)),
            ("0", Some(0)),
            ("", None),
            ("on", None),
            ("1x", None),
            ("--1", None),
            ("+1", None),
            ("08", None),
        ] {
            assert_eq!(first_number(value), number, "{value}");
        }
    }
}
