#include "command/secret.h"

#include "command/family.h"

/* HELLO 3 AUTH user password SETNAME name: user and password. */
static bool hello_hides(const struct slice *argv, size_t at)
{
	for (size_t i = 2; i < at; i++) {
		if (argument_is(argv[i], "SETNAME"))
			i++;
		else if (argument_is(argv[i], "AUTH") && at - i <= 2)
			return true;
		else if (argument_is(argv[i], "AUTH"))
			i += 2;
	}
	return false;
}

/* CONFIG SET name value ...: what is set for a name that means a secret. */
static bool config_hides(const struct slice *argv, size_t at)
{
	static const char *const names[] = {"requirepass", "masterauth", "tls-key-file-pass",
					    "tls-client-key-file-pass", "cluster-token"};

	for (size_t i = 0; at % 2 == 1 && at > 2 && i < ARRAY_LEN(names); i++)
		if (argument_is(argv[at - 1], names[i]))
			return true;
	return false;
}

bool command_hides(const struct command *command, const struct slice *argv, size_t argc, size_t at)
{
	struct slice name = slice_of_text(command->name);

	if (at == 0 || at >= argc)
		return false;
	if (slice_equal(name, SLICE_LITERAL("AUTH")))
		return true;
	if (slice_equal(name, SLICE_LITERAL("HELLO")))
		return hello_hides(argv, at);
	if (slice_equal(name, SLICE_LITERAL("CONFIG|SET")))
		return config_hides(argv, at);
	return slice_equal(name, SLICE_LITERAL("ACL|SETUSER")) && at > 1;
}
