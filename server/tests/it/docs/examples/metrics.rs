//! docs/METRICS.md.

#![expect(clippy::cast_precision_loss, reason = "no queue is so long")]

use std::{collections::VecDeque, sync::Arc};

use server::metrics::{MetricError, Metrics, Rule};

fn measure(metrics: &Metrics, queue: Arc<VecDeque<u64>>) -> Result<(), MetricError> {
    metrics.increment("orders")?;
    metrics.register("queue.length", Rule::Max, move || queue.len() as f64)?;
    Ok(())
}
