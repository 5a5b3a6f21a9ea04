/*
 * The load generator: many Socket.IO clients in one thread.
 *
 * Protocol subset. WebSocket transport only. Compression is not offered: python-socketio cannot be configured to
 * decline it, and the comparison would be unfair. A client upgrades with its JWT in a cookie, reads the Engine.IO open
 * packet `0{...}`, sends `40`, waits for `40{"sid":...}` and is then ready. It answers Engine.IO pings (`2` with `3`)
 * and WebSocket pings, and expects whole, unmasked text frames.
 *
 * Checks. `mensaje` starts with ten digits, the sequence number of the message. Every recipient must get 0, 1, 2, ...
 * without a gap, a duplicate or a swap; other clients must get nothing; every acknowledgement must arrive
 * once with ok. Anything else ends the program with an error: a run with a loss has no result.
 *
 * Speed. Frames are not parsed as JSON. The sender's name and the size are known, so a delivery is a frame of known
 * length whose first bytes are compared with the expected ones and whose number is at a known offset.
 *
 * Files: hist.c latency histogram, wire.c bytes of the protocol, conn.c sockets, frames.c received data,
 * run.c workloads, main.c commands on stdin, answers as JSON lines on stdout.
 */
#ifndef LOAD_H
#define LOAD_H

#define _GNU_SOURCE 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SECOND_NS 1000000000ull
#define SEQ_DIGITS 10
#define FIRST_ACK_ID 1000000000ull /* ids always have ten digits, so that they too are at a fixed offset */

/* ---- hist.c: log-linear histogram, 64 steps per doubling: at most 1.6 % off ---- */
#define HIST_STEPS 128
#define HIST_BUCKETS (HIST_STEPS * 24)
struct hist {
    uint64_t count, sum, max;
    uint64_t buckets[HIST_BUCKETS];
};
void hist_clear(struct hist *h);
void hist_add(struct hist *h, uint64_t value);
uint64_t hist_quantile(const struct hist *h, double q);
void hist_print(const struct hist *h, const char *name); /* `,"name":{...}` in nanoseconds */

/* ---- wire.c ---- */
struct buffer {
    char *data;
    size_t len, cap;
};
void buffer_add(struct buffer *b, const void *data, size_t len);
void buffer_drop(struct buffer *b, size_t len); /* remove the first `len` bytes */
void buffer_free(struct buffer *b);

enum opcode { OP_TEXT = 1, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };
size_t frame_head(char *to, enum opcode op, size_t len, const uint8_t key[4]); /* at most 14 bytes */
void mask(char *data, size_t len, size_t offset, const uint8_t key[4]);
void add_frame(struct buffer *b, enum opcode op, const char *text, size_t len);
void write_digits(char *to, uint64_t value);
uint64_t read_digits(const char *from); /* UINT64_MAX when one of the ten is no digit */
size_t upgrade_request(char *to, size_t cap, int port, const char *token);
extern const char ACCEPT[]; /* the right answer to the key of all clients */

/* ---- conn.c ---- */
enum { MAX_GROUPS = 8 };
enum conn_state { CONNECTING, UPGRADING, OPENING, JOINING, READY, CLOSING, CLOSED };

struct conn {
    struct buffer rest; /* the start of an incomplete frame */
    struct buffer out;  /* bytes that the kernel has not accepted yet */
    uint64_t due_seq;   /* the sequence number that must come next */
    uint64_t started_ns;
    uint32_t token;
    int fd;
    uint8_t state, group;
    bool blocked;       /* the kernel's buffer is full: EPOLLOUT is awaited */
};

struct group {
    struct conn *conns;
    size_t count;
};

struct opener { /* connections being opened, during other work */
    int group;
    size_t first_token, next, count, under_way, parallel, ready, failed;
    uint64_t started_ns, done_ns;
    struct hist handshake; /* from connect() to the answer to `40` */
};

struct client { /* the whole program's state */
    int epoll, port;
    int other; /* unless 0: the port for connections with an odd token */
    char **tokens;
    size_t token_count;
    struct group groups[MAX_GROUPS];
    struct opener opener;
    struct conn *sender; /* flushed at the end of each turn */
    bool stdin_ready;
    uint64_t bytes_in, reads;
    size_t closing;
    uint64_t sources; /* connections made so far: chooses the source address */
};
extern struct client client;
extern char STDIN_TAG; /* the epoll tag of stdin */

uint64_t now_ns(void);
__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);
void watch(int fd, void *tag, uint32_t events);
void open_start(int group, size_t first_token, size_t count, size_t parallel);
bool open_done(void);
void close_start(int group, bool reset); /* done when client.closing is 0 */
void conn_send(struct conn *c);          /* hand c->out to the kernel */
bool turn(int timeout_ms);               /* one epoll turn; false when there was no event */

/* ---- frames.c ---- */
size_t take_frames(struct conn *c, char *data, size_t len, uint64_t now); /* bytes used */

/* ---- run.c ---- */
struct workload {
    int from, to;         /* groups: the sender is the first of `from`, every connection of `to` is a recipient */
    const char *para, *de; /* the recipient named in the message; the sender's user name */
    size_t bytes;         /* of `mensaje` */
    bool ack;
    size_t in_flight;     /* closed loop; 0 = open loop */
    double rate;          /* open loop: messages a second */
    double seconds, warm, patience;
    bool storm; /* open loop: start `opener` one second in, and go on until it is done */
    int storm_group;
    size_t storm_first, storm_count;
};
void run(const struct workload *w, int server_pid);
bool run_delivery(struct conn *c, const char *text, size_t len, uint64_t now);
bool run_ack(struct conn *c, const char *text, size_t len, uint64_t now);

#endif
