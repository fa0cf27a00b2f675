import Testing

@testable import Benchmarks

@Suite struct MeasurementTests {
    @Test func `figures are medians and ratios are of rounds`() {
        let measurement = Measurement(
            "append",
            unit: "events/s",
            higherIsBetter: true,
            rounds: [(10, 20), (30, 10), (20, 20)]
        )
        #expect(measurement.value.median == 20)
        #expect(measurement.value.least == 10)
        #expect(measurement.value.most == 30)
        #expect(measurement.limit?.median == 20)
        #expect(measurement.ratio == 1)
        #expect(measurement.rounds == 3)
    }

    @Test func `without a limit there is no ratio`() {
        let measurement = Measurement("memory", unit: "MB", higherIsBetter: false, rounds: [(10, nil), (12, nil)])
        #expect(measurement.value.median == 11)
        #expect(measurement.limit == nil)
        #expect(measurement.ratio == nil)
    }

    @Test func `percentiles stand beside those of the limit in the same round`() {
        let waits = (1...100).map(Double.init)
        let (quick, slow) = (waits.map { $0 / 2 }, waits.map { $0 * 2 })
        let measurements = Measurement.percentiles(
            "latency",
            of: [waits, slow],
            limits: [quick, waits],
            settings: [:]
        )
        #expect(measurements.map(\.name) == ["latency.p50", "latency.p99"])
        #expect(measurements.map(\.value.most) == [100, 198])
        #expect(measurements.map(\.ratio) == [2, 2])
        #expect(Measurement.percentiles("latency", of: [waits], settings: [:]).map(\.limit) == [nil, nil])
    }

    @Test func `a percentile is the nearest rank`() {
        let values = (1...100).map(Double.init)
        #expect(Percentile.of(0.5, values) == 50)
        #expect(Percentile.of(0.99, values) == 99)
        #expect(Percentile.of(1, values) == 100)
        #expect(Percentile.of(0, values) == 1)
        #expect(Percentile.of(0.5, [7]) == 7)
    }
}
