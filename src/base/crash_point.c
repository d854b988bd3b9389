#include "base/crash_point.h"

const char *crash_point_name(enum crash_point point)
{
	static const char *const names[] = {
#define CRASH_POINT_NAME(id, name) [id] = name,
		CRASH_POINTS(CRASH_POINT_NAME)
#undef CRASH_POINT_NAME
	};

	return (size_t)point < CRASH_POINT_COUNT ? names[point] : "unknown";
}
