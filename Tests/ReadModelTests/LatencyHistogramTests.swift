import Postgres
import RecorderTesting
import Testing

/// Percentiles of histograms, beside those that the server computes of the values themselves.
@Suite struct LatencyHistogramTests {
    @Test(arguments: [
        "-300, -250, -200, -150, -100", "-300, -20, 0, 0.5, 40, 41, 900", "0, 0, 0", "-0.001, -1e-9, -5, -5, -5",
        "0.2, 0.3, 1, 1, 12, 350.5, 1e9", "-1e12, -3, 1e12",
    ])
    func `a percentile is within 1 % of the exact one, below zero too`(values: String) async throws {
        try await withTestConnection { connection in
            let rows = try await connection.text(
                unsafeSQL: """
                    with measured as (select unnest(array[\(values)]::double precision[]) as ms),
                    histogram as (
                        select array_agg(latency_bin(ms)) as bins, array_agg(1::bigint) as counts, min(ms) as low, max(ms) as high
                        from measured
                    )
                    select p, exact, found
                    from generate_series(0, 100, 5) as p
                    cross join lateral (select percentile_cont(p / 100.0) within group (order by ms) from measured) e(exact)
                    cross join lateral (
                        select latency_histogram_percentile(bins, counts, p / 100.0, low, high) from histogram
                    ) f(found)
                    -- Between two ranks, each may be so far away.
                    cross join lateral (
                        select 0.0075 * greatest(
                            abs(percentile_disc(p / 100.0) within group (order by ms)),
                            abs(percentile_cont(p / 100.0) within group (order by ms)),
                            abs(percentile_disc(1 - p / 100.0) within group (order by ms desc))) from measured
                    ) b(bound)
                    where found is null or abs(found - exact) > bound
                    """
            )
            #expect(rows.isEmpty, "\(rows)")
        }
    }

    @Test func `the bins of zero and more are what they were, and none is another's`() async throws {
        try await withTestConnection { connection in
            let bins = try await connection.text(
                unsafeSQL: """
                    select latency_bin(ms) from unnest(array[0, 1e-100, 1e-6, 0.5, 1, 100, 1e200, 1e300]::double precision[])
                        with ordinality u(ms, place) order by place
                    """
            )
            #expect(bins == [["-32768"], ["-15465"], ["-927"], ["-46"], ["0"], ["310"], ["30931"], ["32767"]])
            let strange = try await connection.text(
                unsafeSQL: """
                    select bin from generate_series(-32768, 32767) bin
                    where latency_bin(latency_of_bin(bin)) <> bin and bin <> -16384
                    """
            )
            #expect(strange.isEmpty, "\(strange)")
        }
    }
}
