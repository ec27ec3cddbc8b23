//! A join that got ENOMEM: from the socket's own budget, or from the machine.

use std::fmt::Write as _;

use super::Story;
use crate::{
    explain::{Diagnosis, Fix, Site, advice},
    families::multicast_join::{Cause, Memberships},
};

/// Bytes that follow the opening, as a rule: growing costs more than the room.
const SENTENCES: usize = 384;

impl Story<'_> {
    pub(super) fn optmem_exhausted(&self) -> Diagnosis {
        let charge = &self.join.charge;
        let omem = charge.sk_omem_alloc.unwrap_or_default();
        let size = charge.size.unwrap_or_default();
        let max = charge.optmem_max.unwrap_or_default();
        let whose = if self.join.socket.kernel {
            "that"
        } else {
            "its"
        };
        let mut summary = self.opening();
        summary.reserve(SENTENCES);
        // Memory takes whatever is written.
        let _ = write!(
            summary,
            ": {whose} socket's option memory is full, {omem} + {size} bytes reach \
             net.core.optmem_max = {max}."
        );
        if let Some(memberships) = self.join.memberships {
            let member = match self.subject.event.culprit() {
                Some(task) if !self.join.socket.kernel => task.comm.as_str(),
                _ => "the kernel",
            };
            about_memberships(&mut summary, memberships, size, omem, member);
        }
        let leaking = self.join.memberships.is_some_and(mostly_stale);
        let mut diagnosis = self.memory_evidence(Cause::OptmemExhausted, summary);
        let restart = self.free_memberships(leaking);
        let raise = self.raise_limit(i64::from(omem) + i64::from(size), leaking);
        // Raising the limit cures a socket that needs more; it only postpones
        // the next failure of one that leaks.
        let freed_by_restart = leaking && !self.join.socket.kernel;
        let order = if freed_by_restart {
            [restart, raise]
        } else {
            [raise, restart]
        };
        diagnosis.fix.extend(order);
        diagnosis
    }

    pub(super) fn out_of_memory(&self) -> Diagnosis {
        let charge = &self.join.charge;
        let summary = format!(
            "{}: the kernel's allocator had no memory. The socket's option memory is not the \
             reason, {} + {} bytes are below net.core.optmem_max = {}.",
            self.opening(),
            charge.sk_omem_alloc.unwrap_or_default(),
            charge.size.unwrap_or_default(),
            charge.optmem_max.unwrap_or_default(),
        );
        let mut diagnosis = self.memory_evidence(Cause::OutOfMemory, summary);
        if !charge.seen {
            // Read at the return, when another thread's charge may be gone.
            diagnosis = diagnosis.likely();
        }
        diagnosis
            .fix(Fix::new("free -m; slabtop -o -s c").remark("who holds the memory"))
            .fix(
                Fix::new("dmesg | grep -i 'allocation failure'")
                    .remark("what the kernel said of it"),
            )
    }

    pub(super) fn memory_evidence(&self, cause: Cause, summary: String) -> Diagnosis {
        let charge = &self.join.charge;
        let memberships = self.join.memberships;
        let scope = if charge.limit_of_netns {
            "netns"
        } else {
            "global"
        };
        // In place: a storm makes thousands a second.
        let mut diagnosis = self.start(cause, summary);
        diagnosis.add("sk_omem_alloc", charge.sk_omem_alloc);
        diagnosis.add("size", charge.size);
        diagnosis.add("optmem_max", charge.optmem_max);
        diagnosis.add("optmem_scope", charge.optmem_max.map(|_| scope));
        diagnosis.add("memberships", memberships.map(|m| m.count));
        diagnosis.add("stale_memberships", memberships.and_then(|m| m.stale));
        diagnosis.add("memberships_complete", memberships.map(|m| m.complete));
        self.socket_evidence(diagnosis)
    }

    /// How to get memberships off the socket.
    fn free_memberships(&self, leaking: bool) -> Fix {
        let remark = if leaking {
            "frees the stale memberships"
        } else {
            "starts with none"
        };
        if self.join.socket.kernel {
            // Deleting an interface deletes its autojoin addresses but leaves
            // their memberships on the socket.
            return match (self.is_autojoin(), leaking) {
                (true, true) => Fix::new("end the network namespace")
                    .remark("nothing else frees what autojoin addresses of gone interfaces left"),
                (true, false) => self
                    .subject
                    .command("ip -6 address del ADDRESS dev INTERFACE")
                    .remark("for autojoin addresses that are not needed"),
                (false, _) => self
                    .subject
                    .command("ip link del TUNNEL")
                    .remark("the socket goes with the last tunnel that uses it"),
            };
        }
        match self.subject.event.culprit() {
            Some(task) => {
                let unit = self.subject.session.unit(task.pid);
                advice::restart(unit, &task.comm, task.pid).remark(remark)
            }
            None => Fix::new("restart the program that owns the socket").remark(remark),
        }
    }

    fn raise_limit(&self, needed: i64, leaking: bool) -> Fix {
        let of_netns = self.join.charge.limit_of_netns;
        raise_limit(self.subject.site(), needed, of_netns, leaking)
    }
}

/// The command that doubles the limit at least, rounded up to a power of two.
pub(crate) fn raise_limit(site: Site<'_>, needed: i64, of_netns: bool, leaking: bool) -> Fix {
    let target = u64::try_from(needed).unwrap_or_default().saturating_mul(2);
    let target = target.checked_next_power_of_two().unwrap_or(target);
    let command = format!("sysctl -w net.core.optmem_max={target}");
    if of_netns {
        let fix = site.command(&command);
        return if leaking {
            fix.remark("only postpones it")
        } else {
            fix
        };
    }
    // Before 6.8 there is one limit, and only the first namespace has the
    // sysctl.
    Fix::new(command).remark(if leaking {
        "only postpones it; set on the host"
    } else {
        "on the host: this kernel has one limit for all namespaces"
    })
}

/// Whether memberships on interfaces that are gone are what fills the socket.
fn mostly_stale(memberships: Memberships) -> bool {
    memberships
        .stale
        .is_some_and(|stale| u64::from(stale) * 2 > u64::from(memberships.count))
}

/// Appends what the memberships say of the memory in use; `member` is who holds them.
pub(crate) fn about_memberships(
    text: &mut String,
    memberships: Memberships,
    size: u32,
    omem: i32,
    member: &str,
) {
    let Memberships {
        count,
        stale,
        complete,
    } = memberships;
    // Memory takes whatever is written.
    if !complete {
        let _ = write!(
            text,
            " Counting its memberships stopped after {count}; there are more."
        );
    }
    let whose = if complete { "its" } else { "these" };
    match stale {
        Some(stale) if stale > 0 => {
            let verb = if stale == 1 {
                "is on an interface that no longer exists"
            } else {
                "are on interfaces that no longer exist"
            };
            let _ = write!(text, " {stale} of {whose} {count} memberships {verb}");
            if mostly_stale(memberships) {
                let _ = write!(
                    text,
                    ": {member} never left the groups of interfaces that went away"
                );
            }
            text.push('.');
        }
        Some(_) if complete => {
            let _ = write!(
                text,
                " All of {whose} {count} memberships are on interfaces that exist."
            );
        }
        _ => {}
    }
    let held = i64::from(count).saturating_mul(i64::from(size));
    let rest = i64::from(omem).saturating_sub(held);
    if complete && rest >= i64::from(size) {
        let _ = write!(
            text,
            " They hold {held} of the {omem} bytes; the other {rest} are held by options of the \
             socket such as source lists or sticky headers."
        );
    }
}
