//! Policy packs and list bundles as they lie on disk, read into the risk engine.
//!
//! Owns which files of a directory those are. What is in them, and whether it is valid, is the
//! engine's to say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use tidewaiter_risk::engine::{Engine, Screener};
use tidewaiter_risk::lists::{ListBundle, SourceFile, builtin, read_bundle};
use tidewaiter_risk::policy::{PolicyFile, PolicyPack};
use tidewaiter_risk::screening::Index;

pub mod force;

/// A policy pack with the lists to judge by.
#[derive(Clone, Debug)]
pub struct Law {
    /// The pack.
    pub pack: PolicyPack,
    /// Its files, those too that are built in.
    pub files: Vec<PackFile>,
    /// The lists.
    pub lists: Index,
}

/// The text of one file of a pack, and its name within it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackFile {
    /// Its name within the pack, with `/`.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Reads a pack and lists; what is not given is built in.
///
/// # Errors
/// When a file cannot be read or is not valid; the first is named.
pub fn read(policy: Option<&Path>, lists: Option<&Path>) -> anyhow::Result<Law> {
    let files = files_in(policy)?;
    let pack = PolicyPack::from_files(&as_policy(&files)).with_context(|| match policy {
        Some(directory) => format!("the policy in {} is not valid", directory.display()),
        None => "the built-in policy is not valid".to_owned(),
    })?;
    Ok(Law { pack, files, lists: Index::new(self::lists(lists)?) })
}

/// All files of the pack in a directory; of the built-in one without.
fn files_in(policy: Option<&Path>) -> anyhow::Result<Vec<PackFile>> {
    let given = policy.map(pack_files).transpose()?.unwrap_or_default();
    Ok(completed(&given))
}

/// The files of a pack with those of the built-in one that are not among them.
pub fn completed(given: &[PackFile]) -> Vec<PackFile> {
    let own = |file: &PolicyFile<'_>| PackFile { name: file.name.into(), text: file.text.into() };
    PolicyPack::completed(&as_policy(given)).iter().map(own).collect()
}

/// The lists in a directory; the built-in ones without.
///
/// # Errors
/// When the directory or a bundle cannot be read, or a bundle is not valid.
pub fn lists(directory: Option<&Path>) -> anyhow::Result<Vec<ListBundle>> {
    match directory {
        Some(directory) => bundles(directory),
        None => builtin::bundles().context("the built-in lists are not valid"),
    }
}

impl Law {
    /// The version of the pack under `policy`, and of each list under its name.
    pub fn versions(&self) -> BTreeMap<String, String> {
        let mut versions = self.lists.versions();
        versions.insert("policy".to_owned(), self.pack.version.clone());
        versions
    }

    /// The engine that judges by it, with the pack's own rates.
    pub fn engine(self) -> Engine {
        let rates = self.pack.rates.clone();
        Engine::new(self.pack, self.lists, rates)
    }
}

/// The files of a pack in a directory: `*.toml` and `airports.txt`, and those under `rules/`.
///
/// # Errors
/// When the directory or a file cannot be read, or no file of a pack is in it.
pub fn pack_files(directory: &Path) -> anyhow::Result<Vec<PackFile>> {
    let mut files = Vec::new();
    for (folder, prefix) in [(directory.to_owned(), ""), (directory.join("rules"), "rules/")] {
        if !prefix.is_empty() && !folder.is_dir() {
            continue;
        }
        for path in files_of(&folder)? {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let toml = path.extension().is_some_and(|extension| extension == "toml");
            if toml || (prefix.is_empty() && name == "airports.txt") {
                let text = crate::disk::read_text(&path)?;
                files.push(PackFile { name: format!("{prefix}{name}"), text });
            }
        }
    }
    if files.is_empty() {
        bail!("{}: no file of a policy pack is in it", directory.display());
    }
    Ok(files)
}

/// The same in the engine's terms.
pub fn as_policy(files: &[PackFile]) -> Vec<PolicyFile<'_>> {
    files.iter().map(|file| PolicyFile { name: &file.name, text: &file.text }).collect()
}

/// The list bundles in a directory, `*.list.json`, in the order of their names.
///
/// # Errors
/// When the directory or a bundle cannot be read, or a bundle is not valid.
pub fn bundles(directory: &Path) -> anyhow::Result<Vec<ListBundle>> {
    let mut bundles = Vec::new();
    for path in files_of(directory)? {
        if path.to_string_lossy().ends_with(".list.json") {
            bundles.push(bundle(&path)?);
        }
    }
    bundles.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(bundles)
}

/// One list bundle.
///
/// # Errors
/// When it cannot be read or is not valid.
pub fn bundle(path: &Path) -> anyhow::Result<ListBundle> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).with_context(|| format!("{name}: cannot be read"))?;
    Ok(read_bundle(SourceFile { name: &name, bytes: &bytes })?)
}

fn files_of(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let unreadable = || format!("{}: cannot be read", directory.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
