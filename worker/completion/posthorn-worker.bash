# Completion of posthorn-worker in bash: its options are those of --help, the keys those of --print-options.

_posthorn_worker() {
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} program=${COMP_WORDS[0]/#\~/$HOME}
	# Bash takes --set=KEY apart.
	[[ $current == = ]] && current=''  || { [[ $before == = ]] && before=${COMP_WORDS[COMP_CWORD - 2]}; }
	case $before in
	-c | --config)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		;;
	-s | --set)
		compopt -o nospace 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -W "$("$program" --print-options | sed 's/\t.*/=/; s/\*=$//')" -- "$current")
		;;
	*)
		mapfile -t COMPREPLY < <(compgen -W "$("$program" --help | grep -oE '(^|[ ,])--[a-z-]+')" -- "$current")
		;;
	esac
}

complete -F _posthorn_worker posthorn-worker
