#include "base/mutant.h"

#include <stddef.h>
#include <string.h>

/* The one global of the program: set once before anything runs, in one build that nobody ships. */
static const char *mutant_chosen;

void mutant_choose(const char *name)
{
	mutant_chosen = name;
}

bool mutant_is(const char *name)
{
	return mutant_chosen != NULL && strcmp(mutant_chosen, name) == 0;
}
