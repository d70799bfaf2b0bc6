"""One HTML file out of results of bench_all; see tools/report.

results.py reads the rows, a file of sections/ chooses what a section shows of them (blocks.py), and
page.py, drawing.py and markdown.py put that into HTML, pictures and text.
"""
