"""scripts/install-deps against a dpkg, apt and sudo that only note what they are asked."""

import os
import shutil
import subprocess

import specimen

BENCH = "python3 redis-server redis-tools valgrind"
GO = "golang-go\ngolang-github-gomodule-redigo-dev\n"
NPM = "npm --prefix npm ci --ignore-scripts --no-audit --no-fund"


class InstallDepsTest(specimen.SpecimenTest):
    def setUp(self):
        super().setUp()
        self.tools = self.root / "tools"
        self.tool("id", 'echo "${TEST_UID:-0}"')
        self.tool("sudo", 'echo "sudo $1" >>log; [ "$TEST_SUDO" = yes ] && shift && exec "$@"')
        self.tool("dpkg-query", """sed 's/^/installed /; s/$/, editor, thing-api (= 1.2)/' installed""")
        # Fails as often as the file `failures` has lines; installs what is asked otherwise.
        self.tool("apt-get", r"""
echo "apt-get $(echo "$*" | sed -E 's/^-q -y -o [^ ]+ //')" >>log
case $* in *update*) exit 0 ;; esac
if [ -s failures ]; then sed -i 1d failures; echo "no candidate"; exit 100; fi
for p; do echo "$p" >>installed; done""")
        # Fails as often as the file `hiccups` has lines.
        self.tool("npm", """
echo "npm $*" | sed 's|--prefix [^ ]*/|--prefix |' >>log
if [ -s hiccups ]; then sed -i 1d hiccups; echo "no such version"; exit 1; fi""")
        (self.root / "scripts").mkdir()
        shutil.copy(specimen.ROOT / "scripts/install-deps", self.root / "scripts")
        self.write("tests/clients/package.json", "{}")
        self.write("tests/clients/package-lock.json", "{ 1 }")
        self.write("installed", "gcc\nlibc6-dev\nmake\ncmake\nlibxxhash-dev\nlibrocksdb-dev\nlibev-dev\n")
        self.write("log", "")

    def tool(self, name, script):
        self.write(f"tools/{name}", f"#!/bin/bash\n{script}\n").chmod(0o755)

    def install(self, *groups, **env):
        env = {**os.environ, "PATH": f"{self.tools}:/usr/bin:/bin", **env}
        done = subprocess.run([self.root / "scripts/install-deps", *groups], cwd=self.root,
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
                                      "libhiredis-dev librocksdb-dev libxxhash-dev redis-tools"])
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

    def test_what_another_package_provides_is_not_missing(self):
        self.tool("dpkg-query", """sed 's/^/installed /; s/$/, editor, npm (= 10.8)/' installed""")
        self.write("installed", f"python3-redis\nnode-redis\nnodejs\n{GO}")
        self.assertEqual(self.install("clients")[0], 0)
        self.assertEqual(self.log(), [NPM])

    def test_modules_are_installed_when_the_lock_file_changed(self):
        self.write("installed", f"python3-redis\nnode-redis\nnpm\n{GO}")
        self.assertEqual(self.install("clients")[0], 0)
        self.assertEqual(self.install("clients"), (0, ""))
        self.assertEqual(self.log(), [NPM])
        self.write("tests/clients/package-lock.json", "{ 2 }")
        self.assertEqual(self.install("clients")[0], 0)
        self.assertEqual(self.log(), [NPM, NPM])

    def test_modules_are_tried_twice_and_again_next_time(self):
        self.write("installed", f"python3-redis\nnode-redis\nnpm\n{GO}")
        self.write("hiccups", "1\n2\n3\n")
        status, said = self.install("clients")
        self.assertEqual(status, 1)
        self.assertIn("no such version", said)
        self.assertIn("could not install: the packages of tests/clients/package-lock.json", said)
        self.assertEqual(self.install("clients")[0], 0)
        self.assertEqual(self.log(), [NPM] * 4)

    def test_no_such_group(self):
        status, said = self.install("kitchen")
        self.assertEqual(status, 1)
        self.assertIn("no group 'kitchen'", said)


if __name__ == "__main__":
    specimen.main()
