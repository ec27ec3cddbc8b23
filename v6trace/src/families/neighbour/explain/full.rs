//! The table is full: that was read. Who fills it is counted a moment later.

use crate::{
    explain::{Diagnosis, Fix, Subject, Value, advice, quoted},
    families::neighbour::{Cause, Counts, NeighbourTableFull, Share, TableUse},
};

/// Explains a neighbour for which there is no room.
pub(in super::super) fn full(full: &NeighbourTableFull, subject: Subject<'_>) -> Diagnosis {
    let table = subject.session.found::<TableUse>().next();
    let NeighbourTableFull {
        address,
        interface,
        errno,
        entries,
        thresholds: [_, thresh2, thresh3],
        ..
    } = full;
    let who = subject.who("the kernel");
    let mut summary = format!(
        "{who} could not make an entry for {address} on {interface} ({errno}): the table of \
         neighbours has {entries} entries, and net.ipv6.neigh.default.gc_thresh3 = {thresh3} is the \
         most. All network namespaces share it.{}",
        if address.is_multicast() {
            " What is sent to this group is dropped: reports of memberships and solicitations among it."
        } else {
            " What is sent to such an address gets EINVAL by UDP, and a TCP connection times out."
        }
    );
    let filled = table.map(|table| Filled::by(table.all));
    match table {
        Some(table) => summary.push_str(&who_has(table, *entries, subject)),
        None => summary.push_str(" Who has how many of them could not be looked up."),
    }
    let mut diagnosis =
        Diagnosis::new(subject.event, Cause::TableFull, "neighbour-create", summary)
            .with("gc_entries", *entries)
            .with("gc_thresh1", full.thresholds[0])
            .with("gc_thresh2", *thresh2)
            .with("gc_thresh3", *thresh3)
            .with("counted", table.map(|table| table.all.total()))
            .with("unanswered", table.map(|table| table.all.unanswered))
            .with("answered", table.map(|table| table.all.answered))
            .with(
                "namespaces",
                table.map_or(Value::Unknown, |table| {
                    let shares = table.shares.iter();
                    Value::List(shares.map(|share| group(share, subject)).collect())
                }),
            )
            .with("namespaces_complete", table.map(|table| table.complete))
            .with("suppressed", full.suppressed);
    diagnosis.errno = Some(*errno);
    diagnosis.address = Some((*address).into());
    let most = table.and_then(|table| {
        let shares = table.shares.iter();
        shares.max_by_key(|share| share.counts.unanswered)
    });
    let look = most.and_then(|share| who_is_looked_for(share, subject));
    let raise = raise(*entries, *thresh2, *thresh3);
    match (filled, look) {
        // More room is filled as soon.
        (Some(Filled::InVain), Some(look)) => diagnosis
            .fix(look)
            .fix(raise.remark("only postpones it; on the host: no other namespace has the sysctl")),
        _ => diagnosis.fix(raise.remark("on the host: no other namespace has the sysctl")),
    }
}

/// What most of the entries are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Filled {
    /// Addresses that did not answer.
    InVain,
    /// Neighbours that did.
    ByHosts,
    /// Neither.
    Otherwise,
}

impl Filled {
    fn by(counts: Counts) -> Self {
        let is_most = |some: u32| u64::from(some) * 2 > u64::from(counts.total());
        if is_most(counts.unanswered) {
            Self::InVain
        } else if is_most(counts.answered) {
            Self::ByHosts
        } else {
            Self::Otherwise
        }
    }
}

/// Who has how many, in sentences with a blank before each.
fn who_has(table: &TableUse, entries: u32, subject: Subject<'_>) -> String {
    let mut text = String::new();
    if let [first, others @ ..] = &table.shares[..] {
        text = format!(
            " Of these, {} has {}{}",
            place(first.netns, subject),
            first.counts.total(),
            on(first)
        );
        if let [second, rest @ ..] = others {
            let further = if rest.is_empty() {
                ""
            } else {
                ", others have fewer"
            };
            text.push_str(&format!(
                ", {} has {}{further}",
                place(second.netns, subject),
                second.counts.total()
            ));
        }
        text.push('.');
    }
    let Counts {
        unanswered,
        answered,
        ..
    } = table.all;
    match Filled::by(table.all) {
        Filled::InVain => text.push_str(&format!(
            " {unanswered} of the {} that were counted did not answer: a scan of a prefix does that, \
             or hosts that are all away.",
            table.all.total()
        )),
        Filled::ByHosts => text.push_str(&format!(
            " {answered} of the {} that were counted answered: there are more neighbours than the \
             table has room for.",
            table.all.total()
        )),
        Filled::Otherwise => {}
    }
    let missing = entries.saturating_sub(table.all.total());
    if !table.complete {
        text.push_str(" Not all namespaces could be looked into.");
    } else if missing > entries / 10 {
        text.push_str(&format!(
            " {missing} were gone when they were counted, or belong to namespaces that nobody can \
             look into."
        ));
    }
    text
}

