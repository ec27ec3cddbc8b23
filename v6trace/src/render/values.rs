//! Values and names in words, as text has them.

use std::fmt::Write as _;

use crate::{event::Task, explain::Value, field::Field, fold::Change};

/// Who did it.
pub(super) fn push_who(text: &mut String, task: Option<&Task>) {
    let Some(task) = task else {
        text.push_str("kernel");
        return;
    };
    text.push_str(&task.comm);
    text.push('[');
    push_number(text, task.pid);
    text.push(']');
}

/// A number in decimal digits.
pub(super) fn push_number(text: &mut String, number: impl Into<i64>) {
    // Memory takes whatever is written.
    let _ = write!(text, "{}", number.into());
}

fn push_flag(text: &mut String, flag: bool) {
    text.push_str(if flag { "yes" } else { "no" });
}

/// An event's value in words.
pub(super) fn push_field(text: &mut String, field: &Field<'_>) {
    match field {
        Field::Number(number) => push_number(text, *number),
        Field::Flag(flag) => push_flag(text, *flag),
        Field::Text(word) => text.push_str(word),
        Field::Shown(value) => {
            // Memory takes whatever is written.
            let _ = write!(text, "{value}");
        }
        Field::List(values) => push_list(text, values, ' ', |text, value| text.push_str(value)),
        Field::Unknown => text.push_str("unknown"),
    }
}

/// A value in words, between which `space` is put.
pub(super) fn push_value(text: &mut String, value: &Value, space: char) {
    match value {
        Value::Number(number) => push_number(text, *number),
        Value::Flag(flag) => push_flag(text, *flag),
        Value::Text(word) => text.push_str(word),
        Value::List(values) => {
            push_list(text, values, space, |text, value| {
                push_value(text, value, space);
            });
        }
        Value::Group(values) => {
            for (index, (_, value)) in values.iter().enumerate() {
                if index > 0 {
                    text.push(space);
                }
                push_value(text, value, space);
            }
        }
        Value::Unknown => text.push_str("unknown"),
    }
}

/// `4 … 9` of many numbers, `a or b` of few, `a or b or others`, with `space` in between.
pub(super) fn push_change(text: &mut String, change: &Change, space: char) {
    if let (true, Some((least, greatest))) = (change.others, change.range) {
        // Memory takes whatever is written.
        let _ = write!(text, "{least}{space}…{space}{greatest}");
        return;
    }
    for (index, value) in change.values.iter().enumerate() {
        if index > 0 {
            text.extend([space, 'o', 'r', space]);
        }
        push_value(text, value, space);
    }
    if change.others {
        text.extend([space, 'o', 'r', space]);
        text.push_str("others");
    }
}

/// `a + b`, or `none`.
fn push_list<T>(text: &mut String, values: &[T], space: char, push: impl Fn(&mut String, &T)) {
    if values.is_empty() {
        text.push_str("none");
    }
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            text.extend([space, '+', space]);
        }
        push(text, value);
    }
}
