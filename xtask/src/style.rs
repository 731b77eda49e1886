//! One minified style sheet out of those that import each other.

use std::{fs, path::Path};

use lightningcss::{
    bundler::{Bundler, FileProvider},
    stylesheet::{MinifyOptions, ParserOptions, PrinterOptions, StyleSheet},
    targets::{Browsers, Targets},
};

use crate::error::BuildError;

/// Bundles the style sheet at `source` with all it imports and writes it, minified, to `target`.
///
/// # Errors
///
/// When a sheet is missing or not valid, naming place and reason.
pub fn bundle(source: &Path, browsers: &str, target: &Path) -> Result<(), BuildError> {
    let files = FileProvider::new();
    let bundled = Bundler::new(&files, None, ParserOptions::default())
        .bundle(source)
        .map_err(|error| BuildError::Style(error.to_string()))?
        .to_css(PrinterOptions::default())
        .map_err(|error| BuildError::Style(error.to_string()))?;
    fs::write(target, minify(&bundled.code, browsers)?).map_err(BuildError::file("write", target))
}

fn minify(css: &str, browsers: &str) -> Result<String, BuildError> {
    let browsers = Browsers::from_browserslist([browsers]).map_err(|error| BuildError::Style(error.to_string()))?;
    let targets = Targets::from(browsers);
    let mut sheet =
        StyleSheet::parse(css, ParserOptions::default()).map_err(|error| BuildError::Style(error.to_string()))?;
    sheet
        .minify(MinifyOptions { targets, ..MinifyOptions::default() })
        .map_err(|error| BuildError::Style(error.to_string()))?;
    let printed = sheet.to_css(PrinterOptions { targets, minify: true, ..PrinterOptions::default() });
    Ok(printed.map_err(|error| BuildError::Style(error.to_string()))?.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imported_sheets_become_one() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("colours.css"), ":root { --ink: #112233; }").unwrap();
        fs::write(folder.path().join("main.css"), "@import 'colours.css'; body { color: var(--ink) }").unwrap();

        let target = folder.path().join("site.css");
        bundle(&folder.path().join("main.css"), "chrome 111", &target).unwrap();

        assert_eq!(fs::read_to_string(target).unwrap(), ":root{--ink:#123}body{color:var(--ink)}");
    }

    #[test]
    fn older_browsers_get_what_they_understand() {
        let nested = "a { &:hover { color: red } }";
        assert_eq!(minify(nested, "chrome 125").unwrap(), "a{&:hover{color:red}}");
        assert_eq!(minify(nested, "chrome 90").unwrap(), "a:hover{color:red}");
    }

    #[test]
    fn a_missing_import_is_named_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let main = folder.path().join("main.css");
        fs::write(&main, "@import 'lost.css';").unwrap();
        let error = bundle(&main, "chrome 111", &folder.path().join("site.css")).unwrap_err();
        assert!(error.to_string().contains("main.css:0"), "{error}");
    }
}
