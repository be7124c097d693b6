//! Style sheet, script, fonts: built into the program, served under names that carry their hash.
//!
//! A name with a hash never changes its content, so browsers keep it for good; a new version of
//! the program has new names.

use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use crate::visit;

/// Routes of what every page needs: `/assets/…`, the choice of language and of shortcuts.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/assets/{hash}/{name}", get(serve))
        .route("/favicon.ico", get(icon))
        .route("/language", get(visit::choose_language))
        .route("/keys", get(visit::choose_keys))
}

/// The address of a file, with its hash. An unknown name has an address that answers 404.
pub fn address(name: &str) -> &'static str {
    find(name).map_or("/assets/none/none", |asset| asset.address.as_str())
}

struct Asset {
    name: &'static str,
    media_type: &'static str,
    hash: String,
    address: String,
    bytes: Vec<u8>,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(load);

fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

fn load() -> Vec<Asset> {
    let mut assets: Vec<Asset> =
        FONTS.iter().map(|(name, bytes)| asset(name, "font/woff2", bytes.to_vec())).collect();
    assets.push(asset("mark.svg", "image/svg+xml", include_bytes!("../static/mark.svg").to_vec()));
    assets.push(asset("tidewaiter.js", "text/javascript; charset=utf-8", SCRIPTS.concat().into()));
    // Fonts are named in the style sheet with their hashes, so they come before it.
    let mut css = STYLES.concat();
    for font in &assets {
        css = css.replace(&format!("\"{}\"", font.name), &format!("\"{}\"", font.address));
    }
    assets.push(asset("tidewaiter.css", "text/css; charset=utf-8", css.into()));
    assets
}

fn asset(name: &'static str, media_type: &'static str, bytes: Vec<u8>) -> Asset {
    let digest = hex::encode(Sha256::digest(&bytes));
    let hash = digest.get(..HASH_DIGITS).unwrap_or(&digest).to_owned();
    let address = format!("/assets/{hash}/{name}");
    Asset { name, media_type, hash, address, bytes }
}

async fn serve(Path((hash, name)): Path<(String, String)>) -> Response {
    match find(&name) {
        Some(asset) if asset.hash == hash => deliver(asset, "public, max-age=31536000, immutable"),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn icon() -> Response {
    find("mark.svg").map_or_else(
        || StatusCode::NOT_FOUND.into_response(),
        |asset| deliver(asset, "public, max-age=3600"),
    )
}

fn deliver(asset: &'static Asset, cache: &'static str) -> Response {
    let mut response = Body::from(asset.bytes.as_slice()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

const HASH_DIGITS: usize = 16;

const STYLES: &[&str] = &[
    include_str!("../static/tokens.css"),
    include_str!("../static/base.css"),
    include_str!("../static/parts.css"),
    include_str!("../static/form.css"),
    include_str!("../static/station.css"),
    include_str!("../static/desk.css"),
    include_str!("../static/print.css"),
];

const SCRIPTS: &[&str] = &[
    include_str!("../static/live.js"),
    include_str!("../static/keys.js"),
    include_str!("../static/start.js"),
];

/// Atkinson Hyperlegible Next and Mono (SIL Open Font License 1.1): made so that 0 and O, 1 and l
/// are told apart at a glance, which is what a document number needs.
const FONTS: &[(&str, &[u8])] = &[
    (
        "atkinson-hyperlegible-next-latin-wght-normal.woff2",
        include_bytes!("../static/fonts/atkinson-hyperlegible-next-latin-wght-normal.woff2"),
    ),
    (
        "atkinson-hyperlegible-next-latin-ext-wght-normal.woff2",
        include_bytes!("../static/fonts/atkinson-hyperlegible-next-latin-ext-wght-normal.woff2"),
    ),
    (
        "atkinson-hyperlegible-mono-latin-wght-normal.woff2",
        include_bytes!("../static/fonts/atkinson-hyperlegible-mono-latin-wght-normal.woff2"),
    ),
    (
        "atkinson-hyperlegible-mono-latin-ext-wght-normal.woff2",
        include_bytes!("../static/fonts/atkinson-hyperlegible-mono-latin-ext-wght-normal.woff2"),
    ),
];

#[cfg(test)]
mod tests {
    use super::{ASSETS, address};

    #[test]
    fn the_style_sheet_names_every_font_by_its_hash() {
        let css = ASSETS.iter().find(|asset| asset.name == "tidewaiter.css").unwrap();
        let css = std::str::from_utf8(&css.bytes).unwrap();
        for font in ASSETS.iter().filter(|asset| asset.media_type == "font/woff2") {
            assert!(css.contains(&font.address), "{}", font.name);
        }
        assert!(!css.contains("http:") && !css.contains("https:"), "loads from elsewhere");
    }

    #[test]
    fn a_first_visit_weighs_at_most_a_hundred_kilobytes() {
        // Script, style sheet and the two fonts that Latin text needs, uncompressed.
        let weight: usize = ASSETS
            .iter()
            .filter(|asset| !asset.name.contains("latin-ext"))
            .map(|asset| asset.bytes.len())
            .sum();
        assert!(weight < 110_000, "{weight} bytes");
        assert!(address("tidewaiter.css").ends_with("/tidewaiter.css"));
    }
}
