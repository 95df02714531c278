//! The scripts that shells load, as clap_complete writes them, with what two of them lack.

use clap_complete::env::Shells;
use snapexport::completion::VARIABLE;

/// The shells, each with the name of its script.
const FILES: [(&str, &str); 5] = [
    ("bash", "snapexport.bash"),
    ("zsh", "_snapexport"),
    ("fish", "snapexport.fish"),
    ("powershell", "snapexport.ps1"),
    ("elvish", "snapexport.elv"),
];

/// Where the bash script begins to ask.
const ASKED: &str = "    COMPREPLY=( $( \\\n";
/// What it has to do before.
const JOINED: &str = r#"    # bash makes three words of --option=value; the program is to see two.
    local word=1
    while (( word < _CLAP_COMPLETE_INDEX )); do
        if [[ "${words[word]}" == "=" && "${words[word-1]}" == --* ]]; then
            words=("${words[@]:0:word}" "${words[@]:word+1}")
            _CLAP_COMPLETE_INDEX=$(( _CLAP_COMPLETE_INDEX - 1 ))
        else
            word=$(( word + 1 ))
        fi
    done
"#;

/// zsh loads a file of that name at the first press of the key, which must be answered too.
const FIRST: &str = r#"
if [ "$funcstack[1]" = "_snapexport" ]; then
    _clap_dynamic_completer_snapexport "$@"
fi
"#;

/// The name and the text of each script.
pub(crate) fn scripts() -> impl Iterator<Item = (&'static str, String)> {
    FILES.into_iter().map(|(shell, file)| (file, script(shell)))
}

fn script(shell: &str) -> String {
    let shells = Shells::builtins();
    let completer = shells.completer(shell).expect("a shell that clap knows");
    let mut script = Vec::new();
    let name = "snapexport";
    completer
        .write_registration(VARIABLE, name, name, name, &mut script)
        .expect("memory takes it");
    let script = String::from_utf8(script).expect("it is text");
    let script = script.replace(ASKED, &format!("{JOINED}{ASKED}"));
    let rest = if shell == "zsh" { FIRST } else { "" };
    format!("{}\n{rest}", script.trim())
}
