//! docs/METRICS.md.

use std::{collections::VecDeque, sync::Arc};

use server::metrics::{MetricError, Metrics, Rule};

fn measure(metrics: &Metrics, queue: Arc<VecDeque<u64>>) -> Result<(), MetricError> {
    metrics.increment("orders")?;
    metrics.register("queue.length", Rule::Max, move || queue.len() as f64)?;
    Ok(())
}
