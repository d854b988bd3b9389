#include "server/config.h"

#include "base/check.h"
#include "base/error.h"
#include "server/options_file.h"

struct change {
	const struct directive *directive;
	struct slice value;
};

/* More pairs than there are directives cannot all be of different ones. */
struct changes {
	struct change list[DIRECTIVES_MAX];
	size_t count;
};

const char *config_name(size_t i)
{
	const struct directive *d = directive_at(i);

	return d ? d->name : NULL;
}

void config_value(const struct options *o, size_t i, struct buf *out)
{
	directive_put(directive_at(i), o, out);
}

static int refuse(const char *name, struct buf *why, struct buf *problem)
{
	buf_printf(problem, "ERR CONFIG SET failed (possibly related to argument '%s') - %.*s",
		   name, (int)why->len, (const char *)why->data);
	return ERR_INVALID;
}

static bool changes_have(const struct changes *all, const struct directive *d)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].directive == d)
			return true;
	return false;
}

/* A fact may be given the value that it has. */
static int check_may_be_set(const struct directive *d, struct slice value, struct buf *why)
{
	struct options none = {0};

	if (d->kind == OPTION_FACT) {
		if (directive_set_text(d, &none, value) == OK)
			return OK;
		buf_printf(why, "it is always '%s': %s", d->value, d->help);
		return ERR_INVALID;
	}
	if (d->flags & DIRECTIVE_LIVE)
		return OK;
	buf_printf(why, "can't set immutable config");
	return ERR_INVALID;
}

/* Which directives are meant, before anything is done to any. */
static int changes_find(struct changes *all, const struct slice *pairs, size_t count,
			struct buf *why, struct buf *problem)
{
	for (size_t i = 0; i < count; i++) {
		if (!directive_find(pairs[2 * i])) {
			buf_printf(problem,
				   "ERR Unknown option or number of arguments for CONFIG SET - "
				   "'%.*s'",
				   (int)pairs[2 * i].len, (const char *)pairs[2 * i].data);
			return ERR_INVALID;
		}
	}
	for (size_t i = 0; i < count; i++) {
		const struct directive *d = directive_find(pairs[2 * i]);
		struct slice value = pairs[2 * i + 1];

		CHECK(d);
		if (changes_have(all, d)) {
			buf_printf(why, "duplicate parameter");
			return refuse(d->name, why, problem);
		}
		if (check_may_be_set(d, value, why) != OK)
			return refuse(d->name, why, problem);
		all->list[all->count++] = (struct change){.directive = d, .value = value};
	}
	return OK;
}

static int changes_parse(const struct changes *all, struct options *wanted, struct buf *why,
			 struct buf *problem)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct change *c = &all->list[i];

		if (c->directive->kind == OPTION_FACT)
			continue;
		if (directive_set_text(c->directive, wanted, c->value) != OK) {
			directive_complain(c->directive, c->value, why);
			return refuse(c->directive->name, why, problem);
		}
	}
	return OK;
}

static int changes_check(const struct changes *all, const struct options *wanted,
			 const struct config_events *events, struct buf *why, struct buf *problem)
{
	CHECK(all->count > 0);
	if (options_check(wanted, why) != OK || events->check(events->ctx, wanted, why) != OK)
		return refuse(all->list[0].directive->name, why, problem);
	return OK;
}

static void changes_take(const struct changes *all, struct options *o, struct options *wanted)
{
	for (size_t i = 0; i < all->count; i++) {
		directive_move(all->list[i].directive, o, wanted);
		o->given[directive_index(all->list[i].directive)] = true;
	}
}

int config_set(struct options *o, const struct config_events *events, const struct slice *pairs,
	       size_t count, struct buf *problem)
{
	struct options wanted; /* of its own are the fields that are to be set */
	struct changes all = {0};
	struct buf why = {0};
	int rc = changes_find(&all, pairs, count, &why, problem);

	if (rc == OK) {
		wanted = *o;
		for (size_t i = 0; i < all.count; i++)
			directive_copy(all.list[i].directive, &wanted, o);
		rc = changes_parse(&all, &wanted, &why, problem);
		if (rc == OK)
			rc = changes_check(&all, &wanted, events, &why, problem);
		if (rc == OK)
			changes_take(&all, o, &wanted);
		for (size_t i = 0; i < all.count; i++)
			directive_clear(all.list[i].directive, &wanted);
		if (rc == OK)
			events->changed(events->ctx);
	}
	buf_free(&why);
	return rc;
}

int config_rewrite(const struct options *o, struct buf *problem)
{
	struct buf why = {0};
	int rc = options_file_rewrite(o, &why);

	if (rc != OK)
		buf_printf(problem, "ERR %.*s", (int)why.len, (const char *)why.data);
	buf_free(&why);
	return rc;
}
