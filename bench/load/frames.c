/* Received data: frames, the packets of the handshake, heartbeats; deliveries go to run.c. */
#include "load.h" /* first: it defines _GNU_SOURCE */

#include <string.h>

static bool starts_with(const char *text, size_t len, const char *prefix)
{
    size_t n = strlen(prefix);
    return len >= n && memcmp(text, prefix, n) == 0;
}

/* Engine.IO text in one WebSocket frame. */
static void reply(struct conn *c, enum opcode op, const char *text, size_t len)
{
    add_frame(&c->out, op, text, len);
    if (!c->blocked)
        conn_send(c);
}

static void joined(struct conn *c, uint64_t now)
{
    struct opener *o = &client.opener;
    c->state = READY;
    o->under_way--;
    o->ready++;
    o->done_ns = now;
    hist_add(&o->handshake, now - c->started_ns);
}

static void on_text(struct conn *c, const char *text, size_t len, uint64_t now)
{
    if (run_delivery(c, text, len, now) || run_ack(c, text, len, now) || c->state == CLOSING)
        return;
    if (starts_with(text, len, "2")) {
        reply(c, OP_TEXT, "3", 1);
    } else if (c->state == OPENING && starts_with(text, len, "0{")) {
        c->state = JOINING;
        reply(c, OP_TEXT, "40", 2);
    } else if (c->state == JOINING && starts_with(text, len, "40{\"sid\"")) {
        joined(c, now);
    } else if (!starts_with(text, len, "42[\"presencia\",")) { /* chatd sends presence events to admins */
        fail("connection %u did not expect %.*s", c->token, (int)(len < 300 ? len : 300), text);
    }
}

static void on_frame(struct conn *c, uint8_t head, const char *data, size_t len, uint64_t now)
{
    if (head == (0x80 | OP_TEXT)) {
        on_text(c, data, len, now);
    } else if (head == (0x80 | OP_PING)) {
        reply(c, OP_PONG, data, len);
    } else if (head == (0x80 | OP_CLOSE)) {
        if (c->state == READY)
            fail("the server closes connection %u: %u %.*s", c->token,
                 len >= 2 ? (unsigned)(uint8_t)data[0] << 8 | (uint8_t)data[1] : 0,
                 len > 2 ? (int)len - 2 : 0, data + 2);
    } else {
        fail("connection %u: unexpected frame head 0x%02x", c->token, head);
    }
}

/* The answer to the upgrade request; returns its length, or 0 when it is incomplete. */
static size_t take_upgrade(struct conn *c, const char *data, size_t len)
{
    const char *end = memmem(data, len, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    size_t size = (size_t)(end + 4 - data);
    if (!starts_with(data, size, "HTTP/1.1 101"))
        fail("upgrade refused: %.*s", (int)(len < 300 ? len : 300), data);
    if (memmem(data, size, ACCEPT, strlen(ACCEPT)) == NULL)
        fail("wrong Sec-WebSocket-Accept");
    if (memmem(data, size, "permessage-deflate", 18) != NULL)
        fail("the server compresses: figures would not be comparable");
    c->state = OPENING;
    return size;
}

size_t take_frames(struct conn *c, char *data, size_t len, uint64_t now)
{
    size_t at = 0;
    if (c->state == UPGRADING) {
        at = take_upgrade(c, data, len);
        if (at == 0)
            return 0;
    }
    while (len - at >= 2) {
        const uint8_t *p = (const uint8_t *)data + at;
        size_t head = 2, size = p[1];
        if (size == 126) {
            head = 4;
            if (len - at < head)
                break;
            size = (size_t)p[2] << 8 | p[3];
        } else if (size > 126) {
            head = 10;
            if (p[1] != 127 || len - at < head)
                break;
            size = 0;
            for (int i = 2; i < 10; i++)
                size = size << 8 | p[i];
        }
        if (len - at < head + size)
            break;
        on_frame(c, p[0], data + at + head, size, now);
        at += head + size;
    }
    return at;
}
