# shellcheck shell=bash
# Completion of dassie for bash: verbs, their options, pipelines, repos, files of the newest commit.

_dassie() {
	local cur=${COMP_WORDS[COMP_CWORD]} verb='' i words
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-C) i=$((i + 1)) ;;
		-*) ;;
		*)
			verb=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	if [[ -z $verb ]]; then
		words=$(dassie help --complete verbs 2>/dev/null)
	elif [[ $cur == -* ]]; then
		words=$(dassie help --complete options "$verb" 2>/dev/null)
	else
		case $verb in
		run | jobs | datums | logs) words=$(dassie help --complete pipelines 2>/dev/null) ;;
		log | ls | cat | diff | glob) words=$(dassie help --complete repos 2>/dev/null) ;;
		help) words=$(dassie help --complete verbs 2>/dev/null) ;;
		*)
			COMPREPLY=()
			return
			;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o default -F _dassie dassie
