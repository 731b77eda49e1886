//! Running other programs.

use std::{
    env,
    ffi::OsString,
    process::{Command, Stdio},
};

use crate::error::BuildError;

/// The cargo that runs us.
pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

/// Runs a program to its end; what it prints is seen.
///
/// # Errors
///
/// When it is missing, or fails.
pub fn run(command: &mut Command, cure: &'static str) -> Result<(), BuildError> {
    let status = command.status().map_err(|source| missing(command, cure, source))?;
    if status.success() { Ok(()) } else { Err(BuildError::Failed { program: name(command) }) }
}

/// Runs cargo to its end and takes what it prints.
///
/// # Errors
///
/// When it is missing, or fails.
pub fn output(cargo: &mut Command) -> Result<Vec<u8>, BuildError> {
    let output =
        cargo.stderr(Stdio::inherit()).output().map_err(|source| missing(cargo, "scripts/setup-rust.sh", source))?;
    if output.status.success() { Ok(output.stdout) } else { Err(BuildError::Failed { program: name(cargo) }) }
}

fn missing(command: &Command, cure: &'static str, source: std::io::Error) -> BuildError {
    BuildError::Missing { program: name(command), cure, source }
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named_with_its_cure() {
        let error = run(&mut Command::new("no-such-program"), "scripts/setup-npm.sh").unwrap_err();
        assert_eq!(error.to_string(), "cannot run no-such-program; install it with: scripts/setup-npm.sh");
    }

    #[test]
    fn a_failing_program_is_an_error() {
        assert!(matches!(run(&mut Command::new("false"), ""), Err(BuildError::Failed { .. })));
    }
}
