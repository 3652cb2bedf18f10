//! Writes a draft as HCL or TOML, and notes where each setting is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::super::render::wrap_line;
use super::super::shape::FileLanguage;
use super::super::source::Span;
use super::template::{MASTERS, NODES, REST, TOP, TemplateBlock, TemplateRow};
use super::{ClusterDraft, DraftSetting, DraftValue};

/// The most characters of a line of remarks.
const WIDTH: usize = 98;

pub(super) struct DraftWriter<'d> {
    draft: &'d ClusterDraft,
    language: FileLanguage,
    text: String,
    places: Vec<(Span, Vec<String>)>,
}

/// The place of a setting among those of its inner block.
#[derive(Clone, Copy)]
struct InnerPlace {
    opens: bool,
    closes: bool,
}

impl<'d> DraftWriter<'d> {
    pub(super) fn new(draft: &'d ClusterDraft, language: FileLanguage) -> Self {
        Self { draft, language, text: String::new(), places: Vec::new() }
    }

    /// Returns the text, and the place of each setting and each block in it.
    pub(super) fn write(mut self, file_name: &str) -> (String, Vec<(Span, Vec<String>)>) {
        self.head(file_name);
        for row in TOP.rows {
            self.top_row(row);
        }
        self.block(&MASTERS, &["masters"]);
        for group in self.groups() {
            self.block(&NODES, &["nodes", &group]);
        }
        for block in &REST {
            self.block(block, &[block.name]);
        }
        self.remarks();
        (self.text, self.places)
    }

    fn head(&mut self, file_name: &str) {
        let file = match file_name {
            "cluster.hcl" | "cluster.toml" => String::new(),
            other => format!(" --file {other}"),
        };
        let name = match self.draft.get(&["name"]) {
            Some(DraftSetting { value: DraftValue::Text(name), .. }) => format!(" {}", plain(name)),
            _ => String::new(),
        };
        let _ = write!(self.text, "# The cluster{name}, written by `quorate init`.\n#\n# Next:\n#\n");
        for (command, what) in [
            ("check", "checks this file, without AWS"),
            ("doctor", "checks the account, the zones, the names and the bucket"),
            ("plan", "shows every change before it is made; with --sandbox, without an AWS account"),
            ("apply", "makes the changes"),
            ("validate", "checks the health of the cluster"),
        ] {
            let command = format!("quorate {command}{}", plain(&file));
            let _ = writeln!(self.text, "#{:3}{command:<18} {what}", "");
        }
        self.text.push_str("#\n# docs/cluster-file.md explains all settings, those of services and add-ons too.\n");
    }

    fn top_row(&mut self, row: &TemplateRow) {
        let path = [row.name];
        match self.draft.get(&path) {
            Some(setting) => {
                let _ = write!(self.text, "\n# {}\n", row.comment);
                self.setting(row, &path, setting, "");
            }
            None if !row.sample.is_empty() => {
                let _ = write!(self.text, "\n# {}\n# {} = {}\n", row.comment, row.name, row.sample);
            }
            None => {}
        }
    }

    /// Writes a block with the settings in it. Without any, the block is a comment, or left out.
    fn block(&mut self, block: &TemplateBlock, path: &[&str]) {
        let full = |row: &TemplateRow| -> Vec<String> {
            path.iter().map(|name| (*name).to_owned()).chain(row.name.split('.').map(str::to_owned)).collect()
        };
        let draft = self.draft;
        let set: Vec<(&TemplateRow, Vec<String>, &DraftSetting)> = block
            .rows
            .iter()
            .filter_map(|row| {
                let path = full(row);
                let setting = draft.settings.get(&path)?;
                Some((row, path, setting))
            })
            .collect();
        if set.is_empty() {
            if block.sample {
                self.sample(block);
            }
            return;
        }
        let _ = write!(self.text, "\n# {}\n", block.comment);
        let head = match (self.language, path) {
            (FileLanguage::Hcl, [name, label]) => format!("{name} {} {{", quoted(label, FileLanguage::Hcl)),
            (FileLanguage::Hcl, _) => format!("{} {{", block.name),
            (FileLanguage::Toml, [name, label]) => format!("[{name}.{}]", key(label, FileLanguage::Toml)),
            (FileLanguage::Toml, _) => format!("[{}]", block.name),
        };
        let start = self.text.len();
        let _ = writeln!(self.text, "{head}");
        self.place(start, path.iter().map(|name| (*name).to_owned()).collect());
        let indent = self.indent();
        let inner: Vec<Option<&str>> = set.iter().map(|(row, ..)| Some(row.name.split_once('.')?.0)).collect();
        for (at, (row, path, setting)) in set.into_iter().enumerate() {
            let shares =
                |other: Option<usize>| inner[at].is_some() && other.and_then(|other| *inner.get(other)?) == inner[at];
            let place = InnerPlace { opens: !shares(at.checked_sub(1)), closes: !shares(at.checked_add(1)) };
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            self.setting_in(row, &path, setting, indent, place);
        }
        if self.language == FileLanguage::Hcl {
            self.text.push_str("}\n");
        }
    }

