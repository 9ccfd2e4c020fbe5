/* stack.c - starting, breaking and stopping the real parts. */
#include "tests/flow/stack.h"
#include "backend/base/crypto.h"
#include "backend/base/must.h"
#include "tests/unit.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const stack_route[STACK_WORKERS] = { "a0", "b0", "a1", "b1" };

static struct stack_options options;

/* --- processes --------------------------------------------------------------------------------------------------------------------------- */

/* As systemd passes a socket: descriptor 3, and whose it is. */
static void pass_socket(int fd)
{
    char pid[24];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "1", 1);
    if (fd == 3)
        fcntl(fd, F_SETFD, 0);
    else
        dup2(fd, 3);
}

static pid_t spawn(struct stack *s, const char *log, char *const argv[], char *const env[])
{
    pid_t parent = getpid(), pid = fork();
    if (pid != 0)
        return pid;
    if (s->passed > 0)
        pass_socket(s->passed);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    char path[300];
    snprintf(path, sizeof path, "%s/%s", s->dir, log);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, 1);
    dup2(fd, 2);
    for (int i = 0; env != NULL && env[i] != NULL; i++)
        putenv(env[i]);
    execvp(argv[0], argv);
    perror(argv[0]);
    _exit(127);
}

pid_t stack_spawn(struct stack *s, const char *log, char *const argv[], char *const env[]) { return spawn(s, log, argv, env); }

static void end(pid_t *pid, int signal)
{
    if (*pid <= 0)
        return;
    kill(*pid, signal);
    waitpid(*pid, NULL, 0);
    *pid = 0;
}

void stack_end(pid_t *pid, int signal) { end(pid, signal); }

/* Waits until `ready` says so; ends the test after 15 s. */
static void await(struct stack *s, bool (*ready)(struct stack *, unsigned), unsigned n, const char *what)
{
    for (int i = 0; i < 1500; i++) {
        if (ready(s, n))
            return;
        usleep(10000);
    }
    fprintf(stderr, "stack: %s did not start; see %s\n", what, s->dir);
    REQUIRE(!"the stack started");
}

static bool port_is_free(unsigned port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port) };
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
    close(fd);
    return ok;
}

/* Below the ports that the kernel gives to clients, so that a server which is killed finds its own again; test programs that run side by side begin at
 * different places. */
unsigned stack_free_port(void)
{
    enum { FIRST = 10240, PORTS = 22000 };
    static unsigned next;
    if (next == 0)
        next = (unsigned)getpid() * 977;
    while (!port_is_free(FIRST + ++next % PORTS)) {}
    return FIRST + next % PORTS;
}

static bool unix_answers(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    bool ok = connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
    close(fd);
    return ok;
}

bool stack_answers(unsigned port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool ok = connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
    close(fd);
    return ok;
}

static bool port_answers(struct stack *s, unsigned port)
{
    (void)s;
    return stack_answers(port);
}

/* --- files ------------------------------------------------------------------------------------------------------------------------------- */

static void write_file(struct stack *s, const char *name, const char *text)
{
    FILE *f = fopen(arena_printf(s->a, "%s/%s", s->dir, name), "w");
    must(f != NULL);
    fputs(text, f);
    must(fclose(f) == 0);
}

/* One config per host: different files, own logs, the same Redis, secret, directory and mailboxes. */
static void write_config(struct stack *s, const char *host, const struct stack_options *o)
{
    const char *more = o->config != NULL ? o->config : "";
    write_file(s, arena_printf(s->a, "%s.conf", host),
               arena_printf(s->a,
                            "%5$ssession_secret = %1$s/secret\nstore = %1$s/mailboxes\ndirectory = %1$s/directory.db\n"
                            "organization = Demo\ndefault_domain = example.com\nauth_plain_http = yes\nauth_fail_delay = 10\nlog_level = info\n"
                            "host_dir = %1$s/host-%3$s\n%4$s%2$s",
                            s->dir, more, host, strstr(more, "rate_per_user") == NULL ? "rate_per_user = 0\n" : "", /* tests are faster than people */
                            o->redis != NULL ? o->redis : arena_printf(s->a, "redis = %s/redis.sock\n", s->dir)));
}

