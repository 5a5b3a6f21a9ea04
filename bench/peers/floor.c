/*
 * The baseline: the same chat rules in minimal C. One epoll, and one send() per recipient, at once: the cost of a
 * fan-out in the kernel. A server that is faster than this makes fewer send() calls, not faster ones.
 *
 * It supports only the load generator's packets (see ../load/load.h): the WebSocket key is the generator's constant,
 * the JWT's payload is read but its signature is not checked, JSON is searched and not parsed, no heartbeat is sent.
 * It is a baseline, not a server: do not expose it to a network.
 *
 *   floor PORT          one send() per recipient and message, at once
 *   floor PORT batch    one send() per recipient and turn of the event loop: the gain of batching in C, and a server
 *                       that is fast enough to show the limit of the load generator
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <signal.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 20, EVENTS = 512, NAME = 32, BUCKETS = 1 << 16, BACKLOG = 4096 };

struct conn {
    int fd;
    bool upgraded, joined, admin, blocked;
    char user[NAME];
    char *rest, *out;
    size_t rest_len, out_len, out_cap;
    size_t admin_at;         /* its index in `admins` */
    struct conn *next_same;  /* the next connection in the bucket of its user name */
    struct conn *next_dirty; /* with `batch`: the next one with bytes to send at the end of this turn */
    bool dirty;
};

static int epoll_fd;
static char inbox[READ_BYTES];
static struct conn *users[BUCKETS]; /* user name -> connections, chained */
static struct conn **admins;
static size_t admin_count, admin_room;
static bool batch;
static struct conn *dirty;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- rooms ---- */

static struct conn **bucket(const char *user, size_t len)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (uint8_t)user[i]) * 16777619u;
    return &users[h % BUCKETS];
}

static void join(struct conn *c)
{
    struct conn **head = bucket(c->user, strlen(c->user));
    c->next_same = *head;
    *head = c;
    c->joined = true;
    if (!c->admin)
        return;
    if (admin_count == admin_room) {
        admin_room = admin_room ? admin_room * 2 : 64;
        admins = realloc(admins, admin_room * sizeof *admins);
    }
    c->admin_at = admin_count;
    admins[admin_count++] = c;
}

static void leave(struct conn *c)
{
    struct conn **link = bucket(c->user, strlen(c->user));
    while (*link != c)
        link = &(*link)->next_same;
    *link = c->next_same;
    if (c->admin) {
        admins[c->admin_at] = admins[--admin_count];
        admins[c->admin_at]->admin_at = c->admin_at;
    }
}

/* ---- sending ---- */

static void watch(struct conn *c, int op, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(epoll_fd, op, c->fd, &event) < 0)
        die("epoll_ctl");
}

static void keep(struct conn *c, const char *data, size_t len)
{
    if (c->out_len + len > c->out_cap) {
        c->out_cap = (c->out_len + len) * 2;
        c->out = realloc(c->out, c->out_cap);
    }
    memcpy(c->out + c->out_len, data, len);
    c->out_len += len;
}

static void send_now(struct conn *c, const char *data, size_t len)
{
    ssize_t sent = c->blocked ? 0 : send(c->fd, data, len, MSG_NOSIGNAL);
    if (sent == (ssize_t)len)
        return;
    if (sent < 0 && errno != EAGAIN)
        return; /* closed: EOF follows */
    keep(c, data + (sent > 0 ? sent : 0), len - (size_t)(sent > 0 ? sent : 0));
    if (!c->blocked)
        watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    c->blocked = true;
}

static void send_bytes(struct conn *c, const char *data, size_t len)
{
    if (!batch || c->blocked) {
        send_now(c, data, len);
        return;
    }
    keep(c, data, len);
    if (!c->dirty) {
        c->dirty = true;
        c->next_dirty = dirty;
        dirty = c;
    }
}

static void send_kept(struct conn *c)
{
    size_t len = c->out_len;
    char *data = c->out;
    c->out = NULL;
    c->out_len = c->out_cap = 0;
    send_now(c, data, len);
    free(data);
}

