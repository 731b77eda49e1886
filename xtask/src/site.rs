//! The release site, from its sources to what is served, step by step.

use std::{fs, time::Instant};

use crate::{
    error::BuildError, files, hash, module::Module, plain_pages, precompress, project::Project, report, style,
};

/// Builds the site anew and puts it in the place of the one before.
///
/// # Errors
///
/// At the first step that fails; the site of before stays.
pub fn build(project: &Project) -> Result<(), BuildError> {
    let began = Instant::now();
    let names = &project.names;
    let site = project.staging();
    let package = project.package_folder(&site);

    files::remove(&site)?;
    fs::create_dir_all(&package).map_err(BuildError::file("create", &package))?;

    say("making the module that takes pages over");
    Module::of_site(project).build(&package)?;
    say("making the client of plain pages");
    plain_pages::build(project, &site)?;

    say("bundling the style sheet, copying the assets");
    style::bundle(
        &project.root.join(&names.style_file),
        &names.browserquery,
        &package.join(format!("{}.css", names.output_name)),
    )?;
    files::copy(&project.root.join(&names.assets_dir), &site)?;

    say("naming files by their content, compressing them");
    let hashes = hash::rename(&package, &names.output_name)?;
    precompress::all(&site)?;
    let list = site.join(hash::FILE);
    fs::write(&list, hashes).map_err(BuildError::file("write", list))?;

    files::replace(&project.site(), &site)?;
    say(&format!("{} is ready after {} seconds", project.site().display(), began.elapsed().as_secs()));
    for line in report::sizes(&project.package_folder(&project.site()))? {
        say(&line);
    }
    say(&plain_pages::size(&project.site())?);
    Ok(())
}

fn say(line: &str) {
    eprintln!("site: {line}");
}
