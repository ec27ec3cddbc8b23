//! Whether two diagnoses say the same of another interface, address or number.
//!
//! What one says is its sentences and what to do: these are compared word for word. In a
//! sentence its own interface, and addresses and numbers that are among its values, may be
//! others: these are told as changed. In what to do only its own interface may, and the
//! address in a sentence, or in a command that only looks. So nothing that reads otherwise is ever counted
//! as the same.

use crate::explain::{Diagnosis, Value};

/// A piece of a word.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    /// The interface that it is about.
    Interface,
    /// A value of it, by its name.
    Value(&'static str),
    /// A time in seconds.
    Time,
    Other(&'a str),
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Happened,
    /// Another address or number is another thing to do.
    ToDo,
    /// A sentence, or a command that changes nothing: of its own address, which is told as
    /// changed.
    Advice,
}

impl Says {
    /// What an action says.
    fn of(action: &str) -> Self {
        // A command that changes something has an option, a path or a value to set.
        let is_of_command = |word: &str| word.starts_with('-') || word.contains(['/', '=']);
        let looks = action.split(' ').any(|word| matches!(word, "get" | "show"));
        if looks || !action.split(' ').any(is_of_command) {
            Self::Advice
        } else {
            Self::ToDo
        }
    }
}

/// Whether they are.
pub(super) fn alike(one: &Diagnosis, other: &Diagnosis) -> bool {
    let about = |diagnosis: &Diagnosis| {
        (
            diagnosis.cause,
            diagnosis.severity,
            diagnosis.confidence,
            diagnosis.operation,
            diagnosis.errno,
            diagnosis.netns,
            diagnosis.is_their_netns,
        )
    };
    let comms = [one, other].map(|diagnosis| diagnosis.task.as_ref().map(|task| &task.comm));
    about(one) == about(other)
        && comms[0] == comms[1]
        && one.unit == other.unit
        && one.container == other.container
        && one.pod == other.pod
        && one.fix.len() == other.fix.len()
        && say_the_same((one, &one.summary), (other, &other.summary), |_| {
            Says::Happened
        })
        && one.fix.iter().zip(&other.fix).all(|(this, that)| {
            this.remark == that.remark
                && say_the_same((one, &this.action), (other, &that.action), Says::of)
        })
}

/// Whether two texts are the same, word for word: nearly all words are equal as they are,
/// and there may be thousands a second.
fn say_the_same(
    (one, text): (&Diagnosis, &str),
    (other, other_text): (&Diagnosis, &str),
    says: impl Fn(&str) -> Says,
) -> bool {
    // A word may be about what one has otherwise than the other, and be the same.
    let interface = one.interface != other.interface;
    let address = one.address != other.address;
    if !interface && !address && text == other_text {
        return true;
    }
    let says = says(text);
    let names_own = |word: &str| {
        let named = |of: &Diagnosis| {
            let name = of.interface.as_deref();
            name.is_some_and(|name| word.contains(name))
        };
        (interface && (named(one) || named(other))) || (address && word.matches(':').count() > 1)
    };
    let mut words = text.split(' ');
    let mut other_words = other_text.split(' ');
    loop {
        match (words.next(), other_words.next()) {
            (None, None) => return true,
            (Some(word), Some(same)) if word == same && !names_own(word) => {}
            (Some(word), Some(like))
                if Pieces::of(one, word, says).eq(Pieces::of(other, like, says)) => {}
            _ => return false,
        }
    }
}

/// The pieces of `rest`, a word that a diagnosis says.
struct Pieces<'a> {
    diagnosis: &'a Diagnosis,
    says: Says,
    rest: &'a str,
    /// Whether the character ahead of the rest may be of the same name.
    within: bool,
    /// Whether anything but punctuation is ahead of the rest.
    begun: bool,
}

impl<'a> Pieces<'a> {
    fn of(diagnosis: &'a Diagnosis, word: &'a str, says: Says) -> Self {
        Self {
            diagnosis,
            says,
            rest: word,
            within: false,
            begun: false,
        }
    }

    /// Takes so many bytes from the front.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        self.within = taken.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_'));
        self.begun |= taken.contains(char::is_alphanumeric);
        taken
    }

    /// The bytes of the interface at the front, where it is a name: `eth0.100` is another.
    fn interface(&self) -> Option<usize> {
        let name = self.diagnosis.interface.as_deref()?;
        let rest = self.rest.strip_prefix(name)?;
        let mut next = rest.chars();
        let goes_on = match next.next() {
            Some('.') => next.next().is_some_and(|c| c.is_ascii_digit()),
            Some(c) => c.is_alphanumeric() || matches!(c, '-' | '_'),
            None => false,
        };
        (!self.within && !goes_on && !name.is_empty()).then_some(name.len())
    }

    /// The bytes of an address at the front, and the value that it is.
    fn address(&self) -> Option<(usize, &'static str)> {
        let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
        let length = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let address = self.rest[..length].trim_end_matches('.');
        let is_word = !self.within && !self.rest[length..].starts_with(char::is_alphanumeric);
        if !is_word || address.matches(':').count() < 2 {
            return None;
        }
        let own = self.diagnosis.address.map(|own| own.to_string());
        let name = match own {
            Some(own) if own == address => "address",
            _ => self.value(|value| has_address(value, address))?,
        };
        Some((address.len(), name))
    }

    /// The bytes of a number that is a word by itself, and what it is.
    fn number(&self) -> Option<(usize, Piece<'a>)> {
        let end = |c: char| !c.is_ascii_digit() && c != '.';
        let length = self.rest.find(end).unwrap_or(self.rest.len());
        let number = self.rest[..length].trim_end_matches('.');
        if self.begun || self.rest[number.len()..].contains(char::is_alphanumeric) {
            return None;
        }
        let piece = match number.parse::<i64>() {
            Ok(number) => {
                let name = self.value(|value| *value == Value::Number(number))?;
                Piece::Value(name)
            }
            Err(_) if number.matches('.').count() == 1 => Piece::Time,
            Err(_) => return None,
        };
        Some((number.len(), piece))
    }

    /// The name of the first value of its evidence that is such.
    fn value(&self, is: impl Fn(&Value) -> bool) -> Option<&'static str> {
        let mut evidence = self.diagnosis.evidence.iter();
        let found = evidence.find(|evidence| is(&evidence.value));
        found.map(|evidence| evidence.name)
    }
}

