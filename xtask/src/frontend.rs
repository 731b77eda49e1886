//! The frontend: compiled for the browser, bound to JavaScript, made small.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use wasm_bindgen_cli_support::Bindgen;

use crate::{error::BuildError, program, project::Project};

/// Compiles the frontend for the browser.
///
/// # Errors
///
/// When it does not compile.
pub fn compile(project: &Project) -> Result<(), BuildError> {
    let names = &project.names;
    let mut cargo = program::cargo();
    cargo.current_dir(&project.root).args(["build", "--lib", "--target", "wasm32-unknown-unknown"]);
    cargo.args(["--package", &names.lib_package, "--profile", &names.lib_profile_release]);
    program::run(&mut cargo, "scripts/setup-rust.sh")
}

/// Makes the JavaScript that loads the compiled frontend, and the module it loads, in `folder`.
///
/// # Errors
///
/// When wasm-bindgen's library refuses, most often because its version is not that of `wasm-bindgen`.
pub fn bind(project: &Project, folder: &Path) -> Result<(), BuildError> {
    let name = &project.names.output_name;
    Bindgen::new()
        .input_path(project.compiled_frontend())
        .out_name(name)
        .typescript(false)
        .web(true)
        .and_then(|bindgen| bindgen.generate(folder))
        .map_err(|error| BuildError::Bind(format!("{error:#}")))?;

    // The name that Leptos's `HydrationScripts` asks for.
    let bound = folder.join(format!("{name}_bg.wasm"));
    fs::rename(&bound, module(project, folder)).map_err(BuildError::file("rename", bound))
}

/// Makes the module in `folder` smaller.
///
/// # Errors
///
/// When `wasm-opt` is missing or fails.
pub fn shrink(project: &Project, folder: &Path) -> Result<(), BuildError> {
    let module = module(project, folder);
    let mut wasm_opt = Command::new(wasm_opt(&project.root));
    // The flags of cargo-leptos, so that both make the same module.
    wasm_opt.args(["-Oz", "--enable-bulk-memory", "--enable-nontrapping-float-to-int"]);
    program::run(wasm_opt.arg(&module).arg("-o").arg(&module), "scripts/setup-npm.sh")
}

fn module(project: &Project, folder: &Path) -> PathBuf {
    folder.join(format!("{}.wasm", project.names.output_name))
}

/// The pinned one of npm before any on PATH: Debian's (version 108) breaks what wasm-bindgen made.
fn wasm_opt(root: &Path) -> PathBuf {
    let pinned = root.join("end2end/node_modules/.bin/wasm-opt");
    if pinned.exists() { pinned } else { PathBuf::from("wasm-opt") }
}
