//! Evaluates string templates: `"${…}"`, `%{ if … }`, `%{ for … }`, and `~` that eats white space.

use hcl_edit::template::{Directive, Element, ForDirective, IfDirective, Strip, Template};

use super::each::loop_names;
use super::eval::{Env, Evaluator};
use crate::spec::source::Span;
use crate::spec::tree::{Node, Value};

/// A text that is longer than this is not meant for a cluster file.
const MAX_TEXT: usize = 256 * 1024;

impl Evaluator<'_> {
    /// The template's text; a template that is one `${…}` alone keeps the value's type.
    pub(super) fn template(&mut self, template: &Template, span: &Span, env: &Env) -> Option<Node> {
        if let Some(Element::Interpolation(only)) = template.as_single_element() {
            return self.eval(&only.expr, env).map(|node| node.at(span));
        }
        let mut text = String::new();
        self.write(template, (false, false), &mut text, span, env)?;
        Some(Node::new(Value::String(text), span.clone()))
    }

    /// Appends a template; `strip` says whether its neighbours eat the space at its start and end.
    fn write(
        &mut self,
        template: &Template,
        strip: (bool, bool),
        text: &mut String,
        span: &Span,
        env: &Env,
    ) -> Option<()> {
        let elements: Vec<&Element> = template.iter().collect();
        for (index, element) in elements.iter().enumerate() {
            let before = index.checked_sub(1).map_or(strip.0, |i| strips_after(elements[i]));
            let after = elements.get(index + 1).map_or(strip.1, |next| strips_before(next));
            self.step(span)?;
            match element {
                Element::Literal(literal) => text.push_str(trimmed(literal, before, after)),
                Element::Interpolation(interpolation) => {
                    let node = self.eval(&interpolation.expr, env)?;
                    let part = self.text_of(&node)?;
                    text.push_str(&part);
                }
                Element::Directive(directive) => match directive.as_ref() {
                    Directive::If(directive) => self.write_if(directive, text, span, env)?,
                    Directive::For(directive) => self.write_for(directive, text, span, env)?,
                },
            }
            if text.len() > MAX_TEXT {
                return self.fail(span, format!("the text is longer than {} KiB", MAX_TEXT / 1024));
            }
        }
        Some(())
    }

    fn write_if(&mut self, directive: &IfDirective, text: &mut String, span: &Span, env: &Env) -> Option<()> {
        let yes = &directive.if_expr;
        let end = directive.endif_expr.strip.strip_start();
        match &directive.else_expr {
            _ if self.boolean(&yes.cond_expr, env)? => {
                let next = directive.else_expr.as_ref().map_or(end, |e| e.strip.strip_start());
                self.write(&yes.template, (yes.strip.strip_end(), next), text, span, env)
            }
            Some(no) => self.write(&no.template, (no.strip.strip_end(), end), text, span, env),
            None => Some(()),
        }
    }

    fn write_for(&mut self, directive: &ForDirective, text: &mut String, span: &Span, env: &Env) -> Option<()> {
        let each = &directive.for_expr;
        let strip = (each.strip.strip_end(), directive.endfor_expr.strip.strip_start());
        let key_var = each.key_var.as_ref().map(|ident| ident.as_str());
        for (key, item) in self.collection(&each.collection_expr, env)? {
            let names = loop_names(key_var, each.value_var.as_str(), key, item);
            self.write(&each.template, strip, text, span, &env.inner(&names))?;
        }
        Some(())
    }
}

fn trimmed(literal: &str, start: bool, end: bool) -> &str {
    let literal = if start { literal.trim_start() } else { literal };
    if end { literal.trim_end() } else { literal }
}

/// Whether an element eats the white space before it (`${~`, `%{~`).
fn strips_before(element: &Element) -> bool {
    first_strip(element).is_some_and(Strip::strip_start)
}

/// Whether an element eats the white space after it (`~}`).
fn strips_after(element: &Element) -> bool {
    last_strip(element).is_some_and(Strip::strip_end)
}

fn first_strip(element: &Element) -> Option<Strip> {
    match element {
        Element::Literal(_) => None,
        Element::Interpolation(interpolation) => Some(interpolation.strip),
        Element::Directive(directive) => Some(match directive.as_ref() {
            Directive::If(directive) => directive.if_expr.strip,
            Directive::For(directive) => directive.for_expr.strip,
        }),
    }
}

fn last_strip(element: &Element) -> Option<Strip> {
    match element {
        Element::Directive(directive) => Some(match directive.as_ref() {
            Directive::If(directive) => directive.endif_expr.strip,
            Directive::For(directive) => directive.endfor_expr.strip,
        }),
        other => first_strip(other),
    }
}