/// Whether a value is an address, a prefix of it, or a list that has it.
fn has_address(value: &Value, address: &str) -> bool {
    match value {
        Value::Text(text) => text.split('/').next() == Some(address),
        Value::List(values) => values.iter().any(|value| has_address(value, address)),
        Value::Group(values) => values.iter().any(|(_, value)| has_address(value, address)),
        _ => false,
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let first = self.rest.chars().next()?;
        if let Some(length) = self.interface() {
            self.take(length);
            return Some(Piece::Interface);
        }
        let address = match self.says {
            Says::Happened => self.address(),
            Says::Advice => self.address().filter(|(_, name)| *name == "address"),
            Says::ToDo => None,
        };
        if let Some((length, name)) = address {
            self.take(length);
            return Some(Piece::Value(name));
        }
        if first.is_ascii_digit()
            && self.says == Says::Happened
            && let Some((length, piece)) = self.number()
        {
            self.take(length);
            return Some(piece);
        }
        let is_other = |c: char| !c.is_alphanumeric();
        let letters = self.rest.find(is_other).unwrap_or(self.rest.len());
        Some(Piece::Other(self.take(letters.max(first.len_utf8()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Cause;

    fn about(interface: &str, text: &str) -> Diagnosis {
        let cause = Cause::from_code("no-route").unwrap();
        let mut diagnosis = Diagnosis::of_state(1, 1, cause, text.to_owned());
        diagnosis.interface = Some(interface.to_owned());
        diagnosis
    }

    fn same(one: &Diagnosis, other: &Diagnosis) -> bool {
        let alike = alike(one, other);
        assert_eq!(alike, super::alike(other, one), "{}", one.summary);
        alike
    }

    #[test]
    fn its_interface_and_values_may_be_others() {
        let about = |interface, address: &str, number: u32| {
            let mut diagnosis = about(
                interface,
                &format!(
                    "radvd could not join {address} on {interface} (ENOMEM): {number} + 56 \
                     bytes, {number}.5 s before; net.ipv6.conf.{interface}.accept_ra."
                ),
            );
            diagnosis.address = address.parse().ok();
            diagnosis.with("size", number)
        };
        let one = about("lan", "ff02::2", 4088);
        let other = about("eth0.100", "ff02::1:ff00:1", 40);
        assert!(same(&one, &other));
        let mut unknown = other.clone();
        unknown.evidence.clear();
        assert!(!same(&one, &unknown));
        let mut foreign = other;
        foreign.interface = Some("wan".to_owned());
        assert!(!same(&one, &foreign));
    }

    #[test]
    fn whatever_else_is_read_counts() {
        for (one, other) in [
            ("nginx has it", "apache has it"),
            ("it is eth0", "it was eth0"),
            ("fd00::1 is here", "fd00::2 is here"),
            (
                "in network namespace 4026532201",
                "in network namespace 4026532202",
            ),
            (
                "eth1 in network namespace c1 has it",
                "eth1 in network namespace c2 has it",
            ),
            ("routes of eth1 went", "routes of eth2 went"),
            ("worker1 wrote it", "worker2 wrote it"),
            ("on eth0.5", "on eth0.6"),
            ("5 bytes", "5  bytes"),
            ("a", "a b"),
            ("on eth0", "on eth0 and eth1"),
        ] {
            assert!(!same(&about("eth0", one), &about("eth0", other)), "{one}");
        }
        // It is its own of one only.
        assert!(!same(&about("eth0", "on eth0"), &about("eth1", "on eth0")));
        assert!(!same(
            &about("eth0", "on eth0.5"),
            &about("eth1", "on eth1.5")
        ));
    }

    #[test]
    fn what_to_do_is_the_same_but_for_its_interface() {
        let to_do = |interface, action: String| {
            let mut diagnosis = about(interface, "It is refused.").with("port", 443);
            diagnosis.fix = vec![crate::explain::Fix::new(action)];
            diagnosis
        };
        let set = |interface, port| {
            let action = format!("sysctl -w net/ipv6/conf/{interface}/x={port}");
            to_do(interface, action)
        };
        assert!(same(&set("eth0", 443), &set("eth1", 443)));
        assert!(!same(&set("eth0", 443), &set("eth0", 80)));
        let number = |port| to_do("eth0", format!("use port {port}"));
        assert!(!same(&number(443), &number(80)));
        let addressed = |command: &str, address: &str| {
            let mut diagnosis = to_do("eth0", format!("{command} {address}"));
            diagnosis.address = address.parse().ok();
            diagnosis
        };
        for (command, alike) in [
            ("give no neighbour", true),
            ("ip -6 route get", true),
            ("ip -6 route del", false),
        ] {
            let [one, other] = ["fd00:1::", "fd00:2::"].map(|to| addressed(command, to));
            assert_eq!(same(&one, &other), alike, "{command}");
        }
    }
}
