//! Findings of a state that are alike: all are known at once, so there is nothing to wait
//! for, and no time to tell.

use super::{
    Position, Repeats, alike,
    repeats::{Of, Waiting},
};
use crate::explain::Diagnosis;

/// The groups, in the order of their firsts.
#[derive(Debug, Default)]
pub(crate) struct OfState(Vec<Group>);

#[derive(Debug)]
struct Group {
    first: Diagnosis,
    count: u64,
    others: Waiting,
}

impl OfState {
    /// Takes one more, and says where it is.
    pub(crate) fn take(&mut self, finding: &Diagnosis) -> Position {
        let groups = self.0.iter_mut().zip(1..);
        let mut like = groups.filter(|(group, _)| alike::alike(&group.first, finding));
        if let Some((group, number)) = like.next() {
            group.count += 1;
            group.others.take(&group.first, finding);
            return Position {
                group: number,
                repeat: group.count,
            };
        }
        drop(like);
        self.0.push(Group {
            first: finding.clone(),
            count: 0,
            others: Waiting::default(),
        });
        Position {
            group: self.0.len() as u64,
            repeat: 0,
        }
    }

    /// The first of each group, and the others as a line.
    pub(crate) fn told(self) -> impl Iterator<Item = (Diagnosis, Option<Repeats>)> {
        self.0.into_iter().zip(1..).map(|(group, number)| {
            let Group {
                first,
                count,
                others,
            } = group;
            let line = others.told(number, &first, Of::State);
            let line = (count > 0).then_some(line);
            (first, line)
        })
    }
}
