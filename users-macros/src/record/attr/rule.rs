//! `validate = rule`.

use darling::{FromMeta, Result};
use syn::{Expr, ExprCall, Meta, spanned::Spanned};

use super::word_of;
use crate::{
    record::field::{Rule, RuleKind},
    report::mistake,
};

impl FromMeta for Rule {
    fn from_meta(item: &Meta) -> Result<Self> {
        match item {
            Meta::NameValue(pair) => rule(&pair.value),
            _ => Err(mistake(item.path().span(), format!("write `validate = rule` with {RULES}"))),
        }
    }
}

const RULES: &str = "one of `length(least, greatest)`, `range(least, greatest)`, `email`, `custom(path)`";

fn rule(expression: &Expr) -> Result<Rule> {
    let (name, arguments) = match expression {
        Expr::Group(group) => return rule(&group.expr),
        Expr::Call(ExprCall { func, args, .. }) => (word_of(func), args.iter().collect()),
        other => (word_of(other), Vec::new()),
    };
    let span = expression.span();
    let kind = match (name.as_deref(), arguments.as_slice()) {
        (Some("length"), [least, greatest]) => {
            ordered(least, greatest)?;
            RuleKind::Length((*least).clone(), (*greatest).clone())
        }
        (Some("range"), [least, greatest]) => {
            ordered(least, greatest)?;
            RuleKind::Range((*least).clone(), (*greatest).clone())
        }
        (Some("email"), []) => RuleKind::Email,
        (Some("custom"), [Expr::Path(path)]) => RuleKind::Custom(path.path.clone()),
        (Some("length"), _) => {
            return Err(mistake(
                span,
                "`length` takes the least and the greatest number of characters; write `length(2, 40)`",
            ));
        }
        (Some("range"), _) => {
            return Err(mistake(
                span,
                "`range` takes the least and the greatest value; write `range(0, 150)`",
            ));
        }
        (Some("email"), _) => return Err(mistake(span, "`email` takes no arguments; write `email` alone")),
        (Some("custom"), _) => {
            let text = "`custom` takes the path of a function; write `custom(path)`, where `fn path(value: &T) -> Result<(), Violation>`";
            return Err(mistake(span, text));
        }
        (Some(name), _) => return Err(mistake(span, format!("unknown rule `{name}`; write {RULES}"))),
        (None, _) => return Err(mistake(span, format!("this is no rule; write {RULES}"))),
    };
    Ok(Rule { span, kind })
}

/// Refuses bounds that nothing can satisfy, as far as they are literals.
fn ordered(least: &Expr, greatest: &Expr) -> Result<()> {
    match (number(least), number(greatest)) {
        (Some(low), Some(high)) if low > high => {
            let text = "nothing lies between these bounds; write the least first and the greatest second";
            Err(mistake(least.span(), text))
        }
        _ => Ok(()),
    }
}

fn number(expression: &Expr) -> Option<f64> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            syn::Lit::Int(number) => number.base10_digits().parse().ok(),
            syn::Lit::Float(number) => number.base10_digits().parse().ok(),
            _ => None,
        },
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Neg(_)) => {
            number(&unary.expr).map(|number| -number)
        }
        Expr::Group(group) => number(&group.expr),
        _ => None,
    }
}
