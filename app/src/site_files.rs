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
    let Paths { css, start } = PATHS.get_or_init(|| Paths::of(&options));
    view! {
        <link id="leptos" rel="stylesheet" href=css.as_str() />
        <script type="module" nonce=use_nonce() inner_html=start.as_str()></script>
    }
}

struct Paths {
    css: String,
    /// The script that loads the rest.
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
        // What the server rendered is shown first: until then the application would take the line from the style
        // sheet. A tab nobody sees is not painted, so it waits a second at most. Between the steps the browser may
        // see to its user; by a message, for timers of a hidden tab come late.
        let start = format!(
            "const pause=()=>new Promise((go)=>{{const {{port1,port2}}=new MessageChannel();port1.onmessage=go;port2.postMessage(0)}});\
             const run=async()=>{{const site=await import('{js}');await site.default({{module_or_path:'{wasm}'}});\
             await pause();site.connect();await pause();site.hydrate()}};\
             let begun;const begin=()=>begun??=run();\
             const wait=()=>{{requestAnimationFrame(()=>setTimeout(begin));setTimeout(begin,1000)}};\
             document.readyState==='complete'?wait():addEventListener('load',wait,{{once:true}})"
        );
        Self { css, start }
    }
}

/// The file with the hashes. Without it, names without hashes are as good a guess as any.
fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
