//! What components measure of their own.
//!
//! A counter counts up ([`Custom::increment`]); a gauge is asked for its value when the instance reports.
//! A rule says what the values of all instances make together.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

/// Names at most; more are refused.
pub const NAMES: usize = 256;
/// Counters of every instance: requests answered, those with 500 and above, and users who are signed in on sockets.
pub(super) const BUILT_IN: [&str; 3] = ["api_requests", "errors", "active_users"];
/// Characters of a name at most.
const NAME_CHARS: usize = 64;

/// What the values of several instances make together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// Their sum.
    #[default]
    Sum,
    /// Their mean.
    Average,
    /// The least.
    Min,
    /// The most.
    Max,
}

/// A value and its rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// What it was.
    pub value: f64,
    /// What it makes with others.
    pub rule: Rule,
}

/// Why a metric was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetricError {
    /// Not a name.
    #[error("{0:?} is no name of a metric: 1 to {NAME_CHARS} of A-Z a-z 0-9 _ . -")]
    Name(String),
    /// As many as there may be.
    #[error("there are {NAMES} metrics already")]
    TooMany,
    /// Another has the name.
    #[error("there is a metric {0:?} already")]
    Taken(String),
}

type Gauge = Arc<dyn Fn() -> f64 + Send + Sync>;

/// The metrics of one instance's components.
#[derive(Default)]
pub(super) struct Custom {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    counters: BTreeMap<String, u64>,
    gauges: BTreeMap<String, (Rule, Gauge)>,
}

impl Custom {
    pub(super) fn increment(&self, name: &str, by: u64) -> Result<(), MetricError> {
        let mut inner = self.inner();
        if let Some(counter) = inner.counters.get_mut(name) {
            *counter += by;
            return Ok(());
        }
        inner.admit(name)?;
        inner.counters.insert(name.to_owned(), by);
        Ok(())
    }

    pub(super) fn register(&self, name: &str, rule: Rule, gauge: Gauge) -> Result<(), MetricError> {
        let mut inner = self.inner();
        inner.admit(name)?;
        inner.gauges.insert(name.to_owned(), (rule, gauge));
        Ok(())
    }

    /// Everything counted, for keys of its own.
    pub(super) fn counters(&self) -> Vec<(String, u64)> {
        self.inner().counters.iter().map(|(name, count)| (name.clone(), *count)).collect()
    }

    /// Everything, as it is reported. What a gauge measures must be finite.
    pub(super) fn measure(&self) -> BTreeMap<String, Measured> {
        let (counters, gauges) = {
            let inner = self.inner();
            (inner.counters.clone(), inner.gauges.clone())
        };
        // Outside the lock: a gauge is somebody else's code.
        let measured = gauges.into_iter().map(|(name, (rule, gauge))| (name, Measured { value: gauge(), rule }));
        #[expect(clippy::cast_precision_loss, reason = "a count of more than 2^52 may be off by one")]
        let counted =
            counters.into_iter().map(|(name, count)| (name, Measured { value: count as f64, rule: Rule::Sum }));
        counted.chain(measured).filter(|(_, measured)| measured.value.is_finite()).collect()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn admit(&self, name: &str) -> Result<(), MetricError> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if !(1..=NAME_CHARS).contains(&name.len()) || !name.bytes().all(is_part) {
            return Err(MetricError::Name(name.to_owned()));
        }
        let is_taken = self.counters.contains_key(name) || self.gauges.contains_key(name);
        if is_taken || BUILT_IN.contains(&name) {
            return Err(MetricError::Taken(name.to_owned()));
        }
        if self.counters.len() + self.gauges.len() >= NAMES {
            return Err(MetricError::TooMany);
        }
        Ok(())
    }
}

/// What the values of all instances make, by name.
pub(super) fn together<'a>(
    reports: impl Iterator<Item = &'a BTreeMap<String, Measured>>,
) -> BTreeMap<&'a str, Measured> {
    let mut found: BTreeMap<&str, Vec<&Measured>> = BTreeMap::new();
    for (name, measured) in reports.flatten() {
        found.entry(name).or_default().push(measured);
    }
    let make = |(name, all): (&'a str, Vec<&Measured>)| {
        let rule = all[0].rule;
        let values = all.iter().map(|measured| measured.value);
        #[expect(clippy::cast_precision_loss, reason = "a number of instances")]
        let count = all.len() as f64;
        let value = match rule {
            Rule::Sum => values.sum(),
            Rule::Average => values.sum::<f64>() / count,
            Rule::Min => values.fold(f64::INFINITY, f64::min),
            Rule::Max => values.fold(f64::NEG_INFINITY, f64::max),
        };
        (name, Measured { value, rule })
    };
    found.into_iter().map(make).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_several_instances_make_what_their_rule_says() {
        let report = |value| {
            [("a", Rule::Sum), ("b", Rule::Average), ("c", Rule::Min), ("d", Rule::Max)]
                .map(|(name, rule)| (name.to_owned(), Measured { value, rule }))
        };
        let reports = [2.0, 6.0].map(|value| BTreeMap::from(report(value)));
        let made: Vec<f64> = together(reports.iter()).values().map(|measured| measured.value).collect();
        assert_eq!(made, [8.0, 4.0, 2.0, 6.0]);
    }

    #[test]
    fn a_name_is_one_metric_and_there_are_so_many() {
        let custom = Custom::default();
        custom.increment("orders", 2).unwrap();
        custom.increment("orders", 1).unwrap();
        custom.register("stock", Rule::Min, Arc::new(|| 5.0)).unwrap();
        custom.register("broken", Rule::Min, Arc::new(|| f64::NAN)).unwrap();
        assert_eq!(custom.register("orders", Rule::Max, Arc::new(|| 0.0)), Err(MetricError::Taken("orders".into())));
        for name in ["", "a b", "a:b", &"x".repeat(65)] {
            assert!(matches!(custom.increment(name, 1), Err(MetricError::Name(_))), "{name}");
        }
        let measured: Vec<(String, f64)> = custom.measure().into_iter().map(|(name, m)| (name, m.value)).collect();
        assert_eq!(measured, [("orders".to_owned(), 3.0), ("stock".to_owned(), 5.0)]);
        for number in 0..NAMES {
            let _ = custom.increment(&format!("n{number}"), 1);
        }
        assert_eq!(custom.increment("one-more", 1), Err(MetricError::TooMany));
    }
}
