/* croncmd.h: the sub-commands of `dassie cron`: argv[0] is the sub-command; the return value is the exit status. */
#ifndef RUNTIME_CRONCMD_H
#define RUNTIME_CRONCMD_H

int cron_fire(int argc, char **argv);      /* fire.c */

#endif
