//! Who is connected to one endpoint of this instance, by user and by room. Data only.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use slab::Slab;
use wire::{endpoint::Aim, limits::ROOMS};

/// The sockets of one endpoint; `T` is where each takes its frames.
#[derive(Debug)]
pub struct Members<T> {
    sockets: Slab<Member<T>>,
    users: HashMap<Arc<str>, BTreeSet<usize>>,
    /// Users by the id that others see.
    public: HashMap<Arc<str>, Arc<str>>,
    rooms: HashMap<Arc<str>, BTreeSet<usize>>,
    watchers: BTreeSet<usize>,
}

#[derive(Debug)]
struct Member<T> {
    user: Arc<str>,
    public_id: Arc<str>,
    client: Arc<str>,
    rooms: BTreeSet<Arc<str>>,
    outlet: T,
}

/// Whom a message reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Everybody on the endpoint.
    Broadcast,
    /// Every socket of this user, by its id or the one others see.
    User(Arc<str>),
    /// Every socket in this room.
    Room(Arc<str>),
}

/// The socket is in as many rooms as it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyRooms;

impl Target {
    /// As those see it whom it reaches.
    pub fn aim(&self) -> Aim {
        match self {
            Self::Broadcast => Aim::Broadcast,
            Self::User(_) => Aim::User,
            Self::Room(room) => Aim::Room { room_id: Arc::clone(room) },
        }
    }
}

impl<T> Default for Members<T> {
    fn default() -> Self {
        let (users, public, rooms) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { sockets: Slab::new(), users, public, rooms, watchers: BTreeSet::new() }
    }
}

impl<T> Members<T> {
    /// Adds a socket of this user, whom others know by `public_id`, and tab.
    pub fn enter(&mut self, user: Arc<str>, public_id: Arc<str>, client: Arc<str>, outlet: T) -> usize {
        self.public.insert(Arc::clone(&public_id), Arc::clone(&user));
        let member = Member { user: Arc::clone(&user), public_id, client, rooms: BTreeSet::new(), outlet };
        let key = self.sockets.insert(member);
        self.users.entry(user).or_default().insert(key);
        key
    }

    /// Removes a socket; the rooms it was in.
    pub fn leave(&mut self, key: usize) -> Vec<Arc<str>> {
        let Some(member) = self.sockets.try_remove(key) else { return Vec::new() };
        remove(&mut self.users, &member.user, key);
        if !self.users.contains_key(&member.user) {
            self.public.remove(&member.public_id);
        }
        self.watchers.remove(&key);
        for room in &member.rooms {
            remove(&mut self.rooms, room, key);
        }
        member.rooms.into_iter().collect()
    }

    /// Lets a socket into a room; whether it was not in there.
    ///
    /// # Errors
    ///
    /// When it is in [`ROOMS`] rooms already.
    pub fn join(&mut self, key: usize, room: &Arc<str>) -> Result<bool, TooManyRooms> {
        let Some(member) = self.sockets.get_mut(key) else { return Ok(false) };
        if member.rooms.contains(room) {
            return Ok(false);
        }
        if member.rooms.len() >= ROOMS {
            return Err(TooManyRooms);
        }
        member.rooms.insert(Arc::clone(room));
        self.rooms.entry(Arc::clone(room)).or_default().insert(key);
        Ok(true)
    }

    /// Lets a socket out of a room; whether it was in there.
    pub fn exit(&mut self, key: usize, room: &str) -> bool {
        let was_in = self.sockets.get_mut(key).is_some_and(|member| member.rooms.remove(room));
        if was_in {
            remove(&mut self.rooms, room, key);
        }
        was_in
    }

    /// Lets a socket hear who comes and goes, or no more.
    pub fn watch(&mut self, key: usize, is_watching: bool) {
        if is_watching && self.sockets.contains(key) {
            self.watchers.insert(key);
        } else {
            self.watchers.remove(&key);
        }
    }

    /// Where those take their frames whom a message reaches, but for the tab `omit`.
    pub fn reached<'a>(&'a self, target: &Target, omit: Option<&'a str>) -> impl Iterator<Item = &'a T> {
        let (all, some) = match target {
            Target::Broadcast => (Some(self.sockets.iter().map(|(_, member)| member)), None),
            Target::User(id) => (None, self.users.get(self.public.get(id).unwrap_or(id))),
            Target::Room(room) => (None, self.rooms.get(room)),
        };
        let some = some.into_iter().flatten().filter_map(|key| self.sockets.get(*key));
        let reached = all.into_iter().flatten().chain(some);
        reached.filter(move |member| omit != Some(&*member.client)).map(|member| &member.outlet)
    }

    /// Where those take their frames who want to know who comes and goes.
    pub fn watchers(&self) -> impl Iterator<Item = &T> {
        self.watchers.iter().filter_map(|key| self.sockets.get(*key)).map(|member| &member.outlet)
    }

    /// Everybody's key.
    pub fn keys(&self) -> impl Iterator<Item = (usize, &T)> {
        self.sockets.iter().map(|(key, member)| (key, &member.outlet))
    }

    /// Sockets.
    pub fn len(&self) -> usize {
        self.sockets.len()
    }

    /// Whether nobody is here.
    pub fn is_empty(&self) -> bool {
        self.sockets.is_empty()
    }

