use super::{
    BitField, Btf, BtfError, KERNEL_BTF, Member, MemberError,
    blob::{Blob, bits},
};
use proptest::prelude::*;
use std::{fs, path::Path};

fn plain(byte_offset: u32, byte_size: u32) -> Member {
    Member {
        byte_offset,
        byte_size,
        bit: None,
    }
}

fn bit(byte_offset: u32, byte_size: u32, shift: u8, width: u8) -> Member {
    Member {
        byte_offset,
        byte_size,
        bit: Some(BitField { shift, width }),
    }
}

fn no_member(type_name: &str, member: &str) -> MemberError {
    MemberError::NoSuchMember {
        type_name: type_name.to_owned(),
        member: member.to_owned(),
    }
}

/// A bit of everything, in the manner of a kernel's `struct sk_buff`.
fn example() -> Blob {
    let mut blob = Blob::new();
    let int = blob.int("unsigned int", 4);
    let short = blob.int("short unsigned int", 2);
    let chars = blob.int("char", 1);
    let u32_type = blob.modifier(8, "u32", int);
    let constant = blob.modifier(10, "", u32_type);
    let volatile = blob.modifier(9, "", constant);
    let restrict = blob.modifier(11, "", volatile);
    let tagged = blob.modifier(18, "rcu", restrict);
    let name = blob.array(chars, 16);
    let net = blob.structure("net", 8, &[("inum", u32_type, 32)]);
    let net_ptr = blob.ptr(net);
    let point = blob.structure("", 8, &[("x", int, 0), ("y", int, 32)]);
    let points = blob.array(point, 4);
    let grid = blob.array(points, 2);
    let flexible = blob.array(point, 0);
    let deep = blob.structure("", 8, &[("len", tagged, 0), ("mac_header", short, 32)]);
    let either = blob.union("", 8, &[("whole", int, 0), ("", deep, 0)]);
    let deepest = blob.structure("", 16, &[("", either, 64)]);
    blob.structure(
        "sk_buff",
        300,
        &[
            ("next", net_ptr, 0),
            ("", deepest, 64),
            ("name", name, 256),
            ("arr", points, 512),
            ("grid", grid, 768),
            ("tail", flexible, 2400),
        ],
    );
    let unsigned_bits = blob.modifier(8, "__u8", chars);
    blob.composite(
        4,
        "flagged",
        16,
        true,
        &[
            ("plain", int, 0),
            ("pkt_type", unsigned_bits, bits(3, 32)),
            ("kern", unsigned_bits, bits(1, 39)),
            ("wide", int, bits(12, 44)),
            ("across", int, bits(10, 60)),
        ],
    );
    let low = blob.bit_int(4, 0, 5);
    let high = blob.bit_int(4, 5, 9);
    let high = blob.modifier(8, "old_bits", high);
    blob.structure("old", 8, &[("first", low, 32), ("second", high, 32)]);
    blob.enumeration("reason", false, &[("NONE", 0), ("MANY", u32::MAX)]);
    blob.enumeration("level", true, &[("MINUS", u32::MAX)]);
    blob.enumeration64("big", &[("HUGE", 0x1_2345_6789)]);
    blob.function("probe_me", &[("sk", net_ptr), ("", int), ("", 0)]);
    // The kinds that only need to be stepped over.
    blob.raw("fwd", 7, 0, 0, &[]);
    blob.raw("var", 14, 0, int, &[1]);
    blob.raw(".data", 15, 1, 4, &[1, 0, 4]);
    blob.raw("double", 16, 0, 8, &[]);
    blob.raw("tag", 17, 0, int, &[u32::MAX]);
    blob.structure("last", 4, &[("here", int, 0)]);
    blob
}

fn parsed(blob: &Blob) -> Btf {
    Btf::parse(blob.finish()).unwrap()
}

#[test]
fn members_nested_arrays_and_chains() {
    let btf = parsed(&example());
    for (path, expected) in [
        ("sk_buff", plain(0, 300)),
        ("sk_buff.next", plain(0, 8)),
        ("sk_buff.whole", plain(16, 4)),
        ("sk_buff.len", plain(16, 4)),
        ("sk_buff.mac_header", plain(20, 2)),
        ("sk_buff.name", plain(32, 16)),
        ("sk_buff.name[5]", plain(37, 1)),
        ("sk_buff.arr", plain(64, 32)),
        ("sk_buff.arr[3].y", plain(64 + 28, 4)),
        ("sk_buff.grid", plain(96, 64)),
        ("sk_buff.grid[1][2].y", plain(96 + 32 + 16 + 4, 4)),
        ("sk_buff.tail", plain(300, 0)),
        ("sk_buff.tail[2].x", plain(316, 4)),
        ("net.inum", plain(4, 4)),
        ("last.here", plain(0, 4)),
    ] {
        assert_eq!(btf.member(path), Ok(expected), "{path}");
    }
}

