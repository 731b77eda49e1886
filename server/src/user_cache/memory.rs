//! The values of an instance that is alone.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use super::{BOUNDS, ValueName};

/// Bytes of all users together at most; beyond, the user whose values were used least lately loses them.
const ALL_BYTES: usize = 64 * 1024 * 1024;
/// Bytes that a user costs besides.
const USER_COSTS: usize = 512;

/// Values by user.
#[derive(Default)]
pub(super) struct Memory {
    users: HashMap<String, User>,
    bytes: usize,
    /// Counts uses, so that the oldest is known.
    uses: u64,
    /// Users by their last use.
    order: BTreeMap<u64, String>,
}

#[derive(Default)]
struct User {
    values: BTreeMap<String, Kept>,
    bytes: usize,
    used: u64,
}

struct Kept {
    json: String,
    until: Instant,
}

impl User {
    fn take(&mut self, name: &str) -> Option<Kept> {
        let kept = self.values.remove(name)?;
        self.bytes -= name.len() + kept.json.len();
        Some(kept)
    }

    /// Makes room for a value of this size.
    fn make_room(&mut self, bytes: usize, now: Instant) {
        let ended: Vec<String> =
            self.values.iter().filter(|(_, kept)| kept.until <= now).map(|(name, _)| name.clone()).collect();
        for name in ended {
            self.take(&name);
        }
        while self.bytes + bytes > BOUNDS.bytes || self.values.len() >= BOUNDS.values {
            let first = self.values.iter().min_by_key(|(_, kept)| kept.until).map(|(name, _)| name.clone());
            let Some(first) = first else { return };
            self.take(&first);
        }
    }
}

impl Memory {
    pub(super) fn get(&mut self, user: &str, name: &ValueName, now: Instant) -> Option<&str> {
        self.touch(user);
        let kept = self.users.get(user)?.values.get(name.as_str())?;
        (kept.until > now).then_some(kept.json.as_str())
    }

    pub(super) fn put(&mut self, user: &str, name: &ValueName, json: &str, life: Duration, now: Instant) {
        if !self.users.contains_key(user) {
            self.users.insert(user.to_owned(), User::default());
            self.bytes += USER_COSTS;
        }
        self.touch(user);
        let Some(known) = self.users.get_mut(user) else { return };
        let before = known.bytes;
        known.take(name.as_str());
        let bytes = name.as_str().len() + json.len();
        known.make_room(bytes, now);
        known.values.insert(name.as_str().to_owned(), Kept { json: json.to_owned(), until: now + life });
        known.bytes += bytes;
        self.bytes = self.bytes + known.bytes - before;
        self.forget_others(user);
    }

    pub(super) fn remove(&mut self, user: &str, name: &ValueName, now: Instant) -> bool {
        let Some(known) = self.users.get_mut(user) else { return false };
        let before = known.bytes;
        let was_there = known.take(name.as_str()).is_some_and(|kept| kept.until > now);
        self.bytes = self.bytes + known.bytes - before;
        if known.values.is_empty() {
            self.forget(user);
        }
        was_there
    }

    fn touch(&mut self, user: &str) {
        let Some(known) = self.users.get_mut(user) else { return };
        self.uses += 1;
        self.order.remove(&known.used);
        self.order.insert(self.uses, user.to_owned());
        known.used = self.uses;
    }

    fn forget(&mut self, user: &str) {
        if let Some(known) = self.users.remove(user) {
            self.order.remove(&known.used);
            self.bytes -= known.bytes + USER_COSTS;
        }
    }

    fn forget_others(&mut self, user: &str) {
        while self.bytes > ALL_BYTES {
            let Some(oldest) = self.order.values().find(|known| *known != user).cloned() else { return };
            self.forget(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_hours(1);

    fn name(key: &str) -> ValueName {
        ValueName::parse("c", key).unwrap()
    }

    /// What the counters say is what is there.
    fn check(memory: &Memory) {
        let bytes = |user: &User| user.values.iter().map(|(name, kept)| name.len() + kept.json.len()).sum::<usize>();
        assert!(memory.users.values().all(|user| user.bytes == bytes(user)));
        let all: usize = memory.users.values().map(|user| user.bytes + USER_COSTS).sum();
        assert_eq!((memory.bytes, memory.order.len()), (all, memory.users.len()));
    }

    #[test]
    fn a_value_ends_and_is_its_users_alone() {
        let (mut memory, start) = (Memory::default(), Instant::now());
        memory.put("u", &name("k"), "1.50", LONG, start);
        memory.put("u", &name("k"), "2", LONG, start);
        assert_eq!(memory.get("u", &name("k"), start), Some("2"));
        assert_eq!(memory.get("v", &name("k"), start), None);
        assert_eq!(memory.get("u", &name("k"), start + LONG), None);
        assert!(!memory.remove("u", &name("k"), start + LONG), "over by then");
        check(&memory);
        memory.put("u", &name("k"), "3", LONG, start);
        assert!(memory.remove("u", &name("k"), start) && !memory.remove("u", &name("k"), start));
        check(&memory);
        assert_eq!(memory.bytes, 0);
    }

    #[test]
    fn beyond_a_users_bounds_what_ends_first_goes() {
        let (mut memory, start) = (Memory::default(), Instant::now());
        let large = "x".repeat(60_000);
        for number in 0..40_u64 {
            memory.put("u", &name(&number.to_string()), &large, LONG + Duration::from_secs(number), start);
        }
        check(&memory);
        assert!(memory.users["u"].bytes <= BOUNDS.bytes);
        assert_eq!(memory.get("u", &name("0"), start), None);
        assert!(memory.get("u", &name("39"), start).is_some());
        for number in 0..400 {
            memory.put("v", &name(&number.to_string()), "1", LONG, start);
        }
        assert_eq!(memory.users["v"].values.len(), BOUNDS.values);
        check(&memory);
    }

    #[test]
    fn beyond_the_bound_of_all_the_user_away_longest_loses_theirs() {
        let (mut memory, start) = (Memory::default(), Instant::now());
        let large = "x".repeat(60_000);
        for number in 0..1_200 {
            memory.put(&format!("u{number}"), &name("k"), &large, LONG, start);
            assert!(memory.get("u0", &name("k"), start).is_some(), "used all the time");
        }
        check(&memory);
        assert!(memory.bytes <= ALL_BYTES);
        assert_eq!(memory.get("u1", &name("k"), start), None);
    }
}
