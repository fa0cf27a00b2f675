extension Measurement {
    /// A rate per second, with its limit.
    static func rate(
        _ name: String,
        unit: String = "events/s",
        _ rounds: [(value: Double, limit: Double)],
        settings: [String: String]
    ) -> Measurement {
        Measurement(
            name,
            unit: unit,
            higherIsBetter: true,
            rounds: rounds.map { ($0.value, $0.limit) },
            settings: settings
        )
    }

    /// The median and the 99th percentile of waits in milliseconds.
    ///
    /// - Parameters:
    ///   - rounds: The waits of each round, in ascending order.
    ///   - limits: Those of the limit in the same rounds, if there is one.
    static func percentiles(
        _ name: String,
        of rounds: [[Double]],
        limits: [[Double]]? = nil,
        settings: [String: String]
    ) -> [Measurement] {
        [0.5, 0.99].map { part in
            Measurement(
                "\(name).p\(Int(part * 100))",
                unit: "ms",
                higherIsBetter: false,
                rounds: rounds.enumerated().map { round, waits in
                    (Percentile.of(part, waits), limits.map { Percentile.of(part, $0[round]) })
                },
                settings: settings
            )
        }
    }
}