/* The locations as shipped, but for the upstream: here the header X-Test-Route may choose it. */
static void write_locations(struct stack *s)
{
    static const char from[] = "fastcgi_pass mapihttpd;", to[] = "fastcgi_pass $mapi;";
    char text[65536];
    FILE *f = fopen("deploy/nginx/mapihttpd.conf", "r");
    must(f != NULL);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    fclose(f);
    struct wr w = wr_in(s->a, 131072);
    const char *at = text;
    for (const char *hit; (hit = strstr(at, from)) != NULL; at = hit + sizeof from - 1) {
        wr_bytes(&w, at, (size_t)(hit - at));
        wr_bytes(&w, to, sizeof to - 1);
    }
    wr_bytes(&w, at, strlen(at) + 1);
    write_file(s, "locations.conf", (const char *)w.p);
}

static void write_nginx(struct stack *s)
{
    write_locations(s);
    char *all = arena_strdup(s->a, ""), *map = all, *one = all;
    for (unsigned i = 0; i < s->workers; i++) {
        const char *sock = options.shared_socket ? "shared" : stack_route[i];
        if (i == 0 || !options.shared_socket)
            all = arena_printf(s->a, "%sserver unix:%s/%s.sock max_fails=0; ", all, s->dir, sock);
        one = arena_printf(s->a, "%s upstream w_%s { server unix:%s/%s.sock max_fails=0; keepalive 32; }\n", one, stack_route[i], s->dir, sock);
        map = arena_printf(s->a, "%s %s w_%s;", map, stack_route[i], stack_route[i]);
    }
    write_file(s, "nginx.conf",
               arena_printf(s->a,
                            "%6$s daemon off; worker_processes 2; pid %1$s/nginx.pid; error_log %1$s/nginx.log warn; worker_rlimit_nofile 8192;\n"
                            "events { worker_connections 4096; }\nhttp { access_log off; client_body_temp_path %1$s/body; fastcgi_temp_path %1$s/fcgi;\n"
                            "proxy_temp_path %1$s/proxy; uwsgi_temp_path %1$s/uwsgi; scgi_temp_path %1$s/scgi;\n"
                            "map_hash_bucket_size 128;\n"
                            "upstream all { %2$s keepalive 32; }\n%3$s map $http_x_test_route $mapi { default all; %4$s }\n"
                            "server { listen 127.0.0.1:%5$u backlog=4096; keepalive_requests 1000000; keepalive_timeout 300s;\n"
                            "set $mapi_side internal; include %1$s/locations.conf; }\n"
                            "server { listen 127.0.0.1:%7$u backlog=4096; keepalive_requests 1000000; keepalive_timeout 300s;\n"
                            "set $mapi_side external; include %1$s/locations.conf; }\n%8$s }\n",
                            s->dir, all, one, map, s->port, geteuid() == 0 ? "user root;" : "", s->external_port, options.nginx != NULL ? options.nginx : ""));
}

/* --- parts ------------------------------------------------------------------------------------------------------------------------------- */

static bool redis_ready(struct stack *s, unsigned n)
{
    (void)n;
    return unix_answers(arena_printf(s->a, "%s/redis.sock", s->dir));
}

void stack_redis_start(struct stack *s)
{
    char *sock = arena_printf(s->a, "%s/redis.sock", s->dir), *max = arena_printf(s->a, "%umb", options.redis_maxmemory_mb);
    char *deployed[] = { "redis-server", "deploy/redis.conf", "--unixsocket", sock, "--dir", s->dir, NULL };
    char *argv[] = { "redis-server", "--port", "0", "--unixsocket", sock, "--dir", s->dir, "--save", "", "--appendonly", "yes", "--appendfsync", "always",
                     "--maxmemory-policy", "noeviction", "--maxmemory", options.redis_maxmemory_mb != 0 ? max : "0", NULL };
    unlink(sock);
    s->redis = spawn(s, "redis.log", options.as_deployed ? deployed : argv, NULL);
    await(s, redis_ready, 0, "redis-server");
    usleep(100000); /* loading the append-only file */
}

void stack_redis_stop(struct stack *s) { end(&s->redis, SIGKILL); }

static bool worker_ready(struct stack *s, unsigned n) { return unix_answers(arena_printf(s->a, "%s/%s.sock", s->dir, stack_route[n])); }

const char *stack_program(struct stack *s)
{
    const char *p = getenv("MAPIHTTPD");
    if (p != NULL)
        return p;
    char self[400];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    must(n > 0);
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    return arena_printf(s->a, "%s/mapihttpd", self);
}

/* --- a shared socket ----------------------------------------------------------------------------------------------------------------------- */