    /// Users with a socket.
    #[cfg(test)]
    fn users(&self) -> usize {
        self.users.len()
    }

    /// Sockets in a room.
    pub fn in_room(&self, room: &str) -> usize {
        self.rooms.get(room).map_or(0, BTreeSet::len)
    }

    /// Every room with the sockets in it.
    pub fn rooms(&self) -> impl Iterator<Item = (&Arc<str>, usize)> {
        self.rooms.iter().map(|(room, members)| (room, members.len()))
    }

    /// The rooms of a socket.
    pub fn rooms_of(&self, key: usize) -> Vec<Arc<str>> {
        self.sockets.get(key).map(|member| member.rooms.iter().cloned().collect()).unwrap_or_default()
    }
}

fn remove(index: &mut HashMap<Arc<str>, BTreeSet<usize>>, name: &str, key: usize) {
    if let Some(keys) = index.get_mut(name) {
        keys.remove(&key);
        if keys.is_empty() {
            index.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// xorshift64*, seeded: the same program each time.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, bound: usize) -> usize {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % bound
        }
    }

    /// What one socket is, without any index.
    #[derive(Clone, Debug)]
    struct Plain {
        key: usize,
        user: String,
        client: String,
        rooms: BTreeSet<String>,
    }

    #[test]
    fn whoever_is_reached_is_whom_a_list_without_indices_says() {
        for seed in 1..200 {
            let mut dice = Dice(seed);
            let (mut members, mut plain) = (Members::default(), Vec::<Plain>::new());
            for step in 0..120 {
                let (user, room) = (format!("u{}", dice.below(3)), format!("r{}", dice.below(3)));
                let any = if plain.is_empty() { None } else { Some(dice.below(plain.len())) };
                match (dice.below(6), any) {
                    (0 | 1, _) => {
                        let client = format!("c{}", dice.below(4));
                        let key = members.enter(
                            user.as_str().into(),
                            format!("p-{user}").into(),
                            client.as_str().into(),
                            step,
                        );
                        assert!(plain.iter().all(|other| other.key != key));
                        plain.push(Plain { key, user, client, rooms: BTreeSet::new() });
                    }
                    (2, Some(any)) => {
                        let gone = plain.swap_remove(any);
                        let left: BTreeSet<String> = members.leave(gone.key).iter().map(ToString::to_string).collect();
                        assert_eq!(left, gone.rooms);
                    }
                    (3, Some(any)) => {
                        let joined = members.join(plain[any].key, &room.as_str().into());
                        assert_eq!(joined, Ok(plain[any].rooms.insert(room)));
                    }
                    (4, Some(any)) => {
                        assert_eq!(members.exit(plain[any].key, &room), plain[any].rooms.remove(&room));
                    }
                    _ => {}
                }
                check(&members, &plain);
            }
        }
    }

    fn check(members: &Members<i32>, plain: &[Plain]) {
        let keys: BTreeSet<usize> = plain.iter().map(|member| member.key).collect();
        assert_eq!(members.keys().map(|(key, _)| key).collect::<BTreeSet<_>>(), keys);
        assert_eq!(members.len(), plain.len());
        let users: BTreeSet<&String> = plain.iter().map(|member| &member.user).collect();
        assert_eq!(members.users(), users.len());
        let rooms: BTreeSet<&String> = plain.iter().flat_map(|member| &member.rooms).collect();
        assert_eq!(members.rooms().count(), rooms.len());
        for name in ["0", "1", "2"] {
            let user = format!("u{name}");
            let of_user = plain.iter().filter(|member| member.user == user).count();
            for id in [user.clone(), format!("p-{user}")] {
                assert_eq!(members.reached(&Target::User(id.into()), None).count(), of_user);
            }
            let room = format!("r{name}");
            let in_room: Vec<_> = plain.iter().filter(|member| member.rooms.contains(&room)).collect();
            assert_eq!(members.in_room(&room), in_room.len());
            let client = format!("c{name}");
            let others = in_room.iter().filter(|member| member.client != client).count();
            assert_eq!(members.reached(&Target::Room(room.as_str().into()), Some(&client)).count(), others);
            let not_omitted = plain.iter().filter(|member| member.client != client).count();
            assert_eq!(members.reached(&Target::Broadcast, Some(&client)).count(), not_omitted);
        }
    }

    #[test]
    fn a_socket_is_in_so_many_rooms_and_no_more() {
        let mut members = Members::default();
        let key = members.enter("u".into(), "p".into(), "c".into(), ());
        for number in 0..ROOMS {
            assert_eq!(members.join(key, &number.to_string().into()), Ok(true));
        }
        assert_eq!(members.join(key, &"more".into()), Err(TooManyRooms));
        assert_eq!(members.join(key, &"0".into()), Ok(false));
    }

    #[test]
    fn who_watches_is_told_until_it_leaves() {
        let mut members = Members::default();
        let key = members.enter("u".into(), "p".into(), "c".into(), 7);
        members.watch(key, true);
        assert_eq!(members.watchers().copied().collect::<Vec<_>>(), [7]);
        members.leave(key);
        members.watch(key, true);
        assert_eq!(members.watchers().count(), 0);
    }
}
