//! Any number of browsers against a model of the server: random edits, random delays, answers that are
//! lost, submissions that arrive twice, one browser cut off for long. In the end all texts are equal, and
//! every edit was taken once.

#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::collections::{BTreeMap, VecDeque};

use wire::text::{AcceptedEdit, Author, Edit, Heard, Outcome, Submission, TextSession, TextState};

/// A small generator of our own, so that a failing seed can be run again. Source: `SplitMix64`,
/// Steele, Lea and Flood, 2014.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).unwrap()
    }

    /// A small change of a text, now and then a large one.
    fn change(&mut self, text: &str) -> Edit {
        let chars = text.chars().count();
        let place = self.roll(chars + 1);
        let deleted = if self.roll(20) == 0 { chars - place } else { self.roll(4).min(chars - place) };
        let inserted: String = (0..self.roll(4)).map(|_| ['a', 'ü', '漢', '😀', '\n'][self.roll(5)]).collect();
        Edit::default().keep(place).delete(deleted).insert(&inserted).keep(chars - place - deleted)
    }
}

/// The server: the text and every edit that led to it.
#[derive(Default)]
struct Server {
    state: TextState,
    edits: Vec<AcceptedEdit>,
}

impl Server {
    fn behind(&self, version: u64) -> &[AcceptedEdit] {
        &self.edits[usize::try_from(version).unwrap()..]
    }

    /// The answer: every edit behind the base, the submitted one among them.
    fn submit(&mut self, submission: Submission) -> Vec<AcceptedEdit> {
        let base = submission.base;
        let outcome = self.state.take(submission, Author::default(), self.behind(base)).unwrap();
        if let Outcome::Accepted(state, edit) = outcome {
            self.state = state;
            self.edits.push(edit);
        }
        self.behind(base).to_vec()
    }
}

/// A browser and its lines to the server.
struct Browser {
    number: usize,
    session: TextSession,
    submitted: VecDeque<Submission>,
    answers: VecDeque<Vec<AcceptedEdit>>,
    /// Broadcasts from this version on are still to be heard.
    heard: u64,
    is_cut_off: bool,
    ids: usize,
}

impl Browser {
    fn new(number: usize) -> Self {
        Self {
            number,
            session: TextSession::new(TextState::default()),
            submitted: VecDeque::new(),
            answers: VecDeque::new(),
            heard: 0,
            is_cut_off: false,
            ids: 0,
        }
    }

    fn change(&mut self, dice: &mut Dice) {
        let edit = dice.change(self.session.text());
        let (number, ids) = (self.number, self.ids);
        self.ids += 1;
        let submission = self.session.type_in(edit, || format!("{number}-{ids}")).unwrap();
        self.submitted.extend(submission);
    }

    fn hear(&mut self, server: &Server, edits: &[AcceptedEdit]) {
        for edit in edits {
            let (number, ids) = (self.number, self.ids);
            self.ids += 1;
            match self.session.hear(edit, || format!("{number}-{ids}")).unwrap() {
                Heard::Known | Heard::Changed(_) => {}
                Heard::Saved(next) => self.submitted.extend(next),
                Heard::Hole => {
                    let missing = server.behind(self.session.version()).to_vec();
                    return self.hear(server, &missing);
                }
            }
        }
    }

    /// Something happens on one of the lines.
    fn pass(&mut self, server: &mut Server, dice: &mut Dice) {
        if self.is_cut_off {
            // Whatever was on its way is lost, or stays on its way for long.
            if dice.roll(2) == 0 {
                self.answers.clear();
            }
            return;
        }
        match dice.roll(6) {
            0 | 1 => {
                if let Some(submission) = self.submitted.pop_front() {
                    if dice.roll(5) == 0 {
                        // It arrives, and its copy later: a retry, or a network that repeats.
                        self.submitted.push_back(submission.clone());
                    }
                    let answer = server.submit(submission);
                    if dice.roll(5) != 0 {
                        self.answers.push_back(answer);
                    }
                }
            }
            2 => {
                if let Some(answer) = self.answers.pop_front() {
                    self.hear(server, &answer);
                }
            }
            3 => {
                // A broadcast, or several at once; now and then one is missing.
                let ahead = server.behind(self.heard);
                if !ahead.is_empty() {
                    let count = 1 + dice.roll(ahead.len());
                    let skipped = usize::from(dice.roll(8) == 0).min(count);
                    let edits = ahead[skipped..count].to_vec();
                    self.heard += count as u64;
                    self.hear(server, &edits);
                }
            }
            4 => self.submitted.extend(self.session.submission()),
            _ => self.change(dice),
        }
    }
}

