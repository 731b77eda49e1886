//! The symptoms in the guide to troubles are the very words of the programs.

use super::{pages, repository};

const GUIDE: &str = "docs/TROUBLESHOOTING.md";
/// What stands for a value in a symptom.
const ANYTHING: char = '…';

#[test]
fn every_symptom_is_in_the_words_of_a_program() {
    let page = pages::page(GUIDE);
    let mut unknown = Vec::new();
    for row in page.lines_outside_blocks() {
        let Some(symptom) = row.text.strip_prefix('|').and_then(|row| row.split('|').next()) else { continue };
        for said in symptom.split('`').skip(1).step_by(2) {
            if !is_said(said) {
                unknown.push(format!("{}: {said}", page.at(row.line)));
            }
        }
    }
    assert!(unknown.is_empty(), "no program says this:\n{}\n", unknown.join("\n"));
}

/// Whether the pieces of a text stand in one source, each behind the other and close to it.
fn is_said(said: &str) -> bool {
    let pieces: Vec<&str> = said.split(ANYTHING).map(str::trim).filter(|piece| !piece.is_empty()).collect();
    repository::sources().iter().any(|(_, text)| {
        let mut starts = text.match_indices(pieces[0]);
        starts.any(|(start, _)| {
            let line = text[start..].lines().next().unwrap_or_default();
            let mut place = 0;
            pieces.iter().all(|piece| match line[place..].find(piece) {
                Some(found) => {
                    place += found + piece.len();
                    true
                }
                None => false,
            })
        })
    })
}