#[test]
fn bitfields_of_both_encodings() {
    let btf = parsed(&example());
    for (path, expected) in [
        ("flagged.plain", plain(0, 4)),
        ("flagged.pkt_type", bit(4, 1, 0, 3)),
        ("flagged.kern", bit(4, 1, 7, 1)),
        ("flagged.wide", bit(4, 4, 12, 12)),
        ("old.first", bit(4, 1, 0, 5)),
        ("old.second", bit(4, 2, 5, 9)),
    ] {
        assert_eq!(btf.member(path), Ok(expected), "{path}");
    }
    let across = btf.member("flagged.across").unwrap_err();
    assert!(
        matches!(across, MemberError::Malformed { .. }) && !across.is_absent(),
        "{across}"
    );
}

#[test]
fn says_what_this_kernel_lacks() {
    let btf = parsed(&example());
    for (path, expected) in [
        (
            "nothing.at.all",
            MemberError::NoSuchType {
                name: "nothing".to_owned(),
            },
        ),
        ("sk_buff.hash", no_member("sk_buff", "hash")),
        ("sk_buff.len.counter", no_member("unsigned int", "counter")),
        ("sk_buff.arr[0].z", no_member("an unnamed struct", "z")),
        ("sk_buff.len[0]", no_member("unsigned int", "len[0]")),
        ("sk_buff.arr.x", no_member("an array", "x")),
        (
            "sk_buff.arr[4]",
            MemberError::NoSuchElement {
                member: "arr[4]".to_owned(),
                len: 4,
            },
        ),
    ] {
        let error = btf.member(path).unwrap_err();
        assert!(error.is_absent(), "{path}");
        assert_eq!(error, expected, "{path}");
    }
    for path in ["sk_buff.next.inum", "sk_buff.next[0]"] {
        let error = btf.member(path).unwrap_err();
        assert_eq!(
            error,
            MemberError::ThroughPointer {
                pointer: "next".to_owned()
            }
        );
        assert!(!error.is_absent());
    }
    assert!(matches!(
        btf.member("sk_buff..x"),
        Err(MemberError::BadPath { .. })
    ));
    // Functions and enums have no members.
    assert!(matches!(
        btf.member("probe_me.sk"),
        Err(MemberError::NoSuchType { .. })
    ));
}

#[test]
fn sizes_enums_and_functions() {
    let btf = parsed(&example());
    assert_eq!(btf.size_of("sk_buff"), Ok(300));
    assert_eq!(btf.size_of("big"), Ok(8));
    assert!(btf.size_of("probe_me").unwrap_err().is_absent());
    assert_eq!(btf.enum_value("reason", "MANY"), Some(i64::from(u32::MAX)));
    assert_eq!(btf.enum_value("level", "MINUS"), Some(-1));
    assert_eq!(btf.enum_value("big", "HUGE"), Some(0x1_2345_6789));
    assert_eq!(btf.enum_value("reason", "FEW"), None);
    assert_eq!(btf.enum_value("sk_buff", "next"), None);
    assert!(btf.has_function("probe_me"));
    assert!(!btf.has_function("sk_buff") && !btf.has_function("probe"));
    assert_eq!(btf.function_params("probe_me").unwrap(), ["sk", "", "..."]);
    assert_eq!(btf.function_params("sk_buff"), None);
    assert!(!btf.is_empty() && btf.len() > 30);
}

#[test]
fn of_several_types_with_one_name_the_one_that_resolves() {
    let mut blob = Blob::new();
    let int = blob.int("int", 4);
    blob.structure("twice", 4, &[("a", int, 0)]);
    blob.structure("twice", 8, &[("b", int, 32)]);
    blob.function("twice", &[]);
    let btf = parsed(&blob);
    assert_eq!(btf.member("twice.a"), Ok(plain(0, 4)));
    assert_eq!(btf.member("twice.b"), Ok(plain(4, 4)));
    assert_eq!(btf.member("twice.c"), Err(no_member("twice", "c")));
    assert!(btf.has_function("twice"));
}

