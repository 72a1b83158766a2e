# Completion of dassie for fish: verbs, their options, pipelines, repos.

function __dassie_verb
    set -l words (commandline -opc)
    test (count $words) -ge 2; and echo $words[2]
end

complete -c dassie -n 'test -z (__dassie_verb)' -f -a '(dassie help --complete verbs 2>/dev/null)'
complete -c dassie -n 'test -n (__dassie_verb)' -a '(dassie help --complete options (__dassie_verb) 2>/dev/null)'
complete -c dassie -n 'contains -- (__dassie_verb) run jobs datums logs' -f -a '(dassie help --complete pipelines 2>/dev/null)'
complete -c dassie -n 'contains -- (__dassie_verb) log ls cat diff glob' -f -a '(dassie help --complete repos 2>/dev/null)'
complete -c dassie -n 'contains -- (__dassie_verb) help' -f -a '(dassie help --complete verbs 2>/dev/null)'
