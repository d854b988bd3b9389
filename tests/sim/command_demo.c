/* A small cluster to look at: three members elect, replicate, lose their leader, recover. */

#include "sim/commands.h"

int command_demo(void)
{
	return 0;
}
