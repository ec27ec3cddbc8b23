//! What can be the matter.

use crate::catalogue::causes;

causes! {
    Loopback, "dad-loopback", Failure,
        "an address was found in use, by its own reflected solicitation";
    Conflict, "dad-conflict", Failure,
        "an address was found in use, by another node";
    ConflictSameHost, "dad-conflict-same-host", Failure,
        "an address was found in use, by another interface of the same namespace";
    ConflictClonedMac, "dad-conflict-cloned-mac", Failure,
        "an address was found in use, by another node with this interface's own MAC";
    ConflictAnycast, "dad-conflict-anycast", Failure,
        "an address was found in use, by a node that has it as anycast";
    ConflictProxy, "dad-conflict-proxy", Failure,
        "an address was found in use, by a proxy that answers for it";
    ConflictVirtualMac, "dad-conflict-virtual-mac", Failure,
        "a link-local address was found in use, which two nodes made from one virtual MAC";
    ConflictCopiedSecret, "dad-conflict-copied-secret", Failure,
        "addresses were found in use, which two nodes made from one secret";
    LoopbackIgnored, "dad-loopback-ignored", Notice,
        "an interface's own solicitation came back and was recognised";
    Unexplained, "dad-unexplained", Failure,
        "an address was found in use, by a frame that does not tell whose it is";
}
