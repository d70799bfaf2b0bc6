"""Makes rows across a link, in the form of bench_all's."""


def link_rows(call, local_us, exchanges, within=0.01, rtts=(0, 1000, 20000), more_us=0, **counters):
    """Returns the rows of a call, such as Link/tcp_threaded/ping, at these RTTs in µs.

    The exchanges have an interval of ± `within`. A call takes `more_us` more at the first delay.
    """
    rows = []
    for rtt in rtts:
        us = local_us + exchanges * rtt + (more_us if rtt == rtts[1] else 0)
        slope = {"local_us": local_us, "exchanges": (us - local_us) / rtt,
                 "exchanges_low": (us - local_us) / rtt - within,
                 "exchanges_high": (us - local_us) / rtt + within} if rtt else {}
        rows.append({"name": f"{call}/rtt_us:{rtt}/manual_time", "run_type": "iteration",
                     "real_time": us, "time_unit": "us", "p50_us": us, "samples": 50,
                     "label": "placement=free", **slope, **counters})
    return rows
