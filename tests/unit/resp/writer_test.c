/* Replies that nobody wants; the others are in the scenarios of the protocol. */

#include "resp/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Each call would touch what is not there. */
static void a_muted_writer_takes_everything(void **state)
{
	(void)state;
	for (int protocol = 2; protocol <= 3; protocol++) {
		struct resp_writer w = {.protocol = protocol};
		struct resp_open outer = resp_open_map(&w), inner = resp_open_array(&w);

		resp_write_simple(&w, SLICE_LITERAL("OK"));
		resp_write_error(&w, SLICE_LITERAL("ERR no"));
		resp_write_errorf(&w, "ERR %d", 1);
		resp_write_integer(&w, 1);
		resp_write_bulk(&w, SLICE_LITERAL("x"));
		resp_write_null(&w);
		resp_write_null_array(&w);
		resp_write_double(&w, 1.5);
		resp_write_boolean(&w, true);
		resp_write_big_number(&w, SLICE_LITERAL("1"));
		resp_write_verbatim(&w, "txt", SLICE_LITERAL("x"));
		resp_write_raw(&w, SLICE_LITERAL("+OK\r\n"));
		resp_write_array(&w, 1);
		resp_write_set(&w, 1);
		resp_write_push(&w, 1);
		resp_write_map(&w, 1);
		resp_close(&w, inner, 3);
		resp_close(&w, outer, 300);
		assert_null(w.out);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_muted_writer_takes_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
