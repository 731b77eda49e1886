//! Markdown, taken apart: fenced blocks, code in the text, links, headings.

use std::path::Path;

use super::repository;

/// One page of the documentation.
pub struct Page {
    /// From the root of the repository: `docs/PROTOCOL.md`.
    pub name: String,
    pub text: String,
}

/// A fenced block.
pub struct Block {
    /// The first word behind the fence; empty without one.
    pub language: String,
    /// What stands behind that word.
    pub note: String,
    pub text: String,
    /// Of its fence, counted from 1.
    pub line: usize,
}

/// A piece of a page and the line it stands on.
pub struct Piece {
    pub text: String,
    pub line: usize,
}

/// README.md and everything in docs/.
pub fn all() -> Vec<Page> {
    let is_page = |name: &&String| {
        *name == "README.md"
            || name.starts_with("docs/") && Path::new(name).extension().is_some_and(|ending| ending == "md")
    };
    let pages: Vec<Page> = repository::files()
        .iter()
        .filter(is_page)
        .map(|name| Page { name: name.clone(), text: repository::read(name) })
        .collect();
    assert!(pages.len() > 5, "the documentation was not found");
    pages
}

/// The page of this name.
pub fn page(name: &str) -> Page {
    all().into_iter().find(|page| page.name == name).unwrap_or_else(|| panic!("{name} is missing"))
}

impl Page {
    /// Where something is, for people.
    pub fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.name)
    }

    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (index, line) in self.text.lines().enumerate() {
            match (line.trim_start().strip_prefix("```"), &mut open) {
                (Some(info), None) => {
                    let (language, note) = info.trim().split_once(' ').unwrap_or((info.trim(), ""));
                    open = Some(Block {
                        language: language.to_owned(),
                        note: note.trim().to_owned(),
                        text: String::new(),
                        line: index + 1,
                    });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (None, Some(block)) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a block without an end", self.name);
        blocks
    }

    /// The blocks of one language.
    pub fn blocks_of(&self, language: &str) -> impl Iterator<Item = Block> {
        self.blocks().into_iter().filter(move |block| block.language == language)
    }

    /// What stands between backticks outside of blocks. A span may go over the end of a line.
    pub fn spans(&self) -> Vec<Piece> {
        let mut spans = Vec::new();
        for paragraph in self.paragraphs() {
            for (number, part) in paragraph.text.split('`').enumerate() {
                if number % 2 == 1 {
                    spans.push(Piece { text: part.replace('\n', " "), line: paragraph.line });
                }
            }
        }
        spans
    }

    /// The targets of links and pictures.
    pub fn links(&self) -> Vec<Piece> {
        let mut links = Vec::new();
        for Piece { text, line } in self.lines_outside_blocks() {
            for rest in text.split("](").skip(1) {
                let target = rest.split(')').next().unwrap_or_default();
                links.push(Piece { text: target.to_owned(), line });
            }
        }
        links
    }

    /// The names that headings have in links.
    pub fn anchors(&self) -> Vec<String> {
        let lines = self.lines_outside_blocks();
        let headings = lines.iter().filter(|line| line.text.starts_with('#'));
        headings.map(|line| anchor(line.text.trim_start_matches('#').trim())).collect()
    }

    /// The lines of the text that are in no block.
    pub fn lines_outside_blocks(&self) -> Vec<Piece> {
        let mut is_inside = false;
        let mut lines = Vec::new();
        for (index, line) in self.text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                is_inside = !is_inside;
            } else if !is_inside {
                lines.push(Piece { text: line.to_owned(), line: index + 1 });
            }
        }
        lines
    }

    /// Runs of lines without an empty one between them; a row of a table is one of its own.
    fn paragraphs(&self) -> Vec<Piece> {
        let mut paragraphs: Vec<Piece> = Vec::new();
        let mut last = 0;
        for Piece { text, line } in self.lines_outside_blocks() {
            match paragraphs.last_mut() {
                Some(paragraph) if last + 1 == line && !text.is_empty() && !text.starts_with('|') => {
                    paragraph.text.push('\n');
                    paragraph.text.push_str(&text);
                }
                _ => paragraphs.push(Piece { text, line }),
            }
            last = line;
        }
        paragraphs
    }
}

/// As GitHub names a heading in links.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|char| char.is_alphanumeric() || matches!(char, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn a_page_is_taken_apart() {
    let text = "# One, two\nA `span` and\n`an\nother`, [a link](b.md#c).\n\n```sh note here\n`not a span`\n```\n";
    let page = Page { name: "x.md".into(), text: text.into() };
    assert_eq!(page.spans().iter().map(|span| span.text.as_str()).collect::<Vec<_>>(), ["span", "an other"]);
    assert_eq!(page.links()[0].text, "b.md#c");
    assert_eq!(page.anchors(), ["one-two"]);
    let [block] = &page.blocks()[..] else { panic!("one block") };
    assert_eq!((&*block.language, &*block.note, &*block.text, block.line), ("sh", "note here", "`not a span`\n", 6));
}
