/*
 * Workloads. A message is complete when every recipient has it, and its acknowledgement if one was requested.
 *
 * Closed loop: `in_flight` messages are outstanding; each completion releases the next. Messages released in one turn
 * of the generator's own event loop are sent in one send(). After `seconds` no more are released; the clock stops when
 * the last one is complete, so no counted message is still in flight.
 *
 * Open loop: message k is due at start + k / rate, whatever the state of the others, and its latency counts from then
 * (not from when it was really sent), so that a stall of the server counts for all messages that it delays.
 */
#include "load.h" /* first: it defines _GNU_SOURCE */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MAX_OUTSTANDING = 1 << 17, QUIET_MS = 5, LISTEN_MS = 100 };
static const double STALLED_S = 20; /* or the workload's patience, if that is longer */

struct message {
    uint64_t seq;
    uint64_t start_ns; /* sent (closed loop) or due (open loop) */
    uint64_t waits;    /* missing deliveries and acknowledgement */
    bool acked;
};

static struct {
    const struct workload *w;
    bool active, releasing, storming;
    char head[256];     /* what every delivery starts with, up to the sequence number */
    size_t head_len, delivery_len;
    char *frame;        /* the client's frame, not masked, digits to be filled in */
    size_t frame_len, payload_at, id_at, seq_at;
    uint64_t recipients, sent, completed, deliveries, acks;
    uint64_t stop_ns, last_ns, progress_ns, last_progress, idle_ns;
    struct message *ring;
    size_t ring_mask;
    struct hist delivery, complete, storm, lag;
} now_running;

static struct message *message_of(uint64_t seq) { return &now_running.ring[seq & now_running.ring_mask]; }

/* ---- sending ---- */

static const uint8_t KEY[4] = {0x9a, 0x1d, 0x5e, 0xc3};

static void make_frame(const struct workload *w)
{
    char text[512], id[SEQ_DIGITS + 1] = "", head[14];
    if (w->ack)
        write_digits(id, FIRST_ACK_ID);
    int start = snprintf(text, sizeof text, "42%s[\"mensaje_privado\",{\"para\":\"%s\",\"mensaje\":\"", id, w->para);
    size_t len = (size_t)start + w->bytes + 3;
    size_t head_len = frame_head(head, OP_TEXT, len, KEY);
    free(now_running.frame);
    now_running.frame = malloc(head_len + len);
    char *payload = now_running.frame + head_len;
    memcpy(now_running.frame, head, head_len);
    memcpy(payload, text, (size_t)start);
    memset(payload + start, 'x', w->bytes);
    memcpy(payload + start + w->bytes, "\"}]", 3);
    now_running.frame_len = head_len + len;
    now_running.payload_at = head_len;
    now_running.id_at = head_len + 2;
    now_running.seq_at = head_len + (size_t)start;
    mask(payload, len, 0, KEY);
}

/* Digits are masked where they stand; the rest of the frame was masked once. */
static void put_digits(char *frame, size_t at, uint64_t value)
{
    write_digits(frame + at, value);
    mask(frame + at, SEQ_DIGITS, at - now_running.payload_at, KEY);
}

static void send_message(uint64_t start_ns)
{
    uint64_t seq = now_running.sent++;
    struct buffer *out = &client.sender->out;
    put_digits(now_running.frame, now_running.seq_at, seq);
    if (now_running.w->ack)
        put_digits(now_running.frame, now_running.id_at, FIRST_ACK_ID + seq);
    *message_of(seq) = (struct message){.seq = seq,
                                        .start_ns = start_ns,
                                        .waits = now_running.recipients + now_running.w->ack};
    buffer_add(out, now_running.frame, now_running.frame_len);
}

/* ---- receiving ---- */

static void one_less(struct message *m, uint64_t now)
{
    if (--m->waits > 0)
        return;
    now_running.completed++;
    now_running.last_ns = now;
    hist_add(&now_running.complete, now - m->start_ns);
    if (now_running.releasing && now < now_running.stop_ns)
        send_message(now);
}

static uint64_t since(uint64_t start_ns, uint64_t now) { return now > start_ns ? now - start_ns : 0; }

bool run_delivery(struct conn *c, const char *text, size_t len, uint64_t now)
{
    if (!now_running.active || len != now_running.delivery_len ||
        memcmp(text, now_running.head, now_running.head_len) != 0)
        return false;
    uint64_t seq = read_digits(text + now_running.head_len);
    if (c->group != now_running.w->to || c->state != READY)
        fail("connection %u got message %llu, which was not for it", c->token, (unsigned long long)seq);
    if (seq != c->due_seq || seq >= now_running.sent)
        fail("connection %u: message %llu came where %llu was due: %s", c->token, (unsigned long long)seq,
             (unsigned long long)c->due_seq, seq < c->due_seq ? "doubled" : "one is missing or out of order");
    if (memcmp(text + len - 3, "\"}]", 3) != 0)
        fail("connection %u: message %llu is damaged", c->token, (unsigned long long)seq);
    struct message *m = message_of(seq);
    c->due_seq++;
    now_running.deliveries++;
    hist_add(now_running.storming ? &now_running.storm : &now_running.delivery, since(m->start_ns, now));
    one_less(m, now);
    return true;
}

