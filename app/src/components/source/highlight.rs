//! Colours for code, on the server: comments, texts and words of the language. No more than a reader needs to
//! find the way, and nothing a browser has to run.

/// Words of Rust.
const RUST: &[&str] = &[
    "as", "async", "await", "const", "crate", "else", "enum", "fn", "for", "if", "impl", "in", "let", "loop", "match",
    "mod", "move", "mut", "pub", "ref", "return", "self", "Self", "static", "struct", "super", "trait", "type", "use",
    "where", "while",
];
/// Words of JavaScript.
const JAVASCRIPT: &[&str] = &[
    "async", "await", "catch", "class", "const", "else", "export", "for", "function", "if", "import", "let", "new",
    "of", "return", "static", "throw", "try", "while",
];

/// The code as markup: escaped, with the parts that have a colour in spans.
pub(super) fn html(code: &str, language: &str) -> String {
    let is_rust = language == "Rust";
    let words = if is_rust { RUST } else { JAVASCRIPT };
    let mut html = String::with_capacity(code.len() * 2);
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let (class, length) = match first {
            '/' if rest.starts_with("//") => ("tok-comment", rest.find('\n').unwrap_or(rest.len())),
            '"' => ("tok-text", text_length(rest, first)),
            // In Rust a quote may begin a lifetime: left alone.
            '\'' | '`' if !is_rust => ("tok-text", text_length(rest, first)),
            _ if is_part(first) => {
                let length = rest.find(|char| !is_part(char)).unwrap_or(rest.len());
                let class = if words.contains(&&rest[..length]) { "tok-word" } else { "" };
                (class, length)
            }
            _ => ("", first.len_utf8()),
        };
        let (token, behind) = rest.split_at(length);
        if class.is_empty() {
            escape(token, &mut html);
        } else {
            html.push_str("<span class=\"");
            html.push_str(class);
            html.push_str("\">");
            escape(token, &mut html);
            html.push_str("</span>");
        }
        rest = behind;
    }
    html
}

fn is_part(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Bytes up to and with the quote that ends the text.
fn text_length(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (place, char) in text.char_indices().skip(1) {
        if is_escaped {
            is_escaped = false;
        } else if char == '\\' {
            is_escaped = true;
        } else if char == quote {
            return place + char.len_utf8();
        }
    }
    text.len()
}

fn escape(text: &str, html: &mut String) {
    for char in text.chars() {
        match char {
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '&' => html.push_str("&amp;"),
            '"' => html.push_str("&quot;"),
            _ => html.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::html;

    #[test]
    fn comments_texts_and_words_are_marked_and_everything_is_escaped() {
        let code = "let a = \"<b> // \\\" no\"; // a <comment>\nletter";
        assert_eq!(
            html(code, "Rust"),
            "<span class=\"tok-word\">let</span> a = <span class=\"tok-text\">&quot;&lt;b&gt; // \\&quot; no&quot;</span>; \
             <span class=\"tok-comment\">// a &lt;comment&gt;</span>\nletter"
        );
    }

    #[test]
    fn a_lifetime_is_no_text_and_a_text_of_a_script_is() {
        assert_eq!(html("&'a T", "Rust"), "&amp;'a T");
        assert_eq!(html("'a'", "JavaScript"), "<span class=\"tok-text\">'a'</span>");
    }

    #[test]
    fn nothing_is_lost_whatever_it_is() {
        for code in ["", "\"open", "`\\", "ä/ü //", "''"] {
            let plain = html(code, "JavaScript").replace("</span>", "").replace("&quot;", "\"");
            let plain: String = plain
                .split("<span class=\"")
                .enumerate()
                .map(
                    |(place, part)| {
                        if place == 0 { part } else { part.split_once("\">").map_or(part, |(_, rest)| rest) }
                    },
                )
                .collect();
            assert_eq!(plain, code);
        }
    }
}
