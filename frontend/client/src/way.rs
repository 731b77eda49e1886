//! Which way to the relay: a socket, or an event stream where no socket gets through.

/// Sockets that may fail in a row before a stream is tried.
const FAILURES: u32 = 2;

/// How to reach the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A WebSocket: every network of today, but for some.
    Socket,
    /// An event stream: a long answer to a plain request.
    Stream,
}

/// Decides from what happened so far.
#[derive(Debug)]
pub struct Choice {
    way: Way,
    /// Attempts in a row that brought nothing.
    failures: u32,
}

impl Default for Choice {
    fn default() -> Self {
        Self { way: Way::Socket, failures: 0 }
    }
}

impl Choice {
    /// The way to take next.
    pub fn way(&self) -> Way {
        self.way
    }

    /// Something came this way.
    pub fn works(&mut self) {
        self.failures = 0;
    }

    /// An attempt ended before anything came. While the network is down that says nothing of the way.
    pub fn failed(&mut self, is_online: bool) {
        if !is_online {
            return;
        }
        self.failures += 1;
        match self.way {
            // More likely nobody is there: from now on the ways take turns.
            Way::Stream => *self = Self { way: Way::Socket, failures: FAILURES - 1 },
            Way::Socket if self.failures >= FAILURES => *self = Self { way: Way::Stream, failures: 0 },
            Way::Socket => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_two_sockets_that_said_nothing_comes_a_stream() {
        let mut choice = Choice::default();
        choice.failed(true);
        choice.works();
        choice.failed(true);
        assert_eq!(choice.way(), Way::Socket);
        choice.failed(true);
        assert_eq!(choice.way(), Way::Stream);
    }

    #[test]
    fn a_network_that_is_down_speaks_against_no_way() {
        let mut choice = Choice::default();
        for _ in 0..5 {
            choice.failed(false);
        }
        assert_eq!(choice.way(), Way::Socket);
    }

    #[test]
    fn while_nobody_answers_the_ways_take_turns() {
        let mut choice = Choice::default();
        let mut ways = Vec::new();
        for _ in 0..6 {
            ways.push(choice.way());
            choice.failed(true);
        }
        assert_eq!(ways, [Way::Socket, Way::Socket, Way::Stream, Way::Socket, Way::Stream, Way::Socket]);
    }
}
