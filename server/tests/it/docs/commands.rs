//! Every block of commands is run: all blocks of a page one behind the other, in one shell.
//!
//! A line ending in `# says …` must print that. Ports are exchanged for free ones, `make` targets looked up.

use super::{
    pages::{self, Block, Page},
    session::Session,
};

/// Begins what a command must print.
const SAYS: &str = "# says ";

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_every_page_runs() {
    // One page behind the other: each has servers of its own.
    for page in pages::all() {
        let commands: String = page.blocks_of("sh").map(|block| script(&page, &block)).collect();
        if commands.is_empty() {
            continue;
        }
        let session = Session::start(&commands).await;
        let output = session.run(&commands).await;
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {:?}\n{said}\n{complained}", page.name, output.status);
    }
}

#[test]
fn a_line_that_must_say_something_is_checked() {
    let page =
        Page { name: "x.md".into(), text: "```sh\nredis-cli \\\n  ping   # says PONG\necho 'a\nb' &\n```\n".into() };
    let block = page.blocks().remove(0);
    let expected = "WHERE=x.md:2\nsays 'PONG' 'redis-cli   ping'\nWHERE=x.md:4\necho 'a\nb' &\n";
    assert_eq!(script(&page, &block), expected);
}

/// The commands of a block, each behind a note of where it stands.
fn script(page: &Page, block: &Block) -> String {
    let mut script = String::new();
    let mut command = String::new();
    let mut began = 0;
    for (index, line) in block.text.lines().enumerate() {
        if command.is_empty() {
            began = block.line + 1 + index;
        }
        match line.strip_suffix('\\') {
            Some(first) => command.push_str(first),
            None => {
                command.push_str(line);
                // A text in quotes goes on.
                if command.matches('\'').count().is_multiple_of(2) {
                    script.push_str(&step(&page.at(began), &std::mem::take(&mut command)));
                } else {
                    command.push('\n');
                }
            }
        }
    }
    assert!(command.is_empty(), "{}: a command without an end", page.at(began));
    script
}

fn step(place: &str, command: &str) -> String {
    if command.trim().is_empty() || command.trim_start().starts_with('#') {
        return String::new();
    }
    let quoted = |text: &str| format!("'{}'", text.trim().replace('\'', r"'\''"));
    match command.split_once(SAYS) {
        Some((command, text)) => format!("WHERE={place}\nsays {} {}\n", quoted(text), quoted(command)),
        None => format!("WHERE={place}\n{command}\n"),
    }
}
