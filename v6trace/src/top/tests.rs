//! Keys go in, and what is drawn is looked at: on recordings of real kernels.

use std::{cell::RefCell, fs::File, path::Path, rc::Rc};

use ratatui::{
    Terminal,
    backend::TestBackend,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    style::{Color, Modifier},
};

use super::{
    Keeper, State, Wish,
    kept::{Place, Told},
    view,
};
use crate::{
    catalogue::Cause,
    explain::Diagnosis,
    fold::{Of, Repeats},
    record::{Lost, SessionInfo},
    recording::{Reader, Replay},
    render::{Render as _, entry::Entry},
    report::{Options, Report},
    session::Session,
};

/// All stories of a kernel, one session after the other.
fn stories() -> State {
    let state = Rc::new(RefCell::new(State::new(false, None)));
    let report = Report::new(Options::default(), Keeper::new(Rc::clone(&state)));
    let mut feed = Replay::new(report);
    for story in [
        "advertisement",
        "anycast",
        "dad",
        "radvd",
        "source",
        "token",
    ] {
        let path = format!("tests/golden/6.1/{story}.v6t");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let file = File::open(path).expect("the recording");
        let mut reader = Reader::new(file).expect("a recording");
        feed.begin_file(story);
        while let Some(item) = reader.next_item().expect("it is whole") {
            feed.take(item).expect("memory takes it");
        }
        while let Some(item) = reader.finish().expect("it is whole") {
            feed.take(item).expect("memory takes it");
        }
    }
    feed.finish().expect("memory takes it");
    Rc::into_inner(state)
        .expect("nobody else has it")
        .into_inner()
}

/// One that says this, of a kernel that had no interface by that name.
fn made_up(summary: &str, interface: &str) -> Entry {
    let session = Session::new(SessionInfo::default());
    let cause = Cause::from_code("no-route").expect("it is one");
    let mut diagnosis = Diagnosis::of_state(1, 1, cause, summary.to_owned());
    diagnosis.interface = Some(interface.to_owned());
    Entry::new(&session, &diagnosis, None, None)
}

/// Later than all recordings.
fn now() -> Place {
    Place {
        at: i128::MAX,
        of: String::new(),
    }
}

fn press(state: &mut State, keys: &str) -> Option<Wish> {
    let code = |key| match key {
        '\n' => KeyCode::Enter,
        '\x1b' => KeyCode::Esc,
        '↓' => KeyCode::Down,
        '↑' => KeyCode::Up,
        '⇓' => KeyCode::End,
        key => KeyCode::Char(key),
    };
    let keys = keys.chars().map(code);
    keys.map(|code| state.key(KeyEvent::new(code, KeyModifiers::NONE)))
        .last()
        .flatten()
}

fn drawn_on(state: &mut State, width: u16, height: u16, colours: bool) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("memory");
    let looks = view::Looks::new(colours);
    terminal
        .draw(|frame| view::draw(frame, state, looks))
        .expect("it is drawn");
    terminal.backend().clone()
}

fn drawn(state: &mut State, width: u16, height: u16) -> Vec<String> {
    let backend = drawn_on(state, width, height, true);
    let cells = backend.buffer().content();
    let rows = cells.chunks(usize::from(width));
    let row =
        |row: &[ratatui::buffer::Cell]| row.iter().map(ratatui::buffer::Cell::symbol).collect();
    rows.map(row).collect()
}

fn screen(state: &mut State) -> String {
    drawn(state, 80, 24).join("\n")
}

#[test]
fn the_newest_is_first_and_what_is_lost_is_in_sight() {
    let mut state = stories();
    let rows = drawn(&mut state, 80, 24);
    assert!(rows[0].contains("none lost"), "{rows:#?}");
    assert!(rows[0].contains("6 sessions"), "{rows:#?}");
    // Not the order in which they were given: the first of these is the newest.
    let times: Vec<&str> = rows[1..7].iter().map(|row| &row[..12]).collect();
    assert!(times.is_sorted_by(|one, next| one > next), "{rows:#?}");
    assert!(rows[1].contains("ra-ignored-forwarding"), "{rows:#?}");
    assert!(rows[1].contains("FAILURE"), "{rows:#?}");
    assert!(rows[23].starts_with("? help"), "{rows:#?}");
}

