/* netverbs.h: what dassie-net can do: argv[0] is the verb; each returns the exit status. */
#ifndef RUNTIME_NETVERBS_H
#define RUNTIME_NETVERBS_H

int net_egress(int argc, char **argv);     /* netegress.c */
int net_notify(int argc, char **argv);     /* netnotify.c */
int net_s3(int argc, char **argv);         /* s3cmd.c */
int net_fetch(int argc, char **argv);      /* fetch.c */

#endif
