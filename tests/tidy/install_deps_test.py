"""scripts/install-deps against a dpkg, apt and sudo that only note what they are asked."""

import os
import subprocess

import specimen

BENCH = "python3 redis-server redis-tools valgrind"


class InstallDepsTest(specimen.SpecimenTest):
    def setUp(self):
        super().setUp()
        self.tools = self.root / "tools"
        self.tool("id", 'echo "${TEST_UID:-0}"')
        self.tool("sudo", 'echo "sudo $1" >>log; [ "$TEST_SUDO" = yes ] && shift && exec "$@"')
        self.tool("dpkg-query", 'shift 3; for p; do grep -qx "$p" installed && echo "installed $p"; done')
        # Fails as often as the file `failures` has lines; installs what is asked otherwise.
        self.tool("apt-get", r"""
echo "apt-get $(echo "$*" | sed -E 's/^-q -y -o [^ ]+ //')" >>log
case $* in *update*) exit 0 ;; esac
if [ -s failures ]; then sed -i 1d failures; echo "no candidate"; exit 100; fi
for p; do echo "$p" >>installed; done""")
        self.write("installed", "gcc\nlibc6-dev\nmake\ncmake\nlibxxhash-dev\nlibrocksdb-dev\nlibev-dev\n")
        self.write("log", "")

    def tool(self, name, script):
        self.write(f"tools/{name}", f"#!/bin/bash\n{script}\n").chmod(0o755)

    def install(self, *groups, **env):
        env = {**os.environ, "PATH": f"{self.tools}:/usr/bin:/bin", **env}
        done = subprocess.run([specimen.ROOT / "scripts/install-deps", *groups], cwd=self.root,
                              env=env, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def log(self):
        return (self.root / "log").read_text().splitlines()

    def test_with_everything_there_it_is_silent_and_asks_nobody(self):
        self.assertEqual(self.install("build", TEST_UID="1000"), (0, ""))
        self.assertEqual(self.log(), [])

    def test_only_what_is_missing_is_installed_without_fetching_lists(self):
        self.write("installed", "gcc\nlibc6-dev\nmake\npython3\ngit\n")
        status, said = self.install("build", "test")
        self.assertEqual(status, 0, said)
        self.assertEqual(self.log(), ["apt-get install --no-install-recommends cmake libcmocka-dev libev-dev "
                                      "librocksdb-dev libxxhash-dev redis-tools"])
        self.assertEqual(self.install("build", "test"), (0, ""))

    def test_lists_are_fetched_when_the_first_try_fails(self):
        self.write("failures", "1\n")
        self.assertEqual(self.install("bench")[0], 0)
        self.assertEqual(self.log(), [f"apt-get install --no-install-recommends {BENCH}",
                                      "apt-get update",
                                      f"apt-get install --no-install-recommends {BENCH}"])

    def test_a_failure_that_lasts_is_told_with_what_apt_said(self):
        self.write("failures", "1\n2\n3\n")
        status, said = self.install("bench")
        self.assertEqual(status, 1)
        self.assertIn("no candidate", said)
        self.assertIn(f"could not install: {BENCH}", said)

    def test_another_user_goes_through_sudo(self):
        status, said = self.install("bench", TEST_UID="1000", TEST_SUDO="yes")
        self.assertEqual(status, 0, said)
        self.assertIn("valgrind", (self.root / "installed").read_text())

    def test_another_user_without_sudo_is_told_what_to_run(self):
        status, said = self.install("bench", TEST_UID="1000", TEST_SUDO="no")
        self.assertEqual(status, 1)
        self.assertIn(f"run as root: apt-get install {BENCH}", said)

    def test_no_such_group(self):
        status, said = self.install("kitchen")
        self.assertEqual(status, 1)
        self.assertIn("no group 'kitchen'", said)


if __name__ == "__main__":
    specimen.main()