#[test]
fn cycles_end() {
    let mut blob = Blob::new();
    let cycle = blob.next();
    blob.modifier(8, "a", cycle + 1);
    blob.modifier(10, "", cycle);
    let inside = blob.next();
    blob.structure("inside", 8, &[("", inside, 0), ("x", cycle, 0)]);
    let array = blob.next();
    blob.array(array, 2);
    // Nests within bounds, but 2^31 members in all.
    let mut wide = blob.structure("", 0, &[]);
    for _ in 0..31 {
        wide = blob.structure("", 0, &[("", wide, 0), ("", wide, 0)]);
    }
    blob.structure(
        "holder",
        8,
        &[
            ("c", cycle, 0),
            ("a", array, 0),
            ("w", wide, 0),
            ("far", 9999, 0),
        ],
    );
    let btf = parsed(&blob);
    for path in [
        "inside.nothing",
        "inside.x",
        "holder.c",
        "holder.a",
        "holder.a[1][0]",
        "holder.w.x",
        "holder.far",
    ] {
        assert!(
            matches!(btf.member(path), Err(MemberError::Malformed { .. })),
            "{path}"
        );
    }
}

#[test]
fn impossible_sizes_do_not_overflow() {
    let mut blob = Blob::new();
    let int = blob.structure("", u32::MAX, &[]);
    let mut array = int;
    for _ in 0..6 {
        array = blob.array(array, u32::MAX);
    }
    let flexible = blob.array(int, 0);
    let inner = blob.structure("", u32::MAX, &[("f", flexible, u32::MAX)]);
    blob.structure(
        "huge",
        4,
        &[
            ("a", array, u32::MAX),
            ("s", inner, 0xffff_fff8),
            ("n", 0, 0),
        ],
    );
    let btf = parsed(&blob);
    for path in [
        "huge.a",
        "huge.a[7]",
        "huge.s.f[4294967295]",
        "huge.s.f[8]",
        "huge.n",
    ] {
        assert!(
            matches!(btf.member(path), Err(MemberError::Malformed { .. })),
            "{path}"
        );
    }
}

#[test]
fn longer_headers_and_the_layout_section() {
    let blob = example();
    let longer = Btf::parse(blob.finish_with(&[0, 0, 77], b"tail")).unwrap();
    assert_eq!(longer.member("last.here"), Ok(plain(0, 4)));

    let mut newer = Blob::new();
    newer.raw("", 20, 2, 0, &[1, 2, 3]);
    let int = newer.int("int", 4);
    newer.structure("last", 8, &[("here", int, 32)]);
    assert!(matches!(
        Btf::parse(newer.finish()),
        Err(BtfError::UnknownKind {
            type_id: 1,
            kind: 20
        })
    ));
    // Four fixed bytes and four for each element.
    let mut layout = vec![0; 21 * 4];
    layout[80..82].copy_from_slice(&[4, 4]);
    let described = Btf::parse(newer.finish_with(&[newer.len(), 84], &layout)).unwrap();
    assert_eq!(described.member("last.here"), Ok(plain(4, 4)));
    let outside = Btf::parse(newer.finish_with(&[newer.len(), 85], &layout));
    assert!(matches!(
        outside,
        Err(BtfError::Truncated {
            what: "the layout section",
            ..
        })
    ));
}

#[test]
fn tells_other_files_from_btf() {
    let parse = |bytes: &[u8]| Btf::parse(bytes.to_vec()).unwrap_err();
    assert!(matches!(parse(b""), BtfError::Truncated { .. }));
    assert!(matches!(parse(b"\x9f\xeb\x01"), BtfError::Truncated { .. }));
    assert!(matches!(parse(b"\xeb\x9f\x01\0"), BtfError::BigEndian));
    assert!(matches!(parse(b"MZ is a bzImage"), BtfError::BadMagic));
    assert!(matches!(
        parse(b"\x1f\x8b\x08\0"),
        BtfError::Compressed("gzip")
    ));
    assert!(
        parse(b"\x7fELF\x02")
            .to_string()
            .contains("objcopy --dump-section")
    );
    let mut future = example().finish();
    future[2] = 2;
    assert!(matches!(parse(&future), BtfError::UnknownVersion(2)));
    let mut unterminated = example().finish();
    *unterminated.last_mut().unwrap() = b'x';
    assert!(matches!(parse(&unterminated), BtfError::Malformed(_)));
}

