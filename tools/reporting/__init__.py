"""Makes one HTML file from results of bench_all; see tools/report.

results.py reads the rows. Each file of sections/ chooses what its section shows of them
(blocks.py). page.py, pictures.py and markdown.py turn that into HTML, pictures and text; drawing.py
and timeline.py draw.
"""