#[test]
fn what_is_typed_filters_as_it_is_typed() {
    let mut state = stories();
    let all = state.rows().count();
    press(&mut state, "/OPTM");
    assert!(screen(&mut state).contains("optmem-exhausted"));
    assert!(!screen(&mut state).contains("token-forwarding"));
    assert!(drawn(&mut state, 80, 24)[23].starts_with("/OPTM "));
    press(&mut state, "\nq");
    assert!(screen(&mut state).contains("/OPTM"));
    press(&mut state, "/x\x1b");
    assert_eq!(state.wanted.typed, "OPTM");
    press(&mut state, "/ nowhere\n");
    assert!(screen(&mut state).contains("a shows all again"));
    press(&mut state, "a");
    assert_eq!(state.rows().count(), all);
}

#[test]
fn severities_and_families_are_hidden_and_shown() {
    let mut state = stories();
    let all = state.rows().count();
    press(&mut state, "1");
    assert!(!screen(&mut state).contains("FAILURE"));
    assert!(state.rows().count() < all);
    press(&mut state, "1f");
    assert!(screen(&mut state).contains("[x] multicast-join"));
    press(&mut state, " ");
    assert!(screen(&mut state).contains("[ ] multicast-join"));
    press(&mut state, "\n");
    let text = screen(&mut state);
    assert!(!text.contains("optmem-exhausted") && text.contains("without multicast-join"));
}

#[test]
fn one_in_full_has_its_fix_its_values_and_its_page() {
    let mut state = stories();
    press(&mut state, "/optmem\n\n");
    let text = screen(&mut state);
    for part in [
        "optmem-exhausted",
        "its socket's option",
        "Fix",
        "restart radvd",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(
        matches!(press(&mut state, "c"), Some(Wish::Copy(fix)) if fix.starts_with("restart radvd"))
    );
    press(&mut state, "⇓");
    assert!(
        screen(&mut state).contains("5.10"),
        "the page ends with kernels"
    );
    // Nobody scrolls beyond the end.
    let scroll = state.scroll;
    press(&mut state, "↓↓↑");
    screen(&mut state);
    assert_eq!(state.scroll, scroll - 1);
    press(&mut state, "\x1b");
    assert!(screen(&mut state).contains("none lost"));
    assert_eq!(press(&mut state, "q"), Some(Wish::End));
}

#[test]
fn a_choice_stays_where_it_is_when_more_comes() {
    let mut state = stories();
    press(&mut state, "↓");
    let chosen = state.looked_at().expect("there are several").number;
    state.kept.add(made_up("It went.", "eth0"), now());
    assert_eq!(state.looked_at().expect("it is there").number, chosen);
    // The newest stays the newest.
    press(&mut state, "gg");
    state.kept.add(made_up("It went.", "eth1"), now());
    let newest = state.looked_at().expect("it is there");
    assert_eq!(newest.entry.diagnosis.interface.as_deref(), Some("eth1"));
}

#[test]
fn the_oldest_are_let_go_and_counted() {
    let mut state = stories();
    let before = state.rows().map(|row| 1 + row.entry.repeated).sum::<u64>();
    for number in 0..1000 {
        state
            .kept
            .add(made_up("It went.", &format!("eth{number}")), now());
    }
    assert_eq!(state.rows().count(), 1000);
    assert_eq!(state.kept.let_go(), before);
    assert!(drawn(&mut state, 80, 24)[0].contains(&format!("{before} let go")));
}

#[test]
fn any_size_is_drawn() {
    let mut state = stories();
    let rows = drawn(&mut state, 40, 10);
    assert!(rows[1].contains("F ra-ignored-forwarding"), "{rows:#?}");
    assert!(rows[0].contains("none lost"), "{rows:#?}");
    for keys in ["", "\n", "\x1bf", "\x1b?", "\x1b/x"] {
        press(&mut state, keys);
        for (width, height) in [(1, 1), (3, 2), (20, 3), (300, 2), (200, 100)] {
            drawn(&mut state, width, height);
        }
    }
}

#[test]
fn without_colours_there_are_none() {
    let mut state = stories();
    for keys in ["", "\n", "\x1b?"] {
        press(&mut state, keys);
        let backend = drawn_on(&mut state, 80, 24, false);
        let cells = backend.buffer().content();
        assert!(
            cells
                .iter()
                .all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset)
        );
        assert!(
            cells
                .iter()
                .any(|cell| cell.modifier.contains(Modifier::BOLD))
        );
    }
}

