"""The check of include directions."""

import specimen


class LayersTest(specimen.SpecimenTest):
    def setUp(self):
        super().setUp()
        self.write("src/base/bytes.h", "")
        self.write("src/base/clock.h", "")
        self.write("src/resp/parser.h", '#include "base/bytes.h"\n#include <stdio.h>\n')
        self.write("src/node/node.h", '#include "resp/parser.h"\n')

    def test_downward_and_inward_is_fine(self):
        self.write("src/node/node.c", '#include "node/node.h"\n\n#include "base/bytes.h"\n')
        self.write("src/consensus/raft.c", "#include <string.h>\n")
        self.write("tests/unit/any_test.c", '#include "node/node.h"\n#include <time.h>\n')
        self.assert_clean("layers")

    def test_upward(self):
        self.write("src/base/job.c", '\n#include "node/node.h"\n')
        self.assert_finds("layers", "src/base/job.c:2: base stands on floor 0 and may not know node")

    def test_sideways(self):
        self.write("src/storage/log.c", '#include "resp/parser.h"\n')
        self.assert_finds("layers", "src/storage/log.c:1: storage stands on floor 1 and may not")

    def test_an_include_in_a_comment_is_none(self):
        self.write("src/base/job.c", '/*\n#include "node/node.h"\n*/\n')
        self.assert_clean("layers")

    def test_a_circle_inside_a_room(self):
        self.write("src/resp/a.h", '#include "resp/b.h"\n')
        self.write("src/resp/b.h", '#include "resp/a.h"\n')
        self.assert_finds("layers", "src/resp/a.h: includes go in a circle: src/resp/a.h -> src/resp/b.h")

    def test_the_own_header_comes_first(self):
        self.write("src/node/node.c", '#include "base/bytes.h"\n#include "node/node.h"\n')
        self.assert_finds("layers", 'src/node/node.c:1: the first include is "node/node.h"')

    def test_an_include_is_written_from_the_top(self):
        self.write("src/node/peer.c", '#include "node.h"\n')
        self.assert_finds("layers", "src/node/peer.c:1: there is no src/node.h")

    def test_source_files_are_not_included(self):
        self.write("src/node/a.c", '#include "node/b.c"\n')
        self.write("src/node/b.c", "")
        self.assert_finds("layers", 'src/node/a.c:1: "node/b.c" is no header')

    def test_a_file_outside_of_every_room(self):
        self.write("src/util.c", "")
        self.write("src/cellar/rat.c", "")
        self.assert_finds("layers", "src/cellar/rat.c: stands in no room", "src/util.c: stands in no")

    def test_consensus_does_no_input_and_output(self):
        self.write("src/consensus/a.c", "#include <stdio.h>\n")
        self.write("src/consensus/b.c", "#include <pthread.h>\n")
        self.write("src/consensus/c.c", '#include "base/clock.h"\n')
        self.assert_finds("layers",
                          "src/consensus/a.c:1: consensus is a pure function",
                          "src/consensus/b.c:1: consensus is a pure function",
                          "src/consensus/c.c:1: consensus is told the time")


if __name__ == "__main__":
    specimen.main()
