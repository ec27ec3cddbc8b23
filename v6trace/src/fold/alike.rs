//! Whether two diagnoses say the same of another interface, address or number.
//!
//! What one says is its sentences and what to do: these are compared word for word, but
//! for its own interface, addresses and numbers. So nothing that reads otherwise is ever
//! counted as the same.

use crate::explain::Diagnosis;

/// A piece of a sentence.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    /// The interface that it is about.
    Interface,
    /// An address of any kind.
    Address,
    Number,
    Other(&'a str),
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
        && say_the_same((one, &one.summary), (other, &other.summary))
        && one.fix.iter().zip(&other.fix).all(|(this, that)| {
            this.remark == that.remark && say_the_same((one, &this.action), (other, &that.action))
        })
}

/// Whether two texts are the same, word for word: nearly all words are equal as they are,
/// and there may be thousands a second.
fn say_the_same((one, text): (&Diagnosis, &str), (other, other_text): (&Diagnosis, &str)) -> bool {
    let (mut words, mut other_words) = (text.split(' '), other_text.split(' '));
    loop {
        match (words.next(), other_words.next()) {
            (None, None) => return true,
            (Some(word), Some(same)) if word == same => {}
            (Some(word), Some(like)) if says(one, word).eq(says(other, like)) => {}
            _ => return false,
        }
    }
}

/// The pieces of a word that a diagnosis says.
fn says<'a>(diagnosis: &'a Diagnosis, word: &'a str) -> Pieces<'a> {
    Pieces {
        interface: diagnosis.interface.as_deref().unwrap_or_default(),
        rest: word,
        within: false,
    }
}

/// The pieces of `rest`.
struct Pieces<'a> {
    interface: &'a str,
    rest: &'a str,
    /// Whether the character ahead of the rest may be of the same word.
    within: bool,
}

impl<'a> Pieces<'a> {
    /// Takes so many bytes from the front.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        self.within = taken.ends_with(char::is_alphanumeric);
        taken
    }

    /// The bytes of the interface at the front, where it is a word.
    fn interface(&self) -> Option<usize> {
        let rest = self.rest.strip_prefix(self.interface)?;
        let is_word = !self.within && !rest.starts_with(char::is_alphanumeric);
        (is_word && !self.interface.is_empty()).then_some(self.interface.len())
    }

    /// The bytes of an address at the front.
    fn address(&self) -> Option<usize> {
        let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
        let length = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (address, rest) = self.rest.split_at(length);
        let is_word = !self.within && !rest.starts_with(char::is_alphanumeric);
        (is_word && address.matches(':').count() > 1).then_some(length)
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
        if let Some(length) = self.address() {
            self.take(length);
            return Some(Piece::Address);
        }
        let length = |of: fn(char) -> bool| {
            let end = self.rest.find(|c| !of(c));
            end.unwrap_or(self.rest.len())
        };
        if first.is_ascii_digit() {
            let digits = length(|c| c.is_ascii_digit());
            self.take(digits);
            return Some(Piece::Number);
        }
        let letters = length(char::is_alphabetic);
        Some(Piece::Other(self.take(letters.max(first.len_utf8()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces<'a>(interface: &'a str, text: &'a str) -> Vec<Piece<'a>> {
        let pieces = Pieces {
            interface,
            rest: text,
            within: false,
        };
        pieces.collect()
    }

    #[test]
    fn interfaces_addresses_and_numbers_do_not_count() {
        let about = |interface, address: &str, number: u32| {
            format!(
                "radvd could not join {address} on {interface} (ENOMEM): {number} + 56 bytes; \
                 net/ipv6/conf/{interface}/accept_ra"
            )
        };
        let one = about("lan", "ff02::2", 4088);
        let other = about("eth0.100", "ff02::1:ff00:1", 40);
        assert_eq!(pieces("lan", &one), pieces("eth0.100", &other));
        // Another interface than its own is another sentence.
        assert_ne!(pieces("lan", &one), pieces("wan", &other));
        assert!(
            pieces("lan", "planned")
                .iter()
                .all(|piece| *piece != Piece::Interface)
        );
    }

    #[test]
    fn words_count() {
        for (one, other) in [
            ("nginx has it", "apache has it"),
            ("it is eth0", "it was eth0"),
            ("fd00::1 is here", "a name is here"),
            ("5 bytes", "5  bytes"),
            ("a", "a b"),
            ("on eth0", "on eth0 and eth1"),
        ] {
            assert_ne!(pieces("eth0", one), pieces("eth0", other), "{one}");
        }
        assert_eq!(pieces("", "00:16:3e:00:00:01."), pieces("", "fe80::."));
        assert_eq!(
            pieces("", "é 1"),
            [Piece::Other("é"), Piece::Other(" "), Piece::Number]
        );
    }
}
