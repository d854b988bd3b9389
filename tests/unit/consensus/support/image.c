#include "image.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"

#include <string.h>

void image_free(struct image *image)
{
	image_cut(image, image->base);
	membership_free(&image->base_membership);
	mem_free(image->entries);
	*image = (struct image){0};
}

void image_copy(struct image *to, const struct image *from)
{
	*to = (struct image){
		.hard = from->hard,
		.damaged = from->damaged,
		.base = from->base,
		.base_term = from->base_term,
	};
	membership_copy(&to->base_membership, &from->base_membership);
	for (size_t i = 0; i < from->count; i++)
		image_append(to, &from->entries[i]);
}

uint64_t image_last(const struct image *image)
{
	return image->base + image->count;
}

const struct entry *image_entry(const struct image *image, uint64_t index)
{
	if (index <= image->base || index > image_last(image))
		return NULL;
	return &image->entries[index - image->base - 1];
}

uint64_t image_term(const struct image *image, uint64_t index)
{
	const struct entry *e = image_entry(image, index);

	if (index == image->base)
		return image->base_term;
	return e ? e->term : 0;
}

void image_membership(const struct image *image, struct membership *out)
{
	for (size_t i = image->count; i-- > 0;) {
		if (image->entries[i].kind != ENTRY_MEMBERSHIP)
			continue;
		CHECK(membership_decode(entry_payload(&image->entries[i]), out) == OK);
		return;
	}
	membership_copy(out, &image->base_membership);
}

void image_append(struct image *image, const struct entry *e)
{
	MEM_GROW(image->entries, image->cap, image->count + 1);
	image->entries[image->count++] = *e;
	blob_hold(e->blob);
}

void image_cut(struct image *image, uint64_t index)
{
	while (image_last(image) > index)
		blob_release(image->entries[--image->count].blob);
}

void image_release(struct image *image, uint64_t index)
{
	size_t gone = (size_t)(index - image->base);
	struct membership m = {0};

	CHECK(index >= image->base && index <= image_last(image));
	for (size_t i = gone; i-- > 0 && !m.count;)
		if (image->entries[i].kind == ENTRY_MEMBERSHIP)
			CHECK(membership_decode(entry_payload(&image->entries[i]), &m) == OK);
	if (m.count)
		membership_copy(&image->base_membership, &m);
	membership_free(&m);
	image->base_term = image_term(image, index);
	image->base = index;
	for (size_t i = 0; i < gone; i++)
		blob_release(image->entries[i].blob);
	image->count -= gone;
	if (image->count)
		memmove(image->entries, image->entries + gone,
			image->count * sizeof(*image->entries));
}

int image_start(const struct image *image, const struct raft_options *options, uint64_t applied,
		uint64_t now_ms, struct raft **out)
{
	struct raft_restore restore = {
		.hard = image->hard,
		.base = image->base,
		.base_term = image->base_term,
		.base_membership = &image->base_membership,
		.last = image_last(image),
		.applied = applied,
		.damaged = image->damaged,
	};
	struct term_run *runs = mem_zalloc(image->count + 1, sizeof(*runs));
	struct raft_restored_membership *memberships =
		mem_zalloc(image->count + 1, sizeof(*memberships));
	int rc;

	for (size_t i = 0; i < image->count; i++) {
		const struct entry *e = &image->entries[i];
		uint64_t index = image->base + 1 + i;

		if (i == 0 || e->term != e[-1].term)
			runs[restore.run_count++] = (struct term_run){index, e->term};
		if (e->kind == ENTRY_MEMBERSHIP)
			memberships[restore.membership_count++] =
				(struct raft_restored_membership){index, entry_payload(e)};
	}
	restore.runs = runs;
	restore.memberships = memberships;
	rc = raft_new(out, options, &restore, now_ms);
	mem_free(runs);
	mem_free(memberships);
	return rc;
}

struct image_write image_write_take(const struct raft_persist *persist)
{
	struct image_write w = {.persist = *persist};

	if (persist->membership)
		membership_copy(&w.membership, persist->membership);
	if (persist->count) {
		w.entries = mem_zalloc(persist->count, sizeof(*w.entries));
		memcpy(w.entries, persist->entries, persist->count * sizeof(*w.entries));
	}
	for (size_t i = 0; i < persist->count; i++)
		blob_hold(w.entries[i].blob);
	w.persist.membership = NULL;
	w.persist.entries = w.entries;
	return w;
}

void image_write_free(struct image_write *w)
{
	for (size_t i = 0; i < w->persist.count; i++)
		blob_release(w->entries[i].blob);
	mem_free(w->entries);
	membership_free(&w->membership);
	*w = (struct image_write){0};
}

void image_apply(struct image *image, const struct image_write *w)
{
	const struct raft_persist *p = &w->persist;

	if (p->reset) {
		image_cut(image, image->base);
		image->base = p->base;
		image->base_term = p->base_term;
		membership_copy(&image->base_membership, &w->membership);
	}
	if (p->count) {
		CHECK(p->first > image->base && p->first <= image_last(image) + 1);
		image_cut(image, p->first - 1);
	}
	for (size_t i = 0; i < p->count; i++)
		image_append(image, &w->entries[i]);
	if (p->hard_changed)
		image->hard = p->hard;
	if (p->clear_damage)
		image->damaged = false;
}
