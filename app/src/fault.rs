//! What developers may break on purpose, to see that nothing is lost.

use serde::{Deserialize, Serialize};

use crate::{channel, cluster::TypedChannel};

/// Seconds for which an instance has no link to Redis when it is cut.
pub const CUT_SECONDS: u64 = 10;
/// Seconds for which Redis answers nobody when it is paused.
pub const PAUSE_SECONDS: u64 = 5;

/// Where open panels send numbered messages to each other.
pub const PROBED: TypedChannel<Probe> = channel!("view:helloCluster:probe:sent");

/// Something that goes wrong in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The instance that answers loses its link to Redis, for [`CUT_SECONDS`].
    CutRedis,
    /// Redis hangs, for all instances and for [`PAUSE_SECONDS`].
    PauseRedis,
    /// Another instance is killed, as by SIGKILL.
    KillOther,
}

/// One of a row of messages: its number tells what is missing before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Names the row.
    pub row: String,
    /// Counted from 1; sent again under the same number when it is not known to have been taken.
    pub number: u64,
}

/// What a panel has heard, of all rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Messages that arrived, each number once.
    pub received: u64,
    /// Those of them that were missed first and fetched from the log.
    pub replayed: u64,
    /// Numbers that were passed over and never came.
    pub lost: u64,
    /// The highest number of each row; the oldest rows fall out.
    rows: Vec<(String, u64)>,
}

impl Heard {
    /// Rows that are told apart.
    const ROWS: usize = 64;

    /// Takes a message. A row begins with whatever number is heard of it first.
    pub fn take(&mut self, probe: Probe, is_recovered: bool) {
        let Probe { row, number } = probe;
        if let Some((_, highest)) = self.rows.iter_mut().find(|(known, _)| *known == row) {
            if number <= *highest {
                return;
            }
            self.lost += number - *highest - 1;
            *highest = number;
        } else {
            if self.rows.len() == Self::ROWS {
                self.rows.remove(0);
            }
            self.rows.push((row, number));
        }
        self.received += 1;
        self.replayed += u64::from(is_recovered);
    }
}

#[cfg(test)]
mod tests {
    use super::{Heard, Probe};

    fn hear(numbers: &[(&str, u64)]) -> Heard {
        let mut heard = Heard::default();
        for (row, number) in numbers {
            heard.take(Probe { row: (*row).to_owned(), number: *number }, false);
        }
        heard
    }

    #[test]
    fn numbers_passed_over_are_lost() {
        let heard = hear(&[("a", 1), ("b", 7), ("a", 4), ("b", 8)]);
        assert_eq!((heard.received, heard.lost), (4, 2));
    }

    #[test]
    fn a_number_sent_again_counts_once() {
        let heard = hear(&[("a", 1), ("a", 2), ("a", 2), ("a", 3)]);
        assert_eq!((heard.received, heard.lost), (3, 0));
    }

    #[test]
    fn rows_are_bounded() {
        let rows: Vec<String> = (0..100).map(|row| row.to_string()).collect();
        let heard = hear(&rows.iter().map(|row| (row.as_str(), 5)).collect::<Vec<_>>());
        assert_eq!((heard.rows.len(), heard.received), (Heard::ROWS, 100));
    }
}
