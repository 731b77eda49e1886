//! The figures, as people read them.

use std::{fmt, io::Write};

use crate::machine;

/// One figure.
pub struct Row {
    what: String,
    measured: f64,
    unit: &'static str,
    target: Option<Target>,
}

/// What a figure should be.
#[derive(Clone, Copy)]
pub enum Target {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

impl Row {
    /// A figure with its unit and, where there is one, its target.
    pub fn new(what: impl Into<String>, measured: f64, unit: &'static str, target: Option<Target>) -> Self {
        Self { what: what.into(), measured, unit, target }
    }

    fn cells(&self) -> [String; 5] {
        [
            self.what.clone(),
            number(self.measured),
            self.unit.to_owned(),
            self.target.map(|target| target.to_string()).unwrap_or_default(),
            self.target.map(|target| target.verdict(self.measured).to_owned()).unwrap_or_default(),
        ]
    }
}

impl Target {
    fn verdict(self, measured: f64) -> &'static str {
        let is_met = match self {
            Self::AtMost(most) => measured <= most,
            Self::AtLeast(least) => measured >= least,
        };
        if is_met { "met" } else { "missed" }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(most) => write!(formatter, "≤ {}", number(*most)),
            Self::AtLeast(least) => write!(formatter, "≥ {}", number(*least)),
        }
    }
}

/// Says what is being measured now.
pub fn progress(what: &str) {
    eprintln!("measuring: {what}");
}

/// Prints one table and the machine it was measured on.
pub fn print(rows: &[Row]) {
    let heads = ["figure", "measured", "unit", "target", ""].map(str::to_owned);
    let lines: Vec<[String; 5]> = std::iter::once(heads).chain(rows.iter().map(Row::cells)).collect();
    let widths: [usize; 5] =
        std::array::from_fn(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default());
    let [what_width, measured_width, unit_width, target_width, _] = widths;
    let mut out = std::io::stdout().lock();
    for [what, measured, unit, target, verdict] in &lines {
        let line = format!(
            "{what:what_width$}  {measured:>measured_width$}  {unit:unit_width$}  {target:>target_width$}  {verdict}"
        );
        // A reader who has gone needs no figures.
        let _ = writeln!(out, "{}", line.trim_end());
    }
    let _ = writeln!(out, "\n{}; payloads of 200 bytes.", machine::describe());
}

/// Three digits that count, and commas between thousands.
fn number(value: f64) -> String {
    if value < 10.0 {
        return format!("{value:.2}");
    }
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
