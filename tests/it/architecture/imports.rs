//! Which module imports which, read from the source without its unit tests.

use std::collections::{BTreeMap, BTreeSet};

/// A module: one file of `src`.
#[derive(Default)]
pub struct Module {
    /// Its file, relative to `src`.
    pub file: String,
    /// Its code without comments, literals and unit tests, as identifiers, `::` and single characters.
    tokens: Vec<String>,
    /// What names that it imports or re-exports stand for.
    names: BTreeMap<String, Vec<String>>,
    /// Names that it only passes on.
    passed_on: BTreeSet<String>,
}

/// All modules by their paths; the root of the library is `lib`, that of the binary `main`.
pub type House = BTreeMap<String, Module>;

/// Reads the house.
pub fn house() -> House {
    let mut house = House::new();
    for (file, code) in super::files(&super::root().join("src")) {
        if file.ends_with("tests.rs") {
            continue;
        }
        let name = file
            .trim_end_matches(".rs")
            .trim_end_matches("/mod")
            .replace('/', "::");
        let module = Module {
            tokens: tokens(&code),
            file: file.clone(),
            ..Module::default()
        };
        house.insert(name, module);
    }
    let names: Vec<String> = house.keys().cloned().collect();
    for name in names {
        let uses = uses(&house[&name].tokens);
        for (path, alias, is_passed_on) in uses {
            let path = absolute(&house, &name, &path);
            let module = house.get_mut(&name).expect("just listed");
            if let Some(path) = path {
                if is_passed_on {
                    module.passed_on.insert(alias.clone());
                }
                module.names.insert(alias, path);
            }
        }
    }
    house
}

/// What a module imports, by the modules' paths. `with_passed_on`: also what it only re-exports.
pub fn imports(house: &House, name: &str, with_passed_on: bool) -> BTreeSet<String> {
    let module = &house[name];
    let imported = module.names.iter();
    let imported = imported.filter(|(name, _)| with_passed_on || !module.passed_on.contains(*name));
    let said = paths(&module.tokens);
    let said = said.iter().filter_map(|path| absolute(house, name, path));
    let all = imported.map(|(_, path)| path.clone()).chain(said);
    let mut found: BTreeSet<String> = all.map(|path| home(house, &path)).collect();
    found.remove(name);
    found
}

/// The module in which what a path names is written, whoever passes it on.
fn home(house: &House, path: &[String]) -> String {
    for length in (1..=path.len()).rev() {
        let name = path[..length].join("::");
        let Some(module) = house.get(&name) else {
            continue;
        };
        let item = path
            .get(length)
            .filter(|item| module.passed_on.contains(*item));
        return match item {
            Some(item) => home(house, &[&module.names[item], &path[length + 1..]].concat()),
            None => name,
        };
    }
    "lib".to_owned()
}

/// The path from the root of the crate; `None` for what is not in it.
fn absolute(house: &House, module: &str, path: &[String]) -> Option<Vec<String>> {
    let own: Vec<String> = match module {
        "lib" | "main" => Vec::new(),
        module => module.split("::").map(str::to_owned).collect(),
    };
    let first = path.first()?;
    let (base, rest) = match first.as_str() {
        "crate" | "snapexport" => (Vec::new(), &path[1..]),
        "self" => (own, &path[1..]),
        "super" => {
            let up = path.iter().take_while(|part| *part == "super").count();
            let above = own.len().checked_sub(up).expect("a module above");
            (own[..above].to_vec(), &path[up..])
        }
        first if house[module].names.contains_key(first) => {
            (house[module].names[first].clone(), &path[1..])
        }
        first if house.contains_key(&[&own[..], &[first.to_owned()]].concat().join("::")) => {
            (own, path)
        }
        _ => return None,
    };
    Some([&base[..], rest].concat())
}

/// Identifiers, `::` and single characters; comments and literals are left out.
fn tokens(code: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(raw) = rest.strip_prefix("r#\"") {
            3 + raw.find("\"#").expect("its end") + 2
        } else if c == '"' {
            literal(rest, '"')
        } else if c == '\'' && (rest[1..].starts_with('\\') || rest.chars().nth(2) == Some('\'')) {
            literal(rest, '\'')
        } else {
            let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let length = if rest.starts_with("::") {
                2
            } else {
                word.max(c.len_utf8())
            };
            if !c.is_whitespace() {
                tokens.push(rest[..length].to_owned());
            }
            length
        };
        rest = &rest[length..];
    }
    tokens
}

/// How long a literal is that begins here.
fn literal(text: &str, end: char) -> usize {
    let mut is_escaped = true;
    for (at, c) in text.char_indices() {
        if c == end && !is_escaped {
            return at + 1;
        }
        is_escaped = at > 0 && c == '\\' && !is_escaped;
    }
    text.len()
}

/// What `use` names: each path, the name it gets, and whether it is only passed on.
fn uses(tokens: &[String]) -> Vec<(Vec<String>, String, bool)> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if token == "use" {
            let before = tokens[at.saturating_sub(4)..at].join(" ");
            let is_passed_on = before.ends_with("pub")
                || before.ends_with("pub ( crate )")
                || before.ends_with("pub ( super )");
            tree(&mut tokens[at + 1..].iter(), &[], &mut |path, alias| {
                found.push((path, alias, is_passed_on));
            });
        }
    }
    found
}

/// Reads a tree of `use` up to its `;` or `}`.
fn tree(
    tokens: &mut dyn Iterator<Item = &String>,
    prefix: &[String],
    found: &mut dyn FnMut(Vec<String>, String),
) {
    let mut path = prefix.to_vec();
    let mut alias: Option<String> = None;
    let mut is_renamed = false;
    while let Some(token) = tokens.next() {
        match token.as_str() {
            "::" => {}
            "as" => is_renamed = true,
            "{" => {
                tree(tokens, &path, found);
                path.clear();
            }
            "," | ";" | "}" => {
                if path.len() > prefix.len() {
                    if path.last().is_some_and(|last| last == "self") {
                        path.pop();
                    }
                    let last = path.last().cloned().unwrap_or_default();
                    found(path, alias.take().unwrap_or(last));
                }
                path = prefix.to_vec();
                is_renamed = false;
                if token != "," {
                    return;
                }
            }
            name if is_renamed => alias = Some(name.to_owned()),
            name => path.push(name.to_owned()),
        }
    }
}

/// Every path of two parts and more in expressions and types.
fn paths(tokens: &[String]) -> Vec<Vec<String>> {
    let is_name = |token: &String| token.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let mut found = Vec::new();
    let mut is_use = false;
    for (at, token) in tokens.iter().enumerate() {
        is_use = (is_use || token == "use") && token != ";";
        if is_use {
            continue;
        }
        let is_first = is_name(token) && (at == 0 || tokens[at - 1] != "::");
        if !is_first || tokens.get(at + 1).is_none_or(|next| next != "::") {
            continue;
        }
        let mut path = vec![token.clone()];
        let mut rest = tokens[at + 1..].chunks(2);
        while let Some([link, name]) = rest.next() {
            if link != "::" || !is_name(name) {
                break;
            }
            path.push(name.clone());
        }
        found.push(path);
    }
    found
}
