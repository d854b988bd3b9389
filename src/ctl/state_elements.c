#include "ctl/state_elements.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/mem.h"
#include "storage/txn_chunks.h"

struct element_sum {
	struct hash_node node;
	uint64_t incarnation;
	enum record_type type;
	uint64_t size;
	uint64_t digest;
	uint64_t seen; /* how many, or where the last chunk ends */
	uint64_t seen_digest;
	bool broken; /* one that cannot be */
};

static struct element_sum *sum_of(struct hash_node *n)
{
	return CONTAINER_OF(n, struct element_sum, node);
}

static struct element_sum *sum_find(const struct element_sums *s, uint64_t incarnation)
{
	struct hash_node *n = hash_table_first(&s->table, hash64_pair(incarnation, 0));

	while (n && sum_of(n)->incarnation != incarnation)
		n = hash_table_next(n);
	return n ? sum_of(n) : NULL;
}

static void sum_drop(struct element_sums *s, struct element_sum *sum)
{
	hash_table_remove(&s->table, &sum->node);
	mem_free(sum);
}

void element_sums_free(struct element_sums *s)
{
	struct hash_node *n;

	while ((n = hash_table_any(&s->table)) != NULL)
		sum_drop(s, sum_of(n));
	hash_table_close(&s->table);
}

void element_sums_expect(struct element_sums *s, const struct record *r)
{
	struct element_sum *sum;

	if (!r->incarnation)
		return;
	sum = sum_find(s, r->incarnation);
	if (sum) { /* two records cannot have the same elements */
		sum->broken = true;
		return;
	}
	sum = MEM_NEW(struct element_sum);
	sum->incarnation = r->incarnation;
	sum->type = r->type;
	sum->size = r->size;
	sum->digest = r->digest;
	hash_table_insert(&s->table, &sum->node, hash64_pair(r->incarnation, 0));
}

static void sum_add(struct element_sum *sum, struct slice row, struct slice name,
		    struct slice value)
{
	uint32_t number;

	sum->seen_digest += element_share(row, value);
	if (sum->type != RECORD_CHUNKS)
		sum->seen++;
	else if (chunk_number(name, &number) != OK || value.len > STRING_CHUNK_BYTES)
		sum->broken = true;
	else
		sum->seen = (uint64_t)number * STRING_CHUNK_BYTES + value.len;
}

int element_sums_see(struct element_sums *s, struct slice row, struct slice value,
		     uint64_t *incarnation, enum record_type *type, struct slice *name)
{
	struct element_sum *sum;
	int rc = element_key_decode(row, RECORD_NONE, incarnation, name);

	*type = RECORD_NONE;
	if (rc != OK)
		return rc;
	sum = sum_find(s, *incarnation);
	if (!sum)
		return OK;
	*type = sum->type;
	rc = element_key_decode(row, sum->type, incarnation, name);
	if (rc == OK)
		sum_add(sum, row, *name, value);
	return rc;
}

/* A string may end with zeros that no chunk has. */
static bool sum_agrees(const struct element_sum *sum)
{
	bool size = sum->type == RECORD_CHUNKS ? sum->seen <= sum->size : sum->seen == sum->size;

	return size && sum->seen_digest == sum->digest && !sum->broken;
}

uint64_t element_sums_wrong(struct element_sums *s)
{
	struct hash_node *n;
	uint64_t wrong = 0;

	while ((n = hash_table_any(&s->table)) != NULL) {
		wrong += !sum_agrees(sum_of(n));
		sum_drop(s, sum_of(n));
	}
	return wrong;
}
