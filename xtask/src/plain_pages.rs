//! What plain pages load: `/jpulse.js`, and the client it brings.
//!
//! Only `cargo xtask build` makes it: cargo-leptos builds one module, the site's.

use std::{fs, path::Path};

use crate::{error::BuildError, hash, module::Module, project::Project, report};

/// The script of plain pages, in the site: a name for ever, behind which the client may change.
pub const SCRIPT: &str = "jpulse.js";

/// Makes the client in the package folder of `site`, and the script.
///
/// # Errors
///
/// When a step fails.
pub fn build(project: &Project, site: &Path) -> Result<(), BuildError> {
    let module = Module::of_plain_pages(project);
    let package = project.package_folder(site);
    module.build(&package)?;
    let [js, wasm] = ["js", "wasm"].map(|ending| hash::rename_one(&package, module.name, ending));
    let path = |hash: &str, ending: &str| format!("/{}/{}.{hash}.{ending}", project.names.site_pkg_dir, module.name);
    let script = site.join(SCRIPT);
    fs::write(&script, script::for_plain_pages(&path(&js?, "js"), &path(&wasm?, "wasm")))
        .map_err(BuildError::file("write", script))
}

/// Whether a file of the site, by its name there, is one of them.
pub fn is_one(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or_default();
    name == SCRIPT || file.starts_with("client.")
}

/// What a plain page downloads, on one line.
///
/// # Errors
///
/// When the site cannot be read.
pub fn size(site: &Path) -> Result<String, BuildError> {
    report::total("a plain page", site, is_one)
}

#[cfg(test)]
mod tests {
    use super::is_one;

    #[test]
    fn the_files_of_plain_pages_are_known_by_their_names() {
        assert!(["jpulse.js", "pkg/client.AbC.js", "pkg/client.AbC.wasm"].into_iter().all(is_one));
        assert!(!["jpulse.d.ts", "pkg/jpulse.AbC.js", "hello-plain.html"].into_iter().any(is_one));
    }
}