static void unblock(struct conn *c)
{
    c->blocked = false;
    watch(c, EPOLL_CTL_MOD, EPOLLIN);
    send_kept(c);
}

static void flush(void)
{
    while (dirty != NULL) {
        struct conn *c = dirty;
        dirty = c->next_dirty;
        c->dirty = false;
        send_kept(c);
    }
}

static size_t frame_head(char *to, size_t len)
{
    to[0] = (char)0x81;
    if (len < 126) {
        to[1] = (char)len;
        return 2;
    }
    to[1] = 126;
    to[2] = (char)(len >> 8);
    to[3] = (char)len;
    return 4;
}

static void send_text(struct conn *c, const char *text, size_t len)
{
    char frame[512];
    size_t head = frame_head(frame, len);
    memcpy(frame + head, text, len);
    send_bytes(c, frame, head + len);
}

/* ---- packets of clients ---- */

static void message(struct conn *from, const char *text, size_t len)
{
    static char frame[1 << 17], text_out[1 << 17];
    static uint64_t id;
    static const char middle[] = "\",\"mensaje\":\"";
    const char *para = memmem(text, len, "{\"para\":\"", 9);
    const char *para_end = para ? memmem(para, len - (size_t)(para - text), middle, sizeof middle - 1) : NULL;
    if (para_end == NULL)
        die("a message that the floor does not know");
    para += 9;
    const char *body = para_end + sizeof middle - 1, *body_end = text + len - 3;
    int n = snprintf(text_out, sizeof text_out, "42[\"mensaje_recibido\",{\"de\":\"%s\",\"mensaje\":\"%.*s\"}]", from->user,
                     (int)(body_end - body), body);
    size_t head = frame_head(frame, (size_t)n);
    memcpy(frame + head, text_out, (size_t)n);
    size_t para_len = (size_t)(para_end - para);
    for (struct conn *c = *bucket(para, para_len); c != NULL; c = c->next_same)
        if (strlen(c->user) == para_len && memcmp(c->user, para, para_len) == 0 && (from->admin || !c->admin))
            send_bytes(c, frame, head + (size_t)n);
    for (size_t i = 0; !from->admin && i < admin_count; i++)
        send_bytes(admins[i], frame, head + (size_t)n);
    if (text[2] != '[') {
        const char *id_end = memchr(text, '[', len);
        char ack[128];
        int size = snprintf(ack, sizeof ack, "43%.*s[{\"ok\":true,\"id\":\"%llu\",\"fecha\":\"2000-01-01T00:00:00Z\"}]",
                            (int)(id_end - text - 2), text + 2, (unsigned long long)++id);
        send_text(from, ack, (size_t)size);
    }
}

static void on_text(struct conn *c, const char *text, size_t len)
{
    static unsigned long long sids;
    char answer[64];
    if (len == 2 && memcmp(text, "40", 2) == 0) {
        join(c);
        send_text(c, answer, (size_t)snprintf(answer, sizeof answer, "40{\"sid\":\"floor%llu\"}", ++sids));
    } else if (len > 20 && memcmp(text, "42", 2) == 0) {
        message(c, text, len);
    }
}

/* ---- upgrade ---- */

static size_t base64url(const char *text, size_t len, char *to)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    size_t have = 0, n = 0;
    for (size_t i = 0; i < len; i++) {
        const char *at = memchr(alphabet, text[i], 64);
        bits = bits << 6 | (uint32_t)(at ? at - alphabet : 0);
        have += 6;
        if (have >= 8)
            to[n++] = (char)(bits >> (have -= 8));
    }
    return n;
}