fn converge(seed: u64) {
    let mut dice = Dice(seed);
    let mut server = Server::default();
    let mut browsers: Vec<Browser> = (0..2 + dice.roll(4)).map(Browser::new).collect();
    let rounds = 200 + dice.roll(200);
    for round in 0..rounds {
        // One is cut off for the middle of it, and goes on typing.
        browsers[0].is_cut_off = (rounds / 4..rounds * 3 / 4).contains(&round);
        if browsers[0].is_cut_off && dice.roll(3) == 0 {
            browsers[0].change(&mut dice);
        }
        let count = browsers.len();
        browsers[dice.roll(count)].pass(&mut server, &mut dice);
    }
    // Nobody types any more, and every line works.
    while browsers.iter().any(|browser| browser.session.submission().is_some()) {
        for browser in &mut browsers {
            browser.submitted.extend(browser.session.submission());
            while let Some(submission) = browser.submitted.pop_front() {
                let answer = server.submit(submission);
                browser.hear(&server, &answer);
            }
        }
    }
    for browser in &mut browsers {
        browser.hear(&server, server.behind(browser.session.version()));
    }
    for browser in &browsers {
        assert_eq!(browser.session.text(), server.state.text, "seed {seed}, browser {}", browser.number);
        assert_eq!(browser.session.version(), server.state.version, "seed {seed}");
        assert_eq!(browser.session.unsaved_changes(), 0, "seed {seed}");
    }
    let mut taken = BTreeMap::<&str, usize>::new();
    for edit in &server.edits {
        *taken.entry(&edit.id).or_default() += 1;
    }
    assert!(taken.values().all(|times| *times == 1), "seed {seed}: {taken:?}");
    let again = server.edits.iter().fold(String::new(), |text, edit| edit.edit.apply(&text).unwrap());
    assert_eq!(again, server.state.text, "seed {seed}");
}

#[test]
fn all_browsers_end_with_the_servers_text_whatever_is_late_lost_or_repeated() {
    for seed in 0..2_000 {
        converge(seed);
    }
}

#[test]
fn a_browser_that_was_cut_off_says_how_much_waits() {
    let mut session = TextSession::new(TextState { version: 3, text: "tea".into() });
    let first = session.type_in(Edit::default().keep(3).insert("s"), || "a".into()).unwrap();
    assert_eq!(first.map(|first| (first.base, first.id)), Some((3, "a".into())));
    for text in ["!", "?"] {
        let end = session.text().chars().count();
        assert_eq!(session.type_in(Edit::default().keep(end).insert(text), || "b".into()), Ok(None));
    }
    assert_eq!((session.unsaved_changes(), session.text()), (3, "teas!?"));
    let others = AcceptedEdit {
        version: 4,
        id: "other".into(),
        edit: Edit::default().insert("Hot ").keep(3),
        author: Author::default(),
    };
    assert_eq!(session.hear(&others, || "c".into()), Ok(Heard::Changed(Edit::default().insert("Hot ").keep(6))));
    assert_eq!(session.hear(&others, || "c".into()), Ok(Heard::Known));
    // A place in version 3, in version 4, and in one to come.
    assert_eq!([(3, 1), (4, 1), (5, 1)].map(|(version, place)| session.find(version, place)), [Some(5), Some(1), None]);
    let own = AcceptedEdit { version: 5, id: "a".into(), edit: Edit::default().keep(7).insert("s"), ..others.clone() };
    let Ok(Heard::Saved(Some(next))) = session.hear(&own, || "d".into()) else { panic!("{session:?}") };
    assert_eq!((next.base, next.id.as_str(), next.edit), (5, "d", Edit::default().keep(8).insert("!?")));
    let own = AcceptedEdit { version: 7, id: "d".into(), ..own };
    assert_eq!(session.hear(&own, || "e".into()), Ok(Heard::Hole));
}