fn on(share: &Share) -> String {
    match &share.fullest {
        Some((interface, counts)) if *counts == share.counts => format!(" on {interface}"),
        Some((interface, counts)) => format!(", {} of them on {interface}", counts.total()),
        None => String::new(),
    }
}

/// A namespace, as the table's event sees it.
fn place(netns: u32, subject: Subject<'_>) -> String {
    if netns == subject.event.netns {
        "this namespace".to_owned()
    } else {
        subject.session.place(netns)
    }
}

fn group(share: &Share, subject: Subject<'_>) -> Value {
    Value::Group(vec![
        ("netns", share.netns.into()),
        ("name", subject.session.namespace_name(share.netns).into()),
        ("entries", share.counts.total().into()),
        ("unanswered", share.counts.unanswered.into()),
        ("answered", share.counts.answered.into()),
        (
            "fullest",
            share
                .fullest
                .as_ref()
                .map(|(interface, _)| interface.as_str())
                .into(),
        ),
    ])
}

/// How to see which addresses are looked for, where most are.
fn who_is_looked_for(share: &Share, subject: Subject<'_>) -> Option<Fix> {
    let (interface, _) = share.fullest.as_ref()?;
    let show = format!(
        "ip -6 neigh show nud incomplete nud failed dev {}",
        quoted(interface)
    );
    let command = advice::in_netns(subject.session, share.netns, &show);
    Some(Fix::new(command).remark("the addresses; end what sends to them, or drop it ahead"))
}

/// The command that doubles the limit at least, rounded up to a power of two, and has
/// the kernel begin to clear up at half of that, as it does by default.
fn raise(entries: u32, thresh2: i32, thresh3: i32) -> Fix {
    let most = entries.max(u32::try_from(thresh3).unwrap_or_default());
    let most = most.saturating_mul(2).max(2);
    let most = most.checked_next_power_of_two().unwrap_or(most);
    // The sysctls are of a signed number.
    let most = most.min(i32::MAX as u32);
    let half = (most / 2).max(u32::try_from(thresh2).unwrap_or_default());
    let half = half.min(most);
    Fix::new(format!(
        "sysctl -w net.ipv6.neigh.default.gc_thresh2={half} net.ipv6.neigh.default.gc_thresh3={most}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fills_the_table_is_what_most_of_it_is() {
        let counts = |unanswered, answered, other| Counts {
            unanswered,
            answered,
            other,
        };
        assert!(Filled::by(counts(6, 3, 2)) == Filled::InVain);
        assert!(Filled::by(counts(3, 6, 2)) == Filled::ByHosts);
        assert!(Filled::by(counts(5, 5, 0)) == Filled::Otherwise);
        assert!(Filled::by(counts(0, 0, 0)) == Filled::Otherwise);
    }

    #[test]
    fn the_limit_is_raised_by_what_there_is_and_none_is_lowered() {
        let raised = |entries, thresh2, thresh3| raise(entries, thresh2, thresh3).action;
        let command = "sysctl -w net.ipv6.neigh.default.gc_thresh2=1024 \
                       net.ipv6.neigh.default.gc_thresh3=2048";
        assert_eq!(raised(1024, 512, 1024), command);
        assert_eq!(raised(1000, 512, 4), command);
        assert!(raised(2000, 3000, 4).contains("gc_thresh2=3000"));
        assert!(raised(4, 3000, 4).contains("gc_thresh2=8 "));
        assert!(raised(u32::MAX, -1, i32::MAX).contains("gc_thresh3=2147483647"));
    }
}
