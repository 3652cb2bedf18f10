//! Evaluates string templates: `"${…}"`, `%{ if … }`, `%{ for … }`, heredocs, and `~`, which strips white space.

use std::collections::BTreeMap;

use hcl_edit::Span as _;
use hcl_edit::template::{Directive, Element, ForDirective, HeredocTemplate, IfDirective, Strip, Template};

use super::each::loop_names;
use super::eval::{EvalScope, Evaluator};
use super::unicode;
use super::value::{HclNode, HclValue};
use crate::spec::source::Span;

/// Maximum length of a text, in bytes: no cluster file needs a longer one.
const MAX_TEXT: usize = 256 * 1024;

/// The literal parts of a template as they are written into the result, by the offset of their start.
type LiteralParts = BTreeMap<usize, String>;

impl Evaluator<'_> {
    /// Returns the template's text; a template of only one `${…}` keeps the value's type.
    pub(super) fn template(&mut self, template: &Template, span: &Span, env: &EvalScope) -> Option<HclNode> {
        if let Some(Element::Interpolation(only)) = template.as_single_element() {
            return self.eval(&only.expr, env).map(|node| node.at(span));
        }
        let source = self.source();
        for (place, inside) in places(template) {
            self.on_one_line(&place)?;
            if inside && source.get(place.clone()).and_then(unescape).is_none() {
                return self.fail(
                    &place,
                    "a `\\` begins no escape here: \\n, \\r, \\t, \\\", \\\\, \\u0000 and \\U00000000 are known",
                );
            }
        }
        // The parser leaves the escapes inside of directives as they are written.
        let parts = |literal: &str, place: Option<Span>, inside: bool| {
            let raw = place.filter(|_| inside).and_then(|place| source.get(place));
            vec![raw.and_then(unescape).unwrap_or_else(|| literal.to_owned())]
        };
        let literals = literals(template, &parts, false);
        self.text(template, &literals, span, env)
    }

    /// Returns the text of a heredoc. After `<<-`, the smallest indentation is removed from every line.
    pub(super) fn heredoc(&mut self, heredoc: &HeredocTemplate, span: &Span, env: &EvalScope) -> Option<HclNode> {
        let source = self.source();
        let start = source.get(span.clone()).unwrap_or_default();
        let flush = start.starts_with("<<-");
        let lines = |literal: &str, place: Option<Span>, _: bool| {
            // The parser has already taken an indentation away, by another rule: the file knows what was there.
            let raw = place.filter(|_| flush).and_then(|place| source.get(place));
            let text = raw.map_or_else(|| literal.to_owned(), |raw| raw.replace("$${", "${").replace("%%{", "%{"));
            text.split_inclusive('\n').map(str::to_owned).collect()
        };
        let literals = literals(&heredoc.template, &lines, flush);
        self.text(&heredoc.template, &literals, span, env)
    }

    fn text(&mut self, template: &Template, literals: &LiteralParts, span: &Span, env: &EvalScope) -> Option<HclNode> {
        let length: usize = literals.values().map(String::len).sum();
        self.spend(1 + length / 64, span)?;
        let mut text = String::new();
        self.write(template, literals, &mut text, span, env)?;
        Some(HclNode::new(HclValue::text(&text), span.clone()))
    }

    fn write(
        &mut self,
        template: &Template,
        literals: &LiteralParts,
        text: &mut String,
        span: &Span,
        env: &EvalScope,
    ) -> Option<()> {
        for element in template {
            self.step(span)?;
            match element {
                Element::Literal(literal) => match literal.span().and_then(|place| literals.get(&place.start)) {
                    Some(part) => text.push_str(part),
                    None => text.push_str(literal),
                },
                Element::Interpolation(interpolation) => {
                    let node = self.eval(&interpolation.expr, env)?;
                    let part = self.text_of(&node)?;
                    text.push_str(&part);
                }
                Element::Directive(directive) => match directive.as_ref() {
                    Directive::If(directive) => self.write_if(directive, literals, text, span, env)?,
                    Directive::For(directive) => self.write_for(directive, literals, text, span, env)?,
                },
            }
            if text.len() > MAX_TEXT {
                return self.fail(span, format!("the text is longer than {} KiB", MAX_TEXT / 1024));
            }
        }
        Some(())
    }

    fn write_if(
        &mut self,
        directive: &IfDirective,
        literals: &LiteralParts,
        text: &mut String,
        span: &Span,
        env: &EvalScope,
    ) -> Option<()> {
        let yes = &directive.if_expr;
        match &directive.else_expr {
            _ if self.boolean(&yes.cond_expr, env)? => self.write(&yes.template, literals, text, span, env),
            Some(no) => self.write(&no.template, literals, text, span, env),
            None => Some(()),
        }
    }

    fn write_for(
        &mut self,
        directive: &ForDirective,
        literals: &LiteralParts,
        text: &mut String,
        span: &Span,
        env: &EvalScope,
    ) -> Option<()> {
        let each = &directive.for_expr;
        let key_var = each.key_var.as_ref().map(|ident| ident.as_str());
        for (key, item) in self.collection(&each.collection_expr, env)? {
            let names = loop_names(key_var, each.value_var.as_str(), key, item);
            self.write(&each.template, literals, text, span, &env.inner(&names))?;
        }
        Some(())
    }
}

