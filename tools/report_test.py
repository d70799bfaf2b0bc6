"""Tests tools/report on results made by hand, in the form of bench_all's.

Opens the page in a headless Chromium, if there is one. Needs matplotlib, but mostly loads it only
once because most reports are made in the test's own process. Installs nothing.
"""

import html.parser
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from common.command import run
from testing.in_process import run_in_process
from testing.link_rows import link_rows
from testing.results_test_case import ResultsTestCase, no_results
from reporting.__main__ import main
from reporting.results import Measured
from reporting.sections import compression

REPORT = pathlib.Path(__file__).resolve().parent / "report"
SECTIONS = ("matrix", "percentiles", "throughput", "concurrency", "decomposition", "ends",
            "link", "ledger", "sweep", "compression", "environment")
VOID = {"meta", "link", "br", "wbr"}
CONTEXT = {"host_name": "here", "git_revision": "abc", "preset": "quick", "cpu_model": "A CPU",
           "date": "2024-01-01T00:00:00+00:00"}
LEDGER = {"client_syscalls": 2, "server_syscalls": 3, "client_allocations": 0,
          "server_allocations": 1, "client_allocated_bytes": 0, "server_allocated_bytes": 64,
          "ledger_exact": 1}


def row(name, us, label="placement=shared", **counters):
    if "rpyc" in name and "compression=" not in label:
        label += " compression=python dialect=5"
    return {"name": name + "/real_time", "run_type": "iteration", "real_time": us,
            "time_unit": "us", "p50_us": us, "p95_us": us * 1.5, "p99_us": us * 2,
            "samples": 1000, "round_trips": 1, "wire_bytes_out": 20, "wire_bytes_in": 30,
            "label": label, **counters}


def rows():
    """Returns at least one row for each section, with arithmetic that needs no computer."""
    yield row("Floor/ping", 9)
    for mode, us in (("tcp_threaded", 10), ("tcp_async", 9), ("rpyc_threaded", 25),
                     ("http_threaded", 12), ("pyrpyc_threaded", 100)):
        paired = {"floor_ratio": us / 10}
        yield row(f"Connection/{mode}", us * 8, **paired)
        yield row(f"Latency/{mode}/ping", us, **LEDGER, **paired)
        for size in (1024, 102400):
            yield row(f"Bandwidth/{mode}/upload/{size}", us * size / 1024,
                      bytes_per_second=1e9 / us, **paired)
        for clients in (1, 10):
            yield row(f"Concurrent/{mode}/clients:{clients}", us * clients, "placement=free",
                      items_per_second=1e6 / us, **paired)
    for mode, us in (("rpyc_threaded", 110), ("pyrpyc_threaded", 180)):
        yield row(f"PyConcurrent/{mode}/clients:10", us * 10, "placement=free",
                  items_per_second=1e6 / us)
    yield row("OpenLoop/rpyc_threaded/load:50", 30, p999_us=90)
    for kind, setting, us in (("text", "off", 80), ("text", "python", 480), ("random", "off", 79)):
        yield row(f"Compression/rpyc_threaded/{kind}/{setting}/65536", us,
                  f"placement=shared payload={kind} compression={setting} dialect=5")
    yield from across()


def across():
    """Returns rows across a link: Python's ping by RPyC waits for it three times, others once."""
    for call, local_us, exchanges in (
            ("PyLink/pyrpyc_threaded/ping", 100, 3), ("PyLink/pyrpyc_threaded/getattr", 100, 1),
            ("PyLink/flask_waitress/ping", 700, 1), ("Link/tcp_threaded/ping", 20, 1),
            ("Link/rpyc_threaded/ping", 50, 2), ("Link/http_threaded/ping", 30, 1)):
        yield from link_rows(call, local_us, exchanges)


def probe(**changes):
    """Returns a course of 10 s, half of it quiet, with rows whose pairs take turns."""
    return {"quiet_us": 4.2, "step_s": 2, "us": [4, 4.1, None, 8, 16], "rows": [
        {"name": "Latency/tcp_threaded/ping/real_time", "repetition_index": 0,
         "loop_s": [-1, 0], "pairs_s": [4, 8]},
        {"name": "Latency/rpyc_threaded/ping/real_time", "repetition_index": 0,
         "loop_s": [0, 2], "pairs_s": [5, 9]},
        {"name": "Isolation/tcp_threaded/<x>/real_time", "repetition_index": 0,
         "loop_s": [2, 3]}]} | changes


