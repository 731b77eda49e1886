//! What was found, and how it is written down.

use std::{fmt, io};

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Works, but somebody may be surprised one day.
    Warning,
    /// Does not work, or loses something.
    Error,
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was looked at.
    pub what: &'static str,
    /// What it is like.
    pub found: String,
    /// What helps; empty when nothing needs to.
    pub cure: String,
}

/// Everything that was found, in the order it was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// Everything, in the order it was looked at.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether anything does not work or loses something.
    pub fn has_errors(&self) -> bool {
        self.count(Level::Error) > 0
    }

    pub(super) fn ok(&mut self, what: &'static str, found: impl Into<String>) {
        self.add(Level::Ok, what, found, "");
    }

    pub(super) fn warn(&mut self, what: &'static str, found: impl Into<String>, cure: impl Into<String>) {
        self.add(Level::Warning, what, found, cure);
    }

    pub(super) fn fail(&mut self, what: &'static str, found: impl Into<String>, cure: impl Into<String>) {
        self.add(Level::Error, what, found, cure);
    }

    pub(super) fn add(&mut self, level: Level, what: &'static str, found: impl Into<String>, cure: impl Into<String>) {
        let one_line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.findings.push(Finding { level, what, found: one_line(found.into()), cure: one_line(cure.into()) });
    }

    fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    /// One line a finding in columns, then how many there are.
    pub(super) fn write_lines(&self, out: &mut impl io::Write) -> io::Result<()> {
        let width = self.findings.iter().map(|finding| finding.what.len()).max().unwrap_or_default();
        for Finding { level, what, found, cure } in &self.findings {
            let separator = if cure.is_empty() { "" } else { " → " };
            writeln!(out, "{level:<7}  {what:<width$}  {found}{separator}{cure}")?;
        }
        let counted = |level, name| match self.count(level) {
            1 => format!("1 {name}"),
            count => format!("{count} {name}s"),
        };
        writeln!(out, "{}, {}", counted(Level::Error, "error"), counted(Level::Warning, "warning"))
    }

    pub(super) fn write_json(&self, out: &mut impl io::Write) -> io::Result<()> {
        writeln!(out, "{}", serde_json::to_string_pretty(&self.findings)?)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_in_columns() {
        let mut report = Report::default();
        report.ok("short", "fine");
        report.fail("something longer", "wrong\nin two lines", "mend it");
        let mut text = Vec::new();
        report.write_lines(&mut text).unwrap();
        let expected = "ok       short             fine\n\
                        error    something longer  wrong in two lines → mend it\n\
                        1 error, 0 warnings\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}
