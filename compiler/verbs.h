/* verbs.h: the commands of dassie-compile: argv[0] is the verb; the return value is the exit status. */
#ifndef COMPILER_VERBS_H
#define COMPILER_VERBS_H

int verb_compile(int argc, char **argv);   /* compile.c */
int verb_glob(int argc, char **argv);      /* glob: which paths a pattern makes datums of */
int verb_match(int argc, char **argv);
int verb_plan(int argc, char **argv);      /* plan.c */
int verb_datums_of(int argc, char **argv); /* datums -f: which datums a spec would make */
int verb_schema(int argc, char **argv);    /* schema: the fields, for people and for editors */

#endif
