/* verbs.h: every command of dassie: argv[0] is the verb; the return value is the exit status. */
#ifndef RUNTIME_VERBS_H
#define RUNTIME_VERBS_H

int verb_scan(int argc, char **argv);      /* scan.c */
int verb_stage(int argc, char **argv);     /* stage.c */
int verb_run(int argc, char **argv);       /* run.c */
int verb_rerun(int argc, char **argv);     /* rerun.c */
int verb_debug(int argc, char **argv);      /* debug.c */
int verb_metrics(int argc, char **argv);    /* metrics.c */
int verb_status(int argc, char **argv);    /* status.c */
int verb_jobs(int argc, char **argv);      /* jobs.c */
int verb_datums(int argc, char **argv);    /* jobs.c */
int verb_logs(int argc, char **argv);      /* logs.c */
int verb_log(int argc, char **argv);       /* history.c */
int verb_ls(int argc, char **argv);        /* history.c */
int verb_cat(int argc, char **argv);       /* history.c */
int verb_egress(int argc, char **argv);
int verb_diff(int argc, char **argv);      /* history.c */
int verb_branch(int argc, char **argv);     /* branch.c */
int verb_why(int argc, char **argv);       /* why.c */
int verb_init(int argc, char **argv);      /* init.c */
int verb_doctor(int argc, char **argv);    /* doctor.c */
int verb_cron(int argc, char **argv);      /* croncmd.c */
int verb_tick(int argc, char **argv);      /* tickcmd.c */
int verb_backfill(int argc, char **argv);  /* backfill.c */
int verb_pause(int argc, char **argv);     /* pause.c */
int verb_resume(int argc, char **argv);    /* pause.c */
int verb_graph(int argc, char **argv);     /* graph.c */
int verb_gc(int argc, char **argv);        /* gc.c */
int verb_export_state(int argc, char **argv);   /* exportstate.c */
int verb_fsck(int argc, char **argv);      /* fsck.c */

#endif
