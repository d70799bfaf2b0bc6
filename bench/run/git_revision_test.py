"""Tests what revision a build has, in repositories made for the purpose: `git_revision_test.py cmake`."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().with_name("git_revision.cmake")
PATIENCE = 60  # seconds


class GitRevisionTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="a folder ")))
        self.root = self.folder / "project"
        self.root.mkdir()

    def git(self, *words):
        return subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=self.root, check=True,
                              capture_output=True, encoding="utf-8", timeout=PATIENCE).stdout.strip()

    def commit(self):
        """Commits a file in a new repository; returns the commit's name as builds have it."""
        self.git("init", "--quiet")
        (self.root / "file").write_text("1", encoding="ascii")
        self.git("add", "file")
        self.git("commit", "--quiet", "--message=1")
        return self.git("rev-parse", "--short=12", "HEAD")

    def built(self, source=None, **variables):
        """Returns (revision, message) of a build of the project, or of another folder."""
        template, output = self.folder / "template", self.folder / "output"
        template.write_text("@GIT_REVISION@", encoding="ascii")
        done = subprocess.run([CMAKE, f"-DSOURCE_DIR={source or self.root}", f"-DTEMPLATE={template}",
                               f"-DOUTPUT={output}", "-P", SCRIPT], env={**os.environ, **variables},
                              stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=PATIENCE,
                              check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        return output.read_text(encoding="ascii").strip(), done.stderr

    def test_the_commit_and_whether_files_differ_from_it(self):
        commit = self.commit()
        (self.root / "untracked").touch()
        self.assertEqual((commit, ""), self.built())
        (self.root / "file").write_text("2", encoding="ascii")
        self.assertEqual((f"{commit}+dirty", ""), self.built())

    def test_a_checkout_of_another_user_has_its_revision(self):
        commit = self.commit()
        self.assertEqual((commit, ""), self.built(GIT_TEST_ASSUME_DIFFERENT_OWNER="1"))
        (self.root / "file").write_text("2", encoding="ascii")
        self.assertEqual((f"{commit}+dirty", ""), self.built(GIT_TEST_ASSUME_DIFFERENT_OWNER="1"))

    def test_a_repository_that_git_cannot_read_is_told(self):
        self.commit()
        (self.root / ".git" / "HEAD").write_text("nothing", encoding="ascii")
        revision, message = self.built()
        self.assertEqual("unknown", revision)
        self.assertRegex(message, "^The revision is unknown, and rows of this build will not say it: fatal: ")

    def test_sources_without_a_repository_have_none(self):
        self.assertEqual(("unknown", ""), self.built())

    def test_a_copy_in_another_repository_has_none(self):
        self.commit()
        (self.root / "copy").mkdir()
        self.assertEqual(("unknown", ""), self.built(self.root / "copy"))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: git_revision_test.py <cmake>")
    CMAKE = sys.argv.pop(1)
    unittest.main()