static int unix_socket(const char *path, int type)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    unlink(path);
    must(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0);
    return fd;
}

/* The socket answers whoever is there: readiness is what the worker says to its supervisor. */
static void await_notice(struct stack *s, int fd, const char *what)
{
    char text[64];
    struct timeval patience = { 15, 0 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ssize_t n = recv(fd, text, sizeof text - 1, 0);
    close(fd);
    if (n == 7 && memcmp(text, "READY=1", 7) == 0)
        return;
    fprintf(stderr, "stack: %s did not start; see %s\n", what, s->dir);
    REQUIRE(!"the worker said that it is ready");
}

static void start_on_shared(struct stack *s, unsigned i, char *const argv[], char *env[], size_t n)
{
    const char *name = stack_route[i], *path = arena_printf(s->a, "%s/%s.notify", s->dir, name);
    int fd = unix_socket(path, SOCK_DGRAM), kept = s->passed;
    env[n] = arena_printf(s->a, "NOTIFY_SOCKET=%s", path);
    s->passed = s->shared;
    s->worker[i] = spawn(s, arena_printf(s->a, "%s.log", name), argv, env);
    s->passed = kept;
    await_notice(s, fd, name);
}

static void share_socket(struct stack *s)
{
    s->shared = unix_socket(arena_printf(s->a, "%s/shared.sock", s->dir), SOCK_STREAM);
    must(listen(s->shared, 4096) == 0);
}

void stack_worker(struct stack *s, unsigned i)
{
    const char *name = stack_route[i];
    char *argv[] = { (char *)(s->program[i] != NULL ? s->program[i] : stack_program(s)), "--config", arena_printf(s->a, "%s/%c.conf", s->dir, name[0]), NULL };
    char *env[] = { arena_printf(s->a, "MAPIHTTPD_LISTEN=%s/%s.sock", s->dir, name), arena_printf(s->a, "MAPIHTTPD_WORKER_NAME=%s", name),
                    options.as_deployed ? NULL : arena_printf(s->a, "MAPIHTTPD_FAULT_FILE=%s/%s.fault", s->dir, name), NULL, NULL };
    if (s->shared > 0) {
        start_on_shared(s, i, argv, env, 3);
        return;
    }
    unlink(arena_printf(s->a, "%s/%s.sock", s->dir, name));
    s->worker[i] = spawn(s, arena_printf(s->a, "%s.log", name), argv, env);
    await(s, worker_ready, i, name);
}

void stack_kill(struct stack *s, unsigned i, int signal)
{
    if (signal == SIGKILL || signal == SIGTERM)
        end(&s->worker[i], signal);
    else
        kill(s->worker[i], signal);
}

bool stack_worker_ended(struct stack *s, unsigned i)
{
    for (int k = 0; k < 300 && s->worker[i] > 0; k++) {
        if (waitpid(s->worker[i], NULL, WNOHANG) == s->worker[i])
            s->worker[i] = 0;
        else
            usleep(10000);
    }
    return s->worker[i] == 0;
}

void stack_arm(struct stack *s, unsigned i, const char *fault)
{
    write_file(s, arena_printf(s->a, "%s.fault", stack_route[i]), fault != NULL ? fault : "");
}

static bool first_ready(struct stack *s, unsigned n)
{
    (void)n;
    return unix_answers(arena_printf(s->a, "%s/first.sock", s->dir));
}

static void let_create(struct stack *s, const char *program)
{
    char *argv[] = { (char *)(uintptr_t)program, "--config", arena_printf(s->a, "%s/a.conf", s->dir), NULL };
    char *env[] = { arena_printf(s->a, "MAPIHTTPD_LISTEN=%s/first.sock", s->dir), NULL };
    mkdir(arena_printf(s->a, "%s/mailboxes", s->dir), 0700);
    pid_t pid = spawn(s, "first.log", argv, env);
    await(s, first_ready, 0, program);
    end(&pid, SIGTERM);
}

static void add_person(struct stack *s, const char *login, const char *name, const char *password, struct person *p)
{
    REQUIRE_EC(directory_add(s->directory, s->a, &(struct person_new){ .login = login, .display_name = name, .password = password,
                                                                       .with_mailbox = true }, p), ecNone);
    REQUIRE_EC(mailbox_create(s->store, s->a, &(struct mailbox_new){ .id = p->mailbox, .owner_dn = p->dn, .display_name = p->display_name,
                                                                    .smtp = p->smtp, .locale = p->locale, .quota_warn = -1, .quota_send = -1,
                                                                    .quota_receive = -1 }), ecNone);
}

static void open_data(struct stack *s)
{
    const char *why = NULL;
    s->config = config_load(s->a, arena_printf(s->a, "%s/a.conf", s->dir), &why);
    if (s->config == NULL)
        fprintf(stderr, "stack: %s\n", why);
    REQUIRE(s->config != NULL);
    mkdir(s->config->store, 0700);
    s->directory = directory_open(s->config, s->a, &why);
    REQUIRE(s->directory != NULL);
    s->store = store_new(&(struct store_options){ .driver = "sqlite", .path = s->config->store, .pool_files = 16, .cache_kib = 2048, .busy_ms = 5000 },
                         s->a, &why);
    REQUIRE(s->store != NULL);
    add_person(s, "ana@example.com", "Ana Example", "secret-ana", &s->ana);
    add_person(s, "bob@example.com", "Bob Example", "secret-bob", &s->bob);
}

struct stack *stack_start(const struct stack_options *o)
{
    static unsigned number;
    options = o != NULL ? *o : (struct stack_options){ 0 };
    struct arena *a = arena_new((size_t)1 << 30);
    struct stack *s = arena_one(a, struct stack);
    s->a = a;
    s->workers = options.workers != 0 ? options.workers : STACK_WORKERS;
    snprintf(s->dir, sizeof s->dir, "%s/stack%u", unit_tmpdir(), ++number);
    must(mkdir(s->dir, 0755) == 0);
    char *secret = arena_printf(a, "%s/secret", s->dir);
    uint8_t random[64];
    crypto_random(random, sizeof random);
    int fd = open(secret, O_WRONLY | O_CREAT, 0600);
    must(fd >= 0 && write(fd, random, sizeof random) == (ssize_t)sizeof random && close(fd) == 0);
    write_config(s, "a", &options);
    write_config(s, "b", &options);
    if (options.shared_socket)
        share_socket(s);
    if (options.redis == NULL)
        stack_redis_start(s);
    if (options.created_by != NULL)
        let_create(s, options.created_by);
    open_data(s);
    for (unsigned i = 0; i < s->workers; i++)
        stack_worker(s, i);
    s->port = stack_free_port();
    while ((s->external_port = stack_free_port()) == s->port) {}
    write_nginx(s);
    char *argv[] = { "nginx", "-p", s->dir, "-c", arena_printf(a, "%s/nginx.conf", s->dir), "-e", arena_printf(a, "%s/nginx.log", s->dir), NULL };
    s->nginx = spawn(s, "nginx.out", argv, NULL);
    await(s, port_answers, s->port, "nginx");
    return s;
}

static struct stack *shared;
static void stop_shared(void) { stack_stop(shared); }

struct stack *stack_shared(void)
{
    if (shared == NULL) {
        unit_tmpdir(); /* its clean-up must run after ours */
        shared = stack_start(NULL);
        atexit(stop_shared);
    }
    return shared;
}

void stack_stop(struct stack *s)
{
    end(&s->nginx, SIGTERM);
    for (unsigned i = 0; i < s->workers; i++) {
        if (s->worker[i] > 0)
            kill(s->worker[i], SIGCONT);
        end(&s->worker[i], SIGTERM);
    }
    end(&s->redis, SIGKILL);
    if (s->shared > 0)
        close(s->shared);
    store_free(s->store);
    directory_close(s->directory);
    arena_free(s->a);
}

void stack_client(struct stack *s, struct mapic *c, const struct person *who)
{
    mapic_init(c, "127.0.0.1", s->port, who->login, who->row == s->ana.row ? "secret-ana" : "secret-bob");
    if (getenv("FLOW_AMNESIA") != NULL) {
        c->turns = stack_route;
        c->nturns = s->workers;
    }
    char guid[GUID_TEXT];
    c->mailbox_id = arena_printf(s->a, "%s@example.com", guid_text(&who->mailbox, guid));
}

void stack_next_worker(struct mapic *c)
{
    unsigned i = 0;
    while (i < STACK_WORKERS && (c->route == NULL || strcmp(c->route, stack_route[i]) != 0))
        i++;
    c->route = stack_route[(i + 1) % STACK_WORKERS];
}

struct redis *stack_redis(struct stack *s) { return redis_new(s->config); }
