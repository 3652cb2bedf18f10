//! The code blocks of a page of Markdown, and the commands in them.

use std::path::{Path, PathBuf};

/// A code block.
#[derive(Debug)]
pub(super) struct CodeBlock {
    /// The page, for example `docs/cost.md`.
    pub(super) page: String,
    /// The number of its first line in the page.
    pub(super) line: usize,
    /// The language that the page names.
    pub(super) language: String,
    /// The lines, without the indentation of the block.
    pub(super) lines: Vec<String>,
}

/// A command of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ShownCommand {
    /// The command, which may have several lines.
    pub(super) text: String,
    /// The output that the page shows below it; empty if it shows none.
    pub(super) output: Vec<String>,
}

/// Returns the root of the repository.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the pages: those at the top level, those of `docs`, and those of the examples.
pub(super) fn pages() -> Vec<String> {
    let mut found = Vec::new();
    for folder in ["", "docs", "examples"] {
        collect(&root().join(folder), folder == "examples", &mut found);
    }
    let names = found.iter().map(|path| path.strip_prefix(root()).expect("it is below").display().to_string());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn collect(folder: &Path, below: bool, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("it is there") {
        let path = entry.expect("it is there").path();
        if path.is_dir() && below {
            collect(&path, below, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// Returns the text of a page.
pub(super) fn text(page: &str) -> String {
    std::fs::read_to_string(root().join(page)).expect("it is there")
}

/// Returns the code blocks of a page.
pub(super) fn blocks(page: &str) -> Vec<CodeBlock> {
    let (mut found, mut open): (Vec<CodeBlock>, Option<(CodeBlock, usize)>) = (Vec::new(), None);
    for (number, line) in text(page).lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(language)) => {
                let indent = line.len() - line.trim_start().len();
                let language = language.trim().to_owned();
                open =
                    Some((CodeBlock { page: page.to_owned(), line: number + 2, language, lines: Vec::new() }, indent));
            }
            (Some(_), Some(_)) => found.extend(open.take().map(|(block, _)| block)),
            (Some((block, indent)), None) => block.lines.push(line.get(*indent..).unwrap_or_default().to_owned()),
            (None, None) => {}
        }
    }
    found
}

impl CodeBlock {
    /// Returns the place of the block, for messages.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.page, self.line)
    }

    /// Returns the first line.
    pub(super) fn begin(&self) -> &str {
        self.lines.first().map_or("", String::as_str)
    }

    /// Returns the commands: of a transcript those after a prompt with their output, of a script all lines.
    pub(super) fn commands(&self) -> Vec<ShownCommand> {
        let mut commands: Vec<ShownCommand> = Vec::new();
        let mut continues = false;
        for line in &self.lines {
            let prompt = line.strip_prefix("$ ").or_else(|| line.strip_prefix("# "));
            let is_command = match self.language.as_str() {
                "sh" => !line.trim().is_empty() && !line.starts_with('#'),
                _ => prompt.is_some(),
            };
            match commands.last_mut() {
                Some(last) if continues => last.text.extend(["\n", line]),
                _ if is_command => {
                    let text = if self.language == "sh" { line } else { prompt.unwrap_or(line) };
                    commands.push(ShownCommand { text: text.to_owned(), output: Vec::new() });
                }
                Some(last) if self.language == "console" => last.output.push(line.clone()),
                _ => {}
            }
            continues = line.ends_with('\\');
        }
        commands
    }
}

/// Returns the texts in backticks of a page, outside of its code blocks.
pub(super) fn inline_code(page: &str) -> Vec<String> {
    let mut outside = String::new();
    let mut inside = false;
    for line in text(page).lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if !inside {
            outside.push_str(line);
            // A text may go on in the next line; a paragraph ends it.
            outside.push_str(if line.trim().is_empty() { "``" } else { " " });
        }
    }
    outside.split('`').skip(1).step_by(2).map(|code| code.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}
