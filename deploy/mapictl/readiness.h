/* readiness.h - one line per thing that an installation needs: good, doubtful or wrong, why, and what to do. */
#ifndef MAPICTL_READINESS_H
#define MAPICTL_READINESS_H
#include "deploy/mapictl/ctl.h"
#include "deploy/mapictl/nginxconf.h"

enum verdict { GOOD, WARN, FAIL };

struct readiness { struct ctl *c; struct arena *a; json_t *lines; unsigned count[3]; };

/* `what` names the check; `remedy` "" where there is nothing to do. */
void readiness_say(struct readiness *r, enum verdict v, const char *what, const char *reason, const char *remedy);

void readiness_switches(struct readiness *r);                    /* organizations, URLs */
void readiness_nginx(struct readiness *r, const char *file);     /* file: `nginx -T` output or a configuration; NULL: asks nginx */
void readiness_redis(struct readiness *r);                       /* policy, persistence, version, its clock against ours */
void readiness_host(struct readiness *r);                        /* descriptors, clock, disk, secret, directory, store */
#endif
