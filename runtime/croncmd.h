/* croncmd.h: the sub-commands of `dassie cron`: argv[0] is the sub-command; the return value is the exit status. */
#ifndef RUNTIME_CRONCMD_H
#define RUNTIME_CRONCMD_H

int cron_next(int argc, char **argv);      /* cronshow.c */
int cron_history(int argc, char **argv);   /* cronshow.c */
int cron_fire(int argc, char **argv);      /* fire.c */
int cron_install(int argc, char **argv);   /* croninstall.c */
int cron_remove(int argc, char **argv);    /* croninstall.c */
int cron_list(int argc, char **argv);      /* croninstall.c */
int cron_status(int argc, char **argv);    /* cronstatus.c */
int cron_entry(int argc, char **argv);     /* cronentry.c */

#endif
