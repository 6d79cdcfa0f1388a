# Completion of posthorn-admin in bash: the program itself says what may come next.

_posthorn_admin() {
	local words=() word glued='' current=${COMP_WORDS[COMP_CWORD]} head line
	# Bash takes words apart at = and :, which are within ours.
	for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
		if ((${#words[@]})) && [[ $glued || $word == [=:]* ]]; then
			words[-1]+=$word
		else
			words+=("$word")
		fi
		[[ $word == [=:]* ]] && glued=1 || glued=''
	done
	# What stands before the part that bash completes is not repeated.
	[[ $current == [=:]* ]] && current=''
	head=${words[-1]%"$current"}
	COMPREPLY=()
	while IFS= read -r line; do
		if [[ $line == @files ]]; then
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$current")
			return
		fi
		line=${line%%$'\t'*}
		COMPREPLY+=("${line#"$head"}")
	done < <("${COMP_WORDS[0]/#\~/$HOME}" --complete -- "${words[@]}" 2>/dev/null)
	if ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == *[=.] ]]; then
		compopt -o nospace 2>/dev/null
	fi
}

complete -F _posthorn_admin posthorn-admin
