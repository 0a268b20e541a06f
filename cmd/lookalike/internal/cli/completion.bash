# What the script below needs of the package bash-completion, for shells without it.
if ! declare -F _get_comp_words_by_ref >/dev/null && ! declare -F _init_completion >/dev/null; then
    # Sets cur, prev, words and cword, with words that = and : had cut joined again.
    _get_comp_words_by_ref() {
        local i word joins=
        words=() cword=0
        for ((i = 0; i <= COMP_CWORD; i++)); do
            word=${COMP_WORDS[i]}
            if ((${#words[@]} > 1)) && [[ $joins || $word == [=:]* ]]; then
                words[${#words[@]} - 1]+=$word
            else
                words+=("$word")
            fi
            joins=
            [[ $word == *[=:] ]] && joins=1
        done
        cword=$((${#words[@]} - 1))
        cur=${words[cword]}
        prev=
        ((cword > 0)) && prev=${words[cword - 1]}
    }
fi
if ! declare -F _filedir >/dev/null; then
    # Offers folders and, but for -d, the files with one of the suffixes a|b|c.
    _filedir() {
        local path suffix of=${cur/#\~\//$HOME/}
        compopt -o filenames 2>/dev/null
        while IFS= read -r path; do
            if [[ $cur == \~/* ]]; then
                path=\~/${path#"$HOME"/}
            fi
            if [[ -d ${path/#\~\//$HOME/} || $# == 0 ]]; then
                COMPREPLY+=("$path")
            elif [[ $1 != -d ]]; then
                suffix=${path##*.}
                [[ "|$1" == *"|$suffix|"* ]] && COMPREPLY+=("$path")
            fi
        done < <(compgen -f -- "$of")
    }
fi

