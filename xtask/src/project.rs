//! Where things are and what they are called: read from the manifest, as cargo-leptos reads it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{error::BuildError, program};

/// The workspace, its build directory, and what `[[workspace.metadata.leptos]]` says.
#[derive(Debug)]
pub struct Project {
    /// The folder of the root manifest.
    pub root: PathBuf,
    /// Where cargo builds: `target`, or what `CARGO_TARGET_DIR` says.
    pub target: PathBuf,
    /// The names of files and folders of the site.
    pub names: Names,
}

/// The part of cargo-leptos's settings that decides what the site looks like.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Names {
    /// What the files of the site are called, before hash and ending.
    pub output_name: String,
    /// The package compiled for the browser.
    pub lib_package: String,
    /// The profile it is compiled with.
    pub lib_profile_release: String,
    /// The folder of the compiled files inside the site.
    pub site_pkg_dir: String,
    /// The style sheet that imports all others.
    pub style_file: PathBuf,
    /// What is copied into the site as it is.
    pub assets_dir: PathBuf,
    /// The oldest browsers the style sheet is written for.
    pub browserquery: String,
}

#[derive(Deserialize)]
struct CargoMetadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    metadata: Option<WorkspaceMetadata>,
}

#[derive(Deserialize)]
struct WorkspaceMetadata {
    leptos: Vec<Names>,
}

impl Project {
    /// Asks cargo.
    ///
    /// # Errors
    ///
    /// When cargo does not answer, or the manifest has no such section.
    pub fn read() -> Result<Self, BuildError> {
        Self::parse(&program::output(program::cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?)
    }

    fn parse(json: &[u8]) -> Result<Self, BuildError> {
        let cargo: CargoMetadata = serde_json::from_slice(json).map_err(|error| BuildError::Manifest(Some(error)))?;
        let names = cargo.metadata.and_then(|metadata| metadata.leptos.into_iter().next());
        Ok(Self {
            root: cargo.workspace_root,
            target: cargo.target_directory,
            names: names.ok_or(BuildError::Manifest(None))?,
        })
    }

    /// The finished site.
    pub fn site(&self) -> PathBuf {
        self.target.join("site")
    }

    /// The site while it is being built, so that a running server never serves half of it.
    pub fn staging(&self) -> PathBuf {
        self.target.join("site.new")
    }

    /// The folder of the compiled files inside `site`.
    pub fn package_folder(&self, site: &Path) -> PathBuf {
        site.join(&self.names.site_pkg_dir)
    }

    /// A package as the compiler leaves it.
    pub fn compiled(&self, package: &str) -> PathBuf {
        let file = format!("{}.wasm", package.replace('-', "_"));
        self.target.join("wasm32-unknown-unknown").join(&self.names.lib_profile_release).join(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_names_everything() {
        let project = Project::parse(
            br#"{
                "workspace_root": "/w", "target_directory": "/t", "packages": [],
                "metadata": { "leptos": [{
                    "output-name": "site", "lib-package": "front-end", "lib-profile-release": "small",
                    "site-pkg-dir": "pkg", "style-file": "style/main.css", "assets-dir": "public",
                    "browserquery": "chrome 111", "unknown": true
                }] }
            }"#,
        )
        .unwrap();
        assert_eq!(
            project.compiled(&project.names.lib_package),
            Path::new("/t/wasm32-unknown-unknown/small/front_end.wasm")
        );
        assert_eq!(project.package_folder(&project.site()), Path::new("/t/site/pkg"));
        assert_eq!(project.names.output_name, "site");
    }

    #[test]
    fn a_manifest_without_the_section_is_an_error() {
        let json = br#"{ "workspace_root": "/w", "target_directory": "/t", "metadata": null }"#;
        assert!(matches!(Project::parse(json), Err(BuildError::Manifest(None))));
    }
}
