//! Lines on standard error.

use std::io::{self, IsTerminal, Write};

use thiserror::Error;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::config::{LogConfig, LogFormat};

/// The filter is none; one line.
#[derive(Debug, Error)]
#[error("configuration: log.filter is {0:?}: allowed is a level or a tracing filter")]
pub struct FilterError(String);

/// Starts to log, for as long as the process lives. Where several processes write to one place, `source` says on
/// each line which of them it is from.
///
/// # Errors
///
/// When the configured filter is none.
pub fn start(config: &LogConfig, source: Option<String>) -> Result<(), FilterError> {
    // A session that cannot be loaded is no error: whoever asked for it says what became of it.
    let filter = EnvFilter::try_new(format!("tower_sessions_core=off,{}", config.filter))
        .map_err(|_| FilterError(config.filter.clone()))?;
    let mark = source.map(|source| match config.format {
        LogFormat::Text => format!("[{source}] "),
        LogFormat::Json => format!("{{\"source\":{source:?},"),
    });
    let marking = Marking { mark: mark.unwrap_or_default(), replaced: usize::from(config.format == LogFormat::Json) };
    let mut lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(marking);
    // Colours are for people: a file of the log has none.
    if !io::stderr().is_terminal() {
        lines = lines.with_ansi(false);
    }
    match config.format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
    Ok(())
}

/// Begins each line with a mark.
struct Marking {
    mark: String,
    /// Bytes of a line that the mark stands for: of a JSON object, its brace.
    replaced: usize,
}

impl<'a> MakeWriter<'a> for Marking {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

/// Writes one line, which comes whole.
struct Line<'a>(&'a Marking);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let Self(Marking { mark, replaced }) = self;
        if mark.is_empty() {
            return io::stderr().write(line);
        }
        let rest = line.get(*replaced..).unwrap_or_default();
        // In one piece, so that lines of several processes do not mix.
        io::stderr().write_all(&[mark.as_bytes(), rest].concat())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
