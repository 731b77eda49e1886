//! Script that somebody typed, or put into an address.

use reqwest::Client;
use serde_json::{Value, json};

use super::{
    TODOS,
    kit::{SOON, program::Program},
};

/// What would run if it were written as it is.
const SCRIPTS: [&str; 9] = [
    "<script>hacked()</script>",
    "</script><script>hacked()</script>",
    "</title><script>hacked()</script>",
    "</textarea><script>hacked()</script>",
    "<img src=x onerror=hacked()>",
    "\"><svg onload=hacked()>",
    "' onmouseover='hacked()",
    "<!--<script>hacked()",
    "\u{2028}</ScRiPt ><ScRiPt>hacked()//",
];
const PAGES: [&str; 3] =
    ["/hello-app-cluster/collaborative-todo", "/hello-spa/todo", "/hello-app-cluster/notifications"];

/// Fails when markup of a visitor's is markup in this page. In scripts, where data for them stands, `<` must
/// not appear as it is; elsewhere neither, nor quotes that end an attribute.
fn assert_inert(html: &str, what: &str) {
    for opening in ["<script>hacked", "<ScRiPt>", "<img src=x", "<svg onload", "<!--<script"] {
        assert!(!html.contains(opening), "{what}: {opening} in {html}");
    }
    for tag in html.split('<').skip(1).map(|tag| tag.split('>').next().unwrap_or_default()) {
        let is_script = tag.starts_with("script");
        assert!(is_script || !tag.to_lowercase().contains("hacked()") || is_quoted(tag), "{what}: {tag}");
    }
}

/// Whether it stands in an attribute's value only.
fn is_quoted(tag: &str) -> bool {
    tag.split('"').step_by(2).all(|outside| !outside.contains("hacked()"))
}

#[tokio::test]
async fn script_in_a_title_comes_out_as_text() {
    let program = Program::start(&[]).await;
    let client = Client::new();
    for script in SCRIPTS {
        let created = client.post(program.url(TODOS)).json(&json!({ "text": script })).send().await.unwrap();
        assert!([201, 400].contains(&created.status().as_u16()), "{script}");
        let form = client.post(program.url("/fn/todo-add")).header("accept", "text/html");
        let form = form.header("content-type", "application/x-www-form-urlencoded");
        form.body(format!("text={}", escaped(script))).send().await.unwrap();
    }
    for page in PAGES {
        let html = reqwest::get(program.url(page)).await.unwrap().text().await.unwrap();
        assert_inert(&html, page);
        assert!(!page.contains("todo") || html.contains("&lt;script&gt;hacked()"), "{page} shows them");
    }
    let list = reqwest::get(program.url(TODOS)).await.unwrap();
    assert_eq!(list.headers()["content-type"], "application/json");
    let list: Value = list.json().await.unwrap();
    assert!(list["todos"].as_array().unwrap().iter().any(|todo| todo["title"] == SCRIPTS[0]), "as it was typed");
}

#[tokio::test]
async fn script_in_an_address_comes_out_as_text_or_not_at_all() {
    let program = Program::start(&[]).await;
    let client = Client::builder().timeout(SOON).build().unwrap();
    for script in SCRIPTS {
        let script = escaped(script);
        let pages = PAGES.iter().flat_map(|page| {
            ["notice", "problem", "after", "__err", "__path", "q"].map(|name| format!("{page}?{name}={script}"))
        });
        let others = [
            format!("/{script}"),
            format!("/hello-spa/{script}"),
            format!("/pkg/{script}.js"),
            format!("/?{script}={script}"),
            format!("/fn/todo-list?after={script}"),
            format!("/fn/{script}"),
            format!("/api/1/{script}"),
            format!("{TODOS}?cursor={script}"),
            format!("/api/1/ws/{script}"),
            format!("/api/1/app-cluster/events?channel={script}"),
        ];
        for address in pages.chain(others) {
            let response = client.get(program.url(&address)).send().await.unwrap();
            let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
            let text = response.text().await.unwrap();
            match kind.as_deref() {
                Some(kind) if kind.starts_with("text/html") => assert_inert(&text, &address),
                Some(kind) if kind.starts_with("application/json") => {
                    serde_json::from_str::<Value>(&text).unwrap_or_else(|error| panic!("{address}: {error}: {text}"));
                }
                kind => panic!("{address} is {kind:?}: {text}"),
            }
        }
    }
}

#[tokio::test]
async fn script_in_a_form_leads_nowhere_else() {
    let program = Program::start(&[]).await;
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for script in SCRIPTS {
        for (function, body) in [
            ("todo-add", format!("text={}{}", escaped(script), "x".repeat(200))),
            ("todo-toggle", format!("id={}", escaped(script))),
            ("notification-send", format!("name={0}{0}&message=a", escaped(script))),
            ("notification-send", format!("wrong={}", escaped(script))),
        ] {
            for referer in ["https://evil.example/x", "//evil.example", "javascript:hacked()", "/%22%3E%3Cscript%3E"] {
                let request = client.post(program.url(&format!("/fn/{function}"))).body(body.clone());
                let request = request.header("content-type", "application/x-www-form-urlencoded");
                let answer = request.header("accept", "text/html").header("referer", referer).send().await.unwrap();
                let location = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
                let location = location.unwrap_or_default();
                assert!(location.is_empty() || location.starts_with('/'), "{function} {referer} leads to {location}");
                assert!(!location.starts_with("//") && !location.contains("hacked"), "{location}");
                assert_inert(&answer.text().await.unwrap(), function);
            }
        }
    }
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
