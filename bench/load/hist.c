/* Latency histogram: one bucket array, constant cost per value. */
#include "load.h"

#include <string.h>

void hist_clear(struct hist *h) { memset(h, 0, sizeof *h); }

/* Values below HIST_STEPS have a bucket each; above, each doubling is cut into HIST_STEPS / 2 equal steps. */
static size_t bucket_of(uint64_t value)
{
    if (value < HIST_STEPS)
        return value;
    unsigned shift = 63 - __builtin_clzll(value) - 6; /* leaves a number of 7 bits, 64..127 */
    size_t bucket = (size_t)shift * (HIST_STEPS / 2) + (value >> shift);
    return bucket < HIST_BUCKETS ? bucket : HIST_BUCKETS - 1;
}

/* The largest value that falls into the bucket. */
static uint64_t bucket_top(size_t bucket)
{
    if (bucket < HIST_STEPS)
        return bucket;
    unsigned shift = bucket / (HIST_STEPS / 2) - 1;
    uint64_t step = bucket - (uint64_t)shift * (HIST_STEPS / 2);
    return ((step + 1) << shift) - 1;
}

void hist_add(struct hist *h, uint64_t value)
{
    h->count++;
    h->sum += value;
    if (value > h->max)
        h->max = value;
    h->buckets[bucket_of(value)]++;
}

uint64_t hist_quantile(const struct hist *h, double q)
{
    uint64_t rank = (uint64_t)(q * (double)h->count), seen = 0;
    for (size_t i = 0; i < HIST_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen > rank)
            return bucket_top(i) < h->max ? bucket_top(i) : h->max;
    }
    return h->max;
}

void hist_print(const struct hist *h, const char *name)
{
    printf(",\"%s\":{\"count\":%llu,\"mean\":%llu,\"p50\":%llu,\"p90\":%llu,\"p99\":%llu,\"p999\":%llu,\"max\":%llu}",
           name, (unsigned long long)h->count, (unsigned long long)(h->count ? h->sum / h->count : 0),
           (unsigned long long)hist_quantile(h, 0.5), (unsigned long long)hist_quantile(h, 0.9),
           (unsigned long long)hist_quantile(h, 0.99), (unsigned long long)hist_quantile(h, 0.999),
           (unsigned long long)h->max);
}
