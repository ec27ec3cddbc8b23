//! A frame of neighbour discovery in words.

use std::net::Ipv6Addr;

use crate::{
    families::advertisement::message::Message,
    frame::{Frame, Mac, Nonce},
};

/// Types of ICMPv6 messages (RFC 4861, section 4).
const ROUTER_ADVERTISEMENT: u8 = 134;
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
const REDIRECT: u8 = 137;

/// Its fields, each with its name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) name: &'static str,
    pub(crate) fields: Vec<(&'static str, String)>,
}

impl Decoded {
    /// What a frame says; `None` where too little of it was copied to tell.
    pub(crate) fn of(frame: &Frame) -> Option<Self> {
        let message = frame.neighbour_message();
        let name = match *message.first()? {
            ROUTER_ADVERTISEMENT => "Router advertisement",
            SOLICITATION => "Neighbour solicitation",
            ADVERTISEMENT => "Neighbour advertisement",
            REDIRECT => "Redirect",
            _ => return None,
        };
        let mut fields = Vec::new();
        let mut add = |name, value: Option<String>| fields.extend(value.map(|value| (name, value)));
        let mac = |at: usize| {
            let bytes = frame.bytes().get(at..at + 6)?;
            let mac = Mac(bytes.try_into().ok()?);
            frame.is_ethernet().then(|| mac.to_string())
        };
        add("from MAC", mac(6));
        add("to MAC", mac(0));
        add("from", frame.source().map(|source| source.to_string()));
        add("to", address(frame.bytes(), frame.network() + 24));
        add(
            "hop limit",
            frame.hop_limit().map(|limit| limit.to_string()),
        );
        if name == "Router advertisement" {
            router(message, frame.message_length(), &mut fields);
        } else {
            let mut add = |name, value: Option<String>| {
                fields.extend(value.map(|value| (name, value)));
            };
            add("target", address(message, 8));
            if let Some(flags) = frame.advertisement_flags() {
                let set = [
                    (flags.router, "router"),
                    (flags.solicited, "solicited"),
                    (flags.r#override, "override"),
                ];
                let set = set
                    .into_iter()
                    .filter_map(|(set, name)| set.then_some(name));
                add("flags", Some(set.collect::<Vec<_>>().join(", ")));
            }
            let nonce = frame.nonce().filter(|nonce| *nonce != Nonce::NONE);
            add("nonce", nonce.map(|nonce| nonce.to_string()));
        }
        Some(Self { name, fields })
    }
}

/// What a router advertisement says.
fn router(message: &[u8], length: usize, fields: &mut Vec<(&'static str, String)>) {
    let said = Message::parse(message, length);
    fields.push(("router lifetime", format!("{} s", said.lifetime)));
    fields.push((
        "managed",
        if said.managed { "yes" } else { "no" }.to_owned(),
    ));
    for prefix in &said.prefixes {
        let autonomous = if prefix.autonomous {
            "autonomous, "
        } else {
            ""
        };
        fields.push((
            "prefix",
            format!(
                "{}/{} ({autonomous}valid {} s, preferred {} s)",
                prefix.prefix, prefix.length, prefix.valid, prefix.preferred
            ),
        ));
    }
    for route in &said.routes {
        let (prefix, length, lifetime) = (route.prefix, route.length, route.lifetime);
        fields.push(("route", format!("{prefix}/{length} ({lifetime} s)")));
    }
    if let Some(mtu) = said.mtu {
        fields.push(("MTU", mtu.to_string()));
    }
}

fn address(bytes: &[u8], at: usize) -> Option<String> {
    let bytes: [u8; 16] = bytes.get(at..at + 16)?.try_into().ok()?;
    Some(Ipv6Addr::from(bytes).to_string())
}
