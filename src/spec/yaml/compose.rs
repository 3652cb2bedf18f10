//! Converts the events of the parser to JSON: anchors, merge keys, repeated keys.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput, Tag as Written};
use serde_json::{Map, Value as Json};

use super::scalar::{ScalarTag, YamlScalar, understood};
use super::{YamlDocuments, YamlError};

/// Maximum number of values of a text, including those of aliases: a few lines of aliases can stand for billions.
const MOST: usize = 500_000;

/// Parses every document that the parser finds in a text.
pub(super) fn compose(text: &str) -> Result<YamlDocuments, YamlError> {
    let options = granit_parser::options! { emit_comments: false };
    YamlComposer::new(text, options).documents()
}

struct YamlComposer<'t> {
    text: &'t str,
    events: Parser<'t, StrInput<'t>>,
    /// The values of anchors, each with the number of values in it.
    anchors: HashMap<usize, (Json, usize)>,
    /// Number of values so far.
    values: usize,
    found: YamlDocuments,
}

type ComposeStep<'t> = (Event<'t>, Span);

impl<'t> YamlComposer<'t> {
    fn new(text: &'t str, options: Options) -> Self {
        let events = Parser::new_from_str_with_options(text, options);
        Self { text, events, anchors: HashMap::new(), values: 0, found: YamlDocuments::default() }
    }

    fn documents(mut self) -> Result<YamlDocuments, YamlError> {
        while let Some(step) = self.events.next() {
            let step = step.map_err(|error| self.broken(&error))?;
            if !matches!(step.0, Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd)
            {
                let value = self.node(step)?;
                self.found.values.push(value);
            }
        }
        Ok(self.found)
    }

    fn next(&mut self) -> Result<ComposeStep<'t>, YamlError> {
        match self.events.next() {
            Some(Ok(step)) => Ok(step),
            Some(Err(error)) => Err(self.broken(&error)),
            None => {
                Err(YamlError { why: "the text ends too soon".to_owned(), place: self.text.len()..self.text.len() })
            }
        }
    }

    fn node(&mut self, (event, span): ComposeStep<'t>) -> Result<Json, YamlError> {
        let before = self.values;
        self.count(1, span)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = self.scalar(&text, style, tag.as_deref(), span)?;
                let json = scalar.json();
                (json.ok_or_else(|| self.wrong(format!("JSON has no number `{text}`"), span))?, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.sequence()?, anchor),
            Event::MappingStart(_, anchor, _) => (self.mapping()?, anchor),
            Event::Alias(anchor) => return self.alias(anchor, span),
            _ => return Err(self.wrong("a value is missing".to_owned(), span)),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, (value.clone(), self.values - before));
        }
        Ok(value)
    }

    /// Resolves an alias. An anchor is known from the end of its value on: an alias inside of its own value is an error.
    fn alias(&mut self, anchor: usize, span: Span) -> Result<Json, YamlError> {
        let Some((value, values)) = self.anchors.get(&anchor).map(|(value, values)| (value.clone(), *values)) else {
            return Err(self.wrong("an anchor whose value contains itself".to_owned(), span));
        };
        self.count(values, span)?;
        Ok(value)
    }

    fn sequence(&mut self) -> Result<Json, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items.into()),
                step => items.push(self.node(step)?),
            }
        }
    }

    /// Reads a mapping, in the order of its keys: a merge key sets its values where it stands, as in `yaml.v2`.
    fn mapping(&mut self) -> Result<Json, YamlError> {
        let mut map = Map::new();
        let mut written = HashSet::new();
        loop {
            let (event, span) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(map.into()),
                step => step,
            };
            if is_merge(&event) {
                let step = self.next()?;
                let merged = self.node(step)?;
                self.merge(&mut map, merged, span)?;
                continue;
            }
            let key = self.key(&event, span)?;
            let step = self.next()?;
            let value = self.node(step)?;
            if !written.insert(key.clone()) {
                let place = self.range(span);
                self.found.repeated.push((key.clone(), place));
            }
            map.insert(key, value);
        }
    }

    fn merge(&self, map: &mut Map<String, Json>, merged: Json, span: Span) -> Result<(), YamlError> {
        let parts = match merged {
            Json::Array(parts) => parts,
            one => vec![one],
        };
        // Of several, the first has precedence.
        for part in parts.into_iter().rev() {
            let Json::Object(part) = part else {
                return Err(self.wrong("a merge key needs a mapping, or a list of mappings".to_owned(), span));
            };
            map.extend(part);
        }
        Ok(())
    }

    fn key(&mut self, event: &Event<'t>, span: Span) -> Result<String, YamlError> {
        let (key, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = self.scalar(text, *style, tag.as_deref(), span)?;
                if *anchor > 0
                    && let Some(json) = scalar.clone().json()
                {
                    self.anchors.insert(*anchor, (json, 1));
                }
                (scalar.key(), Some(text.clone()))
            }
            Event::Alias(anchor) => {
                let key = match self.alias(*anchor, span)? {
                    Json::String(text) => Some(text),
                    Json::Bool(value) => Some(value.to_string()),
                    Json::Number(number) if number.is_i64() => Some(number.to_string()),
                    _ => None,
                };
                (key, None)
            }
            _ => (None, None),
        };
        key.ok_or_else(|| {
            let why = match anchor {
                Some(text) if !text.is_empty() => format!("{text} cannot be a key; write \"{text}\""),
                _ => "only a text can be a key".to_owned(),
            };
            self.wrong(why, span)
        })
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Written>,
        span: Span,
    ) -> Result<YamlScalar, YamlError> {
        let tag = match tag {
            None if style == ScalarStyle::Plain => ScalarTag::Plain,
            None => ScalarTag::Text,
            Some(tag) => meaning(tag),
        };
        understood(text, tag).map_err(|why| self.wrong(why, span))
    }

    fn count(&mut self, values: usize, span: Span) -> Result<(), YamlError> {
        self.values = self.values.saturating_add(values);
        if self.values > MOST {
            return Err(self.wrong(format!("more than {MOST} values, those that aliases stand for included"), span));
        }
        Ok(())
    }

    fn broken(&self, error: &ScanError) -> YamlError {
        let marker = error.marker();
        let start = marker.byte_offset().unwrap_or(self.text.len()).min(self.text.len());
        let end = self.text[start..].chars().next().map_or(start, |c| start + c.len_utf8());
        YamlError { why: error.kind().to_string(), place: start..end }
    }

    fn wrong(&self, why: String, span: Span) -> YamlError {
        YamlError { why, place: self.range(span) }
    }

    fn range(&self, span: Span) -> Range<usize> {
        span.byte_range().filter(|range| range.end <= self.text.len()).unwrap_or_default()
    }
}

/// Returns `true` if a key is `<<` and neither quoted nor tagged as something else.
fn is_merge(event: &Event<'_>) -> bool {
    let Event::Scalar(text, style, _, tag) = event else { return false };
    let is_tagged = |tag: &Cow<'_, Written>| tag.suffix() == "merge";
    text == "<<" && tag.as_ref().map_or(*style == ScalarStyle::Plain, is_tagged)
}

fn meaning(tag: &Written) -> ScalarTag {
    match tag.core_suffix().unwrap_or_else(|| tag.suffix()) {
        "bool" => ScalarTag::Bool,
        "int" => ScalarTag::Integer,
        "float" => ScalarTag::Float,
        "null" => ScalarTag::Null,
        "binary" => ScalarTag::Binary,
        _ => ScalarTag::Text,
    }
}
