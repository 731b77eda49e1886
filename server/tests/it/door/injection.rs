//! Where a document is asked for, an operator or a path comes instead.

use reqwest::{Client, Method};
use serde_json::{Value, json};
use server::config::Config;

use super::{
    TODOS,
    kit::{
        instance::Running,
        mongod::{Mongod, fresh_database},
        raw,
    },
    titles,
};

/// In addresses, as text and escaped.
const OPERATORS: [&str; 6] = [
    "%7B%22%24ne%22%3Anull%7D",
    "%7B%22%24gt%22%3A%22%22%7D",
    "%24where",
    "[$ne]",
    "00000000000000000000000%00",
    "'%20or%201=1--",
];

async fn ask(instance: &Running, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let mut request = Client::new().request(method, instance.url(&format!("{TODOS}{path}")));
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// No operator reaches a database, whichever it is.
async fn withstand(instance: &Running) {
    assert_eq!(ask(instance, Method::POST, "", Some(json!({ "text": "kept" }))).await.0, 201);
    for operator in [json!({ "$ne": null }), json!({ "$gt": "" }), json!([{ "$ne": null }]), json!(null), json!(1)] {
        let (status, body) = ask(instance, Method::POST, "", Some(json!({ "text": operator }))).await;
        assert_eq!((status, &body["code"]), (400, &json!("VALIDATION_ERROR")), "{body}");
        // Beside a title it is not looked at.
        let body = json!({ "text": "kept", "username": operator, "_id": operator, "$set": { "title": "changed" } });
        let (status, body) = ask(instance, Method::POST, "", Some(body)).await;
        assert_eq!((status, &body["todo"]["username"]), (201, &json!("guest")), "{body}");
    }
    for operator in OPERATORS {
        for (method, path) in [(Method::PUT, format!("/{operator}/toggle")), (Method::DELETE, format!("/{operator}"))] {
            let (status, body) = ask(instance, method.clone(), &path, Some(json!({ "_id": { "$ne": null } }))).await;
            assert!([400, 404].contains(&status), "{method} {path}: {body}");
        }
    }
    for query in ["?cursor[$gt]=", "?limit[$ne]=1", "?cursor=%7B%22%24gt%22%3A%22%22%7D", "?limit=%7B%7D"] {
        let (status, body) = ask(instance, Method::GET, query, None).await;
        // An unknown parameter is none.
        assert!(status == 400 || query.contains('['), "{query}: {body}");
    }
    for function in ["todo-toggle", "todo-delete"] {
        for body in ["id[$ne]=", "id=%7B%22%24ne%22%3Anull%7D", "id="] {
            let request = Client::new().post(instance.url(&format!("/fn/{function}"))).body(body);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            assert_eq!(request.send().await.unwrap().status(), 400, "{function} {body}");
        }
    }
    assert_eq!(titles(instance).await, ["kept"; 6]);
    assert_eq!(ask(instance, Method::GET, "/stats", None).await.1["stats"]["completed"], 0);
}

#[tokio::test]
async fn an_operator_is_no_title_and_no_id_with_a_file() {
    withstand(&Running::start(Config::default()).await).await;
}

#[tokio::test]
async fn an_operator_is_no_title_and_no_id_with_mongodb() {
    let mongod = Mongod::shared();
    let mut config = Config::default();
    config.mongodb.uri = mongod.uri(&fresh_database());
    withstand(&Running::start(config).await).await;
}

#[tokio::test]
async fn no_path_leads_out_of_the_site() {
    let instance = Running::start(Config::default()).await;
    std::fs::write(instance.site_root().join("open.txt"), "open").unwrap();
    assert!(raw::ask(instance.address, "GET /open.txt", "").await.text.ends_with("open"));
    let up =
        ["../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "..\\", "%252e%252e%252f", "..;/", "....//", "%c0%ae%c0%ae/"];
    for step in up {
        for start in ["/", "/pkg/", "/pkg//", "//", "/./"] {
            for file in ["etc/passwd", "etc/passwd%00.js", "proc/self/environ"] {
                let path = format!("{start}{}{file}", step.repeat(12));
                let answer = raw::ask(instance.address, &format!("GET {path}"), "").await;
                assert!([400, 404].contains(&answer.status()), "{path}: {:.100}", answer.text);
                assert!(!answer.text.contains("root:") && !answer.text.contains("PATH="), "{path}");
            }
        }
    }
    for path in ["//etc/passwd", "/%2fetc/passwd", "/file:///etc/passwd", "/open.txt%00", "/C:/open.txt"] {
        let answer = raw::ask(instance.address, &format!("GET {path}"), "").await;
        assert!([400, 404].contains(&answer.status()), "{path}: {:.100}", answer.text);
    }
}
