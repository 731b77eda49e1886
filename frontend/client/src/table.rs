//! A map for what one tab holds: sorted pairs in one piece of memory.
//!
//! A `BTreeMap` is as fast and no easier to use, but brings ten times the code for each pair of types,
//! and every browser downloads it.

use std::borrow::Borrow;

/// Pairs, sorted by their keys. To find one takes a logarithm of steps; to add or remove one moves those
/// behind it.
#[derive(Clone, Debug)]
pub struct Table<K, V>(Vec<(K, V)>);

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> Table<K, V> {
    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.place_of(key).ok().map(|place| &self.0[place].1)
    }

    /// The value of a key, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.place_of(key).ok().map(|place| &mut self.0[place].1)
    }

    /// The value of a key; a new one, if there is none.
    pub fn get_or_default(&mut self, key: &K) -> &mut V
    where
        K: Clone,
        V: Default,
    {
        let place = self.place_of(key).unwrap_or_else(|place| {
            self.0.insert(place, (key.clone(), V::default()));
            place
        });
        &mut self.0[place].1
    }

    /// Whether there is such a key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place_of(key).is_ok()
    }

    /// Gives a key a value, in place of the one it had.
    pub fn insert(&mut self, key: K, value: V) {
        match self.place_of(&key) {
            Ok(place) => self.0[place].1 = value,
            Err(place) => self.0.insert(place, (key, value)),
        }
    }

    /// Takes a key and its value out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.place_of(key).ok().map(|place| self.0.remove(place).1)
    }

    fn place_of<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0.binary_search_by(|(known, _)| known.borrow().cmp(key))
    }
}

impl<K, V> Table<K, V> {
    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All pairs in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// All pairs in the order of their keys, the values to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// All keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    /// All values in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    /// All values in the order of their keys, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// Takes the pair with the first key out.
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }

    /// Keeps the pairs of which this holds.
    pub fn retain(&mut self, mut keeps: impl FnMut(&K, &V) -> bool) {
        self.0.retain(|(key, value)| keeps(key, value));
    }

    /// Takes all pairs out, in the order of their keys.
    pub fn take_all(&mut self) -> Vec<(K, V)> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn pairs_are_found_whatever_their_order_was() {
        let mut table = Table::default();
        for (key, value) in [("c", 3), ("a", 1), ("b", 0), ("b", 2)] {
            table.insert(key, value);
        }
        assert_eq!(table.iter().collect::<Vec<_>>(), [(&"a", &1), (&"b", &2), (&"c", &3)]);
        assert_eq!((table.get("b"), table.get("d"), table.contains_key("c")), (Some(&2), None, true));
        assert_eq!((table.remove("a"), table.remove("a"), table.len()), (Some(1), None, 2));
        *table.get_or_default(&"a") += 7;
        assert_eq!(table.pop_first(), Some(("a", 7)));
    }
}
