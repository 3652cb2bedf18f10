//! Whole files: the examples, the corpus of broken files, the schema and the pages made from it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod broken;
mod edges;
mod edits;
mod examples;
mod expressions;
mod mutation;
mod pages;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{ParsedFile, parse};

/// Returns a path in the repository.
fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// Reads a text without variables.
fn read(name: &str, text: &str) -> ParsedFile {
    parse(name, text, &BTreeMap::new())
}

/// Returns the cluster files below a directory, by path, in order.
fn cluster_files(directory: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut waiting = vec![path(directory)];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let entry = entry.unwrap().path();
            let is_cluster_file = entry.extension().is_some_and(|e| e == "hcl" || e == "toml");
            if entry.is_dir() {
                waiting.push(entry);
            } else if is_cluster_file {
                let name = entry.strip_prefix(path(directory)).unwrap().display().to_string();
                files.push((name, fs::read_to_string(&entry).unwrap()));
            }
        }
    }
    files.sort();
    files
}