#[test]
fn what_others_named_reaches_the_terminal_as_text_alone() {
    let mut state = State::new(true, None);
    state.kept.add(
        made_up("It\x1b[2J went\x07\u{9b}31m.\r\n", "e\x1b]0;x\x07"),
        now(),
    );
    for keys in ["", "\n"] {
        press(&mut state, keys);
        for row in drawn(&mut state, 80, 24) {
            assert!(!row.contains(char::is_control), "{row:?}");
        }
    }
}

/// A session of this host that lost so many events.
fn session(keeper: &mut Keeper, host: &str, count: u64) -> Session {
    let session = Session::new(SessionInfo {
        hostname: host.to_owned(),
        ..SessionInfo::default()
    });
    keeper.session(&session).expect("memory");
    let lost = Lost {
        boot_ns: 1,
        cpu: None,
        hook: None,
        count,
    };
    keeper.lost(&session, &lost).expect("memory");
    session
}

#[test]
fn of_several_sessions_none_is_taken_for_all() {
    let state = Rc::new(RefCell::new(State::new(false, None)));
    let mut keeper = Keeper::new(Rc::clone(&state));
    let first = session(&mut keeper, "first", 3);
    assert!(screen(&mut state.borrow_mut()).contains("first"));
    let cause = Cause::from_code("no-route").expect("it is one");
    let diagnosis = Diagnosis::of_state(1, 1, cause, "It went.".to_owned());
    keeper.diagnosis(&first, &diagnosis, None).expect("memory");
    session(&mut keeper, "second", 4);
    let mut state = state.borrow_mut();
    let rows = drawn(&mut state, 100, 24);
    assert!(rows[0].contains("7 LOST  2 sessions"), "{rows:#?}");
    assert!(
        !rows[0].contains("second") && !rows[0].contains("hooks"),
        "{rows:#?}"
    );
    assert!(
        rows[1].contains("no-route") && rows[1].contains("1970-01-01 first"),
        "{rows:#?}"
    );
}

#[test]
fn sentences_that_there_is_no_room_for_are_counted() {
    let mut state = State::new(false, None);
    for number in 0..40 {
        state.say(format!("It lacks {number}."));
    }
    assert!(screen(&mut state).starts_with("v6trace"));
    let sentences = state.seen.sentences();
    assert_eq!(
        sentences.last().map(String::as_str),
        Some("… and 8 more such lines.")
    );
    // Where there is nothing else, that is what is shown.
    assert!(screen(&mut state).contains("It lacks 0."));
    assert!(!screen(&mut state).contains("Nothing to explain"));
}

#[test]
fn what_repeats_is_found_by_the_names_of_its_repeats_and_shows_the_newest() {
    let mut state = State::new(true, None);
    let mut first = made_up("It went.", "eth1");
    first.group = Some(1);
    let mut like = first.diagnosis.clone();
    like.boot_ns = 5_000_000_000;
    state.kept.add(first, now());
    state.kept.add(made_up("It went.", "wan"), now());
    let repeats = Repeats {
        like,
        group: 1,
        count: 9,
        held_back: 1,
        of: Of::Time(1),
        interfaces: Some("eth2 … eth10".to_owned()),
        changes: Vec::new(),
    };
    let newest = "00:00:05.000".to_owned();
    let repeats = &repeats;
    let at = i128::MAX;
    state.kept.repeated(Told {
        repeats,
        newest,
        at,
    });
    let rows = drawn(&mut state, 80, 24);
    assert!(
        rows[1].starts_with("00:00:05.000") && rows[1].contains("×10+"),
        "{rows:#?}"
    );
    for (typed, found) in [("eth7", true), ("eth10", true), ("lan", false), ("", true)] {
        state.wanted.typed = typed.to_owned();
        let is_found = state.rows().any(|row| row.entry.repeated == 9);
        assert_eq!(is_found, found, "{typed}");
    }
}
