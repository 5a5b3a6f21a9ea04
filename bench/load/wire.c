/* Bytes of the protocol: client frames, the upgrade request, numbers at fixed places. */
#include "load.h"

#include <stdlib.h>
#include <string.h>

/* The example of RFC 6455, section 1.3: with one key for all clients, the right answer is a constant. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
const char ACCEPT[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

static const uint8_t MASK_KEY[4] = {0x37, 0xfa, 0x21, 0x3d};

void buffer_add(struct buffer *b, const void *data, size_t len)
{
    if (b->len + len > b->cap) {
        b->cap = (b->len + len) * 2;
        b->data = realloc(b->data, b->cap);
        if (b->data == NULL)
            fail("out of memory");
    }
    memcpy(b->data + b->len, data, len);
    b->len += len;
}

void buffer_drop(struct buffer *b, size_t len)
{
    b->len -= len;
    memmove(b->data, b->data + len, b->len);
}

void buffer_free(struct buffer *b)
{
    free(b->data);
    *b = (struct buffer){0};
}

void mask(char *data, size_t len, size_t offset, const uint8_t key[4])
{
    for (size_t i = 0; i < len; i++)
        data[i] ^= (char)key[(offset + i) & 3];
}

size_t frame_head(char *to, enum opcode op, size_t len, const uint8_t key[4])
{
    size_t n = 0;
    to[n++] = (char)(0x80 | op);
    if (len < 126) {
        to[n++] = (char)(0x80 | len);
    } else if (len < 65536) {
        to[n++] = (char)(0x80 | 126);
        to[n++] = (char)(len >> 8);
        to[n++] = (char)len;
    } else {
        to[n++] = (char)(0x80 | 127);
        for (int shift = 56; shift >= 0; shift -= 8)
            to[n++] = (char)(len >> shift);
    }
    memcpy(to + n, key, 4);
    return n + 4;
}

void add_frame(struct buffer *b, enum opcode op, const char *text, size_t len)
{
    char head[14];
    buffer_add(b, head, frame_head(head, op, len, MASK_KEY));
    buffer_add(b, text, len);
    mask(b->data + b->len - len, len, 0, MASK_KEY);
}

void write_digits(char *to, uint64_t value)
{
    for (int i = SEQ_DIGITS - 1; i >= 0; i--, value /= 10)
        to[i] = (char)('0' + value % 10);
}

uint64_t read_digits(const char *from)
{
    uint64_t value = 0;
    for (int i = 0; i < SEQ_DIGITS; i++) {
        unsigned digit = (unsigned char)from[i] - '0';
        if (digit > 9)
            return UINT64_MAX;
        value = value * 10 + digit;
    }
    return value;
}

size_t upgrade_request(char *to, size_t cap, int port, const char *token)
{
    int n = snprintf(to, cap,
                     "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
                     "Host: 127.0.0.1:%d\r\n"
                     "User-Agent: chatd-bench\r\n"
                     "Connection: Upgrade\r\n"
                     "Upgrade: websocket\r\n"
                     "Sec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: " KEY "\r\n"
                     "Cookie: token=%s\r\n\r\n",
                     port, token);
    if (n < 0 || (size_t)n >= cap)
        fail("the token is too long for the request buffer");
    return (size_t)n;
}