#[test]
fn loading_names_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kernel.btf");
    let missing = Btf::load(&path).unwrap_err().to_string();
    assert!(missing.contains("kernel.btf: cannot be read"), "{missing}");
    fs::write(&path, example().finish()).unwrap();
    assert!(Btf::load(&path).unwrap().has_function("probe_me"));
    fs::write(&path, b"\x7fELF and much more than a header could hold").unwrap();
    let elf = Btf::load(&path).unwrap_err().to_string();
    assert!(elf.contains("kernel.btf: is an ELF file"), "{elf}");
    fs::write(&path, &example().finish()[..100]).unwrap();
    let short = Btf::load(&path).unwrap_err().to_string();
    assert!(
        short.contains("truncated") && short.contains("ends at 100"),
        "{short}"
    );
}

/// Asks everything; nothing may panic, whatever the bytes.
fn exercise(bytes: &[u8]) {
    let Ok(btf) = Btf::parse(bytes.to_vec()) else {
        return;
    };
    for path in [
        "sk_buff.mac_header",
        "sk_buff.grid[1][3].y",
        "sk_buff.tail[4294967295].x",
        "flagged.across",
        "flagged.kern",
        "old.second",
        "net.inum",
        "last",
    ] {
        let _ = btf.member(path).map_err(|error| error.to_string());
    }
    let _ = btf.size_of("sk_buff");
    let _ = btf.enum_value("big", "HUGE");
    let _ = btf.enum_value("reason", "MANY");
    let _ = btf.function_params("probe_me");
}

#[test]
fn truncated_anywhere() {
    let whole = example().finish();
    for len in 0..whole.len() {
        assert!(Btf::parse(whole[..len].to_vec()).is_err(), "{len}");
    }
    // Cut but with a header that agrees, so that the walk meets the end.
    for cut in 0..u32::from_le_bytes(*whole[12..].first_chunk().unwrap()) {
        let mut bytes = whole.clone();
        bytes[12..16].copy_from_slice(&cut.to_le_bytes());
        exercise(&bytes);
    }
}

#[test]
fn every_bit_flipped() {
    let whole = example().finish();
    for at in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[at / 8] ^= 1 << (at % 8);
        exercise(&bytes);
    }
}

proptest! {
    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        exercise(&bytes);
    }

    #[test]
    fn random_types(words in proptest::collection::vec(prop_oneof![0..40_u32, any::<u32>(), (1..20_u32).prop_map(|kind| kind << 24 | 2)], 0..120)) {
        let mut blob = Blob::new();
        for name in ["sk_buff", "mac_header", "grid", "tail", "net", "inum"] {
            blob.string(name);
        }
        for chunk in words.chunks(6) {
            let word = |i: usize| chunk.get(i).copied().unwrap_or(0);
            blob.raw("", word(0) % 20, word(1), word(2), chunk.get(3..).unwrap_or_default());
        }
        exercise(&blob.finish());
    }

    #[test]
    fn overwritten(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u32>()), 1..6)) {
        let mut bytes = example().finish();
        for (index, value) in changes {
            let at = index.index(bytes.len() / 4 - 6) * 4 + 24;
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        exercise(&bytes);
    }
}

/// Where the machine has BTF: members that have been there for many releases.
#[test]
fn this_machines_kernel() {
    if !Path::new(KERNEL_BTF).exists() {
        return;
    }
    let btf = Btf::load(Path::new(KERNEL_BTF)).unwrap();
    for (path, size) in [
        ("sk_buff.mac_header", 2),
        ("sk_buff.dev", 8),
        ("sock.__sk_common.skc_net.net", 8),
        ("sock.sk_omem_alloc.counter", 4),
        ("socket_alloc.vfs_inode.i_ino", 8),
        ("net_device.name", 16),
        ("net_device.name[15]", 1),
    ] {
        assert_eq!(btf.member(path).unwrap().byte_size, size, "{path}");
    }
    let kernel_socket = btf.member("sock.sk_kern_sock").unwrap();
    assert_eq!(kernel_socket.bit.map(|bit| bit.width), Some(1));
    assert_eq!(
        btf.member("sk_buff.pkt_type")
            .unwrap()
            .bit
            .map(|bit| bit.width),
        Some(3)
    );
    assert!(btf.size_of("sock").unwrap() > 500);
    assert!(btf.has_function("sock_kmalloc"));
    assert_eq!(
        btf.function_params("sock_kmalloc").unwrap(),
        ["sk", "size", "priority"]
    );
}
