/* yamlparse.c: parse YAML files with libyaml and do nothing else: what compiling a spec is held against. */
#include <stdio.h>
#include <yaml.h>

static int
parse(const char *path)
{
	yaml_parser_t parser;
	yaml_event_t event;
	int more = 1, bad = 0;
	FILE *f = fopen(path, "rb");

	if (!f) {
		perror(path);
		return 1;
	}
	if (!yaml_parser_initialize(&parser)) {
		fclose(f);
		return 1;
	}
	yaml_parser_set_input_file(&parser, f);
	while (more) {
		if (!yaml_parser_parse(&parser, &event)) {
			fprintf(stderr, "%s: %s\n", path, parser.problem);
			bad = 1;
			break;
		}
		more = event.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	fclose(f);
	return bad;
}

int
main(int argc, char **argv)
{
	int bad = 0;

	for (int i = 1; i < argc; i++)
		bad |= parse(argv[i]);
	return bad;
}
