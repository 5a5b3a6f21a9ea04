/* Sockets: connect, upgrade, read, write, close. One epoll, level-triggered. */
#include "load.h" /* first: it defines _GNU_SOURCE */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_BYTES = 1 << 20,
    CONNECTS_PER_TURN = 16,  /* so that a storm does not delay the steady stream of the generator */
    EVENTS = 512,
    EVENTS_DURING_OPEN = 64, /* likewise */
    PER_SOURCE = 20000,      /* connections per source address, below the range of ephemeral ports */
};

struct client client;
char STDIN_TAG;
static char inbox[READ_BYTES];

uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

void fail(const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *p = text; *p; p++)
        if (*p == '"' || *p == '\\' || (unsigned char)*p < ' ')
            *p = '\'';
    printf("{\"ok\":false,\"error\":\"%s\"}\n", text);
    fflush(stdout);
    exit(1);
}

void watch(int fd, void *tag, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = tag};
    if (epoll_ctl(client.epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        fail("epoll_ctl: %s", strerror(errno));
}

static void watch_again(struct conn *c, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(client.epoll, EPOLL_CTL_MOD, c->fd, &event) < 0)
        fail("epoll_ctl: %s", strerror(errno));
}

/* ---- opening ---- */

static void bind_source(int fd)
{
    int yes = 1;
    uint32_t host = INADDR_LOOPBACK + (uint32_t)(client.sources++ / PER_SOURCE % 200);
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0)
        fail("bind: %s", strerror(errno));
}

static void conn_open(struct conn *c)
{
    int yes = 1, port = client.other != 0 && c->token % 2 == 1 ? client.other : client.port;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        fail("socket: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    bind_source(c->fd);
    c->started_ns = now_ns();
    c->state = CONNECTING;
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    watch(c->fd, c, EPOLLOUT);
}

void open_start(int group, size_t first_token, size_t count, size_t parallel)
{
    struct group *g = &client.groups[group];
    if (first_token + count > client.token_count)
        fail("%zu tokens are not enough", client.token_count);
    free(g->conns);
    *g = (struct group){.conns = calloc(count, sizeof(struct conn)), .count = count};
    if (g->conns == NULL)
        fail("out of memory");
    client.opener = (struct opener){.group = group, .first_token = first_token, .count = count,
                                    .parallel = parallel, .started_ns = now_ns()};
}

bool open_done(void) { return client.opener.ready + client.opener.failed == client.opener.count; }

static void open_some(void)
{
    struct opener *o = &client.opener;
    for (int i = 0; i < CONNECTS_PER_TURN && o->next < o->count && o->under_way < o->parallel; i++) {
        struct conn *c = &client.groups[o->group].conns[o->next];
        c->group = (uint8_t)o->group;
        c->token = (uint32_t)(o->first_token + o->next);
        o->next++;
        o->under_way++;
        conn_open(c);
    }
}

static void connected(struct conn *c)
{
    static char request[16384];
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error)
        fail("connect: %s", strerror(error));
    size_t len = upgrade_request(request, sizeof request, client.port, client.tokens[c->token]);
    c->state = UPGRADING;
    watch_again(c, EPOLLIN);
    buffer_add(&c->out, request, len);
    conn_send(c);
}

/* ---- closing ---- */

static void conn_closed(struct conn *c)
{
    if (c->state == CLOSING)
        client.closing--;
    close(c->fd);
    buffer_free(&c->rest);
    buffer_free(&c->out);
    c->state = CLOSED;
    c->fd = -1;
}

static void conn_lost(struct conn *c, const char *why)
{
    if (c->state == READY)
        fail("the server closed connection %u: %s", c->token, why);
    if (c->state != CLOSING) {
        client.opener.failed++;
        client.opener.under_way--;
    }
    conn_closed(c);
}

void close_start(int group, bool reset)
{
    static const char normal[] = {3, (char)0xe8}; /* 1000 */
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    struct group *g = &client.groups[group];
    for (size_t i = 0; i < g->count; i++) {
        struct conn *c = &g->conns[i];
        if (c->state == CLOSED)
            continue;
        client.closing++;
        c->state = CLOSING;
        if (reset) {
            setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
            conn_closed(c);
        } else {
            add_frame(&c->out, OP_CLOSE, normal, sizeof normal);
            conn_send(c);
        }
    }
}

/* ---- bytes ---- */

void conn_send(struct conn *c)
{
    if (c->blocked)
        return;
    ssize_t sent = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        if (c->state == READY)
            fail("send to connection %u: %s", c->token, strerror(errno));
        sent = (ssize_t)c->out.len; /* EOF follows: conn_read handles it */
    }
    if (sent > 0)
        buffer_drop(&c->out, (size_t)sent);
    if (c->out.len > 0) {
        c->blocked = true;
        watch_again(c, EPOLLIN | EPOLLOUT);
    }
}

static void unblock(struct conn *c)
{
    c->blocked = false;
    watch_again(c, EPOLLIN);
    conn_send(c);
}

static void conn_read(struct conn *c)
{
    size_t kept = c->rest.len;
    if (kept > 0)
        memcpy(inbox, c->rest.data, kept);
    ssize_t got = recv(c->fd, inbox + kept, READ_BYTES - kept, 0);
    uint64_t now = now_ns();
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        conn_lost(c, got < 0 ? strerror(errno) : "end of stream");
        return;
    }
    client.bytes_in += (uint64_t)got;
    client.reads++;
    size_t have = kept + (size_t)got, used = take_frames(c, inbox, have, now);
    if (used == have && kept == 0)
        return;
    buffer_free(&c->rest);
    if (used < have)
        buffer_add(&c->rest, inbox + used, have - used);
}

static void conn_event(struct conn *c, uint32_t events)
{
    if (c->state == CONNECTING) {
        connected(c);
        return;
    }
    if (c->state != CLOSED && c->blocked && (events & EPOLLOUT))
        unblock(c);
    if (c->state != CLOSED && (events & ~(uint32_t)EPOLLOUT))
        conn_read(c);
}

bool turn(int timeout_ms)
{
    struct epoll_event events[EVENTS];
    const struct opener *o = &client.opener;
    bool connecting = o->next < o->count && o->under_way < o->parallel;
    if (connecting)
        open_some();
    int n = epoll_wait(client.epoll, events, open_done() ? EVENTS : EVENTS_DURING_OPEN, connecting ? 0 : timeout_ms);
    if (n < 0 && errno != EINTR)
        fail("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < n; i++) {
        void *tag = events[i].data.ptr;
        if (tag == &STDIN_TAG)
            client.stdin_ready = true;
        else
            conn_event(tag, events[i].events);
    }
    if (client.sender != NULL && client.sender->out.len > 0 && !client.sender->blocked)
        conn_send(client.sender);
    return n > 0;
}
