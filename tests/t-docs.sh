#!/bin/sh
# The documents of the spec language: every example in specs/ compiles (or is refused, where `<!-- refused -->` stands before
# it), specs/fields.md is what the compiler says of its fields, the JSON Schema is JSON and takes what the compiler takes.
#
#	UPDATE=1 tests/t-docs.sh      writes specs/fields.md anew

. "$(dirname "$0")/lib.sh"

dassie schema --fields >"$T/fields.md"
if [ -n "${UPDATE:-}" ]; then
	cp "$T/fields.md" "$DASSIE_SRC/specs/fields.md"
fi
same "specs/fields.md is up to date (UPDATE=1 tests/t-docs.sh writes it)" "$T/fields.md" "$DASSIE_SRC/specs/fields.md"

dassie schema >"$T/schema.json"
ok "the schema is JSON" perl -MJSON::PP -0777 -ne 'decode_json($_)' "$T/schema.json"
run dassie schema --nonsense
is "schema: usage" "$status" 2

# blocks FILE FOLDER: its yaml and json examples, as FOLDER/LINE.{ok,no}.{yaml,json}; after `<!-- file: NAME -->` it is a file
# that the others may include.
blocks() {
	awk -v to="$2" '
		/^<!-- refused -->/ { kind = "no"; next }
		/^<!-- file: .* -->/ {
			file = $0
			sub(/^<!-- file: /, "", file)
			sub(/ -->.*/, "", file)
			folder = "/" file
			sub(/\/[^\/]*$/, "", folder)
			system("mkdir -p \"" to "/files" folder "\"")
			next
		}
		/^```(yaml|json)$/ && file != "" { name = to "/files/" file; file = ""; inside = 1; next }
		/^```(yaml|json)$/ { name = to "/" sprintf("%04d", NR) "." (kind == "" ? "ok" : kind) "." substr($0, 4); kind = ""; inside = 1; next }
		/^```/ && inside { inside = 0; close(name); next }
		inside { print >name }' "$1"
}

mkdir "$T/good"
n=0
for page in "$DASSIE_SRC"/specs/*.md "$DASSIE_SRC"/README.md; do
	where=$T/blocks.$n
	mkdir -p "$where"
	blocks "$page" "$where"
	for block in "$where"/*.*; do
		[ -e "$block" ] || continue
		n=$((n + 1))
		line=$(basename "$block" | sed 's/\..*//; s/^0*//')
		project
		cp "$block" .
		[ ! -d "$where/files" ] || cp -R "$where/files/." .
		run dassie compile "$(basename "$block")"
		case $block in
		*.ok.*)
			is "$(basename "$page"):$line compiles" "$status" 0 || diag "$err"
			cp "$block" "$T/good/$n.${block##*.}"
			;;
		*) is "$(basename "$page"):$line is refused" "$status" 1 || diag "$err" ;;
		esac
	done
done
ok "there are examples: $n" test "$n" -gt 20

for f in "$DASSIE_SRC"/tests/spec/*.mk; do
	for spec in "${f%.mk}".yaml "${f%.mk}".json; do
		[ ! -e "$spec" ] || cp "$spec" "$T/good/"
	done
done
if python3 -c 'import jsonschema, yaml' 2>/dev/null; then
	cat >"$T/validate.py" <<'PY'
import glob, json, re, sys, jsonschema, yaml
class Loader(yaml.SafeLoader):      # words are words, as in YAML 1.2 and in editors
    pass
Loader.yaml_implicit_resolvers = {k: [r for r in v if "timestamp" not in r[0] and "bool" not in r[0]]
                                  for k, v in Loader.yaml_implicit_resolvers.items()}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
check = jsonschema.Draft7Validator(json.load(open(sys.argv[1])))
bad = 0
for path in sorted(glob.glob(sys.argv[2] + "/*")):
    try:
        docs = list(yaml.load_all(open(path, encoding="utf-8-sig"), Loader))
    except yaml.YAMLError:
        continue    # JSON objects one after another, and what else only dassie reads
    for doc in docs:
        for e in check.iter_errors(doc) if doc is not None else []:
            bad += 1
            best = jsonschema.exceptions.best_match([e])
            print(path, list(best.absolute_path), best.message[:300])
sys.exit(bad != 0)
PY
	ok "the schema takes what the compiler takes" python3 "$T/validate.py" "$T/schema.json" "$T/good"
else
	skip "no python3 with jsonschema and yaml" "the schema takes what the compiler takes"
fi

done_testing
