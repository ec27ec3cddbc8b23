//! What is there already, and what is not: the errno alone says so.

use super::{Story, Verdict};
use crate::{
    errno::Errno,
    families::request::{Deed, What},
};

impl Story<'_> {
    /// Told as a notice: daemons ask so that something be there, or gone.
    pub(super) fn there_or_not(&self) -> Option<Verdict> {
        let is_delete = self.refused.deed == Deed::Delete;
        match self.refused.errno {
            Errno::EEXIST => Some(self.exists().notice()),
            Errno::ENOENT | Errno::ESRCH | Errno::EADDRNOTAVAIL if is_delete => {
                Some(self.absent().notice())
            }
            Errno::ENOENT if self.verb() == "change" => Some(self.absent().notice()),
            // A neighbour is changed where neither is asked for.
            Errno::ENOENT if self.refused.what == What::Neighbour => Some(self.absent().notice()),
            _ => None,
        }
    }

    fn exists(&self) -> Verdict {
        let asked = self.refused.asked.as_ref();
        match self.refused.what {
            What::Rule => {
                let priority = asked.and_then(|asked| asked.priority);
                let which = priority.map_or_else(
                    || "the same rule".to_owned(),
                    |priority| format!("the same rule with priority {priority}"),
                );
                Verdict::likely(format!("there is {which} already, by the errno")).fix(
                    self.subject
                        .command("ip -6 rule")
                        .remark("the rules there are"),
                )
            }
            What::Neighbour => {
                let verdict = Verdict::likely("there is an entry for it already, by the errno");
                self.or_replaced(verdict, "ip -6 neigh replace", "in place of what is there")
            }
            What::NextHop => {
                let verdict = Verdict::likely("there is one with that id already, by the errno");
                // A group has no family.
                let is_group = asked.is_some_and(|asked| asked.is_group);
                self.or_replaced(
                    verdict,
                    if is_group {
                        "ip nexthop replace"
                    } else {
                        "ip -6 nexthop replace"
                    },
                    "in place of what is there: all routes by it go this way then",
                )
            }
            What::Label => Verdict::likely(
                "there is a label for that prefix (and interface) already, by the errno",
            )
            .fix(
                self.subject
                    .command("ip addrlabel")
                    .remark("the labels there are"),
            ),
            _ => Verdict::likely("there is such a thing already, by the errno"),
        }
    }

    fn or_replaced(&self, verdict: Verdict, command: &str, remark: &'static str) -> Verdict {
        match self.command(command) {
            Some(fix) => verdict.fix(fix.remark(remark)),
            None => verdict,
        }
    }

    fn absent(&self) -> Verdict {
        let list = match self.refused.what {
            What::Rule => Some(("ip -6 rule", "the rules there are")),
            What::Label => Some(("ip addrlabel", "the labels there are")),
            What::NextHop => Some(("ip nexthop", "the nexthop objects there are")),
            What::Neighbour => Some(("ip -6 neigh", "the entries there are")),
            What::Address => Some(("ip -6 address", "the addresses there are")),
            _ => None,
        };
        let verdict = Verdict::likely("there is none such, by the errno");
        let verdict = if self.refused.what == What::Neighbour && self.refused.deed == Deed::Add {
            self.or_replaced(
                verdict,
                "ip -6 neigh replace",
                "adds it where there is none",
            )
        } else {
            verdict
        };
        match list {
            Some((command, remark)) => verdict.fix(self.subject.command(command).remark(remark)),
            None => verdict,
        }
    }
}
