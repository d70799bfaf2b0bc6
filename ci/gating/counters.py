"""What the gate may judge by: the times and counters of a row, and in which direction each is worse.

The names are those of fixtures/meter/counters.h and of the framework; a test holds the two lists together.
"""

LOWER_IS_BETTER = frozenset((
    "real_time", "cpu_time", "p10_us", "p50_us", "p95_us", "p99_us", "p999_us", "min_us", "max_us", "mean_us",
    "tcp_connect_us", "handshake_us", "first_call_us", "connect_p50_us", "connect_max_us", "longest_gap_us",
    "bystander_p50_us", "service_p50_us", "service_p99_us", "late_p99_us", "closed_loop_p99_us",
    "client_cpu_us", "client_kernel_cpu_us", "client_switches", "server_cpu_us", "server_kernel_cpu_us",
    "server_switches", "client_rss_mib", "server_rss_mib", "client_kib_per_connection",
    "server_kib_per_connection", "cpu_beside_wrk", "backlog_max", "backlog_end"))
HIGHER_IS_BETTER = frozenset((
    "items_per_second", "bytes_per_second", "slowest_client_per_s", "fastest_client_per_s",
    "calls_per_s_per_client", "rate_beside_wrk", "achieved_per_s", "max_per_s", "max_rate_per_s"))
# What says how a row was measured, or is counted and belongs to the exact tier.
NO_STATISTICS = frozenset((
    "samples", "connections", "round_trips", "wire_bytes_out", "wire_bytes_in", "frames_out", "frames_in",
    "compressed_frames_out", "compressed_frames_in", "refs_created", "refs_released", "wrk_cpu_us",
    "wrk_kernel_cpu_us", "wrk_per_s", "bystanders_lost", "server_restarts", "rate_per_s", "slo_us", "probes",
    "expected_mean_us", "expected_p50_us", "expected_p95_us", "expected_p99_us", "expected_p999_us",
    "floor_p50_us", "windows", "server_threads", "server_processes", "stalls", "spread_percent",
    "client_syscalls", "server_syscalls", "client_allocations", "server_allocations", "client_allocated_bytes",
    "server_allocated_bytes", "ledger_exact"))
