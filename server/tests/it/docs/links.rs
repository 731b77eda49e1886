//! No link within the repository leads nowhere.

use std::path::{Component, Path, PathBuf};

use super::{pages, repository};

#[test]
fn every_link_leads_somewhere() {
    let pages = pages::all();
    let mut broken = Vec::new();
    for page in &pages {
        let folder = Path::new(&page.name).parent().unwrap();
        for link in page.links() {
            if link.text.starts_with("https://") || link.text.starts_with("http://") {
                continue;
            }
            let (path, anchor) = link.text.split_once('#').unwrap_or((&link.text, ""));
            let target = if path.is_empty() { page.name.clone() } else { flatten(&folder.join(path)) };
            let leads = if anchor.is_empty() {
                repository::root().join(&target).exists()
            } else {
                let found = pages.iter().find(|page| page.name == target);
                found.is_some_and(|page| page.anchors().iter().any(|name| name == anchor))
            };
            if !leads {
                broken.push(format!("{}: {}", page.at(link.line), link.text));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn the_list_of_guides_names_every_page() {
    let list = pages::page("docs/README.md");
    for page in pages::all() {
        let name = page.name.trim_start_matches("docs/");
        let is_named = list.links().iter().any(|link| link.text == name);
        assert!(is_named || page.name.ends_with("README.md"), "docs/README.md does not name {name}");
    }
}

/// A path without `..`.
fn flatten(path: &Path) -> String {
    let mut flat = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(flat.pop()),
            Component::Normal(part) => flat.push(part),
            _ => {}
        }
    }
    flat.to_string_lossy().into_owned()
}
