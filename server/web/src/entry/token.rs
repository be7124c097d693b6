//! The token of forms: every form of a signed-in person's page carries one that only that session's
//! pages know, and nothing is done for a form without it.
//!
//! It is woven into the page on its way out, so that no template can forget it.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{FORM, FORM_TOKEN, MULTIPART, is_of, read, token_in};

/// The request again, when its form carries the token. A program that rides on a browser's session
/// says so by a body that no form of another site can send: JSON.
pub(super) async fn checked(request: Request, expected: &str) -> Result<Request, &'static str> {
    let is_multipart = is_of(request.headers(), MULTIPART);
    if !is_multipart && !is_of(request.headers(), FORM) {
        let json = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let json = json.is_some_and(|kind| kind.starts_with("application/json"));
        return if json { Ok(request) } else { Err("say it as JSON, or as this page's form") };
    }
    let (request, body) = read(request).await?;
    if same(&token_in(&body, is_multipart), expected) {
        Ok(request)
    } else {
        Err("this form is not of a page of this session: load the page again")
    }
}

/// Compares without telling by its time how much agrees.
fn same(one: &str, other: &str) -> bool {
    let differs = one.bytes().zip(other.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && differs == 0
}

/// A page with the token in each of its forms that post.
pub(super) async fn woven(response: Response, token: &str) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE);
    if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, PAGE_BYTES_MAX).await else {
        tracing::error!("a page is too large for the token of its forms");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let page = weave(&String::from_utf8_lossy(&bytes), token);
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(page.len()));
    Response::from_parts(parts, Body::from(page))
}

fn weave(page: &str, token: &str) -> String {
    let field = format!("<input type=\"hidden\" name=\"{FORM_TOKEN}\" value=\"{token}\">");
    let mut out = String::with_capacity(page.len() + 256);
    let mut rest = page;
    while let Some(at) = rest.find("<form ") {
        let (before, form) = rest.split_at(at);
        let end = form.find('>').map_or(form.len(), |end| end + 1);
        let (tag, after) = form.split_at(end);
        out.push_str(before);
        out.push_str(tag);
        if tag.contains("method=\"post\"") {
            out.push_str(&field);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

const PAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::{same, weave};
    use crate::entry::token_in;

    #[test]
    fn every_form_that_posts_carries_the_token_and_no_other_does() {
        let page = "<p><form method=\"get\" action=\"/a\"></form><form class=\"x\" \
                    method=\"post\" action=\"/b\"><button></form><form method=\"dialog\">";
        let woven = weave(page, "T");
        assert_eq!(woven.matches("name=\"form-token\" value=\"T\"").count(), 1);
        assert!(woven.contains("action=\"/b\"><input type=\"hidden\" name=\"form-token\""));
        assert_eq!(weave("no form <form", "T"), "no form <form");
    }

    #[test]
    fn only_the_same_is_the_same() {
        assert!(same("abc", "abc"));
        for other in ["", "ab", "abd", "abcd"] {
            assert!(!same(other, "abc"), "{other}");
        }
    }

    #[test]
    fn a_token_is_found_in_either_kind_of_form() {
        assert_eq!(token_in(b"a=b&form-token=T&c=d", false), "T");
        let parts =
            b"--x\r\nContent-Disposition: form-data; name=\"form-token\"\r\n\r\nT\r\n--x\r\n";
        assert_eq!(token_in(parts, true), "T");
        assert_eq!(token_in(b"--x\r\nform-token=T", true), "");
    }
}