bool run_ack(struct conn *c, const char *text, size_t len, uint64_t now)
{
    static const char ok[] = "[{\"ok\":true";
    if (!now_running.active || !now_running.w->ack || len < 2 + SEQ_DIGITS + sizeof ok || memcmp(text, "43", 2) != 0)
        return false;
    uint64_t seq = read_digits(text + 2) - FIRST_ACK_ID;
    struct message *m = message_of(seq);
    if (memcmp(text + 2 + SEQ_DIGITS, ok, sizeof ok - 1) != 0)
        fail("message %llu was refused: %.*s", (unsigned long long)seq, (int)(len < 300 ? len : 300), text);
    if (c != client.sender || m->seq != seq || m->acked || m->waits == 0)
        fail("an acknowledgement of message %llu that nobody awaits", (unsigned long long)seq);
    m->acked = true;
    now_running.acks++;
    one_less(m, now);
    return true;
}

/* ---- the loops ---- */

static void check_progress(void)
{
    uint64_t done = now_running.deliveries + now_running.acks + client.opener.ready, now = now_ns();
    double limit_s = now_running.w->patience > STALLED_S ? now_running.w->patience : STALLED_S;
    if (done != now_running.last_progress) {
        now_running.last_progress = done;
        now_running.progress_ns = now;
    } else if ((double)(now - now_running.progress_ns) > limit_s * (double)SECOND_NS) {
        fail("stalled: %llu of %llu messages complete, %llu deliveries of %llu",
             (unsigned long long)now_running.completed, (unsigned long long)now_running.sent,
             (unsigned long long)now_running.deliveries,
             (unsigned long long)(now_running.sent * now_running.recipients));
    }
}

/* A duplicate arrives right after the original: read a little longer, until nothing arrives but heartbeats. */
static void listen_for_strays(void)
{
    uint64_t end = now_ns() + LISTEN_MS * (SECOND_NS / 1000);
    while (turn(QUIET_MS) && now_ns() < end)
        ;
}

static uint64_t after(uint64_t start, double seconds) { return start + (uint64_t)(seconds * (double)SECOND_NS); }

/* Never sleeps: a send() to a sleeping process pays for waking it, here 3 to 5 us. */
static void turn_awake(void)
{
    uint64_t asked = now_ns();
    if (!turn(0))
        now_running.idle_ns += now_ns() - asked;
}

static void closed_loop(const struct workload *w, double seconds)
{
    uint64_t start = now_ns();
    now_running.stop_ns = after(start, seconds);
    now_running.releasing = true;
    for (size_t i = 0; i < w->in_flight; i++)
        send_message(start);
    conn_send(client.sender);
    for (uint64_t turns = 1; now_running.completed < now_running.sent; turns++) {
        turn_awake();
        if (turns % 1024 == 0)
            check_progress();
    }
    now_running.releasing = false;
}

static uint64_t next_due(const struct workload *w, uint64_t start)
{
    return after(start, (double)now_running.sent / w->rate);
}

/* Sends the messages that are due. */
static void send_due(const struct workload *w, uint64_t start, uint64_t now)
{
    for (;;) {
        uint64_t due = next_due(w, start);
        if (due > now || due >= now_running.stop_ns)
            return;
        hist_add(&now_running.lag, now - due);
        send_message(due);
    }
}

static bool behind(const struct workload *w, uint64_t now)
{
    if (now_running.completed == now_running.sent)
        return false;
    if (now_running.sent - now_running.completed >= MAX_OUTSTANDING - 1)
        return true;
    return (double)since(message_of(now_running.completed)->start_ns, now) > w->patience * (double)SECOND_NS;
}

static void start_storm(const struct workload *w)
{
    now_running.storming = true;
    open_start(w->storm_group, w->storm_first, w->storm_count, w->storm_count);
}

/* If the generator gets the CPU only after the end, it still sends the messages that were due before. */
static bool is_over(const struct workload *w, uint64_t start, uint64_t now)
{
    return now >= now_running.stop_ns && next_due(w, start) >= now_running.stop_ns &&
           now_running.completed == now_running.sent;
}