    fn sample(&mut self, block: &TemplateBlock) {
        let rows = block.rows.iter().filter(|row| !row.sample.is_empty());
        let rows: Vec<String> = rows.map(|row| format!("{} = {}", row.name, row.sample)).collect();
        if rows.is_empty() {
            return;
        }
        let (head, foot) = match self.language {
            FileLanguage::Hcl => (format!("{} {{", block.name), "# }\n"),
            FileLanguage::Toml => (format!("[{}]", block.name), ""),
        };
        let _ = write!(self.text, "\n# {}\n# {head}\n", block.comment);
        let indent = self.indent();
        for row in rows {
            let _ = writeln!(self.text, "# {indent}{row}");
        }
        self.text.push_str(foot);
    }

    /// Writes a setting of a block with its comment.
    fn setting_in(
        &mut self,
        row: &TemplateRow,
        path: &[&str],
        setting: &DraftSetting,
        indent: &str,
        inner: InnerPlace,
    ) {
        let Some((block, name)) = row.name.split_once('.') else {
            let _ = writeln!(self.text, "{indent}# {}", row.comment);
            if let (DraftValue::Table(_), FileLanguage::Toml) = (&setting.value, self.language) {
                // A table of its own would end the block.
                self.line(row.name, path, setting, indent);
            } else {
                self.setting(row, path, setting, indent);
            }
            return;
        };
        if self.language == FileLanguage::Toml {
            let _ = writeln!(self.text, "{indent}# {}", row.comment);
            return self.line(&format!("{block}.{name}"), path, setting, indent);
        }
        let is_only = inner.opens && inner.closes;
        if is_only {
            let _ = writeln!(self.text, "{indent}# {}", row.comment);
        }
        if inner.opens {
            let _ = writeln!(self.text, "{indent}{block} {{");
        }
        let indent_of_inner = format!("{indent}  ");
        if !is_only {
            let _ = writeln!(self.text, "{indent_of_inner}# {}", row.comment);
        }
        self.line(name, path, setting, &indent_of_inner);
        if inner.closes {
            let _ = writeln!(self.text, "{indent}}}");
        }
    }

    fn line(&mut self, name: &str, path: &[&str], setting: &DraftSetting, indent: &str) {
        let start = self.text.len();
        let value = written(&setting.value, self.language);
        let _ = writeln!(self.text, "{indent}{name} = {value}");
        self.place(start, path.iter().map(|name| (*name).to_owned()).collect());
    }

    /// Writes a setting of the top level, or a setting that is not in an inner block.
    fn setting(&mut self, row: &TemplateRow, path: &[&str], setting: &DraftSetting, indent: &str) {
        let start = self.text.len();
        let language = self.language;
        match &setting.value {
            DraftValue::Table(table) if language == FileLanguage::Toml => {
                let _ = writeln!(self.text, "[{}]", path.join("."));
                self.table(table, "", language);
            }
            DraftValue::Table(table) => {
                let _ = writeln!(self.text, "{indent}{} = {{", row.name);
                self.table(table, &format!("{indent}  "), language);
                let _ = writeln!(self.text, "{indent}}}");
            }
            value => {
                let _ = writeln!(self.text, "{indent}{} = {}", row.name, written(value, language));
            }
        }
        self.place(start, path.iter().map(|name| (*name).to_owned()).collect());
    }

    fn table(&mut self, table: &BTreeMap<String, String>, indent: &str, language: FileLanguage) {
        for (name, value) in table {
            let _ = writeln!(self.text, "{indent}{} = {}", key(name, language), quoted(value, language));
        }
    }

    fn remarks(&mut self) {
        for remark in &self.draft.remarks {
            self.text.push('\n');
            for line in remark.lines().flat_map(|line| wrap_line(&plain(line), WIDTH)) {
                let _ = writeln!(self.text, "{}", format!("# {line}").trim_end());
            }
        }
    }

    fn groups(&self) -> BTreeSet<String> {
        let nodes = self.draft.settings.keys().filter(|path| path.len() > 2 && path[0] == "nodes");
        nodes.map(|path| path[1].clone()).collect()
    }

    fn place(&mut self, start: usize, path: Vec<String>) {
        self.places.push((start..self.text.len(), path));
    }

    fn indent(&self) -> &'static str {
        match self.language {
            FileLanguage::Hcl => "  ",
            FileLanguage::Toml => "",
        }
    }
}

fn written(value: &DraftValue, language: FileLanguage) -> String {
    match value {
        DraftValue::Text(text) => quoted(text, language),
        DraftValue::Number(number) => number.to_string(),
        DraftValue::Switch(on) => on.to_string(),
        DraftValue::Texts(texts) => {
            let texts: Vec<String> = texts.iter().map(|text| quoted(text, language)).collect();
            format!("[{}]", texts.join(", "))
        }
        DraftValue::Table(table) => {
            let entries =
                table.iter().map(|(name, value)| format!("{} = {}", key(name, language), quoted(value, language)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Returns the name of an entry: in quotes unless TOML reads it without.
fn key(name: &str, language: FileLanguage) -> String {
    let is_bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if language == FileLanguage::Toml && is_bare { name.to_owned() } else { quoted(name, language) }
}

/// Returns a text in quotes.
fn quoted(text: &str, language: FileLanguage) -> String {
    let mut quoted = String::from("\"");
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            // A template begins with these in HCL, and doubled they are themselves.
            '$' | '%' if language == FileLanguage::Hcl && characters.peek() == Some(&'{') => {
                quoted.extend([character, character]);
            }
            other if other.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(other));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Returns a text that can stand in a comment.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
