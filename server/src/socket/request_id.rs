//! What a client sends to be given back on the answer.

use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

/// A `requestId`: any JSON value but `null`, returned as it was written, digit by digit.
#[derive(Clone, Debug)]
pub struct RequestId(Box<RawValue>);

impl RequestId {
    /// One of the server's own.
    pub fn new(text: &str) -> Self {
        Self(to_raw_value(text).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }

    /// The one in this message; `None` without one, and when the message is no JSON object.
    ///
    /// ```
    /// use server::socket::RequestId;
    ///
    /// let id = RequestId::of(r#"{"type":"ping","requestId":1.50}"#);
    /// assert_eq!(RequestId::add(r#"{"success":true}"#.to_owned(), id.as_ref()), r#"{"success":true,"requestId":1.50}"#);
    /// ```
    pub fn of(message: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Envelope {
            #[serde(rename = "requestId", default)]
            request_id: Option<Box<RawValue>>,
        }
        // Only a message that mentions one is read for it.
        if !message.contains("requestId") {
            return None;
        }
        serde_json::from_str::<Envelope>(message).ok()?.request_id.map(Self)
    }

    /// An answer, a JSON object with at least one field, that carries the id.
    pub fn add(mut answer: String, id: Option<&Self>) -> String {
        if let Some(Self(id)) = id
            && answer.pop().is_some()
        {
            answer.extend([",\"requestId\":", id.get(), "}"]);
        }
        answer
    }

    /// The id as text; `None` when it is another kind of value.
    pub fn text(&self) -> Option<String> {
        serde_json::from_str(self.0.get()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_where_it_stands_and_nowhere_else() {
        let id = |message: &str| RequestId::of(message).map(|id| id.0.get().to_owned());
        assert_eq!(id(r#"{"requestId" : [1,  2] ,"type":"x"}"#).as_deref(), Some("[1,  2]"));
        for none in
            [r#"{"requestId":null}"#, r#"{"data":{"requestId":1}}"#, r#"{"type":"requestId"}"#, "requestId", "[]"]
        {
            assert_eq!(id(none), None, "{none}");
        }
        assert_eq!(RequestId::of(r#"{"requestId":"server-\u0031"}"#).unwrap().text().as_deref(), Some("server-1"));
        assert_eq!(RequestId::of(r#"{"requestId":1}"#).unwrap().text(), None);
    }
}
