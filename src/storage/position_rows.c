/* Rows of the position that are about members and few: alarms, and who is in quarantine. */

#include "base/mem.h"
#include "storage/position.h"

#include <string.h>

/* ---- alarms ---------------------------------------------------------------------------------- */

static bool alarm_is_before(const struct alarm_row *a, uint64_t member, enum alarm_kind kind)
{
	return a->member < member || (a->member == member && a->kind < kind);
}

/* Where this alarm is, or would be. */
static size_t alarm_place(const struct position *p, uint64_t member, enum alarm_kind kind)
{
	size_t place = 0;

	while (place < p->alarm_count && alarm_is_before(&p->alarms[place], member, kind))
		place++;
	return place;
}

bool position_alarm(const struct position *p, uint64_t member, enum alarm_kind kind)
{
	size_t place = alarm_place(p, member, kind);

	return place < p->alarm_count && p->alarms[place].member == member &&
	       p->alarms[place].kind == kind;
}

bool position_alarm_stands(const struct position *p, enum alarm_kind kind)
{
	for (size_t i = 0; i < p->alarm_count; i++) {
		if (p->alarms[i].kind == kind)
			return true;
	}
	return false;
}

void position_alarm_raise(struct position *p, uint64_t member, enum alarm_kind kind)
{
	size_t place = alarm_place(p, member, kind);
	struct alarm_row *row;

	if (position_alarm(p, member, kind))
		return;
	MEM_GROW(p->alarms, p->alarm_cap, p->alarm_count + 1);
	row = &p->alarms[place];
	memmove(row + 1, row, (p->alarm_count - place) * sizeof(*row));
	*row = (struct alarm_row){member, kind};
	p->alarm_count++;
}

void position_alarm_clear(struct position *p, uint64_t member, enum alarm_kind kind)
{
	struct alarm_row *row;

	if (!position_alarm(p, member, kind))
		return;
	row = &p->alarms[alarm_place(p, member, kind)];
	p->alarm_count--;
	memmove(row, row + 1, (size_t)(p->alarms + p->alarm_count - row) * sizeof(*row));
}

/* ---- quarantine ------------------------------------------------------------------------------ */

static size_t quarantine_place(const struct position *p, uint64_t member)
{
	size_t place = 0;

	while (place < p->quarantine_count && p->quarantines[place].member < member)
		place++;
	return place;
}

const struct quarantine_row *position_quarantine(const struct position *p, uint64_t member)
{
	size_t place = quarantine_place(p, member);

	return place < p->quarantine_count && p->quarantines[place].member == member
		       ? &p->quarantines[place]
		       : NULL;
}

void position_quarantine_put(struct position *p, uint64_t member, uint64_t index)
{
	size_t place = quarantine_place(p, member);
	struct quarantine_row *row;

	if (!position_quarantine(p, member)) {
		MEM_GROW(p->quarantines, p->quarantine_cap, p->quarantine_count + 1);
		row = &p->quarantines[place];
		memmove(row + 1, row, (p->quarantine_count - place) * sizeof(*row));
		p->quarantine_count++;
	}
	p->quarantines[place] = (struct quarantine_row){member, index};
}

void position_quarantine_end(struct position *p, uint64_t member)
{
	struct quarantine_row *row;

	if (!position_quarantine(p, member))
		return;
	row = &p->quarantines[quarantine_place(p, member)];
	p->quarantine_count--;
	memmove(row, row + 1, (size_t)(p->quarantines + p->quarantine_count - row) * sizeof(*row));
}
