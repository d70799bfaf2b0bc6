"""Tests how tools write their files: as a whole where a rename is possible, in place elsewhere."""

import errno
import os
import pathlib
import subprocess
import sys
import unittest
from unittest import mock

from common.command import NO_RENAME, write_whole
from common.result_rows import Unusable
from testing.folder_test_case import FolderTestCase

TOOLS = pathlib.Path(__file__).resolve().parent
LONG, SHORT = b"a longer content", b"short"
# Makes `out` a mount of its own, then writes to it.
IN_A_MOUNT = f"""
mount --bind out out || exit 77
exec {sys.executable} -c 'import pathlib; from common.command import write_whole
write_whole(pathlib.Path("out"), b"{SHORT.decode()}")'
"""


class WriteWholeTest(FolderTestCase):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "out"

    def present(self, mode=0o644):
        """Makes a file with the long content; returns the number of its inode."""
        self.path.write_bytes(LONG)
        self.path.chmod(mode)
        return self.path.stat().st_ino

    def assert_written(self, content=SHORT):
        self.assertEqual(content, self.path.read_bytes())
        self.assertEqual([self.path.name], [path.name for path in self.folder.iterdir()])

    def test_a_file_is_replaced(self):
        inode = self.present()
        with open(self.path, "rb") as reader:
            write_whole(self.path, SHORT)
            self.assertEqual(LONG, reader.read())  # a reader never sees a part of the new one
        self.assertNotEqual(inode, self.path.stat().st_ino)
        self.assert_written()

    def test_a_new_file_has_the_usual_mode(self):
        before = os.umask(0o027)
        try:
            write_whole(self.path, SHORT)
        finally:
            os.umask(before)
        self.assertEqual(0o640, self.path.stat().st_mode & 0o7777)
        self.assert_written()

    def test_a_file_keeps_its_mode(self):
        for mode in (0o600, 0o664):
            self.present(mode)
            write_whole(self.path, SHORT)
            self.assertEqual(mode, self.path.stat().st_mode & 0o7777)
            self.assert_written()

    @unittest.skipIf(os.geteuid(), "only root gives files away")
    def test_a_file_keeps_its_owner(self):
        self.present()
        os.chown(self.path, 12345, 54321)
        write_whole(self.path, SHORT)
        self.assertEqual((12345, 54321), (self.path.stat().st_uid, self.path.stat().st_gid))
        self.assert_written()

    def test_a_name_may_have_the_greatest_length(self):
        for name in ("a" * 250, "ä" * 125, "a" * 255):
            with self.subTest(name=name[:1], length=len(name.encode())):
                self.path.unlink(missing_ok=True)
                self.path = self.folder / name
                write_whole(self.path, LONG)
                write_whole(self.path, SHORT)
                self.assert_written()

    def test_what_no_rename_can_replace_is_written_in_place(self):
        for reason in NO_RENAME:
            with self.subTest(errno=errno.errorcode[reason]):
                inode = self.present(0o640)
                with mock.patch("pathlib.Path.replace", side_effect=OSError(reason, os.strerror(reason))):
                    write_whole(self.path, SHORT)
                self.assertEqual((inode, 0o640), (self.path.stat().st_ino, self.path.stat().st_mode & 0o7777))
                self.assert_written()

    def test_a_file_that_may_not_be_given_away_is_written_in_place(self):
        inode = self.present()
        with (mock.patch("os.fstat", return_value=mock.Mock(st_uid=-1, st_gid=-1)),
              mock.patch("os.fchown", side_effect=OSError(errno.EINVAL, "no such identity"))):
            write_whole(self.path, SHORT)
        self.assertEqual(inode, self.path.stat().st_ino)
        self.assert_written()

    def test_a_mount_is_written_in_place(self):
        self.present()
        done = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", IN_A_MOUNT],
                              cwd=self.folder, env={**os.environ, "PYTHONPATH": str(TOOLS)}, capture_output=True,
                              stdin=subprocess.DEVNULL, encoding="utf-8", timeout=60, check=False)
        if done.returncode == 77 or "unshare" in done.stderr:
            self.skipTest(f"this machine lets nobody mount: {done.stderr.strip()}")
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assert_written()

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_a_file_in_a_closed_folder_is_written_in_place(self):
        inode = self.present()
        self.folder.chmod(0o500)
        try:
            write_whole(self.path, SHORT)
        finally:
            self.folder.chmod(0o700)
        self.assertEqual(inode, self.path.stat().st_ino)
        self.assert_written()

    def test_a_link_stays_one(self):
        link = self.folder / "link"
        link.symlink_to("out")
        write_whole(link, SHORT)
        self.assertTrue(link.is_symlink())
        self.assertEqual(SHORT, self.path.read_bytes())

    def test_a_full_disk_is_one_line_and_loses_nothing(self):
        self.present()
        full = OSError(errno.ENOSPC, "No space left on device")
        with mock.patch("pathlib.Path.replace", side_effect=full), self.assertRaisesRegex(Unusable, "out: No space"):
            write_whole(self.path, SHORT)
        self.assert_written(LONG)

    def test_a_failure_in_place_is_one_line(self):
        self.present()
        with (mock.patch("pathlib.Path.replace", side_effect=OSError(errno.EBUSY, "busy")),
              mock.patch("common.command.open", side_effect=[open(self.folder / ".new", "xb"),
                                                            OSError(errno.EIO, "broken")], create=True),
              self.assertRaisesRegex(Unusable, "out: broken")):
            write_whole(self.path, SHORT)


if __name__ == "__main__":
    unittest.main()
