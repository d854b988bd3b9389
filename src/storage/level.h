#ifndef CONCLAVE_STORAGE_LEVEL_H
#define CONCLAVE_STORAGE_LEVEL_H

/*
 * Feature levels. The level of a state (position.level) says what every member of its cluster can
 * read and apply; an entry raises it when all of them can more. What a level brings - a form of a
 * row, a kind of entry, a command - is written and proposed from that level on and not before.
 *
 * A new cluster begins at LEVEL_FIRST, whatever its members can, and rises as soon as all of them
 * have registered. The level never falls.
 */

/* Numbers never change meaning. */
enum feature_level {
	LEVEL_FIRST = 1,
	LEVEL_CHUNKS = 2, /* long strings that are changed in place are kept as chunks */
	LEVEL_NEWEST = LEVEL_CHUNKS,
};

#endif
