//! The site's own files as a page names them: style sheet, script, WebAssembly.

use std::sync::OnceLock;

use leptos::prelude::*;

/// Loads the style sheet, and the application that takes the page over.
///
/// The names carry hashes of their files' content. Leptos's own components read them from the disk
/// for every page; here they are read once, for a site is installed together with its server.
#[component]
pub fn SiteFiles(
    /// Where the site is and what its files are called.
    options: LeptosOptions,
) -> impl IntoView {
    static PATHS: OnceLock<Paths> = OnceLock::new();
    let Paths { css, js, wasm, start } = PATHS.get_or_init(|| Paths::of(&options));
    view! {
        <link id="leptos" rel="stylesheet" href=css.as_str() />
        <link rel="modulepreload" href=js.as_str() nonce=use_nonce() />
        <link rel="preload" href=wasm.as_str() r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
        <script type="module" nonce=use_nonce() inner_html=start.as_str()></script>
    }
}

struct Paths {
    css: String,
    js: String,
    wasm: String,
    /// The script that loads the other two.
    start: String,
}

impl Paths {
    fn of(options: &LeptosOptions) -> Self {
        let hashes = if options.hash_files { read(&options.hash_file) } else { String::new() };
        let path = |kind: &str| {
            let found = hashes.lines().find_map(|line| line.strip_prefix(kind)?.strip_prefix(':'));
            let hash = found.map(|hash| format!(".{}", hash.trim())).unwrap_or_default();
            format!("/{}/{}{hash}.{kind}", options.site_pkg_dir, options.output_name)
        };
        let (css, js, wasm) = (path("css"), path("js"), path("wasm"));
        let start = format!("import init,{{hydrate}} from '{js}';init({{module_or_path:'{wasm}'}}).then(hydrate)");
        Self { css, js, wasm, start }
    }
}

/// The file with the hashes. Without it, names without hashes are as good a guess as any.
fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