/// Splits a literal into parts. The arguments are its text, its place if known, and whether it is inside of a directive.
type LiteralSplit<'s> = &'s dyn Fn(&str, Option<Span>, bool) -> Vec<String>;

/// A part of a template, in the order of the file.
enum TemplatePiece {
    /// Text, and the start of its literal.
    Text(usize, String),
    /// `${…}`, `%{ if … }` and the like, and whether it strips the white space before it and after it.
    Marker(bool, bool),
}

/// Returns the literals of a template after `~` and the indentation are applied. `split` splits a literal into the
/// parts that `~` strips: the lines of a heredoc.
fn literals(template: &Template, split: LiteralSplit, flush: bool) -> LiteralParts {
    let mut pieces = Vec::new();
    collect(template, split, false, &mut pieces);
    strip(&mut pieces);
    if flush {
        unindent(&mut pieces);
    }
    let mut literals = LiteralParts::new();
    for piece in pieces {
        if let TemplatePiece::Text(start, text) = piece {
            literals.entry(start).or_default().push_str(&text);
        }
    }
    literals
}

fn collect(template: &Template, split: LiteralSplit, inside: bool, into: &mut Vec<TemplatePiece>) {
    let marker = |strip: Strip| TemplatePiece::Marker(strip.strip_start(), strip.strip_end());
    for element in template {
        match element {
            Element::Literal(literal) => {
                let place = literal.span();
                let start = place.as_ref().map_or(0, |place| place.start);
                into.extend(split(literal, place, inside).into_iter().map(|text| TemplatePiece::Text(start, text)));
            }
            Element::Interpolation(interpolation) => into.push(marker(interpolation.strip)),
            Element::Directive(directive) => match directive.as_ref() {
                Directive::If(directive) => {
                    into.push(marker(directive.if_expr.strip));
                    collect(&directive.if_expr.template, split, true, into);
                    if let Some(no) = &directive.else_expr {
                        into.push(marker(no.strip));
                        collect(&no.template, split, true, into);
                    }
                    into.push(marker(directive.endif_expr.strip));
                }
                Directive::For(directive) => {
                    into.push(marker(directive.for_expr.strip));
                    collect(&directive.for_expr.template, split, true, into);
                    into.push(marker(directive.endfor_expr.strip));
                }
            },
        }
    }
}

/// Returns a quoted text without its escapes; `None` if one of them is invalid.
fn unescape(raw: &str) -> Option<String> {
    let mut text = String::new();
    let mut rest = raw;
    while let Some(at) = rest.find(['\\', '$', '%']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("$${").or_else(|| rest.strip_prefix("%%{")) {
            text.push_str(&rest[1..3]);
            rest = after;
        } else if let Some(after) = rest.strip_prefix('\\') {
            let letter = after.chars().next()?;
            let digits = match letter {
                'u' => 4,
                'U' => 8,
                _ => 0,
            };
            let number = after.get(1..=digits)?;
            text.push(match letter {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '"' | '\\' => letter,
                'u' | 'U' => u32::from_str_radix(number, 16).ok().and_then(char::from_u32)?,
                _ => return None,
            });
            rest = &after[1 + digits..];
        } else {
            text.push_str(&rest[..1]);
            rest = &rest[1..];
        }
    }
    text.push_str(rest);
    Some(text)
}

/// Returns the places of a template's literals, and whether each is inside of a directive.
fn places(template: &Template) -> Vec<(Span, bool)> {
    let places = core::cell::RefCell::new(Vec::new());
    let note = |_: &str, place: Option<Span>, inside: bool| {
        places.borrow_mut().extend(place.map(|place| (place, inside)));
        Vec::new()
    };
    collect(template, &note, false, &mut Vec::new());
    places.into_inner()
}

fn strip(pieces: &mut [TemplatePiece]) {
    for index in 0..pieces.len() {
        let TemplatePiece::Marker(before, after) = pieces[index] else {
            continue;
        };
        if before
            && let Some(TemplatePiece::Text(_, text)) = index.checked_sub(1).and_then(|index| pieces.get_mut(index))
        {
            text.truncate(text.trim_end().len());
        }
        if after && let Some(TemplatePiece::Text(_, text)) = pieces.get_mut(index + 1) {
            let trimmed = text.trim_start().to_owned();
            *text = trimmed;
        }
    }
}

/// Removes the smallest indentation from every line. Blank lines do not count; a line that begins with `${…}` has none.
fn unindent(pieces: &mut [TemplatePiece]) {
    let mut least = usize::MAX;
    let mut lines = Vec::new();
    let mut new_line = true;
    for (index, piece) in pieces.iter().enumerate() {
        let text = match piece {
            TemplatePiece::Text(_, text) => text.as_str(),
            TemplatePiece::Marker(..) => "",
        };
        let rest = text.trim_start();
        let blank = rest.is_empty() && text.ends_with('\n');
        if new_line && !blank {
            least = least.min(unicode::clusters(&text[..text.len() - rest.len()]).len());
            lines.push(index);
        }
        new_line = text.ends_with('\n');
    }
    for index in lines {
        if let Some(TemplatePiece::Text(_, text)) = pieces.get_mut(index) {
            let cut: usize = unicode::clusters(text).iter().take(least).map(|cluster| cluster.len()).sum();
            text.drain(..cut);
        }
    }
}
