//! A module of WebAssembly: compiled for the browser, bound to JavaScript, made small.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use wasm_bindgen_cli_support::Bindgen;

use crate::{error::BuildError, program, project::Project};

/// What one module is made of and called.
#[derive(Clone, Copy, Debug)]
pub struct Module<'a> {
    project: &'a Project,
    /// The package compiled for it.
    package: &'a str,
    /// What its files are called, before hash and ending.
    pub name: &'a str,
}

/// The package for plain pages, and what its files are called. Not the manifest's to say: cargo-leptos, which reads
/// it, knows one module only.
const PLAIN_PAGES: (&str, &str) = ("entry", "client");

impl<'a> Module<'a> {
    /// The one that takes the site's pages over.
    pub fn of_site(project: &'a Project) -> Self {
        Self { project, package: &project.names.lib_package, name: &project.names.output_name }
    }

    /// The one that connects plain pages, and nothing else.
    pub fn of_plain_pages(project: &'a Project) -> Self {
        let (package, name) = PLAIN_PAGES;
        Self { project, package, name }
    }

    /// Makes the module and the JavaScript that loads it, in `folder`.
    ///
    /// # Errors
    ///
    /// When a step fails; it says how to get what it lacks.
    pub fn build(self, folder: &Path) -> Result<(), BuildError> {
        self.compile()?;
        self.bind(folder)?;
        self.shrink(folder)
    }

    fn compile(self) -> Result<(), BuildError> {
        let mut cargo = program::cargo();
        cargo.current_dir(&self.project.root).args(["build", "--lib", "--target", "wasm32-unknown-unknown"]);
        cargo.args(["--package", self.package, "--profile", &self.project.names.lib_profile_release]);
        program::run(&mut cargo, "scripts/setup-rust.sh")
    }

    fn bind(self, folder: &Path) -> Result<(), BuildError> {
        Bindgen::new()
            .input_path(self.project.compiled(self.package))
            .out_name(self.name)
            .typescript(false)
            .web(true)
            .and_then(|bindgen| bindgen.generate(folder))
            .map_err(|error| BuildError::Bind(format!("{error:#}")))?;

        // The name that Leptos's `HydrationScripts` asks for.
        let bound = folder.join(format!("{}_bg.wasm", self.name));
        fs::rename(&bound, self.file(folder)).map_err(BuildError::file("rename", bound))
    }

    fn shrink(self, folder: &Path) -> Result<(), BuildError> {
        let file = self.file(folder);
        let mut wasm_opt = Command::new(wasm_opt(&self.project.root));
        // The flags of cargo-leptos, so that both make the same module.
        wasm_opt.args(["-Oz", "--enable-bulk-memory", "--enable-nontrapping-float-to-int"]);
        program::run(wasm_opt.arg(&file).arg("-o").arg(&file), "scripts/setup-npm.sh")
    }

    fn file(self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.wasm", self.name))
    }
}

/// The pinned one of npm before any on PATH: Debian's (version 108) breaks what wasm-bindgen made.
fn wasm_opt(root: &Path) -> PathBuf {
    let pinned = root.join("end2end/node_modules/.bin/wasm-opt");
    if pinned.exists() { pinned } else { PathBuf::from("wasm-opt") }
}