/* False when the server did not keep up: the oldest message has waited for longer than `patience`. */
static bool open_loop(const struct workload *w)
{
    uint64_t start = now_ns(), storm_at = w->storm ? after(start, 1) : UINT64_MAX, now = start;
    now_running.stop_ns = w->storm ? UINT64_MAX : after(start, w->seconds);
    while (!is_over(w, start, now)) {
        send_due(w, start, now);
        if (client.sender->out.len > 0)
            conn_send(client.sender);
        turn_awake();
        now = now_ns();
        if (behind(w, now))
            return false;
        if (now >= storm_at && !now_running.storming)
            start_storm(w);
        if (now_running.storming && open_done() && now_running.stop_ns == UINT64_MAX)
            now_running.stop_ns = now;
        check_progress();
    }
    return true;
}

/* ---- one run ---- */

static double cpu_of(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t) < 0)
        fail("the server is gone");
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void prepare(const struct workload *w)
{
    struct group *to = &client.groups[w->to];
    size_t slots = 1;
    while (slots < (w->in_flight > 0 ? w->in_flight : MAX_OUTSTANDING))
        slots *= 2;
    if (w->bytes < SEQ_DIGITS || client.groups[w->from].count == 0)
        fail("a workload needs a sender and at least %d bytes", SEQ_DIGITS);
    now_running.w = w;
    now_running.recipients = to->count;
    now_running.ring_mask = slots - 1;
    now_running.head_len = (size_t)snprintf(now_running.head, sizeof now_running.head,
                                            "42[\"mensaje_recibido\",{\"de\":\"%s\",\"mensaje\":\"", w->de);
    now_running.delivery_len = now_running.head_len + w->bytes + 3;
    client.sender = &client.groups[w->from].conns[0];
    make_frame(w);
    if (now_running.ring == NULL)
        now_running.ring = calloc(MAX_OUTSTANDING, sizeof *now_running.ring);
}

static void reset_counts(void)
{
    struct group *to = &client.groups[now_running.w->to];
    for (size_t i = 0; i < to->count; i++)
        to->conns[i].due_seq = 0;
    now_running.sent = now_running.completed = now_running.deliveries = now_running.acks = now_running.idle_ns = 0;
    now_running.progress_ns = now_ns();
    now_running.storming = false;
    client.bytes_in = client.reads = 0;
    hist_clear(&now_running.delivery);
    hist_clear(&now_running.complete);
    hist_clear(&now_running.storm);
    hist_clear(&now_running.lag);
}

static void report(double seconds, double server_cpu, double own_cpu, bool kept_up)
{
    const struct opener *o = &client.opener;
    printf("{\"ok\":true,\"messages\":%llu,\"completed\":%llu,\"deliveries\":%llu,\"acks\":%llu,\"seconds\":%.6f,"
           "\"server_cpu_s\":%.6f,\"load_cpu_s\":%.6f,\"bytes_in\":%llu,\"reads\":%llu,\"kept_up\":%s",
           (unsigned long long)now_running.sent, (unsigned long long)now_running.completed,
           (unsigned long long)now_running.deliveries, (unsigned long long)now_running.acks, seconds, server_cpu,
           own_cpu, (unsigned long long)client.bytes_in, (unsigned long long)client.reads,
           kept_up ? "true" : "false");
    hist_print(&now_running.delivery, "delivery_ns");
    hist_print(&now_running.complete, "complete_ns");
    if (now_running.w->in_flight == 0)
        hist_print(&now_running.lag, "lag_ns");
    if (now_running.w->storm) {
        hist_print(&now_running.storm, "storm_ns");
        hist_print(&o->handshake, "handshake_ns");
        printf(",\"opened\":%zu,\"failed\":%zu,\"storm_s\":%.6f", o->ready, o->failed,
               (double)since(o->started_ns, o->done_ns) / 1e9);
    }
    printf("}\n");
    fflush(stdout);
}

void run(const struct workload *w, int server_pid)
{
    clockid_t server;
    bool kept_up = true;
    if (clock_getcpuclockid(server_pid, &server) != 0)
        fail("no CPU clock for process %d", server_pid);
    prepare(w);
    reset_counts();
    now_running.active = true;
    if (w->warm > 0 && w->in_flight > 0) {
        closed_loop(w, w->warm);
        listen_for_strays();
        reset_counts();
    }
    double cpu = cpu_of(server), own = cpu_of(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t start = now_ns();
    if (w->in_flight > 0)
        closed_loop(w, w->seconds);
    else
        kept_up = open_loop(w);
    uint64_t end = w->in_flight > 0 ? now_running.last_ns : now_ns();
    cpu = cpu_of(server) - cpu;
    own = cpu_of(CLOCK_PROCESS_CPUTIME_ID) - own - (double)now_running.idle_ns / 1e9;
    if (kept_up)
        listen_for_strays();
    report((double)(end - start) / 1e9, cpu, own, kept_up);
    now_running.active = false;
    client.sender = NULL;
}
