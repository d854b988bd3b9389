#ifndef CONCLAVE_BASE_MUTANT_H
#define CONCLAVE_BASE_MUTANT_H

/*
 * Deliberate mistakes. `if (MUTANT(some_name))` guards code that breaks a rule on purpose; in
 * every ordinary build it is the constant false and the compiler removes the branch. In the mutant
 * build one name is chosen at run time, and the simulator has to notice. tests/sim/mutants.txt
 * says of each name which rule it breaks.
 */

#include <stdbool.h>

#ifdef CONCLAVE_MUTANTS
#define MUTANT(name) mutant_is(#name)
#else
#define MUTANT(name) false
#endif

/* Chooses a mutant by name; NULL: none. Has an effect in the mutant build only. */
void mutant_choose(const char *name);

/* Whether this one is chosen. */
bool mutant_is(const char *name);

#endif
