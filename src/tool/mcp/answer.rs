//! What a server's answer is to an agent: text as it is, everything else as what it is.

use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};

use super::super::CallResult;
use crate::sandbox::Captured;

/// The most of somebody's words in a sentence of ours, characters.
const SHORT: usize = 500;

/// An answer as a result, at most this many bytes of it.
pub fn told(answer: CallToolResult, most: u64) -> CallResult {
    let mut parts: Vec<String> = answer.content.iter().map(part).collect();
    if parts.is_empty()
        && let Some(structured) = &answer.structured_content
    {
        parts.push(structured.to_string());
    }
    let (output, truncated) = cut(&parts.join("\n"), most);
    CallResult {
        error: (answer.is_error == Some(true)).then(|| "the server says that it failed".to_owned()),
        output,
        truncated,
        ..CallResult::default()
    }
}

fn part(block: &ContentBlock) -> String {
    let bytes = |base64: &str| base64.trim_end_matches('=').len() * 3 / 4;
    match block {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(image) => {
            format!(
                "[an image, {}, {} bytes]",
                image.mime_type,
                bytes(&image.data)
            )
        }
        ContentBlock::Audio(audio) => {
            format!(
                "[a sound, {}, {} bytes]",
                audio.mime_type,
                bytes(&audio.data)
            )
        }
        ContentBlock::ResourceLink(link) => format!("[a resource: {} {}]", link.name, link.uri),
        ContentBlock::Resource(embedded) => match &embedded.resource {
            ResourceContents::TextResourceContents { uri, text, .. } => {
                format!("[the resource {uri}]\n{text}")
            }
            ResourceContents::BlobResourceContents { uri, blob, .. } => {
                format!("[the resource {uri}, {} bytes]", bytes(blob))
            }
            _ => "[a resource]".to_owned(),
        },
        _ => "[content of an unknown kind]".to_owned(),
    }
}

/// Head and tail of what is too long.
fn cut(text: &str, most: u64) -> (String, bool) {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    if text.len() <= most {
        return (text.to_owned(), false);
    }
    let (head, tail) = (most / 2, text.len() - most / 2);
    let captured = Captured {
        head: text.as_bytes()[..head].to_vec(),
        tail: text.as_bytes()[tail..].to_vec(),
        cut: (tail - head) as u64,
    };
    (captured.text(), true)
}

/// Somebody's words, where a sentence of ours holds them.
pub fn short(text: &str) -> String {
    match text.char_indices().nth(SHORT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn result(answer: Value) -> CallResult {
        told(serde_json::from_value(answer).unwrap(), 64)
    }

    #[test]
    fn text_is_the_result_and_the_rest_is_told_of() {
        let answer = json!({"content": [
            {"type": "text", "text": "two"},
            {"type": "image", "data": "AAAA", "mimeType": "image/png"},
        ]});
        assert_eq!(result(answer).output, "two\n[an image, image/png, 3 bytes]");
        let answer = json!({"content": [
            {"type": "resource", "resource": {"uri": "a://b", "text": "c"}},
        ]});
        assert_eq!(result(answer).output, "[the resource a://b]\nc");
    }

    #[test]
    fn what_is_only_structured_is_told_as_json() {
        let answer = json!({"content": [], "structuredContent": {"n": 1}});
        assert_eq!(result(answer).output, r#"{"n":1}"#);
    }

    #[test]
    fn a_failure_is_one_and_keeps_its_words() {
        let answer = json!({"content": [{"type": "text", "text": "no"}], "isError": true});
        let result = result(answer);
        assert_eq!(result.told(), "no\nerror: the server says that it failed");
    }

    #[test]
    fn what_is_too_long_is_cut_in_the_middle() {
        let answer = json!({"content": [{"type": "text", "text": "x".repeat(100)}]});
        let result = result(answer);
        assert!(result.truncated);
        assert!(
            result.output.contains("[… 36 bytes cut …]"),
            "{}",
            result.output
        );
    }
}
