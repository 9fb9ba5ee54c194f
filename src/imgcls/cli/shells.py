r"""The completion scripts of the shells; what they offer is asked of the program.

click's own forget the file names: a word that the program does not know by itself has none. Here
the program says what kind of path fits, and the shell finds them, quotes them and knows `~`.
"""

from __future__ import annotations

from click.shell_completion import (
    BashComplete,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

_BASH = r"""# Completion for imgcls in bash 4.4 and later. To install, add this line to ~/.bashrc:
#   eval "$(imgcls --show-completion bash)"
%(complete_func)s() {
    local IFS=$'\n' cur=${COMP_WORDS[COMP_CWORD]} kind value ending
    COMPREPLY=()
    cur=${cur//\\/}
    cur=${cur#[\"\']}
    [[ $cur == = ]] && cur=
    while IFS=, read -r kind value; do
        case $kind in
        plain)
            COMPREPLY+=("$(printf %%q "$value")") ;;
        dir)
            compopt -o filenames
            COMPREPLY+=($(compgen -d -- "$cur")) ;;
        file)
            compopt -o filenames
            if [[ $value != - ]]; then
                for ending in ${value// /$'\n'}; do
                    COMPREPLY+=($(compgen -f -X "!*$ending" -- "$cur"))
                done
                COMPREPLY+=($(compgen -d -- "$cur"))
            fi
            [[ ${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- "$cur")) ;;
        esac
    done < <(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD \
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

_ZSH = r"""#compdef %(prog_name)s
# Completion for imgcls in zsh. To install, add this line to ~/.zshrc, below compinit:
#   eval "$(imgcls --show-completion zsh)"
%(complete_func)s() {
    local -a plain described
    local kind value help ret=1
    (( ! $+commands[%(prog_name)s] )) && return 1
    for kind value help in "${(@f)$(COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) \
        %(complete_var)s=zsh_complete %(prog_name)s 2>/dev/null)}"; do
        case $kind in
        plain)
            if [[ $help == _ ]]; then plain+=("$value"); else described+=("$value:$help"); fi ;;
        dir)
            _files -/ && ret=0 ;;
        file)
            if [[ $value == - ]]; then
                _files && ret=0
            else
                _files -g "*${value// / *}" && ret=0
            fi ;;
        esac
    done
    (( $#described )) && _describe -V unsorted described -U && ret=0
    (( $#plain )) && compadd -U -V unsorted -a plain && ret=0
    return ret
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

_FISH = r"""# Completion for imgcls in fish. To install, add to ~/.config/fish/config.fish:
#   imgcls --show-completion fish | source
function %(complete_func)s
    set -l token (commandline -ct)
    for line in (COMP_WORDS=(commandline -cp) COMP_CWORD=$token %(complete_var)s=fish_complete \
        %(prog_name)s 2>/dev/null)
        set -l item (string split -m 1 , -- $line)
        switch $item[1]
            case plain
                echo $item[2]
            case dir
                __fish_complete_directories $token
            case file
                set -l paths (__fish_complete_path $token)
                set -l fitting
                for ending in (string split ' ' -- $item[2]) /
                    set -l end (string escape --style=regex -- $ending)'(?:\t.*)?$'
                    set -a fitting (string match -r -- '.*'$end $paths)
                end
                if test "$item[2]" = -; or test -z "$fitting"
                    set fitting $paths
                end
                string join \n -- $fitting
        end
    end
end
complete --no-files --command %(prog_name)s --arguments '(%(complete_func)s)'
"""


class _Bash(BashComplete):
    source_template = _BASH

    def source(self) -> str:
        return ShellComplete.source(self)  # click's runs bash, to see how old it is


class _Zsh(ZshComplete):
    source_template = _ZSH


class _Fish(FishComplete):
    source_template = _FISH


SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


def use_own_scripts() -> None:
    """Let click answer these shells and print their scripts."""
    for name, shell in SHELLS.items():
        add_completion_class(shell, name)
