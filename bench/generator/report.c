#include "report.h"

#include "base/mem.h"

#include <inttypes.h>

static const struct {
	const char *title;
	const char *field;
	double part;
} points[] = {
	{"p50 ms", "p50_ms", 0.5},
	{"p90 ms", "p90_ms", 0.9},
	{"p99 ms", "p99_ms", 0.99},
	{"p99.9 ms", "p999_ms", 0.999},
};

static double rate(const struct report *r, uint64_t requests)
{
	return r->seconds > 0 ? (double)requests / r->seconds : 0;
}

static double in_ms(uint64_t ns)
{
	return (double)ns / 1e6;
}

/* All commands as one, which the caller frees. */
static struct tally_command *sum_of(const struct tally *t)
{
	struct tally_command *sum = MEM_NEW(struct tally_command);

	for (size_t i = 0; i < t->count; i++) {
		histogram_merge(&sum->times, &t->commands[i].times);
		sum->errors += t->commands[i].errors;
		sum->nulls += t->commands[i].nulls;
	}
	return sum;
}

/* ---- for people ------------------------------------------------------------------------------ */

static void put_head(const struct report *r, struct buf *out)
{
	const struct load *l = r->load;

	buf_printf(out, "%u connection%s", l->connections, l->connections == 1 ? "" : "s");
	if (l->pipeline > 1)
		buf_printf(out, ", pipelines of %u", l->pipeline);
	if (l->rate)
		buf_printf(out, ", %" PRIu64 " requests/s wanted", l->rate);
	buf_printf(out, ", %" PRIu64 " keys, values of %zu bytes, %.1f s\n\n", l->keys,
		   l->mix->value_bytes, r->seconds);
	buf_printf(out, "%-24s %12s %12s %8s", "", "requests", "requests/s", "errors");
	for (size_t i = 0; i < ARRAY_LEN(points); i++)
		buf_printf(out, " %9s", points[i].title);
	buf_printf(out, " %9s\n", "max ms");
}

static void put_row(const struct report *r, const char *name, const struct tally_command *c,
		    struct buf *out)
{
	uint64_t requests = tally_command_requests(c);

	buf_printf(out, "%-24.24s %12" PRIu64 " %12.0f %8" PRIu64, name, requests,
		   rate(r, requests), c->errors);
	for (size_t i = 0; i < ARRAY_LEN(points); i++)
		buf_printf(out, " %9.3f", in_ms(histogram_at(&c->times, points[i].part)));
	buf_printf(out, " %9.3f\n", in_ms(c->times.max));
}

static void put_troubles(const struct tally *t, uint64_t nulls, struct buf *out)
{
	if (nulls)
		buf_printf(out, "%" PRIu64 " found nothing\n", nulls);
	for (size_t i = 0; i < t->kind_count; i++)
		buf_printf(out, "%" PRIu64 " errors: %s\n", t->kinds[i].count, t->kinds[i].name);
	if (t->unsent)
		buf_printf(out, "%" PRIu64 " requests were not sent: no connection was free\n",
			   t->unsent);
	if (t->lost || t->failures)
		buf_printf(out,
			   "connections: %" PRIu64 " made, %" PRIu64 " lost, %" PRIu64
			   " attempts failed\n",
			   t->connected, t->lost, t->failures);
}

void report_put_text(const struct report *r, struct buf *out)
{
	const struct tally *t = r->tally;
	struct tally_command *all = sum_of(t);
	uint64_t nulls = all->nulls;

	put_head(r, out);
	for (size_t i = 0; i < t->count; i++)
		put_row(r, r->load->mix->commands[i].name, &t->commands[i], out);
	if (t->count > 1)
		put_row(r, "all", all, out);
	mem_free(all);
	if (nulls || t->kind_count || t->unsent || t->lost || t->failures)
		buf_append_byte(out, '\n');
	put_troubles(t, nulls, out);
}

/* ---- for programs ---------------------------------------------------------------------------- */

static void put_object(const struct report *r, const char *name, const struct tally_command *c,
		       struct buf *out)
{
	uint64_t requests = tally_command_requests(c);

	buf_append_slice(out, SLICE_LITERAL("{\"name\":"));
	buf_append_json(out, slice_of_text(name));
	buf_printf(out,
		   ",\"requests\":%" PRIu64 ",\"requests_per_s\":%.2f,\"errors\":%" PRIu64
		   ",\"nulls\":%" PRIu64 ",\"mean_ms\":%.6f",
		   requests, rate(r, requests), c->errors, c->nulls,
		   histogram_mean(&c->times) / 1e6);
	for (size_t i = 0; i < ARRAY_LEN(points); i++)
		buf_printf(out, ",\"%s\":%.6f", points[i].field,
			   in_ms(histogram_at(&c->times, points[i].part)));
	buf_printf(out, ",\"max_ms\":%.6f}", in_ms(c->times.max));
}

static void put_load(const struct load *l, struct buf *out)
{
	buf_printf(out,
		   "\"connections\":%u,\"pipeline\":%u,\"threads\":%u,\"keys\":%" PRIu64
		   ",\"value_bytes\":%zu,\"rate\":%" PRIu64 ",\"targets\":[",
		   l->connections, l->pipeline, l->threads, l->keys, l->mix->value_bytes, l->rate);
	for (size_t i = 0; i < l->target_count; i++) {
		if (i)
			buf_append_byte(out, ',');
		buf_append_json(out, slice_of_text(l->targets[i].name));
	}
	buf_append_byte(out, ']');
}

void report_put_json(const struct report *r, struct buf *out)
{
	const struct tally *t = r->tally;
	struct tally_command *all = sum_of(t);

	buf_append_byte(out, '{');
	put_load(r->load, out);
	buf_printf(out, ",\"seconds\":%.6f,\"commands\":[", r->seconds);
	for (size_t i = 0; i < t->count; i++) {
		if (i)
			buf_append_byte(out, ',');
		put_object(r, r->load->mix->commands[i].name, &t->commands[i], out);
	}
	buf_append_slice(out, SLICE_LITERAL("],\"all\":"));
	put_object(r, "all", all, out);
	buf_append_slice(out, SLICE_LITERAL(",\"errors\":{"));
	for (size_t i = 0; i < t->kind_count; i++) {
		if (i)
			buf_append_byte(out, ',');
		buf_append_json(out, slice_of_text(t->kinds[i].name));
		buf_printf(out, ":%" PRIu64, t->kinds[i].count);
	}
	buf_printf(out,
		   "},\"unsent\":%" PRIu64 ",\"connections_made\":%" PRIu64
		   ",\"connections_lost\":%" PRIu64 ",\"connections_failed\":%" PRIu64 "}\n",
		   t->unsent, t->connected, t->lost, t->failures);
	mem_free(all);
}