def changed(name, **counters):
    """Returns all rows, one of them with other counters."""
    return [{**each, **counters} if each["name"] == name + "/real_time" else each
            for each in rows()]


def drawn(page):
    """Returns the corners of each path with a tooltip in a page, [(tooltip, [(x, y), …]), …]."""
    return [(html.unescape(tip), [(float(x), float(y)) for x, y in re.findall(
        r"[ML] ([-\d.]+) ([-\d.]+)", path)]) for tip, path in re.findall(
            r'<g><title>(.*?)</title>\s*<path d="(.*?)"', page, re.DOTALL)]


class Page(html.parser.HTMLParser):
    """Reads a page: its texts by section, and all tags, which must be balanced."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.section, self.texts, self.ids = [], [], "", {}, []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.ids += [value for name, value in attributes if name == "id"]
        if tag == "section":
            self.section = dict(attributes)["id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.ids += [value for name, value in attributes if name == "id"]

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> at {self.getpos()}"
        if tag in ("th", "td", "li", "p", "h2", "h3"):
            self.handle_data(" ")

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts[self.section] = self.texts.get(self.section, "") + data

    def text(self, section):
        return " ".join(self.texts[section].split())


class ReportTest(ResultsTestCase):
    PROGRAM = "report"

    def setUp(self):
        super().setUp()
        self.html = self.folder / "report.html"

    def file(self, benchmarks, name="results.json", errors=(), **context):
        return super().file(benchmarks, name, context=CONTEXT | context, errors=list(errors))

    def run_report(self, *arguments):
        return run_in_process(lambda: run("report", main), *arguments, folder=self.folder)

    def run_report_process(self, *arguments):
        """Runs the report in a process of its own."""
        return subprocess.run(
            [REPORT, "--no-install", *map(str, arguments)], cwd=self.folder,
            env={**os.environ, "LC_ALL": "C"}, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, encoding="utf-8", timeout=100, check=False)

    def report(self, *files, run_report=None):
        """Returns the text of the page about these files, which must be made without a message."""
        result = (run_report or self.run_report)(*files, "-o", self.html)
        self.assertEqual((0, "", ""), (result.returncode, result.stdout, result.stderr))
        return self.html.read_text(encoding="utf-8")

    def refuses(self, words, *files, run_report=None):
        result = (run_report or self.run_report)(*files, "-o", self.html, "--png",
                                                 self.folder / "png", "--markdown")
        self.assert_refused(result, words)
        self.assertFalse(self.html.exists() or (self.folder / "png").exists())

    def test_every_section_shows_its_rows(self):
        page = Page(self.report(self.file(rows())))
        self.assertEqual(list(SECTIONS), [attributes["id"] for tag, attributes in page.tags
                                          if tag == "section"])
        for section, words in (
                ("matrix", "rpyc_threaded 2.50 ×"), ("percentiles", "p99.9"),
                ("throughput", "Bandwidth: upload"), ("throughput", "100 KiB"),
                ("concurrency", "Concurrent: calls per second"),
                ("concurrency", "p99 (solid) and p50 (dashed)"),
                ("decomposition", "Latency/ping by RPyC 10 µs 15 µs 75 µs 100 µs"),
                ("ends", "Concurrent/clients:10 by rpyc 25 µs 100 µs 110 µs 180 µs"),
                ("link", "getattr 100 µs + 1.00 × RTT"),
                ("ledger", "Latency/tcp_threaded/ping 1 20 30 2 3 0 1 0 64 exact"),
                ("compression", "text 80 µs 480 µs"), ("environment", "cpu_model A CPU"),
                ("environment", "placement")):
            with self.subTest(section, words=words):
                self.assertIn(words, page.text(section))

    def test_it_needs_no_network_and_no_script_and_knows_the_dark(self):
        text = self.report(self.file(rows()))
        page = Page(text)
        self.assertNotRegex(text, r"https?:|@import|url\((?!#)")
        for tag, attributes in page.tags:
            self.assertNotEqual("script", tag)
            self.assertNotIn("src", attributes)
            self.assertRegex(attributes.get("href") or "#", "^(#|data:,$)")
        self.assertIn("@media (prefers-color-scheme: dark)", text)
        self.assertIn('name="viewport"', text)
        drawn = text.partition("<svg")[2]
        self.assertIn("currentColor", drawn)
        self.assertNotRegex(drawn, "(fill|stroke|color): ?#")
        self.assertIn("<text", drawn)

    def test_ids_are_unique_and_references_lead_to_them(self):
        text = self.report(self.file(rows()), self.file(rows(), "again.json"))
        ids = Page(text).ids
        self.assertEqual(len(ids), len(set(ids)))
        self.assertLessEqual(set(re.findall(r'(?:href="|url\()#([^")]+)', text)), set(ids))

    def test_the_same_results_give_the_same_page(self):
        path = self.file(rows())
        self.assertEqual(self.report(path), self.report(path, run_report=self.run_report_process))

    def test_a_section_without_rows_says_what_it_needs(self):
        page = Page(self.report(self.file([row("Isolation/tcp_threaded", 5)])))
        for section in SECTIONS[:-1]:
            self.assertRegex(page.text(section), r"(No row|No floor row)[^.]*\.$")
        self.assertIn("1 rows, 0 with doubts", page.text("environment"))

    def test_figures_below_zero_have_no_place_on_a_scale(self):
        negative = {"items_per_second": -1, "wire_bytes_out": -1}
        strange = [each | (negative if "/rpyc" in each["name"] and "/off" not in each["name"]
                           else {}) for each in rows()]
        self.assertEqual(0, self.run_report(self.file(strange), "--markdown").returncode)

    def test_doubts_and_failures_are_told(self):
        benchmarks = changed("Latency/rpyc_threaded/ping",
                             label="placement=shared doubts=stalls:3,steal:4%")
        failed = {"name": "Latency/rpyc_forking/ping/real_time", "message": "said <no> & died"}
        page = Page(self.report(self.file(benchmarks, errors=[failed])))
        self.assertIn("1 with doubts, 1 failed", page.text("environment"))
        self.assertIn("Latency/rpyc_forking/ping said <no> & died", page.text("environment"))
        self.assertIn("steal 1 the hypervisor took CPU time", page.text("environment"))
        self.assertIn("2.50 ×†", page.text("matrix"))

    def test_repetitions_are_one_row_and_aggregates_none(self):
        benchmarks = [row("Latency/tcp_threaded/ping", 10, floor_ratio=1),
                      *(row("Latency/rpyc_threaded/ping", us, floor_ratio=us / 10)
                        for us in (20, 30, 70)),
                      {**row("Latency/rpyc_threaded/ping_mean", 40), "run_type": "aggregate"}]
        page = Page(self.report(self.file(benchmarks)))
        self.assertIn("2 rows,", page.text("environment"))
        self.assertIn("rpyc_threaded 3.00 ×", page.text("matrix"))

    def test_side_by_side_marks_what_changed(self):
        before = self.file(rows(), "before.json")
        after = self.file(
            [*changed("Latency/rpyc_threaded/ping", p50_us=30, server_syscalls=4),
             row("Latency/http_async/ping", 11)], "after.json", git_revision="def")
        page = Page(self.report(before, after))
        self.assertIn("1 changed", page.text("changes"))
        self.assertIn("Latency/rpyc_threaded/ping 25 µs 30 µs +20.0 % ▲ server_syscalls 3 → 4",
                      page.text("changes"))
        self.assertNotIn("▲ Latency/http", page.text("changes"))
        self.assertIn("after Latency/http_async/ping", page.text("changes"))
        for section in SECTIONS:
            self.assertRegex(page.text(section), "before .*after ")

    def test_side_by_side_charts_share_their_axes(self):
        before = self.file(rows(), "before.json")
        after = self.file([{**each, "p99_us": 9e6} for each in rows()], "after.json")
        text = self.report(before, after)
        figures = re.findall(r"<figcaption>Latency/ping</figcaption>.*?</figure>", text, re.DOTALL)
        ticks = [re.findall(r">([\d,.]+ (?:µs|ms|s))<", figure) for figure in figures]
        self.assertEqual(2, len(ticks))
        self.assertEqual(*ticks)
        self.assertIn("10 s", ticks[0])

    def test_rows_with_too_few_answers_are_not_compared(self):
        before = self.file(rows(), "before.json")
        after = self.file(changed("Latency/tcp_async/ping", p50_us=90, unanswered_percent=48.25), "after.json",
                          git_revision="def")
        text = Page(self.report(before, after)).text("changes")
        self.assertIn("0 changed", text)
        self.assertIn("90 µs not compared: 48.2 % of its calls had no answer, so it has no p99", text)

    def test_rows_with_too_few_answers_are_a_result(self):
        few = {"name": "OpenLoop/rpyc_threaded/rate:1000/manual_time", "run_type": "iteration", "real_time": 30,
               "cpu_time": 1, "time_unit": "us", "samples": 1000, "p10_us": 10, "unanswered_percent": 92.5}
        for row in (few, {**few, "p50_us": 20, "unanswered_percent": 48}):
            text = Page(self.report(self.file([row], "few.json"))).text("environment")
            self.assertIn("OpenLoop/rpyc_threaded/rate:1000", text)

    def test_rows_under_other_conditions_are_not_compared(self):
        before = self.file(rows(), "before.json")
        after = self.file(changed("Latency/tcp_async/ping", p50_us=90, label="placement=split"),
                          "after.json", git_revision="def")
        text = Page(self.report(before, after)).text("changes")
        self.assertIn("0 changed, 1 measured under different conditions", text)
        self.assertIn("90 µs not comparable: placement=split", text)

    def test_what_lies_within_the_spread_of_repetitions_is_no_change(self):
        def file(name, *times):
            return self.file([row("Latency/tcp_threaded/ping", us) for us in times], name)

        text = Page(self.report(file("a.json", 9, 10, 11), file("b.json", 10, 11, 12)))
        self.assertIn("1 rows in common, 0 changed", text.text("changes"))

    def test_rows_in_pairs_are_compared_by_their_ratio_to_the_probe(self):
        """The machine is a third slower in the second run. One row changed, one has no pairs."""
        def file(name, slower, *ratios, half=0.02):
            modes = "tcp_threaded", "http_threaded", "rpyc_threaded"
            return self.file([row(f"Latency/{mode}/ping", 10 * ratio * slower, probe_ratio=ratio,
                                  probe_ratio_low=ratio - half, probe_ratio_high=ratio + half)
                              for mode, ratio in zip(modes, ratios)]
                             + [row("Latency/tcp_async/ping", 10 * slower)], name)

        files = file("a.json", 1, 1, 2, 4), file("b.json", 1.3, 1.03, 2.03, 5)
        text = Page(self.report(*files)).text("changes")
        self.assertIn("4 rows in common, 2 changed", text)
        self.assertIn("Latency/rpyc_threaded/ping 40 µs 50 µs +25.0 % ▲", text)
        self.assertIn("Latency/tcp_threaded/ping 10 µs 10.3 µs +3.0 % Latency", text)
        self.assertIn("Latency/tcp_async/ping 10 µs 13 µs +30.0 % ▲", text)

    def test_times_of_uploads_in_pairs_are_tinted_by_their_ratio_to_the_probe(self):
        """The machine was twice as slow when the reference was measured."""
        def upload(us, **counters):
            return Measured("Compression", "rpyc_threaded", "", {}, {"p50_us": us, **counters})

        self.assertEqual(1.5, compression.compared(upload(300), upload(200), "p50_us"))
        self.assertEqual(3, compression.compared(
            upload(300, probe_ratio=60), upload(200, probe_ratio=20), "p50_us"))

    def test_parts_of_rows_in_pairs_have_intervals(self):
        """The floor met a machine that was twice as slow as most of the run."""
        rows_in_pairs = [row(f"Latency/{mode}/ping", us * slower, probe_ratio=us / 5,
                             probe_ratio_low=us / 5 - 0.1, probe_ratio_high=us / 5 + 0.1)
                         for mode, us, slower in (("tcp_threaded", 10, 2), ("http_threaded", 12, 1),
                                                  ("rpyc_threaded", 25, 1))]
        text = Page(self.report(self.file(rows_in_pairs))).text("decomposition")
        self.assertIn("Latency/ping by RPyC 10 µs 15 µs 25 µs", text)
        self.assertIn("protocol 15.0 ± 1.0 60.0 % rpyc_threaded/ping 25.0 − "
                      "tcp_threaded/ping 10.0", text)

    def test_files_of_one_run_without_a_common_row_are_one_result(self):
        page = Page(self.report(self.file(rows()), self.file(
            [row("PyLatency/pyrpyc_threaded/ping", 160)], "client.json")))
        self.assertNotIn("changes", page.texts)
        self.assertIn("Latency/ping by RPyC 10 µs 15 µs 75 µs 60 µs 160 µs",
                      page.text("decomposition"))

    def test_calls_across_a_link_by_client(self):
        text = Page(self.report(self.file(across()))).text("link")
        self.assertRegex(text, "Local time and exchanges, Python client operation pyrpyc_threaded "
                         "flask_waitress ping 100 µs . 3.00 × RTT 700 µs . 1.00 × RTT "
                         "getattr 100 µs . 1.00 × RTT One call, Python client: ")
        self.assertIn("One call, Python client: pyrpyc_threaded/ping is faster than "
                      "flask_waitress/ping up to an RTT of 300 µs (interval 289 µs to 311 µs).", text)
        self.assertIn("One call, native client: rpyc_threaded/ping is slower than "
                      "http_threaded/ping at every RTT.", text)
        self.assertNotIn("than rpyc_threaded", text)
        self.assertIn("Link/rpyc_threaded/ping 2.000 ± 0.010 50 µs 2.05 ms 40.0 ms", text)

    def test_servers_in_other_languages_are_not_compared(self):
        text = Page(self.report(self.file([*link_rows("Link/rpyc_threaded/ping", 50, 2),
                                           *link_rows("Link/flask_waitress/ping", 700, 1)]))).text("link")
        self.assertIn("ping 50 µs + 2.00 × RTT 700 µs + 1.00 × RTT", text)
        self.assertNotRegex(text, "(faster|slower) than")

    def test_a_call_whose_times_are_on_no_line_has_two_times(self):
        text = Page(self.report(self.file(
            [*across(), *link_rows("Link/rpyc_threaded/pipelined/10", 40_100, 2, more_us=30_000),
             *link_rows("Link/rpyc_threaded/connect", 90, 2, label="doubts=spread:60%")]))).text("link")
        self.assertIn("pipelined/10 40.1 ms, 80.1 ms at 20 ms", text)
        self.assertIn("connect 90 µs + 2.00 × RTT†", text)

    def test_the_line_of_a_call_passes_through_its_measured_times(self):
        """Marks stand apart: a line between two of them would be straight on these axes."""
        chart = re.search(r"<figcaption>Time of a call, Python client</.*?</figure>",
                          self.report(self.file(across())), re.DOTALL)[0]
        lines = [re.findall(r"[ML] ([-\d.]+) ([-\d.]+)", path) for path in re.findall(
            r'<path d="([^"]*)"[^>]*stroke-width: 1.6', chart)]
        curves = [tuple(map(float, point)) for line in lines for point in line]
        marks = [tuple(map(float, point)) for point in re.findall(
            r'<use [^>]*x="([\d.]+)" y="([\d.]+)"[^>]*fill', chart)]
        self.assertEqual([11, 11], list(map(len, lines)))  # 10, 20, 50 µs, …, 20 ms
        self.assertEqual(4, len([mark for mark in marks if any(
            math.dist(mark, point) < 0.01 for point in curves)]), (marks, curves))

    def test_rows_across_a_link_are_in_no_other_section(self):
        page = Page(self.report(self.file(rows())))
        for section in set(SECTIONS) - {"link", "environment"}:
            self.assertNotRegex(page.text(section), r"Link/|rtt_us")

    def test_a_sweep_may_have_rows_without_delay(self):
        benchmarks = [{**each, "label": f"compression={compression}"}
                      for compression in ("off", "python")
                      for each in link_rows("Link/rpyc_threaded/ping", 50, 2)]
        text = Page(self.report(self.file(benchmarks))).text("sweep")
        self.assertIn("Link/rpyc_threaded/ping/rtt_us:0 50 µs 50 µs", text)
        self.assertIn("1,000 20,000 rtt_us", text)

    def test_markdown_has_calls_across_a_link_only_if_there_are_any(self):
        self.assertIn("| ping | 100 µs + 3.00 × RTT | 700 µs + 1.00 × RTT |",
                      self.run_report("--markdown", self.file(across())).stdout)
        self.assertNotIn("across a link", self.run_report("--markdown", self.file(
            [row("Isolation/tcp_threaded", 5)])).stdout)

    def test_markdown_has_the_matrix_and_what_changed(self):
        after = self.file(changed("Latency/rpyc_threaded/ping", p50_us=30), "after.json")
        result = self.run_report_process("--markdown", self.file(rows()), after)
        self.assertEqual((0, ""), (result.returncode, result.stderr))
        self.assertIn("| mode | Connection first reply | Latency ping |", result.stdout)
        self.assertRegex(result.stdout, r"\| rpyc_threaded \| 2\.50 × \| 2\.50 × \|")
        self.assertIn("| Latency/rpyc_threaded/ping | 25 µs | 30 µs +20.0 % ▲ |", result.stdout)

    def test_names_of_files_are_no_html_in_markdown(self):
        result = self.run_report("--markdown", self.file(rows(), "a<b>.json"), self.file(rows(), "b|c.json"))
        self.assertIn("### a&lt;b&gt;\n", result.stdout)
        self.assertNotIn("<b>", result.stdout)

    def sweep(self, us=10):
        """Returns a sweep's rows: text takes twice as long as random bytes, zeros half as long."""
        for payload, factor in (("random", 1), ("text", 2), ("zeros", 0.5)):
            for mode, way in (("tcp_threaded", 1), ("rpyc_threaded", 3)):
                for compression, price in (("off", 1), ("python", 4)) if way > 1 else (("", 1),):
                    label = f"placement=shared payload={payload}" + (
                        f" compression={compression}" if compression else "")
                    for size in (1024, 65536):
                        cost = us * factor * way * price * size / 1024
                        yield row(f"Bandwidth/{mode}/upload/{size}", cost, label,
                                  bytes_per_second=size / cost * 1e6, floor_ratio=way * price)
        for chunk in (4096, 65536):
            yield row("BinaryTransfer/http_threaded/upload_chunked/131072", us * 1e6 / chunk,
                      f"placement=free chunk_bytes={chunk}", bytes_per_second=1e5 * chunk)

    def test_a_sweep_has_a_line_for_each_value_and_is_mixed_nowhere(self):
        text = self.report(self.file(self.sweep()))
        page = Page(text)
        self.assertIn("payload=random payload=text payload=zeros", page.text("sweep"))
        self.assertIn("Bandwidth/rpyc_threaded/upload/1024 compression=python "
                      "8.53 MB/s 4.27 MB/s 17.1 MB/s", page.text("sweep"))
        upload = re.search(r"<figcaption>Bandwidth/upload</figcaption>.*?</figure>", text,
                           re.DOTALL)[0]
        self.assertEqual(["tcp_threaded", "rpyc_threaded, compression=off",
                          "rpyc_threaded, compression=python"],
                         re.findall(r"Bandwidth/upload: ([^\"]*)\"", upload))
        chunked = re.search(r"<figcaption>BinaryTransfer/upload_chunked</.*?</figure>", text,
                            re.DOTALL)[0]
        self.assertIn("chunk bytes", chunked)
        self.assertIn("http_threaded, 128 KiB", chunked)
        self.assertIn("Bandwidth: rpyc_threaded, 64 KiB up", page.text("compression"))
        self.assertRegex(page.text("compression"), "text 3.84 ms 15.4 ms")
        self.assertIn("rpyc_threaded 3.00 × 3.00 ×", page.text("matrix"))
        self.assertIn("Bandwidth/upload/1024 by RPyC 10 µs 20 µs 30 µs", page.text("decomposition"))
        self.assertIn("20 rows", page.text("environment"))

    def test_sweeps_are_compared_condition_by_condition(self):
        before, after = ([{**each, "p50_us": each["p50_us"] * (
            factor if "payload=text" in each["label"] else 1)} for each in self.sweep()]
            for factor in (1, 2))
        text = Page(self.report(self.file(before, "before.json"),
                                self.file(after, "after.json"))).text("changes")
        self.assertIn("20 rows in common, 6 changed.", text)
        self.assertIn("Bandwidth/tcp_threaded/upload/1024 placement=shared payload=text "
                      "20 µs 40 µs +100.0 % ▲", text)

    def test_hosts_that_were_merged_stay_apart(self):
        benchmarks = [{**each, "label": f"{each['label']} host={host}"}
                      for host, us in (("a", 10), ("b", 20)) for each in self.sweep(us)]
        page = Page(self.report(self.file(benchmarks)))
        for host, text in (("a", "text 60 µs 240 µs"), ("b", "text 120 µs 480 µs")):
            self.assertRegex(page.text("compression"), "Bandwidth: rpyc_threaded "
                             f"host={host}, 1 KiB up .*?{text}")
            self.assertIn(f"upload/1024 host={host} compression=off", page.text("sweep"))
        self.assertIn("rpyc_threaded 3.00 × 3.00 ×", page.text("matrix"))

    def test_the_hosts_of_a_sweep_are_told(self):
        path = self.file(self.sweep())
        path.write_text(json.dumps({**json.loads(path.read_text()), "hosts": {
            "here": {"cpus": 2}, "there": {"cpus": 4, "kernel": "9.9"}}}))
        self.assertIn("fact here there cpus 2 4 kernel – 9.9",
                      Page(self.report(path)).text("environment"))

    def course(self, name="results.json", **changes):
        """Writes a file with a course of the probe, and a row that is quick to draw."""
        return super().file([row("Isolation/tcp_threaded", 5)], name, context=CONTEXT,
                            probe=probe(**changes))

    def test_the_share_of_the_run_that_was_quiet(self):
        text = Page(self.report(self.course())).text("environment")
        self.assertIn("The machine was quiet in 50 % of the run's 10 s, as far as", text)
        self.assertIn("took at most 4.20 µs", text)
        self.assertIn("quiet in 75 % of", Page(self.report(self.course(quiet_us=8))).text(
            "environment"))
        result = self.run_report("--markdown", self.course())
        self.assertIn("The machine was quiet in 50 % of", result.stdout)

    def test_the_course_of_the_probe(self):
        """The curve has a gap and steps of the right height; the limit is where its value is."""
        paths = dict(drawn(self.report(self.course())))
        steps = paths["median ping of the probe"]
        limit_y, = {y for _, y in paths["quiet up to 4.20 µs"]}
        levels = list(dict.fromkeys(y for _, y in steps))  # 4, 4.1, 8 and 16 µs from below
        self.assertEqual(4, len(levels), steps)
        self.assertAlmostEqual(levels[2] - levels[3], levels[0] - levels[2], places=3)
        self.assertTrue(levels[2] < limit_y < levels[1] < levels[0], (levels, limit_y))
        seconds = dict.fromkeys(x for x, _ in steps)
        begin, one, two, three, four, five = seconds
        for at, second in ((1, one), (2, two), (3, three), (4, four)):
            self.assertAlmostEqual(begin + at * (five - begin) / 5, second, places=3)
        self.assertFalse({(two, levels[2]), (three, levels[1])} & set(steps), "no gap")

    def test_the_rows_along_the_course(self):
        """Loops and pairs lie where they were; those that overlap share one mark and a tooltip."""
        paths = drawn(self.report(self.course()))
        steps = dict(paths)["median ping of the probe"]
        begin, end = min(x for x, _ in steps), max(x for x, _ in steps)
        marks = [(tip, *(round(10 * (x - begin) / (end - begin), 2) for x in (
            min(x for x, _ in path), max(x for x, _ in path))), min(y for _, y in path))
                 for tip, path in paths if "/" in tip]
        latency, isolation = ("Latency/tcp_threaded/ping", "Latency/rpyc_threaded/ping"), \
            "Isolation/tcp_threaded/<x>"
        self.assertEqual([(latency[0], -1, 0), (latency[1], 0, 2), ("\n".join(latency), 4, 9),
                          (isolation, 2, 3)], [mark[:3] for mark in marks])
        first, second, pairs, other = (mark[3] for mark in marks)
        self.assertEqual(first, second)
        self.assertTrue(first < pairs < other, "a lane for each type, its pairs below its loops")

    def test_each_result_and_each_of_its_files_has_its_course(self):
        page = self.report(self.course(), self.course("slow.json", us=[9]))
        self.assertEqual(2, page.count("<figcaption>The machine during the run<"))
        self.assertRegex(Page(page).text("environment"), "quiet in 50 % .* quiet in 0 % ")
        page = self.report(self.course(), super().file(
            [row("PyLatency/pyrpyc_threaded/ping", 160)], "client.json", context=CONTEXT,
            probe=probe(us=[4])))
        self.assertRegex(Page(page).text("environment"), "quiet in 50 % .* quiet in 100 % ")
        ids = Page(page).ids
        self.assertEqual(len(ids), len(set(ids)))

    def test_without_a_course_there_is_no_drawing_of_it(self):
        page = self.report(self.file([row("Isolation/tcp_threaded", 5)]))
        self.assertNotIn("The machine", page)
        self.assertEqual([], drawn(page))

    def test_a_course_that_is_none_is_refused(self):
        loop = {"name": "a/b", "loop_s": [0, 1]}
        for changes in ({"quiet_us": 0}, {"quiet_us": "4"}, {"quiet_us": None}, {"step_s": -1},
                        {"step_s": float("nan")}, {"us": 5}, {"us": []}, {"us": [None]},
                        {"us": ["a"]}, {"us": [True]}, {"us": [1e308]}, {"us": [4, -4]},
                        {"step_s": 1e9}, {"rows": None}, {"rows": [5]}, {"rows": [{}]},
                        *({"rows": [loop | wrong]} for wrong in (
                            {"name": 5}, {"loop_s": [1]}, {"loop_s": [2, 1]}, {"loop_s": "01"},
                            {"pairs_s": None}, {"pairs_s": [0, 1e308]}, {"pairs_s": [0, 1, 2]}))):
            with self.subTest(changes):
                self.refuses("its probe's course is not one of bench_all's", self.course(**changes))
        for wrong in (None, [], 5, {}):
            path = super().file([row("Isolation/tcp_threaded", 5)], probe=wrong)
            self.refuses("its probe's course is not one of bench_all's", path)

    def test_names_in_a_course_are_drawn_as_they_are(self):
        odd = {"name": "$\\x$ & <b>/tcp_threaded", "loop_s": [0, 0]}
        self.assertIn("$\\x$ & <b>", Page(self.report(self.course(rows=[odd]))).text("environment"))

    def test_pictures(self):
        folder = self.folder / "pictures"
        result = self.run_report("--png", folder, super().file(
            rows(), context=CONTEXT, probe=probe()))
        self.assertEqual((0, "", ""), (result.returncode, result.stdout, result.stderr))
        found = {path.name: path.read_bytes() for path in folder.iterdir()}
        self.assertLessEqual(
            {"matrix.png", "percentiles-Latency-ping.png", "throughput-Bandwidth-upload.png",
             "concurrency-Concurrent-tail.png", "decomposition.png", "ledger.png",
             "link-Python-client.png", "link-native-client.png",
             "compression-rpyc_threaded-65536.png", "machine.png"}, set(found))
        for name, content in found.items():
            self.assertTrue(content.startswith(b"\x89PNG") and len(content) > 5000, name)

    def test_what_is_no_result_is_refused(self):
        good = self.file(rows())
        for text, words in no_results(good.read_text()):
            with self.subTest(words):
                self.refuses(words, self.write("bad.json", text))
        self.refuses("bad.json: no row of bench_all", good, self.folder / "bad.json")
        self.refuses("No such file", self.folder / "absent.json",
                     run_report=self.run_report_process)

    def test_rows_without_counters_are_refused(self):
        bare = [{key: value for key, value in each.items() if not key.endswith("_us")}
                for each in rows()]
        self.refuses("no row has p50_us", self.file(bare))

    def test_a_file_that_cannot_be_written_leaves_nothing(self):
        path = self.file([row("Isolation/tcp_threaded", 5)])
        (self.folder / "folder").mkdir()
        for place, reason in (("absent/report.html", "No such file"), ("folder", "Is a directory"),
                              ("/", "Is a directory")):
            self.assert_refused(self.run_report(path, "-o", place), f"report: {place}: {reason}")
        self.assertEqual({"results.json", "folder"}, {path.name for path in self.folder.iterdir()})

    def test_a_link_or_a_device_is_not_replaced(self):
        path = self.file([row("Isolation/tcp_threaded", 5)])
        link, pipe = self.folder / "link.html", self.folder / "pipe"
        link.symlink_to("page.html")
        self.assertEqual(0, self.run_report(path, "-o", link).returncode)
        self.assertTrue(link.is_symlink() and (self.folder / "page.html").is_file())
        os.mkfifo(pipe)
        result = self.run_report(path, "-o", "pipe")
        self.assert_refused(result, "report: pipe: not a regular file\n")
        self.assertTrue(pipe.is_fifo())

    def test_it_runs_by_a_link_and_reads_a_file_of_any_name(self):
        path = self.folder / os.fsdecode(b"\xff.json")
        self.file(rows()).rename(path)
        link = self.folder / "linked"
        link.symlink_to(REPORT)
        result = subprocess.run([link, "--no-install", path, "--markdown"], capture_output=True,
                                text=True, encoding="utf-8", timeout=60, check=False)
        self.assertEqual((0, ""), (result.returncode, result.stderr))
        self.assertIn("\ufffd", result.stdout)

    def test_something_must_be_asked_for(self):
        result = self.run_report_process(self.file(rows()))
        self.assertEqual(2, result.returncode)
        self.assertIn("nothing to make", result.stderr)

    def test_chromium_draws_every_section_without_a_word(self):
        browser = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which(
            "chromium-browser")
        if browser is None:
            print("report_test: the page was not opened because there is no Chromium")
            return
        self.report(self.file(rows()))
        result = subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
             f"--user-data-dir={self.folder / 'profile'}", "--dump-dom", self.html.as_uri()],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertNotIn("CONSOLE", result.stderr)
        page = Page(result.stdout)
        for section in SECTIONS:
            self.assertTrue(page.text(section))
        self.assertGreater(sum(tag == "svg" for tag, _ in page.tags), 10)


if __name__ == "__main__":
    unittest.main()
