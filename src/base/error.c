#include "base/error.h"

#include <errno.h>

const char *error_text(int error)
{
	switch (error) {
#define ERROR_TEXT(name, number, text) \
	case name:                     \
		return text;
		ERRORS(ERROR_TEXT)
#undef ERROR_TEXT
	default:
		return "unknown error";
	}
}

const char *error_name(int error)
{
	switch (error) {
#define ERROR_NAME(name, number, text) \
	case name:                     \
		return #name;
		ERRORS(ERROR_NAME)
#undef ERROR_NAME
	default:
		return "ERR_UNKNOWN";
	}
}

int error_from_errno(int errno_value)
{
	switch (errno_value) {
	case 0:
		return OK;
	case ENOSPC:
	case EDQUOT:
		return ERR_NO_SPACE;
	case ENOENT:
		return ERR_NOT_FOUND;
	case EEXIST:
		return ERR_EXISTS;
	case EINVAL:
		return ERR_INVALID;
	case EFBIG:
		return ERR_TOO_LARGE;
	default:
		return ERR_IO;
	}
}
