/*
 * Commands on stdin, one per line; the answer to each is one JSON line on stdout. After an answer with "ok":false
 * the program ends.
 *
 *   load PORT SERVER_PID TOKENS_FILE
 *   open group=0 first=0 count=1000 parallel=64      connect with the tokens first..first+count-1
 *   open ... other=PORT                              connections with an odd token to another port
 *   close group=0 reset=0                            close frames and wait for the ends, or reset=1: RST at once
 *   run from=1 to=0 para=a0 de=u0 bytes=64 ack=0 seconds=1 warm=0.2 inflight=8              closed loop
 *   run from=1 to=0 para=a0 de=u0 bytes=64 ack=0 seconds=5 rate=100 patience=2              open loop
 *   run ... rate=500 patience=60 storm=1 sgroup=2 sfirst=10 scount=10000                    open loop and storm
 */
#include "load.h" /* first: it defines _GNU_SOURCE */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { WORD = 64 };

/* The value of `name=` in a command, or "" when it is missing. */
static void word(const char *line, const char *name, char value[WORD])
{
    char key[WORD];
    snprintf(key, sizeof key, " %s=", name);
    const char *at = strstr(line, key);
    const char *text = at == NULL ? "" : at + strlen(key);
    snprintf(value, WORD, "%.*s", (int)strcspn(text, " \n"), text);
}

static double number(const char *line, const char *name)
{
    char value[WORD];
    word(line, name, value);
    return atof(value);
}

static void read_tokens(const char *path)
{
    char line[8192];
    size_t room = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail("%s: %s", path, strerror(errno));
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (client.token_count == room) {
            room = room ? room * 2 : 1024;
            client.tokens = realloc(client.tokens, room * sizeof *client.tokens);
        }
        client.tokens[client.token_count++] = strdup(line);
    }
    fclose(file);
}

static void do_open(const char *line)
{
    int group = (int)number(line, "group");
    client.other = (int)number(line, "other");
    open_start(group, (size_t)number(line, "first"), (size_t)number(line, "count"),
               (size_t)number(line, "parallel"));
    uint64_t ready = UINT64_MAX, since = 0;
    while (!open_done()) {
        turn(100);
        if (client.opener.ready != ready) {
            ready = client.opener.ready;
            since = now_ns();
        } else if (now_ns() - since > 30 * SECOND_NS) {
            fail("no connection became ready for 30 s; %zu of %zu are", client.opener.ready, client.opener.count);
        }
    }
    printf("{\"ok\":true,\"opened\":%zu,\"failed\":%zu,\"seconds\":%.6f", client.opener.ready, client.opener.failed,
           (double)(client.opener.done_ns - client.opener.started_ns) / 1e9);
    hist_print(&client.opener.handshake, "handshake_ns");
    printf("}\n");
}

static void do_close(const char *line)
{
    uint64_t start = now_ns();
    close_start((int)number(line, "group"), number(line, "reset") != 0);
    while (client.closing > 0) {
        turn(100);
        if (now_ns() - start > 60 * SECOND_NS)
            fail("%zu connections were not closed by the server within 60 s", client.closing);
    }
    printf("{\"ok\":true,\"seconds\":%.6f}\n", (double)(now_ns() - start) / 1e9);
}

static void do_run(const char *line, int server_pid)
{
    char para[WORD], de[WORD];
    word(line, "para", para);
    word(line, "de", de);
    struct workload w = {
        .from = (int)number(line, "from"),
        .to = (int)number(line, "to"),
        .para = para,
        .de = de,
        .bytes = (size_t)number(line, "bytes"),
        .ack = number(line, "ack") != 0,
        .in_flight = (size_t)number(line, "inflight"),
        .rate = number(line, "rate"),
        .seconds = number(line, "seconds"),
        .warm = number(line, "warm"),
        .patience = number(line, "patience"),
        .storm = number(line, "storm") != 0,
        .storm_group = (int)number(line, "sgroup"),
        .storm_first = (size_t)number(line, "sfirst"),
        .storm_count = (size_t)number(line, "scount"),
    };
    if (w.in_flight == 0 && w.rate <= 0)
        fail("a run needs inflight= or rate=");
    run(&w, server_pid);
}

static void command(const char *line, int server_pid)
{
    if (strncmp(line, "open ", 5) == 0)
        do_open(line);
    else if (strncmp(line, "close ", 6) == 0)
        do_close(line);
    else if (strncmp(line, "run ", 4) == 0)
        do_run(line, server_pid);
    else
        fail("unknown command: %s", line);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    char line[1024];
    size_t len = 0;
    if (argc != 4) {
        fprintf(stderr, "usage: load PORT SERVER_PID TOKENS_FILE\n");
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* end with the runner */
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    client.port = atoi(argv[1]);
    client.epoll = epoll_create1(EPOLL_CLOEXEC);
    read_tokens(argv[3]);
    fcntl(0, F_SETFL, O_NONBLOCK);
    watch(0, &STDIN_TAG, EPOLLIN);
    for (;;) { /* between commands the heartbeats are still answered */
        turn(1000);
        if (!client.stdin_ready)
            continue;
        client.stdin_ready = false;
        ssize_t got = read(0, line + len, sizeof line - 1 - len);
        if (got == 0)
            return 0;
        len += got > 0 ? (size_t)got : 0;
        line[len] = 0;
        if (memchr(line, '\n', len) != NULL) {
            command(line, atoi(argv[2]));
            len = 0;
        }
    }
}
