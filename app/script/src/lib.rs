//! `window.jPulse` for plain scripts, as text.
//!
//! Its parts are files of JavaScript that share one scope, in this order. The site's pages carry it in
//! their head, so that it is there before any other script runs. Plain pages load it as one file,
//! `/jpulse.js`, which also brings the client that connects it.
//!
//! A part keeps its comments on lines of their own and breaks no text over lines: what is sent has
//! neither comments nor indentation.

const PARTS: [&str; 8] = [
    include_str!("jpulse/basics.js"),
    include_str!("jpulse/tab.js"),
    include_str!("jpulse/requests.js"),
    include_str!("jpulse/messages.js"),
    include_str!("jpulse/endpoints.js"),
    include_str!("jpulse/toasts.js"),
    include_str!("jpulse/dialogues.js"),
    include_str!("jpulse/interface.js"),
];

/// What only plain pages need: the site's own have it from their application and style sheet.
const PLAIN_PAGE: &str = include_str!("jpulse/plain_page.js");
const PLAIN_LOOK: &str = include_str!("jpulse/plain_page.css");

/// The script for the head of a page that the site's application takes over.
pub fn for_site_pages() -> String {
    whole("", &PARTS)
}

/// The script for plain pages: it loads `module`, a JavaScript module at this path, with the
/// WebAssembly at the path `wasm`, and starts it.
pub fn for_plain_pages(module: &str, wasm: &str) -> String {
    let look = PLAIN_LOOK.lines().collect::<Vec<_>>().concat();
    let facts = format!("const CLIENT = ['{module}', '{wasm}'];\nconst LOOK = '{look}';");
    whole(&facts, &[&PARTS[..], &[PLAIN_PAGE]].concat())
}

/// The parts in one scope. A page that has the script already, keeps it.
fn whole(before: &str, parts: &[&str]) -> String {
    let mut text = String::from("(() => {\n'use strict';\nif (window.jPulse?._application) return;\n");
    let lines = before.lines().chain(parts.iter().flat_map(|part| part.lines())).map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with("//")) {
        text.push_str(line);
        text.push('\n');
    }
    text.push_str("})();\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_has_no_comments() {
        for text in [for_site_pages(), for_plain_pages("/pkg/a.js", "/pkg/a.wasm")] {
            assert!(text.lines().all(|line| !line.starts_with("//") && line == line.trim()));
        }
    }

    #[test]
    fn only_plain_pages_load_a_client_of_their_own() {
        assert!(for_plain_pages("/pkg/a.js", "/pkg/a.wasm").contains("['/pkg/a.js', '/pkg/a.wasm']"));
        assert!(!for_site_pages().contains("CLIENT"));
    }
}