/* Takes `user` and `rol` from the token in the Cookie header; its signature is not checked. */
static bool identify(struct conn *c, const char *request, size_t len)
{
    char claims[1024] = "";
    const char *start = memmem(request, len, "token=", 6);
    const char *first = start ? strchr(start, '.') : NULL, *last = first ? strchr(first + 1, '.') : NULL;
    if (last == NULL || last - first > 1000)
        return false;
    claims[base64url(first + 1, (size_t)(last - first - 1), claims)] = 0;
    const char *user = strstr(claims, "\"user\":\"");
    if (user == NULL)
        return false;
    snprintf(c->user, NAME, "%.*s", (int)strcspn(user + 8, "\""), user + 8);
    c->admin = strstr(claims, "\"rol\":\"admin\"") != NULL;
    return true;
}

static size_t upgrade(struct conn *c, const char *data, size_t len)
{
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    static const char open[] = "0{\"sid\":\"floor\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000,"
                               "\"maxPayload\":1000000}";
    const char *end = memmem(data, len, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    if (!memmem(data, len, "dGhlIHNhbXBsZSBub25jZQ==", 24) || !identify(c, data, len))
        die("a client that is not the load generator");
    c->upgraded = true;
    send_bytes(c, answer, sizeof answer - 1);
    send_text(c, open, sizeof open - 1);
    return (size_t)(end + 4 - data);
}

/* ---- frames ---- */

/* False when the client sent a close frame. */
static bool on_frame(struct conn *c, uint8_t head, char *data, size_t len, const char key[4])
{
    if (head == 0x88) {
        send_bytes(c, "\x88\x00", 2);
        return false;
    }
    for (size_t i = 0; i < len; i++)
        data[i] ^= key[i & 3];
    on_text(c, data, len);
    return true;
}

/* Bytes used, or SIZE_MAX when the connection is to end. */
static size_t take(struct conn *c, char *data, size_t len)
{
    size_t at = 0;
    if (!c->upgraded && (at = upgrade(c, data, len)) == 0)
        return 0;
    while (len - at >= 6) {
        uint8_t *p = (uint8_t *)data + at;
        size_t size = p[1] & 127, head = 6;
        if (size == 126) {
            size = (size_t)p[2] << 8 | p[3];
            head = 8;
        }
        if (len - at < head + size)
            break;
        if (!on_frame(c, p[0], data + at + head, size, data + at + head - 4))
            return SIZE_MAX;
        at += head + size;
    }
    return at;
}

static void end(struct conn *c)
{
    if (c->joined)
        leave(c);
    if (c->dirty)
        flush();
    close(c->fd);
    free(c->rest);
    free(c->out);
    free(c);
}

static void readable(struct conn *c)
{
    size_t kept = c->rest_len;
    if (kept > 0)
        memcpy(inbox, c->rest, kept);
    ssize_t got = recv(c->fd, inbox + kept, READ_BYTES - kept, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    size_t have = kept + (size_t)(got > 0 ? got : 0);
    size_t used = got > 0 ? take(c, inbox, have) : SIZE_MAX;
    if (used == SIZE_MAX) {
        end(c);
        return;
    }
    free(c->rest);
    c->rest = NULL;
    c->rest_len = have - used;
    if (c->rest_len > 0)
        c->rest = memcpy(malloc(c->rest_len), inbox + used, c->rest_len);
}

static void accept_all(int listener)
{
    int yes = 1, fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct conn *c = calloc(1, sizeof *c);
        c->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        watch(c, EPOLL_CTL_ADD, EPOLLIN);
    }
}

static int listen_on(int port)
{
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, BACKLOG) < 0)
        die("listen");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    return fd;
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    struct rlimit files;
    if (argc < 2)
        return 2;
    batch = argc > 2 && strcmp(argv[2], "batch") == 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_on(atoi(argv[1]));
    for (;;) {
        int n = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            struct conn *c = events[i].data.ptr;
            if (c == NULL)
                accept_all(listener);
            else if ((events[i].events & EPOLLOUT) && c->blocked)
                unblock(c);
            if (c != NULL && (events[i].events & ~(uint32_t)EPOLLOUT))
                readable(c);
        }
        flush();
    }
}
