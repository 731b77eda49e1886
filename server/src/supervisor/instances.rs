//! How many instances `--instances` starts.

use std::{num::NonZeroUsize, str::FromStr, thread::available_parallelism};

/// Instances of one supervisor at most.
const MOST: u16 = 64;

/// A number of instances: 1 to 64, or `max`, which is one for each processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instances(u16);

impl Instances {
    /// How many.
    #[must_use]
    pub fn count(self) -> u16 {
        self.0
    }

    /// One for each processor, 64 at most.
    fn one_per_processor(processors: usize) -> Self {
        Self(u16::try_from(processors).unwrap_or(MOST).clamp(1, MOST))
    }
}

impl FromStr for Instances {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::one_per_processor(available_parallelism().map_or(1, NonZeroUsize::get)));
        }
        let number = text.parse().ok().filter(|number| (1..=MOST).contains(number));
        number.map(Self).ok_or_else(|| format!("allowed is 1 to {MOST}, or max: one for each processor"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn max_is_one_for_each_processor_within_the_bounds() {
        assert_eq!(
            "max".parse::<Instances>().map(Instances::count),
            Ok(Instances::one_per_processor(available_parallelism().unwrap().get()).count())
        );
        assert_eq!([0, 1, 8, 500].map(|processors| Instances::one_per_processor(processors).count()), [1, 1, 8, 64]);
        assert_eq!("64".parse(), Ok(Instances(64)));
        for wrong in ["0", "65", "MAX", "", "-1", "two"] {
            assert!(wrong.parse::<Instances>().is_err(), "{wrong}");
        }
    }
}
